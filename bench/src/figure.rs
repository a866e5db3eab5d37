//! A figure, its aim, and how both are shown.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

/// What one measurement came to.
#[derive(Serialize)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

/// Which way an aim points.
#[derive(Clone, Copy)]
pub enum Aim {
    AtLeast(f64),
    AtMost(f64),
    /// Shown because it explains another figure.
    None,
}

/// All figures of a run.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub struct Figures(Vec<Figure>);

impl Figures {
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str, aim: Aim) {
        let (aim, met) = match aim {
            Aim::AtLeast(aim) => (Some(aim), Some(value >= aim)),
            Aim::AtMost(aim) => (Some(aim), Some(value <= aim)),
            Aim::None => (None, None),
        };
        self.0.push(Figure { name: name.into(), value, unit, aim, met });
    }

    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    pub fn table(&self) -> String {
        let width = self.0.iter().map(|figure| figure.name.chars().count()).max().unwrap_or_default();
        let mut table = format!("{:width$}  {:>10}  {:10}  {:>8}\n", "", "measured", "", "aim");
        for figure in &self.0 {
            let aim = figure.aim.map_or(String::new(), shown);
            let verdict = match figure.met {
                Some(true) => "  met",
                Some(false) => "  missed",
                None => "",
            };
            let (name, value, unit) = (&figure.name, shown(figure.value), figure.unit);
            let line = format!("{name:width$}  {value:>10}  {unit:10}  {aim:>8}{verdict}");
            let _ = writeln!(table, "{}", line.trim_end());
        }
        table
    }
}

/// Three digits that mean something, and blanks between thousands.
fn shown(value: f64) -> String {
    let decimals = if value >= 100.0 { 0 } else { 2 };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    if fraction.is_empty() { grouped } else { format!("{grouped}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_numbers_as_people_read_them() {
        let texts = [0.254, 12.0, 999.6, 25_000.4, 1_234_567.0].map(shown);
        assert_eq!(texts, ["0.25", "12.00", "1 000", "25 000", "1 234 567"]);
    }

    #[test]
    fn judges_by_the_direction_of_the_aim() {
        let mut figures = Figures::default();
        figures.add("fast", 10.0, "1/s", Aim::AtLeast(9.0));
        figures.add("slow", 10.0, "ms", Aim::AtMost(9.0));
        assert_eq!(figures.0.iter().map(|figure| figure.met).collect::<Vec<_>>(), [Some(true), Some(false)]);
    }
}
