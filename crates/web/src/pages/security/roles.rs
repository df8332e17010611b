//! Security roles: the list, a role's form with its matrix, copies, and who
//! has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use actions::security::{self, SYSTEM_ADMINISTRATOR};
use actions::{ActionError, Draft, Precondition, Wish, permitted};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use model::tables::{BusinessUnit, Role, SystemUser, Team, TeamRole, UserRole};
use model::{Col, Entity, Filter, Id, Query, Record, Ref, Table};

use super::matrix::{self, Line, Shown};
use super::shared::{self, Refused, Tick, choices, text};
use crate::names;
use crate::pages::grid::{self, Link, Row, Spec, command};
use crate::pages::kit::{self, Choice, Desk, Fault, Field, Form, Frame, Input, Outcome, Place, go};
use crate::pages::people::{Pick, Picker};
use crate::state::AppState;

const PATH: &str = "/settings/security/roles";
/// Holders that are listed.
const MOST: usize = 500;
const HOLDERS: &[&Table] = &[SystemUser::TABLE, Team::TABLE];
const DESCRIPTION: Col<String> = Col::new("description");

static SPEC: Spec = Spec {
    table: Role::TABLE,
    title: "Security Roles",
    place: Place::Roles,
    base: PATH,
    row: Row::Below("/settings/security/roles/"),
    links: &[Link {
        label: "New Role",
        path: "/settings/security/roles/new",
        needs: Wish::Create(Role::TABLE),
        key: "c",
    }],
    commands: &[command("Delete", "delete", Wish::Delete(Role::TABLE))
        .deletes("Whoever has a deleted role loses what it grants, at once. This cannot be undone.")],
    filters: &["businessunitid"],
    empty: "No role is in this view. Choose another one.",
};

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
        .route("/settings/security/roles/new", get(new).post(make))
        .route("/settings/security/roles/{id}", get(page).post(save))
        .route("/settings/security/roles/{id}/privileges", post(privileges))
        .route("/settings/security/roles/{id}/copy", post(copy))
        .route("/settings/security/roles/{id}/assign", get(found).post(assign))
        .route("/settings/security/roles/{id}/remove", post(remove))
}

#[derive(Template)]
#[template(path = "security/role.html")]
struct RolePage {
    frame: Frame,
    path: String,
    unit: String,
    managed: bool,
    /// Why the role cannot be changed; empty where it can.
    fixed: String,
    fields: Vec<Field>,
    faults: Vec<String>,
    rights: Vec<String>,
    lines: Vec<Line>,
    specials: Vec<Line>,
    key: Vec<Shown>,
    holders: Vec<Tick>,
    may_assign: bool,
    assign: Option<Pick>,
    may_copy: bool,
    copy: Field,
}

/// `GET /settings/security/roles/{id}`
async fn page(desk: Desk, Path(id): Path<Id>) -> Outcome {
    show(&desk, id, None, &Refused::default()).await
}

async fn show(desk: &Desk, id: Id, typed: Option<&Form>, refused: &Refused) -> Outcome {
    let row = actions::read(&desk.ctx, Role::TABLE, id, Vec::new()).await?;
    let role = Role::from_record(&row).map_err(ActionError::from)?;
    let granted = security::of_role(&desk.ctx, id).await?;
    let fixed = if role.template == Some(SYSTEM_ADMINISTRATOR) {
        desk.t("System Administrator has every privilege that there is, and cannot be changed.")
    } else if permitted(&desk.ctx, Wish::Write(Role::TABLE)) {
        String::new()
    } else {
        desk.t("You may see this role but not change it: your roles lack the right to write security roles.")
    };
    let unit = match role.business_unit {
        Some(unit) => names::of(&desk.ctx, [unit].into()).await?.remove(&unit).unwrap_or_default(),
        None => String::new(),
    };
    let may_assign = permitted(&desk.ctx, Wish::Assign(Role::TABLE));
    let path = format!("{PATH}/{id}");
    let at = format!("{path}/assign");
    let assign =
        if may_assign { Some(Pick::on(desk, HOLDERS, (&path, at), ("Give the role to", "Give")).await?) } else { None };
    let page = RolePage {
        frame: desk.frame("Security Role", Place::Roles).titled(role.name.clone()),
        path,
        unit,
        managed: role.is_managed,
        fields: fields(desk, &row, typed, &fixed, refused),
        fixed,
        faults: refused.others(desk, &["name", "description"]),
        rights: matrix::rights(desk),
        lines: matrix::of_role(desk, &granted),
        specials: matrix::specials_of_role(desk, &granted),
        key: matrix::key(desk),
        holders: holders(desk, id).await?,
        may_assign,
        assign,
        may_copy: permitted(&desk.ctx, Wish::Create(Role::TABLE)),
        copy: Field::new("copy_name", desk.t("Name of the copy"), Input::Line)
            .value(desk.viewer.texts.with("Copy of {0}", &[&role.name]))
            .required(),
    };
    refused.show(&page)
}

