//! A commit as statements: made by the caller's task, so that the thread that
//! writes has nothing left to do but run them.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use model::mail::StoredBlob;
use model::{Change, Commit, Id, Kind, Lease, Record, Ref, Timestamp, Update, Value};

use crate::bind::Bind;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::outbox::{Steps, concerns_steps};
use crate::plan::insert::Insert;
use crate::secrets::Keys;
use crate::shape::{Place, Shape, companion, fits, is_multi};
use crate::tx::{Must, Step};

mod insert;

pub(crate) use insert::InsertTexts;

/// The statements of one commit.
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// The first version number; set when the transaction has reserved them.
    pub(crate) first_version: Arc<AtomicI64>,
    /// How many version numbers the transaction needs.
    pub(crate) versions: i64,
    /// The rows that get a new version: the step that writes each, in order,
    /// and which of the numbers it is.
    pub(crate) versioned: Vec<(usize, Ref, i64)>,
    /// What an update demanded, for telling what was not so. By change index.
    pub(crate) demands: Vec<(usize, Demand)>,
    /// Work or emails changed: somebody may be waiting to hear of it.
    pub(crate) wakes: bool,
    /// Who is told of changes may have changed.
    pub(crate) resubscribes: bool,
    /// A row changed that decides who may do what.
    pub(crate) secures: bool,
}

pub(crate) struct Demand {
    pub(crate) row: Ref,
    pub(crate) table: &'static model::Table,
    pub(crate) expect: Vec<(&'static Place, Bind)>,
    pub(crate) version: Option<i64>,
}

pub(crate) struct Planner<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) keys: &'a Keys,
    pub(crate) texts: &'a InsertTexts,
    steps: Arc<Steps>,
    plan: Plan,
}

/// Who writes, and when.
#[derive(Clone, Copy)]
struct Stamp {
    at: i64,
    by: model::Id,
}

const BLOB: &str =
    "INSERT INTO pr_blob (hash, segment, start, stored, raw) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hash) DO NOTHING";
const SEAL: &str = "INSERT INTO pr_secret (tablename, row, columnname, keyid, nonce, sealed) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (row, columnname) DO UPDATE SET keyid = excluded.keyid, nonce = excluded.nonce, sealed = excluded.sealed";
const UNSEAL: &str = "DELETE FROM pr_secret WHERE row = $1 AND columnname = $2";
const ADDRESS: &str = "INSERT INTO pr_emailsearch (address, tablename, row, number) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (row, number) DO UPDATE SET address = excluded.address";
const ORDER: &str = "UPDATE pr_event SET pr_order = versionnumber WHERE pr_eventid = $1";
const NO_ADDRESS: &str = "DELETE FROM pr_emailsearch WHERE row = $1 AND number = $2";

fn new_id(at: Timestamp) -> Result<Id, StoreError> {
    let mut bytes = [0; 10];
    crate::secrets::random(&mut bytes)?;
    Ok(model::id::random(at, bytes))
}

/// Notes where a blob stands, unless it is known already.
pub(crate) fn index_blob(blob: &StoredBlob) -> Step {
    let binds = vec![
        Bind::Bytes(blob.id.0.to_vec()),
        blob.segment.into(),
        blob.start.into(),
        blob.stored.into(),
        blob.raw.into(),
    ];
    Step::new(Arc::from(BLOB), binds)
}

impl<'a> Planner<'a> {
    pub(crate) fn new(dialect: Dialect, keys: &'a Keys, texts: &'a InsertTexts, steps: Arc<Steps>) -> Self {
        let plan = Plan {
            steps: Vec::new(),
            first_version: Arc::new(AtomicI64::new(0)),
            versions: 0,
            versioned: Vec::new(),
            demands: Vec::new(),
            wakes: false,
            resubscribes: false,
            secures: false,
        };
        Self { dialect, keys, texts, steps, plan }
    }

    pub(crate) fn plan(mut self, commit: Commit) -> Result<Plan, StoreError> {
        self.plan.steps.reserve(commit.changes.len() + 2);
        if let Some(lease) = commit.lease {
            self.hold(&lease);
        }
        for blob in commit.blobs {
            self.plan.steps.push(index_blob(&blob));
        }
        let stamp = Stamp { at: commit.at.as_microsecond(), by: commit.actor.user };
        let steps = Arc::clone(&self.steps);
        let told = (commit.at, commit.actor.user, if steps.is_empty() { Id::nil() } else { new_id(commit.at)? });
        for (index, change) in commit.changes.into_iter().enumerate() {
            let table = change.target().table;
            self.plan.wakes |= matches!(table, "email" | "pr_workitem" | "pr_event");
            self.plan.resubscribes |= concerns_steps(table);
            self.plan.secures |= crate::memory::decides(table);
            let events = steps.events(&change, told, || new_id(commit.at))?;
            let only_if = matches!(change, Change::Ensure(_)).then_some(self.plan.steps.len());
            match change {
                Change::Create(record) => self.insert(record, stamp, false)?,
                Change::Ensure(record) => self.insert(record, stamp, true)?,
                Change::Update(update) => self.update(index, update, stamp)?,
                Change::Delete { table, id } => self.delete(index, table, id, stamp)?,
            }
            for event in events {
                self.event(event, stamp, only_if)?;
            }
        }
        Ok(self.plan)
    }

