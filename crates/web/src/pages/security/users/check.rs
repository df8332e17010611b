//! "Check your security role" for any user that one may see: which roles, what
//! these allow, what is missing for an operation and who can give it.

use actions::access::explain::{Explanation, explain_operation};
use askama::Template;
use axum::extract::Path;
use model::tables::SystemUser;
use model::{Entity, Id};

use super::PATH;
use crate::pages::kit::{Desk, Fault, Field, Frame, Input, Outcome, Place};
use crate::pages::security::matrix::{self, Line, Shown};

#[derive(Template)]
#[template(path = "security/check.html")]
struct CheckPage {
    frame: Frame,
    path: String,
    operation: Field,
    asked: String,
    fault: String,
    found: Option<Explanation>,
    rights: Vec<String>,
    lines: Vec<Line>,
    key: Vec<Shown>,
}

/// `GET /settings/security/users/{id}/check?for=`
pub(super) async fn page(desk: Desk, Path(id): Path<Id>) -> Outcome {
    actions::read(&desk.ctx, SystemUser::TABLE, id, vec![SystemUser::C.domain_name.name]).await?;
    let asked = desk.query.text("for").trim().to_owned();
    let (found, fault) = match explain_operation(&desk.ctx, id, &asked).await {
        Ok(found) => (Some(found), String::new()),
        Err(error) => {
            let refusals = Fault::refusals(error)?;
            let words: Vec<String> = refusals.iter().map(|r| desk.words(&r.message)).collect();
            (explain_operation(&desk.ctx, id, "").await.ok(), words.join(" "))
        }
    };
    let lines = found.as_ref().map(|found| matrix::of_explanation(&desk, found)).unwrap_or_default();
    let operation = Field::new("for", desk.t("May the user do this?"), Input::Line)
        .value(asked.clone())
        .help(desk.t("For example: create mailbox, test mailbox, approve mailbox, prvReadContact."));
    let page = CheckPage {
        frame: desk.frame("Check security role", Place::Users).with_help("roles"),
        path: format!("{PATH}/{id}"),
        operation,
        asked,
        fault,
        found,
        rights: matrix::rights(&desk),
        lines,
        key: matrix::key(&desk),
    };
    crate::pages::kit::show(&page)
}
