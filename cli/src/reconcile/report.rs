//! Findings as people and as programs read them. They are written one by one: there may be as many as users.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use serde_json::json;
use tandem_reconcile::{Finding, Kind, Outcome, Report};

use crate::arguments::ReportFormat;

/// Where findings go.
pub struct Writer {
    out: Box<dyn Write>,
    format: ReportFormat,
    count: u64,
    failed: Option<io::Error>,
}

impl Writer {
    /// Into a file, or to standard output.
    pub fn open(output: Option<&Path>, format: ReportFormat) -> anyhow::Result<Self> {
        let out: Box<dyn Write> = match output {
            Some(path) => {
                let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
                Box::new(BufWriter::new(file))
            }
            None => Box::new(BufWriter::new(io::stdout())),
        };
        Ok(Self { out, format, count: 0, failed: None })
    }

    /// What comes before the first finding.
    pub fn begin(&mut self, report: &Report) -> anyhow::Result<()> {
        if self.format == ReportFormat::Json {
            // One document, but a finding to a line, so that it can be written and read in pieces.
            let mut head = serde_json::to_value(report)?;
            head["left"] = json!(report.counts.left());
            let head = head.to_string();
            let open = head.strip_suffix('}').unwrap_or(&head);
            write!(self.out, "{open},\"findings\":[")?;
        }
        Ok(())
    }

    /// One finding.
    pub fn finding(&mut self, finding: &Finding) {
        let written = match self.format {
            ReportFormat::Table => self.row(finding),
            ReportFormat::Json => self.element(finding),
            ReportFormat::Csv => self.record(finding),
        };
        self.count += 1;
        self.failed = self.failed.take().or(written.err());
    }

    /// What comes after the last one.
    pub fn end(mut self, report: &Report, memory: Option<u64>) -> anyhow::Result<()> {
        match self.format {
            ReportFormat::Table => self.summary(report, memory)?,
            ReportFormat::Json => writeln!(self.out, "\n]}}")?,
            ReportFormat::Csv if self.count == 0 => writeln!(self.out, "{}", COLUMNS.join(","))?,
            ReportFormat::Csv => {}
        }
        self.out.flush()?;
        self.failed.map_or(Ok(()), Err).context("the report could not be written")
    }

    fn row(&mut self, finding: &Finding) -> io::Result<()> {
        if self.count == 0 {
            writeln!(self.out, "{:<9}  {:<36}  {:<9}  WHAT", "KIND", "USER", "OUTCOME")?;
        }
        let what = explained(finding);
        let line = format!(
            "{:<9}  {:<36}  {:<9}  {what}",
            finding.kind.as_str(),
            finding.user_id.as_str(),
            finding.outcome.as_str()
        );
        writeln!(self.out, "{}", line.trim_end())
    }

    fn element(&mut self, finding: &Finding) -> io::Result<()> {
        let comma = if self.count == 0 { "" } else { "," };
        write!(self.out, "{comma}\n{}", serde_json::to_string(finding)?)
    }

    fn record(&mut self, finding: &Finding) -> io::Result<()> {
        let mut csv = csv::WriterBuilder::new().from_writer(Vec::new());
        if self.count == 0 {
            csv.write_record(COLUMNS)?;
        }
        csv.write_record([
            finding.kind.as_str(),
            finding.user_id.as_str(),
            &finding.fields.join(" "),
            finding.outcome.as_str(),
            finding.reason.as_deref().unwrap_or_default(),
        ])?;
        self.out.write_all(&csv.into_inner().map_err(csv::IntoInnerError::into_error)?)
    }

    fn summary(&mut self, report: &Report, memory: Option<u64>) -> io::Result<()> {
        if self.count > 0 {
            writeln!(self.out)?;
        }
        for line in summary(report, memory) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }
}

const COLUMNS: [&str; 5] = ["kind", "userId", "fields", "outcome", "reason"];

fn explained(finding: &Finding) -> String {
    let mut what = finding.fields.join(", ");
    if finding.kind == Kind::Tombstone {
        "in the pool, and deleted in the table: see docs/reconcile.md".clone_into(&mut what);
    }
    match &finding.reason {
        Some(reason) if what.is_empty() => reason.clone(),
        Some(reason) => format!("{what}: {reason}"),
        None => what,
    }
}

/// What it was in a few lines.
pub fn summary(report: &Report, memory: Option<u64>) -> Vec<String> {
    let counts = &report.counts;
    let mut lines = vec![format!("{} users, {} profiles", counts.users, counts.profiles)];
    let kinds: Vec<String> = Kind::ALL
        .into_iter()
        .filter_map(|kind| Some(format!("{} {}", counts.kinds.get(&kind)?, kind.as_str())))
        .collect();
    let outcomes: Vec<String> = counts
        .outcomes
        .iter()
        .filter(|(outcome, _)| **outcome != Outcome::Found)
        .map(|(outcome, count)| format!("{count} {}", outcome.as_str()))
        .collect();
    lines.push(match (kinds.is_empty(), outcomes.is_empty()) {
        (true, _) => "no drift".to_owned(),
        (false, true) => format!("drift: {}", kinds.join(", ")),
        (false, false) => format!("drift: {}; {}", kinds.join(", "), outcomes.join(", ")),
    });
    if counts.young > 0 {
        lines.push(format!("{} left alone that changed a moment ago (--min-age)", counts.young));
    }
    let found = counts.outcomes.get(&Outcome::Found).copied().unwrap_or_default();
    if found > 0 {
        lines.push("nothing was changed: --repair does".to_owned());
    }
    lines.push(costs(report, memory));
    lines
}

#[expect(clippy::cast_precision_loss, reason = "no run takes 2^52 milliseconds")]
fn costs(report: &Report, memory: Option<u64>) -> String {
    let seconds = (report.finished_at.millis() - report.started_at.millis()) as f64 / 1000.0;
    let requests: Vec<String> =
        report.requests.by_operation.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let memory = memory.map(|kib| format!("; {:.0} MiB of memory at most", kib as f64 / 1024.0)).unwrap_or_default();
    format!(
        "{seconds:.1} s; {}; {:.1} read units; {} throttled{memory}",
        requests.join(", "),
        report.requests.read_capacity,
        report.requests.throttles
    )
}
