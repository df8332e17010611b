//! Columns that a privilege on the row is not enough for: credentials, and
//! the content of emails.

use model::{Refusal, Table, Words, words};

use super::{FieldRights, Principal, Right, RowFacts, Special};

/// Columns that only who holds [`Special::ManageCredentials`], a field
/// security profile or System Administrator may read or write. Secrets are
/// never read by anybody.
const SECURED: &[(&str, &[&str])] = &[
    ("mailbox", &["username", "password", "oauthaccesstoken", "oauthrefreshtoken", "oauthtokenexpireson"]),
    (
        "emailserverprofile",
        &[
            "incomingusername",
            "incomingpassword",
            "outgoingusername",
            "outgoingpassword",
            "oauthclientid",
            "oauthclientsecret",
            "exchangeonlinetenantid",
        ],
    ),
    // What happened to every table's rows, credentials and emails among them.
    ("pr_event", &["pr_values"]),
];

/// Columns that hold what an email says.
const CONTENT: &[(&str, &[&str])] = &[
    ("email", &["description", "internetmessageheaders"]),
    ("activitypointer", &["description"]),
    ("pr_event", &["pr_values"]),
];

fn listed(list: &[(&str, &[&str])], table: &str, column: &str) -> bool {
    list.iter().any(|(t, columns)| *t == table && columns.contains(&column))
}

/// Whether the column is field-secured (`IsSecured`).
pub fn is_secured(table: &Table, column: &str) -> bool {
    listed(SECURED, table.logical, column)
}

/// All secured columns: table and column.
pub fn secured() -> impl Iterator<Item = (&'static str, &'static str)> {
    SECURED.iter().flat_map(|(table, columns)| columns.iter().map(|column| (*table, *column)))
}

pub fn is_content(table: &Table, column: &str) -> bool {
    listed(CONTENT, table.logical, column)
}

/// Whether any column of the table is withheld from somebody.
pub fn withholds(table: &Table) -> bool {
    [SECURED, CONTENT].iter().any(|list| list.iter().any(|(t, _)| *t == table.logical))
}

/// What the field security profiles allow with a secured column of every row.
pub fn by_profile(principal: &Principal, table: &Table, column: &str) -> FieldRights {
    if principal.administrator {
        return FieldRights { read: true, create: true, update: true };
    }
    let key = (table.logical.to_owned(), column.to_owned());
    principal.fields.get(&key).copied().unwrap_or_default()
}

/// Whether a secured column of this row may be read (`Right::Read`), set on a
/// new row (`Right::Create`) or changed (anything else).
pub fn may(principal: &Principal, right: Right, table: &Table, column: &str, row: &RowFacts) -> bool {
    let rights = by_profile(principal, table, column);
    let profile = match right {
        Right::Read => rights.read,
        Right::Create => rights.create,
        _ => rights.update,
    };
    profile || principal.special_covers(Special::ManageCredentials, row)
}

/// Whether the content of an email may be read that may be read itself.
pub fn may_read_content(principal: &Principal, row: &RowFacts) -> bool {
    principal.reach(Special::ReadEmailContent.name()).is_some_and(|reach| principal.covers(reach, row, Right::Read))
}

/// 0x8004F507: a secured column that may not be written, or searched.
pub fn refused(principal: &Principal, table: &Table, column: &'static str, what: Words) -> Refusal {
    let message = words!(
        "Principal user ({0}) may not {1} the secured column '{2}' of {3}: that takes {4} ({5}) or a field \
         security profile. Ask a System Administrator.",
        principal.name,
        what,
        column,
        table.logical,
        Special::ManageCredentials.name(),
        Words::label(Special::ManageCredentials.label())
    );
    Refusal::new(0x8004_F507, "AttributePermissionMissing", message).at(column)
}

/// Content behind a path, or searched by who may read none.
pub fn content_refused(principal: &Principal, table: &Table, column: &'static str) -> Refusal {
    let message = words!(
        "Principal user ({0}) may not search '{1}' of {2}: that takes {3} ({4}). Ask a System Administrator.",
        principal.name,
        column,
        table.logical,
        Special::ReadEmailContent.name(),
        Words::label(Special::ReadEmailContent.label())
    );
    Refusal::new(0x8004_0220, "PrivilegeDenied", message).at(column)
}
