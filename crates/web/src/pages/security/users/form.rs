//! A user's form: name and address, unit, roles, teams, mailbox, how they sign
//! in, sessions and tokens.

use std::collections::BTreeSet;

use actions::access::explain::explain;
use actions::security;
use actions::sign_in::administer::{self, State};
use actions::sign_in::session::{self, Held};
use actions::{ActionError, Draft, Precondition, Special, Wish, permitted, token};
use askama::Template;
use axum::extract::Path;
use model::tables::{ApiToken, BusinessUnit, Mailbox, Role, SystemUser, Team, TeamMembership};
use model::{Entity, Filter, Id, Query, Record, Ref, Timestamp};

use super::{PATH, disabled};
use crate::pages::kit::{Desk, Fault, Field, Form, Frame, Outcome, Place, go};
use crate::pages::security::shared::{self, Refused, Tick, choices, text, ticks};

/// What of the user is edited here, in this order.
const FIELDS: &[&str] = &[
    "firstname",
    "lastname",
    "domainname",
    "internalemailaddress",
    "businessunitid",
    "accessmode",
    "jobtitle",
    "mobilephone",
];

/// Shown of the sessions and tokens of one user.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "security/user.html")]
struct UserPage {
    frame: Frame,
    id: String,
    path: String,
    user: SystemUser,
    fields: Vec<Field>,
    faults: Vec<String>,
    may_write: bool,
    roles: Vec<Tick>,
    /// Why roles cannot be given; empty where they can.
    no_roles: String,
    teams: Vec<Tick>,
    no_teams: String,
    mailbox: Option<Record>,
    /// `None`: how they sign in is not this person's business.
    door: Option<Door>,
}

/// How the user signs in.
struct Door {
    state: State,
    sessions: Vec<Held>,
    tokens: Vec<ApiToken>,
    now: Timestamp,
}

impl Door {
    fn ended(&self, token: &ApiToken) -> bool {
        token.expires_on.is_some_and(|end| end <= self.now)
    }
}

impl UserPage {
    fn mailbox_name(&self) -> &str {
        self.mailbox.as_ref().and_then(|m| m.get(Mailbox::C.name.name).as_text()).unwrap_or("")
    }

    fn mailbox_id(&self) -> String {
        self.mailbox.as_ref().map(|m| m.id.to_string()).unwrap_or_default()
    }
}

/// `GET /settings/security/users/{id}`
pub(super) async fn page(desk: Desk, Path(id): Path<Id>) -> Outcome {
    show(&desk, id, None, &Refused::default()).await
}

async fn show(desk: &Desk, id: Id, typed: Option<&Form>, refused: &Refused) -> Outcome {
    let row = actions::read(&desk.ctx, SystemUser::TABLE, id, Vec::new()).await?;
    let user = SystemUser::from_record(&row).map_err(ActionError::from)?;
    let may_write = permitted(&desk.ctx, Wish::Write(SystemUser::TABLE));
    let name = if user.full_name.is_empty() { user.domain_name.clone() } else { user.full_name.clone() };
    let (roles, no_roles) = roles_of(desk, id).await?;
    let (teams, no_teams) = teams_of(desk, id).await?;
    let page = UserPage {
        frame: desk.frame("User", Place::Users).titled(name),
        id: id.to_string(),
        path: format!("{PATH}/{id}"),
        fields: fields(desk, &row, typed, may_write, refused).await?,
        faults: refused.others(desk, FIELDS),
        may_write,
        roles,
        no_roles,
        teams,
        no_teams,
        mailbox: mailbox_of(desk, id).await?,
        door: door(desk, id).await?,
        user,
    };
    refused.show(&page)
}

async fn fields(
    desk: &Desk,
    row: &Record,
    typed: Option<&Form>,
    may_write: bool,
    refused: &Refused,
) -> Result<Vec<Field>, Fault> {
    let units = shared::units(desk).await?;
    let mut fields = Vec::new();
    for name in FIELDS {
        let standing = text(row, name);
        let value = typed.map_or_else(|| standing.clone(), |form| form.text(name).to_owned());
        let mut field =
            Field::of(desk.viewer.texts, SystemUser::TABLE, name).value(value).refused(&desk.viewer, &refused.refusals);
        match *name {
            "businessunitid" => field = field.choices(choices(&units, &standing, &standing)),
            "domainname" => field = field.help(desk.t("The name with which the user signs in.")),
            "accessmode" => {
                field = field.help(desk.t(
                    "Read-Write for people, Non-interactive for services. What else the user may do is said by roles.",
                ));
            }
            _ => {}
        }
        if !may_write {
            field = field.blocked(
                desk.t("You may see this user but not change them: your roles lack the right to write users."),
            );
        }
        fields.push(field);
    }
    Ok(fields)
}

/// Every role, ticked where the user has it, with the teams that bring it.
async fn roles_of(desk: &Desk, user: Id) -> Result<(Vec<Tick>, String), Fault> {
    if !permitted(&desk.ctx, Wish::Read(Role::TABLE)) {
        return Ok((Vec::new(), desk.t("You may not see security roles.")));
    }
    let held = security::roles_of(&desk.ctx, SystemUser::TABLE, user).await?;
    let mut all = ticks(shared::roles(desk).await?, &held, "/settings/security/roles");
    let told = explain(&desk.ctx, user, &[]).await?;
    for tick in &mut all {
        let by: Vec<&str> = told
            .roles
            .iter()
            .filter(|r| r.id.to_string() == tick.id)
            .flat_map(|r| &r.teams)
            .map(String::as_str)
            .collect();
        if !by.is_empty() {
            tick.note = desk.viewer.texts.with("Also by the team {0}", &[&by.join(", ")]);
        }
    }
    let may = permitted(&desk.ctx, Wish::Assign(Role::TABLE));
    let why = if may {
        String::new()
    } else {
        desk.t("You may see roles but not give them: your roles lack the right to assign roles.")
    };
    Ok((all, why))
}

