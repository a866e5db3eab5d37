//! What a client with a secret sends to prove that it has it: the `SECRET_HASH` parameter.
//!
//! `Base64(HMAC-SHA256(secret, username ‖ client id))`, with the user's name as it was sent.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whether `hash` was made with `secret` for this user and client. Takes the same time wherever it goes wrong.
pub fn matches(secret: &str, username: &str, client_id: &str, hash: &str) -> bool {
    let Ok(hash) = STANDARD.decode(hash) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, &[username.as_bytes(), client_id.as_bytes()].concat(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl dgst -sha256 -hmac topsecret`.
    const OF_ANN: &str = "WuvrfreqCtSymmeX3fDQiTAoTXXc4MoVcaF/ezUfNEQ=";

    #[test]
    fn only_the_very_hash_is_accepted() {
        let check = |username, client, hash| matches("topsecret", username, client, hash);
        assert!(check("ann@example.com", "1example23456789", OF_ANN));
        assert!(!check("Ann@example.com", "1example23456789", OF_ANN), "the name counts as it was sent");
        assert!(!check("ann@example.com", "another", OF_ANN));
        assert!(!check("ann@example.com", "1example23456789", ""));
        assert!(!check("ann@example.com", "1example23456789", "not base64"));
        assert!(!matches("another", "ann@example.com", "1example23456789", OF_ANN));
    }
}
