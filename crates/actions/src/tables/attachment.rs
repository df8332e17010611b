//! Attachments: their bytes go to the blob store before the row that refers
//! to them is committed.

use std::collections::BTreeSet;

use model::mail::{Encoding, Place, Stretch};
use model::tables::{Attachment, Email, EmailStatus, Organization};
use model::{Change, Filter, Query, Record, Ref, Refusal, Update, Words, words};

use crate::context::Context;
use crate::error::ActionError;
use crate::plan::Plan;

/// What the organization allows.
pub(crate) struct Limits {
    /// Extensions in lower case, without the dot.
    blocked: BTreeSet<String>,
    /// Octets.
    largest: i64,
}

pub(crate) async fn limits(ctx: &Context) -> Result<Limits, ActionError> {
    let organization = ctx.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    let Some(organization) = organization else {
        return Err(ActionError::Internal("there is no organization; run `postroom init`".to_owned()));
    };
    let blocked = organization.blocked_attachments.split([';', ',', ' ', '\n']);
    let blocked = blocked.map(|e| e.trim().trim_start_matches('.').to_lowercase()).filter(|e| !e.is_empty()).collect();
    Ok(Limits { blocked, largest: organization.max_upload })
}

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let limits = limits(plan.ctx).await?;
    let Some(object) = plan.after.typed(Attachment::C.object)? else {
        plan.fault(Refusal::invalid(
            Some("objectid"),
            words!("An attachment needs its email: objectid_activitypointer@odata.bind."),
        ));
        return Ok(());
    };
    let Some(email) = plan.ctx.store.load::<Email>(object.id).await? else {
        plan.fault(Refusal::does_not_exist("email", object.id).at("objectid"));
        return Ok(());
    };
    open(plan, &email);
    if plan.creating() {
        plan.put(Attachment::C.object_type, "email".to_owned());
        let count = i64::try_from(of_email(plan.ctx, object).await?.len()).unwrap_or(0) + 1;
        if !plan.was_given(Attachment::C.number) {
            plan.put(Attachment::C.number, count);
        }
        plan.also.push(counted(email.id, count));
    }
    content(plan, &limits).await
}

fn counted(email: model::Id, count: i64) -> Change {
    Update::of::<Email>(email).set(Email::C.attachment_count, count).into()
}

/// 0x80040233
fn open(plan: &mut Plan<'_>, email: &Email) {
    if !matches!(email.status, EmailStatus::Draft | EmailStatus::Failed) {
        let message =
            words!("The email is '{0}': its attachments can no longer be changed.", Words::label(email.status.label()));
        plan.fault(Refusal::new(0x8004_0233, "InvalidState", message).at("objectid"));
    }
}

/// Checks the name and the bytes and stores the bytes, if nothing is wrong with the row.
pub(crate) async fn content(plan: &mut Plan<'_>, limits: &Limits) -> Result<(), ActionError> {
    let name = plan.after.typed(Attachment::C.file_name)?;
    if let Err(fault) = allowed(&name, &limits.blocked) {
        plan.fault(fault);
    }
    if plan.creating() && plan.after.typed(Attachment::C.mime_type)?.is_empty() {
        plan.put(Attachment::C.mime_type, "application/octet-stream".to_owned());
    }
    let Some(body) = plan.body.take() else {
        if plan.creating() {
            plan.body = Some(Vec::new());
            return Box::pin(content(plan, limits)).await;
        }
        return Ok(());
    };
    let size = i64::try_from(body.len()).unwrap_or(i64::MAX);
    if size > limits.largest {
        let message =
            words!("The file is too large: {0} bytes, {1} are allowed (maxuploadfilesize).", size, limits.largest);
        plan.fault(Refusal::new(0x8004_4A02, "AttachmentInvalidFileSize", message).at("filesize"));
    }
    if !plan.faults.is_empty() {
        return Ok(());
    }
    let (blob, places) = crate::blobs::put(plan.ctx, &body).await?;
    plan.blobs.extend(places);
    let length = body.len() as u64;
    let place = Place(vec![Stretch { offset: 0, length, encoding: Encoding::Identity }]);
    plan.put(Attachment::C.size, size);
    plan.put(Attachment::C.blob, Some(blob.0.to_vec()));
    plan.put(Attachment::C.place, place.to_string());
    Ok(())
}

/// 0x80044A08 for a name that is none; 0x80043E09 for a blocked extension.
pub(crate) fn allowed(name: &str, blocked: &BTreeSet<String>) -> Result<(), Refusal> {
    let bad = name.trim().is_empty()
        || matches!(name.trim(), "." | "..")
        || name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
    if bad {
        let message = words!(
            "The file name is missing, or has a path or control characters in it. Give a plain name with its extension."
        );
        return Err(Refusal::new(0x8004_4A08, "AttachmentInvalidFileName", message).at("filename"));
    }
    // Windows drops trailing dots and spaces: `a.exe.` would run as `a.exe`.
    let shown = name.trim_end_matches(['.', ' ']);
    let extension = shown.rsplit_once('.').map(|(_, e)| e.trim().to_lowercase()).unwrap_or_default();
    if blocked.contains(&extension) {
        let message =
            words!("The attachment is blocked: files of type '.{0}' are not allowed (blockedattachments).", extension);
        return Err(Refusal::new(0x8004_3E09, "AttachmentBlocked", message).at("filename"));
    }
    Ok(())
}

async fn of_email(ctx: &Context, email: Ref) -> Result<Vec<Attachment>, ActionError> {
    Ok(ctx
        .store
        .list::<Attachment>(&Query::of::<Attachment>().filter(Filter::eq(Attachment::C.object, Some(email))))
        .await?)
}

pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    let Some(object) = row.typed(Attachment::C.object)? else { return Ok(Vec::new()) };
    let Some(email) = ctx.store.load::<Email>(object.id).await? else { return Ok(Vec::new()) };
    if !matches!(email.status, EmailStatus::Draft | EmailStatus::Failed) {
        let message =
            words!("The email is '{0}': its attachments can no longer be changed.", Words::label(email.status.label()));
        return Err(Refusal::new(0x8004_0233, "InvalidState", message).into());
    }
    let left = i64::try_from(of_email(ctx, object).await?.len()).unwrap_or(1) - 1;
    Ok(vec![counted(email.id, left.max(0))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, code: Option<u32>) {
        let blocked = ["exe", "js"].map(str::to_owned).into();
        assert_eq!(allowed(name, &blocked).err().map(|r| r.code), code, "{name:?}");
    }

    #[test]
    fn plain_name() {
        check("report.pdf", None);
    }
    #[test]
    fn no_extension() {
        check("README", None);
    }
    #[test]
    fn blocked_extension() {
        check("setup.exe", Some(0x8004_3E09));
    }
    #[test]
    fn blocked_in_capitals() {
        check("SETUP.EXE", Some(0x8004_3E09));
    }
    #[test]
    fn blocked_behind_a_trailing_dot() {
        check("setup.exe.", Some(0x8004_3E09));
    }
    #[test]
    fn blocked_behind_a_trailing_space() {
        check("setup.exe ", Some(0x8004_3E09));
    }
    #[test]
    fn path_traversal() {
        check("../../etc/passwd", Some(0x8004_4A08));
    }
    #[test]
    fn windows_path() {
        check("c:\\x.txt", Some(0x8004_4A08));
    }
    #[test]
    fn line_break() {
        check("a\r\nb.txt", Some(0x8004_4A08));
    }
    #[test]
    fn empty() {
        check(" ", Some(0x8004_4A08));
    }
    #[test]
    fn dots() {
        check("..", Some(0x8004_4A08));
    }
}
