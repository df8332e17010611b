//! "Check your security role": which roles a user has, what these allow, and
//! what is missing for an operation.

use actions::access::explain::{Explanation, explain_words};
use actions::security::Depth;
use axum::http::StatusCode;
use axum::response::Response;

use crate::pages::kit::{Desk, Place};
use crate::pages::{self, NeededRow, RoleRow, RolesPage, TableRow};
use crate::signin::account;
use crate::signin::fields::Fields;
use crate::signin::reply::Fault;
use crate::signin::visit::Visit;

/// `GET /account/roles?user=&for=`
pub(crate) async fn page(visit: Visit) -> Response {
    let current = match account::current(&visit).await {
        Ok(current) => current,
        Err(response) => return response,
    };
    let query = Fields::of_form(&visit.query).unwrap_or_default();
    let (user, operation) = (query.text("user"), query.text("for"));
    let asked = async { Ok::<_, Fault>(explain_words(&visit.context(&current).await?, user, operation).await?) };
    let (status, fault, found) = match asked.await {
        Ok(found) => (StatusCode::OK, String::new(), Some(found)),
        Err(fault) => (fault.status, fault.text, None),
    };
    let desk = match Desk::of(&visit, &current).await {
        Ok(desk) => desk,
        Err(error) => return account::failed(&visit, &Fault::from(error)),
    };
    let fault = desk.viewer.fault(&fault);
    let mut shown = RolesPage {
        frame: desk.frame("Check your security role", Place::Options).with_help("roles"),
        user,
        operation,
        fault: &fault,
        of: String::new(),
        roles: Vec::new(),
        tables: Vec::new(),
        specials: Vec::new(),
        needed: Vec::new(),
        granted: false,
        would_do: String::new(),
        grantors: String::new(),
    };
    if let Some(found) = &found {
        fill(&mut shown, found);
    }
    pages::page(status, &shown)
}

fn fill(shown: &mut RolesPage<'_>, found: &Explanation) {
    let frame = &shown.frame;
    let with_depth = |what: &str, depth: Depth| format!("{} ({})", frame.t(what), frame.t(depth.label()));
    let roles = found.roles.iter().map(|role| {
        let own = role.own.then(|| frame.t("given to the user").to_owned());
        let teams = role.teams.iter().map(|team| frame.t1("by the team {0}", team));
        RoleRow { name: role.name.clone(), from: own.into_iter().chain(teams).collect::<Vec<_>>().join(", ") }
    });
    let tables = found.tables.iter().map(|table| {
        let rights = table.rights.iter();
        let rights = rights.map(|(right, depth)| format!("{}: {}", frame.t(right.as_str()), frame.t(depth.label())));
        TableRow {
            name: frame.t(&crate::api::metadata_words(table.table.schema)).to_owned(),
            rights: rights.collect::<Vec<_>>().join("; "),
        }
    });
    let needed = found.needed.iter().map(|needed| NeededRow {
        privilege: needed.privilege.name.clone(),
        held: frame.t(needed.held.map_or("missing", Depth::label)).to_owned(),
    });
    let specials = found.specials.iter().map(|(special, depth)| with_depth(special.label(), *depth)).collect();
    let (roles, tables, needed) = (roles.collect(), tables.collect(), needed.collect());
    (shown.roles, shown.tables, shown.specials, shown.needed) = (roles, tables, specials, needed);
    shown.of.clone_from(&found.user.domain_name);
    shown.granted = found.is_granted();
    shown.would_do = found.would_do().join(", ");
    shown.grantors = found.grantors.join(", ");
}
