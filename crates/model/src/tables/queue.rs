//! Queues: shared addresses such as `support@`.

use crate::table::{BLANK, Child, Ownership, Table, choice, email, flag, int, key, lookup, memo, text};
use crate::tables::states::{Approval, DefaultValue, IncomingFilter, IncomingMethod, OutgoingMethod, State, Status};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum QueueView: "queue_queueviewtype" { Public = 0 "Public", Private = 1 "Private" }
}

table! {
    pub struct Queue, QueueColumns: Table {
        logical: "queue", set: "queues", schema: "Queue", id: "queueid", name: Some("name"), code: 2020,
        ownership: Ownership::UserOrTeam,
        children: &[
            Child { nav: "queue_entries", table: "queueitem", column: "queueid" },
            Child { nav: "mailbox_regarding_queue", table: "mailbox", column: "regardingobjectid" },
        ],
        keys: &[key(&["name"], "Name"), key(&["emailaddress"], "Incoming Email")], tracked: true, ..BLANK
    }; {
        name: String = text("name", "Name", 200).required(),
        owner: Option<Ref> = lookup("ownerid", "Owner", &["systemuser", "team"]),
        address: String = email("emailaddress", "Incoming Email", 100),
        filter: IncomingFilter = choice("incomingemailfilteringmethod", "Convert Incoming Email To Activities", IncomingFilter::OPTIONS),
        incoming: IncomingMethod = choice("incomingemaildeliverymethod", "Incoming Email Delivery Method", IncomingMethod::OPTIONS),
        outgoing: OutgoingMethod = choice("outgoingemaildeliverymethod", "Outgoing Email Delivery Method", OutgoingMethod::OPTIONS),
        approval: Approval = choice("emailrouteraccessapproval", "Email Status", Approval::OPTIONS),
        default_mailbox: Option<Ref> = lookup("defaultmailbox", "Mailbox", &["mailbox"]).read(),
        view: QueueView = choice("queueviewtype", "Type", QueueView::OPTIONS),
        state: State = choice("statecode", "Status", State::OPTIONS),
        status: Status = choice("statuscode", "Status Reason", Status::OPTIONS),
    } also {
        memo("description", "Description"),
        lookup("primaryuserid", "Owner (legacy)", &["systemuser"]),
        lookup("businessunitid", "Business Unit", &["businessunit"]),
        flag("ignoreunsolicitedemail", "Ignore Unsolicited Email"),
        flag("isemailaddressapprovedbyo365admin", "Email Address O365 Admin Approval Status").read(),
        flag("isfaxqueue", "Fax Queue").read(),
        int("numberofitems", "Queue Items", 0, 2_147_483_647).read(),
        int("numberofmembers", "No. of Members", 0, 2_147_483_647).read(),
        // Moved to the mailbox; nothing is ever stored here.
        text("emailusername", "User Name (on the mailbox)", 200).read(),
        text("emailpassword", "Password (on the mailbox)", 200).read(),
        flag("allowemailcredentials", "Allow Credentials (on the mailbox)").read(),
        choice("queuetypecode", "Queue Type", DefaultValue::OPTIONS).read(),
    }
}
