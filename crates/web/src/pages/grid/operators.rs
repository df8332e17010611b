//! The conditions that a form offers, by what a column holds, in the words of
//! people and as FetchXML has them.

use formats::fetchxml::Condition;
use model::Column;
use model::table::Kind;

/// What stands beside an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Nothing,
    Text,
    Number,
    Date,
    Days,
    /// Some of a choice's options.
    Options,
    YesOrNo,
    Row,
}

/// Its name in the form, what people call it, and what it wants.
pub(super) type Operator = (&'static str, &'static str, Wants);

const NONE: Operator = ("null", "has no value", Wants::Nothing);
const SOME: Operator = ("not-null", "has a value", Wants::Nothing);

const TEXT: &[Operator] = &[
    ("contains", "contains", Wants::Text),
    ("contains-not", "does not contain", Wants::Text),
    ("eq", "is", Wants::Text),
    ("ne", "is not", Wants::Text),
    ("begins-with", "begins with", Wants::Text),
    ("ends-with", "ends with", Wants::Text),
    SOME,
    NONE,
];
const NUMBER: &[Operator] = &[
    ("eq", "is", Wants::Number),
    ("ne", "is not", Wants::Number),
    ("ge", "is at least", Wants::Number),
    ("le", "is at most", Wants::Number),
    SOME,
    NONE,
];
const TIME: &[Operator] = &[
    ("on", "is on", Wants::Date),
    ("on-or-after", "is on or after", Wants::Date),
    ("on-or-before", "is on or before", Wants::Date),
    ("today", "is today", Wants::Nothing),
    ("yesterday", "is yesterday", Wants::Nothing),
    ("this-week", "is in this week", Wants::Nothing),
    ("this-month", "is in this month", Wants::Nothing),
    ("last-x-days", "is within the last days", Wants::Days),
    ("olderthan-x-days", "is older than days", Wants::Days),
    SOME,
    NONE,
];
const CHOICE: &[Operator] =
    &[("in", "is one of", Wants::Options), ("not-in", "is none of", Wants::Options), SOME, NONE];
const BOOL: &[Operator] = &[("eq", "is", Wants::YesOrNo)];
const LOOKUP: &[Operator] = &[("eq", "is", Wants::Row), ("ne", "is not", Wants::Row), SOME, NONE];
const USER: &[Operator] = &[
    ("eq-userid", "is me", Wants::Nothing),
    ("ne-userid", "is not me", Wants::Nothing),
    ("eq", "is", Wants::Row),
    ("ne", "is not", Wants::Row),
    SOME,
    NONE,
];
const OWNER: &[Operator] = &[
    ("eq-userid", "is me", Wants::Nothing),
    ("eq-userteams", "is one of my teams", Wants::Nothing),
    ("eq-useroruserteams", "is me or one of my teams", Wants::Nothing),
    ("ne-userid", "is not me", Wants::Nothing),
    ("eq", "is", Wants::Row),
    ("ne", "is not", Wants::Row),
];

/// What a condition on the column can say; nothing where it can say nothing.
pub(super) fn of(column: &Column) -> &'static [Operator] {
    match column.kind {
        Kind::Text { .. } | Kind::Email { .. } | Kind::Memo => TEXT,
        Kind::Int { .. } | Kind::BigInt => NUMBER,
        Kind::Time => TIME,
        Kind::Choice(_) => CHOICE,
        Kind::Bool => BOOL,
        Kind::Lookup(_) if column.name == "ownerid" => OWNER,
        Kind::Lookup(targets) if targets.contains(&"systemuser") => USER,
        Kind::Lookup(_) => LOOKUP,
        Kind::Id | Kind::Secret { .. } | Kind::Bytes => &[],
    }
}

