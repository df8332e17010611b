//! Field security: columns that only the holders of a profile may read or write.

use crate::table::{BLANK, Child, Link, Table, choice, lookup, memo, text};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum FieldRight: "field_security_permission_type" { NotAllowed = 0 "Not Allowed", Allowed = 4 "Allowed" }
}

table! {
    pub struct FieldSecurityProfile, FieldSecurityProfileColumns: Table {
        logical: "fieldsecurityprofile", set: "fieldsecurityprofiles", schema: "FieldSecurityProfile",
        id: "fieldsecurityprofileid", name: Some("name"), code: 1200,
        children: &[
            Child { nav: "lk_fieldpermission_fieldsecurityprofileid", table: "fieldpermission", column: "fieldsecurityprofileid" },
            Child { nav: "systemuserprofiles", table: "systemuserprofiles", column: "fieldsecurityprofileid" },
            Child { nav: "teamprofiles", table: "teamprofiles", column: "fieldsecurityprofileid" },
        ],
        links: &[
            Link { nav: "systemuserprofiles_association", through: "systemuserprofiles", here: "fieldsecurityprofileid", there: "systemuserid", table: "systemuser" },
            Link { nav: "teamprofiles_association", through: "teamprofiles", here: "fieldsecurityprofileid", there: "teamid", table: "team" },
        ], ..BLANK
    }; {
        name: String = text("name", "Name", 100).required(),
    } also {
        memo("description", "Description"),
    }
}

table! {
    pub struct FieldPermission, FieldPermissionColumns: Table {
        logical: "fieldpermission", set: "fieldpermissions", schema: "FieldPermission", id: "fieldpermissionid", code: 1201, ..BLANK
    }; {
        profile: Option<Ref> = lookup("fieldsecurityprofileid", "Profile", &["fieldsecurityprofile"]).on_create(),
        table: String = text("entityname", "Entity Name", 128).on_create().required(),
        column: String = text("attributelogicalname", "Attribute Logical Name", 128).on_create().required(),
        can_read: FieldRight = choice("canread", "Can Read", FieldRight::OPTIONS),
        can_create: FieldRight = choice("cancreate", "Can Create", FieldRight::OPTIONS),
        can_update: FieldRight = choice("canupdate", "Can Update", FieldRight::OPTIONS),
    } also {}
}

table! {
    pub struct UserProfile, UserProfileColumns: Table {
        logical: "systemuserprofiles", set: "systemuserprofilescollection", schema: "SystemUserProfiles",
        id: "systemuserprofileid", code: 1202, ..BLANK
    }; {
        user: Option<Ref> = lookup("systemuserid", "User", &["systemuser"]).on_create(),
        profile: Option<Ref> = lookup("fieldsecurityprofileid", "Profile", &["fieldsecurityprofile"]).on_create(),
    } also {}
}

table! {
    pub struct TeamProfile, TeamProfileColumns: Table {
        logical: "teamprofiles", set: "teamprofilescollection", schema: "TeamProfiles", id: "teamprofileid", code: 1203, ..BLANK
    }; {
        team: Option<Ref> = lookup("teamid", "Team", &["team"]).on_create(),
        profile: Option<Ref> = lookup("fieldsecurityprofileid", "Profile", &["fieldsecurityprofile"]).on_create(),
    } also {}
}
