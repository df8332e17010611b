//! Business units: the tree, a unit's form with its place in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use actions::{ActionError, Draft, Precondition, Wish, permitted};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use model::tables::{BusinessUnit, SystemUser, Team};
use model::{Col, Entity, Filter, Id, Query, Record, Ref};

use super::shared::{self, Refused, text};
use crate::pages::kit::{Choice, Desk, Fault, Field, Form, Frame, Input, Outcome, Place, go};
use crate::state::AppState;

const PATH: &str = "/settings/security/units";
const MOST: usize = 1000;
/// Deeper trees than this are drawn no deeper.
const DEEPEST: usize = 20;
const FIELDS: &[&str] = &["name", "parentbusinessunitid", "divisionname", "emailaddress", "websiteurl", "description"];

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route(PATH, get(tree))
        .route("/settings/security/units/new", get(new).post(make))
        .route("/settings/security/units/{id}", get(page).post(save))
        .route("/settings/security/units/{id}/disable", post(disable))
        .route("/settings/security/units/{id}/enable", post(enable))
        .route("/settings/security/units/{id}/delete", post(delete))
}

/// A unit in the tree.
struct Branch {
    href: String,
    name: String,
    /// How far below the root, as a class: `deep-2`.
    depth: usize,
    disabled: bool,
    users: u64,
    teams: u64,
}

#[derive(Template)]
#[template(path = "security/units.html")]
struct TreePage {
    frame: Frame,
    branches: Vec<Branch>,
    may_create: bool,
}

/// `GET /settings/security/units`
async fn tree(desk: Desk) -> Outcome {
    let rows =
        actions::list(&desk.ctx, Query::of::<BusinessUnit>().order_by(BusinessUnit::C.name, false).limit(MOST)).await?;
    let mut below: BTreeMap<Option<Id>, Vec<Record>> = BTreeMap::new();
    let seen: Vec<Id> = rows.iter().map(|row| row.id).collect();
    for row in rows {
        // A unit whose parent one may not see stands at the top.
        let parent = row.get(BusinessUnit::C.parent.name).as_id().filter(|parent| seen.contains(parent));
        below.entry(parent).or_default().push(row);
    }
    let mut branches = Vec::new();
    grow(&desk, &mut below, None, 0, &mut branches).await?;
    let page = TreePage {
        frame: desk.frame("Business Units", Place::Units),
        branches,
        may_create: permitted(&desk.ctx, Wish::Create(BusinessUnit::TABLE)),
    };
    crate::pages::kit::show(&page)
}

async fn grow(
    desk: &Desk,
    below: &mut BTreeMap<Option<Id>, Vec<Record>>,
    parent: Option<Id>,
    depth: usize,
    branches: &mut Vec<Branch>,
) -> Result<(), Fault> {
    for row in below.remove(&parent).unwrap_or_default() {
        let unit = Some(row.reference());
        branches.push(Branch {
            href: format!("{PATH}/{}", row.id),
            name: text(&row, "name"),
            depth: depth.min(DEEPEST),
            disabled: row.get(BusinessUnit::C.is_disabled.name).as_bool() == Some(true),
            users: count(desk, Query::of::<SystemUser>().filter(Filter::eq(SystemUser::C.business_unit, unit))).await?,
            teams: count(desk, Query::of::<Team>().filter(Filter::eq(Team::C.business_unit, unit))).await?,
        });
        Box::pin(grow(desk, below, Some(row.id), depth + 1, branches)).await?;
    }
    Ok(())
}

