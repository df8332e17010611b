//! The form of a draft.

use askama::Template;
use axum::http::StatusCode;
use model::tables::{Email, Organization, Priority};
use model::{Entity, Query, Refusal};

use crate::pages::email::draft::Sheet;
use crate::pages::email::{choices, files, loaded, read};
use crate::pages::kit::{Choice, Desk, Fault, Field, Frame, Input, Outcome, Place};

#[derive(Template)]
#[template(path = "email/compose.html")]
struct ComposePage {
    frame: Frame,
    id: String,
    /// What belongs to no field.
    faults: Vec<String>,
    from: Field,
    to: Field,
    cc: Field,
    bcc: Field,
    subject: Field,
    body: Field,
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
    saved: String,
}

struct File {
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
    Nothing,
}

fn about(refusal: &Refusal) -> About {
    match (refusal.code, refusal.name) {
        (0x8004_0B01 | 0x8004_0B02 | 0x8004_0B08, _) | (_, "PartyHasNoAddress") => About::From,
        (0x8004_0220, "PrivilegeDenied") if refusal.message.contains("send email as") => About::From,
        (0x8004_0B05 | 0x8004_0B09 | 0x8004_0B0A | 0x8004_0B0B | 0x8004_4192, _) | (_, "UnresolvedRecipient") => {
            About::To
        }
        (0x8004_3E09 | 0x8004_4A02 | 0x8004_4A08, _) => About::Files,
        _ => match refusal.field {
            Some("subject") => About::Subject,
            Some("regardingobjectid") => About::Regarding,
            _ => About::Nothing,
        },
    }
}

pub(super) async fn show(desk: &Desk, sheet: &Sheet, refusals: &[Refusal], status: StatusCode) -> Outcome {
    let said = |r: &Refusal| if about(r) == About::Files { r.message.clone() } else { desk.t(&sentence(&r.message)) };
    let of = |which: About| -> Vec<String> { refusals.iter().filter(|r| about(r) == which).map(said).collect() };
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
    let find = desk.query.get("find").unwrap_or_default().to_owned();
    let standing = standing(desk, sheet).await?;
    let title = if sheet.subject.trim().is_empty() { desk.t("New Email") } else { sheet.subject.clone() };
    let page = ComposePage {
        frame: desk.frame("New Email", Place::Activities).with_help("email").titled(title),
        id: sheet.id.map(|id| id.to_string()).unwrap_or_default(),
        faults: of(About::Nothing),
        cc: line("cc", "Cc", &sheet.cc),
        bcc: line("bcc", "Bcc", &sheet.bcc),
        body: Field::new("body", desk.t("Text"), Input::Lines).value(&sheet.body),
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
        saved: String::new(),
        from,
        to,
        subject,
        priority,
    };
    Ok(crate::pages::page(status, &page))
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
    let Some(id) = sheet.id else { return Ok(Standing { quoted: String::new(), files: Vec::new() }) };
    let loaded = loaded::load(&desk.ctx, id).await?;
    let quoted = formats::html::decompose(&loaded.email.description).1;
    let listed = loaded.attachments.iter().map(|a| File {
        id: a.id.to_string(),
        name: files::straight(&a.file_name),
        size: read::size(a.size),
        path: format!("/work/emails/{id}/files/{}", a.id),
    });
    Ok(Standing {
        quoted: if quoted.is_empty() { String::new() } else { format!("/work/emails/{id}/body?part=quoted") },
        files: listed.collect(),
    })
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
        let about = |code, name| about(&Refusal::new(code, name, "x"));
        assert_eq!(about(0x8004_0B01, "InvalidSender"), About::From);
        assert_eq!(about(0x8004_0B00, "UnresolvedRecipient"), About::To);
        assert_eq!(about(0x8004_0B00, "PartyHasNoAddress"), About::From);
        assert_eq!(about(0x8004_3E09, "AttachmentBlocked"), About::Files);
        assert_eq!(about(0x8006_0882, "ConcurrencyVersionMismatch"), About::Nothing);
    }
    #[test]
    fn refusals_are_sentences() {
        assert_eq!(sentence("the email has no sender; choose one"), "The email has no sender; choose one.");
        assert_eq!(sentence("Done."), "Done.");
    }
}
