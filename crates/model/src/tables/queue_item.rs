//! What waits in a queue.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Ownership, Table, choice, int, lookup, text, time};
use crate::tables::states::{State, Status};
use crate::value::Ref;

table! {
    pub struct QueueItem, QueueItemColumns: Table {
        logical: "queueitem", set: "queueitems", schema: "QueueItem", id: "queueitemid", name: Some("title"),
        code: 2029, ownership: Ownership::Parent, tracked: true, ..BLANK
    }; {
        queue: Option<Ref> = lookup("queueid", "Queue", &["queue"]).required(),
        object: Option<Ref> = lookup("objectid", "Object", &["email"]).required(),
        /// Object type code of `objectid`, 4202 for an email.
        object_type: i64 = int("objecttypecode", "Type", 0, 2_147_483_647),
        title: String = text("title", "Title", 300).read(),
        sender: String = text("sender", "From", 250),
        to: String = text("torecipients", "To", 500),
        entered_on: Option<Timestamp> = time("enteredon", "Entered Queue").read(),
        worker: Option<Ref> = lookup("workerid", "Worked By", &["systemuser", "team"]),
        worker_modified_on: Option<Timestamp> = time("workeridmodifiedon", "Worked By Modified On").read(),
        priority: Option<i64> = int("priority", "Priority", 0, 100),
        state: State = choice("statecode", "Status", State::OPTIONS),
        status: Status = choice("statuscode", "Status Reason", Status::OPTIONS),
    } also {}
}
