//! Sharing, privileges and memberships as functions and actions.

use actions::security::{self, Depth, Granted};
use axum::http::StatusCode;
use axum::response::Response;
use model::tables::{BusinessUnit, Privilege, SystemUser};
use model::{Entity, Id, Ref, Table};
use serde_json::{Value as Out, json};

use crate::api::bind::{self, Target as Named};
use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::key::guid;
use crate::api::operations::{Invocation, NAMESPACE, Target};
use crate::api::{read_one, respond};

mod declared;

pub(crate) use declared::ALL;

/// Privileges or members in one call.
const MOST: usize = 1000;

/// `POST GrantAccess {"Target": …, "PrincipalAccess": {"Principal": …, "AccessMask": "ReadAccess"}}`
pub(crate) async fn grant_access(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let (target, principal, mask) = shared(&mut invocation).await?;
    security::grant_access(&invocation.call.ctx, target, principal, mask).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `POST ModifyAccess`, as `GrantAccess`
pub(crate) async fn modify_access(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let (target, principal, mask) = shared(&mut invocation).await?;
    security::modify_access(&invocation.call.ctx, target, principal, mask).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `POST RevokeAccess {"Target": …, "Revokee": …}`
pub(crate) async fn revoke_access(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let target = argument(&mut invocation, "Target").await?;
    let principal = argument(&mut invocation, "Revokee").await?;
    security::revoke_access(&invocation.call.ctx, target, principal).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `GET RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={"@odata.id": …}`
pub(crate) async fn shared_with(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let target = argument(&mut invocation, "Target").await?;
    let shares = security::shared_with(&invocation.call.ctx, target).await?;
    let shares = shares.into_iter().map(|(principal, mask)| {
        let (id, table) = (principal.id.to_string(), principal.table);
        json!({
            "AccessMask": security::names(mask),
            "Principal": { "@odata.type": format!("#{NAMESPACE}.{table}"), format!("{table}id"): id, "ownerid": id },
        })
    });
    let body = json!({ "@odata.context": invocation.context(), "PrincipalAccesses": shares.collect::<Vec<_>>() });
    Ok(respond::json(StatusCode::OK, &body))
}

/// `GET systemusers(key)/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)?@t=…`
pub(crate) async fn access_of(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let target = argument(&mut invocation, "Target").await?;
    let principal = bound_to(&invocation).await?;
    let mask = security::access_of(&invocation.call.ctx, principal, target).await?;
    let body = json!({ "@odata.context": invocation.context(), "AccessRights": security::names(mask) });
    Ok(respond::json(StatusCode::OK, &body))
}

/// `GET systemusers(key)/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()`
pub(crate) async fn privileges_of_user(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let user = bound_to(&invocation).await?;
    let granted = security::of_user(&invocation.call.ctx, user.id).await?;
    Ok(privileges(&invocation, &granted))
}

/// `GET RetrieveRolePrivilegesRole(RoleId=…)`
pub(crate) async fn privileges_of_role(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let role = invocation.arguments.text("RoleId").and_then(guid).ok_or_else(|| unreadable("RoleId"))?;
    let granted = security::of_role(&invocation.call.ctx, role).await?;
    Ok(privileges(&invocation, &granted))
}

/// `POST roles(key)/Microsoft.Dynamics.CRM.AddPrivilegesRole {"Privileges": […]}`
pub(crate) async fn add_privileges(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let given = given(&mut invocation)?;
    let role = bound_to(&invocation).await?;
    security::add_privileges(&invocation.call.ctx, role.id, &given).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `POST roles(key)/Microsoft.Dynamics.CRM.ReplacePrivilegesRole {"Privileges": […]}`
pub(crate) async fn replace_privileges(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let given = given(&mut invocation)?;
    let role = bound_to(&invocation).await?;
    security::replace_privileges(&invocation.call.ctx, role.id, &given).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `POST roles(key)/Microsoft.Dynamics.CRM.RemovePrivilegeRole {"Privilege": {"privilegeid": …}}`
pub(crate) async fn remove_privilege(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let privilege = argument_of(&mut invocation, "Privilege", Privilege::TABLE).await?;
    let role = bound_to(&invocation).await?;
    security::remove_privilege(&invocation.call.ctx, role.id, privilege).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `POST systemusers(key)/Microsoft.Dynamics.CRM.SetBusinessSystemUser`
pub(crate) async fn move_user(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let unit = argument_of(&mut invocation, "BusinessUnit", BusinessUnit::TABLE).await?;
    let heir = argument(&mut invocation, "ReassignPrincipal").await?;
    let user = bound_to(&invocation).await?;
    // Rows stand in the unit of their owner; they cannot be left behind.
    if invocation.arguments.bool("DoNotMoveAllRecords") == Some(true) && heir == user {
        let message = "Rows are in the business unit of their owner. Name another ReassignPrincipal who gets them.";
        return Err(ApiError::bad_payload(message));
    }
    security::move_user(&invocation.call.ctx, user.id, unit, heir).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `POST teams(key)/Microsoft.Dynamics.CRM.AddMembersTeam {"Members": [{"systemuserid": …}]}`
pub(crate) async fn add_members(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let members = members(&mut invocation).await?;
    let team = bound_to(&invocation).await?;
    security::add_members(&invocation.call.ctx, team.id, &members).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// `POST teams(key)/Microsoft.Dynamics.CRM.RemoveMembersTeam`
pub(crate) async fn remove_members(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let members = members(&mut invocation).await?;
    let team = bound_to(&invocation).await?;
    security::remove_members(&invocation.call.ctx, team.id, &members).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// The row that the operation was called on.
async fn bound_to(invocation: &Invocation<'_>) -> Result<Ref, ApiError> {
    let Target::Row(table, key) = &invocation.target else {
        return Err(ApiError::no_segment(invocation.operation.name));
    };
    Ok(Ref::new(table.logical, read_one::id_of(invocation.call, table, key).await?))
}

async fn shared(invocation: &mut Invocation<'_>) -> Result<(Ref, Ref, i64), ApiError> {
    let target = argument(invocation, "Target").await?;
    let Some(Json::Object(access)) = invocation.arguments.take("PrincipalAccess") else {
        return Err(unreadable("PrincipalAccess"));
    };
    let (mut principal, mut mask) = (None, None);
    for (name, value) in access {
        match (name.as_str(), value) {
            ("Principal", Json::Object(row)) => principal = Some(row_of(invocation.call, "Principal", &row).await?),
            ("AccessMask", Json::Text(names)) => {
                mask = Some(security::mask(&names).map_err(actions::ActionError::from)?);
            }
            (name, _) if name.contains('@') => {}
            _ => return Err(unreadable("PrincipalAccess")),
        }
    }
    principal.zip(mask).map(|(principal, mask)| (target, principal, mask)).ok_or_else(|| unreadable("PrincipalAccess"))
}

async fn argument(invocation: &mut Invocation<'_>, name: &'static str) -> Result<Ref, ApiError> {
    match invocation.arguments.take(name) {
        Some(Json::Object(row)) => row_of(invocation.call, name, &row).await,
        _ => Err(unreadable(name)),
    }
}

async fn argument_of(
    invocation: &mut Invocation<'_>,
    name: &'static str,
    table: &'static Table,
) -> Result<Id, ApiError> {
    let row = argument(invocation, name).await?;
    of(row, name, table)
}

fn of(row: Ref, name: &str, table: &'static Table) -> Result<Id, ApiError> {
    if row.table == table.logical {
        return Ok(row.id);
    }
    Err(ApiError::bad_payload(format!("'{name}' takes a row of {}, not of {}.", table.logical, row.table)))
}

async fn members(invocation: &mut Invocation<'_>) -> Result<Vec<Id>, ApiError> {
    let Some(Json::Array(rows)) = invocation.arguments.take("Members") else { return Err(unreadable("Members")) };
    limited("Members", rows.len())?;
    let mut members = Vec::with_capacity(rows.len());
    for row in rows {
        let Json::Object(row) = row else { return Err(unreadable("Members")) };
        members.push(of(row_of(invocation.call, "Members", &row).await?, "Members", SystemUser::TABLE)?);
    }
    Ok(members)
}

fn limited(name: &str, count: usize) -> Result<(), ApiError> {
    if count <= MOST {
        return Ok(());
    }
    Err(ApiError::bad_payload(format!("'{name}' has {count} items; at most {MOST} are taken at once.")))
}

/// `{"@odata.id": "teams(…)"}`, or `{"@odata.type": "Microsoft.Dynamics.CRM.team", "teamid": …}`
/// where the type may be left out: the key's name tells it.
async fn row_of(call: &Call, name: &str, row: &[(String, Json)]) -> Result<Ref, ApiError> {
    let text = |wanted: &str| row.iter().find(|(n, _)| n == wanted).map(|(_, v)| v);
    if let Some(url) = text("@odata.id") {
        let Json::Text(url) = url else { return Err(unreadable(name)) };
        return Ok(match bind::target(url)? {
            Named::Row(table, id) => Ref::new(table.logical, id),
            Named::Keyed(table, key) => Ref::new(table.logical, actions::resolve::key(&call.ctx, table, &key).await?),
        });
    }
    let typed = match text("@odata.type") {
        Some(Json::Text(of)) => {
            let of = of.trim_start_matches('#').strip_prefix(NAMESPACE).and_then(|n| n.strip_prefix('.'));
            let table = of.and_then(model::tables::by_logical_name).filter(|t| t.on_wire);
            Some(table.ok_or_else(|| unreadable(name))?)
        }
        Some(_) => return Err(unreadable(name)),
        None => None,
    };
    // A user's settings have the user's key: the first table is meant.
    let mut tables = model::tables::on_wire().filter(|t| typed.is_none_or(|typed| typed == *t));
    let found = tables.find_map(|table| text(table.id).map(|value| (table, value)));
    match found {
        Some((table, Json::Text(id))) => guid(id).map(|id| Ref::new(table.logical, id)).ok_or_else(|| unreadable(name)),
        _ => Err(unreadable(name)),
    }
}

fn unreadable(name: &str) -> ApiError {
    let what = match name {
        "PrincipalAccess" => "{\"Principal\": {\"systemuserid\": \"…\"}, \"AccessMask\": \"ReadAccess, WriteAccess\"}",
        "Privileges" => "a list, each {\"PrivilegeId\": \"…\", \"Depth\": \"Basic\"} with Basic, Local, Deep or Global",
        "RoleId" => "a GUID",
        _ => "a row: {\"@odata.id\": \"accounts(…)\"}, or its key with its @odata.type",
    };
    ApiError::bad_payload(format!("The parameter '{name}' must be {what}."))
}

/// `[{"PrivilegeId": …, "Depth": "Basic"}]`
fn given(invocation: &mut Invocation<'_>) -> Result<Vec<(Id, Depth)>, ApiError> {
    let Some(Json::Array(rows)) = invocation.arguments.take("Privileges") else { return Err(unreadable("Privileges")) };
    limited("Privileges", rows.len())?;
    let mut given: Vec<(Id, Depth)> = Vec::with_capacity(rows.len());
    for row in rows {
        let Json::Object(row) = row else { return Err(unreadable("Privileges")) };
        let (id, depth) = privilege(&row).ok_or_else(|| unreadable("Privileges"))?;
        if given.iter().any(|(other, _)| *other == id) {
            return Err(ApiError::bad_payload(format!("Privileges has {id} twice.")));
        }
        given.push((id, depth));
    }
    Ok(given)
}

fn privilege(row: &[(String, Json)]) -> Option<(Id, Depth)> {
    let value = |wanted: &str| row.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let Json::Text(id) = value("PrivilegeId")? else { return None };
    let depth = match value("Depth")? {
        Json::Text(name) => Depth::from_name(name)?,
        Json::Int(number) => Depth::ALL.into_iter().find(|d| d.number() == *number)?,
        _ => return None,
    };
    Some((guid(id)?, depth))
}

fn privileges(invocation: &Invocation<'_>, granted: &[Granted]) -> Response {
    let shown = |g: &Granted| -> Out {
        json!({
            "Depth": g.depth.as_str(), "PrivilegeId": g.privilege.to_string(),
            "BusinessUnitId": g.unit.unwrap_or(Id::nil()).to_string(), "PrivilegeName": g.name,
        })
    };
    let rows: Vec<Out> = granted.iter().map(shown).collect();
    respond::json(StatusCode::OK, &json!({ "@odata.context": invocation.context(), "RolePrivileges": rows }))
}
