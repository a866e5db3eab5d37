//! All patterns of a bus at once.
//!
//! Ten thousand rules must not cost more per event than the few that it concerns. So every fork is filed under
//! a condition that it cannot do without: the values of a field that must equal one of them, of the fields that
//! are so the one whose values the fewest other forks are filed under; failing that, a field that must be there.
//! An event looks up the values that it has, and only the forks found there are tested.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use super::address;
use super::event::{Element, Event, FieldId, Fields, Leaf};
use super::matcher::{Matcher, Scalar};
use super::number::Number;
use super::{Condition, Fork, Pattern};

/// Ways to combine array elements that are tried for one fork. No pattern that a person writes comes near; one
/// made to be slow ends here, as not matching.
const COMBINATIONS_MAX: u32 = 1_000_000;
/// Forks that are looked at for the nearest: an event that matches nothing must not cost a look at ten thousand.
const NEAREST_LOOKED_AT_MAX: usize = 16;
/// How much of a value a mismatch tells.
const SHOWN_CHARS_MAX: usize = 80;
/// Alternatives that a mismatch tells.
const SHOWN_MATCHERS_MAX: usize = 5;
/// Values of fields named like these are nobody's business.
const SECRETS: &[&str] = &["password", "secret", "token", "code", "credential"];

type Forks = HashMap<u64, Vec<u32>, BuildHasherDefault<DefaultHasher>>;

/// Patterns, ready to be tested together.
#[derive(Debug)]
pub struct Index {
    fields: Fields,
    forks: Vec<Filed>,
    /// By field and required value.
    by_value: Forks,
    /// By field alone.
    by_field: Forks,
    /// What must be tested in any case: forks that only want fields not to be there.
    always: Vec<u32>,
}

#[derive(Debug)]
struct Filed {
    /// The pattern's place among those that the index was made of.
    pattern: usize,
    fork: Fork,
    /// Of the fork's conditions.
    fields: Vec<FieldId>,
}

/// Why an event does not match a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The path of the first field that does not fit.
    pub field: String,
    /// What it is and what it should be.
    pub reason: String,
}

