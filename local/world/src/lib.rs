//! What comes in from outside a room: the clock, randomness, the place (account and region), the faults that
//! shall strike, and the record of what happened.
//!
//! Not here: anything of AWS's wire, and anything that one room alone needs. Rooms take a [`World`] when
//! they are built and never ask the operating system themselves (`clippy.toml` forbids it), so every test
//! can be repeated and none has to sleep. Start at [`World`].

mod clock;
mod fault;
mod place;
mod random;
mod timeline;

pub use clock::{Clock, Timestamp};
pub use fault::{
    Account, ApiFault, Counted, DeliveryFault, EntryError, EntryFault, Fail, Fault, FaultPlan, Faults, FunctionFault,
    LaneName, Queued, TriggerFault, What, When,
};
pub use place::Place;
pub use random::Random;
pub use timeline::{Kind, Moment, Outcome, Timeline, TraceId};

/// Everything that a room is given from outside. Cheap to clone: all clones are the same world.
#[derive(Clone, Debug)]
pub struct World {
    /// The time, and waiting for it.
    pub clock: Clock,
    /// Ids, codes and salts.
    pub random: Random,
    /// The account and region that we pretend to be.
    pub place: Place,
    /// What happened, for people to read.
    pub timeline: Timeline,
    /// What shall go wrong.
    pub faults: Faults,
}

impl World {
    /// The real world: the system's clock and its randomness.
    pub fn real(place: Place) -> Self {
        Self::new(Clock::system(), Random::system(), place)
    }

    /// A world for tests: the clock stands at 2026-01-01T00:00:00Z until it is advanced, and randomness
    /// repeats itself for the same `seed`.
    pub fn for_tests(seed: u64) -> Self {
        let clock = Clock::manual(Timestamp::from_millis(1_767_225_600_000));
        Self::new(clock, Random::seeded(seed), Place::default())
    }

    fn new(clock: Clock, random: Random, place: Place) -> Self {
        let timeline = Timeline::new(clock.clone());
        Self { faults: Faults::new(timeline.clone()), timeline, clock, random, place }
    }
}
