//! Texts that look like AWS's and depend on a name alone, so that they are the same at every start.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// How ciphertexts of AWS's key service begin.
const CIPHERTEXT_START: [u8; 5] = [0x01, 0x02, 0x02, 0x00, 0x78];
const CIPHERTEXT_BYTES: usize = 120;

/// Numbers that follow from a name: FNV-1a, drawn out by a multiplicative generator. No secret.
fn numbers(name: &str) -> impl Iterator<Item = usize> {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut state = name.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
    std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 40).ok()
    })
}

/// Letters and digits.
pub fn letters(name: &str, count: usize) -> String {
    numbers(name).take(count).map(|n| char::from(LETTERS[n % LETTERS.len()])).collect()
}

/// What stands in the place of a value that was not to be decrypted. It is made of the name: nothing of the value is
/// in it.
pub fn ciphertext(name: &str) -> String {
    let rest = numbers(name).map(|n| u8::try_from(n % 256).unwrap_or_default());
    let bytes: Vec<u8> = CIPHERTEXT_START.into_iter().chain(rest).take(CIPHERTEXT_BYTES).collect();
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_the_same_text_every_time() {
        assert_eq!(letters("a", 6), letters("a", 6));
        assert_ne!(letters("a", 6), letters("b", 6));
        assert_eq!(ciphertext("a:1"), ciphertext("a:1"));
        assert!(ciphertext("a:1").starts_with("AQICAH"), "as on AWS");
    }
}
