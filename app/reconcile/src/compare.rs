//! One partition: everybody whose ids fall together, on both sides. What is not the same becomes a candidate.

use std::collections::{BTreeSet, HashMap};

use tandem_profiles::Timestamp;

use crate::digest::joined;
use crate::record::{CONFLICT, Digest, FOREIGN, HAS_PROFILE, MALFORMED, MARKER, Record, Sub, TOMBSTONE};

/// What the pool and the table say of one user. The last record of each side counts.
#[derive(Default)]
struct Entry {
    user: Option<Side>,
    profile: Option<Side>,
    groups_of_user: Digest,
    groups_of_profile: Digest,
}

struct Side {
    flags: u8,
    digest: Digest,
    at: i64,
}

/// Both sides of a partition.
pub(crate) struct Partition {
    entries: HashMap<Sub, Entry>,
    members: Vec<(Sub, Digest)>,
    compares_groups: bool,
    claims: HashMap<Sub, Claims>,
}

/// What markers and the profile of one user say of addresses.
#[derive(Default)]
struct Claims {
    markers: BTreeSet<Digest>,
    /// Flags, the address that the profile says is reserved, and the one that should be.
    profile: Option<(u8, Digest, Digest)>,
}

/// Whoever's reservations do not fit, and the markers of theirs that their profile does not know.
pub(crate) type Suspect = (Sub, Vec<Digest>);

impl Partition {
    pub fn new(compares_groups: bool) -> Self {
        Self { entries: HashMap::new(), members: Vec::new(), compares_groups, claims: HashMap::new() }
    }

    pub fn user(&mut self, record: Record) {
        let entry = self.entries.entry(record.sub).or_default();
        entry.user = Some(Side { flags: record.flags, digest: record.digest, at: record.at });
    }

    pub fn member(&mut self, record: Record) {
        self.members.push((record.sub, record.digest));
    }

    pub fn profile(&mut self, record: Record) {
        let entry = self.entries.entry(record.sub).or_default();
        entry.profile = Some(Side { flags: record.flags, digest: record.digest, at: record.at });
        entry.groups_of_profile = record.groups;
    }

    pub fn claim(&mut self, record: Record) {
        let claims = self.claims.entry(record.sub).or_default();
        if record.flags & MARKER != 0 {
            claims.markers.insert(record.digest);
        } else {
            claims.profile = Some((record.flags, record.digest, record.groups));
        }
    }

    /// Whose reservations have to be looked at, in the order of their ids.
    pub fn suspects(&mut self) -> Vec<Suspect> {
        let none = Digest::default();
        let suspect = |(sub, claims): (Sub, Claims)| {
            let (flags, reserved, wanted) = claims.profile.unwrap_or_default();
            let is_held = reserved == none || claims.markers.contains(&reserved);
            let strays: Vec<Digest> = claims.markers.into_iter().filter(|marker| *marker != reserved).collect();
            let is_fine = is_held && reserved == wanted && flags & CONFLICT == 0 && strays.is_empty();
            (flags & FOREIGN == 0 && !is_fine).then_some((sub, strays))
        };
        let mut suspects: Vec<Suspect> = std::mem::take(&mut self.claims).into_iter().filter_map(suspect).collect();
        suspects.sort_unstable();
        suspects
    }

    /// Who has to be looked at, in the order of their ids, and how many of whom something differs are too young.
    pub fn candidates(mut self, now: Timestamp, min_age_ms: i64) -> (Vec<Sub>, u64) {
        // A page that was read twice names its members twice.
        self.members.sort_unstable();
        self.members.dedup();
        for (sub, group) in &self.members {
            if let Some(entry) = self.entries.get_mut(sub) {
                entry.groups_of_user = joined(entry.groups_of_user, *group);
            }
        }
        let mut young = 0;
        let mut candidates = Vec::new();
        for (sub, entry) in self.entries {
            if !entry.differs(self.compares_groups) {
                continue;
            }
            if min_age_ms > 0 && entry.changed_at() > now.millis() - min_age_ms {
                young += 1;
            } else {
                candidates.push(sub);
            }
        }
        candidates.sort_unstable();
        (candidates, young)
    }
}

