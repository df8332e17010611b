//! Is it the same message as one that is there already, and which one does it
//! answer?

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::facts::{MailFacts, StoredEmail};
use model::id::derived;
use model::tables::CorrelationMethod;
use model::{Address, Id, Mail, Timestamp, words};
use sha2::{Digest, Sha256};

use crate::parties::sender_address;
use crate::routing::recipients;
use crate::token;

/// Octets of a Thread-Index that a whole conversation shares (MS-OXOMSG, 2.2.1.3).
const CONVERSATION_BASE: usize = 22;
/// The newest of a long References field; who answers answers something recent.
const MOST_REFERENCES: usize = 50;
/// Longest Message-ID that is stored.
const LONGEST_ID: usize = 320;

/// What makes an incoming message the same as another: the same Message-ID,
/// author and date. Message-IDs alone are neither unique nor always there, so
/// where one of the three is missing the fingerprint stands in.
pub fn duplicate_key(mail: &Mail) -> Id {
    let author = sender_address(mail).map(Address::key);
    let at = mail.date.unwrap_or(Timestamp::UNIX_EPOCH);
    match (&mail.message_id, author, mail.date) {
        (Some(id), Some(author), Some(date)) => {
            let date = date.as_second().to_be_bytes();
            derived(at, &[b"incoming", id_key(id).as_bytes(), author.as_bytes(), &date])
        }
        (Some(id), ..) => derived(at, &[b"incoming", id_key(id).as_bytes(), &mail.fingerprint]),
        (None, ..) => derived(at, &[b"incoming", &mail.fingerprint]),
    }
}

/// The email that this message is another copy of.
pub fn duplicate<'a>(mail: &Mail, facts: &'a MailFacts) -> Option<&'a StoredEmail> {
    let key = duplicate_key(mail);
    let id = own_id(mail);
    let same_content = |e: &StoredEmail| {
        e.fingerprint == Some(mail.fingerprint) && (e.message_id == id || e.message_id.is_empty() || id.is_empty())
    };
    // Of what was not received here but brought in by a person or program, only the id is known.
    let brought_in =
        |e: &StoredEmail| e.fingerprint.is_none() && e.duplicate_key.is_none() && !id.is_empty() && e.message_id == id;
    let is_same = |e: &&StoredEmail| e.duplicate_key == Some(key) || same_content(e) || brought_in(e);
    facts.emails.iter().filter(|e| !e.is_outgoing).find(is_same)
}

/// The email that was received with the same Message-ID from the same author:
/// the same message, where no more is known of it.
pub fn named<'a>(mail: &Mail, facts: &'a MailFacts) -> Option<&'a StoredEmail> {
    let id = own_id(mail);
    let author = sender_address(mail)?.key();
    let is_same =
        |e: &&StoredEmail| !e.is_outgoing && !id.is_empty() && e.message_id == id && e.participants.contains(&author);
    facts.emails.iter().find(is_same)
}

/// The email that this message is the arriving half of: what a user or queue
/// of ours sent to another through this installation.
pub fn sent_from_here<'a>(mail: &Mail, facts: &'a MailFacts) -> Option<&'a StoredEmail> {
    let id = own_id(mail);
    let author = sender_address(mail)?.key();
    facts
        .emails
        .iter()
        .find(|e| e.is_outgoing && !id.is_empty() && e.message_id == id && e.participants.contains(&author))
}

/// Which stored email a message answers.
#[derive(Debug, Clone, Default)]
pub struct Correlation<'a> {
    pub email: Option<&'a StoredEmail>,
    pub method: CorrelationMethod,
    /// The genuine tracking token in the subject, if any.
    pub token: String,
    /// Why something that looked like an answer was not taken for one.
    pub notes: Vec<String>,
}

impl Correlation<'_> {
    /// Whether the stored email is the parent, or merely of the same conversation.
    pub fn is_parent(&self) -> bool {
        matches!(self.method, CorrelationMethod::InReplyTo | CorrelationMethod::ConversationIndex)
    }
}

/// Asks the surest evidence first: what the message says it answers, then
/// what it refers to, then the tracking token, then the conversation index,
/// then whether it is itself something that was sent from here. `own` are the
/// addresses of the mailboxes that hold the message.
pub fn correlate<'a>(mail: &Mail, facts: &'a MailFacts, own: &BTreeSet<String>) -> Correlation<'a> {
    let mut people: BTreeSet<String> = recipients(mail).collect();
    people.extend(mail.from.iter().chain(&mail.sender).map(Address::key));
    let mut search = Search { mail, facts, people, own, found: Correlation::default() };
    let found = search
        .by_headers()
        .map(|e| (e, CorrelationMethod::InReplyTo))
        .or_else(|| search.by_token().map(|e| (e, CorrelationMethod::TrackingToken)))
        .or_else(|| search.by_conversation().map(|e| (e, CorrelationMethod::ConversationIndex)))
        .or_else(|| sent_from_here(mail, facts).map(|e| (e, CorrelationMethod::XHeader)));
    if let Some((email, method)) = found {
        search.found.email = Some(email);
        search.found.method = method;
    }
    search.found
}

struct Search<'m, 'a> {
    mail: &'m Mail,
    facts: &'a MailFacts,
    /// Everybody whom the message names.
    people: BTreeSet<String>,
    own: &'m BTreeSet<String>,
    found: Correlation<'a>,
}

