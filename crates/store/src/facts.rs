//! What the rules need to know about a batch of messages, loaded at once: a
//! dozen look-ups for the whole batch, all in indexes.

use std::collections::{BTreeMap, BTreeSet};

use model::facts::{Known, MailFacts, MailKeys, Served, StoredEmail};
use model::mail::address_key;
use model::tables::{
    Account, Contact, EmailStatus, Lead, LedgerEntry, Mailbox, Organization, Queue, SystemUser, Team, UserSettings,
};
use model::{Entity, Id, Record, Ref, Table, Value, tables};

use crate::bind::Bind;
use crate::error::StoreError;
use crate::secrets::rotate::{Kept, SECRET_WANTS};
use crate::select::{Answer, Select, record};
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

mod emails;

/// Values in one look-up at most.
const MOST: usize = 4096;

impl Store {
    /// Loads the facts for a batch of messages.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the mailbox or the organization is gone.
    pub async fn facts_for_mail(&self, keys: &MailKeys) -> Result<MailFacts, StoreError> {
        let (mut facts, signing_key) = self.database().read(Facts(keys.clone())).await?;
        facts.signing_key =
            signing_key.map(|kept| self.keys().unseal(kept.row, &kept.column, &kept.sealed)).transpose()?;
        Ok(facts)
    }
}

struct Facts(MailKeys);

impl Work for Facts {
    type Out = (MailFacts, Option<Kept>);
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let keys = &self.0;
        let organization: Organization = first(tx, Organization::TABLE).await?;
        let mailbox = listed(tx, Mailbox::TABLE, &[], Mailbox::TABLE.id, vec![keys.mailbox.into()]).await?;
        let mailbox = mailbox.first().ok_or_else(|| StoreError::Missing(format!("mailbox({})", keys.mailbox)))?;
        let mailbox = Mailbox::from_record(mailbox)?;
        let signing_key = signing_key(tx, organization.id).await?;
        let known = known(tx, &keys.addresses).await?;
        let served = served(tx, &known, &mailbox, &organization).await?;
        let emails = emails::emails(tx, keys).await?;
        let fingerprints: Vec<Bind> = keys.fingerprints.iter().map(|f| hex::encode(f).into()).collect();
        let ledger = listed(tx, LedgerEntry::TABLE, &[], "pr_fingerprint", fingerprints).await?;
        let ledger = ledger.iter().map(LedgerEntry::from_record).collect::<Result<Vec<_>, _>>()?;
        let ledger = ledger.into_iter().filter(|row| row.mailbox.is_some_and(|m| m.id == keys.mailbox)).collect();
        let facts = MailFacts { organization, signing_key: None, mailbox, known, served, emails, ledger };
        Ok((facts, signing_key))
    }
}

/// The rows that have one of these values in the column.
async fn listed(
    tx: &mut Tx,
    table: &'static Table,
    select: &[&'static str],
    column: &str,
    values: Vec<Bind>,
) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    for values in values.chunks(MOST) {
        let select = Select::listed(table, select, column, values.to_vec())?;
        let Answer::Rows { table, reads, wants } = &select.answer else { continue };
        for row in tx.rows(&select.statement.sql, &select.statement.binds, wants).await? {
            records.push(record(table, reads, row)?);
        }
    }
    Ok(records)
}

async fn first<E: Entity>(tx: &mut Tx, table: &'static Table) -> Result<E, StoreError> {
    let query = model::Query::table(table).limit(1);
    let select = Select::rows(&query, tx.dialect())?;
    let Answer::Rows { table, reads, wants } = &select.answer else {
        return Err(StoreError::Missing(table.logical.into()));
    };
    let rows = tx.rows(&select.statement.sql, &select.statement.binds, wants).await?;
    let row = rows.into_iter().next().ok_or_else(|| StoreError::Missing(table.logical.into()))?;
    Ok(E::from_record(&record(table, reads, row)?)?)
}

async fn signing_key(tx: &mut Tx, organization: Id) -> Result<Option<Kept>, StoreError> {
    let sql =
        "SELECT tablename, row, columnname, keyid, nonce, sealed FROM pr_secret WHERE row = $1 AND columnname = $2";
    let rows = tx.rows(sql, &[organization.into(), "pr_signingkey".into()], &SECRET_WANTS).await?;
    Ok(rows.into_iter().next().and_then(Kept::read))
}

/// Tables of what can be known by an address, in the order of the answer.
const KNOWN: &[&Table] = &[SystemUser::TABLE, Queue::TABLE, Team::TABLE, Contact::TABLE, Account::TABLE, Lead::TABLE];

