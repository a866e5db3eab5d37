//! For people: what is wrong, the line with a caret, what to do, and where more is told.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use template::{Span, TemplateError};

use super::path_of;
use crate::finding::{Finding, Rule, Severity, Tally};
use crate::rules::RULES;

/// How it looks.
#[derive(Clone, Copy, Debug)]
pub struct People {
    /// With colours.
    pub colours: bool,
    /// How many characters fit into a line.
    pub width: usize,
}

impl People {
    /// All findings and how many there are.
    pub fn findings(self, findings: &[Finding]) -> String {
        let mut blocks: Vec<String> = findings.iter().map(|finding| self.finding(finding) + "\n").collect();
        blocks.push(Tally::of(findings).to_string());
        if let Some(Finding { rule: Rule { id, .. }, .. }) = findings.first() {
            blocks.push(format!(
                "`tandem check --explain {id}` tells more; `# tandem-ignore: {id}` says that it is meant so"
            ));
        }
        blocks.join("\n") + "\n"
    }

    fn finding(self, finding: &Finding) -> String {
        let level = match finding.rule.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let primary = (&finding.span, finding.label.as_str());
        let also = finding.also.iter().map(|(span, label)| (span, label.as_str()));
        let mut group = snippets(
            Group::with_title(level.primary_title(one_line(&finding.message)).id(finding.rule.id)),
            primary,
            also,
        );
        if let Some(help) = &finding.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group = group.element(Level::NOTE.message(format!("{}, see {}", finding.rule.reason, finding.rule.link())));
        self.renderer().render(&[group])
    }

    /// A mistake in a template.
    pub fn error(self, error: &TemplateError) -> String {
        let title = Level::ERROR.primary_title(one_line(&error.message));
        let mut group = snippets(Group::with_title(title), (&error.span, ""), std::iter::empty());
        if let Some(hint) = &error.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        format!("{}\n", self.renderer().render(&[group]))
    }

    fn renderer(self) -> Renderer {
        let renderer = if self.colours { Renderer::styled() } else { Renderer::plain() };
        renderer.term_width(self.width)
    }
}

/// The rules with their reasons.
pub fn rules_list() -> String {
    let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let lines = RULES.iter().map(|rule| format!("{:width$}  {:7}  {}", rule.id, rule.severity.name(), rule.reason));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Excerpts with their marks; places of one file come into one excerpt.
fn snippets<'f>(
    mut group: Group<'f>,
    primary: (&'f Span, &'f str),
    also: impl Iterator<Item = (&'f Span, &'f str)>,
) -> Group<'f> {
    let mut others: Vec<(&Span, &str)> = also.collect();
    let mut snippet = snippet_of(primary.0).annotation(mark(AnnotationKind::Primary, primary.0, primary.1));
    others.retain(|(span, label)| {
        let is_here = span.source == primary.0.source;
        if is_here {
            snippet = std::mem::replace(&mut snippet, Snippet::source("")).annotation(mark(
                AnnotationKind::Context,
                span,
                label,
            ));
        }
        !is_here
    });
    group = group.element(snippet);
    for (span, label) in others {
        group = group.element(snippet_of(span).annotation(mark(AnnotationKind::Context, span, label)));
    }
    group
}

fn snippet_of(span: &Span) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(span.source.text.as_str()).path(path_of(span))
}

fn mark<'f>(kind: AnnotationKind, span: &Span, label: &'f str) -> annotate_snippets::Annotation<'f> {
    let annotation = kind.span(first_line(span));
    if label.is_empty() { annotation } else { annotation.label(label) }
}

/// The part of a stretch that lies in its first line.
fn first_line(span: &Span) -> Range<usize> {
    let text = &span.source.text;
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    let length = text.get(start..end).and_then(|text| text.find(['\n', '\r'])).unwrap_or(end - start);
    start..start + length
}

/// A title is one line.
fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}
