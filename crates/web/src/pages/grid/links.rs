//! The pages of records.

use actions::{Context, Wish, permitted};
use model::Entity;
use model::Ref;
use model::tables::{BusinessUnit, Organization, Role, SystemUser, Team};

/// Where the record can be looked at; `None` where it has no page, or the
/// person may not see that.
pub(crate) fn page_of(ctx: &Context, target: Ref) -> Option<String> {
    let path = match target.table {
        "mailbox" => "/settings/mailboxes",
        "emailserverprofile" => "/settings/profiles",
        "tracelog" => "/settings/alerts",
        "email" => "/work/emails",
        "queue" => "/work/queues",
        "contact" => "/work/contacts",
        "account" => "/work/accounts",
        "lead" => "/work/leads",
        "systemuser" if permitted(ctx, Wish::Write(SystemUser::TABLE)) => "/settings/security/users",
        "team" if permitted(ctx, Wish::Write(Team::TABLE)) => "/settings/security/teams",
        "role" if permitted(ctx, Wish::Write(Role::TABLE)) => "/settings/security/roles",
        "businessunit" if permitted(ctx, Wish::Write(BusinessUnit::TABLE)) => "/settings/security/units",
        "organization" if permitted(ctx, Wish::Write(Organization::TABLE)) => return Some("/settings/data".into()),
        _ => return None,
    };
    Some(format!("{path}/{}", target.id))
}