impl Index {
    /// An index of patterns, which it knows by their places in `patterns`.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p Pattern>) -> Self {
        let mut fields = Fields::new();
        let mut next: FieldId = 0;
        let mut forks = Vec::new();
        for (pattern, compiled) in patterns.into_iter().enumerate() {
            for fork in &compiled.forks {
                let mut add = |condition: &Condition| {
                    let field = fields.add(&condition.path, next);
                    next = next.max(field + 1);
                    field
                };
                let fields = fork.iter().map(&mut add).collect();
                forks.push(Filed { pattern, fork: fork.clone(), fields });
            }
        }
        let mut index =
            Self { fields, forks, by_value: Forks::default(), by_field: Forks::default(), always: Vec::new() };
        index.file();
        index
    }

    fn file(&mut self) {
        let mut uses: HashMap<u64, usize, BuildHasherDefault<DefaultHasher>> = HashMap::default();
        let keys_of = |filed: &Filed| filed.conditions().map(|(field, condition)| keys(field, condition)).collect();
        let all_keys: Vec<Vec<Keys>> = self.forks.iter().map(keys_of).collect();
        for key in all_keys.iter().flatten().flat_map(Keys::all) {
            *uses.entry(*key).or_default() += 1;
        }
        let crowd = |keys: &Keys| keys.all().iter().map(|key| uses.get(key).copied().unwrap_or(0)).sum::<usize>();
        for (fork, keys) in all_keys.iter().enumerate() {
            let fork = u32::try_from(fork).unwrap_or(u32::MAX);
            // A value beats any field: who needs a value is never tested for events without it.
            let best = keys.iter().min_by_key(|keys| match keys {
                Keys::Values(_) => (0, crowd(keys)),
                Keys::Field(_) => (1, crowd(keys)),
                Keys::None => (2, 0),
            });
            match best {
                Some(Keys::Values(keys)) => {
                    for key in keys {
                        self.by_value.entry(*key).or_default().push(fork);
                    }
                }
                Some(Keys::Field(key)) => self.by_field.entry(key[0]).or_default().push(fork),
                Some(Keys::None) | None => self.always.push(fork),
            }
        }
    }

    /// The fields that any pattern asks for.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The patterns that an event matches, by their places, in order.
    pub fn matching(&self, event: &Event<'_>) -> Vec<usize> {
        let candidates = self.candidates(event);
        let matching = candidates.into_iter().map(|fork| &self.forks[fork as usize]);
        let matching: BTreeSet<usize> =
            matching.filter(|filed| filed.matches(event)).map(|filed| filed.pattern).collect();
        matching.into_iter().collect()
    }

    /// The patterns that were worth a test: they share a required value with the event.
    pub fn considered(&self, event: &Event<'_>) -> Vec<usize> {
        let forks = self.candidates(event).into_iter();
        let patterns: BTreeSet<usize> = forks.map(|fork| self.forks[fork as usize].pattern).collect();
        patterns.into_iter().collect()
    }

    fn candidates(&self, event: &Event<'_>) -> Vec<u32> {
        let mut candidates = self.always.clone();
        let mut last = None;
        for leaf in event.leaves() {
            if last != Some(leaf.field) {
                last = Some(leaf.field);
                if !self.by_field.is_empty() {
                    candidates.extend(self.by_field.get(&key(leaf.field, &Key::Any)).into_iter().flatten());
                }
            }
            if !self.by_value.is_empty() {
                with_keys(&leaf.value, |wanted| {
                    candidates.extend(self.by_value.get(&key(leaf.field, wanted)).into_iter().flatten());
                });
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    /// For an event that matches nothing: the pattern that it comes closest to, of those worth a look, and why it does
    /// not match.
    pub fn nearest(&self, event: &Event<'_>) -> Option<(usize, Mismatch)> {
        let considered = self.candidates(event).into_iter().map(|fork| &self.forks[fork as usize]);
        let looked_at = considered.take(NEAREST_LOOKED_AT_MAX).chain(self.forks.iter().take(NEAREST_LOOKED_AT_MAX));
        let nearest = looked_at.min_by_key(|filed| Reverse(filed.fork.len() - filed.unfit(event).count()))?;
        Some((nearest.pattern, nearest.mismatch(event)))
    }

    /// Why an event does not match a pattern: of its forks, the one that comes closest is told.
    pub fn mismatch(&self, pattern: usize, event: &Event<'_>) -> Option<Mismatch> {
        let start = self.forks.partition_point(|filed| filed.pattern < pattern);
        let forks = self.forks[start..].iter().take_while(|filed| filed.pattern == pattern);
        let closest = forks.min_by_key(|filed| filed.unfit(event).count())?;
        Some(closest.mismatch(event))
    }
}

impl Filed {
    fn conditions(&self) -> impl Iterator<Item = (FieldId, &Condition)> {
        self.fields.iter().copied().zip(&self.fork)
    }

    fn matches(&self, event: &Event<'_>) -> bool {
        let mut in_arrays = 0;
        let mut maybe_absent = false;
        for (field, condition) in self.conditions() {
            let leaves = event.of(field);
            let is_in_array = |leaf| !event.elements(leaf).is_empty();
            if !condition.fits_any(leaves) {
                // Values inside other elements of an array than those already chosen do not count.
                if !condition.may_be_absent() || !leaves.iter().all(is_in_array) {
                    return false;
                }
                maybe_absent = true;
            }
            in_arrays += usize::from(leaves.iter().any(is_in_array));
        }
        // One field within an array agrees with itself.
        (in_arrays < 2 && !maybe_absent) || Combination::of(self, event).exists()
    }

    /// Conditions that fail on their own.
    fn unfit<'a>(&'a self, event: &'a Event<'_>) -> impl Iterator<Item = (FieldId, &'a Condition)> {
        self.conditions().filter(|(field, condition)| !condition.fits_any(event.of(*field)))
    }

    fn mismatch(&self, event: &Event<'_>) -> Mismatch {
        match self.unfit(event).min_by_key(|(_, condition)| condition.position) {
            Some((field, condition)) => {
                Mismatch { field: condition.path.to_string(), reason: condition.reason(event.of(field)) }
            }
            None => Mismatch {
                field: self.fork.iter().map(|condition| &*condition.path).collect::<Vec<_>>().join(", "),
                reason: "no single element of an array matches all of these".into(),
            },
        }
    }
}

impl Condition {
    /// Whether some value does, or there is none and none is wanted.
    fn fits_any(&self, leaves: &[Leaf<'_>]) -> bool {
        leaves.iter().any(|leaf| self.fits(&leaf.value)) || (leaves.is_empty() && self.may_be_absent())
    }

    fn may_be_absent(&self) -> bool {
        self.matchers.iter().any(Matcher::is_absent)
    }

    fn fits(&self, value: &Scalar<'_>) -> bool {
        self.matchers.iter().any(|matcher| matcher.matches(value))
    }

    /// For people.
    fn reason(&self, leaves: &[Leaf<'_>]) -> String {
        let is_secret = SECRETS.iter().any(|secret| self.path.to_ascii_lowercase().contains(secret));
        if is_secret && !leaves.is_empty() {
            return "is not what the pattern wants".into();
        }
        let wanted: Vec<_> = self.matchers.iter().take(SHOWN_MATCHERS_MAX).map(ToString::to_string).collect();
        let more = if self.matchers.len() > SHOWN_MATCHERS_MAX { " or others" } else { "" };
        let found = match leaves {
            [] => "is not there".to_owned(),
            [leaf, rest @ ..] => {
                let others = if rest.is_empty() { "" } else { " and others" };
                format!("is {}{others}", shortened(&leaf.value.to_string()))
            }
        };
        format!("{found}; wanted {}{more}", shortened(&wanted.join(" or ")))
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Array consistency: no two fields of a fork may be satisfied from different elements of one array.
///
/// Fields are tried in the order of their paths, as `event-ruler` steps through them; an absent field is judged
/// by the elements chosen before it.
struct Combination {
    /// Per condition, the ways to satisfy it.
    choices: Vec<Choices>,
    tried: Cell<u32>,
}

struct Choices {
    /// Elements to be in, for every value that does.
    values: Vec<Vec<Element>>,
    /// If the field may be absent: the elements of all its values, none of which may then be reachable.
    absent: Option<Vec<Vec<Element>>>,
}

impl Combination {
    fn of(filed: &Filed, event: &Event<'_>) -> Self {
        let conditions: Vec<_> = filed.conditions().map(|(field, condition)| (event.of(field), condition)).collect();
        // Only arrays that two fields are in can make them disagree.
        let mut users: HashMap<u32, BTreeSet<usize>> = HashMap::new();
        for (place, (leaves, _)) in conditions.iter().enumerate() {
            for (array, _) in leaves.iter().flat_map(|leaf| event.elements(leaf)) {
                users.entry(*array).or_default().insert(place);
            }
        }
        let shared = |leaf: &Leaf<'_>| -> Vec<Element> {
            let elements = event.elements(leaf).iter().copied();
            elements.filter(|(array, _)| users.get(array).is_some_and(|users| users.len() > 1)).collect()
        };
        let choices = conditions.iter().map(|(leaves, condition)| {
            let mut values: Vec<_> = leaves.iter().filter(|leaf| condition.fits(&leaf.value)).map(shared).collect();
            values.sort_unstable();
            values.dedup();
            let absent = condition.may_be_absent().then(|| leaves.iter().map(shared).collect());
            Choices { values, absent }
        });
        Self { choices: choices.collect(), tried: Cell::new(0) }
    }

    fn exists(&self) -> bool {
        self.from(0, &mut Vec::new())
    }

    fn from(&self, place: usize, chosen: &mut Vec<Element>) -> bool {
        let Some(choices) = self.choices.get(place) else { return true };
        for value in &choices.values {
            self.tried.set(self.tried.get() + 1);
            if self.tried.get() > COMBINATIONS_MAX {
                tracing::warn!("a pattern over nested arrays has too many combinations; taken as not matching");
                return false;
            }
            if agree(chosen, value) {
                let before = chosen.len();
                chosen.extend(value);
                if self.from(place + 1, chosen) {
                    return true;
                }
                chosen.truncate(before);
            }
        }
        match &choices.absent {
            Some(values) if !values.iter().any(|value| agree(chosen, value)) => self.from(place + 1, chosen),
            _ => false,
        }
    }
}

fn agree(chosen: &[Element], elements: &[Element]) -> bool {
    elements.iter().all(|(array, index)| chosen.iter().all(|(a, i)| a != array || i == index))
}

/// What a condition can be found under.
enum Keys {
    /// Any of these values.
    Values(Vec<u64>),
    /// Any value at all.
    Field([u64; 1]),
    /// Nothing: the field may be absent.
    None,
}

impl Keys {
    fn all(&self) -> &[u64] {
        match self {
            Self::Values(keys) => keys,
            Self::Field(key) => key,
            Self::None => &[],
        }
    }
}

fn keys(field: FieldId, condition: &Condition) -> Keys {
    if condition.may_be_absent() {
        return Keys::None;
    }
    let values: Option<Vec<u64>> = condition.matchers.iter().map(|m| Some(key(field, &key_of(m)?))).collect();
    values.map_or_else(|| Keys::Field([key(field, &Key::Any)]), Keys::Values)
}

/// A value to be found by.
#[derive(Hash)]
enum Key<'a> {
    Any,
    Text(&'a str),
    Address(IpAddr),
    Number(Number),
    /// A number that doubles cannot hold.
    Digits(&'a str),
    Bool(bool),
    Null,
}

/// Two keys may hash alike: that adds a fork to be tested, and loses none.
fn key(field: FieldId, key: &Key<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (field, key).hash(&mut hasher);
    hasher.finish()
}

/// The one value that a matcher takes, if it takes one.
fn key_of(matcher: &Matcher) -> Option<Key<'_>> {
    match matcher {
        Matcher::Text(text) => Some(Key::Text(text)),
        Matcher::Address(address) => Some(Key::Address(*address)),
        Matcher::Number(Some(number), _) => Some(Key::Number(*number)),
        Matcher::Number(None, text) => Some(Key::Digits(text)),
        Matcher::Bool(value) => Some(Key::Bool(*value)),
        Matcher::Null => Some(Key::Null),
        Matcher::Range(Some(low), Some(high)) if low == high => Some(Key::Number(low.at)),
        _ => None,
    }
}

/// The keys that a value of an event goes by.
fn with_keys(value: &Scalar<'_>, mut look_up: impl FnMut(&Key<'_>)) {
    match value {
        Scalar::Text(text) => {
            look_up(&Key::Text(text));
            if let Some(address) = address::parse(text) {
                look_up(&Key::Address(address));
            }
        }
        Scalar::Number(text) => look_up(&Number::parse(text).map_or(Key::Digits(text), Key::Number)),
        Scalar::Bool(value) => look_up(&Key::Bool(*value)),
        Scalar::Null => look_up(&Key::Null),
    }
}
