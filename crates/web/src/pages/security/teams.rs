//! Teams: the list, a team's form, its members and roles.

use std::sync::Arc;

use actions::{ActionError, Draft, Precondition, Wish, permitted, security};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use model::tables::{BusinessUnit, Role, SystemUser, Team, TeamMembership};
use model::{Col, Entity, Filter, Id, Query, Record, Ref, Table, Value};

use super::shared::{self, Refused, Tick, choices, text, ticks};
use crate::names;
use crate::pages::grid::{self, Link, Row, Spec, command};
use crate::pages::kit::{self, Choice, Desk, Fault, Field, Form, Frame, Input, Outcome, Place, go};
use crate::pages::people::{Pick, Picker};
use crate::state::AppState;

const PATH: &str = "/settings/security/teams";
/// Members that are listed.
const MOST: usize = 1000;
const FIELDS: &[&str] = &["name", "businessunitid", "administratorid", "emailaddress", "teamtype", "description"];
const PEOPLE: &[&Table] = &[SystemUser::TABLE];
const DESCRIPTION: Col<String> = Col::new("description");

static SPEC: Spec = Spec {
    table: Team::TABLE,
    title: "Teams",
    place: Place::Teams,
    base: PATH,
    row: Row::Below("/settings/security/teams/"),
    links: &[Link {
        label: "New Team",
        path: "/settings/security/teams/new",
        needs: Wish::Create(Team::TABLE),
        key: "c",
    }],
    commands: &[command("Delete", "delete", Wish::Delete(Team::TABLE)).deletes("The members of a deleted team lose the roles that it brings, at once. Records that it owns must be given to somebody else before.")],
    filters: &["businessunitid"],
    empty: "A team owns records together and brings its roles to its members. Create the first one with “New Team”.",
};

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
        .route("/settings/security/teams/new", get(new).post(make))
        .route("/settings/security/teams/{id}", get(page).post(save))
        .route("/settings/security/teams/{id}/roles", post(roles))
        .route("/settings/security/teams/{id}/members", get(found).post(add))
        .route("/settings/security/teams/{id}/members/remove", post(remove))
}

#[derive(Template)]
#[template(path = "security/team.html")]
struct TeamPage {
    frame: Frame,
    /// Empty for a team in the making.
    path: String,
    fields: Vec<Field>,
    faults: Vec<String>,
    may_write: bool,
    members: Vec<Tick>,
    add: Option<Pick>,
    roles: Vec<Tick>,
    no_roles: String,
}

/// `GET /settings/security/teams/{id}`
async fn page(desk: Desk, Path(id): Path<Id>) -> Outcome {
    show(&desk, id, None, &Refused::default()).await
}

