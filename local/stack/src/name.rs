//! Names and ids that nobody wrote down: derived from other names, so that they are the same at every start.

/// Letters of a generated name's last part.
const SUFFIX_LENGTH: usize = 12;
/// Of a logical id, so much goes into a generated name, whatever the limit is; more if there is room.
const LOGICAL_ID_MIN: usize = 24;

/// Letters and digits that depend on a name alone (FNV-1a, drawn out by a multiplicative generator): an id that
/// looks like AWS's and is no secret.
pub fn derived_id(name: &str, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut state = name.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(ALPHABET[(state >> 33) as usize % ALPHABET.len()])
    };
    (0..length).map(letter).collect()
}

/// `{stack}-{LogicalId}-{12 letters}`, as `CloudFormation` names what has no name; cut where a type allows less.
pub fn physical_name(stack: &str, logical_id: &str, length_max: usize) -> String {
    let suffix = derived_id(&format!("{stack}/{logical_id}"), SUFFIX_LENGTH).to_uppercase();
    let room = length_max.saturating_sub(SUFFIX_LENGTH + 2); // two hyphens
    let stack_length = stack.len().min(room.saturating_sub(logical_id.len().min(LOGICAL_ID_MIN)));
    let stack = cut(stack, stack_length);
    format!("{stack}-{}-{suffix}", cut(logical_id, room - stack.len()))
}

/// The first so many bytes, or fewer where a letter would be cut in two.
fn cut(text: &str, length: usize) -> &str {
    let end = (0..=length.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_stay_the_same() {
        let id = derived_id("user-pool/tandem", 9);
        assert_eq!(id, derived_id("user-pool/tandem", 9));
        assert_ne!(id, derived_id("user-pool/other", 9));
        assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    }

    /// Of a stack and a logical id of these lengths.
    #[track_caller]
    fn check(stack: usize, logical_id: usize, length_max: usize, expected: &str) {
        let name = physical_name(&"s".repeat(stack), &"L".repeat(logical_id), length_max);
        assert!(name.len() <= length_max, "{name}");
        assert_eq!(&name[..name.len() - SUFFIX_LENGTH - 1], expected);
    }

    #[test]
    fn names_fit() {
        check(3, 5, 64, "sss-LLLLL");
        check(60, 3, 40, &format!("{}-LLL", "s".repeat(23)));
        check(30, 60, 64, &format!("{}-{}", "s".repeat(26), "L".repeat(24)));
        check(4, 60, 64, &format!("ssss-{}", "L".repeat(46)));
    }
}
