//! The form of a draft.

use askama::Template;
use axum::http::StatusCode;
use model::tables::{Attachment, Email, Organization, Priority};
use model::{Entity, Id, Query, Refusal};

use crate::pages::email::answer::How;
use crate::pages::email::draft::{self, Against, Sheet};
use crate::pages::email::loaded::Loaded;
use crate::pages::email::{choices, files, loaded, read};
use crate::pages::kit::{Choice, Desk, Editor, Fault, Field, Frame, Input, Outcome, Place};

#[derive(Template)]
#[template(path = "email/compose.html")]
struct ComposePage {
    frame: Frame,
    id: String,
    version: String,
    /// The email that is answered, and how, as long as nothing is saved.
    answers: String,
    how: &'static str,
    /// What stands against saving; empty where nothing does.
    against: &'static str,
    /// What belongs to no field.
    faults: Vec<String>,
    from: Field,
    to: Field,
    cc: Field,
    bcc: Field,
    subject: Field,
    body: Editor,
    later: Field,
    /// The time to send at is open to be set.
    scheduling: bool,
    priority: Field,
    receipt: Field,
    regarding: String,
    regarding_key: String,
    regarding_choices: Vec<Choice>,
    regarding_faults: Vec<String>,
    find: String,
    searched: bool,
    /// The address of what stands below the text.
    quoted: String,
    files: Vec<File>,
    file_help: String,
    file_faults: Vec<String>,
}

/// The files alone, for the page's script.
#[derive(Template)]
#[template(path = "email/files.html")]
struct FilesPart {
    frame: Frame,
    files: Vec<File>,
}

struct File {
    /// Empty as long as it is another email's.
    id: String,
    name: String,
    size: String,
    path: String,
}

/// Which field a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    From,
    To,
    Subject,
    Regarding,
    Files,
    Later,
    Nothing,
}

fn about(refusal: &Refusal) -> About {
    match (refusal.code, refusal.name) {
        (0x8004_0B01 | 0x8004_0B02 | 0x8004_0B08, _) | (_, "PartyHasNoAddress") => About::From,
        (0x8004_0220, "PrivilegeDenied") if refusal.message.template().contains("send email as") => About::From,
        (0x8004_0B05 | 0x8004_0B09 | 0x8004_0B0A | 0x8004_0B0B | 0x8004_4192, _) | (_, "UnresolvedRecipient") => {
            About::To
        }
        (0x8004_3E09 | 0x8004_4A02 | 0x8004_4A08, _) => About::Files,
        _ => match refusal.field {
            Some("subject") => About::Subject,
            Some("regardingobjectid") => About::Regarding,
            Some("delayedemailsendtime") => About::Later,
            _ => About::Nothing,
        },
    }
}

pub(in crate::pages::email) async fn show(
    desk: &Desk,
    sheet: &Sheet,
    refusals: &[Refusal],
    status: StatusCode,
) -> Outcome {
    let said =
        |r: &Refusal| if about(r) == About::Files { desk.words(&r.message) } else { sentence(&desk.words(&r.message)) };
    let of = |which: About| -> Vec<String> {
        refusals.iter().filter(|r| about(r) == which && Against::of(&[(*r).clone()]).is_none()).map(said).collect()
    };
    let against = Against::of(refusals);
    let line = |name: &str, label: &str, value: &str| Field::new(name, desk.t(label), Input::Line).value(value);
    let mut from = Field::new("from", desk.t("From"), Input::Select).choices(senders(desk, sheet).await?);
    from.value = sheet.from.map(choices::key).unwrap_or_default();
    from.faults = of(About::From);
    let mut to = line("to", "To", &sheet.to).help(desk.t("Addresses or names, with semicolons between them."));
    to.faults = of(About::To);
    let mut subject = Field::of(desk.viewer.texts, Email::TABLE, "subject").value(&sheet.subject);
    subject.faults = of(About::Subject);
    let mut priority = Field::of(desk.viewer.texts, Email::TABLE, Email::C.priority.name);
    priority.value = Priority::number(sheet.high).to_string();
    let mut body = Editor::new(desk.viewer.texts, "body", desk.t("Text"), &sheet.body);
    body.focused = sheet.answers.is_some_and(|(_, how)| how != How::Forward);
    let later = later(desk, sheet, of(About::Later));
    let find = desk.query.get("find").unwrap_or_default().to_owned();
    let standing = standing(desk, sheet).await?;
    let title = if sheet.subject.trim().is_empty() { desk.t("New Email") } else { sheet.subject.clone() };
    let page = ComposePage {
        frame: desk.frame("New Email", Place::Activities).with_help("email").titled(title),
        id: sheet.id.map(|id| id.to_string()).unwrap_or_default(),
        version: sheet.version.map(|v| v.to_string()).unwrap_or_default(),
        answers: sheet.answers.map(|(id, _)| id.to_string()).unwrap_or_default(),
        how: sheet.answers.map_or("", |(_, how)| how.word()),
        against: against.map_or("", Against::word),
        faults: of(About::Nothing),
        cc: line("cc", "Cc", &sheet.cc),
        bcc: line("bcc", "Bcc", &sheet.bcc),
        scheduling: !later.value.is_empty() || !later.faults.is_empty(),
        body,
        later,
        receipt: Field::of(desk.viewer.texts, Email::TABLE, Email::C.read_receipt.name).ticked(sheet.read_receipt),
        regarding: match sheet.regarding {
            Some(record) => choices::named(&desk.ctx, desk, record).await?,
            None => String::new(),
        },
        regarding_key: sheet.regarding.map(choices::key).unwrap_or_default(),
        regarding_choices: choices::records(desk, &find, 8).await?,
        regarding_faults: of(About::Regarding),
        searched: !find.is_empty(),
        find,
        quoted: standing.quoted,
        files: standing.files,
        file_help: file_help(desk).await?,
        file_faults: of(About::Files),
        from,
        to,
        subject,
        priority,
    };
    let status = if against.is_some() { StatusCode::CONFLICT } else { status };
    Ok(crate::pages::page(status, &page))
}

