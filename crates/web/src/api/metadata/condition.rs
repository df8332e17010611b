//! A `$filter` over metadata.

use std::cmp::Ordering;

use formats::odata::untyped::{Condition, Literal};
use model::query::{Compare, TextMatch};
use serde_json::{Map, Value as Out};

/// Whether an object satisfies a condition. Names are compared as they are
/// written: `LogicalName eq 'Account'` is no account.
pub(super) fn holds(condition: &Condition, of: &Map<String, Out>) -> bool {
    match condition {
        Condition::And(all) => all.iter().all(|c| holds(c, of)),
        Condition::Or(any) => any.iter().any(|c| holds(c, of)),
        Condition::Not(inner) => !holds(inner, of),
        Condition::Compare(path, how, literal) => compare(value(path, of), *how, literal),
        Condition::In(path, literals) => literals.iter().any(|l| compare(value(path, of), Compare::Equal, l)),
        Condition::Is(path) => *value(path, of) == Out::Bool(true),
        Condition::Text(path, how, text) => value(path, of).as_str().is_some_and(|value| match how {
            TextMatch::Contains => value.contains(text.as_str()),
            TextMatch::StartsWith => value.starts_with(text.as_str()),
            TextMatch::EndsWith => value.ends_with(text.as_str()),
            // $filter has neither patterns nor words.
            TextMatch::Like | TextMatch::Words => false,
        }),
    }
}

/// The paths that a condition names.
pub(super) fn paths<'a>(condition: &'a Condition, into: &mut Vec<&'a [String]>) {
    match condition {
        Condition::And(all) | Condition::Or(all) => all.iter().for_each(|c| paths(c, into)),
        Condition::Not(inner) => paths(inner, into),
        Condition::Compare(path, ..) | Condition::In(path, _) | Condition::Is(path) | Condition::Text(path, ..) => {
            into.push(path);
        }
    }
}

pub(super) fn value<'a>(path: &[String], of: &'a Map<String, Out>) -> &'a Out {
    let Some((first, rest)) = path.split_first() else { return &Out::Null };
    let start = of.get(first).unwrap_or(&Out::Null);
    rest.iter().fold(start, |value, name| value.get(name).unwrap_or(&Out::Null))
}

fn compare(value: &Out, how: Compare, literal: &Literal) -> bool {
    let order = match (value, literal) {
        (Out::Null, Literal::Null) => Some(Ordering::Equal),
        (Out::Bool(value), Literal::Bool(literal)) => Some(value.cmp(literal)),
        (Out::Number(value), Literal::Number(literal)) => value.as_i64().map(|v| v.cmp(literal)),
        (Out::String(value), Literal::Text(literal)) => Some(value.as_str().cmp(literal)),
        // A GUID, in any case.
        (Out::String(value), Literal::Bare(literal)) => Some(value.cmp(&literal.to_ascii_lowercase())),
        _ => None,
    };
    match how {
        Compare::Equal => order == Some(Ordering::Equal),
        Compare::NotEqual => order != Some(Ordering::Equal),
        Compare::Less => order == Some(Ordering::Less),
        Compare::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Compare::Greater => order == Some(Ordering::Greater),
        Compare::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[track_caller]
    fn check(filter: &str, expected: bool) {
        let of = json!({
            "LogicalName": "mailbox", "IsPrivate": false, "ObjectTypeCode": 9606, "Description": null,
            "CanCreateForms": { "Value": false }, "MetadataId": "00000000-0000-8abc-0000-000000000000",
        });
        let condition = formats::odata::untyped::condition(filter).unwrap();
        assert_eq!(super::holds(&condition, of.as_object().unwrap()), expected, "{filter}");
    }

    #[test]
    fn conditions() {
        check("LogicalName eq 'mailbox'", true);
        check("LogicalName eq 'Mailbox'", false);
        check("LogicalName ne 'x'", true);
        check("IsPrivate eq false and (LogicalName eq 'x' or LogicalName eq 'mailbox')", true);
        check("not IsPrivate", true);
        check("CanCreateForms/Value eq false", true);
        check("CanCreateForms/Value", false);
        check("ObjectTypeCode ge 9606 and ObjectTypeCode lt 9607", true);
        check("Description eq null", true);
        check("Description ne null", false);
        check("startswith(LogicalName,'mail')", true);
        check("endswith(LogicalName,'box') and contains(LogicalName,'ilb')", true);
        check("MetadataId eq 00000000-0000-8ABC-0000-000000000000", true);
        check("LogicalName in ('a','mailbox')", true);
        check("ObjectTypeCode eq 'mailbox'", false);
    }
}
