//! Email activities.

use jiff::Timestamp;

use crate::id::Id;
use crate::table::{
    BLANK, Child, Ownership, Table, bytes, choice, flag, id, int, key, lookup, memo, open_choice, text, time,
};
use crate::tables::states::Priority;
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum EmailState: "email_statecode" { Open = 0 "Open", Completed = 1 "Completed", Canceled = 2 "Canceled" }
}
option_set! {
    pub enum EmailStatus: "email_statuscode" {
        Draft = 1 "Draft" in 0,
        Completed = 2 "Completed" in 1,
        Sent = 3 "Sent" in 1,
        Received = 4 "Received" in 1,
        Canceled = 5 "Canceled" in 2,
        PendingSend = 6 "Pending Send" in 1,
        Sending = 7 "Sending" in 1,
        Failed = 8 "Failed" in 0,
    }
}
option_set! {
    pub enum CorrelationMethod: "email_correlationmethod" {
        None = 0 "None",
        Skipped = 1 "Skipped",
        XHeader = 2 "XHeader",
        InReplyTo = 3 "InReplyTo",
        TrackingToken = 4 "TrackingToken",
        ConversationIndex = 5 "ConversationIndex",
        SmartMatching = 6 "SmartMatching",
        CustomCorrelation = 7 "CustomCorrelation",
    }
}
option_set! {
    pub enum Notifications: "email_notifications" {
        None = 0 "None",
        AttachmentsBlocked = 1 "The message was saved as a Microsoft Dynamics 365 email record, but not all the attachments could be saved with it",
        TruncatedBody = 2 "Truncated body",
    }
}

impl EmailStatus {
    /// The state that this status belongs to.
    pub fn state(self) -> EmailState {
        match self {
            Self::Draft | Self::Failed => EmailState::Open,
            Self::Canceled => EmailState::Canceled,
            _ => EmailState::Completed,
        }
    }
}

/// What an email or an alert may be about.
pub const REGARDING: &[&str] = &["account", "contact", "lead"];

option_set! {
    pub enum ReminderStatus: "email_emailreminderstatus" {
        NotSet = 0 "Not Set",
        ReminderSet = 1 "Reminder Set",
        ReminderExpired = 2 "Reminder Expired",
        ReminderInvalid = 3 "Reminder Invalid",
    }
}
option_set! {
    pub enum ReminderType: "email_emailremindertype" {
        NoReply = 0 "If I do not receive a reply by",
        NotOpened = 1 "If the email is not opened by",
        Anyway = 2 "Remind me anyways at",
    }
}

