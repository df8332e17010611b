//! A draft as its form has it, and saving it.

use actions::{ActionError, Context, Draft, Precondition};
use axum::extract::Multipart;
use axum::http::StatusCode;
use formats::html;
use model::tables::{ActivityParty, Attachment, Email, Participation, Priority, REGARDING};
use model::{Entity, Id, Ref, Refusal};

use crate::pages::email::{choices, loaded, recipients};
use crate::pages::kit::{Fault, Form};

/// Files of one form.
const MOST_FILES: usize = 50;

/// Who may stand in From.
pub(super) const SENDERS: &[&str] = &["systemuser", "queue"];

/// What somebody has written so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    pub id: Option<Id>,
    pub from: Option<Ref>,
    pub to: String,
    pub cc: String,
    pub bcc: String,
    pub subject: String,
    /// Plain text; what is quoted below it stands in the email.
    pub body: String,
    pub regarding: Option<Ref>,
    pub high: Priority,
    pub read_receipt: bool,
    /// What is quoted is left out.
    pub without_quoted: bool,
}

/// A file that was chosen.
pub(super) struct Upload {
    pub name: String,
    pub kind: String,
    pub bytes: Vec<u8>,
}

/// Reads the form and its files.
pub(super) async fn read(mut multipart: Multipart) -> Result<(Form, Vec<Upload>), Fault> {
    let bad = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "The files are too large."),
        _ => Fault::bad("The form could not be read. Send it again."),
    };
    let (mut form, mut files) = (Form::default(), Vec::new());
    while let Some(field) = multipart.next_field().await.map_err(bad)? {
        let name = field.name().unwrap_or_default().to_owned();
        let Some(file) = field.file_name().map(str::to_owned) else {
            form.put(&name, field.text().await.map_err(bad)?);
            continue;
        };
        let kind = field.content_type().unwrap_or("application/octet-stream").to_owned();
        let bytes = field.bytes().await.map_err(bad)?.to_vec();
        // A field without a file comes all the same.
        if file.is_empty() && bytes.is_empty() {
            continue;
        }
        if files.len() >= MOST_FILES {
            return Err(Fault::bad("Too many files at once."));
        }
        // Some browsers send a path.
        let file = file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        files.push(Upload { name: file, kind, bytes });
    }
    Ok((form, files))
}

impl Sheet {
    /// As the form has it.
    pub fn of_form(form: &Form) -> Self {
        let regarding = form.get("regarding").or_else(|| form.get("regarding_now"));
        Self {
            id: form.id("id"),
            from: choices::record(form.text("from"), SENDERS),
            to: form.text("to").to_owned(),
            cc: form.text("cc").to_owned(),
            bcc: form.text("bcc").to_owned(),
            subject: form.text("subject").to_owned(),
            body: form.text("body").replace("\r\n", "\n"),
            regarding: regarding.and_then(|text| choices::record(text, REGARDING)),
            high: form.number("prioritycode").and_then(Priority::from_number).unwrap_or_default(),
            read_receipt: form.ticked("readreceiptrequested"),
            without_quoted: form.ticked("without"),
        }
    }

    /// As it was saved.
    pub fn of_email(loaded: &loaded::Loaded) -> Self {
        let email = &loaded.email;
        let field = |kind| recipients::write(&loaded.of_kind(kind).collect::<Vec<_>>());
        Self {
            id: Some(email.id),
            from: loaded.sender().and_then(|p| p.party).filter(|p| SENDERS.contains(&p.table)),
            to: field(Participation::To),
            cc: field(Participation::Cc),
            bcc: field(Participation::Bcc),
            subject: email.subject.clone(),
            body: html::decompose(&email.description).0,
            regarding: email.regarding,
            high: email.priority,
            read_receipt: email.read_receipt,
            without_quoted: false,
        }
    }
}

