//! Who a message is for, and who of them accepts it.

use model::facts::{MailFacts, Served, StoredEmail};
use model::mail::address_key;
use model::tables::{Approval, IncomingFilter, IncomingMethod, Organization, State};
use model::value::Ref;
use model::verdict::ReasonCode;
use model::{Address, Mail, Words, words};

use crate::parties::Sender;

/// Somebody whom a message may be for.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    pub served: &'a Served,
    /// An address of theirs stands in To, Cc or Bcc. Who merely holds a copy
    /// (by a Bcc that was taken out, lists, aliases that we do not know) is asked as well, but
    /// the sender's being known is then no reason to accept.
    pub named: bool,
}

/// What one candidate says to a message.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    pub served: &'a Served,
    pub named: bool,
    pub accepts: bool,
    pub code: ReasonCode,
    /// A sentence without its full stop.
    pub why: String,
}

/// Users and queues by whose address a message is delivered: To, Cc, Bcc and
/// what servers noted, in this order.
pub fn recipients(mail: &Mail) -> impl Iterator<Item = String> + '_ {
    addressees(mail).chain(mail.delivered_to.iter().map(|a| address_key(a)).filter(|key| !key.is_empty()))
}

/// Whom the author named: To, Cc, Bcc. That a server noted to whom it
/// delivered (every one may) makes nobody a recipient of this kind.
pub fn addressees(mail: &Mail) -> impl Iterator<Item = String> + '_ {
    mail.to.iter().chain(&mail.cc).chain(&mail.bcc).map(Address::key).filter(|key| !key.is_empty())
}

/// Whose addresses these are, each once, in the addresses' order.
pub fn served_by(addresses: impl IntoIterator<Item = String>, facts: &MailFacts) -> Vec<&Served> {
    let mut found: Vec<&Served> = Vec::new();
    for key in addresses {
        for served in facts.served.iter().filter(|s| has_address(s, &key, facts)) {
            if !found.iter().any(|f| f.mailbox.id == served.mailbox.id) {
                found.push(served);
            }
        }
    }
    found
}

/// The mailbox's address, or another address of its user or queue.
fn has_address(served: &Served, key: &str, facts: &MailFacts) -> bool {
    address_key(&served.mailbox.address) == key
        || facts.known.get(key).is_some_and(|all| all.iter().any(|k| k.record == served.who))
}

/// Whether mail for them may be handled when it comes this way; else why not.
pub fn eligible(served: &Served, method: IncomingMethod, organization: &Organization) -> Result<(), String> {
    let who = label(served);
    let approval_needed = if served.who.table == "queue" {
        organization.require_queue_approval
    } else {
        organization.require_user_approval
    };
    if served.mailbox.incoming != method {
        Err(words!("{0} has Incoming Email set to '{1}'", who, Words::label(served.mailbox.incoming.label()))
            .to_string())
    } else if served.mailbox.state != State::Active {
        Err(words!("the mailbox of {0} is not active", who).to_string())
    } else if !served.active {
        Err(words!("the {0} behind {1} is not active", kind(served), who).to_string())
    } else if approval_needed && served.mailbox.approval != Approval::Approved {
        Err(words!("the address {0} is not approved", who).to_string())
    } else {
        Ok(())
    }
}

/// Candidates for a message that was read from a user's or queue's own
/// mailbox, and why others among the recipients are none. The mailbox's own
/// user or queue is always asked: it has the message.
pub fn candidates<'a>(mail: &Mail, facts: &'a MailFacts) -> (Vec<Candidate<'a>>, Vec<String>) {
    let mut asked = Vec::new();
    let mut notes = Vec::new();
    let named: Vec<_> = served_by(addressees(mail), facts).iter().map(|s| s.mailbox.id).collect();
    for served in served_by(recipients(mail), facts) {
        let polled = served.mailbox.id == facts.mailbox.id;
        match eligible(served, IncomingMethod::ServerSide, &facts.organization) {
            Err(note) if !polled => notes.push(note),
            _ => asked.push(Candidate { served, named: named.contains(&served.mailbox.id) }),
        }
    }
    if !asked.iter().any(|c| c.served.mailbox.id == facts.mailbox.id) {
        let own = facts.served.iter().find(|s| s.mailbox.id == facts.mailbox.id);
        asked.extend(own.map(|served| Candidate { served, named: false }));
    }
    (asked, notes)
}

