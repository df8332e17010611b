//! The messages that programs deliver: from the parameters of a call to a
//! message as it would have been read from a server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::mail::{Address, Flaw, Mail, is_address};
use model::outgoing::{OutgoingAttachment, OutgoingMail};
use model::tables::Priority;
use model::{Refusal, Timestamp};

use crate::api::arguments::Arguments;
use crate::api::errors::ApiError;
use crate::api::json::Json;

/// Attachments of one call.
const MOST_FILES: usize = 1000;

/// What can be said of a message by its parameters.
#[derive(Debug)]
pub(crate) struct Given {
    message_id: String,
    subject: String,
    /// `None`: no address at all, which the rules have an answer to.
    from: Option<Address>,
    to: Vec<Address>,
    cc: Vec<Address>,
    bcc: Vec<Address>,
    in_reply_to: Option<String>,
    /// Thread-Index, base64.
    conversation_index: Option<String>,
}

impl Given {
    pub fn read(arguments: &Arguments) -> Result<Self, ApiError> {
        let text = |name: &str| arguments.text(name).unwrap_or_default();
        let from = addresses("From", text("From")).unwrap_or_default();
        if from.len() > 1 {
            return Err(bad_address("From", "a message has one author"));
        }
        let mut given = Self {
            message_id: message_id(text("MessageId"))?,
            subject: line(text("Subject")),
            from: from.into_iter().next(),
            to: addresses("To", text("To"))?,
            cc: addresses("Cc", text("Cc"))?,
            bcc: addresses("Bcc", text("Bcc"))?,
            in_reply_to: None,
            conversation_index: None,
        };
        given.extra(arguments.get("ExtraProperties"))?;
        Ok(given)
    }

    /// Columns of the email that tell what it answers.
    fn extra(&mut self, properties: Option<&Json>) -> Result<(), ApiError> {
        let Some(Json::Object(properties)) = properties else { return Ok(()) };
        for (name, value) in properties.iter().filter(|(name, _)| !name.contains('@')) {
            match (name.as_str(), value) {
                ("inreplyto", Json::Text(id)) => self.in_reply_to = Some(message_id(id)?),
                ("conversationindex", Json::Text(index)) if STANDARD.decode(index).is_ok() => {
                    self.conversation_index = Some(index.clone());
                }
                (_, Json::Null) => {}
                _ => {
                    let name = actions::validate::excerpt(name);
                    let message = format!(
                        "ExtraProperties takes 'inreplyto' (a Message-ID) and 'conversationindex' (base64), not '{name}'. Write other columns to the email afterwards."
                    );
                    return Err(ApiError::bad_payload(message));
                }
            }
        }
        Ok(())
    }

    /// The message without a body, to ask about it.
    pub fn into_question(self, now: Timestamp) -> Result<Mail, ApiError> {
        if self.from.is_none() {
            // Everything but the author, whom there is none of.
            let id = Some(self.message_id);
            return Ok(Mail {
                message_id: id,
                to: self.to,
                cc: self.cc,
                bcc: self.bcc,
                fingerprint: [1; 32],
                ..Mail::default()
            });
        }
        Ok(self.into_message(Body { received: now, ..Body::default() })?.mail)
    }

    /// The whole message.
    pub fn into_message(self, body: Body) -> Result<actions::incoming::Message, ApiError> {
        let Some(from) = self.from else {
            return Err(bad_address("From", "it has to be one email address"));
        };
        let outgoing = OutgoingMail {
            message_id: self.message_id,
            date: body.received,
            from,
            to: self.to,
            cc: self.cc,
            subject: self.subject,
            html: body.html,
            in_reply_to: self.in_reply_to,
            priority: body.priority,
            attachments: body.attachments,
            fields: self.conversation_index.map(|index| ("Thread-Index".to_owned(), index)).into_iter().collect(),
            ..OutgoingMail::default()
        };
        let raw = formats::mime::write(&outgoing).map_err(|error| ApiError::bad_payload(error.to_string()))?.bytes;
        let mut mail = formats::mime::read(&raw);
        // Neither stands in the message: one belongs to the envelope, the other is known only to the caller.
        mail.bcc = self.bcc;
        mail.sender = body.submitted_by;
        Ok(actions::incoming::Message { mail, raw, received: Some(body.received) })
    }
}

/// What a delivery says besides.
#[derive(Debug, Default)]
pub(crate) struct Body {
    received: Timestamp,
    html: String,
    priority: Priority,
    submitted_by: Option<Address>,
    attachments: Vec<OutgoingAttachment>,
}

impl Body {
    pub fn read(arguments: &mut Arguments, now: Timestamp) -> Result<Self, ApiError> {
        let submitted_by = addresses("SubmittedBy", arguments.text("SubmittedBy").unwrap_or_default())?;
        Ok(Self {
            received: arguments.time("ReceivedOn").unwrap_or(now),
            html: arguments.text("Body").unwrap_or_default().to_owned(),
            priority: priority(arguments.text("Importance").unwrap_or_default())?,
            submitted_by: submitted_by.into_iter().next(),
            attachments: attachments(arguments.take("Attachments"))?,
        })
    }
}

fn priority(text: &str) -> Result<Priority, ApiError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "normal" | "1" => Ok(Priority::Normal),
        "low" | "0" => Ok(Priority::Low),
        "high" | "2" => Ok(Priority::High),
        _ => Err(ApiError::bad_payload("The parameter 'Importance' is one of: low, normal, high.")),
    }
}

fn attachments(given: Option<Json>) -> Result<Vec<OutgoingAttachment>, ApiError> {
    let Some(Json::Array(rows)) = given else { return Ok(Vec::new()) };
    if rows.len() > MOST_FILES {
        let message = format!("The parameter 'Attachments' has {} rows; at most {MOST_FILES} are taken.", rows.len());
        return Err(ApiError::bad_payload(message));
    }
    rows.into_iter().map(attachment).collect()
}

