//! Writing an email: the form, saving it while somebody types, sending it.

mod form;

use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use model::tables::{Attachment, Email, REGARDING};
use model::{Entity, Id, Refusal};
use serde_json::json;

use crate::pages::email::draft::{self, Sheet};
use crate::pages::email::{choices, id, loaded};
use crate::pages::kit::{self, Desk, Fault, Form, Outcome};

use actions::Precondition;

/// `GET /work/emails/new[?to=&subject=&regarding=contact:<id>]`
pub(super) async fn new(desk: Desk) -> Outcome {
    let asked = &desk.query;
    let signature = signature(&desk).await?;
    let sheet = Sheet {
        from: Some(desk.current.user.reference()),
        to: asked.text("to").to_owned(),
        cc: asked.text("cc").to_owned(),
        subject: asked.text("subject").to_owned(),
        regarding: choices::record(asked.text("regarding"), REGARDING),
        body: signature,
        ..Sheet::default()
    };
    form::show(&desk, &sheet, &[], StatusCode::OK).await
}

/// Below an empty line to begin in; empty where the user has none.
pub(super) async fn signature(desk: &Desk) -> Result<String, Fault> {
    let options = actions::personal(&desk.ctx).await?;
    let text = options.as_ref().and_then(|o| o.get("pr_signature").as_text()).unwrap_or_default().trim_end();
    Ok(if text.is_empty() { String::new() } else { format!("\n\n{}", text.replace("\r\n", "\n")) })
}

/// `GET /work/emails/{id}/edit`
pub(super) async fn edit(desk: Desk, Path(name): Path<String>) -> Outcome {
    let loaded = loaded::load(&desk.ctx, id(&name)?).await?;
    if !open(&loaded.email) {
        return kit::go(&format!("/work/emails/{}?as=read", loaded.email.id));
    }
    form::show(&desk, &Sheet::of_email(&loaded), &[], StatusCode::OK).await
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
    if action == "autosave" {
        return autosave(&desk, sheet).await;
    }
    if action == "delete" {
        return delete(&desk, sheet.id).await;
    }
    if action == "forget" {
        sheet.regarding = None;
    }
    let saved = match draft::save(&desk.ctx, &sheet, true).await? {
        Ok(saved) => saved,
        Err(refusals) => return form::show(&desk, &sheet, &refusals, StatusCode::BAD_REQUEST).await,
    };
    sheet.id = Some(saved);
    sheet.without_quoted = false;
    let mut refusals = draft::attach(&desk.ctx, saved, files).await?;
    if let Some(file) = action.strip_prefix("remove:").and_then(|id| id.parse().ok()) {
        refusals.extend(remove(&desk, saved, file).await?);
    }
    if refusals.is_empty() && action == "send" {
        match draft::refused(actions::email::send(&desk.ctx, saved, true, None).await)? {
            Ok(_) => return kit::go(&format!("/work/emails/{saved}?done=sent")),
            Err(refused) => refusals = refused,
        }
    }
    if !refusals.is_empty() {
        return form::show(&desk, &sheet, &refusals, StatusCode::BAD_REQUEST).await;
    }
    kit::go(&next(saved, &action, &form))
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

async fn delete(desk: &Desk, id: Option<Id>) -> Outcome {
    if let Some(id) = id {
        // Only what was never sent goes by this button.
        let row = actions::read(&desk.ctx, Email::TABLE, id, Vec::new()).await?;
        let email = Email::from_record(&row).map_err(actions::ActionError::from)?;
        if !open(&email) {
            return Err(Fault::bad("The email is no draft any more."));
        }
        actions::delete(&desk.ctx, Email::TABLE, id, Precondition::Exists).await?;
    }
    kit::go("/work/activities?done=deleted")
}

/// While somebody types: a new draft is only made once something stands in it.
async fn autosave(desk: &Desk, sheet: Sheet) -> Outcome {
    let answer = match draft::save(&desk.ctx, &sheet, false).await? {
        Ok(id) => {
            let at = desk.ctx.now.to_zoned_datetime(desk.viewer.zone.clone()).strftime("%H:%M").to_string();
            let said = desk.viewer.texts.with("Saved {0}", &[&at]);
            json!({ "id": id.to_string(), "path": format!("/work/emails/{id}/edit"), "said": said })
        }
        Err(refusals) => {
            let why: Vec<&str> = refusals.iter().map(|r| r.message.as_str()).collect();
            json!({ "said": desk.viewer.texts.with("Not saved: {0}", &[&why.join(" ")]) })
        }
    };
    let mut response = Response::new(Body::from(answer.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    crate::pages::guard(&mut response);
    Ok(response)
}
