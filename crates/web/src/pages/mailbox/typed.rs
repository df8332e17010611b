//! What a form says about the columns of a row: what was changed in it, and
//! what somebody else changed meanwhile.
//!
//! A form carries what each of its columns held when it was shown. A record
//! that the service keeps writing to has a new version every few seconds;
//! what counts is whether one of the columns on the form has changed.

use actions::Draft;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::table::{Column, Kind};
use model::{Record, Ref, Refusal, Secret, Table, Timestamp, Value, Words, tables, words};

use crate::pages::kit::Form;

/// As `datetime-local` has it.
const CLOCK: &str = "%Y-%m-%dT%H:%M";

/// A value as a form shows it.
pub(crate) fn shown(value: &Value, zone: &TimeZone) -> String {
    match value {
        Value::Bool(yes) => if *yes { "1" } else { "0" }.to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => text.clone(),
        Value::Id(id) => id.to_string(),
        Value::Ref(target) => target.id.to_string(),
        Value::Time(at) => zone.to_datetime(*at).strftime(CLOCK).to_string(),
        Value::Null | Value::Bytes(_) | Value::Secret(_) => String::new(),
    }
}

/// A time that was typed in somebody's zone. Browsers add seconds when there are some.
pub(crate) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let at = DateTime::strptime(CLOCK, text).or_else(|_| DateTime::strptime("%Y-%m-%dT%H:%M:%S", text)).ok()?;
    zone.to_timestamp(at).ok()
}

/// What was typed, as the column's value.
fn parsed(column: &'static Column, text: &str, zone: &TimeZone) -> Result<Value, Refusal> {
    let text = text.trim();
    let wrong = |what: Words| Refusal::invalid(Some(column.name), words!("'{0}' is not {1}.", text, what));
    if text.is_empty() && !matches!(column.kind, Kind::Bool | Kind::Text { .. } | Kind::Email { .. } | Kind::Memo) {
        return Ok(Value::Null);
    }
    match column.kind {
        Kind::Bool => Ok(Value::Bool(matches!(text, "1" | "true" | "on" | "yes"))),
        Kind::Int { .. } | Kind::BigInt | Kind::Choice(_) => {
            text.parse().map(Value::Int).map_err(|_| wrong(words!("a whole number")))
        }
        Kind::Time => moment(text, zone).map(Value::Time).ok_or_else(|| wrong(words!("a date and time"))),
        Kind::Id => text.parse().map(Value::Id).map_err(|_| wrong(words!("an identifier"))),
        Kind::Lookup(targets) => {
            let table = targets.first().and_then(|t| tables::by_logical_name(t));
            match (table, text.parse()) {
                (Some(table), Ok(id)) => Ok(Value::Ref(Ref::new(table.logical, id))),
                _ => Err(wrong(words!("a record"))),
            }
        }
        Kind::Text { .. } | Kind::Email { .. } | Kind::Memo => Ok(Value::Text(text.to_owned())),
        Kind::Secret { .. } => Ok(Value::Secret(Secret::new(text))),
        Kind::Bytes => Err(wrong(words!("something that can be typed"))),
    }
}

/// Columns of a row on a form, and what the form says of them.
pub(crate) struct Typed<'a> {
    pub table: &'static Table,
    pub columns: &'a [&'static str],
    pub form: &'a Form,
    pub zone: &'a TimeZone,
}

/// A column that somebody else changed while the form was open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overtaken {
    pub column: &'static str,
    /// What stands there now.
    pub theirs: String,
    /// What the form says, where it was changed there, too.
    pub yours: Option<String>,
}

impl Typed<'_> {
    fn was(column: &str) -> String {
        format!("was.{column}")
    }

    fn value_in(record: Option<&Record>, column: &str, zone: &TimeZone) -> String {
        record.map(|record| shown(record.get(column), zone)).unwrap_or_default()
    }

    /// The columns whose value the form changes, as a draft. `held`: the row
    /// as it stands; none for a new one.
    pub fn draft(&self, held: Option<&Record>) -> Draft {
        let mut draft = Draft::new(self.table);
        for name in self.columns.iter().filter(|name| self.form.has(name)) {
            let Some(column) = self.table.columns.iter().find(|c| c.name == *name) else { continue };
            let text = self.form.text(name);
            let same = same(column, text, &Self::value_in(held, name, self.zone));
            if same && (held.is_some() || text.is_empty()) {
                continue;
            }
            match parsed(column, text, self.zone) {
                Ok(value) => {
                    draft.values.insert(column.name, value);
                }
                Err(fault) => draft.faults.push(fault),
            }
        }
        draft
    }

    /// What somebody else changed since the form was shown.
    pub fn overtaken(&self, held: &Record) -> Vec<Overtaken> {
        let mut found = Vec::new();
        for name in self.columns.iter().filter(|name| self.form.has(&Self::was(name))) {
            let Some(column) = self.table.columns.iter().find(|c| c.name == *name) else { continue };
            let (was, now) = (self.form.text(&Self::was(name)), shown(held.get(name), self.zone));
            if same(column, was, &now) {
                continue;
            }
            let typed = self.form.text(name);
            let mine = self.form.has(name) && !same(column, typed, was) && !same(column, typed, &now);
            found.push(Overtaken { column: name, theirs: now, yours: mine.then(|| typed.to_owned()) });
        }
        found
    }

    /// What the form is to show of a column: what was typed where that was
    /// changed, otherwise what stands there.
    pub fn value(&self, held: Option<&Record>, column: &'static str) -> String {
        let now = Self::value_in(held, column, self.zone);
        if !self.form.has(column) {
            return now;
        }
        let typed = self.form.text(column);
        let was = Self::was(column);
        let untouched = held.is_some() && self.form.has(&was) && self.form.text(&was) == typed;
        if untouched { now } else { typed.to_owned() }
    }

    /// The hidden fields that carry what each column holds.
    pub fn carried(columns: &[&'static str], held: &Record, zone: &TimeZone) -> Vec<(String, String)> {
        columns.iter().map(|name| (Self::was(name), shown(held.get(name), zone))).collect()
    }
}

