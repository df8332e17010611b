//! Dates as IMAP writes them.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// INTERNALDATE: ` 5-Nov-2020 14:00:00 +0100` (RFC 9051, `date-time`).
pub fn internal_date(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_ascii_whitespace();
    let date = words.next()?;
    let time = words.next()?;
    let zone = words.next().unwrap_or("+0000");
    let mut date = date.splitn(3, '-');
    let day: i8 = date.next()?.parse().ok()?;
    let month = date.next()?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))?;
    let year: i16 = date.next()?.parse().ok()?;
    let mut time = time.splitn(3, ':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let month = i8::try_from(month + 1).ok()?;
    // A leap second is the last one of its minute.
    let local = DateTime::new(year, month, day, hour, minute, second.min(59), 0).ok()?;
    offset(zone)?.to_timestamp(local).ok()
}

/// `+0100`
fn offset(zone: &str) -> Option<Offset> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4)?.parse().ok()?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// The argument of `SEARCH SINCE` that leaves out nothing that came at or
/// after `since`. The server compares dates in a zone of its own, so it is
/// asked from one day earlier.
pub fn search_since(since: Timestamp) -> Option<String> {
    let date: Date = Offset::UTC.to_datetime(since).date();
    let date = date.checked_sub(1.day()).ok()?;
    // Servers are not prepared for dates before mail existed.
    if date.year() < 1970 {
        return None;
    }
    let month = MONTHS.get(usize::try_from(date.month() - 1).ok()?)?;
    Some(format!("{}-{month}-{}", date.day(), date.year()))
}

/// The date of `APPEND`, in UTC.
pub fn append_date(at: Timestamp) -> Option<String> {
    let local = Offset::UTC.to_datetime(at);
    let month = MONTHS.get(usize::try_from(local.month() - 1).ok()?)?;
    let (day, year) = (local.day(), local.year());
    Some(format!("{day:02}-{month}-{year:04} {:02}:{:02}:{:02} +0000", local.hour(), local.minute(), local.second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(internal_date(text.as_bytes()).map(|t| t.to_string()).as_deref(), expected);
    }

    #[test]
    fn internal_dates_are_read() {
        check(" 5-Nov-2020 14:00:00 +0100", Some("2020-11-05T13:00:00Z"));
        check("05-Nov-2020 14:00:00 -0530", Some("2020-11-05T19:30:00Z"));
        check("5-nov-2020 14:00:60 +0000", Some("2020-11-05T14:00:59Z"));
        check("17-Jul-1996 02:44:25", Some("1996-07-17T02:44:25Z"));
        check("31-Feb-2020 00:00:00 +0000", None);
        check("", None);
        check("yesterday", None);
        check("5-Nov-2020 14:00 +0000", None);
        check("5-Nov-2020 14:00:00 CET", None);
        check("5-Nov-2020 14:00:00 +9900", None);
        check("5-\u{e9}\u{e9}\u{e9}-2020 14:00:00 +\u{e9}\u{e9}", None);
    }

    #[test]
    fn since_asks_from_the_day_before() {
        let since = |t: &str| search_since(t.parse().unwrap());
        assert_eq!(since("2020-11-05T13:00:00Z").as_deref(), Some("4-Nov-2020"));
        assert_eq!(since("2021-01-01T00:00:00Z").as_deref(), Some("31-Dec-2020"));
        assert_eq!(since("1969-01-01T00:00:00Z"), None);
    }

    #[test]
    fn append_dates_can_be_read_again() {
        let at: Timestamp = "2020-01-05T03:04:05Z".parse().unwrap();
        let text = append_date(at).unwrap();
        assert_eq!(text, "05-Jan-2020 03:04:05 +0000");
        assert_eq!(internal_date(text.as_bytes()), Some(at));
    }
}
