//! `ScheduleExpression`: `rate(5 minutes)` and `cron(0 12 * * ? *)`, and the times that they name, in UTC.
//!
//! Not the crate `croner`: its language is another. It takes what the service refuses (both days given, none left
//! open, seconds, names beside numbers in steps), counts weekdays from 0 where the service counts from 1, and has no
//! bounds for years; a translator with the same checks would be longer than these.
//!
//! Not here: rules, and who waits for the times (`timer`).

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use world::Timestamp;

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    beat: Beat,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Beat {
    Rate(Duration),
    Cron(Cron),
}

impl Schedule {
    /// Reads an expression; nothing if the service would not take it.
    pub fn parse(text: &str) -> Option<Self> {
        let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        let beat = match (inside("rate"), inside("cron")) {
            (Some(rate), _) => Beat::Rate(read_rate(rate)?),
            (_, Some(cron)) => Beat::Cron(Cron::read(cron)?),
            _ => return None,
        };
        Some(Self { text: text.to_owned(), beat })
    }

    /// As it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first time behind `after`, if there is one. Rates count from `start`, and do not fire then.
    pub fn next_after(&self, start: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match &self.beat {
            Beat::Rate(every) => {
                let every = i64::try_from(every.as_millis()).ok()?;
                let passed = after.millis().checked_sub(start.millis())?.max(0) / every;
                Some(Timestamp::from_millis(start.millis().checked_add(every.checked_mul(passed + 1)?)?))
            }
            Beat::Cron(cron) => cron.next_after(after),
        }
    }
}

/// `N unit`, one blank between them, the unit in the singular for 1 alone.
fn read_rate(rate: &str) -> Option<Duration> {
    let (count, unit) = rate.split_once(' ')?;
    let count = count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse::<u32>().ok())??;
    let unit = match (count, unit) {
        (1, "minute") | (2.., "minutes") => Duration::from_mins(1),
        (1, "hour") | (2.., "hours") => Duration::from_hours(1),
        (1, "day") | (2.., "days") => Duration::from_hours(24),
        _ => return None,
    };
    unit.checked_mul(count)
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// Years that an expression can name.
const YEARS: (u32, u32) = (1970, 2199);

/// Minutes, hours, day of the month, month, day of the week, year; one of the two days must be left open by `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cron {
    minutes: BTreeSet<u32>,
    hours: BTreeSet<u32>,
    days: Days,
    months: BTreeSet<u32>,
    years: BTreeSet<u32>,
}

/// Days of a month. Weekdays count from 1, a Sunday.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    /// These.
    Of(BTreeSet<u32>),
    /// `L`
    Last,
    /// `LW`: the last from Monday to Friday.
    LastWorkday,
    /// `15W`: the day from Monday to Friday that is nearest to the 15th, within the month.
    WorkdayNear(u32),
    /// These weekdays.
    Weekdays(BTreeSet<u32>),
    /// `6L`: the last Friday.
    LastWeekday(u32),
    /// `SAT#3`: the third Saturday.
    NthWeekday(u32, u32),
}

impl Cron {
    fn read(cron: &str) -> Option<Self> {
        let fields: Vec<&str> = cron.split(' ').filter(|field| !field.is_empty()).collect();
        let [minutes, hours, day, month, weekday, year] = fields[..] else { return None };
        let days = match (day, weekday) {
            ("?", weekday) => Days::of_week(weekday)?,
            (day, "?") => Days::of_month(day)?,
            _ => return None,
        };
        Some(Self {
            minutes: field(0, 59, &[]).read(minutes)?,
            hours: field(0, 23, &[]).read(hours)?,
            days,
            months: field(1, 12, MONTHS).read(month)?,
            years: field(YEARS.0, YEARS.1, &[]).read(year)?,
        })
    }

    fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let next_minute = after.millis().div_euclid(60_000).checked_add(1)?.checked_mul(60_000)?;
        let from = jiff::Timestamp::from_millisecond(next_minute).ok()?.to_zoned(TimeZone::UTC);
        let (mut date, mut earliest) = (from.date(), (number(from.hour()), number(from.minute())));
        loop {
            let year = number(date.year());
            if year > *self.years.last()? {
                return None;
            }
            if !self.years.contains(&year) {
                date = Date::new(date.year() + 1, 1, 1).ok()?;
            } else if !self.months.contains(&number(date.month())) {
                date = date.last_of_month().tomorrow().ok()?;
            } else if let Some((hour, minute)) = self.days.take(date).then(|| self.time_from(earliest)).flatten() {
                let at = date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
                let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
                return Some(Timestamp::from_millis(at.as_millisecond()));
            } else {
                date = date.tomorrow().ok()?;
            }
            earliest = (0, 0);
        }
    }

    /// The first time of a day that is not before this one.
    fn time_from(&self, earliest: (u32, u32)) -> Option<(u32, u32)> {
        let times = |hour: u32| self.minutes.iter().map(move |minute| (hour, *minute));
        self.hours.range(earliest.0..).flat_map(|hour| times(*hour)).find(|time| *time >= earliest)
    }
}

/// Parts of dates are small and not negative.
fn number(part: impl TryInto<u32>) -> u32 {
    part.try_into().unwrap_or(0)
}

impl Days {
    fn of_month(day: &str) -> Option<Self> {
        let days = field(1, 31, &[]);
        match day {
            "L" => Some(Self::Last),
            "LW" => Some(Self::LastWorkday),
            _ => match day.strip_suffix('W') {
                Some(day) => days.value(day).map(Self::WorkdayNear),
                None => days.read(day).map(Self::Of),
            },
        }
    }

    fn of_week(weekday: &str) -> Option<Self> {
        let days = field(1, 7, DAYS);
        if let Some((day, nth)) = weekday.split_once('#') {
            let nth = nth.parse::<u32>().ok().filter(|nth| (1..=5).contains(nth))?;
            return Some(Self::NthWeekday(days.value(day)?, nth));
        }
        match weekday.strip_suffix('L') {
            Some("") => Some(Self::Weekdays([7].into())),
            Some(day) => days.value(day).map(Self::LastWeekday),
            None => days.read(weekday).map(Self::Weekdays),
        }
    }

    fn take(&self, date: Date) -> bool {
        let (day, last) = (number(date.day()), number(date.days_in_month()));
        let weekday = number(date.weekday().to_sunday_one_offset());
        match self {
            Self::Of(days) => days.contains(&day),
            Self::Last => day == last,
            Self::LastWorkday => workday_near(date, last) == Some(day),
            Self::WorkdayNear(near) => *near <= last && workday_near(date, *near) == Some(day),
            Self::Weekdays(days) => days.contains(&weekday),
            Self::LastWeekday(wanted) => weekday == *wanted && day + 7 > last,
            Self::NthWeekday(wanted, nth) => weekday == *wanted && (day - 1) / 7 + 1 == *nth,
        }
    }
}

/// The day from Monday to Friday nearest to this day of the date's month, within the month.
fn workday_near(date: Date, day: u32) -> Option<u32> {
    let last = number(date.days_in_month());
    let near = Date::new(date.year(), date.month(), i8::try_from(day).ok()?).ok()?;
    Some(match near.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == last => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    })
}

/// A field of a cron expression.
struct Field {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const fn field(min: u32, max: u32, names: &'static [&'static str]) -> Field {
    Field { min, max, names }
}

