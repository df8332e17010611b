//! Teams: owners of records that are not one person.

use crate::table::{BLANK, Link, Table, choice, email, flag, key, lookup, memo, text};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum TeamType: "team_type" {
        Owner = 0 "Owner",
        Access = 1 "Access",
        SecurityGroup = 2 "Security Group",
        OfficeGroup = 3 "Office Group",
    }
}

table! {
    pub struct Team, TeamColumns: Table {
        logical: "team", set: "teams", schema: "Team", id: "teamid", name: Some("name"), code: 9,
        links: &[
            Link { nav: "teamroles_association", through: "teamroles", here: "teamid", there: "roleid", table: "role" },
            Link { nav: "teammembership_association", through: "teammembership", here: "teamid", there: "systemuserid", table: "systemuser" },
            Link { nav: "teamprofiles_association", through: "teamprofiles", here: "teamid", there: "fieldsecurityprofileid", table: "fieldsecurityprofile" },
        ],
        keys: &[key(&["name"], "Team Name")], tracked: true, ..BLANK
    }; {
        name: String = text("name", "Team Name", 160).required(),
        business_unit: Option<Ref> = lookup("businessunitid", "Business Unit", &["businessunit"]),
        administrator: Option<Ref> = lookup("administratorid", "Administrator", &["systemuser"]),
        address: String = email("emailaddress", "Email", 100),
        kind: TeamType = choice("teamtype", "Team Type", TeamType::OPTIONS),
        is_default: bool = flag("isdefault", "Is Default").read(),
    } also {
        memo("description", "Description"),
        lookup("queueid", "Default Queue", &["queue"]),
    }
}
