//! Dates as mail writes them: RFC 5322, section 3.3, its obsolete forms, and
//! what programs made of them.

use jiff::Timestamp;
use jiff::civil::DateTime;

/// A moment from 1970 on; `None` where no moment can be made out.
pub fn parse(field: &str) -> Option<Timestamp> {
    let at = loose(field).or_else(|| field.trim().parse::<Timestamp>().ok())?;
    (at.as_second() >= 0).then(|| Timestamp::from_second(at.as_second()).ok()).flatten()
}

/// Takes the words as they come: `2 Mar 2026 10:00:00 +0100`, with or without
/// weekday, seconds and zone, also `Mon Mar 2 10:00:00 2026`.
fn loose(field: &str) -> Option<Timestamp> {
    let (mut day, mut month, mut year, mut time, mut offset) = (None, None, None, None, None);
    let plain = field.split('(').next().unwrap_or_default();
    for word in plain.split([' ', '\t', '\r', '\n', ',']).filter(|w| !w.is_empty()).take(12) {
        if time.is_none() && word.contains(':') {
            // `00:01+0000`
            let (moment, glued) = word.split_at(word.find(['+', '-']).unwrap_or(word.len()));
            time = Some(clock(moment)?);
            offset = zone(glued).filter(|_| !glued.is_empty());
        } else if time.is_some() && offset.is_none() && zone(word).is_some() {
            offset = zone(word);
        } else if let Ok(number) = word.parse::<i16>() {
            match (day, year) {
                (None, _) if (1..=31).contains(&number) => day = i8::try_from(number).ok(),
                (_, None) if number >= 0 => year = Some(full_year(number, word.len())),
                _ => {}
            }
        } else if month.is_none() && word.contains('-') && time.is_none() {
            // `2-Mar-2026`
            let mut pieces = word.splitn(3, '-');
            day = pieces.next().and_then(|d| d.parse().ok());
            month = pieces.next().and_then(month_number);
            let text = pieces.next()?;
            year = Some(full_year(text.parse().ok()?, text.len()));
        } else if month.is_none() {
            month = month_number(word);
        }
    }
    let (hour, minute, second) = time?;
    let local = DateTime::new(year?, month?, day?, hour, minute, second, 0).ok()?;
    let utc = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
    utc.checked_sub(jiff::SignedDuration::from_secs(offset.unwrap_or(0))).ok()
}

fn clock(word: &str) -> Option<(i8, i8, i8)> {
    let mut pieces = word.split(':');
    let hour = pieces.next()?.parse().ok()?;
    let minute = pieces.next()?.parse().ok()?;
    let second: i8 = match pieces.next() {
        Some(text) => text.split('.').next()?.parse().ok()?,
        None => 0,
    };
    // A leap second is the second before for everybody but astronomers.
    Some((hour, minute, if second == 60 { 59 } else { second }))
}

/// RFC 5322, section 4.3: two digits below 50 are of this century.
fn full_year(number: i16, digits: usize) -> i16 {
    match (digits, number) {
        (..=2, 0..=49) => 2000 + number,
        (..=3, 0..=999) => 1900 + number,
        _ => number,
    }
}

fn month_number(word: &str) -> Option<i8> {
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let short = word.get(..3)?.to_ascii_lowercase();
    names.iter().position(|n| *n == short).and_then(|n| i8::try_from(n + 1).ok())
}

/// Seconds east of Greenwich. Letters that are no known zone mean nothing, as
/// the standard has it.
fn zone(word: &str) -> Option<i64> {
    let word = word.trim_start_matches("GMT").trim_start_matches("UTC");
    let hours = match word.to_ascii_uppercase().as_str() {
        "" | "UT" | "Z" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "BST" | "CET" | "MET" => 1,
        "CEST" | "MEST" | "EET" => 2,
        "EEST" | "MSK" => 3,
        "JST" => 9,
        _ => {
            let sign = match word.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let digits = word[1..].replace(':', "");
            let number: i64 = digits.parse().ok()?;
            let (hours, minutes) = if digits.len() <= 2 { (number, 0) } else { (number / 100, number % 100) };
            return (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60));
        }
    };
    Some(hours * 3600)
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(field: &str, expected: Option<&str>) {
        assert_eq!(parse(field).map(|d| d.to_string()).as_deref(), expected, "{field}");
    }

    #[test]
    fn regular() {
        check("Mon, 2 Mar 2026 10:00:00 +0100", Some("2026-03-02T09:00:00Z"));
        check("Mon, 02 Mar 2026 10:00:00 -0530", Some("2026-03-02T15:30:00Z"));
        check("2 Mar 2026 10:00:00 +0000", Some("2026-03-02T10:00:00Z"));
        check("Mon, 2 Mar 2026 10:00:00 -0000 (comment)", Some("2026-03-02T10:00:00Z"));
        check("Mon,\r\n 2 Mar\r\n 2026 10:00:00 +0100", Some("2026-03-02T09:00:00Z"));
    }
    #[test]
    fn obsolete() {
        check("2 Mar 2026 10:00 GMT", Some("2026-03-02T10:00:00Z"));
        check("Mon, 2 Mar 99 10:00:00 EST", Some("1999-03-02T15:00:00Z"));
        check("Mon, 2 Mar 26 10:00:00 UT", Some("2026-03-02T10:00:00Z"));
        check("Mon, 2 Mar 126 10:00:00 Z", Some("2026-03-02T10:00:00Z"));
        check("31 Dec 2016 23:59:60 +0000", Some("2016-12-31T23:59:59Z"));
    }
    #[test]
    fn made_by_programs() {
        check("Mon Mar  2 10:00:00 2026", Some("2026-03-02T10:00:00Z"));
        check("Mon Mar 2 10:00:00 +0100 2026", Some("2026-03-02T09:00:00Z"));
        check("2-Mar-2026 10:00:00 +0100", Some("2026-03-02T09:00:00Z"));
        check("Mon, 2 March 2026 10:00:00 GMT+01:00", Some("2026-03-02T09:00:00Z"));
        check("Mon, 2 Mar 2026 10:00:00.123 +0000", Some("2026-03-02T10:00:00Z"));
        check("Mon, 2 Mar 2026 10:00:00", Some("2026-03-02T10:00:00Z"));
        check("01 Jan 2001 00:01+0100", Some("2000-12-31T23:01:00Z"));
        check("2026-03-02T10:00:00Z", Some("2026-03-02T10:00:00Z"));
        check("Lun, 2 Mar 2026 10:00:00 XYZ", Some("2026-03-02T10:00:00Z"));
    }
    #[test]
    fn no_moment() {
        check("", None);
        check("yesterday", None);
        check("Mon, 2 Mar 1926 10:00:00 +0000", None);
        check("Mon, 99 Mar 2026 10:00:00 +0000", None);
        check("Mon, 30 Feb 2026 10:00:00 +0000", None);
        check("Mon, 2 Mar 2026 25:00:00 +0000", None);
        check("Mon, 2 Mar 2026", None);
        check("2 10:00", None);
    }
}
