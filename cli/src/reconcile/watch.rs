//! Shows how far a run is: a bar on a terminal, a line now and then elsewhere, nothing where nobody wants it.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use tandem_reconcile::{Meter, Phase};
use tokio::time::{Instant, MissedTickBehavior, interval};

const BAR_EVERY: Duration = Duration::from_millis(200);
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What a run will be, as far as the services say.
#[derive(Clone, Copy, Default)]
pub struct Expected {
    pub users: Option<u64>,
    pub items: Option<u64>,
}

/// Shows it until the future is dropped.
pub async fn watch(meter: &Meter, expected: Expected, is_quiet: bool) {
    if is_quiet {
        return std::future::pending().await;
    }
    if io::stderr().is_terminal() { bar(meter, expected).await } else { lines(meter, expected).await }
}

async fn bar(meter: &Meter, expected: Expected) {
    let bar = Cleared(ProgressBar::no_length());
    let style = ProgressStyle::with_template("{spinner} {wide_bar} {msg}");
    bar.0.set_style(style.expect("the template is right"));
    let mut pace = Pace::of(meter);
    let mut ticks = interval(BAR_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (done, all) = share(meter, expected);
        if let Some(all) = all {
            bar.0.set_length(all.max(done));
        }
        bar.0.set_position(done);
        bar.0.set_message(pace.line(meter, expected));
        bar.0.tick();
    }
}

/// A bar that leaves no trace behind, however it ends.
struct Cleared(ProgressBar);

impl Drop for Cleared {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

async fn lines(meter: &Meter, expected: Expected) {
    let mut pace = Pace::of(meter);
    let mut ticks = interval(LINE_EVERY);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        eprintln!("{}", pace.line(meter, expected));
    }
}

/// How much is done of how much.
fn share(meter: &Meter, expected: Expected) -> (u64, Option<u64>) {
    match meter.phase() {
        Phase::Reading => {
            let all = expected.users.map(|users| users + expected.items.unwrap_or_default());
            (meter.users() + expected.items.map_or(0, |items| meter.items().min(items)), all)
        }
        Phase::Comparing => {
            let (done, all) = meter.partitions();
            (done, Some(all))
        }
    }
}

/// From when on, and from which count: a run that goes on from an earlier one has not done all of it just now.
struct Pace {
    began: Instant,
    users: u64,
}

impl Pace {
    fn of(meter: &Meter) -> Self {
        Self { began: Instant::now(), users: meter.users() }
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 users")]
    fn line(&mut self, meter: &Meter, expected: Expected) -> String {
        let throttles = meter.throttles();
        let slowed = if throttles > 0 { format!(", {throttles} throttled") } else { String::new() };
        if meter.phase() == Phase::Comparing {
            let (done, all) = meter.partitions();
            let found = HumanCount(meter.findings());
            return format!("comparing: {done} of {all} partitions, {found} findings{slowed}");
        }
        let users = meter.users();
        if users < self.users {
            *self = Self::of(meter); // the list was begun again
        }
        let seconds = self.began.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 { (users - self.users) as f64 / seconds } else { 0.0 };
        let left = expected.users.filter(|all| *all > users && rate > 0.0).map(|all| {
            let left = Duration::try_from_secs_f64((all - users) as f64 / rate).unwrap_or(Duration::MAX);
            format!(", {} left", HumanDuration(left))
        });
        format!(
            "{} users, {} items read, {rate:.0} users/s{}{slowed}",
            HumanCount(users),
            HumanCount(meter.items()),
            left.unwrap_or_default()
        )
    }
}
