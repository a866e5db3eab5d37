//! `tandem reconcile`: profiles against the pool, on AWS or wherever its APIs are.

pub mod backfill;
mod kept;
mod place;
mod report;
mod watch;

use std::time::Duration;

use anyhow::Context;
use tandem_reconcile::{Ended, Reconciliation, Repair, Report, Settings, Surroundings, fresh_key};

use crate::arguments::{self, ReportFormat};
use kept::{Kept, Stop};
use place::Place;
use report::Writer;
use watch::{Expected, watch};

/// Compares, and tells what differs; `false` if something still does.
pub fn run(arguments: &arguments::Reconcile) -> anyhow::Result<bool> {
    let min_age = span(&arguments.min_age)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(reconcile(arguments, min_age))
}

async fn reconcile(arguments: &arguments::Reconcile, min_age: Duration) -> anyhow::Result<bool> {
    let place = Place::find(&arguments.sides, "reconcile").await?;
    let format = if arguments.json { ReportFormat::Json } else { arguments.format };
    // Before anything is read: who cannot write the report should know it at once.
    let mut writer = Writer::open(arguments.output.as_deref(), format)?;
    let kept = Kept::open(&place, arguments.sides.restart).await?;
    let stop = Stop::on_signals();
    let repair = match (arguments.repair, place.bus.clone()) {
        (false, _) => Repair::No,
        (true, Some(bus)) => Repair::Bus(bus),
        (true, None) => Repair::Table,
    };
    let settings = Settings {
        attributes: place.attributes.clone(),
        groups: !arguments.sides.no_groups,
        min_age,
        repair,
        pace: place.pace,
    };
    let run = Reconciliation::new(place.pool(), place.profiles(), settings, kept.spool(), surroundings(&place, &stop));
    let meter = run.meter();
    let shown = async {
        let (users, items) = if arguments.sides.quiet { (None, None) } else { place.estimates().await };
        watch(&meter, Expected { users, items }, arguments.sides.quiet).await;
    };
    let ended = tokio::select! {
        ended = run.run() => ended,
        () = shown => unreachable!("it is shown until the run ends"),
    };
    match ended {
        Ok(Ended::Done(report)) => {
            tell(&run, &mut writer, &report).await?;
            writer.end(&report, memory_kib())?;
            if format != ReportFormat::Table || arguments.output.is_some() {
                for line in report::summary(&report, memory_kib()) {
                    eprintln!("{line}");
                }
            }
            run.clear().await?;
            drop(run);
            kept.remove();
            Ok(report.counts.left() == 0)
        }
        Ok(Ended::Stopped) => kept.stopped(),
        Err(error) => {
            drop(run);
            kept.failed(error, meter.users() + meter.items() > 0).await
        }
    }
}

async fn tell(run: &Reconciliation, writer: &mut Writer, report: &Report) -> anyhow::Result<()> {
    writer.begin(report)?;
    run.findings(|finding| writer.finding(&finding)).await.context("what was found cannot be read")
}

fn surroundings(place: &Place, stop: &Stop) -> Surroundings {
    Surroundings { clock: Box::new(place.clock()), is_stopped: Box::new(stop.is_stopped()), key: fresh_key() }
}

/// The most memory that this process has held, in kibibytes, where the system tells.
fn memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// `30s`, `10m`, `2h`, `1d`.
fn span(text: &str) -> anyhow::Result<Duration> {
    let unit = text.chars().next_back().and_then(|unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        _ => None,
    });
    let number = unit.and_then(|unit: u64| text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit));
    let seconds = number.with_context(|| format!("--min-age takes a time like 30s, 10m, 2h or 1d, not {text}"))?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_four_units() {
        let seconds = |text: &str| span(text).ok().map(|span| span.as_secs());
        assert_eq!(["0s", "30s", "10m", "2h", "1d"].map(seconds), [0, 30, 600, 7200, 86400].map(Some));
        assert_eq!(["", "10", "m", "-1s", "1w", "99999999999999999999d"].map(seconds), [None; 6]);
    }
}
