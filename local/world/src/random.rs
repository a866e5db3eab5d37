//! Randomness as a parameter.

use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

const LOWER_ALPHANUMERIC: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A cryptographically secure generator, seeded by the system or, in tests, by a number.
/// Cheap to clone: all clones draw from one stream.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// Seeded by the operating system.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for randomness")]
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(rand::make_rng())))
    }

    /// The same stream for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.draw(|rng| rng.fill_bytes(bytes));
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number in `0..bound`; 0 for a bound of 0.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.draw(|rng| rng.random_range(0..bound)) }
    }

    /// A random UUID (version 4), in lower case with hyphens.
    pub fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    /// `count` decimal digits, as confirmation codes have them.
    pub fn digits(&self, count: usize) -> String {
        self.letters(count, b"0123456789")
    }

    /// `count` lower-case letters and digits, as ids have them.
    pub fn alphanumeric(&self, count: usize) -> String {
        self.letters(count, LOWER_ALPHANUMERIC)
    }

    /// `count` characters drawn from `alphabet` (ASCII).
    pub fn letters(&self, count: usize, alphabet: &[u8]) -> String {
        self.draw(|rng| (0..count).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect())
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.0.lock().expect("no draw panics"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself() {
        let draw = |seed| (Random::seeded(seed).uuid(), Random::seeded(seed).digits(6));
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
