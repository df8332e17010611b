//! Security roles: which privileges, how far they reach, and who holds them.

use crate::id::Id;
use crate::table;
use crate::table::{BLANK, Child, Link, Table, flag, id, int, lookup, memo, text};
use crate::value::Ref;

table! {
    pub struct Role, RoleColumns: Table {
        logical: "role", set: "roles", schema: "Role", id: "roleid", name: Some("name"), code: 1036,
        children: &[
            Child { nav: "roleprivileges", table: "roleprivileges", column: "roleid" },
            Child { nav: "systemuserroles", table: "systemuserroles", column: "roleid" },
            Child { nav: "teamroles", table: "teamroles", column: "roleid" },
        ],
        links: &[
            Link { nav: "systemuserroles_association", through: "systemuserroles", here: "roleid", there: "systemuserid", table: "systemuser" },
            Link { nav: "teamroles_association", through: "teamroles", here: "roleid", there: "teamid", table: "team" },
            Link { nav: "roleprivileges_association", through: "roleprivileges", here: "roleid", there: "privilegeid", table: "privilege" },
        ], ..BLANK
    }; {
        name: String = text("name", "Name", 100).required(),
        business_unit: Option<Ref> = lookup("businessunitid", "Business Unit", &["businessunit"]),
        /// Tells the ready roles apart, whatever they are called now.
        template: Option<Id> = id("roletemplateid", "Role Template").read(),
        /// Ready roles that cannot be deleted or changed.
        is_managed: bool = flag("ismanaged", "Is Managed").read(),
    } also {
        memo("description", "Description"),
    }
}

table! {
    pub struct Privilege, PrivilegeColumns: Table {
        logical: "privilege", set: "privileges", schema: "Privilege", id: "privilegeid", name: Some("name"), code: 1023, ..BLANK
    }; {
        /// `prvReadMailbox`
        name: String = text("name", "Name", 100).read(),
        /// One bit of the access rights; 0 for privileges that concern no table.
        right: i64 = int("accessright", "Access Right", 0, 2_147_483_647).or(0).read(),
        can_be_basic: bool = flag("canbebasic", "Can Be Basic").read(),
        can_be_local: bool = flag("canbelocal", "Can Be Local").read(),
        can_be_deep: bool = flag("canbedeep", "Can Be Deep").read(),
        can_be_global: bool = flag("canbeglobal", "Can Be Global").read(),
    } also {}
}

table! {
    pub struct RolePrivilege, RolePrivilegeColumns: Table {
        logical: "roleprivileges", set: "roleprivilegescollection", schema: "RolePrivileges", id: "roleprivilegeid", code: 12, ..BLANK
    }; {
        role: Option<Ref> = lookup("roleid", "Role", &["role"]).on_create(),
        privilege: Option<Ref> = lookup("privilegeid", "Privilege", &["privilege"]).on_create(),
        /// 1 user, 2 business unit, 4 parent and child business units, 8 organization.
        depth: i64 = int("privilegedepthmask", "Privilege Depth Mask", 1, 8).or(1),
    } also {}
}

table! {
    pub struct UserRole, UserRoleColumns: Table {
        logical: "systemuserroles", set: "systemuserrolescollection", schema: "SystemUserRoles", id: "systemuserroleid", code: 15, ..BLANK
    }; {
        user: Option<Ref> = lookup("systemuserid", "User", &["systemuser"]).on_create(),
        role: Option<Ref> = lookup("roleid", "Role", &["role"]).on_create(),
    } also {}
}

table! {
    pub struct TeamRole, TeamRoleColumns: Table {
        logical: "teamroles", set: "teamrolescollection", schema: "TeamRoles", id: "teamroleid", code: 40, ..BLANK
    }; {
        team: Option<Ref> = lookup("teamid", "Team", &["team"]).on_create(),
        role: Option<Ref> = lookup("roleid", "Role", &["role"]).on_create(),
    } also {}
}

table! {
    pub struct TeamMembership, TeamMembershipColumns: Table {
        logical: "teammembership", set: "teammemberships", schema: "TeamMembership", id: "teammembershipid", code: 23, ..BLANK
    }; {
        team: Option<Ref> = lookup("teamid", "Team", &["team"]).on_create(),
        user: Option<Ref> = lookup("systemuserid", "User", &["systemuser"]).on_create(),
    } also {}
}
