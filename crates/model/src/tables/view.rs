//! Views: queries that are kept, the organization's and each user's own.

use crate::table;
use crate::table::{BLANK, Ownership, Table, choice, flag, int, lookup, memo, text};
use crate::tables::states::{State, Status};
use crate::value::Ref;

table! {
    pub struct SavedQuery, SavedQueryColumns: Table {
        logical: "savedquery", set: "savedqueries", schema: "SavedQuery", id: "savedqueryid", name: Some("name"), code: 1039, ..BLANK
    }; {
        name: String = text("name", "Name", 200).required(),
        /// The logical name of the table whose rows it lists.
        table: String = text("returnedtypecode", "Entity Name", 64).on_create().required(),
        fetch: String = memo("fetchxml", "FetchXML"),
        kind: i64 = int("querytype", "Query Type", 0, 1_000_000).or(0),
        is_default: bool = flag("isdefault", "Default View"),
        state: State = choice("statecode", "Status", State::OPTIONS),
        status: Status = choice("statuscode", "Status Reason", Status::OPTIONS),
    } also {
        memo("description", "Description"),
        memo("layoutxml", "Layout"),
        memo("columnsetxml", "Columns"),
        flag("isquickfindquery", "Is Quick Find Query"),
        flag("isuserdefined", "Is User Defined").read(),
    }
}

table! {
    pub struct UserQuery, UserQueryColumns: Table {
        logical: "userquery", set: "userqueries", schema: "UserQuery", id: "userqueryid", name: Some("name"), code: 4230,
        ownership: Ownership::UserOrTeam, ..BLANK
    }; {
        name: String = text("name", "Name", 200).required(),
        owner: Option<Ref> = lookup("ownerid", "Owner", &["systemuser", "team"]),
        table: String = text("returnedtypecode", "Entity Name", 64).on_create().required(),
        fetch: String = memo("fetchxml", "FetchXML"),
        kind: i64 = int("querytype", "Query Type", 0, 1_000_000).or(0),
        state: State = choice("statecode", "Status", State::OPTIONS),
        status: Status = choice("statuscode", "Status Reason", Status::OPTIONS),
    } also {
        memo("description", "Description"),
        memo("layoutxml", "Layout"),
        memo("columnsetxml", "Columns"),
        lookup("parentqueryid", "Parent Query", &["savedquery"]),
    }
}