fn fields(desk: &Desk, row: &Record, typed: Option<&Form>, fixed: &str, refused: &Refused) -> Vec<Field> {
    let field = |column: &str| {
        let value = typed.map_or_else(|| text(row, column), |form| form.text(column).to_owned());
        let mut field =
            Field::of(desk.viewer.texts, Role::TABLE, column).value(value).refused(&desk.viewer, &refused.refusals);
        if column == "description" {
            (field.label, field.input) = (desk.t("Description"), Input::Lines);
        }
        field.blocked(fixed)
    };
    ["name", "description"].map(field).into()
}

/// Who has the role: `id` is what taking it away is given.
async fn holders(desk: &Desk, role: Id) -> Result<Vec<Tick>, Fault> {
    let role = Some(Ref::new(Role::TABLE.logical, role));
    let users = Query::of::<UserRole>().filter(Filter::eq(UserRole::C.role, role)).limit(MOST);
    let teams = Query::of::<TeamRole>().filter(Filter::eq(TeamRole::C.role, role)).limit(MOST);
    let mut who: BTreeSet<Ref> = BTreeSet::new();
    for row in shared::seen(desk, users).await? {
        who.extend(row.get(UserRole::C.user.name).as_ref_to());
    }
    for row in shared::seen(desk, teams).await? {
        who.extend(row.get(TeamRole::C.team.name).as_ref_to());
    }
    let mut named = names::of(&desk.ctx, who.clone()).await?;
    let mut all: Vec<Tick> = who
        .into_iter()
        .map(|who| {
            let team = who.table == Team::TABLE.logical;
            Tick {
                id: format!("{}:{}", who.table, who.id),
                name: named.remove(&who).unwrap_or_default(),
                on: true,
                note: if team { desk.t("Team") } else { desk.t("User") },
                href: format!("/settings/security/{}/{}", if team { "teams" } else { "users" }, who.id),
            }
        })
        .collect();
    all.sort_by(|a, b| (&a.note, &a.name).cmp(&(&b.note, &b.name)));
    Ok(all)
}

/// `POST /settings/security/roles/{id}`: name and description.
async fn save(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let draft = Draft::new(Role::TABLE)
        .with(Role::C.name, form.text("name").trim().to_owned())
        .with(DESCRIPTION, form.text("description").trim().to_owned());
    let result = actions::update(&desk.ctx, id, draft, Precondition::Exists).await;
    after(&desk, id, Some(&form), result).await
}

