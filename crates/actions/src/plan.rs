//! A write in the making: the row before and after, what goes with it, and
//! what is wrong with it.

use std::collections::BTreeSet;

use model::mail::StoredBlob;
use model::table::{Child, Kind};
use model::value::ColumnType;
use model::{Change, Col, Commit, Record, Ref, Refusal, Table, Update, Value, words};

use crate::context::Context;
use crate::draft::Draft;
use crate::error::ActionError;
use crate::{audit, validate};

pub(crate) struct Plan<'a> {
    pub ctx: &'a Context,
    /// `None`: the row is new.
    pub before: Option<Record>,
    pub after: Record,
    /// The columns that the caller wrote.
    pub given: BTreeSet<&'static str>,
    pub children: Vec<(Child, Vec<Draft>)>,
    pub body: Option<Vec<u8>>,
    /// Changes of other rows in the same commit.
    pub also: Vec<Change>,
    /// The row gets a new version even where none of its columns changes.
    pub touches: bool,
    /// Where the bytes stand that the rows refer to.
    pub blobs: Vec<StoredBlob>,
    pub faults: Vec<Refusal>,
    /// The word for the audit trail.
    pub verb: &'static str,
}

impl<'a> Plan<'a> {
    /// Applies the draft's columns to `after`; what does not pass the checks
    /// becomes a fault and leaves the column as it was.
    pub fn new(ctx: &'a Context, before: Option<Record>, mut after: Record, draft: Draft) -> Self {
        let creating = before.is_none();
        let mut faults = draft.faults;
        let mut given = BTreeSet::new();
        for (name, value) in draft.values {
            let Some(column) = after.table.column(name) else { continue };
            if !validate::is_writable(column, creating) {
                continue;
            }
            match validate::value(after.table, column, value) {
                Ok(value) => {
                    // Rules look at whether a secret is set; the store keeps that column itself.
                    if let Kind::Secret { flag, .. } = column.kind
                        && let Some(flag) = after.table.column(flag)
                    {
                        after.set(flag.name, Value::Bool(!value.is_null()));
                    }
                    after.set(column.name, value);
                    given.insert(column.name);
                }
                Err(fault) => faults.push(fault),
            }
        }
        for (column, _) in draft.parents {
            let message = words!(
                "The row of '{0}' cannot be written together with this one. Create it first and refer to it: @odata.bind.",
                column.name
            );
            faults.push(validate::malformed(message).at(column.name));
        }
        let verb = if creating { "create" } else { "update" };
        Self {
            ctx,
            before,
            after,
            given,
            children: draft.children,
            body: draft.body,
            also: Vec::new(),
            touches: false,
            blobs: Vec::new(),
            faults,
            verb,
        }
    }

    pub fn table(&self) -> &'static Table {
        self.after.table
    }

    pub fn creating(&self) -> bool {
        self.before.is_none()
    }

    pub fn was_given<T>(&self, column: Col<T>) -> bool {
        self.given.contains(column.name)
    }

    /// Rows that no check took: they cannot be written together with this one.
    pub fn refuse_children(&mut self) {
        for (child, _) in std::mem::take(&mut self.children) {
            let message = words!(
                "Rows of '{0}' cannot be written together with a row of {1}. Write them one by one.",
                child.nav,
                self.table().logical
            );
            self.fault(validate::malformed(message));
        }
    }

    pub fn fault(&mut self, fault: Refusal) {
        self.faults.push(fault);
    }

    pub fn put<T: ColumnType>(&mut self, column: Col<T>, value: T) {
        self.after.put(column, value);
    }

    /// Whether the column's value differs from what stood there before. True
    /// for a new row.
    pub fn changes<T>(&self, column: Col<T>) -> bool {
        self.before.as_ref().is_none_or(|b| !same(b.get(column.name), self.after.get(column.name)))
    }

    /// The lookups that the caller sets to another row than before, but for the owner.
    pub fn set_lookups(&self) -> impl Iterator<Item = (&'static model::Column, Ref)> {
        self.table().columns.iter().filter_map(|column| {
            let target = self.after.get(column.name).as_ref_to()?;
            let before = self.before.as_ref().and_then(|b| b.get(column.name).as_ref_to());
            let set = self.given.contains(column.name) && column.name != "ownerid" && before != Some(target);
            set.then_some((column, target))
        })
    }

    /// The columns whose values differ from before, in the declared order.
    pub fn difference(&self) -> Vec<(&'static str, Value)> {
        let changed = |name: &'static str| {
            let now = self.after.values.get(name)?;
            let then = self.before.as_ref().map_or(&Value::Null, |b| b.get(name));
            (!same(now, then) || self.clears(name)).then(|| (name, now.clone()))
        };
        let own = |name: &str| !is_flag(self.table(), name);
        self.table().columns.iter().filter(|c| own(c.name)).filter_map(|c| changed(c.name)).collect()
    }

    /// A secret is taken away. It was not read, so its flag tells that there is one.
    fn clears(&self, name: &str) -> bool {
        let column = self.table().column(name).filter(|column| self.given.contains(column.name));
        let Some(Kind::Secret { flag, .. }) = column.map(|column| column.kind) else { return false };
        let there = self.before.as_ref().is_some_and(|b| b.get(flag).as_bool() == Some(true));
        there && self.after.get(name).is_null()
    }

    /// The commit, the audit row included; or all faults.
    pub fn into_commit(mut self) -> Result<Commit, ActionError> {
        if !self.faults.is_empty() {
            return Err(model::Refusals(self.faults).into());
        }
        let ctx = self.ctx;
        let blobs = std::mem::take(&mut self.blobs);
        Ok(Commit::new(ctx.actor(), ctx.now, self.into_changes()?).with_blobs(blobs))
    }

    fn into_changes(mut self) -> Result<Vec<Change>, ActionError> {
        let ctx = self.ctx;
        let Some(before) = self.before.take() else {
            let entry = audit::created(ctx, self.verb, &self.after)?;
            let table = self.after.table;
            self.after.values.retain(|name, _| !is_flag(table, name));
            let mut changes = vec![Change::Create(self.after)];
            changes.append(&mut self.also);
            changes.push(entry);
            return Ok(changes);
        };
        self.before = Some(before.clone());
        let set = self.difference();
        let mut changes = Vec::new();
        if !set.is_empty() || self.touches {
            let entry = audit::updated(ctx, self.verb, &before, &set)?;
            let mut update = Update::row(self.after.table, self.after.id);
            update.set = set;
            update.version = before.get("versionnumber").as_int();
            changes.push(update.into());
            changes.push(entry);
        }
        changes.append(&mut self.also);
        Ok(changes)
    }
}

/// Empty text is absent text.
fn same(a: &Value, b: &Value) -> bool {
    let absent = |v: &Value| v.is_null() || v.as_text() == Some("");
    a == b || (absent(a) && absent(b))
}

/// Whether the column tells that a secret is stored: the store writes it.
fn is_flag(table: &Table, name: &str) -> bool {
    table.columns.iter().any(|c| matches!(c.kind, Kind::Secret { flag, .. } if flag == name))
}