impl<'a> Search<'_, 'a> {
    fn by_headers(&mut self) -> Option<&'a StoredEmail> {
        if !self.facts.organization.correlation {
            return None;
        }
        let mail = self.mail;
        answered(mail).find_map(|id| self.by_id(id))
    }

    fn by_id(&mut self, id: &str) -> Option<&'a StoredEmail> {
        let key = id_key(id);
        let mut all: Vec<&StoredEmail> = self.facts.emails.iter().filter(|e| e.message_id == key).collect();
        // What was sent from here goes before the copy that arrived.
        all.sort_by_key(|e| (!e.is_outgoing, e.created_on, e.id));
        // A signed Message-ID can only be named by who had the email.
        let genuine = self.facts.signing_key.as_ref().is_some_and(|k| token::email_of(id, k).is_some());
        let related = all.iter().find(|e| genuine || self.is_plausible(e)).copied();
        if related.is_none() && !all.is_empty() {
            self.found.notes.push(
                words!("it names {0} as what it answers, but shares no participant with that email", key).to_string(),
            );
        }
        related
    }

    fn by_token(&mut self) -> Option<&'a StoredEmail> {
        if !self.facts.organization.tracking_tokens {
            return None;
        }
        let key = self.facts.signing_key.as_ref()?;
        for text in token::find(&self.mail.subject, &token::prefixes(&self.facts.organization)) {
            if !token::verify(&text, key) {
                self.found.notes.push(words!("the tracking token {0} was not made here", text).to_string());
                continue;
            }
            let mut all: Vec<&StoredEmail> = self.facts.emails.iter().filter(|e| e.token == text).collect();
            all.sort_by_key(|e| (!e.is_outgoing, std::cmp::Reverse((e.created_on, e.id))));
            let related = all.iter().find(|e| self.is_from_the_circle(e)).copied();
            if related.is_some() {
                self.found.token = text;
                return related;
            }
            let why = if all.is_empty() {
                words!("the tracking token {0} belongs to no email that is known", text)
            } else {
                words!("the tracking token {0} belongs to a conversation between others", text)
            };
            self.found.notes.push(why.to_string());
        }
        None
    }

    fn by_conversation(&mut self) -> Option<&'a StoredEmail> {
        let base = self.mail.conversation_index.as_ref()?.get(..CONVERSATION_BASE)?;
        let hash = conversation_hash(self.mail)?;
        if !self.facts.organization.correlation {
            return None;
        }
        // The hash only finds candidates quickly; 32 bits prove nothing.
        let alike = |e: &&StoredEmail| {
            e.conversation_hash == Some(hash)
                && conversation_base(&e.conversation_index).is_some_and(|stored| stored == base)
                && !self.is_itself(e)
        };
        let all: Vec<&StoredEmail> = self.facts.emails.iter().filter(alike).collect();
        let related = all.iter().copied().filter(|e| self.is_from_the_circle(e)).max_by_key(|e| (e.created_on, e.id));
        if related.is_none() && !all.is_empty() {
            self.found
                .notes
                .push(words!("its conversation index belongs to a conversation between others").to_string());
        }
        related
    }

    /// The copy that arrived is no answer to the email as it was sent.
    fn is_itself(&self, email: &StoredEmail) -> bool {
        !email.message_id.is_empty() && email.message_id == own_id(self.mail)
    }

    fn overlaps(&self, email: &StoredEmail) -> bool {
        !self.people.is_disjoint(&email.participants)
    }

    /// The author took part in that email, or the message names somebody who
    /// did and is not one of us: our own addresses are named by whoever writes
    /// to them, a stranger who has seen the conversation as well.
    fn is_from_the_circle(&self, email: &StoredEmail) -> bool {
        let took_part = |key: &String| email.participants.contains(key);
        sender_address(self.mail).is_some_and(|author| took_part(&author.key()))
            || self.people.iter().any(|key| took_part(key) && !self.is_ours(key))
    }

    /// An address of a user or queue here.
    fn is_ours(&self, key: &str) -> bool {
        let mut known = self.facts.known.get(key).into_iter().flatten();
        self.own.contains(key) || known.any(|k| matches!(k.record.table, "systemuser" | "queue"))
    }

    fn is_plausible(&self, email: &StoredEmail) -> bool {
        self.overlaps(email) || !self.own.is_disjoint(&email.participants)
    }
}

/// The Message-IDs that a message may answer, the likeliest first. A report
/// about mail that could not be delivered (RFC 3464) encloses it.
pub fn answered(mail: &Mail) -> impl Iterator<Item = &str> {
    let references = mail.references.iter().rev().take(MOST_REFERENCES);
    let returned = mail.enclosed.iter().filter(|_| mail.automatic).filter_map(|e| e.mail.message_id.as_ref());
    let named = mail.in_reply_to.iter().take(MOST_REFERENCES).chain(references).chain(returned);
    // A message that claims to answer itself answers nothing.
    named.filter(|id| Some(*id) != mail.message_id.as_ref()).map(String::as_str)
}

/// A Message-ID as it is stored and compared.
pub fn id_key(id: &str) -> String {
    id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(LONGEST_ID).collect()
}

/// The message's own, empty where it has none.
pub fn own_id(mail: &Mail) -> String {
    mail.message_id.as_deref().map(id_key).unwrap_or_default()
}

/// Of the part of the conversation index that all its messages share.
pub fn conversation_hash(mail: &Mail) -> Option<i64> {
    let base = mail.conversation_index.as_ref()?.get(..CONVERSATION_BASE)?;
    let digest = Sha256::digest(base);
    Some(i64::from(i32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])))
}

/// The same part of an index as it is stored, in base64: 22 octets are in the
/// first 32 characters.
fn conversation_base(stored: &str) -> Option<[u8; CONVERSATION_BASE]> {
    let start = stored.get(..stored.len().min(32))?;
    STANDARD.decode(start).ok()?.get(..CONVERSATION_BASE)?.try_into().ok()
}

#[cfg(test)]
mod tests;
