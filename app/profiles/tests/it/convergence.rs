//! Whatever the order and the repetitions in which a user's events come, the item is the same in the end.
//!
//! Twice over: [`decide`] against a model that has all events before it and sorts them, and the store with its
//! conditional writes against [`decide`]. The second is what proves that the conditions say the same as the function.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tandem_profiles::{
    Applied, AsOf, Change, Changes, Decision, Identity, IdentityEvent, Ignored, ProfileStore, Standing, Timestamp,
    Version, decide,
};

use crate::people::{ADA, ada, at, deleted, now, updated, user};
use crate::table;

/// How many deliveries the table is tried with; the function, which costs nothing, is tried with many more.
const TABLE_CASES: u32 = 24;

/// What there is to know about a user, by whatever way it came to be known.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Nothing,
    Profile { identity: Identity, as_of: AsOf, created_at: Timestamp },
    Tombstone { as_of: AsOf },
}

impl Known {
    fn standing(&self) -> Standing {
        match *self {
            Self::Nothing => Standing::Absent,
            Self::Profile { as_of, created_at, .. } => Standing::Profile { as_of, created_at },
            Self::Tombstone { as_of } => Standing::Tombstone { as_of },
        }
    }

    /// What the event makes of it, one at a time.
    fn after(mut self, event: &IdentityEvent) -> Self {
        let decision = decide(&self.standing(), event);
        if let Self::Profile { created_at, .. } = &mut self
            && decision == Decision::Backdate
        {
            *created_at = event.metadata.occurred_at;
        }
        let (Change::Created(identity) | Change::Updated(identity)) = &event.change else {
            return if decision == Decision::Erase { Self::Tombstone { as_of: event.as_of() } } else { self };
        };
        let created_at = match (decision, &self) {
            (Decision::Create, _) => event.metadata.occurred_at,
            (Decision::Update, Self::Profile { created_at, .. }) => *created_at,
            _ => return self,
        };
        Self::Profile { identity: identity.clone(), as_of: event.as_of(), created_at }
    }

    /// What is right, with all events at hand.
    fn of(events: &[IdentityEvent]) -> Self {
        let newest = |events: &[&IdentityEvent]| events.iter().map(|event| event.as_of()).max();
        let (deletions, others): (Vec<_>, Vec<_>) =
            events.iter().partition(|event| matches!(event.change, Change::Deleted(_)));
        if let Some(as_of) = newest(&deletions) {
            return Self::Tombstone { as_of };
        }
        let earliest = others.iter().map(|event| event.metadata.occurred_at).min();
        match (others.iter().max_by_key(|event| event.as_of()).map(|event| &event.change), newest(&others), earliest) {
            (Some(Change::Created(identity) | Change::Updated(identity)), Some(as_of), Some(created_at)) => {
                Self::Profile { identity: identity.clone(), as_of, created_at }
            }
            _ => Self::Nothing,
        }
    }
}

/// Events of one user, different ones, many of them at the same time.
fn events() -> impl Strategy<Value = Vec<IdentityEvent>> {
    prop::collection::vec((0_i64..4, 0..8_u8, any::<bool>()), 1..7).prop_map(|seeds| {
        let event = |(place, (seconds, kind, with_email)): (usize, (i64, u8, bool))| {
            let id = u8::try_from(place).expect("there are few");
            let email = with_email.then(|| format!("ada+{place}@example.com"));
            let identity = Identity { email, name: (kind % 2 == 0).then(|| "Ada".to_owned()), ..ada() };
            match kind {
                0 => deleted(ADA, seconds, id),
                1..4 => IdentityEvent { change: Change::Created(identity.clone()), ..updated(identity, seconds, id) },
                _ => updated(identity, seconds, id),
            }
        };
        seeds.into_iter().enumerate().map(event).collect()
    })
}