async fn show(desk: &Desk, id: Id, typed: Option<&Form>, refused: &Refused) -> Outcome {
    let row = actions::read(&desk.ctx, Team::TABLE, id, Vec::new()).await?;
    let may_write = permitted(&desk.ctx, Wish::Write(Team::TABLE));
    let why = if may_write { String::new() } else { desk.t("You may see this team but not change it.") };
    let members = members(desk, id).await?;
    let path = format!("{PATH}/{id}");
    let at = format!("{path}/members");
    let add = if may_write { Some(Pick::on(desk, PEOPLE, (&path, at), ("Add a member", "Add")).await?) } else { None };
    let (roles, no_roles) = roles_of(desk, id).await?;
    let page = TeamPage {
        frame: desk.frame("Team", Place::Teams).titled(text(&row, "name")),
        path,
        fields: fields(desk, Some(&row), typed, &why, refused).await?,
        faults: refused.others(desk, FIELDS),
        may_write,
        add,
        members,
        roles,
        no_roles,
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
    let units = shared::units(desk).await?;
    let people = shared::people(desk).await?;
    let own_unit = desk.ctx.actor.business_unit.map(|unit| unit.id.to_string()).unwrap_or_default();
    let mut fields = Vec::new();
    for name in FIELDS {
        let standing = row.map(|row| text(row, name)).unwrap_or_default();
        let value = match typed {
            Some(form) => form.text(name).to_owned(),
            None if row.is_none() && *name == "businessunitid" => own_unit.clone(),
            None if row.is_none() && *name == "teamtype" => "0".to_owned(),
            None => standing.clone(),
        };
        let mut field =
            Field::of(desk.viewer.texts, Team::TABLE, name).value(value).refused(&desk.viewer, &refused.refusals);
        match *name {
            "businessunitid" => field = field.choices(choices(&units, &standing, &standing)),
            "administratorid" => {
                let mut all = choices(&people, &standing, &standing);
                all.insert(0, Choice::new("", desk.t("Nobody")));
                field = field.choices(all);
            }
            "description" => (field.label, field.input) = (desk.t("Description"), Input::Lines),
            _ => {}
        }
        fields.push(field.blocked(why));
    }
    Ok(fields)
}

async fn members(desk: &Desk, team: Id) -> Result<Vec<Tick>, Fault> {
    let team = Some(Ref::new(Team::TABLE.logical, team));
    let query = Query::of::<TeamMembership>().filter(Filter::eq(TeamMembership::C.team, team)).limit(MOST);
    let rows = shared::seen(desk, query).await?;
    let who = rows.iter().filter_map(|row| row.get(TeamMembership::C.user.name).as_ref_to()).collect();
    let named = names::of(&desk.ctx, who).await?;
    let tick = |(who, name): (Ref, String)| Tick {
        id: who.id.to_string(),
        name,
        on: true,
        note: String::new(),
        href: format!("/settings/security/users/{}", who.id),
    };
    let mut all: Vec<Tick> = named.into_iter().map(tick).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

async fn roles_of(desk: &Desk, team: Id) -> Result<(Vec<Tick>, String), Fault> {
    if !permitted(&desk.ctx, Wish::Read(Role::TABLE)) {
        return Ok((Vec::new(), desk.t("You may not see security roles.")));
    }
    let held = security::roles_of(&desk.ctx, Team::TABLE, team).await?;
    let may = permitted(&desk.ctx, Wish::Assign(Role::TABLE));
    let why = if may {
        String::new()
    } else {
        desk.t("You may see roles but not give them: your roles lack the right to assign roles.")
    };
    Ok((ticks(shared::roles(desk).await?, &held, "/settings/security/roles"), why))
}

fn draft(form: &Form) -> Draft {
    let mut draft = Draft::new(Team::TABLE)
        .with(Team::C.name, form.text("name").trim().to_owned())
        .with(Team::C.address, form.text("emailaddress").trim().to_owned())
        .with(DESCRIPTION, form.text("description").trim().to_owned());
    if let Some(unit) = form.id("businessunitid") {
        draft = draft.with(Team::C.business_unit, Some(Ref::new(BusinessUnit::TABLE.logical, unit)));
    }
    let administrator = form.id("administratorid").map(|user| Ref::new(SystemUser::TABLE.logical, user));
    draft = draft.with(Team::C.administrator, administrator);
    if let Some(kind) = form.number("teamtype") {
        draft = draft.set("teamtype", Value::Int(kind));
    }
    draft
}

/// `POST /settings/security/teams/{id}`
async fn save(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let result = actions::update(&desk.ctx, id, draft(&form), Precondition::Exists).await;
    after(&desk, id, Some(&form), result).await
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

/// `POST …/roles`
async fn roles(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let wanted = form.ids("role").into_iter().collect();
    after(&desk, id, None, security::set_team_roles(&desk.ctx, id, &wanted).await).await
}

/// `GET …/members?who=`: what the search found.
async fn found(desk: Desk) -> Outcome {
    kit::show(&Picker::search(&desk, PEOPLE, desk.query.text("who")).await?)
}

/// `POST …/members`
async fn add(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let user = Picker::target(&form, PEOPLE).ok_or_else(|| Fault::bad("Choose a user."))?;
    after(&desk, id, None, security::add_members(&desk.ctx, id, &[user.id]).await).await
}

/// `POST …/members/remove`
async fn remove(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    after(&desk, id, None, security::remove_members(&desk.ctx, id, &form.ids("user")).await).await
}

/// `GET /settings/security/teams/new`
async fn new(desk: Desk) -> Outcome {
    if !permitted(&desk.ctx, Wish::Create(Team::TABLE)) {
        return Err(Fault::new(axum::http::StatusCode::FORBIDDEN, "Your roles lack the right to create teams."));
    }
    show_new(&desk, None, &Refused::default()).await
}

async fn show_new(desk: &Desk, typed: Option<&Form>, refused: &Refused) -> Outcome {
    let page = TeamPage {
        frame: desk.frame("New Team", Place::Teams),
        path: String::new(),
        fields: fields(desk, None, typed, "", refused).await?,
        faults: refused.others(desk, FIELDS),
        may_write: true,
        members: Vec::new(),
        add: None,
        roles: Vec::new(),
        no_roles: String::new(),
    };
    refused.show(&page)
}

/// `POST /settings/security/teams/new`
async fn make(desk: Desk, form: Form) -> Outcome {
    match actions::create(&desk.ctx, draft(&form)).await {
        Ok(id) => go(&format!("{PATH}/{id}?done=created")),
        Err(error) => {
            let refused = Refused::of(error)?;
            show_new(&desk, Some(&form), &refused).await
        }
    }
}
