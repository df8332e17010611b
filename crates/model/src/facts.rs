//! What rules need to know about a batch of messages, loaded at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::id::Id;
use crate::secret::Secret;
use crate::tables::{EmailStatus, IncomingFilter, LedgerEntry, Mailbox, Organization};
use crate::value::Ref;

/// What to look up. Addresses are [`crate::mail::address_key`]s.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailKeys {
    /// The mailbox that was read.
    pub mailbox: Id,
    pub addresses: BTreeSet<String>,
    /// Message-IDs of the messages themselves and of what they answer.
    pub message_ids: BTreeSet<String>,
    pub fingerprints: BTreeSet<[u8; 32]>,
    /// Duplicate keys that would be taken by these messages.
    pub duplicate_keys: BTreeSet<Id>,
    /// Complete tracking tokens found in subjects.
    pub tokens: BTreeSet<String>,
    /// Conversation index hashes.
    pub conversations: BTreeSet<i64>,
}

/// The answer. A fact about one message may follow from another of the same
/// batch: the rules keep this up to date as they decide.
#[derive(Debug, Clone)]
pub struct MailFacts {
    pub organization: Organization,
    /// Signs tracking tokens; absent only in a broken installation.
    pub signing_key: Option<Secret>,
    /// The mailbox that was read.
    pub mailbox: Mailbox,
    /// Who is known by an address: every row of account, contact, lead,
    /// systemuser, queue, team with that address in an e-mail column, active or not.
    pub known: BTreeMap<String, Vec<Known>>,
    /// Mailboxes of the users and queues among `known` and of the mailbox that was read.
    pub served: Vec<Served>,
    /// Emails with one of the keys (message id, fingerprint, duplicate key, token, conversation).
    pub emails: Vec<StoredEmail>,
    /// Ledger rows of the mailbox that was read with one of the fingerprints.
    pub ledger: Vec<LedgerEntry>,
}

/// A record that has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub record: Ref,
    /// Display name.
    pub name: String,
    pub owner: Option<Ref>,
    /// Which e-mail column: 1, 2, 3.
    pub column: i64,
    /// Active, or an enabled user.
    pub active: bool,
    pub created_on: Timestamp,
    pub do_not_email: bool,
    /// The account behind a contact.
    pub account: Option<Id>,
}

/// A user's or queue's mailbox with what decides over its mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    pub mailbox: Mailbox,
    /// The user or queue.
    pub who: Ref,
    pub filter: IncomingFilter,
    /// The user is enabled, the queue is active.
    pub active: bool,
    /// Owner of the queue; the user itself for a user.
    pub owner: Ref,
}

/// What is known of an email that is already there.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEmail {
    pub id: Id,
    pub subject: String,
    pub message_id: String,
    pub fingerprint: Option<[u8; 32]>,
    pub duplicate_key: Option<Id>,
    pub is_outgoing: bool,
    pub status: EmailStatus,
    pub token: String,
    pub conversation_hash: Option<i64>,
    /// The whole conversation index (Thread-Index), base64.
    pub conversation_index: String,
    pub conversation: Option<Id>,
    pub regarding: Option<Ref>,
    pub owner: Option<Ref>,
    pub created_on: Timestamp,
    /// Address keys of all its parties.
    pub participants: BTreeSet<String>,
    /// Queues that have an item for it, and the mailboxes it was received in.
    pub queues: BTreeSet<Id>,
}
