//! Digests of what a user is, so that a spool holds nothing personal: keyed, since an address could be guessed from a
//! digest without a key.

use aws_lc_rs::hmac;
use tandem_profiles::Identity;

use crate::record::Digest;

/// Thirty-two bytes from the system's source of randomness, for whoever has none of their own.
pub fn fresh_key() -> [u8; 32] {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).expect("the system has randomness");
    key
}

/// The key of one reconciliation.
pub(crate) struct DigestKey(hmac::Key);

impl DigestKey {
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Of everything but the groups, which come from another operation.
    pub fn identity(&self, identity: &Identity) -> Digest {
        let written = if identity.groups.is_empty() {
            serde_json::to_vec(identity)
        } else {
            serde_json::to_vec(&Identity { groups: [].into(), ..identity.clone() })
        };
        self.of(&written.expect("an identity is made of texts and flags"))
    }

    /// Of one group.
    pub fn group(&self, name: &str) -> Digest {
        self.of(name.as_bytes())
    }

    /// Of an address; nothing for none.
    pub fn address(&self, address: Option<&str>) -> Digest {
        address.map(|address| self.of(address.as_bytes())).unwrap_or_default()
    }

    /// Of all groups of a user, whatever their order.
    pub fn groups<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> Digest {
        names.into_iter().fold(Digest::default(), |all, name| joined(all, self.group(name)))
    }

    fn of(&self, bytes: &[u8]) -> Digest {
        let tag = hmac::sign(&self.0, bytes);
        *tag.as_ref().first_chunk().expect("thirty-two bytes")
    }
}

/// One more group. Nobody knows the key, so nobody can find groups that cancel each other out.
pub(crate) fn joined(all: Digest, one: Digest) -> Digest {
    std::array::from_fn(|place| all[place] ^ one[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tandem_profiles::UserId;

    fn identity() -> Identity {
        Identity {
            user_id: UserId::new("ada").expect("an id"),
            user_pool_id: "pool".into(),
            username: "ada".into(),
            email: Some("ada@example.com".into()),
            email_verified: true,
            name: None,
            enabled: true,
            groups: BTreeSet::new(),
            attributes: [("locale".to_owned(), "en".to_owned())].into(),
        }
    }

    #[test]
    fn every_part_of_an_identity_counts() {
        let key = DigestKey::new(&[1; 32]);
        let others = [
            Identity { email: None, ..identity() },
            Identity { email_verified: false, ..identity() },
            Identity { name: Some("Ada".into()), ..identity() },
            Identity { enabled: false, ..identity() },
            Identity { username: "lovelace".into(), ..identity() },
            Identity { attributes: [].into(), ..identity() },
        ];
        for other in others {
            assert_ne!(key.identity(&identity()), key.identity(&other), "{other:?}");
        }
    }

    #[test]
    fn groups_count_apart_and_in_any_order() {
        let key = DigestKey::new(&[1; 32]);
        let member = Identity { groups: ["a".to_owned(), "b".to_owned()].into(), ..identity() };
        assert_eq!(key.identity(&identity()), key.identity(&member));
        assert_eq!(key.groups(&member.groups), joined(key.group("b"), key.group("a")));
        assert_eq!(key.groups(&identity().groups), Digest::default());
    }

    #[test]
    fn another_key_is_another_digest() {
        assert_ne!(DigestKey::new(&[1; 32]).group("a"), DigestKey::new(&[2; 32]).group("a"));
    }
}
