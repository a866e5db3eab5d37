//! The grammar of `ScheduleExpression`: `rate(5 minutes)` and `cron(0 12 * * ? *)`.
//!
//! Not here: times. Scheduled rules do not fire yet; the grammar is checked so that a wrong one gets the
//! service's own answer.

/// Whether the service would take an expression.
pub fn is_valid(expression: &str) -> bool {
    let inside = |name: &str| expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    match (inside("rate"), inside("cron")) {
        (Some(rate), _) => is_rate(rate),
        (_, Some(cron)) => is_cron(cron),
        _ => false,
    }
}

/// `N unit`, one blank between them, the unit in the singular for 1 alone.
fn is_rate(rate: &str) -> bool {
    let Some((count, unit)) = rate.split_once(' ') else { return false };
    let units = if count == "1" { ["minute", "hour", "day"] } else { ["minutes", "hours", "days"] };
    count.bytes().all(|byte| byte.is_ascii_digit())
        && count.parse::<u32>().is_ok_and(|count| count > 0)
        && units.contains(&unit)
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A field of a cron expression.
struct Field {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const fn field(min: u32, max: u32, names: &'static [&'static str]) -> Field {
    Field { min, max, names }
}

/// Minutes, hours, day of the month, month, day of the week, year; one of the two days must be left open by `?`.
fn is_cron(cron: &str) -> bool {
    let fields: Vec<&str> = cron.split(' ').filter(|field| !field.is_empty()).collect();
    let [minutes, hours, day, month, weekday, year] = fields[..] else { return false };
    let days = match (day, weekday) {
        ("?", weekday) => weekday != "?" && is_weekday(weekday),
        (day, "?") => is_day(day),
        _ => false,
    };
    field(0, 59, &[]).takes(minutes)
        && field(0, 23, &[]).takes(hours)
        && days
        && field(1, 12, MONTHS).takes(month)
        && field(1970, 2199, &[]).takes(year)
}

/// Also `L` (the last), `LW` (the last weekday) and `15W` (the weekday nearest to the 15th).
fn is_day(day: &str) -> bool {
    let days = field(1, 31, &[]);
    let nearest = day.strip_suffix('W').is_some_and(|day| days.value(day).is_some());
    matches!(day, "L" | "LW") || nearest || days.takes(day)
}

/// Also `L` (Saturday), `6L` (the last Friday) and `SAT#3` (the third Saturday).
fn is_weekday(weekday: &str) -> bool {
    let days = field(1, 7, DAYS);
    let last = weekday.strip_suffix('L').is_some_and(|day| day.is_empty() || days.value(day).is_some());
    let nth = weekday.split_once('#').is_some_and(|(day, nth)| {
        days.value(day).is_some() && nth.parse::<u32>().is_ok_and(|nth| (1..=5).contains(&nth))
    });
    last || nth || days.takes(weekday)
}

impl Field {
    /// `*`, values, ranges and steps, several by commas.
    fn takes(&self, text: &str) -> bool {
        text.split(',').all(|part| {
            let (part, step) = part.split_once('/').map_or((part, None), |(part, step)| (part, Some(step)));
            let step_fits = step.is_none_or(|step| self.number(step).is_some_and(|step| step > 0));
            let range_fits = match part.split_once('-') {
                Some((from, to)) => self.value(from).is_some() && self.value(to).is_some(),
                None => part == "*" || self.value(part).is_some(),
            };
            step_fits && range_fits
        })
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = named.map_or_else(|| self.number(text), |place| Some(self.min + u32::try_from(place).ok()?))?;
        (self.min..=self.max).contains(&value).then_some(value)
    }

    fn number(&self, text: &str) -> Option<u32> {
        let number: u32 = text.parse().ok()?;
        (text.bytes().all(|byte| byte.is_ascii_digit()) && number <= self.max).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        for rate in
            ["rate(1 minute)", "rate(2 minutes)", "rate(1 hour)", "rate(10 hours)", "rate(1 day)", "rate(7 days)"]
        {
            assert!(is_valid(rate), "{rate}");
        }
        let wrong = [
            "rate(10 seconds)",
            "rate(10 years)",
            "rate(1 minutes)",
            "rate(10 minute)",
            "rate(0 minutes)",
            "rate(-1 minutes)",
            "rate(10 MINUTES)",
            "rate( 10 minutes )",
            " rate(10 minutes)",
            "rate(10 minutes) ",
            "rate(10  minutes)",
            "rate()",
            "rate(10)",
            "rate",
            "",
            "Rate(10 minutes)",
            "rate(+5 minutes)",
        ];
        for rate in wrong {
            assert!(!is_valid(rate), "{rate}");
        }
    }

    #[test]
    fn crons() {
        let right = [
            "cron(0 12 * * ? *)",
            "cron(5,35 14 * * ? *)",
            "cron(0/5 8-17 ? * MON-FRI *)",
            "cron(15 10 ? * 6L 2019-2022)",
            "cron(0 0 ? * SAT#3 *)",
            "cron(0 10 L * ? *)",
            "cron(0 10 15W * ? *)",
            "cron(0 9 LW JAN,JUL ? *)",
            "cron(0 2 ? * sun *)",
            "cron(0 0 1 1 ? 1970)",
        ];
        for cron in right {
            assert!(is_valid(cron), "{cron}");
        }
        let wrong = [
            "cron(0 1 * * * *)",
            "cron(7 20 * * NOT *)",
            "cron(71 8 1 * ? *)",
            "cron(INVALID)",
            "cron(0 12 ? * ? *)",
            "cron(*/60 * * * ? *)",
            "cron(0 12 * * ?)",
            "cron(0 24 * * ? *)",
            "cron(0 0 ? * MON#6 *)",
            "cron(0 0 1 13 ? *)",
            "cron(0 0 1 * ? 2200)",
            "cron()",
            "at(2026-01-01T00:00:00)",
        ];
        for cron in wrong {
            assert!(!is_valid(cron), "{cron}");
        }
    }
}
