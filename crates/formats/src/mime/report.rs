//! Delivery status notifications (RFC 3461 to 3464): what became of a message
//! that was sent.

use model::mail::Mail;

use super::charset::unstructured;
use super::decode::extract;
use super::fields::Fields;
use super::ids;

/// A report, as a mail server sent it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReport {
    /// Of the message that it is about, where it was returned in whole or part.
    pub original_message_id: Option<String>,
    pub recipients: Vec<RecipientReport>,
}

/// What became of the message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientReport {
    /// Final-Recipient: the address in the end, after forwarding.
    pub address: String,
    /// Original-Recipient: the address that it was sent to, where the server knows.
    pub original: Option<String>,
    pub action: Action,
    /// RFC 3463: `5.1.1`. Empty where missing.
    pub status: String,
    /// The words of the server that refused it.
    pub diagnostic: String,
}

/// RFC 3464, section 2.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Failed,
    Delayed,
    Delivered,
    /// To a server that does not report.
    Relayed,
    /// To the members of a list.
    Expanded,
}

/// More recipients than this are not looked at.
const MOST: usize = 1_000;

/// The report in a message that [`super::read`] gave for `raw`; `None` where
/// it is no report.
pub fn read(mail: &Mail, raw: &[u8]) -> Option<DeliveryReport> {
    let is_status = |t: &str| matches!(t, "message/delivery-status" | "message/global-delivery-status");
    let part = mail.attachments.iter().find(|a| is_status(&a.mime_type))?;
    let status = extract(raw, &part.place);
    let mut recipients = Vec::new();
    for group in groups(&status) {
        recipients.extend(recipient(&Fields::split(group)));
        if recipients.len() >= MOST {
            break;
        }
    }
    if recipients.is_empty() {
        return None;
    }
    Some(DeliveryReport { original_message_id: original(mail, raw), recipients })
}

/// The groups of fields, parted by empty lines.
fn groups(status: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < status.len() {
        let end = memchr::memchr(b'\n', &status[at..]).map_or(status.len(), |n| at + n + 1);
        if status[at..end].trim_ascii().is_empty() {
            out.push(&status[start..at]);
            start = end;
        }
        at = end;
    }
    out.push(&status[start..]);
    out.retain(|g| !g.trim_ascii().is_empty());
    out
}

/// `None` for the group about the message as a whole.
fn recipient(fields: &Fields<'_>) -> Option<RecipientReport> {
    let typed = |name: &str| fields.first(name).map(|f| after_type(&f));
    let original = typed("original-recipient").filter(|a| !a.is_empty());
    let address = typed("final-recipient").filter(|a| !a.is_empty()).or_else(|| original.clone())?;
    let word = fields.first("action").unwrap_or_default().trim().to_ascii_lowercase();
    let status = fields.first("status").unwrap_or_default();
    let status = status.split_whitespace().next().unwrap_or_default().to_owned();
    let action = match word.as_str() {
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        "failed" => Action::Failed,
        // Without an action the class of the status tells.
        _ if status.starts_with('2') => Action::Delivered,
        _ if status.starts_with('4') => Action::Delayed,
        _ => Action::Failed,
    };
    let diagnostic = typed("diagnostic-code").unwrap_or_default();
    Some(RecipientReport { address, original, action, status, diagnostic })
}

/// `rfc822; a@b` without its type and angle brackets.
fn after_type(field: &str) -> String {
    let text = field.split_once(';').map_or(field, |(_, text)| text);
    let text = unstructured(text);
    let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(&text);
    inner.trim().to_owned()
}

fn original(mail: &Mail, raw: &[u8]) -> Option<String> {
    if let Some(enclosed) = mail.enclosed.first() {
        return enclosed.mail.message_id.clone();
    }
    let headers = mail.attachments.iter().find(|a| {
        matches!(a.mime_type.as_str(), "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers")
    })?;
    let section = extract(raw, &headers.place);
    Fields::split(&section).first("message-id").and_then(|f| ids::own(&f, &mut Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(status: &str, returned: &str) -> Option<DeliveryReport> {
        let raw = format!(
            "From: mailer-daemon@x\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n{status}\n--b\n{returned}\n--b--\n"
        );
        read(&super::super::read(raw.as_bytes()), raw.as_bytes())
    }
    const RETURNED: &str = "Content-Type: message/rfc822\n\nMessage-ID: <1@x>\nSubject: y\n\nz";

    fn one(status: &str, address: &str, action: Action, code: &str, diagnostic: &str) {
        let got = report(&format!("Reporting-MTA: dns; x\n\n{status}\n"), RETURNED).unwrap();
        assert_eq!(got.original_message_id.as_deref(), Some("<1@x>"));
        let [r] = got.recipients.as_slice() else { panic!("{got:?}") };
        assert_eq!(
            (r.address.as_str(), r.action, r.status.as_str(), r.diagnostic.as_str()),
            (address, action, code, diagnostic)
        );
    }

    #[test]
    fn failed() {
        let status = "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1\n no such user";
        one(status, "a@b", Action::Failed, "5.1.1", "550 5.1.1 no such user");
    }
    #[test]
    fn delayed() {
        one("Final-Recipient: rfc822;<a@b>\nAction: Delayed\nStatus: 4.4.1", "a@b", Action::Delayed, "4.4.1", "");
    }
    #[test]
    fn delivered_without_action() {
        one("Original-Recipient: rfc822;a@b\nStatus: 2.0.0 (ok)", "a@b", Action::Delivered, "2.0.0", "");
    }
    #[test]
    fn several_recipients() {
        let got = report(
            "X: y\n\nFinal-Recipient: rfc822;a@b\nAction: failed\n\n\nFinal-Recipient: rfc822;c@d\nAction: relayed\n",
            RETURNED,
        );
        assert_eq!(got.unwrap().recipients.len(), 2);
    }
    #[test]
    fn only_the_headers_were_returned() {
        let got = report(
            "Final-Recipient: rfc822;a@b",
            "Content-Type: text/rfc822-headers\n\nSubject: x\nMessage-ID: <2@x>\n",
        );
        assert_eq!(got.unwrap().original_message_id.as_deref(), Some("<2@x>"));
    }
    #[test]
    fn nothing_was_returned() {
        let got = report("Final-Recipient: rfc822;a@b", "\nnothing");
        assert_eq!(got.unwrap().original_message_id, None);
    }
    #[test]
    fn no_recipients_is_no_report() {
        assert_eq!(report("Reporting-MTA: dns; x", RETURNED), None);
    }
    #[test]
    fn an_ordinary_message_is_no_report() {
        assert_eq!(read(&super::super::read(b"Subject: x\n\ny"), b"Subject: x\n\ny"), None);
    }
}
