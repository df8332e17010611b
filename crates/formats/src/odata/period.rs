//! Stretches of time that queries name: `Last7Days`, `ThisWeek`,
//! `OlderThanXMonths`. Days are those of UTC, weeks begin on Sunday.

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Span, Timestamp};

use super::literal::midnight;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From the first moment on, before the second.
    Within(Timestamp, Timestamp),
    Before(Timestamp),
}

/// The stretch with this name; `None` where there is no such name, or it ends
/// beyond all time. `number` is the X, 0 where none was given.
pub fn named(name: &str, number: i32, now: Timestamp) -> Option<Period> {
    let today = jiff::tz::Offset::UTC.to_datetime(now).date();
    let days = |first: Date, from: i64, to: i64| {
        let at = |n: i64| first.checked_add(Span::new().try_days(n).ok()?).ok().and_then(midnight);
        Some(Period::Within(at(from)?, at(to)?))
    };
    let months = |first: Date, from: i32, count: i32| {
        let at = |n: i32| first.checked_add(Span::new().try_months(n).ok()?).ok().and_then(midnight);
        Some(Period::Within(at(from)?, at(from + count)?))
    };
    let sunday = || {
        let back = i64::from(today.weekday().since(Weekday::Sunday));
        today.checked_sub(Span::new().try_days(back).ok()?).ok()
    };
    let (month, year) = (today.first_of_month(), today.first_of_year());
    match name {
        "Today" => return days(today, 0, 1),
        "Yesterday" => return days(today, -1, 0),
        "Tomorrow" => return days(today, 1, 2),
        "Last7Days" => return days(today, -7, 1),
        "Next7Days" => return days(today, 0, 8),
        "ThisWeek" => return days(sunday()?, 0, 7),
        "LastWeek" => return days(sunday()?, -7, 0),
        "NextWeek" => return days(sunday()?, 7, 14),
        "ThisMonth" => return months(month, 0, 1),
        "LastMonth" => return months(month, -1, 1),
        "NextMonth" => return months(month, 1, 1),
        "ThisYear" => return months(year, 0, 12),
        "LastYear" => return months(year, -12, 12),
        "NextYear" => return months(year, 12, 12),
        _ => {}
    }
    let (kind, unit) = name.split_once('X')?;
    if number == 0 {
        return None;
    }
    let back = shifted(now, unit, -number)?;
    match kind {
        "Last" if unit != "Minutes" => Some(Period::Within(back, now)),
        "Next" if unit != "Minutes" => Some(Period::Within(now, shifted(now, unit, number)?)),
        "OlderThan" => Some(Period::Before(back)),
        _ => None,
    }
}

/// Whether the name is one of those that take a number.
pub fn takes_number(name: &str) -> bool {
    ["LastX", "NextX", "OlderThanX"].iter().any(|start| name.starts_with(start))
}

fn shifted(now: Timestamp, unit: &str, number: i32) -> Option<Timestamp> {
    let n = i64::from(number);
    match unit {
        "Minutes" => now.checked_add(SignedDuration::from_mins(n)).ok(),
        "Hours" => now.checked_add(SignedDuration::from_hours(n)).ok(),
        "Days" => now.checked_add(SignedDuration::from_hours(24 * n)).ok(),
        "Weeks" => now.checked_add(SignedDuration::from_hours(24 * 7 * n)).ok(),
        "Months" | "Years" => {
            let months = if unit == "Years" { n * 12 } else { n };
            let local =
                jiff::tz::Offset::UTC.to_datetime(now).checked_add(Span::new().try_months(months).ok()?).ok()?;
            jiff::tz::Offset::UTC.to_timestamp(local).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a Wednesday.
    #[track_caller]
    fn check(name: &str, number: i32, expected: &str) {
        let now = "2026-03-04T10:30:00Z".parse().unwrap();
        let shown = match named(name, number, now) {
            Some(Period::Within(from, to)) => format!("{from} {to}").replace("T00:00:00Z", ""),
            Some(Period::Before(to)) => format!("< {to}"),
            None => "none".into(),
        };
        assert_eq!(shown, expected, "{name}");
    }

    #[test]
    fn days() {
        check("Today", 0, "2026-03-04 2026-03-05");
        check("Yesterday", 0, "2026-03-03 2026-03-04");
        check("Tomorrow", 0, "2026-03-05 2026-03-06");
        check("Last7Days", 0, "2026-02-25 2026-03-05");
        check("Next7Days", 0, "2026-03-04 2026-03-12");
    }
    #[test]
    fn weeks() {
        check("ThisWeek", 0, "2026-03-01 2026-03-08");
        check("LastWeek", 0, "2026-02-22 2026-03-01");
        check("NextWeek", 0, "2026-03-08 2026-03-15");
    }
    #[test]
    fn months_and_years() {
        check("ThisMonth", 0, "2026-03-01 2026-04-01");
        check("LastMonth", 0, "2026-02-01 2026-03-01");
        check("NextMonth", 0, "2026-04-01 2026-05-01");
        check("ThisYear", 0, "2026-01-01 2027-01-01");
        check("LastYear", 0, "2025-01-01 2026-01-01");
        check("NextYear", 0, "2027-01-01 2028-01-01");
    }
    #[test]
    fn counted() {
        check("LastXHours", 2, "2026-03-04T08:30:00Z 2026-03-04T10:30:00Z");
        check("NextXWeeks", 1, "2026-03-04T10:30:00Z 2026-03-11T10:30:00Z");
        check("OlderThanXMonths", 1, "< 2026-02-04T10:30:00Z");
        check("OlderThanXYears", 2, "< 2024-03-04T10:30:00Z");
        check("OlderThanXMinutes", 30, "< 2026-03-04T10:00:00Z");
    }
    #[test]
    fn nothing() {
        check("LastXHours", 0, "none");
        check("LastXMinutes", 5, "none");
        check("LastXEons", 1, "none");
        check("LastXYears", 100_000, "none");
        check("Someday", 0, "none");
    }
}
