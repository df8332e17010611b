//! Something that a page wants to know of servers: the machine's half finds it
//! out while the page waits. Rows live for an hour; the passwords in them only
//! until the servers were asked.

use jiff::Timestamp;

use crate::discovery::{InquiryKind, InquiryState};
use crate::table;
use crate::table::{BLANK, Table, choice, flag, int, lookup, memo, secret, text, time};
use crate::tables::ServerType;
use crate::value::Ref;

table! {
    pub struct Inquiry, InquiryColumns: Table {
        logical: "pr_inquiry", set: "pr_inquiries", schema: "pr_Inquiry", id: "pr_inquiryid", code: 10_040,
        on_wire: false, ..BLANK
    }; {
        /// Who asked, and alone is told.
        user: Option<Ref> = lookup("pr_systemuserid", "User", &["systemuser"]),
        kind: InquiryKind = choice("pr_kind", "Kind", InquiryKind::OPTIONS),
        state: InquiryState = choice("pr_state", "State", InquiryState::OPTIONS),
        asked_on: Option<Timestamp> = time("pr_askedon", "Asked On"),
        lease_until: Option<Timestamp> = time("pr_leaseuntil", "Leased Until"),
        holder: String = text("pr_holder", "Holder", 256),
        address: String = text("pr_address", "Address", 320),
        server_type: ServerType = choice("pr_servertype", "Email Server Type", ServerType::OPTIONS),
        /// With these the connection is tested. The columns are a profile's.
        incoming_location: String = text("pr_incominglocation", "Incoming Server Location", 2084),
        incoming_port: Option<i64> = int("pr_incomingport", "Incoming Port", 0, 65_536),
        incoming_ssl: bool = flag("pr_incomingssl", "Use SSL for Incoming Connection").yes(),
        incoming_user: String = text("pr_incominguser", "Incoming User Name", 250),
        outgoing_location: String = text("pr_outgoinglocation", "Outgoing Server Location", 2084),
        outgoing_port: Option<i64> = int("pr_outgoingport", "Outgoing Port", 0, 65_536),
        outgoing_ssl: bool = flag("pr_outgoingssl", "Use SSL for Outgoing Connection").yes(),
        outgoing_user: String = text("pr_outgoinguser", "Outgoing User Name", 250),
        /// The outgoing server wants no user name and password.
        anonymous: bool = flag("pr_anonymous", "Without Credentials"),
        /// Whose stored passwords are used where none was given.
        profile: Option<Ref> = lookup("pr_emailserverprofileid", "Email Server Profile", &["emailserverprofile"]),
        /// The mailbox that the settings are looked up for.
        mailbox: Option<Ref> = lookup("pr_mailboxid", "Mailbox", &["mailbox"]),
        /// What happened so far, one object a line, as JSON.
        progress: String = memo("pr_progress", "Progress"),
        /// The servers that were found, as JSON.
        result: String = memo("pr_result", "Result"),
    } also {
        secret("pr_incomingpassword", "Incoming Password", 250, "pr_isincomingpasswordset"),
        secret("pr_outgoingpassword", "Outgoing Password", 250, "pr_isoutgoingpasswordset"),
        flag("pr_isincomingpasswordset", "Incoming Password Set").read(),
        flag("pr_isoutgoingpasswordset", "Outgoing Password Set").read(),
    }
}