/// Saves the sheet. `Err` inside: what was refused; nothing was saved then.
/// `strict`: what is no address is refused instead of being left out.
pub(super) async fn save(ctx: &Context, sheet: &Sheet, strict: bool) -> Result<Result<Id, Vec<Refusal>>, Fault> {
    let quoted = match sheet.id {
        Some(id) if !sheet.without_quoted => {
            let row = actions::read(ctx, Email::TABLE, id, vec![Email::C.description.name, "ownerid"]).await?;
            html::decompose(row.get(Email::C.description.name).as_text().unwrap_or_default()).1
        }
        _ => String::new(),
    };
    let mut draft = Draft::new(Email::TABLE)
        .with(Email::C.subject, sheet.subject.chars().filter(|c| !c.is_control()).collect())
        .with(Email::C.description, html::compose(&sheet.body, &quoted))
        .with(Email::C.regarding, sheet.regarding)
        .with(Email::C.priority, sheet.high)
        .with(Email::C.read_receipt, sheet.read_receipt);
    if sheet.id.is_none() {
        draft = draft.with(Email::C.is_outgoing, true);
    }
    let parties = parties(ctx, sheet, strict).await?;
    let draft = with_parties(draft, parties);
    let saved = match sheet.id {
        Some(id) => actions::update(ctx, id, draft, Precondition::Exists).await.map(|saved| saved.id),
        None => actions::create(ctx, draft).await,
    };
    refused(saved)
}

/// The draft with these parties instead of those it has.
pub(super) fn with_parties(mut draft: Draft, parties: Vec<Draft>) -> Draft {
    let child = Email::TABLE.children.iter().find(|c| c.table == ActivityParty::TABLE.logical);
    draft.children.extend(child.map(|child| (*child, parties)));
    draft
}

async fn parties(ctx: &Context, sheet: &Sheet, strict: bool) -> Result<Vec<Draft>, Fault> {
    let mut parties: Vec<Draft> = sheet.from.map(sender).into_iter().collect();
    for (kind, text) in
        [(Participation::To, &sheet.to), (Participation::Cc, &sheet.cc), (Participation::Bcc, &sheet.bcc)]
    {
        parties.extend(recipients::parties(ctx, kind, text, strict).await?);
    }
    Ok(parties)
}

pub(super) fn sender(who: Ref) -> Draft {
    Draft::new(ActivityParty::TABLE)
        .with(ActivityParty::C.participation, Participation::Sender)
        .with(ActivityParty::C.party, Some(who))
}

/// Puts files to the email; what is refused, with the file's name.
pub(super) async fn attach(ctx: &Context, email: Id, files: Vec<Upload>) -> Result<Vec<Refusal>, Fault> {
    let mut faults = Vec::new();
    for file in files {
        faults.extend(attach_as(ctx, email, file, "").await?);
    }
    Ok(faults)
}

/// One file, with the Content-ID by which the text refers to it, if it does.
pub(super) async fn attach_as(ctx: &Context, email: Id, file: Upload, content_id: &str) -> Result<Vec<Refusal>, Fault> {
    let mut draft = Draft::new(Attachment::TABLE)
        .with(Attachment::C.object, Some(Ref::new(Email::TABLE.logical, email)))
        .with(Attachment::C.file_name, file.name.clone())
        .with(Attachment::C.content_id, content_id.to_owned())
        .with(Attachment::C.mime_type, kind(&file.kind));
    draft.body = Some(file.bytes);
    let named = |r: Refusal| Refusal { message: format!("{}: {}", file.name, r.message), ..r };
    let refused = refused(actions::create(ctx, draft).await)?;
    Ok(refused.err().unwrap_or_default().into_iter().map(named).collect())
}

/// A media type that can stand in a header.
fn kind(given: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'+' | b'-' | b'_');
    let kind = given.split(';').next().unwrap_or_default().trim();
    let good = kind.split('/').count() == 2 && kind.len() <= 120 && kind.bytes().all(plain);
    if good { kind.to_ascii_lowercase() } else { "application/octet-stream".to_owned() }
}

/// What was refused, apart from what went wrong.
pub(super) fn refused<T>(result: Result<T, ActionError>) -> Result<Result<T, Vec<Refusal>>, Fault> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(Fault::refusals(error)?)),
    }
}
