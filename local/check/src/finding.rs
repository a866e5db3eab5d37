//! Rules and what they find.

use std::fmt;

use template::{Node, Span};

use crate::project::Project;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing. Notes alone fail nothing.
    Note,
    /// It will go wrong one day.
    Warning,
    /// It will not work, or loses data.
    Error,
}

impl Severity {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule.
pub struct Rule {
    /// What it is called in output, comments and options.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Why, in one line.
    pub reason: &'static str,
    /// Finds it.
    pub(crate) check: Check,
}

/// How a rule looks.
pub(crate) enum Check {
    /// At the document as it is written.
    Written(fn(&Node) -> Vec<Mark>),
    /// At the template that it comes to, and at the handlers.
    Project(fn(&Project) -> Vec<Mark>),
}

impl Rule {
    /// Where more about it is told.
    pub fn link(&self) -> String {
        format!("docs/pitfalls.md#{}", self.id)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.id)
    }
}

/// A place that a rule does not like.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    span: Span,
    message: String,
    label: String,
    also: Vec<(Span, String)>,
    help: Option<String>,
}

impl Mark {
    /// A place, and what is wrong there.
    pub fn at(span: &Span, message: impl Into<String>) -> Self {
        Self { span: span.clone(), message: message.into(), label: String::new(), also: Vec::new(), help: None }
    }

    /// With words below the place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With another place that has to do with it.
    pub fn also(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.also.push((span.clone(), label.into()));
        self
    }

    /// With what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// What a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// Words for the place; often none.
    pub label: String,
    /// Other places that have to do with it.
    pub also: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Finding {
    pub(crate) fn new(rule: &'static Rule, mark: Mark) -> Self {
        let Mark { span, message, label, also, help } = mark;
        Self { rule, span, message, label, also, help }
    }
}

/// How many there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Tally {
    /// Counts.
    pub fn of(findings: &[Finding]) -> Self {
        findings.iter().fold(Self::default(), |mut tally, finding| {
            match finding.rule.severity {
                Severity::Error => tally.errors += 1,
                Severity::Warning => tally.warnings += 1,
                Severity::Note => tally.notes += 1,
            }
            tally
        })
    }

    /// Whether there is more than notes.
    pub fn fails(self) -> bool {
        self.errors + self.warnings > 0
    }
}

/// `2 errors, 1 warning`; `nothing found` if there is nothing.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let words: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        if words.is_empty() { f.write_str("nothing found") } else { f.write_str(&words.join(", ")) }
    }
}
