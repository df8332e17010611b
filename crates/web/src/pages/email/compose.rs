//! Writing an email: the form, saving it while somebody types, sending it.

pub(super) mod form;

use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use formats::html::Own;
use model::tables::{Attachment, Email, REGARDING};
use model::{Entity, Id, Ref, Refusal};
use serde_json::json;

use crate::pages::email::draft::{self, Against, Saved, Sheet};
use crate::pages::email::{choices, id, loaded};
use crate::pages::kit::{self, Desk, Fault, Form, Outcome};

use actions::Precondition;

/// `GET /work/emails/new[?to=&subject=&regarding=contact:<id>]`
pub(super) async fn new(desk: Desk) -> Outcome {
    let asked = &desk.query;
    let sheet = Sheet {
        from: Some(desk.current.user.reference()),
        to: asked.text("to").to_owned(),
        cc: asked.text("cc").to_owned(),
        subject: asked.text("subject").to_owned(),
        regarding: choices::record(asked.text("regarding"), REGARDING),
        body: signature(&desk).await?.below_blank_lines(),
        ..Sheet::default()
    };
    form::show(&desk, &sheet, &[], StatusCode::OK).await
}

/// Empty where the user has none.
pub(super) async fn signature(desk: &Desk) -> Result<Own, Fault> {
    let options = actions::personal(&desk.ctx).await?;
    let text = options.as_ref().and_then(|o| o.get("pr_signature").as_text()).unwrap_or_default().trim_end();
    Ok(Own::of_column(&text.replace("\r\n", "\n")))
}

/// `GET /work/emails/{id}/edit`
pub(super) async fn edit(desk: Desk, Path(name): Path<String>) -> Outcome {
    let loaded = loaded::load(&desk.ctx, id(&name)?).await?;
    if !open(&loaded.email) {
        return kit::go(&format!("/work/emails/{}?as=read", loaded.email.id));
    }
    form::show(&desk, &Sheet::of_email(&loaded, &desk.viewer.zone), &[], StatusCode::OK).await
}

/// Whether it can still be written.
fn open(email: &Email) -> bool {
    use model::tables::EmailStatus as S;
    email.is_outgoing && matches!(email.status, S::Draft | S::Failed)
}

/// `POST /work/emails/save`: what to do is said by the button.
pub(super) async fn save(desk: Desk, form: Result<Multipart, MultipartRejection>) -> Outcome {
    let multipart = form.map_err(|_| Fault::bad("The payload must be a form with its files."))?;
    let (form, files) = draft::read(multipart).await?;
    let mut sheet = Sheet::of_form(&form);
    let action = form.text("do").to_owned();
    match action.as_str() {
        "autosave" => return autosave(&desk, sheet).await,
        "discard" => return discard(&desk, &sheet).await,
        "copy" => (sheet.beside, sheet.version) = (sheet.id.take(), None),
        "forget" => sheet.regarding = None,
        "send" => sheet.later.clear(),
        _ => {}
    }
    let saved = match draft::save(&desk, &sheet, true).await? {
        Ok(saved) => saved,
        Err(refusals) => return form::show(&desk, &sheet, &refusals, StatusCode::BAD_REQUEST).await,
    };
    let id = saved.id;
    let touches_files = !files.is_empty() || action.starts_with("remove:");
    let mut refusals = draft::attach(&desk.ctx, id, files).await?;
    if let Some(file) = action.strip_prefix("remove:").and_then(|id| id.parse().ok()) {
        refusals.extend(remove(&desk, id, file).await?);
    }
    if refusals.is_empty() && matches!(action.as_str(), "send" | "later") {
        match send(&desk, &sheet, id, action == "later").await? {
            Ok(()) => {
                let done = if action == "later" { "later" } else { "sent" };
                return kit::go(&format!("/work/emails/{id}?done={done}"));
            }
            Err(refused) => refusals = refused,
        }
    }
    if !refusals.is_empty() {
        sheet.version = if touches_files { draft::version(&desk.ctx, id).await? } else { saved.version };
        (sheet.id, sheet.answers, sheet.beside, sheet.without_quoted) = (Some(id), None, None, false);
        return form::show(&desk, &sheet, &refusals, StatusCode::BAD_REQUEST).await;
    }
    kit::go(&next(id, &action, &form))
}

