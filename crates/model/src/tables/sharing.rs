//! Sharing: rights to one row, given to a user or a team by who may share it.

use crate::table;
use crate::table::{BLANK, Table, int, lookup};
use crate::value::Ref;

/// The tables whose rows have owners and can therefore be shared.
pub const SHAREABLE: &[&str] =
    &["mailbox", "emailserverprofile", "queue", "email", "account", "contact", "lead", "userquery"];

table! {
    pub struct Sharing, SharingColumns: Table {
        logical: "principalobjectaccess", set: "principalobjectaccessset", schema: "PrincipalObjectAccess",
        id: "principalobjectaccessid", code: 11, ..BLANK
    }; {
        object: Option<Ref> = lookup("objectid", "Object", SHAREABLE).on_create(),
        principal: Option<Ref> = lookup("principalid", "Principal", &["systemuser", "team"]).on_create(),
        /// Bits: 1 read, 2 write, 4 append, 16 append to, 65536 delete, 262144 share, 524288 assign.
        rights: i64 = int("accessrightsmask", "Access Rights Mask", 0, 2_147_483_647).or(0),
    } also {}
}