async fn count(desk: &Desk, query: Query) -> Result<u64, Fault> {
    match actions::count(&desk.ctx, query).await {
        Ok(count) => Ok(count),
        Err(ActionError::Refused(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "security/unit.html")]
struct UnitPage {
    frame: Frame,
    /// Empty for a unit in the making.
    path: String,
    id: String,
    fields: Vec<Field>,
    faults: Vec<String>,
    disabled: bool,
    root: bool,
    may_write: bool,
    may_delete: bool,
    users: u64,
    teams: u64,
}

/// `GET /settings/security/units/{id}`
async fn page(desk: Desk, Path(id): Path<Id>) -> Outcome {
    show(&desk, id, None, &Refused::default()).await
}

async fn show(desk: &Desk, id: Id, typed: Option<&Form>, refused: &Refused) -> Outcome {
    let row = actions::read(&desk.ctx, BusinessUnit::TABLE, id, Vec::new()).await?;
    let unit = Some(row.reference());
    let may_write = permitted(&desk.ctx, Wish::Write(BusinessUnit::TABLE));
    let why = if may_write { String::new() } else { desk.t("You may see this business unit but not change it.") };
    let page = UnitPage {
        frame: desk.frame("Business Unit", Place::Units).titled(text(&row, "name")),
        path: format!("{PATH}/{id}"),
        id: id.to_string(),
        fields: fields(desk, Some(&row), typed, &why, refused).await?,
        faults: refused.others(desk, FIELDS),
        disabled: row.get(BusinessUnit::C.is_disabled.name).as_bool() == Some(true),
        root: row.get(BusinessUnit::C.parent.name).is_null(),
        may_write,
        may_delete: permitted(&desk.ctx, Wish::Delete(BusinessUnit::TABLE)),
        users: count(desk, Query::of::<SystemUser>().filter(Filter::eq(SystemUser::C.business_unit, unit))).await?,
        teams: count(desk, Query::of::<Team>().filter(Filter::eq(Team::C.business_unit, unit))).await?,
    };
    refused.show(&page)
}

async fn fields(
    desk: &Desk,
    row: Option<&Record>,
    typed: Option<&Form>,
    why: &str,
    refused: &Refused,
) -> Result<Vec<Field>, Fault> {
    let mut fields = Vec::new();
    for name in FIELDS {
        let standing = row.map(|row| text(row, name)).unwrap_or_default();
        let value = match typed {
            Some(form) => form.text(name).to_owned(),
            None if row.is_none() && *name == "parentbusinessunitid" => desk.query.text("parent").to_owned(),
            None => standing.clone(),
        };
        let mut field = Field::of(desk.viewer.texts, BusinessUnit::TABLE, name)
            .value(value)
            .refused(&desk.viewer, &refused.refusals);
        if *name == "parentbusinessunitid" {
            let root = row.is_some_and(|row| row.get(BusinessUnit::C.parent.name).is_null());
            field = parent(desk, row, field, root).await?;
        }
        if *name == "description" {
            (field.label, field.input) = (desk.t("Description"), Input::Lines);
        }
        fields.push(if field.blocked.is_empty() { field.blocked(why) } else { field });
    }
    Ok(fields)
}

/// Below which unit it stands; nothing stands below itself.
async fn parent(desk: &Desk, row: Option<&Record>, field: Field, root: bool) -> Result<Field, Fault> {
    if root {
        return Ok(field.blocked(desk.t("This is the root: it stands below no other.")));
    }
    let own = row.map(|row| row.id);
    let units = shared::units(desk).await?.into_iter().filter(|(id, _)| Some(*id) != own);
    let help = desk.t("Whoever reaches the business unit above and those below it reaches this one.");
    Ok(field.choices(units.map(|(id, name)| Choice::new(id.to_string(), name)).collect()).help(help))
}

fn draft(form: &Form) -> Draft {
    let mut draft = Draft::new(BusinessUnit::TABLE);
    for column in ["name", "divisionname", "emailaddress", "websiteurl", "description"] {
        if form.has(column) {
            draft = draft.with(Col::<String>::new(column), form.text(column).trim().to_owned());
        }
    }
    if let Some(parent) = form.id("parentbusinessunitid") {
        draft = draft.with(BusinessUnit::C.parent, Some(Ref::new(BusinessUnit::TABLE.logical, parent)));
    }
    draft
}

/// `POST /settings/security/units/{id}`
async fn save(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let result = actions::update(&desk.ctx, id, draft(&form), Precondition::Exists).await;
    after(&desk, id, Some(&form), result).await
}

async fn set_disabled(desk: &Desk, id: Id, disabled: bool) -> Outcome {
    let draft = Draft::new(BusinessUnit::TABLE).with(BusinessUnit::C.is_disabled, disabled);
    let result = actions::update(&desk.ctx, id, draft, Precondition::Exists).await;
    after(desk, id, None, result).await
}

/// `POST …/disable`
async fn disable(desk: Desk, Path(id): Path<Id>) -> Outcome {
    set_disabled(&desk, id, true).await
}

/// `POST …/enable`
async fn enable(desk: Desk, Path(id): Path<Id>) -> Outcome {
    set_disabled(&desk, id, false).await
}

/// `POST …/delete`
async fn delete(desk: Desk, Path(id): Path<Id>) -> Outcome {
    match actions::delete(&desk.ctx, BusinessUnit::TABLE, id, Precondition::Exists).await {
        Ok(()) => go(&format!("{PATH}?done=deleted")),
        Err(error) => after::<()>(&desk, id, None, Err(error)).await,
    }
}

async fn after<T>(desk: &Desk, id: Id, typed: Option<&Form>, result: Result<T, ActionError>) -> Outcome {
    match result {
        Ok(_) => go(&format!("{PATH}/{id}?done=saved")),
        Err(error) => {
            let refused = Refused::of(error)?;
            show(desk, id, typed, &refused).await
        }
    }
}

/// `GET /settings/security/units/new`
async fn new(desk: Desk) -> Outcome {
    if !permitted(&desk.ctx, Wish::Create(BusinessUnit::TABLE)) {
        return Err(Fault::new(
            axum::http::StatusCode::FORBIDDEN,
            "Your roles lack the right to create business units.",
        ));
    }
    show_new(&desk, None, &Refused::default()).await
}

async fn show_new(desk: &Desk, typed: Option<&Form>, refused: &Refused) -> Outcome {
    let page = UnitPage {
        frame: desk.frame("New Business Unit", Place::Units),
        path: String::new(),
        id: String::new(),
        fields: fields(desk, None, typed, "", refused).await?,
        faults: refused.others(desk, FIELDS),
        disabled: false,
        root: false,
        may_write: true,
        may_delete: false,
        users: 0,
        teams: 0,
    };
    refused.show(&page)
}

/// `POST /settings/security/units/new`
async fn make(desk: Desk, form: Form) -> Outcome {
    match actions::create(&desk.ctx, draft(&form)).await {
        Ok(id) => go(&format!("{PATH}/{id}?done=created")),
        Err(error) => {
            let refused = Refused::of(error)?;
            show_new(&desk, Some(&form), &refused).await
        }
    }
}
