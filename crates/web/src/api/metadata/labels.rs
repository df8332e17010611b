//! Labels in the one language that there is, and properties that could be
//! managed by solutions but are fixed here.

use serde_json::{Value as Out, json};

/// English (United States), the language of every label.
pub(super) const LANGUAGE: i32 = 1033;

pub(super) fn label(text: &str) -> Out {
    if text.is_empty() {
        return json!({ "LocalizedLabels": [], "UserLocalizedLabel": null });
    }
    let one = json!({
        "Label": text, "LanguageCode": LANGUAGE, "IsManaged": true,
        "MetadataId": id(&["label", text]).to_string(), "HasChanged": null,
    });
    json!({ "LocalizedLabels": [one.clone()], "UserLocalizedLabel": one })
}

/// `CanCreateForms: {Value, CanBeChanged, ManagedPropertyLogicalName}`
pub(super) fn managed(property: &str, value: impl Into<Out>) -> Out {
    json!({
        "Value": value.into(), "CanBeChanged": false,
        "ManagedPropertyLogicalName": property.to_ascii_lowercase(),
    })
}

/// Metadata has ids of its own; ours follow from the names.
pub(super) fn id(parts: &[&str]) -> model::Id {
    let parts: Vec<&[u8]> = std::iter::once("metadata").chain(parts.iter().copied()).map(str::as_bytes).collect();
    model::id::derived(model::Timestamp::UNIX_EPOCH, &parts)
}

/// `EmailServerProfile` → `Email Server Profile`, `pr_LedgerEntry` → `Ledger Entry`
pub(crate) fn words(schema: &str) -> String {
    let plain = schema.strip_prefix("pr_").unwrap_or(schema);
    let mut out = String::new();
    let mut before = ' ';
    for c in plain.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            out.push(' ');
        }
        out.push(c);
        before = c;
    }
    out
}

pub(super) fn plural(words: &str) -> String {
    if words.ends_with('s') && !words.ends_with("ss") {
        return words.to_owned();
    }
    if let Some(stem) = words.strip_suffix('y').filter(|s| !s.ends_with(['a', 'e', 'o', 'u'])) {
        return format!("{stem}ies");
    }
    if words.ends_with(['s', 'x']) { format!("{words}es") } else { format!("{words}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_people() {
        assert_eq!(words("EmailServerProfile"), "Email Server Profile");
        assert_eq!(words("pr_LedgerEntry"), "Ledger Entry");
        assert_eq!(plural("Mailbox"), "Mailboxes");
        assert_eq!(plural("Ledger Entry"), "Ledger Entries");
        assert_eq!(plural("Queue"), "Queues");
        assert_eq!(plural("User Settings"), "User Settings");
    }
    #[test]
    fn ids_follow_from_names() {
        assert_eq!(id(&["mailbox"]), id(&["mailbox"]));
        assert_ne!(id(&["mailbox", "name"]), id(&["mailboxname"]));
    }
}