/// The events, and all of them in another order with some of them again in between.
fn deliveries() -> impl Strategy<Value = (Vec<IdentityEvent>, Vec<IdentityEvent>)> {
    events().prop_flat_map(|events| {
        let again = prop::collection::vec(prop::sample::select(events.clone()), 0..6);
        again.prop_flat_map(move |again| {
            let delivered = [events.clone(), again].concat();
            (Just(events.clone()), Just(delivered).prop_shuffle())
        })
    })
}

fn applied(decision: Decision) -> Applied {
    match decision {
        Decision::Create => Applied::Created,
        Decision::Update => Applied::Updated,
        Decision::Erase => Applied::Erased,
        Decision::Backdate | Decision::Ignore(Ignored::Stale) => Applied::Stale,
        Decision::Ignore(Ignored::Duplicate) => Applied::Duplicate,
        Decision::Ignore(Ignored::Tombstoned) => Applied::Tombstoned,
    }
}

type Item = HashMap<String, AttributeValue>;

/// What the store makes of the events, on an item that is not there before and not there after.
async fn item_after(client: &Client, events: &[IdentityEvent]) -> (Vec<Applied>, Item) {
    let store = ProfileStore::new(client.clone(), table::TABLE);
    let mut outcomes = Vec::new();
    for event in events {
        outcomes.push(store.apply(event, now()).await.expect("it is applied"));
    }
    let key = [("pk", format!("USER#{ADA}")), ("sk", "PROFILE".to_owned())];
    let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
    let delete = client.delete_item().table_name(table::TABLE).set_key(Some(key.into()));
    let answer = delete.return_values(ReturnValue::AllOld).send().await.expect("it is deleted");
    (outcomes, answer.attributes.expect("it was there"))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

proptest! {
    #[test]
    fn any_order_decides_to_the_same_end((events, delivered) in deliveries()) {
        let end = delivered.iter().fold(Known::Nothing, Known::after);
        prop_assert_eq!(end, Known::of(&events));
    }
}

#[test]
fn any_order_is_written_to_the_same_end() {
    let client = block_on(table::table());
    check_deliveries(|mut events, delivered| {
        events.sort_by_key(IdentityEvent::as_of);
        let (_, in_order) = block_on(item_after(&client, &events));
        let (_, as_delivered) = block_on(item_after(&client, &delivered));
        prop_assert_eq!(as_delivered, in_order);
        Ok(())
    });
}

#[test]
fn the_conditions_say_what_the_function_says() {
    let client = block_on(table::table());
    check_deliveries(|_, delivered| {
        let mut known = Known::Nothing;
        let mut expected = Vec::new();
        for event in &delivered {
            expected.push(applied(decide(&known.standing(), event)));
            known = known.after(event);
        }
        prop_assert_eq!(block_on(item_after(&client, &delivered)).0, expected);
        Ok(())
    });
}

/// Tries many deliveries, given with the events that they are deliveries of.
#[track_caller]
fn check_deliveries(check: impl Fn(Vec<IdentityEvent>, Vec<IdentityEvent>) -> Result<(), TestCaseError>) {
    let config = Config { failure_persistence: None, ..Config::with_cases(TABLE_CASES) };
    let outcome = TestRunner::new(config).run(&deliveries(), |(events, delivered)| check(events, delivered));
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn the_application_and_events_write_side_by_side() {
    let store = ProfileStore::new(table::table().await, table::TABLE);
    store.apply(&updated(ada(), 5, 1), now()).await.expect("applied");
    let dark = Changes::new().set("theme", &"dark").expect("a change");
    store.update::<tandem_profiles::Attributes>(&user(ADA), Version::default(), &dark, now()).await.expect("updated");
    for event in [updated(ada(), 9, 2), updated(ada(), 1, 3), updated(ada(), 9, 2)] {
        store.apply(&event, now()).await.expect("applied");
    }
    let profile = store.get::<tandem_profiles::Attributes>(&user(ADA)).await.expect("read").expect("there");
    assert_eq!((profile.version, profile.created_at), (Version::new(1), at(1)));
    assert_eq!(profile.application, [("theme".to_owned(), "dark".into())].into());
}
