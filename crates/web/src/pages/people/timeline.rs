//! What happened with a customer, newest first, a page at a time.

use actions::timeline::{Mark, Sort, timeline};
use askama::Template;
use model::tables::{Email, EmailStatus};
use model::{Record, Ref, Timestamp};

use crate::pages::grid::tone;
use crate::pages::kit::{Desk, Fault, Outcome, Viewer, show};

/// Activities of one page.
const PAGE: usize = 20;

const SORTS: [(Sort, &str, &str); 4] = [
    (Sort::All, "", "All activities"),
    (Sort::Received, "received", "Received"),
    (Sort::Sent, "sent", "Sent"),
    (Sort::Open, "open", "Not sent yet"),
];

#[derive(Template)]
#[template(path = "people/timeline.html")]
pub(crate) struct Timeline {
    viewer: Viewer,
    sorts: Vec<Shown>,
    entries: Entries,
    /// Why there is none; empty where there may be.
    refused: String,
}

struct Shown {
    label: String,
    href: String,
    part: String,
    here: bool,
}

/// The activities of one page, and where the next one is.
#[derive(Template)]
#[template(path = "people/entries.html")]
struct Entries {
    viewer: Viewer,
    rows: Vec<Entry>,
    next: Option<Next>,
}

struct Next {
    href: String,
    part: String,
}

struct Entry {
    href: String,
    subject: String,
    when: Option<Timestamp>,
    outgoing: bool,
    who: String,
    status: String,
    tone: &'static str,
    attachments: i64,
    failure: String,
}

impl Timeline {
    /// The page that the query asks for. `path`: of the record's own page.
    pub async fn load(desk: &Desk, of: Ref, path: String) -> Result<Self, Fault> {
        let (entries, refused) = match entries(desk, of, &path).await {
            Ok(entries) => (entries, String::new()),
            Err(fault) if !fault.refusals.is_empty() => {
                (Entries { viewer: desk.viewer.clone(), rows: Vec::new(), next: None }, fault.told(desk))
            }
            Err(fault) => return Err(fault),
        };
        let here = sort(desk);
        let sorts = SORTS.iter().map(|(sort, word, label)| Shown {
            label: desk.t(label),
            href: format!("{path}?show={word}#timeline"),
            part: format!("{path}/timeline?show={word}"),
            here: *sort == here,
        });
        Ok(Self { viewer: desk.viewer.clone(), sorts: sorts.collect(), entries, refused })
    }

    fn t<'a>(&'a self, english: &'a str) -> &'a str {
        self.viewer.texts.text(english)
    }
}

impl Entries {
    fn t<'a>(&'a self, english: &'a str) -> &'a str {
        self.viewer.texts.text(english)
    }
}

/// What the page's script asks for: another choice, or the next page.
pub(super) async fn part(desk: &Desk, of: Ref, path: String) -> Outcome {
    if desk.query.get("after").is_some() {
        return show(&entries(desk, of, &path).await?);
    }
    show(&Timeline::load(desk, of, path).await?)
}

fn sort(desk: &Desk) -> Sort {
    let word = desk.query.text("show");
    SORTS.iter().find(|(_, w, _)| *w == word).map_or(Sort::All, |(sort, ..)| *sort)
}

async fn entries(desk: &Desk, of: Ref, path: &str) -> Result<Entries, Fault> {
    let after = desk.query.get("after").map(read).transpose()?;
    let found = timeline(&desk.ctx, of, sort(desk), after, PAGE).await?;
    let show = desk.query.text("show");
    let word = if SORTS.iter().any(|(_, w, _)| *w == show) { show } else { "" };
    let next = found.next.map(|mark| {
        let query = format!("show={word}&after={}", written(mark));
        Next { href: format!("{path}?{query}#timeline"), part: format!("{path}/timeline?{query}") }
    });
    let rows = found.rows.iter().map(|row| entry(desk, row)).collect();
    Ok(Entries { viewer: desk.viewer.clone(), rows, next })
}

fn entry(desk: &Desk, row: &Record) -> Entry {
    let text = |column: &str| row.get(column).as_text().unwrap_or("").to_owned();
    let outgoing = row.get(Email::C.is_outgoing.name).as_bool().unwrap_or(false);
    let status = row.get(Email::C.status.name).as_int().unwrap_or(0);
    let subject = text("subject");
    Entry {
        href: format!("/work/emails/{}", row.id),
        subject: if subject.trim().is_empty() { desk.t("(without a subject)") } else { subject },
        when: row.get(Email::C.sort_date.name).as_time(),
        outgoing,
        who: if outgoing { text("torecipients").replace(';', ", ") } else { text("sender") },
        status: EmailStatus::OPTIONS.label(status).map(|l| desk.t(l)).unwrap_or_default(),
        tone: tone("email", "statuscode", status),
        attachments: row.get(Email::C.attachment_count.name).as_int().unwrap_or(0),
        failure: desk.said(&text("pr_failurereason")),
    }
}

/// `1767225600000000.0190…`
fn written(mark: Mark) -> String {
    format!("{}.{}", mark.at.map_or_else(|| "-".to_owned(), |at| at.as_microsecond().to_string()), mark.id)
}

fn read(text: &str) -> Result<Mark, Fault> {
    let wrong = || Fault::bad("The address names no place in the timeline.");
    let (at, id) = text.split_once('.').ok_or_else(wrong)?;
    let at = match at {
        "-" => None,
        micros => Some(micros.parse().ok().and_then(|n| Timestamp::from_microsecond(n).ok()).ok_or_else(wrong)?),
    };
    Ok(Mark { at, id: id.parse().map_err(|_| wrong())? })
}

#[cfg(test)]
mod tests {
    use model::Id;

    use super::*;

    #[track_caller]
    fn check(at: Option<&str>) {
        let mark = Mark { at: at.map(|t| t.parse().unwrap()), id: Id::from_u128(7) };
        assert_eq!(read(&written(mark)).ok(), Some(mark));
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        check(Some("2026-03-01T09:00:00.123456Z"));
        check(Some("1960-01-01T00:00:00Z"));
        check(None);
    }

    #[test]
    fn nonsense() {
        for text in ["", ".", "1", "a.b", "1.x", "99999999999999999999.00000000-0000-0000-0000-000000000007"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
