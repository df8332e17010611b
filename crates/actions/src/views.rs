//! The views that an installation has from the start: those of the reference
//! product for mailboxes, and those that an administrator would otherwise
//! build anew everywhere.

use jiff::Timestamp;
use model::tables::{EmailServerProfile, Mailbox, SavedQuery};
use model::{Change, Entity, Record, Table};

/// Name, conditions, and whether it is the table's default.
const MAILBOXES: &[(&str, &str, bool)] = &[
    (
        "My Active Mailboxes",
        "<condition attribute=\"ownerid\" operator=\"eq-userid\" /><condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />",
        true,
    ),
    ("Active Mailboxes", "<condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />", false),
    ("Inactive Mailboxes", "<condition attribute=\"statecode\" operator=\"eq\" value=\"1\" />", false),
    (
        "Mailboxes Pending Approval",
        "<condition attribute=\"emailrouteraccessapproval\" operator=\"eq\" value=\"2\" /><condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />",
        false,
    ),
    (
        "Rejected Mailboxes",
        "<condition attribute=\"emailrouteraccessapproval\" operator=\"eq\" value=\"3\" /><condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />",
        false,
    ),
    (
        "Active Mailboxes Not Tested",
        "<condition attribute=\"mailboxstatus\" operator=\"eq\" value=\"0\" /><condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />",
        false,
    ),
    (
        "Mailboxes with Failed Tests",
        "<filter type=\"or\"><condition attribute=\"mailboxstatus\" operator=\"eq\" value=\"2\" />\
         <condition attribute=\"incomingemailstatus\" operator=\"eq\" value=\"2\" />\
         <condition attribute=\"outgoingemailstatus\" operator=\"eq\" value=\"2\" /></filter>\
         <condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />",
        false,
    ),
    (
        "Mailboxes Disabled for Email",
        "<condition attribute=\"enabledforincomingemail\" operator=\"eq\" value=\"0\" />\
         <condition attribute=\"enabledforoutgoingemail\" operator=\"eq\" value=\"0\" />\
         <condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />",
        false,
    ),
    ("Forward Mailboxes", "<condition attribute=\"isforwardmailbox\" operator=\"eq\" value=\"1\" />", false),
    (
        "Mailboxes Without Profile",
        "<condition attribute=\"emailserverprofile\" operator=\"null\" /><condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />",
        false,
    ),
];

const MAILBOX_COLUMNS: &[&str] = &[
    "name",
    "emailaddress",
    "regardingobjectid",
    "emailserverprofile",
    "emailrouteraccessapproval",
    "incomingemailstatus",
    "outgoingemailstatus",
    "ownerid",
    "statuscode",
];

const PROFILES: &[(&str, &str, bool)] = &[
    ("Active Email Server Profiles", "<condition attribute=\"statecode\" operator=\"eq\" value=\"0\" />", true),
    ("Inactive Email Server Profiles", "<condition attribute=\"statecode\" operator=\"eq\" value=\"1\" />", false),
];

const PROFILE_COLUMNS: &[&str] = &["name", "servertype", "ownerid", "statuscode"];

/// The rows of the views, each with an id of its own that never changes.
pub(crate) fn all() -> Vec<Change> {
    let mut rows = Vec::new();
    for (table, views, columns) in
        [(Mailbox::TABLE, MAILBOXES, MAILBOX_COLUMNS), (EmailServerProfile::TABLE, PROFILES, PROFILE_COLUMNS)]
    {
        for (name, conditions, is_default) in views {
            let parts: [&[u8]; 3] = [b"savedquery", table.logical.as_bytes(), name.as_bytes()];
            let id = model::id::derived(Timestamp::UNIX_EPOCH, &parts);
            let mut row = Record::with_defaults(SavedQuery::TABLE, id);
            row.put(SavedQuery::C.name, (*name).to_owned());
            row.put(SavedQuery::C.table, table.logical.to_owned());
            row.put(SavedQuery::C.fetch, fetch(table, columns, conditions));
            row.put(SavedQuery::C.is_default, *is_default);
            rows.push(Change::Ensure(row));
        }
    }
    rows
}

fn fetch(table: &Table, columns: &[&str], conditions: &str) -> String {
    let columns: String = columns.iter().map(|c| format!("<attribute name=\"{c}\" />")).collect();
    format!(
        "<fetch version=\"1.0\" mapping=\"logical\"><entity name=\"{}\"><attribute name=\"{}\" />{columns}\
         <order attribute=\"name\" descending=\"false\" /><filter type=\"and\">{conditions}</filter></entity></fetch>",
        table.logical, table.id
    )
}