impl Field {
    /// `*`, values, ranges and steps, several by commas. A range may lead over the end: `FRI-MON`.
    fn read(&self, text: &str) -> Option<BTreeSet<u32>> {
        let mut values = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
            let step = match step {
                Some(step) => self.number(step).filter(|step| *step > 0)?,
                None => 1,
            };
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (self.value(from)?, self.value(to)?),
                None if range == "*" => (self.min, self.max),
                None if part.contains('/') => (self.value(range)?, self.max),
                None => (self.value(range)?, self.value(range)?),
            };
            let to = if to < from { to + self.max - self.min + 1 } else { to };
            let wrapped = |value: u32| if value > self.max { value - self.max + self.min - 1 } else { value };
            values.extend((from..=to).step_by(usize::try_from(step).unwrap_or(1)).map(wrapped));
        }
        Some(values)
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
            assert!(Schedule::parse(rate).is_some(), "{rate}");
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
            assert!(Schedule::parse(rate).is_none(), "{rate}");
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
            assert!(Schedule::parse(cron).is_some(), "{cron}");
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
            assert!(Schedule::parse(cron).is_none(), "{cron}");
        }
    }

    #[track_caller]
    fn check(expression: &str, after: &str, expected: &[&str]) {
        let schedule = Schedule::parse(expression).expect("a schedule");
        let after: jiff::Timestamp = after.parse().expect("a time");
        let start = Timestamp::from_millis(after.as_millisecond());
        let mut at = start;
        for expected in expected {
            let Some(next) = schedule.next_after(start, at) else { panic!("{expression}: no {expected}") };
            assert_eq!(next.rfc3339_seconds(), *expected, "{expression}");
            at = next;
        }
    }

    #[test]
    fn rates_count_from_their_start() {
        let start = Timestamp::from_millis(500);
        let schedule = Schedule::parse("rate(1 minute)").expect("a schedule");
        let next = |after: i64| schedule.next_after(start, Timestamp::from_millis(after)).map(Timestamp::millis);
        assert_eq!([next(0), next(500), next(60_499), next(60_500)], [60_500, 60_500, 60_500, 120_500].map(Some));
        check("rate(7 days)", "2026-01-01T00:00:00Z", &["2026-01-08T00:00:00Z", "2026-01-15T00:00:00Z"]);
    }

    #[test]
    fn crons_name_times() {
        let after = "2026-01-01T00:00:00Z"; // a Thursday
        check("cron(0 12 * * ? *)", after, &["2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z"]);
        check("cron(* * * * ? *)", "2026-01-01T00:00:59.999Z", &["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"]);
        check("cron(0/25 23 ? * SAT-SUN *)", after, &["2026-01-03T23:00:00Z", "2026-01-03T23:25:00Z"]);
        check(
            "cron(50 8,20 L * ? *)",
            after,
            &["2026-01-31T08:50:00Z", "2026-01-31T20:50:00Z", "2026-02-28T08:50:00Z"],
        );
        check("cron(0 0 LW * ? *)", after, &["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z", "2026-03-31T00:00:00Z"]);
        check("cron(0 0 1W * ? *)", after, &["2026-02-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-04-01T00:00:00Z"]);
        check("cron(0 0 31W * ? *)", after, &["2026-01-30T00:00:00Z", "2026-03-31T00:00:00Z", "2026-05-29T00:00:00Z"]);
        check("cron(15 10 ? * 6L *)", after, &["2026-01-30T10:15:00Z", "2026-02-27T10:15:00Z"]);
        check("cron(0 0 ? * SAT#3 *)", after, &["2026-01-17T00:00:00Z", "2026-02-21T00:00:00Z"]);
        check("cron(0 0 ? * MON#5 *)", after, &["2026-03-30T00:00:00Z", "2026-06-29T00:00:00Z"]);
        check(
            "cron(0 0 ? * FRI-MON *)",
            after,
            &[
                "2026-01-02T00:00:00Z",
                "2026-01-03T00:00:00Z",
                "2026-01-04T00:00:00Z",
                "2026-01-05T00:00:00Z",
                "2026-01-09T00:00:00Z",
            ],
        );
        check("cron(0 0 29 2 ? *)", after, &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
        check("cron(59 23 31 12 ? 2030/50)", after, &["2030-12-31T23:59:00Z", "2080-12-31T23:59:00Z"]);
        check("cron(0 0 ? * L *)", after, &["2026-01-03T00:00:00Z"]);
    }

    #[test]
    fn some_crons_never_come() {
        for cron in ["cron(0 0 30 2 ? *)", "cron(0 0 1 1 ? 1970)", "cron(0 0 ? 2 MON#5 2026-2027)"] {
            let schedule = Schedule::parse(cron).expect("a schedule");
            let now = Timestamp::from_millis(1_767_225_600_000);
            assert_eq!(schedule.next_after(now, now), None, "{cron}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in "(rate|cron)\\([0-9a-zA-Z*?/#,LW -]{0,24}\\)") {
            if let Some(schedule) = Schedule::parse(&text) {
                let now = Timestamp::from_millis(1_767_225_600_000);
                proptest::prop_assert!(schedule.next_after(now, now).is_none_or(|next| next > now));
            }
        }
    }
}
