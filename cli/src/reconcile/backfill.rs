//! `tandem backfill`: profiles for the users who were there before the table was.

use std::time::Duration;

use tandem_reconcile::{Backfill, Backfilled, Repair, Settings};

use super::kept::{Kept, Stop};
use super::place::Place;
use super::watch::{Expected, watch};
use super::{memory_kib, surroundings};
use crate::arguments;

/// Makes profiles and tells how many; `false` if some could not be made.
pub fn run(arguments: &arguments::Backfill) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(backfill(arguments))
}

async fn backfill(arguments: &arguments::Backfill) -> anyhow::Result<bool> {
    let word = if arguments.dry_run { "backfill-dry-run" } else { "backfill" };
    let place = Place::find(&arguments.sides, word).await?;
    let kept = Kept::open(&place, arguments.sides.restart).await?;
    let stop = Stop::on_signals();
    let repair = match (arguments.dry_run, place.bus.clone()) {
        (true, _) => Repair::No,
        (false, Some(bus)) => Repair::Bus(bus),
        (false, None) => Repair::Table,
    };
    let settings = Settings {
        attributes: place.attributes.clone(),
        groups: !arguments.sides.no_groups,
        min_age: Duration::ZERO,
        repair,
        pace: place.pace,
    };
    let run = Backfill::new(place.pool(), place.profiles(), settings, kept.spool(), surroundings(&place, &stop));
    let meter = run.meter();
    let shown = async {
        let (users, _) = if arguments.sides.quiet { (None, None) } else { place.estimates().await };
        watch(&meter, Expected { users, items: None }, arguments.sides.quiet).await;
    };
    let ended = tokio::select! {
        ended = run.run() => ended,
        () = shown => unreachable!("it is shown until the run ends"),
    };
    match ended {
        Ok(done) if done.is_done => {
            run.clear().await?;
            drop(run);
            kept.remove();
            tell(&done, arguments.json)?;
            Ok(done.failed == 0)
        }
        Ok(_) => kept.stopped(),
        Err(error) => {
            drop(run);
            kept.failed(error, meter.users() > 0).await
        }
    }
}

fn tell(done: &Backfilled, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(done)?);
        return Ok(());
    }
    println!("{} users, {} of them not confirmed", done.users, done.unconfirmed);
    println!("{} without a profile, {} whose profiles differed", done.missing, done.differing);
    let others = [(done.stale, "newer meanwhile"), (done.failed, "failed"), (done.tombstones, "deleted in the table")];
    let others = others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    println!("{} written{}", done.written, others.collect::<String>());
    let requests = done.requests.by_operation.iter().map(|(name, count)| format!("{count} {name}"));
    let requests = requests.collect::<Vec<_>>().join(", ");
    let memory = memory_kib().map(|kib| format!("; {} MiB of memory at most", kib / 1024)).unwrap_or_default();
    println!("{requests}; {} throttled{memory}", done.requests.throttles);
    Ok(())
}
