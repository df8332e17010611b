//! The page "Check your security role".

use askama::Template;

use crate::pages::kit::Frame;

#[derive(Template)]
#[template(path = "roles.html")]
pub(crate) struct RolesPage<'a> {
    pub frame: Frame,
    /// What was asked: a user name, an operation; both may be empty.
    pub user: &'a str,
    pub operation: &'a str,
    pub fault: &'a str,
    /// Whom it is about; empty where nothing was found.
    pub of: String,
    pub roles: Vec<RoleRow>,
    pub tables: Vec<TableRow>,
    pub specials: Vec<String>,
    pub needed: Vec<NeededRow>,
    pub granted: bool,
    pub would_do: String,
    pub grantors: String,
}

pub(crate) struct RoleRow {
    pub name: String,
    pub from: String,
}

pub(crate) struct TableRow {
    pub name: String,
    pub rights: String,
}

pub(crate) struct NeededRow {
    pub privilege: String,
    pub held: String,
}
