//! The email that another one answers, as far as threading needs it.

use model::Id;
use model::tables::Email;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    pub id: Id,
    /// With angle brackets; empty where it has none.
    pub message_id: String,
    /// Its References, oldest first; its In-Reply-To where it has none
    /// (RFC 5322, section 3.6.4).
    pub references: Vec<String>,
    pub conversation: Option<Id>,
}

/// The oldest Message-ID and so many of the newest: a References field that
/// grows without end is cut by servers, and not always in a good place.
const NEWEST: usize = 40;

impl Parent {
    pub fn of(email: &Email) -> Self {
        let mut references = message_ids(&email.references);
        for field in ["references", "in-reply-to"] {
            if references.is_empty() {
                references = message_ids(&header(&email.headers, field));
            }
        }
        if references.is_empty() {
            references = message_ids(&email.in_reply_to);
        }
        Self { id: email.id, message_id: email.message_id.clone(), references, conversation: email.conversation }
    }

    /// The References of an answer.
    pub fn chain(&self) -> Vec<String> {
        let mut chain: Vec<String> = Vec::new();
        for id in self.references.iter().chain(std::iter::once(&self.message_id)) {
            if !id.is_empty() && !chain.contains(id) {
                chain.push(id.clone());
            }
        }
        if chain.len() > NEWEST + 1 {
            chain.drain(1..chain.len() - NEWEST);
        }
        chain
    }
}

/// What stands in angle brackets.
pub(super) fn message_ids(text: &str) -> Vec<String> {
    text.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(inner, _)| inner.split_whitespace().collect::<String>())
        .filter(|inner| !inner.is_empty())
        .map(|inner| format!("<{inner}>"))
        .collect()
}

/// The first field of this name (lower case), unfolded.
fn header(headers: &str, name: &str) -> String {
    let mut value = String::new();
    let mut inside = false;
    for line in headers.lines() {
        if line.starts_with([' ', '\t']) {
            if inside {
                value.push_str(line);
            }
            continue;
        }
        if inside {
            break;
        }
        if let Some((field, rest)) = line.split_once(':')
            && field.trim_end().eq_ignore_ascii_case(name)
        {
            inside = true;
            rest.clone_into(&mut value);
        }
    }
    value
}
