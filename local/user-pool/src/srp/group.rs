//! Arithmetic modulo N: the group in which SRP is done. Constant-time in everything that is secret.
//!
//! Not here: what the numbers mean. Start at [`power_of_g`].
//!
//! `crypto-bigint`'s boxed integers are as fast as its fixed-size ones in a release build, and much faster in a
//! development build, since they are compiled once, optimised, in their own crate.

use std::sync::LazyLock;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, Word};
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// The size of N and of every element.
pub const ELEMENT_BYTES: usize = 384;
const ELEMENT_BITS: u32 = 3_072;
const ELEMENT_WORDS: usize = ELEMENT_BYTES / size_of::<Word>();

/// An exponent: 256 bits, big-endian. Hashes are that long, and a server's private key need not be longer.
pub type Exponent = [u8; 32];
const EXPONENT_BITS: u32 = 256;

/// Group 15 of RFC 3526.
const N: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
    020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
    4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
    EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
    98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB\
    9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
    E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718\
    3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33\
    A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
    ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864\
    D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2\
    08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";

/// The generator.
const G: u8 = 2;

/// `k = SHA-256(N ‖ g)`.
const K: Exponent = [
    0x53, 0x82, 0x82, 0xc4, 0x35, 0x47, 0x42, 0xd7, 0xcb, 0xbd, 0xe2, 0x35, 0x9f, 0xcf, 0x67, 0xf9, 0xf5, 0xb3, 0xa6,
    0xb0, 0x87, 0x91, 0xe5, 0x01, 0x1b, 0x43, 0xb8, 0xa5, 0xb6, 0x6d, 0x9e, 0xe6,
];

/// What is worked out once: about three milliseconds and 160 KiB, at the first use.
static GROUP: LazyLock<Group> = LazyLock::new(Group::new);

struct Group {
    params: BoxedMontyParams,
    k: BoxedMontyForm,
    comb: Comb,
}

impl Group {
    fn new() -> Self {
        let n = BoxedUint::from_be_hex(N, ELEMENT_BITS).into_option().and_then(|n| Odd::new(n).into_option());
        let params = BoxedMontyParams::new_vartime(n.expect("N is an odd number of 3,072 bits"));
        let k = BoxedMontyForm::new(BoxedUint::from_be_slice_truncated(&K, ELEMENT_BITS), &params);
        Self { comb: Comb::new(&params), k, params }
    }
}

/// `g` to a secret power, by the comb.
pub fn power_of_g(exponent: &Exponent) -> Element {
    let group = &*GROUP;
    Element(group.comb.power(exponent, &group.params))
}

/// A number modulo N.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element(BoxedMontyForm);

impl Element {
    /// From big-endian bytes, at most [`ELEMENT_BYTES`]; larger numbers than N are reduced.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let number = BoxedUint::from_be_slice_truncated(bytes, ELEMENT_BITS);
        Self(BoxedMontyForm::new(number, &GROUP.params))
    }

    /// Big-endian, always [`ELEMENT_BYTES`] long.
    pub fn to_bytes(&self) -> Box<[u8]> {
        self.0.retrieve().to_be_bytes()
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_zero().into()
    }

    pub fn plus(&self, other: &Self) -> Self {
        Self(&self.0 + &other.0)
    }

    #[cfg(test)]
    pub fn minus(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    pub fn times(&self, other: &Self) -> Self {
        Self(&self.0 * &other.0)
    }

    pub fn times_k(&self) -> Self {
        Self(&self.0 * &GROUP.k)
    }

    pub fn power(&self, exponent: &Exponent) -> Self {
        let exponent = BoxedUint::from_be_slice_truncated(exponent, EXPONENT_BITS);
        Self(self.0.pow_bounded_exp(&exponent, EXPONENT_BITS))
    }
}

/// Powers of `g` made ready, so that `g^e` takes 55 multiplications in place of 330 (a comb of Lim and Lee).
///
/// The 256 bits of `e`, and four zeros before them, stand in five rows of 52 columns. A column's five bits choose one
/// of 32 products of `g^(2^(52·row))`, each shifted by the column: a table per column would do with multiplications
/// alone. We keep every fourth column's table (13 of them) and reach the columns between by squaring, three times in
/// all. That is where the time of reading whole tables (below) and of multiplying balance.
struct Comb {
    /// `TABLES` tables of `TABLE_ENTRIES` elements, one after the other, in Montgomery form.
    words: Box<[Word]>,
}

