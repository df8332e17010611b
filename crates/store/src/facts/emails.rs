//! The emails that a batch of messages may be, or may belong to.

use super::*;

const COLUMNS: &[&str] = &[
    "subject",
    "messageid",
    "pr_fingerprint",
    "messageiddupcheck",
    "directioncode",
    "statuscode",
    "trackingtoken",
    "baseconversationindexhash",
    "conversationindex",
    "conversationtrackingid",
    "regardingobjectid",
    "ownerid",
    "createdon",
    "receivingmailboxid",
];

/// Those with one of the keys, oldest id first.
pub(super) async fn emails(tx: &mut Tx, keys: &MailKeys) -> Result<Vec<StoredEmail>, StoreError> {
    let email = model::tables::Email::TABLE;
    let texts = |set: &BTreeSet<String>| set.iter().map(|t| Bind::Text(t.clone())).collect::<Vec<_>>();
    let asks: [(&str, Vec<Bind>); 5] = [
        ("messageid", texts(&keys.message_ids)),
        ("pr_fingerprint", keys.fingerprints.iter().map(|f| Bind::Bytes(f.to_vec())).collect()),
        ("messageiddupcheck", keys.duplicate_keys.iter().map(|id| Bind::Id(*id)).collect()),
        ("trackingtoken", texts(&keys.tokens)),
        ("baseconversationindexhash", keys.conversations.iter().map(|n| Bind::Int(*n)).collect()),
    ];
    let mut found: BTreeMap<Id, StoredEmail> = BTreeMap::new();
    for (column, values) in asks {
        for record in listed(tx, email, COLUMNS, column, values).await? {
            found.entry(record.id).or_insert_with(|| stored(&record));
        }
    }
    participants_and_places(tx, &mut found).await?;
    Ok(found.into_values().collect())
}

fn stored(record: &Record) -> StoredEmail {
    let text = |column| record.get(column).as_text().unwrap_or_default().to_owned();
    let fingerprint = match record.get("pr_fingerprint") {
        Value::Bytes(bytes) => bytes.as_slice().try_into().ok(),
        _ => None,
    };
    StoredEmail {
        id: record.id,
        subject: text("subject"),
        message_id: text("messageid"),
        fingerprint,
        duplicate_key: record.get("messageiddupcheck").as_id(),
        is_outgoing: record.get("directioncode").as_bool().unwrap_or(false),
        status: record.get("statuscode").as_int().and_then(EmailStatus::from_number).unwrap_or_default(),
        token: text("trackingtoken"),
        conversation_hash: record.get("baseconversationindexhash").as_int(),
        conversation_index: text("conversationindex"),
        conversation: record.get("conversationtrackingid").as_id(),
        regarding: record.get("regardingobjectid").as_ref_to(),
        owner: record.get("ownerid").as_ref_to(),
        created_on: record.get("createdon").as_time().unwrap_or_default(),
        participants: BTreeSet::new(),
        queues: record.get("receivingmailboxid").as_id().into_iter().collect(),
    }
}

/// Who took part, and which queues and mailboxes have it already.
async fn participants_and_places(tx: &mut Tx, found: &mut BTreeMap<Id, StoredEmail>) -> Result<(), StoreError> {
    let ids: Vec<Bind> = found.keys().map(|id| Bind::Id(*id)).collect();
    let asks: [(&'static Table, &'static str, &'static str); 3] = [
        (model::tables::ActivityParty::TABLE, "activityid", "addressused"),
        (model::tables::QueueItem::TABLE, "objectid", "queueid"),
        (LedgerEntry::TABLE, "pr_activityid", "pr_mailboxid"),
    ];
    for (table, lookup, column) in asks {
        for record in listed(tx, table, &[lookup, column], lookup, ids.clone()).await? {
            let Some(email) = record.get(lookup).as_id().and_then(|id| found.get_mut(&id)) else { continue };
            match record.get(column) {
                Value::Text(address) => {
                    email.participants.insert(address_key(address));
                }
                other => email.queues.extend(other.as_id()),
            }
        }
    }
    Ok(())
}
