//! The audit trail as text: a JSON object a line, or lines of a spreadsheet.

use serde_json::{Map, Value, json};

use crate::audit::Entry;

/// The name of every column, on every way out.
pub const COLUMNS: [(&str, &str); 12] = [
    ("at", "At"),
    ("user", "User"),
    ("callingUser", "On its behalf"),
    ("action", "Action"),
    ("table", "Table"),
    ("row", "Row"),
    ("door", "Through"),
    ("remoteAddress", "From"),
    ("userAgent", "With"),
    ("requestId", "Request"),
    ("detail", "Detail"),
    ("id", "Id"),
];

/// In the order of [`COLUMNS`].
#[must_use]
pub fn values(entry: &Entry) -> [Value; 12] {
    let audit = &entry.audit;
    let detail = serde_json::from_str(&audit.detail).unwrap_or_else(|_| json!(audit.detail));
    [
        json!(audit.at.map(|at| at.to_string())),
        json!(entry.user),
        json!(entry.calling_user),
        json!(audit.action),
        json!(audit.table),
        json!(audit.row.map(|row| row.to_string())),
        json!(audit.door),
        json!(audit.remote),
        json!(audit.user_agent),
        json!(audit.request),
        detail,
        json!(audit.id.to_string()),
    ]
}

/// A JSON object, with the line's end.
#[must_use]
pub fn json_line(entry: &Entry) -> String {
    let keys = COLUMNS.iter().map(|(key, _)| (*key).to_owned());
    let object: Map<String, Value> = keys.zip(values(entry)).collect();
    format!("{}\n", Value::Object(object))
}

/// The first line of a spreadsheet.
#[must_use]
pub fn csv_head() -> String {
    line(COLUMNS.iter().map(|(key, _)| cell(&json!(key))))
}

#[must_use]
pub fn csv_line(entry: &Entry) -> String {
    line(values(entry).iter().map(cell))
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("{}\r\n", cells.collect::<Vec<_>>().join(","))
}

/// RFC 4180, and nothing that a spreadsheet takes for a formula: user agents
/// are whatever a stranger sent.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(cell(&json!(value)), expected);
    }

    #[test]
    fn cells() {
        check("plain", "plain");
        check("a,b", "\"a,b\"");
        check("say \"x\"", "\"say \"\"x\"\"\"");
        check("two\nlines", "\"two\nlines\"");
        check("=HYPERLINK(1)", "'=HYPERLINK(1)");
        check("@x,1", "\"'@x,1\"");
        check("", "");
        assert_eq!(cell(&Value::Null), "");
        assert_eq!(cell(&json!({ "a": 1 })), "\"{\"\"a\"\":1}\"");
    }
}
