//! What a password must look like, and temporary passwords that do.
//!
//! Not here: what is stored of a password (see `srp.rs`), and the sentences around a violation, which differ from
//! one operation to another.

use world::Random;

use crate::pool::PasswordPolicy;

/// What counts as a symbol, besides a space with something on both sides of it.
///
/// Source: "Adding user pool password requirements" in Amazon Cognito's developer guide.
const SYMBOLS: &[u8] = b"^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-";

/// Symbols that nobody takes for something else in an HTML mail, a shell or a sentence.
const TEMPORARY_SYMBOLS: &[u8] = b"!@#%^*?_=+-";
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ"; // no I and O: they look like 1 and 0
const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz"; // no l
const DIGITS: &[u8] = b"23456789";
const TEMPORARY_LENGTH_MIN: usize = 8;

/// The first thing that is wrong with a password, in Cognito's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("Password not long enough")]
    TooShort,
    #[error("Password must have uppercase characters")]
    NoUppercase,
    #[error("Password must have lowercase characters")]
    NoLowercase,
    #[error("Password must have numeric characters")]
    NoNumber,
    #[error("Password must have symbol characters")]
    NoSymbol,
}

/// The first rule that the password breaks. Only ASCII letters and digits count for a kind.
pub fn violation(policy: &PasswordPolicy, password: &str) -> Option<Violation> {
    let lacks = |required: bool, kind: fn(&u8) -> bool| required && !password.as_bytes().iter().any(kind);
    let long_enough = password.chars().nth((policy.minimum_length as usize).saturating_sub(1)).is_some();
    if !long_enough {
        Some(Violation::TooShort)
    } else if lacks(policy.require_uppercase, u8::is_ascii_uppercase) {
        Some(Violation::NoUppercase)
    } else if lacks(policy.require_lowercase, u8::is_ascii_lowercase) {
        Some(Violation::NoLowercase)
    } else if lacks(policy.require_numbers, u8::is_ascii_digit) {
        Some(Violation::NoNumber)
    } else if policy.require_symbols && !has_symbol(password) {
        Some(Violation::NoSymbol)
    } else {
        None
    }
}

fn has_symbol(password: &str) -> bool {
    password.bytes().any(|byte| SYMBOLS.contains(&byte)) || password.trim_matches(' ').contains(' ')
}

/// A password that fulfils the policy, for a user whom an administrator makes.
pub fn temporary(policy: &PasswordPolicy, random: &Random) -> String {
    let length = TEMPORARY_LENGTH_MIN.max(policy.minimum_length as usize);
    // One of every kind, whatever the policy asks for; the rest are letters and digits; then mixed.
    let mut letters: Vec<u8> =
        [UPPER, LOWER, DIGITS, TEMPORARY_SYMBOLS].into_iter().map(|kind| pick(kind, random)).collect();
    let plain = [UPPER, LOWER, DIGITS].concat();
    letters.resize_with(length, || pick(&plain, random));
    for last in (1..letters.len()).rev() {
        letters.swap(last, below(last + 1, random));
    }
    letters.into_iter().map(char::from).collect()
}

fn pick(alphabet: &[u8], random: &Random) -> u8 {
    alphabet[below(alphabet.len(), random)]
}

fn below(bound: usize, random: &Random) -> usize {
    usize::try_from(random.below(bound as u64)).expect("less than a usize")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(password: &str, expected: Option<Violation>) {
        assert_eq!(violation(&PasswordPolicy::default(), password), expected, "{password:?}");
    }

    #[test]
    fn the_first_violation_is_told() {
        check("Passw0rd!", None);
        check("", Some(Violation::TooShort));
        check("Pass0r!", Some(Violation::TooShort));
        check("passw0rd!", Some(Violation::NoUppercase));
        check("PASSW0RD!", Some(Violation::NoLowercase));
        check("Password!", Some(Violation::NoNumber));
        check("Passw0rdd", Some(Violation::NoSymbol));
    }

    #[test]
    fn length_counts_characters_and_kinds_count_ascii() {
        check("Pä0!öüé", Some(Violation::TooShort));
        check("Pä0!öüéa", None);
        check("Ässwort0!", Some(Violation::NoUppercase));
        check("Passwor٣!", Some(Violation::NoNumber));
        check("Passw0rd€", Some(Violation::NoSymbol));
    }

    #[test]
    fn every_symbol_counts_and_a_space_within() {
        for symbol in SYMBOLS {
            check(&format!("Passw0rd{}", char::from(*symbol)), None);
        }
        check("Pass w0rd", None);
        check(" Passw0rd ", Some(Violation::NoSymbol));
    }

    #[test]
    fn a_policy_may_ask_for_nothing() {
        let policy = PasswordPolicy {
            minimum_length: 6,
            require_uppercase: false,
            require_lowercase: false,
            require_numbers: false,
            require_symbols: false,
            ..PasswordPolicy::default()
        };
        assert_eq!(violation(&policy, "aaaaaa"), None);
        assert_eq!(violation(&policy, "aaaaa"), Some(Violation::TooShort));
    }

    proptest! {
        #[test]
        fn temporary_passwords_fulfil_the_policy(seed: u64, minimum_length in 6_u32..=99) {
            let policy = PasswordPolicy { minimum_length, ..PasswordPolicy::default() };
            let password = temporary(&policy, &Random::seeded(seed));
            prop_assert_eq!(violation(&policy, &password), None);
            prop_assert!(password.len() <= 99);
        }
    }
}
