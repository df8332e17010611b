//! A new user: who, in which unit, with which roles, and the link with which
//! they set their password.

use std::collections::BTreeSet;

use actions::security::{self, NewUser};
use actions::{Special, Wish, permitted};
use askama::Template;
use model::tables::{Role, SystemUser};
use model::{Entity, Filter, Id, Query};

use super::{PATH, door, form};
use crate::pages::kit::{Desk, Fault, Field, Form, Frame, Input, Outcome, Place, go};
use crate::pages::security::shared::{self, Refused, Tick, choices, ticks};

const FIELDS: &[&str] =
    &["firstname", "lastname", "internalemailaddress", "domainname", "businessunitid", "accessmode"];

#[derive(Template)]
#[template(path = "security/user_new.html")]
struct NewPage {
    frame: Frame,
    fields: Vec<Field>,
    link: Field,
    roles: Vec<Tick>,
    teams: Vec<Tick>,
    faults: Vec<String>,
}

/// `GET /settings/security/users/new`
pub(super) async fn page(desk: Desk) -> Outcome {
    if !permitted(&desk.ctx, Wish::Create(SystemUser::TABLE)) {
        return Err(Fault::new(axum::http::StatusCode::FORBIDDEN, "Your roles lack the right to create users."));
    }
    show(&desk, None, &Refused::default()).await
}

async fn show(desk: &Desk, typed: Option<&Form>, refused: &Refused) -> Outcome {
    let units = shared::units(desk).await?;
    let own_unit = desk.ctx.actor.business_unit.map(|unit| unit.id.to_string()).unwrap_or_default();
    let mut fields = Vec::new();
    for name in FIELDS {
        let value = match (typed, *name) {
            (Some(form), name) => form.text(name).to_owned(),
            (None, "businessunitid") => own_unit.clone(),
            (None, "accessmode") => "0".to_owned(),
            _ => String::new(),
        };
        let mut field =
            Field::of(desk.viewer.texts, SystemUser::TABLE, name).value(value).refused(&desk.viewer, &refused.refusals);
        match *name {
            "businessunitid" => field = field.choices(choices(&units, "", "")),
            "lastname" => field = field.required(),
            "internalemailaddress" => {
                field = field.help(desk.t("Their mailbox is made with it. Mail is tracked once the address is approved and the mailbox tested."));
            }
            "domainname" => {
                field = field.help(desk.t("The name with which the user signs in; left empty, the address."))
            }
            _ => {}
        }
        fields.push(field);
    }
    let may_link = permitted(&desk.ctx, Wish::Special(Special::ManageTokens));
    let mut link = Field::new("link", desk.t("Make a link with which the user sets a password"), Input::Tick)
        .ticked(may_link && typed.is_none_or(|form| form.ticked("link")));
    if !may_link {
        link = link.blocked(desk.t("Links are made by who may manage tokens and sessions of others."));
    }
    let on: BTreeSet<Id> = match typed {
        Some(form) => form.ids("role").into_iter().collect(),
        None => basic_user(desk).await?,
    };
    let in_teams: BTreeSet<Id> = typed.map(|form| form.ids("team").into_iter().collect()).unwrap_or_default();
    let page = NewPage {
        frame: desk.frame("New User", Place::Users),
        fields,
        link,
        roles: ticks(shared::roles(desk).await?, &on, "/settings/security/roles"),
        teams: ticks(shared::teams(desk).await?, &in_teams, "/settings/security/teams"),
        faults: refused.others(desk, FIELDS),
    };
    refused.show(&page)
}

/// What everybody new has, unless it is taken away.
async fn basic_user(desk: &Desk) -> Result<BTreeSet<Id>, Fault> {
    let named = Filter::eq(Role::C.name, "Basic User".to_owned());
    let rows = shared::seen(desk, Query::of::<Role>().filter(named)).await?;
    Ok(rows.iter().map(|row| row.id).collect())
}

/// `POST /settings/security/users/new`
pub(super) async fn make(desk: Desk, form: Form) -> Outcome {
    let new = NewUser {
        draft: form::draft(&form),
        roles: form.ids("role").into_iter().collect(),
        teams: form.ids("team").into_iter().collect(),
        link: form.ticked("link"),
    };
    match security::new_user(&desk.ctx, &new).await {
        Ok(made) => match made.ticket {
            Some(ticket) => door::show_link(&desk, made.user, &ticket).await,
            None => go(&format!("{PATH}/{}?done=created", made.user)),
        },
        Err(error) => {
            let refused = Refused::of(error)?;
            show(&desk, Some(&form), &refused).await
        }
    }
}