async fn known(tx: &mut Tx, addresses: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Known>>, StoreError> {
    let addresses: Vec<Bind> = addresses.iter().map(|a| Bind::Text(a.clone())).collect();
    let mut found: BTreeMap<&'static str, Vec<(Id, i64, String)>> = BTreeMap::new();
    for addresses in addresses.chunks(MOST) {
        let mut list = addresses.to_vec();
        list.resize(list.len().next_power_of_two(), addresses[0].clone());
        let sql = format!(
            "SELECT tablename, row, number, address FROM pr_emailsearch WHERE address IN ({})",
            crate::dialect::Dialect::placeholders(1, list.len())
        );
        for row in tx.rows(&sql, &list, &[Want::Text, Want::Id, Want::Int, Want::Text]).await? {
            let [Value::Text(table), Value::Id(id), Value::Int(number), Value::Text(address)] = &row[..] else {
                continue;
            };
            if let Some(table) = tables::by_logical_name(table) {
                found.entry(table.logical).or_default().push((*id, *number, address.clone()));
            }
        }
    }
    let mut known: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    for table in KNOWN {
        let Some(hits) = found.get(table.logical) else { continue };
        let ids = hits.iter().map(|(id, ..)| Bind::Id(*id)).collect();
        let records = listed(tx, table, &columns_of_known(table), table.id, ids).await?;
        let records: BTreeMap<Id, Record> = records.into_iter().map(|r| (r.id, r)).collect();
        for (id, number, address) in hits {
            if let Some(record) = records.get(id) {
                known.entry(address.clone()).or_default().push(as_known(record, *number));
            }
        }
    }
    for list in known.values_mut() {
        let place = |k: &Known| KNOWN.iter().position(|t| t.logical == k.record.table);
        list.sort_by_key(|k| (place(k), k.created_on, k.record.id, k.column));
    }
    Ok(known)
}

fn columns_of_known(table: &'static Table) -> Vec<&'static str> {
    let wanted = ["ownerid", "statecode", "isdisabled", "createdon", "donotemail", "parentcustomerid"];
    table.name.into_iter().chain(wanted.into_iter().filter(|name| table.column(name).is_some())).collect()
}

fn as_known(record: &Record, column: i64) -> Known {
    let table = record.table;
    let company = record.get("parentcustomerid").as_ref_to();
    Known {
        record: record.reference(),
        name: table.name.and_then(|name| record.get(name).as_text()).unwrap_or_default().to_owned(),
        owner: record.get("ownerid").as_ref_to(),
        column,
        // Open and active are both 0; teams have no state.
        active: record.get("statecode").as_int().unwrap_or(0) == 0 && record.get("isdisabled").as_bool() != Some(true),
        created_on: record.get("createdon").as_time().unwrap_or_default(),
        do_not_email: record.get("donotemail").as_bool().unwrap_or(false),
        account: company.filter(|r| r.table == "account").map(|r| r.id),
    }
}

async fn served(
    tx: &mut Tx,
    known: &BTreeMap<String, Vec<Known>>,
    read: &Mailbox,
    organization: &Organization,
) -> Result<Vec<Served>, StoreError> {
    let people = known.values().flatten().map(|k| k.record).chain(read.regarding);
    let people: BTreeSet<Ref> = people.filter(|r| matches!(r.table, "systemuser" | "queue")).collect();
    let ids = |table: &str| people.iter().filter(|r| r.table == table).map(|r| Bind::Id(r.id)).collect::<Vec<_>>();
    let (users, queues) = (ids("systemuser"), ids("queue"));
    let mailboxes =
        listed(tx, Mailbox::TABLE, &[], "regardingobjectid", people.iter().map(|r| r.id.into()).collect()).await?;
    let settings = by_id::<UserSettings>(tx, users.clone()).await?;
    let users = by_id::<SystemUser>(tx, users).await?;
    let queues = by_id::<Queue>(tx, queues).await?;
    let mut served = Vec::new();
    for record in mailboxes {
        let mailbox = Mailbox::from_record(&record)?;
        let Some(who) = mailbox.regarding else { continue };
        if let Some(user) = users.get(&who.id).filter(|_| who.table == "systemuser") {
            let filter = settings.get(&who.id).map_or_else(|| UserSettings::blank(who.id).filter, |s| s.filter);
            served.push(Served { mailbox, who, filter, active: !user.is_disabled, owner: who });
        } else if let Some(queue) = queues.get(&who.id).filter(|_| who.table == "queue") {
            let owner = queue.owner.or(mailbox.owner).or(organization.system_user).unwrap_or(who);
            let active = queue.state == model::tables::State::Active;
            served.push(Served { mailbox, who, filter: queue.filter, active, owner });
        }
    }
    served.sort_by_key(|s| s.mailbox.id);
    Ok(served)
}

async fn by_id<E: Entity>(tx: &mut Tx, ids: Vec<Bind>) -> Result<BTreeMap<Id, E>, StoreError> {
    let records = listed(tx, E::TABLE, &[], E::TABLE.id, ids).await?;
    records.iter().map(|record| Ok((record.id, E::from_record(record)?))).collect()
}