const ROWS: usize = 5;
const TABLES: usize = 13;
const COLUMNS_PER_TABLE: usize = 4;
const COLUMNS: usize = TABLES * COLUMNS_PER_TABLE;
const TABLE_ENTRIES: usize = 1 << ROWS;
const _: () = assert!(ROWS * COLUMNS >= EXPONENT_BITS as usize, "every bit has a place");

impl Comb {
    fn new(params: &BoxedMontyParams) -> Self {
        let g = BoxedMontyForm::new(BoxedUint::from_be_slice_truncated(&[G], ELEMENT_BITS), params);
        // g^(2^i) for the i of every row and table.
        let mut bases = Vec::with_capacity(ROWS * TABLES);
        let mut base = g;
        for _ in 0..ROWS * TABLES {
            bases.push(base.clone());
            for _ in 0..COLUMNS_PER_TABLE {
                base = base.square();
            }
        }
        let mut words = Vec::with_capacity(TABLES * TABLE_ENTRIES * ELEMENT_WORDS);
        for table in 0..TABLES {
            let mut entries = vec![BoxedMontyForm::one(params)];
            for row in 0..ROWS {
                let base = &bases[row * TABLES + table];
                let with_this_row: Vec<_> = entries.iter().map(|entry| entry * base).collect();
                entries.extend(with_this_row);
            }
            words.extend(entries.iter().flat_map(|entry| entry.as_montgomery().as_words()));
        }
        Self { words: words.into() }
    }

    fn power(&self, exponent: &Exponent, params: &BoxedMontyParams) -> BoxedMontyForm {
        let mut power = BoxedMontyForm::one(params);
        for step in (0..COLUMNS_PER_TABLE).rev() {
            if step + 1 < COLUMNS_PER_TABLE {
                power = power.square();
            }
            for table in 0..TABLES {
                let digit = digit(exponent, table * COLUMNS_PER_TABLE + step);
                power *= BoxedMontyForm::from_montgomery(self.entry(table, digit), params);
            }
        }
        power
    }

    /// One entry of a table. Every entry is read, so that no cache tells which one was wanted.
    fn entry(&self, table: usize, digit: u8) -> BoxedUint {
        let table = &self.words[table * TABLE_ENTRIES * ELEMENT_WORDS..][..TABLE_ENTRIES * ELEMENT_WORDS];
        let mut entry = [0; ELEMENT_WORDS];
        for (index, words) in (0_u8..).zip(table.chunks_exact(ELEMENT_WORDS)) {
            let mask = Word::conditional_select(&0, &Word::MAX, index.ct_eq(&digit));
            for (chosen, word) in entry.iter_mut().zip(words) {
                *chosen |= word & mask;
            }
        }
        BoxedUint::from_words(entry)
    }
}

/// The bits of a column, the lowest row first.
fn digit(exponent: &Exponent, column: usize) -> u8 {
    (0..ROWS).fold(0, |digit, row| digit | bit(exponent, row * COLUMNS + column) << row)
}

/// One bit of an exponent, counted from the lowest.
fn bit(exponent: &Exponent, index: usize) -> u8 {
    let byte = exponent.len().checked_sub(index / 8 + 1).map_or(0, |at| exponent[at]);
    byte >> (index % 8) & 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest;
    use world::Random;

    #[test]
    fn k_is_the_hash_of_n_and_g() {
        let n = BoxedUint::from_be_hex(N, ELEMENT_BITS).into_option().expect("a number");
        let hashed = digest::digest(&digest::SHA256, &[&[0], &n.to_be_bytes()[..], &[G]].concat());
        assert_eq!(hashed.as_ref(), K);
    }

    #[test]
    fn the_comb_agrees_with_plain_exponentiation() {
        let random = Random::seeded(1);
        let mut exponents = vec![[0; 32], [0xff; 32], [0x80; 32]];
        exponents.extend((0..20).map(|_| random.bytes()));
        for exponent in exponents {
            assert_eq!(power_of_g(&exponent), Element::from_bytes(&[G]).power(&exponent), "{exponent:x?}");
        }
    }

    #[test]
    fn numbers_beyond_n_are_reduced() {
        let n = BoxedUint::from_be_hex(N, ELEMENT_BITS).into_option().expect("a number").to_be_bytes();
        assert!(Element::from_bytes(&n).is_zero());
        let mut more = n.clone();
        more[0] = 0xff;
        *more.last_mut().expect("not empty") = 0xff;
        assert!(Element::from_bytes(&more).is_zero());
        assert!(Element::from_bytes(&[]).is_zero());
        assert!(!Element::from_bytes(&[0xff; ELEMENT_BYTES]).is_zero());
    }
}
