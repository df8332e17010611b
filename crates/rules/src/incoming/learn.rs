//! Keeps the facts of a batch up to date with what was decided in it.

use std::collections::BTreeSet;

use model::change::Change;
use model::facts::{MailFacts, StoredEmail};
use model::mail::address_key;
use model::tables::{ActivityParty, Email, LedgerEntry, QueueItem};
use model::{Entity, Record, Timestamp};

pub(crate) fn learn(facts: &mut MailFacts, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Create(record) | Change::Ensure(record) => add(facts, record),
            Change::Update(update) if update.table == LedgerEntry::TABLE => {
                let mut record = Record::new(update.table, update.id);
                record.values.extend(update.set.iter().cloned());
                add(facts, &record);
            }
            Change::Update(_) | Change::Delete { .. } => {}
        }
    }
}

fn add(facts: &mut MailFacts, record: &Record) {
    match record.table.logical {
        "email" => {
            let Ok(email) = Email::from_record(record) else { return };
            facts.emails.push(stored(&email));
        }
        "activityparty" => {
            let Ok(party) = ActivityParty::from_record(record) else { return };
            let Some(email) = party.activity.and_then(|a| find(facts, a.id)) else { return };
            email.participants.insert(address_key(&party.address));
        }
        "queueitem" => {
            let Ok(item) = QueueItem::from_record(record) else { return };
            let (Some(object), Some(queue)) = (item.object, item.queue) else { return };
            let Some(email) = find(facts, object.id) else { return };
            email.queues.insert(queue.id);
        }
        "pr_ledgerentry" => {
            let Ok(row) = LedgerEntry::from_record(record) else { return };
            if row.mailbox.is_none_or(|m| m.id != facts.mailbox.id) {
                return;
            }
            match facts.ledger.iter_mut().find(|r| r.id == row.id) {
                Some(known) => *known = row,
                None => facts.ledger.push(row),
            }
        }
        _ => {}
    }
}

/// From the end: a batch's own emails come last.
fn find(facts: &mut MailFacts, id: model::Id) -> Option<&mut StoredEmail> {
    facts.emails.iter_mut().rev().find(|e| e.id == id)
}

fn stored(email: &Email) -> StoredEmail {
    StoredEmail {
        id: email.id,
        subject: email.subject.clone(),
        message_id: email.message_id.clone(),
        fingerprint: email.fingerprint.as_deref().and_then(|f| f.try_into().ok()),
        duplicate_key: email.duplicate_key,
        is_outgoing: email.is_outgoing,
        status: email.status,
        token: email.tracking_token.clone(),
        conversation_hash: email.conversation_hash,
        conversation_index: email.conversation_index.clone(),
        conversation: email.conversation,
        regarding: email.regarding,
        owner: email.owner,
        created_on: email.received_on.or(email.sent_on).unwrap_or(Timestamp::UNIX_EPOCH),
        participants: BTreeSet::new(),
        queues: email.receiving_mailbox.map(|m| m.id).into_iter().collect(),
    }
}
