//! Annotations on request: labels of choices, names of the rows that lookups
//! point to.

use std::collections::{BTreeMap, BTreeSet};

use actions::Context;
use model::fetch::{DatePart, Pick, Source, What};
use model::table::Kind;
use model::tables::ACTIVITY;
use model::{Column, Record, Ref, Value};
use serde_json::{Map, Value as Out, json};

use crate::api::errors::ApiError;
use crate::api::headers::Prefer;
use crate::api::json_out::property;
use crate::names;

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

/// What a page of rows needs to be annotated.
#[derive(Debug, Default)]
pub(crate) struct Annotator {
    formatted: bool,
    logical_name: bool,
    navigation: bool,
    /// Names of the rows that lookups point to.
    names: BTreeMap<Ref, String>,
}

impl Annotator {
    /// Looks up the names that the rows' lookups need, one query per table.
    pub async fn load(
        ctx: &Context,
        prefer: &Prefer,
        rows: &[Record],
        columns: &[&'static Column],
    ) -> Result<Self, ApiError> {
        let refs = rows.iter().flat_map(|r| columns.iter().filter_map(|c| r.get(c.name).as_ref_to()));
        let refs = refs.collect();
        Self::of(ctx, prefer, refs).await
    }

    /// The same for references, wherever they stand.
    pub async fn of(ctx: &Context, prefer: &Prefer, refs: BTreeSet<Ref>) -> Result<Self, ApiError> {
        let mut annotator = Self {
            formatted: prefer.wants(FORMATTED),
            logical_name: prefer.wants(LOGICAL_NAME),
            navigation: prefer.wants(NAVIGATION),
            names: BTreeMap::new(),
        };
        if !annotator.formatted {
            return Ok(annotator);
        }
        annotator.names = names::of(ctx, refs).await?;
        Ok(annotator)
    }

    pub fn annotate(&self, record: &Record, columns: &[&'static Column], object: &mut Map<String, Out>) {
        if !(self.formatted || self.logical_name || self.navigation) {
            return;
        }
        for column in columns {
            let value = record.get(column.name);
            if value.is_null() {
                continue;
            }
            let property = property(column);
            if self.formatted
                && let Some(text) = self.formatted_value(own(record, column), value)
            {
                object.insert(format!("{property}@{FORMATTED}"), json!(text));
            }
            let Some(target) = value.as_ref_to() else { continue };
            if self.logical_name {
                object.insert(format!("{property}@{LOGICAL_NAME}"), json!(target.table));
            }
            if self.navigation {
                object.insert(format!("{property}@{NAVIGATION}"), json!(record.table.nav(column, target.table)));
            }
        }
    }

    /// The annotations of one value of a joined row.
    pub fn pick(&self, source: &Source, pick: &Pick, value: &Value, object: &mut Map<String, Out>) {
        let name = &pick.name;
        if self.formatted
            && let Some(text) = self.formatted_pick(source, pick, value)
        {
            object.insert(format!("{name}@{FORMATTED}"), json!(text));
        }
        let Some(target) = value.as_ref_to() else { return };
        if self.logical_name {
            object.insert(format!("{name}@{LOGICAL_NAME}"), json!(target.table));
        }
        let column = source.table.column(pick.column).filter(|c| source.alias.is_empty() && *name == property(c));
        if let Some(column) = column.filter(|_| self.navigation) {
            object.insert(format!("{name}@{NAVIGATION}"), json!(source.table.nav(column, target.table)));
        }
    }

    fn formatted_pick(&self, source: &Source, pick: &Pick, value: &Value) -> Option<String> {
        match (pick.what, value) {
            (What::Part(DatePart::Year), Value::Int(year)) => Some(year.to_string()),
            (What::Part(_) | What::Reckoned(_), Value::Int(n)) => Some(grouped(*n)),
            _ => self.formatted_value(source.table.column(pick.column)?, value),
        }
    }

    fn formatted_value(&self, column: &Column, value: &Value) -> Option<String> {
        match (column.kind, value) {
            (Kind::Choice(set), Value::Int(n)) => set.label(*n).map(str::to_owned),
            (Kind::Bool, Value::Bool(true)) => Some("Yes".to_owned()),
            (Kind::Bool, Value::Bool(false)) => Some("No".to_owned()),
            (Kind::Lookup(_), Value::Ref(target)) => self.names.get(target).cloned(),
            (Kind::Int { .. } | Kind::BigInt, Value::Int(n)) => Some(grouped(*n)),
            (Kind::Time, Value::Time(at)) => Some(at.strftime("%-m/%-d/%Y %-I:%M %p").to_string()),
            _ => None,
        }
    }
}

/// The column that the value comes from: an activity's choices are those of
/// its own kind, wherever the row is shown.
fn own(record: &Record, column: &'static Column) -> &'static Column {
    if record.table != ACTIVITY {
        return column;
    }
    let kind = record.get("activitytypecode").as_text().and_then(model::tables::by_logical_name);
    kind.and_then(|table| table.column(column.name)).unwrap_or(column)
}

/// 1234567 → `1,234,567`
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if n < 0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    #[test]
    fn grouping() {
        assert_eq!(super::grouped(0), "0");
        assert_eq!(super::grouped(999), "999");
        assert_eq!(super::grouped(1000), "1,000");
        assert_eq!(super::grouped(-1_234_567), "-1,234,567");
    }
}
