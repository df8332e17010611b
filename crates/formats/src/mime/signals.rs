//! What header fields tell beside the obvious: envelope recipients, priority,
//! whether a program wrote the message.

use model::mail::{Address, Mail, is_address};
use model::tables::Priority;

use super::address;
use super::fields::Fields;

/// Envelope recipients that servers noted, each once, in the order that
/// [`Mail::delivered_to`] documents.
pub fn delivered_to(fields: &Fields<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let noted = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to"];
    for name in noted.into_iter().chain(["resent-to", "resent-cc", "resent-bcc"]) {
        for value in fields.all(name) {
            address::list(&value, &mut found, &mut Vec::new());
        }
    }
    let mut out: Vec<String> = Vec::new();
    let received = fields.all("received").filter_map(|r| received_for(&r));
    for address in found.into_iter().map(|a: Address| a.address).filter(|a| is_address(a)).chain(received) {
        // Not a set: the order means something, and there are few.
        if out.len() < 100 && !out.iter().any(|o| o.eq_ignore_ascii_case(&address)) {
            out.push(address);
        }
    }
    out
}

/// `Received: from … by … for <x>; date` (RFC 5321, section 4.4).
fn received_for(field: &str) -> Option<String> {
    let mut words = field.split(|c: char| c.is_whitespace() || c == ';');
    words.find(|w| w.eq_ignore_ascii_case("for"))?;
    let word = words.find(|w| !w.is_empty())?;
    let address = word.trim_start_matches('<').trim_end_matches('>');
    is_address(address).then(|| address.to_owned())
}

/// Importance (RFC 4021), X-Priority, X-MSMail-Priority, Priority (RFC 2156):
/// the first that says something.
pub fn priority(fields: &Fields<'_>) -> Priority {
    for name in ["importance", "x-priority", "x-msmail-priority", "priority"] {
        let Some(value) = fields.first(name) else { continue };
        let word = value.split([' ', '(', ';']).next().unwrap_or_default().to_ascii_lowercase();
        match word.as_str() {
            "high" | "urgent" | "1" | "2" | "highest" => return Priority::High,
            "low" | "non-urgent" | "4" | "5" | "lowest" => return Priority::Low,
            "normal" | "3" => return Priority::Normal,
            _ => {}
        }
    }
    Priority::Normal
}

/// Whether a program wrote it: RFC 3834 and what came before it. `mime_type`
/// is that of the whole message.
pub fn automatic(fields: &Fields<'_>, mime_type: &str, mail: &Mail) -> bool {
    let word = |name: &str| {
        fields.first(name).map(|v| v.split([';', ' ', '(']).next().unwrap_or_default().trim().to_ascii_lowercase())
    };
    word("auto-submitted").is_some_and(|w| w != "no" && !w.is_empty())
        || ["precedence", "x-precedence"].iter().any(|name| {
            word(name).is_some_and(|w| matches!(w.as_str(), "bulk" | "junk" | "list" | "auto_reply" | "auto-reply"))
        })
        || word("x-auto-response-suppress").is_some_and(|w| w != "none" && !w.is_empty())
        || ["list-id", "x-autoreply", "x-autorespond", "x-auto-reply-from", "x-mail-autoreply"]
            .iter()
            .any(|n| fields.has(n))
        || fields.all("return-path").any(|v| v.split_whitespace().collect::<String>() == "<>")
        || mime_type == "multipart/report"
        || mail.from.iter().any(|a| a.address.to_ascii_lowercase().starts_with("mailer-daemon@"))
}

/// Whether the sender asks to be told that it was read.
pub fn read_receipt(fields: &Fields<'_>) -> bool {
    ["disposition-notification-to", "return-receipt-to", "x-confirm-reading-to"].iter().any(|n| fields.has(n))
}