/// The filter's answer.
pub fn answer<'a>(
    candidate: &Candidate<'a>,
    sender: &Sender<'_>,
    correlated: bool,
    organization: &Organization,
) -> Answer<'a> {
    let Candidate { served, named } = *candidate;
    let (accepts, code, why) = ask(candidate, sender, correlated, organization);
    Answer { served, named, accepts, code, why: why.to_string() }
}

fn ask(
    candidate: &Candidate<'_>,
    sender: &Sender<'_>,
    correlated: bool,
    organization: &Organization,
) -> (bool, ReasonCode, Words) {
    use IncomingFilter as F;
    let Candidate { served, named } = *candidate;
    let who = label(served);
    if organization.ignore_internal && sender.is_internal() && served.who.table != "queue" {
        let why = words!(
            "{0} takes no email from other users or queues: the organization ignores email sent between them",
            who
        );
        return (false, ReasonCode::InternalEmailReject, why);
    }
    let no = |why| (false, ReasonCode::NoCorrelationMatch, why);
    match served.filter {
        F::All => (true, ReasonCode::AcceptAll, words!("{0} tracks all email", who)),
        F::None => no(words!("{0} tracks no email automatically", who)),
        F::Responses if !organization.correlation => {
            no(words!("{0} tracks only replies to CRM email, and the organization has correlation switched off", who))
        }
        F::Responses if correlated => {
            (true, ReasonCode::CorrelationMatch, words!("{0} tracks replies to CRM email, and this is one", who))
        }
        F::Responses => {
            no(words!("{0} tracks only replies to CRM email; this message answers none that is known", who))
        }
        F::LeadsContactsAccounts if named && sender.is_customer() => (
            true,
            ReasonCode::SenderMatch,
            words!("{0} tracks email from leads, contacts and accounts, and the sender is one", who),
        ),
        F::EmailEnabled if named && sender.is_known() => {
            (true, ReasonCode::SenderMatch, words!("{0} tracks email from known records, and the sender is one", who))
        }
        F::LeadsContactsAccounts | F::EmailEnabled if correlated => {
            (true, ReasonCode::CorrelationMatch, words!("{0} tracks replies to CRM email too, and this is one", who))
        }
        F::LeadsContactsAccounts | F::EmailEnabled if !named => no(words!(
            "{0} is not among the recipients, and who is not accepts only with 'All email messages' or a reply to CRM email",
            who
        )),
        F::LeadsContactsAccounts => {
            no(words!("{0} tracks only email from leads, contacts and accounts; the sender is none", who))
        }
        F::EmailEnabled => {
            no(words!("{0} tracks only email from records with an e-mail address; the sender is none", who))
        }
    }
}

/// Who owns the email: in the first of To, Cc, Bcc that names somebody with a
/// mailbox, the owner of the email that it answers, else the owner of the
/// sender's record, else the first; where no field does, who accepted it.
pub fn owner(
    mail: &Mail,
    facts: &MailFacts,
    correlated: Option<&StoredEmail>,
    sender: &Sender<'_>,
    acceptor: Option<&Served>,
) -> Option<Ref> {
    let hidden: Vec<String> =
        mail.bcc.iter().map(Address::key).chain(mail.delivered_to.iter().map(|a| address_key(a))).collect();
    let lists = [mail.to.iter().map(Address::key).collect(), mail.cc.iter().map(Address::key).collect(), hidden];
    let owners: Vec<Ref> = lists
        .into_iter()
        .map(|list: Vec<String>| served_by(list, facts).into_iter().filter(|s| s.active).map(|s| s.owner).collect())
        .find(|owners: &Vec<Ref>| !owners.is_empty())
        .unwrap_or_default();
    let wished = [correlated.and_then(|e| e.owner), sender.customer_owner()];
    let wish = wished.into_iter().flatten().find(|w| owners.contains(w));
    wish.or_else(|| owners.first().copied())
        .or_else(|| acceptor.map(|s| s.owner))
        .or(facts.mailbox.owner)
        .or(facts.organization.system_user)
}

/// How people know a user or queue.
pub fn label(served: &Served) -> &str {
    if served.mailbox.address.is_empty() { &served.mailbox.name } else { &served.mailbox.address }
}

pub fn kind(served: &Served) -> Words {
    if served.who.table == "queue" { words!("queue") } else { words!("user") }
}

#[cfg(test)]
mod tests;
