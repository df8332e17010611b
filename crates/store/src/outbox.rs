//! Who is told of which changes. A commit writes, in its own transaction, one
//! event for every subscription that one of its changes meets; telling is
//! somebody else's work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::table::Access;
use model::tables::{Event, ProcessingStep, SdkMessage, SdkMessageFilter, StepState};
use model::{Change, Entity as _, Filter, Id, Kind, Query, Record, Ref, Table, Value};
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use crate::error::StoreError;
use crate::store::Store;

/// After this time another process's subscriptions are seen.
const FRESH: Duration = Duration::from_secs(2);
/// Bytes of the values that an event keeps; a delivery holds no more anyhow.
const LARGEST: usize = 256 * 1024;
/// What tells of telling is not told, nor what the audit trail holds.
const SILENT: &[&str] =
    &["pr_event", "serviceendpoint", "sdkmessage", "sdkmessagefilter", "sdkmessageprocessingstep", "pr_audit"];

/// One enabled subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    id: Id,
    endpoint: Ref,
    /// Empty: all columns.
    attributes: Vec<String>,
}

/// Message and table (empty: every table) → subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Steps(BTreeMap<(String, String), Vec<Step>>);

/// What this process knows of the subscriptions.
#[derive(Default)]
pub(crate) struct Outbox {
    known: Mutex<(Arc<Steps>, Option<Instant>)>,
}

impl Outbox {
    pub(crate) fn steps(&self) -> Arc<Steps> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// A subscription was changed: look again before the next commit.
    pub(crate) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).1 = None;
    }

    fn is_fresh(&self) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.1.is_some_and(|at| at.elapsed() < FRESH)
    }
}

/// Whether a change of this table may change who is told.
pub(crate) fn concerns_steps(table: &str) -> bool {
    matches!(table, "sdkmessageprocessingstep" | "sdkmessage" | "sdkmessagefilter")
}

impl Store {
    /// Looks who is told of what, unless that was done a moment ago.
    pub(crate) async fn refresh_steps(&self) -> Result<(), StoreError> {
        let outbox = self.outbox();
        if outbox.is_fresh() {
            return Ok(());
        }
        // Before the look: what is changed during it is looked at again.
        let at = Instant::now();
        let steps = Arc::new(self.load_steps().await?);
        *outbox.known.lock().unwrap_or_else(PoisonError::into_inner) = (steps, Some(at));
        Ok(())
    }

    async fn load_steps(&self) -> Result<Steps, StoreError> {
        let enabled = Query::of::<ProcessingStep>().filter(Filter::eq(ProcessingStep::C.state, StepState::Enabled));
        let rows = self.list::<ProcessingStep>(&enabled).await?;
        let mut steps = Steps::default();
        if rows.is_empty() {
            return Ok(steps);
        }
        let messages = self.list::<SdkMessage>(&Query::of::<SdkMessage>()).await?;
        let filters = self.list::<SdkMessageFilter>(&Query::of::<SdkMessageFilter>()).await?;
        for row in rows {
            let message = row.message.and_then(|r| messages.iter().find(|m| m.id == r.id));
            let filter = row.filter.map(|r| filters.iter().find(|f| f.id == r.id));
            // A filter that is gone must not turn into "every table".
            let (Some(message), Some(endpoint), Some(filter)) =
                (message, row.handler, filter.map_or(Some(None), |f| f.map(Some)))
            else {
                continue;
            };
            let table = filter.map(|f| f.table.clone()).unwrap_or_default();
            let attributes = row.attributes.split(',').map(|a| a.trim().to_owned()).filter(|a| !a.is_empty());
            let step = Step { id: row.id, endpoint, attributes: attributes.collect() };
            steps.0.entry((message.name.clone(), table)).or_default().push(step);
        }
        Ok(steps)
    }
}

impl Steps {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The events of a change, without their order. `at`, `user` and
    /// `correlation` are the commit's.
    pub(crate) fn events(
        &self,
        change: &Change,
        commit: (model::Timestamp, Id, Id),
        mut new_id: impl FnMut() -> Result<Id, StoreError>,
    ) -> Result<Vec<Record>, StoreError> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let (message, table) = match change {
            Change::Create(record) | Change::Ensure(record) => ("Create", record.table),
            Change::Update(update) => ("Update", update.table),
            Change::Delete { table, .. } => ("Delete", *table),
        };
        if !table.on_wire || SILENT.contains(&table.logical) {
            return Ok(Vec::new());
        }
        let told: Vec<&Step> = [table.logical, ""]
            .iter()
            .filter_map(|name| self.0.get(&(message.to_owned(), (*name).to_owned())))
            .flatten()
            .filter(|step| step.is_met_by(change))
            .collect();
        if told.is_empty() {
            return Ok(Vec::new());
        }
        let (values, cut) = values(change, table);
        let (at, user, correlation) = commit;
        told.into_iter()
            .map(|step| {
                let event = Event {
                    endpoint: Some(step.endpoint),
                    step: Some(Ref::new(ProcessingStep::TABLE.logical, step.id)),
                    message: message.to_owned(),
                    table: table.logical.to_owned(),
                    row: Some(change.target().id),
                    user: Some(Ref::new("systemuser", user)),
                    occurred: Some(at),
                    correlation: Some(correlation),
                    values: values.clone(),
                    cut,
                    since: Some(at),
                    next_run: Some(at),
                    ..Event::blank(new_id()?)
                };
                Ok(event.into_record())
            })
            .collect()
    }
}

impl Step {
    fn is_met_by(&self, change: &Change) -> bool {
        let Change::Update(update) = change else { return true };
        let shown = |name: &str| update.table.column(name).is_some_and(is_told);
        update
            .set
            .iter()
            .any(|(name, _)| shown(name) && (self.attributes.is_empty() || self.attributes.iter().any(|a| a == name)))
    }
}

/// Secrets and what is only the program's own are told to nobody.
fn is_told(column: &'static model::Column) -> bool {
    !matches!(column.access, Access::Internal | Access::Write)
        && !matches!(column.kind, Kind::Secret { .. } | Kind::Bytes)
}

/// The new values as JSON, and whether they were too many.
fn values(change: &Change, table: &'static Table) -> (String, bool) {
    let mut out = Map::new();
    let mut take = |name: &str, value: &Value, nulls: bool| {
        if table.column(name).is_some_and(is_told) && (nulls || !value.is_null()) {
            out.insert(name.to_owned(), packed(value));
        }
    };
    match change {
        Change::Create(record) | Change::Ensure(record) => {
            record.values.iter().for_each(|(name, value)| take(name, value, false));
        }
        Change::Update(update) => update.set.iter().for_each(|(name, value)| take(name, value, true)),
        Change::Delete { .. } => {}
    }
    let text = Json::Object(out).to_string();
    if text.len() > LARGEST { ("{}".to_owned(), true) } else { (text, false) }
}

fn packed(value: &Value) -> Json {
    match value {
        Value::Null | Value::Secret(_) | Value::Bytes(_) => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Text(text) => json!(text),
        Value::Id(id) => json!(id.to_string()),
        Value::Ref(target) => json!({ "table": target.table, "id": target.id.to_string() }),
        Value::Time(at) => json!(at.as_millisecond()),
    }
}
