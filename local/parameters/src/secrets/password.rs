//! Random passwords.

use world::Random;

use super::error::Error;

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// What a password is made of.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the wire's members, one for one")]
pub struct Rules {
    pub length: usize,
    pub excluded: String,
    pub exclude_numbers: bool,
    pub exclude_punctuation: bool,
    pub exclude_uppercase: bool,
    pub exclude_lowercase: bool,
    pub include_space: bool,
    pub require_each: bool,
}

impl Rules {
    /// Draws one.
    pub fn draw(&self, random: &Random) -> Result<String, Error> {
        let classes = self.classes();
        let alphabet = classes.concat();
        if alphabet.is_empty() {
            let message = "The password has no characters left: all of them are excluded.";
            return Err(Error::InvalidParameter(message.into()));
        }
        if !self.require_each {
            return Ok(random.letters(self.length, &alphabet));
        }
        if self.length < classes.len() {
            let message = "Password length is too short based on the required types.";
            return Err(Error::InvalidParameter(message.into()));
        }
        let mut password: Vec<char> = classes.iter().flat_map(|class| one(random, class)).collect();
        password.extend(random.letters(self.length - password.len(), &alphabet).chars());
        for at in (1..password.len()).rev() {
            let other = random.below(u64::try_from(at + 1).unwrap_or(1));
            password.swap(at, usize::try_from(other).unwrap_or(at));
        }
        Ok(password.into_iter().collect())
    }

    /// The classes of characters that there are any left of.
    fn classes(&self) -> Vec<Vec<u8>> {
        let classes = [
            (!self.exclude_uppercase, UPPER),
            (!self.exclude_lowercase, LOWER),
            (!self.exclude_numbers, DIGITS),
            (!self.exclude_punctuation, PUNCTUATION),
            (self.include_space, " "),
        ];
        let left = |class: &str| class.bytes().filter(|byte| !self.excluded.as_bytes().contains(byte)).collect();
        let classes = classes.into_iter().filter(|(included, _)| *included).map(|(_, class)| left(class));
        classes.filter(|class: &Vec<u8>| !class.is_empty()).collect()
    }
}

fn one(random: &Random, class: &[u8]) -> Vec<char> {
    random.letters(1, class).chars().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            length: 5,
            excluded: "abc\"".into(),
            exclude_numbers: false,
            exclude_punctuation: false,
            exclude_uppercase: false,
            exclude_lowercase: false,
            include_space: true,
            require_each: true,
        }
    }

    #[test]
    fn every_class_is_in_it_and_nothing_excluded() {
        for seed in 0..50 {
            let password = rules().draw(&Random::seeded(seed)).expect("a password");
            let has = |class: &str| password.chars().any(|c| class.contains(c));
            assert!([UPPER, LOWER, DIGITS, PUNCTUATION, " "].into_iter().all(has), "{password}");
            assert!(password.chars().count() == 5 && !has("abc\""), "{password}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let random = Random::seeded(1);
        assert!(Rules { length: 4, ..rules() }.draw(&random).is_err());
        assert!(Rules { length: 4, require_each: false, ..rules() }.draw(&random).is_ok());
        let nothing = Rules {
            exclude_numbers: true,
            exclude_punctuation: true,
            exclude_uppercase: true,
            exclude_lowercase: true,
            include_space: false,
            ..rules()
        };
        assert!(nothing.draw(&random).is_err());
    }
}
