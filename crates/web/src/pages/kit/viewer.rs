//! How a person reads pages: language, time zone, light or dark.

use actions::{ActionError, Context};
use axum::http::{HeaderMap, header};
use jiff::tz::TimeZone;
use model::tables::Theme;
use model::{Record, Timestamp, Words};

use crate::pages::kit::Told;
use crate::pages::kit::texts::{self, Texts};

/// Of a page that lists rows.
const ROWS: usize = 50;

#[derive(Clone)]
pub(crate) struct Viewer {
    pub texts: &'static Texts,
    pub zone: TimeZone,
    /// `light`, `dark`, or empty for what the system says.
    pub theme: &'static str,
    /// Whether single keys are shortcuts.
    pub keys: bool,
    /// Rows of a list.
    pub rows: usize,
}

impl Viewer {
    /// From the personal options; where these are silent, from what the
    /// browser says.
    pub async fn of(ctx: &Context, headers: &HeaderMap) -> Result<Self, ActionError> {
        let settings = actions::personal(ctx).await?;
        let int = |column: &str| settings.as_ref().and_then(|s: &Record| s.get(column).as_int());
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let texts = int("uilanguageid").and_then(texts::by_locale).unwrap_or_else(|| texts::accepted(accepted));
        let chosen = settings.as_ref().and_then(actions::time_zone);
        let zone = chosen.or(cookie(headers, "postroom-zone")).and_then(|name| TimeZone::get(name).ok());
        let theme = match (int("pr_theme").and_then(Theme::from_number), cookie(headers, "postroom-theme")) {
            (Some(Theme::Light), _) | (_, Some("light")) => "light",
            (Some(Theme::Dark), _) | (_, Some("dark")) => "dark",
            _ => "",
        };
        let rows = int("paginglimit").and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=250).contains(n));
        Ok(Self {
            texts,
            zone: zone.unwrap_or(TimeZone::UTC),
            theme,
            keys: cookie(headers, "postroom-keys") != Some("off"),
            rows: rows.unwrap_or(ROWS),
        })
    }

    /// To the minute: `24 Nov 2026, 11:47`.
    pub fn time(&self, time: Timestamp) -> String {
        let zoned = time.to_zoned_datetime(self.zone.clone());
        let month = self.texts.text(MONTHS[usize::from(zoned.month().unsigned_abs()).saturating_sub(1).min(11)]);
        let clock = zoned.strftime("%H:%M");
        match self.texts.code {
            "de" => format!("{}. {month} {}, {clock}", zoned.day(), zoned.year()),
            _ => format!("{} {month} {}, {clock}", zoned.day(), zoned.year()),
        }
    }

    /// A sentence of the rules, in this person's language.
    pub fn words(&self, words: &Words) -> String {
        self.texts.words(words, &|value| self.moment(value))
    }

    /// A sentence that was written down in English.
    pub fn said(&self, english: &str) -> String {
        self.texts.said(english, &|value| self.moment(value))
    }

    /// A sentence that only the service can have written down in English.
    pub fn told(&self, english: &str) -> Told {
        self.texts.told(english, &|value| self.moment(value))
    }

    /// What went wrong: a text of a page, or a sentence that was written down.
    pub fn fault(&self, english: &str) -> String {
        self.texts.fault(english, &|value| self.moment(value))
    }

    /// A time as the rules write it, for people.
    fn moment(&self, value: &str) -> Option<String> {
        value.ends_with('Z').then(|| value.parse().ok()).flatten().map(|time| self.time(time))
    }

    /// How long something lasts: `90 s`, `12 min`, `3 h 5 min`
    pub fn lasting(seconds: i64) -> String {
        match seconds {
            ..120 => format!("{seconds} s"),
            120..7200 => format!("{} min", seconds / 60),
            _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        }
    }

    /// The time of day: `09:00`.
    pub fn clock(&self, time: Timestamp) -> String {
        time.to_zoned_datetime(self.zone.clone()).strftime("%H:%M").to_string()
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A cookie that the page's script or the options set. Only names and words.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.filter(|(n, _)| *n == name).map(|(_, v)| v).next()?;
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'_' | b'-' | b'+');
    (value.len() <= 64 && value.bytes().all(plain)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_lasts() {
        let told = [5, 119, 125, 7_205, 100_000].map(Viewer::lasting);
        assert_eq!(told, ["5 s", "119 s", "2 min", "2 h 0 min", "27 h 46 min"]);
    }
}
