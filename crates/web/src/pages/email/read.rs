//! An email to read: who, when, what became of it, and the text in a frame of
//! its own. Nothing on any server changes by looking.

pub(super) mod facts;
mod status;

use askama::Template;
use axum::extract::Path;
use formats::html::Shown;
use model::Entity;
use model::tables::{Attachment, Email, EmailStatus, Queue, QueueItem};

use actions::{Wish, permitted};

use crate::pages::email::loaded::{self, Loaded};
use crate::pages::email::{body, files, id, shown};
use crate::pages::kit::{self, Desk, Frame, Outcome, Place};

use facts::{Conversation, Facts, Tracking};
use status::{Status, StatusPart};

#[derive(Template)]
#[template(path = "email/read.html")]
struct ReadPage {
    frame: Frame,
    id: String,
    facts: Facts,
    status: Status,
    text: Text,
    files: Vec<File>,
    conversation: Vec<Conversation>,
    /// The conversation has earlier emails than these.
    earlier: bool,
    tracking: Tracking,
    may_write: bool,
    may_answer: bool,
    may_enqueue: bool,
    may_work: bool,
    may_assign: bool,
}

/// What is said around the frame with the text.
struct Text {
    /// The address of the frame.
    path: String,
    /// Its height as far as it can be guessed.
    height: usize,
    empty: bool,
    warnings: Vec<String>,
    left_out: String,
    /// Pictures from elsewhere, and whether they are shown.
    remote: usize,
    loaded: bool,
    trackers: usize,
    links: Vec<(String, String)>,
}

struct File {
    name: String,
    kind: String,
    size: String,
    path: String,
}

/// `GET /work/emails/{id}`
pub(super) async fn page(desk: Desk, Path(name): Path<String>) -> Outcome {
    let id = id(&name)?;
    let loaded = loaded::load(&desk.ctx, id).await?;
    let may_write = permitted(&desk.ctx, Wish::Write(Email::TABLE));
    let status = status::of(&desk, &loaded).await?;
    if desk.htmx && desk.query.text("part") == "status" {
        return kit::show(&StatusPart { frame: desk.frame("Email", Place::Activities), status, id: id.to_string() });
    }
    if loaded.email.status == EmailStatus::Draft
        && loaded.email.is_outgoing
        && may_write
        && desk.query.text("as") != "read"
    {
        return kit::go(&format!("/work/emails/{id}/edit"));
    }
    let remote = desk.query.ticked("remote");
    let parts = body::parts(&loaded);
    let shown = shown::clean(&desk, loaded.email.description.clone(), parts, remote).await?;
    let subject = subject(&desk, &loaded.email);
    let (conversation, earlier) = facts::conversation(&desk, &loaded.email).await?;
    let page = ReadPage {
        frame: desk.frame("Email", Place::Activities).with_help("email").titled(subject),
        id: id.to_string(),
        facts: facts::of(&desk, &loaded).await?,
        files: listed(&desk, &loaded, &shown),
        conversation,
        earlier,
        tracking: facts::tracking(&desk, &loaded.email).await?,
        text: text(&desk, &loaded, &shown, remote),
        may_answer: permitted(&desk.ctx, Wish::Create(Email::TABLE)),
        may_enqueue: permitted(&desk.ctx, Wish::Read(Queue::TABLE)),
        may_work: permitted(&desk.ctx, Wish::Write(QueueItem::TABLE)),
        may_assign: permitted(&desk.ctx, Wish::Assign(Email::TABLE)),
        may_write,
        status,
    };
    kit::show(&page)
}

pub(super) fn subject(desk: &Desk, email: &Email) -> String {
    if email.subject.trim().is_empty() { desk.t("(no subject)") } else { email.subject.clone() }
}

fn text(desk: &Desk, loaded: &Loaded, shown: &Shown, remote: bool) -> Text {
    let texts = desk.viewer.texts;
    let path = format!("/work/emails/{}/body", loaded.email.id);
    Text {
        path: if remote { format!("{path}?remote=1") } else { path },
        height: shown::height(&shown.html),
        empty: shown.html.trim().is_empty(),
        warnings: warnings(desk, loaded, shown),
        left_out: shown::left_out(texts, shown).join(", "),
        remote: shown.remote.len(),
        loaded: remote,
        trackers: shown.trackers,
        links: shown.links.iter().map(|l| (l.text.clone(), l.url.clone())).take(200).collect(),
    }
}

fn warnings(desk: &Desk, loaded: &Loaded, shown: &Shown) -> Vec<String> {
    let texts = desk.viewer.texts;
    let mut warnings = shown::warnings(texts, shown);
    if let Some((_, host)) = loaded.sender().and_then(|s| s.address.rsplit_once('@'))
        && let Some((shown, real)) = formats::html::look_alike(host)
    {
        let said =
            texts.with("The sender's address has letters that only look familiar: {0} is {1}.", &[&shown, &real]);
        warnings.insert(0, said);
    }
    if let Some(sender) = loaded.sender().filter(|s| s.party.is_none() && pretends(&s.name, &s.address)) {
        let said = texts.with("The sender is called {0}, but the address is {1}.", &[&sender.name, &sender.address]);
        warnings.insert(0, said);
    }
    warnings
}

/// A name that is another address than the one behind it.
fn pretends(name: &str, address: &str) -> bool {
    let words = name.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '"' | '\''));
    let mut others = words.filter(|w| model::mail::is_address(w) && w.contains('.'));
    others.any(|w| !w.eq_ignore_ascii_case(address))
}

/// Attachments that do not stand in the text already.
fn listed(desk: &Desk, loaded: &Loaded, shown: &Shown) -> Vec<File> {
    let in_text = shown::parts_in(&shown.html);
    let others = loaded.attachments.iter().filter(|a| !in_text.contains(&a.id));
    others.map(|a| file(desk, a, &format!("/work/emails/{}/files/{}", loaded.email.id, a.id))).collect()
}

fn file(desk: &Desk, attachment: &Attachment, path: &str) -> File {
    File {
        name: if attachment.file_name.is_empty() {
            desk.t("(no name)")
        } else {
            files::straight(&attachment.file_name)
        },
        kind: attachment.mime_type.clone(),
        size: size(attachment.size),
        path: path.to_owned(),
    }
}

/// `12 kB`
pub(super) fn size(octets: i64) -> String {
    match octets {
        ..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", (octets + 500) / 1_000),
        _ => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_pretend() {
        assert!(pretends("service@bank.example", "x@evil.example"));
        assert!(pretends("Bank <service@bank.example>", "x@evil.example"));
        assert!(!pretends("x@evil.example", "X@evil.example"));
        assert!(!pretends("Cara Customer", "cara@customer.example"));
        assert!(!pretends("Cara @ Customer", "cara@customer.example"));
    }
    #[test]
    fn sizes() {
        assert_eq!([0, 999, 12_400, 5_242_880].map(size), ["0 B", "999 B", "12 kB", "5.2 MB"]);
    }
}