fn later(desk: &Desk, sheet: &Sheet, faults: Vec<String>) -> Field {
    let zone = desk.viewer.zone.iana_name().unwrap_or("UTC");
    let mut field = Field::new(Email::C.delayed_send.name, desk.t("Send on"), Input::Time)
        .value(&sheet.later)
        .help(desk.viewer.texts.with("In your time zone, {0}.", &[&zone]));
    field.faults = faults;
    field
}

/// As a sentence: rules speak in the middle of one.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let whole = first + chars.as_str();
    if whole.ends_with(['.', '!', '?']) { whole } else { whole + "." }
}

async fn senders(desk: &Desk, sheet: &Sheet) -> Result<Vec<Choice>, Fault> {
    let mut senders: Vec<Choice> = actions::senders::list(&desk.ctx)
        .await?
        .into_iter()
        .map(|s| Choice::new(choices::key(s.who), crate::pages::email::recipients::shown(&s.name, &s.address)))
        .collect();
    // Whoever stands there now stays, and is refused when it comes to that.
    if let Some(who) = sheet.from.filter(|who| senders.iter().all(|s| s.value != choices::key(*who))) {
        senders.push(Choice::new(choices::key(who), choices::named(&desk.ctx, desk, who).await?));
    }
    Ok(senders)
}

struct Standing {
    quoted: String,
    files: Vec<File>,
}

/// What the draft has besides its form's fields.
async fn standing(desk: &Desk, sheet: &Sheet) -> Result<Standing, Fault> {
    let nothing = Standing { quoted: String::new(), files: Vec::new() };
    if let Some(id) = sheet.id {
        // The form stays, even if the draft is gone.
        let read = actions::read(&desk.ctx, Email::TABLE, id, vec!["subject"]).await;
        if draft::refused(read)?.is_err() {
            return Ok(nothing);
        }
        let loaded = loaded::load(&desk.ctx, id).await?;
        let quoted = formats::html::decompose(&loaded.email.description).1;
        let path = format!("/work/emails/{id}/body?part=quoted");
        return Ok(Standing { quoted: if quoted.is_empty() { String::new() } else { path }, files: own(&loaded) });
    }
    let Some((original, how)) = sheet.answers else { return Ok(nothing) };
    let origin = draft::origin(desk, sheet).await?;
    let listed = origin.files.iter().map(|(a, _)| File { id: String::new(), ..file(a, original) });
    Ok(Standing { quoted: format!("/work/emails/{original}/quoted?how={}", how.word()), files: listed.collect() })
}

fn own(loaded: &Loaded) -> Vec<File> {
    loaded.attachments.iter().map(|a| file(a, loaded.email.id)).collect()
}

fn file(attachment: &Attachment, email: Id) -> File {
    File {
        id: attachment.id.to_string(),
        name: files::straight(&attachment.file_name),
        size: read::size(attachment.size),
        path: format!("/work/emails/{email}/files/{}", attachment.id),
    }
}

/// The files that the draft has by now.
pub(super) async fn files(desk: &Desk, id: Id) -> Result<String, Fault> {
    let loaded = loaded::load(&desk.ctx, id).await?;
    let part = FilesPart { frame: desk.frame("New Email", Place::Activities), files: own(&loaded) };
    Ok(part.render().unwrap_or_default())
}

async fn file_help(desk: &Desk) -> Result<String, Fault> {
    let organization = loaded::rows_or_none::<Organization>(&desk.ctx, Query::of::<Organization>().limit(1)).await?;
    let most = organization.first().map_or(5_242_880, |o| o.max_upload);
    Ok(desk.viewer.texts.with(
        "At most {0} each. Files can also be dropped here. Programs and scripts are not accepted.",
        &[&read::size(most)],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_find_their_field() {
        let about = |code, name| about(&Refusal::new(code, name, model::words!("x")));
        assert_eq!(about(0x8004_0B01, "InvalidSender"), About::From);
        assert_eq!(about(0x8004_0B00, "UnresolvedRecipient"), About::To);
        assert_eq!(about(0x8004_0B00, "PartyHasNoAddress"), About::From);
        assert_eq!(about(0x8004_3E09, "AttachmentBlocked"), About::Files);
        let later = Refusal::invalid(Some("delayedemailsendtime"), model::words!("x"));
        assert_eq!(super::about(&later), About::Later);
        assert_eq!(about(0x8006_0882, "ConcurrencyVersionMismatch"), About::Nothing);
    }
    #[test]
    fn refusals_are_sentences() {
        assert_eq!(sentence("the email has no sender; choose one"), "The email has no sender; choose one.");
        assert_eq!(sentence("Done."), "Done.");
    }
}