/// `POST …/privileges`: the whole matrix.
async fn privileges(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let wanted = matrix::read(&form);
    after(&desk, id, None, security::replace_privileges(&desk.ctx, id, &wanted).await).await
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

/// `POST …/copy`
async fn copy(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    match security::copy_role(&desk.ctx, id, form.text("copy_name").trim(), None).await {
        Ok(copy) => go(&format!("{PATH}/{copy}?done=created")),
        Err(error) => {
            let refused = Refused::of(error)?;
            show(&desk, id, None, &refused).await
        }
    }
}

/// The table and id of who is to have a role, and with it the roles they have.
async fn holder(desk: &Desk, form: &Form) -> Result<(&'static Table, Id, BTreeSet<Id>), Fault> {
    let who = Picker::target(form, HOLDERS).ok_or_else(|| Fault::bad("Choose a user or a team."))?;
    let table = if who.table == Team::TABLE.logical { Team::TABLE } else { SystemUser::TABLE };
    Ok((table, who.id, security::roles_of(&desk.ctx, table, who.id).await?))
}

/// `GET …/assign?who=`: what the search found.
async fn found(desk: Desk) -> Outcome {
    kit::show(&Picker::search(&desk, HOLDERS, desk.query.text("who")).await?)
}

async fn set(desk: &Desk, table: &'static Table, id: Id, roles: &BTreeSet<Id>) -> Result<(), ActionError> {
    if table == Team::TABLE {
        security::set_team_roles(&desk.ctx, id, roles).await
    } else {
        security::set_roles(&desk.ctx, id, roles).await
    }
}

/// `POST …/assign`
async fn assign(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let (table, who, mut roles) = holder(&desk, &form).await?;
    roles.insert(id);
    after(&desk, id, None, set(&desk, table, who, &roles).await).await
}

/// `POST …/remove`
async fn remove(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let (table, who, mut roles) = holder(&desk, &form).await?;
    roles.remove(&id);
    after(&desk, id, None, set(&desk, table, who, &roles).await).await
}

#[derive(Template)]
#[template(path = "security/role_new.html")]
struct NewPage {
    frame: Frame,
    fields: Vec<Field>,
    faults: Vec<String>,
}

/// `GET /settings/security/roles/new`
async fn new(desk: Desk) -> Outcome {
    if !permitted(&desk.ctx, Wish::Create(Role::TABLE)) {
        return Err(Fault::new(
            axum::http::StatusCode::FORBIDDEN,
            "Your roles lack the right to create security roles.",
        ));
    }
    show_new(&desk, None, &Refused::default()).await
}

async fn show_new(desk: &Desk, typed: Option<&Form>, refused: &Refused) -> Outcome {
    let value = |name: &str| typed.map_or_else(String::new, |form| form.text(name).to_owned());
    let texts = desk.viewer.texts;
    let own_unit = desk.ctx.actor.business_unit.map(|unit| unit.id.to_string()).unwrap_or_default();
    let unit = if typed.is_some() { value("businessunitid") } else { own_unit };
    let mut roles = vec![Choice::new("", desk.t("Nothing: I tick the privileges myself"))];
    roles.extend(shared::roles(desk).await?.into_iter().map(|(id, name)| Choice::new(id.to_string(), name)));
    let fields = vec![
        Field::of(texts, Role::TABLE, "name").value(value("name")).refused(&desk.viewer, &refused.refusals),
        Field::of(texts, Role::TABLE, "businessunitid")
            .choices(choices(&shared::units(desk).await?, "", ""))
            .value(unit)
            .refused(&desk.viewer, &refused.refusals),
        Field::new("from", desk.t("Begin with the privileges of"), Input::Select).choices(roles).value(value("from")),
    ];
    let page = NewPage {
        frame: desk.frame("New Role", Place::Roles),
        fields,
        faults: refused.others(desk, &["name", "businessunitid"]),
    };
    refused.show(&page)
}

/// `POST /settings/security/roles/new`
async fn make(desk: Desk, form: Form) -> Outcome {
    let name = form.text("name").trim().to_owned();
    let unit = form.id("businessunitid");
    let made = match form.id("from") {
        Some(from) => security::copy_role(&desk.ctx, from, &name, unit).await,
        None => {
            let unit = unit.map(|unit| Ref::new(BusinessUnit::TABLE.logical, unit));
            let draft = Draft::new(Role::TABLE).with(Role::C.name, name).with(Role::C.business_unit, unit);
            actions::create(&desk.ctx, draft).await
        }
    };
    match made {
        Ok(id) => go(&format!("{PATH}/{id}?done=created")),
        Err(error) => {
            let refused = Refused::of(error)?;
            show_new(&desk, Some(&form), &refused).await
        }
    }
}
