//! The ledger: one row for every message ever seen on a server.

use jiff::Timestamp;

use crate::table::{BLANK, Table, bytes, choice, int, lookup, memo, text, time};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    /// What became of a message.
    pub enum Disposition: "pr_disposition" {
        /// Could not be decided for a passing reason; is tried again.
        Waiting = 0 "Waiting",
        Tracked = 1 "Tracked as a new email",
        Duplicate = 2 "Already tracked",
        /// The filter of the mailbox (and of everybody else it was for) does not accept it.
        Filtered = 3 "Not accepted by the filter",
        NoRecipientMatch = 4 "No recipient matches",
        InternalEmail = 5 "Email between users, not tracked",
        InvalidSender = 6 "Sender missing or invalid",
        /// The outer message in a forward mailbox: what it enclosed was handled
        /// for the mailboxes it was for, each with a row of its own.
        Forwarded = 7 "Handled for the mailboxes it was for",
        /// In a forward mailbox, and nobody's: kept, with an alert.
        Unclaimed = 8 "Nobody's mail",
        /// Five times something went wrong with this message alone; stays re-processable.
        Failed = 9 "Failed",
        /// The server lists it but does not deliver it.
        Unreadable = 10 "The server did not deliver it",
        TooOld = 11 "Older than 'Process Email From'",
        TestMessage = 12 "Message of a configuration test",
        /// The same message again under a new position (UIDVALIDITY was reset, or it was moved away and back).
        SeenBefore = 13 "Seen before",
        TooLarge = 14 "Larger than the limit",
        /// A copy of what Postroom itself sent from this mailbox.
        OwnCopy = 15 "Copy of an email sent from here",
    }
}

table! {
    pub struct LedgerEntry, LedgerEntryColumns: Table {
        logical: "pr_ledgerentry", set: "pr_ledgerentries", schema: "pr_LedgerEntry", id: "pr_ledgerentryid",
        name: Some("pr_subject"), code: 10_001, words: &["pr_subject", "pr_from"], ..BLANK
    }; {
        mailbox: Option<Ref> = lookup("pr_mailboxid", "Mailbox", &["mailbox"]).read(),
        folder: String = text("pr_folder", "Folder", 1000).read(),
        /// Unique within mailbox and folder.
        position: String = text("pr_position", "Position", 320).read(),
        message_id: String = text("pr_messageid", "Message ID", 1000).read(),
        /// Hex of SHA-256 over what stays the same on every road: see `formats::mime`.
        fingerprint: String = text("pr_fingerprint", "Fingerprint", 64).read(),
        subject: String = text("pr_subject", "Subject", 800).read(),
        from: String = text("pr_from", "From", 320).read(),
        received_on: Option<Timestamp> = time("pr_receivedon", "Received On").read(),
        seen_on: Option<Timestamp> = time("pr_seenon", "Seen On").read(),
        disposition: Disposition = choice("pr_disposition", "Disposition", Disposition::OPTIONS).read(),
        /// In plain words.
        reason: String = memo("pr_reason", "Reason").read(),
        activity: Option<Ref> = lookup("pr_activityid", "Email", &["email"]).read(),
        attempts: i64 = int("pr_attempts", "Attempts", 0, 2_147_483_647).or(0).read(),
        /// Octets as read.
        size: i64 = int("pr_size", "Size (Bytes)", 0, 9_007_199_254_740_991).or(0).read(),
        /// When what the message was about was forgotten, because it was old.
        cleared_on: Option<Timestamp> = time("pr_clearedon", "Details Removed On").read(),
        /// SHA-256 of the raw message in the blob store.
        blob: Option<Vec<u8>> = bytes("pr_blob", "Raw Message"),
        header_digest: Option<Vec<u8>> = bytes("pr_headerdigest", "Header Digest"),
    } also {}
}