fn attachment(row: Json) -> Result<OutgoingAttachment, ApiError> {
    let Json::Object(properties) = row else {
        return Err(ApiError::bad_payload("The parameter 'Attachments' takes a list of activitymimeattachment rows."));
    };
    let mut file = OutgoingAttachment { mime_type: "application/octet-stream".to_owned(), ..Default::default() };
    for (name, value) in properties.into_iter().filter(|(name, _)| !name.contains('@')) {
        match (name.as_str(), value) {
            ("filename", Json::Text(text)) => file.name = line(&text),
            ("mimetype", Json::Text(text)) if !text.is_empty() => file.mime_type = text,
            ("body", Json::Text(text)) => {
                let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                let bytes = STANDARD.decode(compact);
                file.bytes = bytes
                    .map_err(|_| ApiError::bad_payload("'body' of an attachment takes the file's bytes as base64."))?;
            }
            // Words about the file that the message has no place for.
            ("subject" | "objecttypecode" | "attachmentnumber" | "filesize", _) | (_, Json::Null) => {}
            (other, _) => {
                let other = actions::validate::excerpt(other);
                let message =
                    format!("'{other}' of an attachment is not taken here: give filename, mimetype and body.");
                return Err(ApiError::bad_payload(message));
            }
        }
    }
    if file.name.is_empty() {
        return Err(ApiError::bad_payload("An attachment needs its 'filename'."));
    }
    Ok(file)
}

/// `a@b.example; "Bo, Jr." <bo@b.example>`, separated by semicolons or commas.
fn addresses(parameter: &'static str, text: &str) -> Result<Vec<Address>, ApiError> {
    if text.contains(|c: char| c.is_control()) {
        return Err(bad_address(parameter, "it has control characters or line breaks"));
    }
    let mut quoted = false;
    let list: String = text
        .chars()
        .map(|c| {
            quoted ^= c == '"';
            if c == ';' && !quoted { ',' } else { c }
        })
        .collect();
    let list = list.trim_matches([',', ' ']);
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let read = formats::mime::read(format!("To: {list}\r\n\r\n").as_bytes());
    let flawed =
        read.flaws.iter().find_map(|flaw| if let Flaw::BadAddress(text) = flaw { Some(text.as_str()) } else { None });
    let wrong = read.to.iter().map(|a| a.address.as_str()).find(|address| !is_address(address)).or(flawed);
    match wrong {
        Some(wrong) => Err(bad_address(parameter, &format!("'{}' is none", actions::validate::excerpt(wrong)))),
        None if read.to.is_empty() => Err(bad_address(parameter, "there is none in it")),
        None => Ok(read.to),
    }
}

/// 0x80044192
fn bad_address(parameter: &'static str, why: &str) -> ApiError {
    let message = format!("The parameter '{parameter}' takes email addresses, separated by semicolons: {why}.");
    Refusal::new(0x8004_4192, "InvalidEmailAddressFormat", model::Words::foreign(message)).at(parameter).into()
}

/// `<left@right>`. What is no such thing (some programs give a GUID) becomes
/// the left side of one, so that the same id is always the same.
pub(crate) fn message_id(text: &str) -> Result<String, ApiError> {
    let inner = text.trim().trim_start_matches('<').trim_end_matches('>');
    let usable =
        !inner.is_empty() && inner.len() <= 300 && inner.bytes().all(|b| b.is_ascii_graphic() && !b"<>".contains(&b));
    if !usable {
        let message = "The parameter 'MessageId' takes the Message-ID of the message: <left@right>, printable ASCII, at most 300 characters.";
        return Err(ApiError::bad_payload(message));
    }
    let sides = inner.split_once('@').filter(|(left, right)| !left.is_empty() && !right.is_empty());
    Ok(if sides.is_some() { format!("<{inner}>") } else { format!("<{}@message-id.invalid>", inner.replace('@', ".")) })
}

/// On one line.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn list(text: &str, expected: &[(&str, &str)]) {
        let read = addresses("To", text).unwrap();
        let read: Vec<_> = read.iter().map(|a| (a.name.as_str(), a.address.as_str())).collect();
        assert_eq!(read, expected, "{text}");
    }
    #[test]
    fn address_lists() {
        list("", &[]);
        list(" ; ", &[]);
        list("a@b.example", &[("", "a@b.example")]);
        list("a@b.example; c@d.example,e@f.example;", &[("", "a@b.example"), ("", "c@d.example"), ("", "e@f.example")]);
        list("\"Bo; Jr.\" <bo@b.example>", &[("Bo; Jr.", "bo@b.example")]);
        list("Ünal <u@b.example>", &[("Ünal", "u@b.example")]);
    }

    #[track_caller]
    fn refused(text: &str) {
        assert!(addresses("To", text).is_err(), "{text}");
    }
    #[test]
    fn no_addresses() {
        refused("nobody");
        refused("a@b.example\r\nBcc: c@d.example");
        refused("a@b.example; nobody");
    }

    #[track_caller]
    fn id(text: &str, expected: &str) {
        assert_eq!(message_id(text).unwrap(), expected);
    }
    #[test]
    fn message_ids() {
        id("<a@b>", "<a@b>");
        id("a@b", "<a@b>");
        id("0f3c", "<0f3c@message-id.invalid>");
        id("a@", "<a.@message-id.invalid>");
        assert!(message_id("").is_err());
        assert!(message_id("a b@c").is_err());
        assert!(message_id("a\r\nX: y@c").is_err());
    }
}
