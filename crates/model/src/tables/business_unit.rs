//! Business units: the tree that depths of privileges refer to.

use crate::table;
use crate::table::{BLANK, Table, email, flag, key, lookup, memo, text};
use crate::value::Ref;

table! {
    pub struct BusinessUnit, BusinessUnitColumns: Table {
        logical: "businessunit", set: "businessunits", schema: "BusinessUnit",
        id: "businessunitid", name: Some("name"), code: 10,
        keys: &[key(&["name"], "Name")], tracked: true, ..BLANK
    }; {
        name: String = text("name", "Name", 160).required(),
        parent: Option<Ref> = lookup("parentbusinessunitid", "Parent Business", &["businessunit"]),
        is_disabled: bool = flag("isdisabled", "Is Disabled"),
    } also {
        memo("description", "Description"),
        email("emailaddress", "Email", 100),
        text("divisionname", "Division", 100),
        text("websiteurl", "Website", 200),
    }
}