impl Entry {
    fn differs(&self, compares_groups: bool) -> bool {
        match (&self.user, &self.profile) {
            (None, None) => false,
            (Some(user), None) => user.flags & HAS_PROFILE != 0,
            // Of whom nothing can be read, the pool may tell; of a pool that has nobody, nothing more is known.
            (None, Some(profile)) => profile.flags & (TOMBSTONE | MALFORMED) == 0,
            (Some(user), Some(_)) if user.flags & HAS_PROFILE == 0 => false,
            (Some(user), Some(profile)) => {
                profile.flags & (TOMBSTONE | MALFORMED) != 0
                    || user.digest != profile.digest
                    || (compares_groups && self.groups_of_user != self.groups_of_profile)
            }
        }
    }

    /// When the user was last changed; of a profile without a user, when it began: a user may be missing in a list for
    /// a moment.
    fn changed_at(&self) -> i64 {
        self.user.as_ref().or(self.profile.as_ref()).map(|side| side.at).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_000_000;
    const MIN_AGE: i64 = 1000;

    /// What a model knows of one user.
    #[derive(Clone, Debug, Default)]
    struct Person {
        /// Should have a profile, digest, age.
        user: Option<(bool, u8, i64)>,
        groups: BTreeSet<u8>,
        /// Tombstone or malformed or neither, digest, groups, age.
        profile: Option<(u8, u8, BTreeSet<u8>, i64)>,
    }

    fn group(number: u8) -> Digest {
        let key = crate::digest::DigestKey::new(&[3; 32]);
        key.group(&number.to_string())
    }

    fn groups(numbers: &BTreeSet<u8>) -> Digest {
        numbers.iter().fold(Digest::default(), |all, number| joined(all, group(*number)))
    }

    /// The rule, said as people say it.
    fn expected(person: &Person, compares_groups: bool) -> Option<bool> {
        let differs = match (&person.user, &person.profile) {
            (Some((has_profile, ..)), None) => *has_profile,
            (None, Some((flags, ..))) => *flags == 0,
            (None, None) | (Some((false, ..)), Some(_)) => false,
            (Some((true, digest, _)), Some((flags, stored, stored_groups, _))) => {
                *flags != 0 || digest != stored || (compares_groups && person.groups != *stored_groups)
            }
        };
        let age = person.user.as_ref().map(|user| user.2).or(person.profile.as_ref().map(|profile| profile.3));
        differs.then(|| age.unwrap_or_default() < MIN_AGE)
    }

    fn person() -> impl Strategy<Value = Person> {
        let sets = || proptest::collection::btree_set(0_u8..3, 0..3);
        let age = || prop_oneof![Just(0), Just(MIN_AGE - 1), Just(MIN_AGE), Just(50 * MIN_AGE)];
        let user = proptest::option::of((any::<bool>(), 0_u8..2, age()));
        let profile =
            proptest::option::of((prop_oneof![Just(0), Just(TOMBSTONE), Just(MALFORMED)], 0_u8..2, sets(), age()));
        (user, sets(), profile).prop_map(|(user, groups, profile)| Person { user, groups, profile })
    }

    proptest! {
        #[test]
        fn any_two_sides_give_exactly_the_drift(
            people in proptest::collection::vec(person(), 0..40),
            compares_groups in any::<bool>(),
            twice in any::<bool>(),
        ) {
            let mut partition = Partition::new(compares_groups);
            let mut drift = BTreeSet::new();
            let mut young = 0;
            let people: BTreeMap<Sub, Person> = people.into_iter().enumerate()
                .map(|(number, person)| (Sub::Other(format!("user-{number}").into()), person)).collect();
            for (sub, person) in &people {
                let record = |flags, digest, groups, age: i64| Record {
                    sub: sub.clone(), flags, digest: [digest; 16], groups, at: NOW - age,
                };
                // Whatever was read twice counts once, and the later reading is the one that counts.
                for _ in 0..=u8::from(twice) {
                    for number in &person.groups {
                        partition.member(Record { digest: group(*number), ..record(0, 0, Digest::default(), 0) });
                    }
                    if let Some((has_profile, digest, age)) = person.user {
                        if twice {
                            partition.user(record(HAS_PROFILE, 99, Digest::default(), 0));
                        }
                        partition.user(record(if has_profile { HAS_PROFILE } else { 0 }, digest, Digest::default(), age));
                    }
                    if let Some((flags, digest, stored, age)) = &person.profile {
                        partition.profile(record(*flags, *digest, groups(stored), *age));
                    }
                }
                match expected(person, compares_groups) {
                    Some(true) => young += 1,
                    Some(false) => { drift.insert(sub.clone()); }
                    None => {}
                }
            }
            let (candidates, found_young) = partition.candidates(Timestamp::from_millis(NOW), MIN_AGE);
            prop_assert_eq!(candidates, drift.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(found_young, young);
        }
    }
}
