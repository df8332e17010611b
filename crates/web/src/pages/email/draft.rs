//! A draft as its form has it, and saving it.

use actions::{ActionError, Context, Draft, Precondition};
use axum::extract::Multipart;
use axum::http::StatusCode;
use formats::html::{self, Own};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::tables::{ActivityParty, Attachment, Email, Participation, Priority, REGARDING};
use model::{Entity, Id, Ref, Refusal, Timestamp, words};

use crate::pages::email::answer::{self, How, Origin};
use crate::pages::email::{choices, loaded, recipients};
use crate::pages::kit::{Desk, Editor, Fault, Form};

/// Files of one form.
const MOST_FILES: usize = 50;

/// Who may stand in From.
pub(super) const SENDERS: &[&str] = &["systemuser", "queue"];

/// As fields for a date and time have it.
const LOCAL: &str = "%Y-%m-%dT%H:%M";

/// What somebody has written so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    pub id: Option<Id>,
    /// The version that the writer has before them.
    pub version: Option<i64>,
    /// What a draft that is not saved yet answers.
    pub answers: Option<(Id, How)>,
    /// The draft that this is to be a second one of.
    pub beside: Option<Id>,
    pub from: Option<Ref>,
    pub to: String,
    pub cc: String,
    pub bcc: String,
    pub subject: String,
    /// What is quoted below it stands in the email.
    pub body: Own,
    pub regarding: Option<Ref>,
    pub high: Priority,
    pub read_receipt: bool,
    /// Date and time in the writer's zone; empty: at once.
    pub later: String,
    /// What is quoted is left out.
    pub without_quoted: bool,
}

/// A draft that was saved.
pub(super) struct Saved {
    pub id: Id,
    pub version: Option<i64>,
    /// Files of another email came along.
    pub took_files: bool,
}

/// What stands against saving, beyond what is wrong with the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// Somebody else has saved, or sent, the draft meanwhile.
    Changed,
    Gone,
}

impl Against {
    pub fn of(refusals: &[Refusal]) -> Option<Self> {
        refusals.iter().find_map(|refusal| match refusal.name {
            "ConcurrencyVersionMismatch" => Some(Self::Changed),
            GONE => Some(Self::Gone),
            _ => None,
        })
    }

    /// For the page and its script.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// Names the refusal of a draft that is not there any more.
const GONE: &str = "DraftIsGone";

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
            version: form.number("version"),
            answers: answer::of_form(form),
            beside: None,
            from: choices::record(form.text("from"), SENDERS),
            to: form.text("to").to_owned(),
            cc: form.text("cc").to_owned(),
            bcc: form.text("bcc").to_owned(),
            subject: form.text("subject").to_owned(),
            body: Editor::written(form, "body"),
            regarding: regarding.and_then(|text| choices::record(text, REGARDING)),
            high: form.number("prioritycode").and_then(Priority::from_number).unwrap_or_default(),
            read_receipt: form.ticked("readreceiptrequested"),
            later: form.text(Email::C.delayed_send.name).to_owned(),
            without_quoted: form.ticked("without"),
        }
    }

    /// As it was saved.
    pub fn of_email(loaded: &loaded::Loaded, zone: &TimeZone) -> Self {
        let email = &loaded.email;
        let field = |kind| recipients::write(&loaded.of_kind(kind).collect::<Vec<_>>());
        Self {
            id: Some(email.id),
            version: loaded.version,
            answers: None,
            beside: None,
            from: loaded.sender().and_then(|p| p.party).filter(|p| SENDERS.contains(&p.table)),
            to: field(Participation::To),
            cc: field(Participation::Cc),
            bcc: field(Participation::Bcc),
            subject: email.subject.clone(),
            body: html::decompose(&email.description).0,
            regarding: email.regarding,
            high: email.priority,
            read_receipt: email.read_receipt,
            later: email
                .delayed_send
                .map(|at| at.to_zoned_datetime(zone.clone()).strftime(LOCAL).to_string())
                .unwrap_or_default(),
            without_quoted: false,
        }
    }

    /// When it is to be sent. `Err`: what stands in the field is no time.
    pub fn send_at(&self, zone: &TimeZone) -> Result<Option<Timestamp>, Refusal> {
        let text = self.later.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let local = text.parse::<DateTime>().ok();
        let at = local.and_then(|local| Some(local.to_zoned_datetime(zone.clone()).ok()?.timestamp()));
        let wrong = || Refusal::invalid(Some(Email::C.delayed_send.name), words!("This is no date and time."));
        at.map(Some).ok_or_else(wrong)
    }

    /// What must be so of the draft before it is changed.
    pub fn standing(&self) -> Precondition {
        self.version.map_or(Precondition::Exists, Precondition::Version)
    }
}

