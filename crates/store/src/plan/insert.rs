//! INSERT statements. Their texts are kept: there are few different ones, and
//! writing one out costs as much as running it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use model::{Id, Kind, Record, Secret, Value};

use crate::bind::Bind;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::plan::check_fit;
use crate::shape::{Place, Shape, companion, defaults_to_null, is_multi};

/// The parts of a new row, in the order of the statement's parameters.
pub(crate) struct Insert {
    pub(crate) binds: Vec<Bind>,
    columns: Vec<&'static Place>,
    /// Which columns are there, as bits of their indexes.
    mask: u128,
    pub(crate) secrets: Vec<(&'static str, Secret)>,
    /// Number of the e-mail column and the address as it is searched.
    pub(crate) addresses: Vec<(i64, String)>,
}

impl Insert {
    pub(crate) fn new(
        shape: &'static Shape,
        record: Record,
        at: i64,
        by: Id,
        version: Option<Bind>,
    ) -> Result<Self, StoreError> {
        let mut insert = Self {
            binds: Vec::with_capacity(record.values.len() + 8),
            columns: Vec::with_capacity(record.values.len() + 8),
            mask: 0,
            secrets: Vec::new(),
            addresses: Vec::new(),
        };
        insert.binds.push(Bind::Id(record.id));
        // Kept for the end: the order of the columns must follow from the mask.
        let (mut created_on, mut created_by) = (Bind::Int(at), Bind::Id(by));
        for (name, value) in record.values {
            let place = shape.place(name)?;
            check_fit(shape, place, &value)?;
            match name {
                "versionnumber" | "modifiedon" | "modifiedby" if record.table.on_wire => continue,
                "createdon" | "createdby" if value.is_null() => continue,
                "createdon" => {
                    created_on = Bind::from_value(value).unwrap_or(created_on);
                    continue;
                }
                "createdby" => {
                    created_by = Bind::from_value(value).unwrap_or(created_by);
                    continue;
                }
                _ => {}
            }
            insert.value(shape, place, value)?;
        }
        if let Some(version) = version {
            insert.push(shape.place("createdon")?, created_on);
            insert.push(shape.place("createdby")?, created_by);
            insert.push(shape.place("modifiedon")?, Bind::Int(at));
            insert.push(shape.place("modifiedby")?, Bind::Id(by));
            insert.push(shape.place("versionnumber")?, version);
        }
        insert.secret_flags(shape)?;
        Ok(insert)
    }

    fn push(&mut self, place: &'static Place, bind: Bind) {
        self.mask |= 1 << place.index;
        self.columns.push(place);
        self.binds.push(bind);
    }

    fn value(&mut self, shape: &'static Shape, place: &'static Place, value: Value) -> Result<(), StoreError> {
        let column = place.column;
        if let Kind::Secret { .. } = column.kind {
            if let Value::Secret(secret) = value
                && !secret.expose().is_empty()
            {
                self.secrets.push((column.name, secret));
            }
            return Ok(());
        }
        if shape.flags.contains_key(column.name) {
            return Ok(());
        }
        if let Some(number) = place.email
            && let Some(text) = value.as_text()
        {
            let address = model::mail::address_key(text);
            if !address.is_empty() {
                self.addresses.push((number, address));
            }
        }
        let target = value.as_ref_to().map(|r| r.table);
        let bind = Bind::from_value(value).ok_or_else(|| StoreError::no_column(shape.table, column.name))?;
        if bind.is_null() && defaults_to_null(column) {
            return Ok(());
        }
        self.push(place, bind);
        if is_multi(&column.kind) {
            self.binds.push(target.map_or(Bind::Null, Bind::from));
        }
        Ok(())
    }

    /// A secret's flag tells whether one is stored, whatever the record said.
    fn secret_flags(&mut self, shape: &'static Shape) -> Result<(), StoreError> {
        for (flag, secret) in &shape.flags {
            if self.secrets.iter().any(|(name, _)| *name == secret.name) {
                self.push(shape.place(flag)?, Bind::Bool(true));
            }
        }
        Ok(())
    }

    fn text(&self, shape: &Shape, ensure: bool) -> String {
        let table = shape.table;
        let mut sql = format!("INSERT INTO \"{}\" (\"{}\"", table.logical, table.id);
        for place in &self.columns {
            let _ = write!(sql, ", \"{}\"", place.column.name);
            if is_multi(&place.column.kind) {
                let _ = write!(sql, ", \"{}\"", companion(place.column.name));
            }
        }
        let _ = write!(sql, ") VALUES ({})", Dialect::placeholders(1, self.binds.len()));
        if ensure {
            let _ = write!(sql, " ON CONFLICT (\"{}\") DO NOTHING", table.id);
        }
        sql
    }
}

type Key = (&'static str, bool, u128);

/// The texts written so far.
#[derive(Default)]
pub(crate) struct InsertTexts(RwLock<HashMap<Key, Arc<str>>>);

impl InsertTexts {
    pub(crate) fn text(&self, shape: &'static Shape, insert: &Insert, ensure: bool) -> Arc<str> {
        let key = (shape.table.logical, ensure, insert.mask);
        if let Some(text) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(text);
        }
        let text: Arc<str> = Arc::from(insert.text(shape, ensure));
        let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // People's odd combinations of columns must not add up for ever.
        if texts.len() < 4096 {
            texts.insert(key, Arc::clone(&text));
        }
        text
    }
}