async fn teams_of(desk: &Desk, user: Id) -> Result<(Vec<Tick>, String), Fault> {
    if !permitted(&desk.ctx, Wish::Read(Team::TABLE)) {
        return Ok((Vec::new(), desk.t("You may not see teams.")));
    }
    let all = shared::teams(desk).await?;
    let may = permitted(&desk.ctx, Wish::Write(Team::TABLE));
    let why = if may { String::new() } else { desk.t("You may see teams but not change who is in them.") };
    Ok((ticks(all, &memberships(desk, user).await?, "/settings/security/teams"), why))
}

async fn memberships(desk: &Desk, user: Id) -> Result<BTreeSet<Id>, Fault> {
    let user = Some(Ref::new(SystemUser::TABLE.logical, user));
    let query = Query::of::<TeamMembership>().filter(Filter::eq(TeamMembership::C.user, user));
    let rows = shared::seen(desk, query).await?;
    Ok(rows.iter().filter_map(|row| row.get(TeamMembership::C.team.name).as_id()).collect())
}

async fn mailbox_of(desk: &Desk, user: Id) -> Result<Option<Record>, Fault> {
    let user = Some(Ref::new(SystemUser::TABLE.logical, user));
    let mut query = Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.regarding, user)).limit(1);
    query.select = vec![Mailbox::C.name.name];
    Ok(shared::seen(desk, query).await?.pop())
}

async fn door(desk: &Desk, user: Id) -> Result<Option<Door>, Fault> {
    if !permitted(&desk.ctx, Wish::Special(Special::ManageTokens)) {
        return Ok(None);
    }
    let policy = &desk.state().sign_in.policy;
    Ok(Some(Door {
        state: administer::state(&desk.ctx, user).await?,
        sessions: session::of_everybody(&desk.ctx, policy, Some(user), MOST).await?,
        tokens: token::list(&desk.ctx, user).await?,
        now: desk.ctx.now,
    }))
}

/// `POST /settings/security/users/{id}`
pub(super) async fn save(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let saved = actions::update(&desk.ctx, id, draft(&form), Precondition::Exists).await;
    match saved {
        Ok(_) => go(&format!("{PATH}/{id}?done=saved")),
        Err(error) => {
            let refused = Refused::of(error)?;
            show(&desk, id, Some(&form), &refused).await
        }
    }
}

/// What the form says of a user; what it does not mention stays.
pub(super) fn draft(form: &Form) -> Draft {
    let mut draft = Draft::new(SystemUser::TABLE);
    for column in [
        SystemUser::C.first_name,
        SystemUser::C.last_name,
        SystemUser::C.domain_name,
        SystemUser::C.address,
        model::Col::new("jobtitle"),
        model::Col::new("mobilephone"),
    ] {
        if form.has(column.name) {
            draft = draft.with(column, form.text(column.name).trim().to_owned());
        }
    }
    if let Some(unit) = form.id(SystemUser::C.business_unit.name) {
        let unit = Some(Ref::new(BusinessUnit::TABLE.logical, unit));
        draft = draft.with(SystemUser::C.business_unit, unit);
    }
    if let Some(mode) = form.number(SystemUser::C.access_mode.name) {
        draft = draft.set(SystemUser::C.access_mode.name, model::Value::Int(mode));
    }
    draft
}

/// `POST …/enable`
pub(super) async fn enable(desk: Desk, Path(id): Path<Id>) -> Outcome {
    after(&desk, id, disabled(false).on(&desk.ctx, SystemUser::TABLE, id).await).await
}

/// `POST …/disable`
pub(super) async fn disable(desk: Desk, Path(id): Path<Id>) -> Outcome {
    after(&desk, id, disabled(true).on(&desk.ctx, SystemUser::TABLE, id).await).await
}

/// `POST …/roles`
pub(super) async fn roles(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let wanted = form.ids("role").into_iter().collect();
    after(&desk, id, security::set_roles(&desk.ctx, id, &wanted).await).await
}

/// `POST …/teams`
pub(super) async fn teams(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let wanted: BTreeSet<Id> = form.ids("team").into_iter().collect();
    let held = memberships(&desk, id).await?;
    let changed = async {
        for team in wanted.difference(&held) {
            security::add_members(&desk.ctx, *team, &[id]).await?;
        }
        for team in held.difference(&wanted) {
            security::remove_members(&desk.ctx, *team, &[id]).await?;
        }
        Ok::<(), ActionError>(())
    };
    let result = changed.await;
    after(&desk, id, result).await
}

/// Back to the form, or the form with what was refused.
pub(super) async fn after<T>(desk: &Desk, id: Id, result: Result<T, ActionError>) -> Outcome {
    match result {
        Ok(_) => go(&format!("{PATH}/{id}?done=done")),
        Err(error) => {
            let refused = Refused::of(error)?;
            // Nothing that was typed is at fault.
            let elsewhere = refused.refusals.iter().cloned().map(|r| model::Refusal { field: None, ..r }).collect();
            show(desk, id, None, &Refused { refusals: elsewhere, ..refused }).await
        }
    }
}
