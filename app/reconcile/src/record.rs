//! One line of a spool: whom it is about by id, and nothing else that is personal.
//!
//! A record is a byte of flags, the `sub` (sixteen bytes if it is a UUID as Cognito writes them, else its length and
//! its text), a digest, the digest of the groups if there are any, and a time: 41 bytes for nearly everybody.

use tandem_profiles::UserId;
use uuid::Uuid;

/// A keyed digest, cut to sixteen bytes: two of a billion users collide with a chance of one in 10^20.
pub(crate) type Digest = [u8; 16];

/// The user is one who should have a profile.
pub(crate) const HAS_PROFILE: u8 = 1;
/// What is stored is a tombstone.
pub(crate) const TOMBSTONE: u8 = 2;
/// What is stored is not as we write it: it differs, whatever the digests say.
pub(crate) const MALFORMED: u8 = 4;

/// A marker: the address with that digest is reserved for this user.
pub(crate) const MARKER: u8 = 8;
/// A profile of another pool.
pub(crate) const FOREIGN: u8 = 16;
/// A profile that says that its address is another's.
pub(crate) const CONFLICT: u8 = 32;

const UUID: u8 = 64;
const GROUPS: u8 = 128;

/// A `sub` that takes little room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sub {
    Uuid([u8; 16]),
    Other(Box<str>),
}

impl Sub {
    /// The user's id, as the pool writes it.
    pub fn user_id(&self) -> UserId {
        let text = match self {
            Self::Uuid(bytes) => Uuid::from_bytes(*bytes).hyphenated().to_string(),
            Self::Other(text) => text.to_string(),
        };
        UserId::new(text).expect("it was one")
    }

    /// A number that spreads evenly, the same in every process and version.
    pub fn spread(&self) -> u64 {
        let bytes = match self {
            Self::Uuid(bytes) => bytes.as_slice(),
            Self::Other(text) => text.as_bytes(),
        };
        // FNV-1a, and MurmurHash3's last steps, without which its high bits are poor.
        let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

impl From<&UserId> for Sub {
    fn from(user: &UserId) -> Self {
        let text = user.as_str();
        match Uuid::try_parse(text) {
            Ok(uuid) if uuid.hyphenated().to_string() == text => Self::Uuid(uuid.into_bytes()),
            _ => Self::Other(text.into()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub sub: Sub,
    pub flags: u8,
    /// Of the identity without its groups; in the log of members, of one group's name.
    pub digest: Digest,
    /// Of all groups; zero for none.
    pub groups: Digest,
    /// Milliseconds since 1970: the user's last change, or the profile's beginning.
    pub at: i64,
}

impl Record {
    pub fn write(&self, out: &mut Vec<u8>) {
        let has_groups = self.groups != Digest::default();
        let uuid = if matches!(self.sub, Sub::Uuid(_)) { UUID } else { 0 };
        out.push(self.flags | uuid | if has_groups { GROUPS } else { 0 });
        match &self.sub {
            Sub::Uuid(bytes) => out.extend(bytes),
            Sub::Other(text) => {
                // A `sub` is a key of DynamoDB's, which has 2,048 bytes at most.
                out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
                out.extend(&text.as_bytes()[..text.len().min(usize::from(u16::MAX))]);
            }
        }
        out.extend(self.digest);
        if has_groups {
            out.extend(self.groups);
        }
        out.extend(self.at.to_be_bytes());
    }

    /// The first record of some bytes, and what follows it; `None` if its end is not among them.
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ([flags], rest) = bytes.split_first_chunk()?;
        let (sub, rest) = if flags & UUID != 0 {
            let (uuid, rest) = rest.split_first_chunk()?;
            (Sub::Uuid(*uuid), rest)
        } else {
            let (length, rest) = rest.split_first_chunk()?;
            let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            (Sub::Other(String::from_utf8_lossy(text).into()), rest)
        };
        let (digest, mut rest) = rest.split_first_chunk()?;
        let mut groups = Digest::default();
        if flags & GROUPS != 0 {
            let (found, after) = rest.split_first_chunk()?;
            (groups, rest) = (*found, after);
        }
        let (at, rest) = rest.split_first_chunk()?;
        let flags = flags & !(UUID | GROUPS);
        Some((Self { sub, flags, digest: *digest, groups, at: i64::from_be_bytes(*at) }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID_TEXT: &str = "0f1c2b3a-1111-4222-8333-444455556666";

    fn record(sub: &str, groups: Digest) -> Record {
        let sub = Sub::from(&UserId::new(sub).expect("an id"));
        Record { sub, flags: HAS_PROFILE | MALFORMED, digest: [7; 16], groups, at: -5 }
    }

    #[track_caller]
    fn comes_back(record: &Record, length: usize) {
        let mut bytes = Vec::new();
        record.write(&mut bytes);
        assert_eq!(bytes.len(), length);
        assert!((0..length).all(|cut| Record::read(&bytes[..cut]).is_none()), "a part is no record");
        bytes.push(1);
        assert_eq!(Record::read(&bytes), Some((record.clone(), &[1][..])));
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        comes_back(&record(UUID_TEXT, [0; 16]), 41);
        comes_back(&record(UUID_TEXT, [9; 16]), 57);
        comes_back(&record("ada", [0; 16]), 30);
    }

    #[test]
    fn a_sub_is_written_as_it_was() {
        for text in [UUID_TEXT, &UUID_TEXT.to_uppercase(), "0f1c2b3a111142228333444455556666", "ada"] {
            let user = UserId::new(text).expect("an id");
            assert_eq!(Sub::from(&user).user_id(), user);
        }
    }

    #[test]
    fn subs_spread_evenly() {
        let mut shards = [0_u32; 64];
        for number in 0..64_000 {
            let sub = Sub::Other(format!("user-{number}").into());
            shards[usize::try_from(sub.spread() >> 58).expect("six bits")] += 1;
        }
        assert!(shards.iter().all(|shard| (800..1200).contains(shard)), "{shards:?}");
    }
}