    /// An event, in its place behind those of the same row before it.
    fn event(&mut self, event: Record, stamp: Stamp, only_if: Option<usize>) -> Result<(), StoreError> {
        let (from, id) = (self.plan.steps.len(), event.id);
        self.insert(event, stamp, false)?;
        self.push(ORDER, vec![id.into()]);
        for step in &mut self.plan.steps[from..] {
            step.only_if = only_if;
        }
        self.plan.wakes = true;
        Ok(())
    }

    fn push(&mut self, sql: &str, binds: Vec<Bind>) -> usize {
        self.plan.steps.push(Step::new(Arc::from(sql), binds));
        self.plan.steps.len() - 1
    }

    /// The lease must still be ours, and stay so until the end.
    fn hold(&mut self, lease: &Lease) {
        let sql = format!(
            "SELECT 1 FROM pr_workitem WHERE pr_mailboxid = $1 AND pr_workload = $2 AND pr_fence = $3{}",
            self.dialect.for_share()
        );
        let binds = vec![lease.mailbox.into(), lease.workload.number().into(), lease.fence.into()];
        let step = self.push(&sql, binds);
        self.plan.steps[step].must = Some(Must::HoldLease);
    }

    /// The bind of the row's new version, and a note that it gets one.
    fn version(&mut self, row: Ref) -> Bind {
        self.plan.versioned.push((self.plan.steps.len(), row, self.plan.versions));
        self.number()
    }

    /// The bind of a version number that belongs to no row that stays.
    fn number(&mut self) -> Bind {
        let n = self.plan.versions;
        self.plan.versions += 1;
        Bind::Version(Arc::clone(&self.plan.first_version), n)
    }

    fn insert(&mut self, record: Record, stamp: Stamp, ensure: bool) -> Result<(), StoreError> {
        let shape = Shape::of(record.table)?;
        let row = record.reference();
        let version = if record.table.on_wire { Some(self.version(row)) } else { None };
        let insert = Insert::new(shape, record, stamp.at, stamp.by, version)?;
        let sql = self.texts.text(shape, &insert, ensure);
        self.plan.steps.push(Step::new(sql, insert.binds));
        let only_if = ensure.then_some(self.plan.steps.len() - 1);
        let from = self.plan.steps.len();
        for (column, secret) in insert.secrets {
            self.seal(row, column, &secret)?;
        }
        for (number, address) in insert.addresses {
            self.push(ADDRESS, vec![address.into(), row.table.into(), row.id.into(), number.into()]);
        }
        for step in &mut self.plan.steps[from..] {
            step.only_if = only_if;
        }
        Ok(())
    }

    fn seal(&mut self, row: Ref, column: &'static str, secret: &model::Secret) -> Result<(), StoreError> {
        let sealed = self.keys.seal(row, column, secret)?;
        let binds = vec![
            row.table.into(),
            row.id.into(),
            column.into(),
            sealed.key.into(),
            sealed.nonce.into(),
            sealed.bytes.into(),
        ];
        self.push(SEAL, binds);
        Ok(())
    }

    fn update(&mut self, index: usize, update: Update, stamp: Stamp) -> Result<(), StoreError> {
        let table = update.table;
        let shape = Shape::of(table)?;
        let row = Ref::new(table.logical, update.id);
        let mut text = Assignments::default();
        let mut after = Vec::new();
        for (name, value) in update.set {
            let place = shape.place(name)?;
            self.assign(shape, row, place, value, &mut text, &mut after)?;
        }
        if table.on_wire {
            let version = self.version(row);
            text.set("modifiedon", Bind::Int(stamp.at));
            text.set("modifiedby", Bind::Id(stamp.by));
            text.set("versionnumber", version);
        }
        if text.binds.is_empty() {
            text.sql.push_str(&format!("\"{0}\" = \"{0}\"", table.id));
        }
        text.binds.push(Bind::Id(update.id));
        let mut sql =
            format!("UPDATE \"{}\" SET {} WHERE \"{}\" = ${}", table.logical, text.sql, table.id, text.binds.len());
        let mut demand = Demand { row, table, expect: Vec::new(), version: update.version };
        for (name, value) in update.expect {
            let place = shape.place(name)?;
            check_fit(shape, place, &value)?;
            let bind = Bind::from_value(value).ok_or_else(|| StoreError::no_column(table, name))?;
            text.binds.push(bind.clone());
            sql.push_str(&format!(" AND \"{name}\" IS NOT DISTINCT FROM ${}", text.binds.len()));
            demand.expect.push((place, bind));
        }
        if let Some(version) = update.version {
            text.binds.push(Bind::Int(version));
            sql.push_str(&format!(" AND \"versionnumber\" = ${}", text.binds.len()));
        }
        let step = self.push(&sql, text.binds);
        self.plan.steps[step].must = Some(Must::FindRow(index));
        self.plan.demands.push((index, demand));
        for (sql, binds) in after {
            self.push(sql, binds);
        }
        Ok(())
    }