table! {
    pub struct Email, EmailColumns: Table {
        logical: "email", set: "emails", schema: "Email", id: "activityid", name: Some("subject"), code: 4202,
        ownership: Ownership::UserOrTeam,
        children: &[
            Child { nav: "email_activity_parties", table: "activityparty", column: "activityid" },
            Child { nav: "email_activity_mime_attachment", table: "activitymimeattachment", column: "objectid" },
            Child { nav: "Email_QueueItem", table: "queueitem", column: "objectid" },
            Child { nav: "tracelog_Email", table: "tracelog", column: "regardingobjectid" },
            Child { nav: "pr_email_ledgerentries", table: "pr_ledgerentry", column: "pr_activityid" },
        ],
        keys: &[key(&["messageid"], "Message ID")], activity: true, tracked: true,
        words: &["subject", "sender", "torecipients"], ..BLANK
    }; {
        subject: String = text("subject", "Subject", 800),
        /// HTML.
        description: String = memo("description", "Description"),
        owner: Option<Ref> = lookup("ownerid", "Owner", &["systemuser", "team"]),
        regarding: Option<Ref> = lookup("regardingobjectid", "Regarding", REGARDING),
        /// `true`: outgoing.
        is_outgoing: bool = flag("directioncode", "Direction").yes(),
        sender: String = text("sender", "From", 250),
        to_recipients: String = text("torecipients", "To Recipients", 500),
        submitted_by: String = text("submittedby", "Submitted By", 250),
        email_sender: Option<Ref> = lookup("emailsender", "Sender", &["account", "contact", "lead", "queue", "systemuser"]).read(),
        /// RFC 5322 Message-ID with its angle brackets.
        message_id: String = text("messageid", "Message ID", 320),
        /// What makes this message the same as another: unique.
        duplicate_key: Option<Id> = id("messageiddupcheck", "Message ID Duplicate Check").internal(),
        fingerprint: Option<Vec<u8>> = bytes("pr_fingerprint", "Fingerprint"),
        in_reply_to: String = text("inreplyto", "In Reply To Message", 320).read(),
        /// The whole References field of an outgoing reply, to be sent as it is.
        references: String = memo("pr_references", "References").internal(),
        conversation_index: String = text("conversationindex", "Conversation Index", 2048).read(),
        conversation_hash: Option<i64> = int("baseconversationindexhash", "Conversation Index (Hash)", -2_147_483_648, 2_147_483_647),
        tracking_token: String = text("trackingtoken", "Tracking Token", 50),
        correlation: CorrelationMethod = choice("correlationmethod", "Correlation Method", CorrelationMethod::OPTIONS).read(),
        correlated: Option<Ref> = lookup("correlatedactivityid", "Correlated Activity", &["email"]),
        parent: Option<Ref> = lookup("parentactivityid", "Parent Activity", &["email"]),
        /// The first email of the conversation, itself where it is the first.
        conversation: Option<Id> = id("conversationtrackingid", "Conversation Tracking Id"),
        accepting_entity: Option<Ref> = lookup("acceptingentityid", "Accepting Entity", &["queue", "systemuser"]),
        receiving_mailbox: Option<Ref> = lookup("receivingmailboxid", "Receiving Mailbox", &["mailbox"]),
        sender_mailbox: Option<Ref> = lookup("sendermailboxid", "Sender's Mailbox", &["mailbox"]).read(),
        notifications: Notifications = choice("notifications", "Notifications", Notifications::OPTIONS),
        attachment_count: i64 = int("attachmentcount", "Attachment Count", 0, 2_147_483_647).or(0).read(),
        priority: Priority = choice("prioritycode", "Priority", Priority::OPTIONS),
        sent_on: Option<Timestamp> = time("senton", "Date Sent").read(),
        /// When the server received it.
        received_on: Option<Timestamp> = time("pr_receivedon", "Date Received").read(),
        actual_end: Option<Timestamp> = time("actualend", "Actual End"),
        /// Where it stands among activities: when it was received, sent, or begun.
        sort_date: Option<Timestamp> = time("sortdate", "Sort Date"),
        delivery_attempts: i64 = int("deliveryattempts", "No. of Delivery Attempts", 0, 1_000_000_000).or(0),
        postponed_until: Option<Timestamp> = time("postponeemailprocessinguntil", "Delay email processing until").read(),
        delayed_send: Option<Timestamp> = time("delayedemailsendtime", "Send Later"),
        /// Why it waits or failed, with the server's own words.
        failure_reason: String = text("pr_failurereason", "Failure Reason", 2000).read(),
        read_receipt: bool = flag("readreceiptrequested", "Read Receipt Requested"),
        delivery_receipt: bool = flag("deliveryreceiptrequested", "Delivery Receipt Requested"),
        ambiguous_sender: bool = flag("isduplicatesenderunresolved", "Sender matched several records"),
        headers: String = memo("internetmessageheaders", "Internet Message Headers"),
        /// SHA-256 of the raw message in the blob store.
        blob: Option<Vec<u8>> = bytes("pr_blob", "Raw Message"),
        /// Where in it the message stands that the email was made from; empty
        /// for the whole.
        raw_place: String = text("pr_rawplace", "Raw Message Place", 400).internal(),
        state: EmailState = choice("statecode", "Activity Status", EmailState::OPTIONS),
        status: EmailStatus = choice("statuscode", "Status Reason", EmailStatus::OPTIONS),
    } also {
        text("activitytypecode", "Activity Type", 64).read(),
        lookup("sendersaccount", "Sender's Account", &["account"]).read(),
        text("category", "Category", 250),
        text("subcategory", "Sub-Category", 250),
        text("mimetype", "Mime Type", 256),
        open_choice("deliveryprioritycode", "Delivery Priority", Priority::OPTIONS).or(1),
        time("actualstart", "Actual Start"),
        time("scheduledstart", "Start Date"),
        time("scheduledend", "Due Date"),
        int("actualdurationminutes", "Duration", 0, 2_147_483_647),
        id("emailtrackingid", "Email Tracking Id"),
        flag("compressed", "Compressed").read(),
        flag("isworkflowcreated", "Is Workflow Created"),
        flag("isbilled", "Is Billed"),
        flag("isregularactivity", "Is Regular Activity").yes().read(),
        flag("followemailuserpreference", "Following"),
        flag("correlatedsubjectchanged", "Correlated Subject Changed"),
        int("importsequencenumber", "Import Sequence Number", 0, 2_147_483_647),
        time("overriddencreatedon", "Record Created On").on_create(),
        id("templateid", "Email Template"),
        text("acceptingentitytypecode", "Accepting Entity Type", 64),
        int("scheduleddurationminutes", "Scheduled Duration", 0, 2_147_483_647).read(),
        int("isunsafe", "Is Unsafe", 0, 2_147_483_647).read(),
        flag("isemailfollowed", "Is Email Followed").read(),
        flag("isemailreminderset", "Is Email Reminder Set").read(),
        choice("emailreminderstatus", "Email Reminder Status", ReminderStatus::OPTIONS).read(),
        open_choice("emailremindertype", "Email Reminder Type", ReminderType::OPTIONS),
        time("emailreminderexpirytime", "Email Reminder Expiry Time"),
        text("emailremindertext", "Email Reminder Text", 1250),
        id("reminderactioncardid", "Reminder Action Card Id"),
        memo("activityadditionalparams", "Additional Parameters"),
        int("attachmentopencount", "Attachment Open Count", 0, 2_147_483_647).or(0),
        int("linksclickedcount", "Links Clicked Count", 0, 2_147_483_647).or(0),
        int("opencount", "Open Count", 0, 2_147_483_647).or(0),
        int("replycount", "Reply Count", 0, 2_147_483_647).or(0).read(),
        time("lastopenedtime", "Last Opened Time"),
        time("lastonholdtime", "Last On Hold Time"),
        int("onholdtime", "On Hold Time (Minutes)", 0, 2_147_483_647).read(),
        id("processid", "Process"),
        id("stageid", "Process Stage"),
    }
}