/// Saves the sheet. `Err` inside: what was refused; nothing was saved then.
/// `strict`: what is no address is refused instead of being left out.
pub(super) async fn save(desk: &Desk, sheet: &Sheet, strict: bool) -> Result<Result<Saved, Vec<Refusal>>, Fault> {
    let later = match sheet.send_at(&desk.viewer.zone) {
        Err(refusal) if strict => return Ok(Err(vec![refusal])),
        later => later.unwrap_or_default(),
    };
    match sheet.id {
        Some(id) => change(&desk.ctx, sheet, id, later, strict).await,
        None => create(desk, sheet, later, strict).await,
    }
}

async fn change(
    ctx: &Context,
    sheet: &Sheet,
    id: Id,
    later: Option<Timestamp>,
    strict: bool,
) -> Result<Result<Saved, Vec<Refusal>>, Fault> {
    let read = actions::read(ctx, Email::TABLE, id, vec![Email::C.description.name, "ownerid"]).await;
    let row = match refused(read)? {
        Ok(row) => row,
        Err(refusals) if refusals.iter().all(|r| r.code == Refusal::ABSENT) => {
            return Ok(Err(vec![Refusal::new(Refusal::ABSENT, GONE, words!("The draft was deleted elsewhere."))]));
        }
        Err(refusals) => return Ok(Err(refusals)),
    };
    let (own, quoted) = html::decompose(row.get(Email::C.description.name).as_text().unwrap_or_default());
    // Whoever is still writing may change their mind about leaving it out.
    let quoted = if sheet.without_quoted && strict { "" } else { &quoted };
    let text = html::compose(&sheet.body.or_standing(&own), quoted);
    let draft = written(ctx, sheet, text, later, strict).await?;
    let saved = actions::update(ctx, id, draft, sheet.standing()).await;
    Ok(refused(saved)?.map(|saved| Saved { id, version: saved.version, took_files: false }))
}

async fn create(
    desk: &Desk,
    sheet: &Sheet,
    later: Option<Timestamp>,
    strict: bool,
) -> Result<Result<Saved, Vec<Refusal>>, Fault> {
    let ctx = &desk.ctx;
    let origin = origin(desk, sheet).await?;
    let quoted = if sheet.without_quoted && strict { "" } else { &origin.quoted };
    let text = html::compose(&sheet.body, quoted);
    let draft = written(ctx, sheet, text, later, strict)
        .await?
        .with(Email::C.is_outgoing, true)
        .with(Email::C.parent, origin.parent);
    let id = match refused(actions::create(ctx, draft).await)? {
        Ok(id) => id,
        Err(refusals) => return Ok(Err(refusals)),
    };
    origin.copy_files(ctx, id).await?;
    Ok(Ok(Saved { id, version: version(ctx, id).await?, took_files: !origin.files.is_empty() }))
}

/// What a draft that is not saved yet has from elsewhere.
pub(super) async fn origin(desk: &Desk, sheet: &Sheet) -> Result<Origin, Fault> {
    if let Some(beside) = sheet.beside {
        // Where that is gone, what was written is all that is left.
        return Ok(match refused(actions::read(&desk.ctx, Email::TABLE, beside, vec!["subject"]).await)? {
            Ok(_) => Origin::of_draft(&loaded::load(&desk.ctx, beside).await?),
            Err(_) => Origin::default(),
        });
    }
    Ok(match sheet.answers {
        Some((original, how)) => Origin::of_answer(desk, &loaded::load(&desk.ctx, original).await?, how),
        None => Origin::default(),
    })
}

/// The version that the email has now.
pub(super) async fn version(ctx: &Context, id: Id) -> Result<Option<i64>, Fault> {
    let row = actions::read(ctx, Email::TABLE, id, vec!["versionnumber"]).await?;
    Ok(row.get("versionnumber").as_int())
}

async fn written(
    ctx: &Context,
    sheet: &Sheet,
    text: String,
    later: Option<Timestamp>,
    strict: bool,
) -> Result<Draft, Fault> {
    let draft = Draft::new(Email::TABLE)
        .with(Email::C.subject, sheet.subject.chars().filter(|c| !c.is_control()).collect())
        .with(Email::C.description, text)
        .with(Email::C.regarding, sheet.regarding)
        .with(Email::C.priority, sheet.high)
        .with(Email::C.read_receipt, sheet.read_receipt)
        .with(Email::C.delayed_send, later);
    let parties = parties(ctx, sheet, strict).await?;
    Ok(with_parties(draft, parties))
}

/// The draft with these parties instead of those it has.
fn with_parties(mut draft: Draft, parties: Vec<Draft>) -> Draft {
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

fn sender(who: Ref) -> Draft {
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
    let named = |r: Refusal| Refusal { message: words!("{0}: {1}", file.name, r.message), ..r };
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