/// As the form shows it. An operator that the form does not offer is shown by
/// its own name.
pub(super) fn shown(column: &Column, condition: &Condition) -> Condition {
    let mut shown = condition.clone();
    let one = condition.values.first().map_or("", String::as_str);
    let inner = one.strip_prefix('%').and_then(|v| v.strip_suffix('%')).filter(|v| !v.is_empty());
    match (column.kind, condition.operator.as_str()) {
        (Kind::Choice(_), "eq") => "in".clone_into(&mut shown.operator),
        (Kind::Choice(_), "ne" | "neq") => "not-in".clone_into(&mut shown.operator),
        (_, "like" | "not-like") => {
            if let Some(plain) = inner.and_then(literal) {
                let operator = if condition.operator == "like" { "contains" } else { "contains-not" };
                operator.clone_into(&mut shown.operator);
                shown.values = vec![plain];
            }
        }
        (Kind::Bool, "eq") => {
            shown.values = vec![if matches!(one, "1" | "true") { "1" } else { "0" }.to_owned()];
        }
        (Kind::Lookup(_), "eq" | "ne") => {
            shown.values = vec![one.trim_matches(['{', '}']).to_lowercase()];
        }
        _ => {}
    }
    shown
}

/// As FetchXML has it.
pub(super) fn meant(condition: &Condition) -> Condition {
    let mut meant = condition.clone();
    let one = condition.values.first().map_or("", String::as_str);
    match (condition.operator.as_str(), condition.values.len()) {
        ("contains", _) => {
            "like".clone_into(&mut meant.operator);
            meant.values = vec![format!("%{}%", pattern(one))];
        }
        ("contains-not", _) => {
            "not-like".clone_into(&mut meant.operator);
            meant.values = vec![format!("%{}%", pattern(one))];
        }
        ("in", 1) => "eq".clone_into(&mut meant.operator),
        ("not-in", 1) => "ne".clone_into(&mut meant.operator),
        _ => {}
    }
    meant
}

/// The text as a pattern that matches itself.
fn pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | '_' | '[' => out.extend(['[', c, ']']),
            _ => out.push(c),
        }
    }
    out
}

/// What the pattern matches, where that is one text.
fn literal(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '%' | '_' => return None,
            '[' => {
                let (inside, end) = (rest.next()?, rest.next()?);
                if end != ']' {
                    return None;
                }
                out.push(inside);
            }
            _ => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use model::Entity;
    use model::tables::Mailbox;

    use super::*;

    /// What stands in the view, what the form shows of it, and back again.
    #[track_caller]
    fn check(column: &str, stands: (&str, &[&str]), form: (&str, &[&str])) {
        let column = Mailbox::TABLE.column(column).unwrap();
        let condition = |(operator, values): (&str, &[&str])| Condition {
            column: column.name.to_owned(),
            operator: operator.to_owned(),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        };
        assert_eq!(shown(column, &condition(stands)), condition(form));
        assert_eq!(meant(&condition(form)), condition(stands));
        assert!(of(column).iter().any(|(name, ..)| *name == form.0), "{form:?}");
    }

    #[test]
    fn texts() {
        check("name", ("like", &["%100[%] [_]%"]), ("contains", &["100% _"]));
        check("name", ("not-like", &["%a%"]), ("contains-not", &["a"]));
        check("name", ("begins-with", &["a"]), ("begins-with", &["a"]));
        check("name", ("null", &[]), ("null", &[]));
    }
    #[test]
    fn choices() {
        check("mailboxstatus", ("eq", &["1"]), ("in", &["1"]));
        check("mailboxstatus", ("ne", &["1"]), ("not-in", &["1"]));
        check("mailboxstatus", ("in", &["1", "2"]), ("in", &["1", "2"]));
        check("isforwardmailbox", ("eq", &["1"]), ("eq", &["1"]));
    }
    #[test]
    fn what_is_no_plain_text_is_shown_as_it_is() {
        let column = Mailbox::TABLE.column("name").unwrap();
        for pattern in ["a%", "%a%b%", "%", "%[a-c]%"] {
            let condition =
                Condition { column: "name".into(), operator: "like".into(), values: vec![pattern.to_owned()] };
            assert_eq!(shown(column, &condition), condition);
        }
    }
}
