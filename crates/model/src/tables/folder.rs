//! How far each folder of a mailbox has been read: [`crate::work::ImapCursor`] as a row.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Table, int, lookup, text, time};
use crate::value::Ref;

table! {
    pub struct Folder, FolderColumns: Table {
        logical: "pr_folder", set: "pr_folders", schema: "pr_Folder", id: "pr_folderid", code: 10_003,
        on_wire: false, ..BLANK
    }; {
        mailbox: Option<Ref> = lookup("pr_mailboxid", "Mailbox", &["mailbox"]),
        name: String = text("pr_name", "Name", 1000),
        uid_validity: i64 = int("pr_uidvalidity", "UIDVALIDITY", 0, 4_294_967_295).or(0),
        next_uid: i64 = int("pr_nextuid", "Next UID", 0, 4_294_967_295).or(0),
        backlog_end: i64 = int("pr_backlogend", "End of Backlog", 0, 4_294_967_295).or(0),
        since: Option<Timestamp> = time("pr_since", "Since"),
        /// `user@host:port` that was read last: at another one UIDs mean other messages.
        account: String = text("pr_account", "Account", 1000),
        /// The message at which reading broke off last, as [`crate::work::Position::in_folder`] has it.
        stumbled_at: String = text("pr_stumbledat", "Stumbled At", 320),
        /// How often in a row it did.
        stumbles: i64 = int("pr_stumbles", "Stumbles", 0, 2_147_483_647).or(0),
        highest_modseq: Option<i64> = int("pr_highestmodseq", "HIGHESTMODSEQ", 0, 9_007_199_254_740_991),
    } also {}
}
