//! From what was typed to values of columns, and back to what fields show.

use actions::Draft;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::table::Kind;
use model::tables::EmailServerProfile;
use model::{Column, Entity, Record, Refusal, Secret, Value, Words, words};

use crate::pages::kit::{Desk, Form, IN_CLEAR};

/// As browsers send a `datetime-local`.
const LOCAL: &str = "%Y-%m-%dT%H:%M";

/// The profile's columns among the fields of the form. A password that must
/// not have come this way is refused.
pub(super) fn of(desk: &Desk, form: &Form) -> Draft {
    let mut draft = read(form, &desk.viewer.zone);
    for column in ["incomingpassword", "outgoingpassword"] {
        if draft.values.contains_key(column) && !desk.may_type_secrets() {
            draft.values.remove(column);
            draft.faults.push(Refusal::invalid(Some(column), Words::foreign(desk.t(IN_CLEAR))));
        }
    }
    draft
}

/// The profile's columns among the fields of the form.
fn read(form: &Form, zone: &TimeZone) -> Draft {
    let mut draft = Draft::new(EmailServerProfile::TABLE);
    for column in EmailServerProfile::TABLE.columns.iter().filter(|c| form.has(c.name)) {
        match value(form, column, zone) {
            Ok(Some(value)) => {
                draft.values.insert(column.name, value);
            }
            Ok(None) => {}
            Err(why) => draft.faults.push(Refusal::invalid(Some(column.name), why)),
        }
    }
    draft
}

/// `None`: it stays as it is.
fn value(form: &Form, column: &Column, zone: &TimeZone) -> Result<Option<Value>, Words> {
    let text = form.get(column.name);
    Ok(Some(match (column.kind, text) {
        (Kind::Bool, _) => Value::Bool(form.ticked(column.name)),
        (Kind::Secret { .. }, _) => match form.text(column.name) {
            "" => return Ok(None),
            typed => Value::Secret(Secret::new(typed)),
        },
        (Kind::Int { .. } | Kind::BigInt | Kind::Choice(_), Some(text)) => {
            let number =
                text.parse().map_err(|_| words!("'{0}' must be a whole number.", Words::label(column.label)))?;
            Value::Int(number)
        }
        (Kind::Int { .. } | Kind::BigInt | Kind::Choice(_), None) => column.default_value(),
        (Kind::Time, Some(text)) => Value::Time(
            instant(text, zone)
                .ok_or_else(|| words!("'{0}' must be a date and a time of day.", Words::label(column.label)))?,
        ),
        (Kind::Time, None) => Value::Null,
        (Kind::Text { .. } | Kind::Email { .. } | Kind::Memo, text) => Value::Text(text.unwrap_or_default().to_owned()),
        _ => return Ok(None),
    }))
}

fn instant(text: &str, zone: &TimeZone) -> Option<model::Timestamp> {
    let local: DateTime = text.parse().ok()?;
    Some(local.to_zoned_datetime(zone.clone()).ok()?.timestamp())
}

/// What a field shows of a value.
pub(super) fn shown(record: &Record, column: &str, zone: &TimeZone) -> String {
    match record.get(column) {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Bool(yes) => if *yes { "1" } else { "" }.to_owned(),
        Value::Time(time) => time.to_zoned_datetime(zone.clone()).strftime(LOCAL).to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(text: &str, column: &str) -> Result<Value, String> {
        let draft = read(&Form::of(text).ok().unwrap(), &TimeZone::UTC);
        match draft.faults.first() {
            Some(fault) => Err(fault.message.to_string()),
            None => Ok(draft.values.get(column).cloned().unwrap_or(Value::Bytes(Vec::new()))),
        }
    }

    #[track_caller]
    fn check(text: &str, column: &str, expected: &Value) {
        assert_eq!(read_one(text, column).as_ref(), Ok(expected), "{text}");
    }

    #[test]
    fn values_by_kind() {
        check("name=+Ours+", "name", &Value::Text("Ours".into()));
        check("incomingportnumber=993", "incomingportnumber", &Value::Int(993));
        check("incomingportnumber=", "incomingportnumber", &Value::Null);
        check("maxconcurrentconnections=", "maxconcurrentconnections", &Value::Int(10));
        check("incomingusessl=0&incomingusessl=1", "incomingusessl", &Value::Bool(true));
        check("incomingusessl=0", "incomingusessl", &Value::Bool(false));
        check("processemailsreceivedafter=", "processemailsreceivedafter", &Value::Null);
        let at = Value::Time("2026-11-24T11:47:00Z".parse().unwrap());
        check("processemailsreceivedafter=2026-11-24T11:47", "processemailsreceivedafter", &at);
        // An empty password stays as it is; blanks may be part of one.
        check("incomingpassword=", "incomingpassword", &Value::Bytes(Vec::new()));
        check("incomingpassword=+x", "incomingpassword", &Value::Secret(Secret::new(" x")));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert!(read_one("incomingportnumber=many", "").unwrap_err().contains("whole number"));
        assert!(read_one("processemailsreceivedafter=soon", "").unwrap_err().contains("a date"));
    }

    #[test]
    fn times_are_the_readers() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let draft = read(&Form::of("processemailsreceivedafter=2026-07-01T12:00").ok().unwrap(), &zone);
        let mut record = Record::with_defaults(EmailServerProfile::TABLE, model::Id::nil());
        record.values.extend(draft.values);
        assert_eq!(record.get("processemailsreceivedafter").as_time().unwrap().to_string(), "2026-07-01T10:00:00Z");
        assert_eq!(shown(&record, "processemailsreceivedafter", &zone), "2026-07-01T12:00");
    }
}