/// Hands the email to be sent: now, or at the time that was set.
async fn send(desk: &Desk, sheet: &Sheet, id: Id, later: bool) -> Result<Result<(), Vec<Refusal>>, Fault> {
    let due = sheet.send_at(&desk.viewer.zone).unwrap_or_default();
    if later && due.is_none_or(|at| at <= desk.ctx.now) {
        let refusal = Refusal::invalid(
            Some(Email::C.delayed_send.name),
            model::words!("Choose a date and time that is still to come."),
        );
        return Ok(Err(vec![refusal]));
    }
    Ok(draft::refused(actions::email::send(&desk.ctx, id, true, None).await)?.map(drop))
}

fn next(saved: Id, action: &str, form: &Form) -> String {
    let path = format!("/work/emails/{saved}/edit");
    match action {
        "find" => {
            let find = percent_encoding::utf8_percent_encode(form.text("find"), percent_encoding::NON_ALPHANUMERIC);
            format!("{path}?find={find}#find")
        }
        "attach" => format!("{path}#file"),
        action if action.starts_with("remove:") => format!("{path}#file"),
        _ => format!("{path}?done=saved"),
    }
}

/// Takes a file away from the email, if it is its own.
async fn remove(desk: &Desk, email: Id, file: Id) -> Result<Vec<Refusal>, Fault> {
    let own = loaded::attachments(&desk.ctx, email).await?.iter().any(|a| a.id == file);
    if !own {
        return Ok(Vec::new());
    }
    let deleted = actions::delete(&desk.ctx, Attachment::TABLE, file, Precondition::Exists).await;
    Ok(draft::refused(deleted)?.err().unwrap_or_default())
}

/// Nothing of it is kept; then back to where it began.
async fn discard(desk: &Desk, sheet: &Sheet) -> Outcome {
    let mut origin = sheet.answers.map(|(original, _)| Ref::new(Email::TABLE.logical, original));
    if let Some(id) = sheet.id {
        // Only what was never sent goes by this button.
        let row = actions::read(&desk.ctx, Email::TABLE, id, Vec::new()).await?;
        let email = Email::from_record(&row).map_err(actions::ActionError::from)?;
        if !open(&email) {
            return Err(Fault::bad("The email is no draft any more."));
        }
        origin = email.parent;
        let deleted = actions::delete(&desk.ctx, Email::TABLE, id, sheet.standing()).await;
        if let Err(refusals) = draft::refused(deleted)? {
            return form::show(desk, sheet, &refusals, StatusCode::BAD_REQUEST).await;
        }
    }
    let readable = match origin {
        Some(origin) => loaded::name_of(&desk.ctx, origin).await?.is_some(),
        None => false,
    };
    match origin.filter(|_| readable) {
        Some(origin) => kit::go(&format!("/work/emails/{}?done=discarded", origin.id)),
        None => kit::go("/work/activities?done=discarded"),
    }
}

/// While somebody types: a new draft is only made once something stands in it.
async fn autosave(desk: &Desk, sheet: Sheet) -> Outcome {
    let texts = desk.viewer.texts;
    let answer = match draft::save(desk, &sheet, false).await? {
        Ok(Saved { id, version, took_files }) => {
            let said = texts.with("Saved {0}", &[&desk.viewer.clock(desk.ctx.now)]);
            let files = if took_files { form::files(desk, id).await? } else { String::new() };
            json!({ "id": id.to_string(), "version": version, "path": format!("/work/emails/{id}/edit"), "said": said, "files": files })
        }
        Err(refusals) => {
            let why: Vec<String> = refusals.iter().map(|r| desk.words(&r.message)).collect();
            match Against::of(&refusals) {
                Some(against) => json!({ "said": texts.text("Not saved any more"), "against": against.word() }),
                None => json!({ "said": texts.with("Not saved: {0}", &[&why.join(" ")]) }),
            }
        }
    };
    let mut response = Response::new(Body::from(answer.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    crate::pages::guard(&mut response);
    Ok(response)
}