    /// One column's new value; a secret and a searched address bring
    /// statements of their own.
    fn assign(
        &self,
        shape: &'static Shape,
        row: Ref,
        place: &'static Place,
        value: Value,
        text: &mut Assignments,
        after: &mut Vec<(&'static str, Vec<Bind>)>,
    ) -> Result<(), StoreError> {
        let column = place.column;
        check_fit(shape, place, &value)?;
        if let Kind::Secret { flag, .. } = column.kind {
            match value {
                Value::Secret(secret) if !secret.expose().is_empty() => {
                    let sealed = self.keys.seal(row, column.name, &secret)?;
                    let binds = vec![
                        row.table.into(),
                        row.id.into(),
                        column.name.into(),
                        sealed.key.into(),
                        sealed.nonce.into(),
                        sealed.bytes.into(),
                    ];
                    after.push((SEAL, binds));
                    text.set(flag, Bind::Bool(true));
                }
                _ => {
                    after.push((UNSEAL, vec![row.id.into(), column.name.into()]));
                    text.set(flag, Bind::Bool(false));
                }
            }
            return Ok(());
        }
        // The store's own: the flags of secrets and what it stamps below.
        if shape.flags.contains_key(column.name) || matches!(column.name, "versionnumber" | "modifiedon" | "modifiedby")
        {
            return Ok(());
        }
        if let Some(number) = place.email {
            let address = value.as_text().map(model::mail::address_key).unwrap_or_default();
            after.push(if address.is_empty() {
                (NO_ADDRESS, vec![row.id.into(), number.into()])
            } else {
                (ADDRESS, vec![Bind::text(address), row.table.into(), row.id.into(), number.into()])
            });
        }
        if is_multi(&column.kind) {
            let target = value.as_ref_to().map_or(Bind::Null, |r| Bind::from(r.table));
            text.set(&companion(column.name), target);
        }
        let bind = Bind::from_value(value).ok_or_else(|| StoreError::no_column(shape.table, column.name))?;
        text.set(column.name, bind);
        Ok(())
    }

    fn delete(
        &mut self,
        index: usize,
        table: &'static model::Table,
        id: model::Id,
        stamp: Stamp,
    ) -> Result<(), StoreError> {
        let shape = Shape::of(table)?;
        if table.on_wire && table.tracked {
            let version = self.number();
            let binds = vec![table.logical.into(), version, id.into(), Bind::Int(stamp.at)];
            self.push(&tombstone(table), binds);
        }
        let step =
            self.push(&format!("DELETE FROM \"{}\" WHERE \"{}\" = $1", table.logical, table.id), vec![id.into()]);
        self.plan.steps[step].must = Some(Must::FindRow(index));
        let row = Ref::new(table.logical, id);
        self.plan.demands.push((index, Demand { row, table, expect: Vec::new(), version: None }));
        if !shape.flags.is_empty() {
            self.push("DELETE FROM pr_secret WHERE row = $1 AND tablename = $2", vec![id.into(), table.logical.into()]);
        }
        if shape.places.iter().any(|p| p.email.is_some()) {
            self.push("DELETE FROM pr_emailsearch WHERE row = $1", vec![id.into()]);
        }
        Ok(())
    }
}

/// Notes a row that is about to go, and whose it is.
fn tombstone(table: &model::Table) -> String {
    let owner = ["ownerid", "regardingobjectownerid"].into_iter().find(|name| table.column(name).is_some());
    let owner = owner.map_or_else(
        || "NULL".to_owned(),
        |owner| format!("(SELECT \"{owner}\" FROM \"{}\" WHERE \"{}\" = $3)", table.logical, table.id),
    );
    format!("INSERT INTO pr_tombstone (tablename, version, row, deletedon, owner) VALUES ($1, $2, $3, $4, {owner})")
}

fn check_fit(shape: &Shape, place: &Place, value: &Value) -> Result<(), StoreError> {
    if fits(&place.column.kind, value) {
        Ok(())
    } else {
        Err(StoreError::NoFit { table: shape.table.logical, column: place.column.name })
    }
}

/// `"a" = $1, "b" = $2`
#[derive(Default)]
struct Assignments {
    sql: String,
    binds: Vec<Bind>,
}

impl Assignments {
    fn set(&mut self, column: &str, bind: Bind) {
        use std::fmt::Write as _;
        self.binds.push(bind);
        let comma = if self.binds.len() > 1 { ", " } else { "" };
        let _ = write!(self.sql, "{comma}\"{column}\" = ${}", self.binds.len());
    }
}