/// Line ends come back from a browser as CR LF.
fn same(column: &Column, a: &str, b: &str) -> bool {
    match column.kind {
        Kind::Bool => (a == "1") == (b == "1"),
        Kind::Memo => a.trim().replace("\r\n", "\n") == b.trim().replace("\r\n", "\n"),
        _ => a.trim() == b.trim(),
    }
}

#[cfg(test)]
mod tests {
    use model::tables::{IncomingMethod, Mailbox};
    use model::{Entity, Id};

    use super::*;

    const COLUMNS: &[&str] = &[
        "name",
        "processanddeleteemails",
        "incomingemaildeliverymethod",
        "processemailreceivedafter",
        "emailserverprofile",
    ];

    fn held() -> Record {
        Mailbox {
            name: "Forward".into(),
            incoming: IncomingMethod::ServerSide,
            process_after: Some("2026-03-01T08:30:00Z".parse().unwrap()),
            ..Mailbox::blank(Id::from_u128(1))
        }
        .into_record()
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn with<T>(form: &str, f: impl FnOnce(&Typed<'_>) -> T) -> T {
        let (form, zone) = (Form::of(form).ok().unwrap(), berlin());
        f(&Typed { table: Mailbox::TABLE, columns: COLUMNS, form: &form, zone: &zone })
    }

    #[track_caller]
    fn check(form: &str, expected: &[(&str, Value)]) {
        let draft = with(form, |typed| typed.draft(Some(&held())));
        assert!(draft.faults.is_empty(), "{:?}", draft.faults);
        let expected = expected.to_vec();
        assert_eq!(draft.values.into_iter().collect::<Vec<_>>(), expected, "{form}");
    }

    #[test]
    fn what_is_as_it_was_is_not_written() {
        check("name=Forward&processanddeleteemails=0&incomingemaildeliverymethod=2&emailserverprofile=", &[]);
        check("processemailreceivedafter=2026-03-01T09:30", &[]);
        check("", &[]);
    }
    #[test]
    fn what_was_changed_is_written_as_its_type() {
        check("name= Other ", &[("name", Value::Text("Other".into()))]);
        check("processanddeleteemails=0&processanddeleteemails=1", &[("processanddeleteemails", Value::Bool(true))]);
        check("incomingemaildeliverymethod=0", &[("incomingemaildeliverymethod", Value::Int(0))]);
        check("processemailreceivedafter=", &[("processemailreceivedafter", Value::Null)]);
        let id = Id::from_u128(9);
        let profile = Value::Ref(Ref::new("emailserverprofile", id));
        check(&format!("emailserverprofile={id}"), &[("emailserverprofile", profile)]);
    }
    #[test]
    fn times_are_typed_in_the_viewers_zone() {
        let at = "2026-07-01T06:00:00Z".parse().unwrap();
        check("processemailreceivedafter=2026-07-01T08:00", &[("processemailreceivedafter", Value::Time(at))]);
    }
    #[test]
    fn what_cannot_be_understood_is_a_fault_of_its_field() {
        let draft = with("processemailreceivedafter=soon&emailserverprofile=x", |typed| typed.draft(Some(&held())));
        let fields: Vec<_> = draft.faults.iter().filter_map(|f| f.field).collect();
        assert_eq!(fields, ["processemailreceivedafter", "emailserverprofile"]);
        assert!(draft.values.is_empty());
    }
    #[test]
    fn what_others_changed_is_told_and_what_was_typed_stays() {
        let form = "was.name=Before&name=Mine&was.incomingemaildeliverymethod=0&incomingemaildeliverymethod=0";
        with(form, |typed| {
            let name = Overtaken { column: "name", theirs: "Forward".into(), yours: Some("Mine".into()) };
            let method = Overtaken { column: "incomingemaildeliverymethod", theirs: "2".into(), yours: None };
            assert_eq!(typed.overtaken(&held()), [name, method]);
            assert_eq!(typed.value(Some(&held()), "name"), "Mine");
            assert_eq!(typed.value(Some(&held()), "incomingemaildeliverymethod"), "2");
        });
    }
    #[test]
    fn who_typed_the_same_was_not_overtaken_by_it() {
        with("was.name=Before&name=Forward", |typed| {
            assert_eq!(typed.overtaken(&held())[0].yours, None);
        });
        with("was.name=Forward&name=Mine", |typed| assert!(typed.overtaken(&held()).is_empty()));
    }
}
