//! Mail that comes through a forward mailbox: what the originals are, whose
//! they are, and what each of them makes of it.

use model::facts::{MailFacts, Served};
use model::mail::{Mail, Place, address_key, is_address};
use model::tables::{Disposition, IncomingMethod};
use model::value::Ref;
use model::verdict::{ReasonCode, Verdict};
use model::{Address, Change, Timestamp, words};

use crate::alert::{self, Alert};
use crate::incoming::{self, Arrival, Delivered, Road, Seen, deliver};
use crate::routing::{self, Candidate};

/// An original message, and how it came.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    pub mail: &'a Mail,
    /// It was enclosed, there; `None`: it was redirected as it is.
    pub place: Option<&'a Place>,
}

/// What a message in a forward mailbox brings. A rule that forwards as an
/// attachment encloses the original (or several); a rule that redirects sends
/// it as it is, and then what it encloses is its own affair.
pub fn unwrap<'a>(mail: &'a Mail, facts: &MailFacts) -> Vec<Original<'a>> {
    let redirected = Original { mail, place: None };
    if mail.enclosed.is_empty() {
        return if was_redirected(mail, facts) { vec![redirected] } else { Vec::new() };
    }
    if is_between_people(mail, facts) {
        return vec![redirected];
    }
    mail.enclosed.iter().map(|e| Original { mail: &e.mail, place: Some(&e.place) }).collect()
}

/// Somebody wrote it to somebody who is served here, and it was then
/// redirected: it is addressed to them, or was delivered to them while its
/// fields do not name the forward mailbox. A rule's own message is from the
/// one who is served to the forward mailbox.
fn is_between_people(mail: &Mail, facts: &MailFacts) -> bool {
    let authors: Vec<String> = mail.from.iter().chain(&mail.sender).map(Address::key).collect();
    let forward = address_key(&facts.mailbox.address);
    let written: Vec<String> = mail.to.iter().chain(&mail.cc).chain(&mail.bcc).map(Address::key).collect();
    let noted = if written.contains(&forward) { Vec::new() } else { noted(mail) };
    others_served(written.into_iter().chain(noted), facts)
        .iter()
        .any(|s| !authors.contains(&address_key(&s.mailbox.address)))
}

fn was_redirected(mail: &Mail, facts: &MailFacts) -> bool {
    let passed_on = forwarders(mail).into_iter().map(|a| address_key(&a));
    !others_served(routing::recipients(mail).chain(passed_on), facts).is_empty()
}

/// Whose addresses these are, the forward mailbox itself aside.
fn others_served(addresses: impl IntoIterator<Item = String>, facts: &MailFacts) -> Vec<&Served> {
    let mut all = routing::served_by(addresses, facts);
    all.retain(|s| s.mailbox.id != facts.mailbox.id && !s.mailbox.is_forward);
    all
}

fn noted(mail: &Mail) -> Vec<String> {
    mail.delivered_to.iter().map(|a| address_key(a)).collect()
}

/// Addresses of those who passed a message on by a rule of theirs: Resent-From
/// and Resent-Sender (RFC 5322, section 3.6.6), X-Forwarded-For and
/// X-Forwarded-To (Gmail and others).
pub fn forwarders(mail: &Mail) -> Vec<String> {
    const FIELDS: [&str; 4] = ["resent-from", "resent-sender", "x-forwarded-for", "x-forwarded-to"];
    let mut found = Vec::new();
    let mut wanted = false;
    for line in mail.headers.lines() {
        let value = if line.starts_with([' ', '\t']) {
            line
        } else {
            let Some((name, value)) = line.split_once(':') else { continue };
            wanted = FIELDS.iter().any(|f| f.eq_ignore_ascii_case(name.trim()));
            value
        };
        if wanted {
            let words = value.split(|c: char| c.is_whitespace() || "<>,;\"()".contains(c));
            found.extend(words.filter(|w| is_address(w)).map(str::to_owned));
        }
    }
    found
}

/// Whose an original is.
struct Claims<'a> {
    candidates: Vec<Candidate<'a>>,
    /// Why others whom it names are not served this way.
    notes: Vec<String>,
}

/// The inner message's recipients, in all the places where servers note them;
/// and who passed it on: for mail by Bcc or from a list nothing else tells.
fn claims<'a>(original: &Original<'_>, outer: &Mail, facts: &'a MailFacts) -> Claims<'a> {
    let mut claims = Claims { candidates: Vec::new(), notes: Vec::new() };
    let named = others_served(routing::addressees(original.mail), facts);
    let mut passed_on: Vec<String> = noted(original.mail);
    passed_on.extend(forwarders(original.mail).iter().map(|a| address_key(a)));
    if original.place.is_some() {
        passed_on.extend(outer.from.iter().chain(&outer.sender).map(Address::key));
        passed_on.extend(forwarders(outer).iter().map(|a| address_key(a)));
        // Some rules copy the trace fields of what they enclose.
        passed_on.extend(noted(outer));
    }
    let by_hand = others_served(passed_on, facts);
    let all = named.into_iter().map(|s| (s, true)).chain(by_hand.into_iter().map(|s| (s, false)));
    for (served, named) in all {
        if claims.candidates.iter().any(|c| c.served.mailbox.id == served.mailbox.id) {
            continue;
        }
        match routing::eligible(served, IncomingMethod::ForwardMailbox, &facts.organization) {
            Ok(()) => claims.candidates.push(Candidate { served, named }),
            Err(note) if !claims.notes.contains(&note) => claims.notes.push(note),
            Err(_) => {}
        }
    }
    claims
}

/// The verdict for a message in a forward mailbox.
pub(crate) fn decide(arrival: &Arrival, seen: &Seen<'_>, facts: &MailFacts, now: Timestamp) -> Verdict {
    let originals = unwrap(&arrival.mail, facts);
    if originals.is_empty() {
        let cause = words!("it encloses no message, and nothing shows for whom it was redirected here");
        return unclaimed(seen, Vec::new(), &[cause.to_string()], "nothing enclosed", facts, now);
    }
    let mut all = Handled::default();
    // Two copies of one message may come in one envelope.
    let mut learned: Option<MailFacts> = None;
    for (number, original) in (1..).zip(&originals) {
        let changes = all.handle(original, number, seen, learned.as_ref().unwrap_or(facts), now);
        if originals.len() > 1 {
            incoming::learn_changes(learned.get_or_insert_with(|| facts.clone()), &changes);
        }
        all.changes.extend(changes);
    }
    if !all.unclaimed.is_empty() {
        let cause = if all.has_notes { "not served this way" } else { "nobody served" };
        let mut verdict = unclaimed(seen, all.changes, &all.unclaimed, cause, facts, now);
        if !all.claimed.is_empty() {
            verdict.why = format!("{} {}.", verdict.why, all.claimed.join("; "));
        }
        return verdict;
    }
    let why = all.claimed.join("; ");
    let mut verdict =
        seen.verdict(facts, Disposition::Forwarded, all.code.unwrap_or(ReasonCode::Unknown), why, all.email, now);
    verdict.changes.splice(0..0, all.changes);
    verdict
}

/// What came of the originals in one message.
#[derive(Default)]
struct Handled {
    changes: Vec<Change>,
    claimed: Vec<String>,
    unclaimed: Vec<String>,
    has_notes: bool,
    code: Option<ReasonCode>,
    email: Option<model::Id>,
}

impl Handled {
    fn handle(
        &mut self,
        original: &Original<'_>,
        number: usize,
        seen: &Seen<'_>,
        facts: &MailFacts,
        now: Timestamp,
    ) -> Vec<Change> {
        if let Some(served) = facts.served.iter().find(|s| incoming::is_test(original.mail, &s.mailbox)) {
            return self.test_of(served, original, number, seen, facts, now);
        }
        let Claims { candidates, notes } = claims(original, &seen.arrival.mail, facts);
        if candidates.is_empty() {
            self.has_notes |= !notes.is_empty();
            self.unclaimed.push(nobody(original, &notes));
            return Vec::new();
        }
        let road = Road {
            mail: original.mail,
            received: seen.arrival.received,
            blob: seen.arrival.blob,
            place: original.place.map(ToString::to_string).unwrap_or_default(),
            handed: false,
            owner: candidates.first().map(|c| c.served.owner),
            candidates,
            notes,
            receiving: Ref::new("mailbox", facts.mailbox.id),
        };
        let delivered = deliver(&road, facts, now);
        let mut outcomes = Vec::new();
        let mut rows = Vec::new();
        for answer in &delivered.answers {
            let (disposition, why, email) = own_outcome(answer, &delivered);
            outcomes.push(format!("{} ({})", routing::label(answer.served), disposition.label().to_lowercase()));
            let row = incoming::ServedRow {
                mailbox: Ref::new("mailbox", answer.served.mailbox.id),
                forward_address: &facts.mailbox.address,
                number,
                mail: original.mail,
                disposition,
                why,
                email,
            };
            rows.extend(seen.served_row(&row, now));
        }
        let notes = if road.notes.is_empty() {
            String::new()
        } else {
            format!("; {}", words!("not for all: {0}", road.notes.join("; ")))
        };
        let handled = words!("'{0}' was handled for {1}", short(&original.mail.subject), outcomes.join(", "));
        self.claimed.push(format!("{handled}{notes}"));
        self.code = self.code.or(Some(delivered.code));
        self.email = self.email.or(delivered.email);
        let mut changes = delivered.changes;
        changes.extend(rows);
        changes
    }

    /// The message that a served mailbox's own test sent to itself: the rule
    /// that forwards everything forwarded it too.
    fn test_of(
        &mut self,
        served: &Served,
        original: &Original<'_>,
        number: usize,
        seen: &Seen<'_>,
        facts: &MailFacts,
        now: Timestamp,
    ) -> Vec<Change> {
        let row = incoming::ServedRow {
            mailbox: Ref::new("mailbox", served.mailbox.id),
            forward_address: &facts.mailbox.address,
            number,
            mail: original.mail,
            disposition: Disposition::TestMessage,
            why: &words!("A configuration test sent it from this mailbox to itself").to_string(),
            email: None,
        };
        self.claimed.push(words!("a configuration test of {0} sent it", routing::label(served)).to_string());
        seen.served_row(&row, now)
    }
}

/// What the message became for one of those whom it was for.
fn own_outcome<'d>(
    answer: &'d routing::Answer<'_>,
    all: &'d Delivered<'_>,
) -> (Disposition, &'d str, Option<model::Id>) {
    match all.disposition {
        Disposition::Tracked if !answer.accepts => {
            let disposition = if answer.code == ReasonCode::InternalEmailReject {
                Disposition::InternalEmail
            } else {
                Disposition::Filtered
            };
            (disposition, &answer.why, None)
        }
        other => (other, &all.why, all.email),
    }
}

fn nobody(original: &Original<'_>, notes: &[String]) -> String {
    if !notes.is_empty() {
        return words!("'{0}' cannot be handled: {1}", short(&original.mail.subject), notes.join("; ")).to_string();
    }
    let named: Vec<String> = routing::recipients(original.mail).take(5).collect();
    let named = if named.is_empty() { words!("nobody at all").to_string() } else { named.join(", ") };
    words!("'{0}' names {1}, and none of them is a user or queue here", short(&original.mail.subject), named)
        .to_string()
}

fn unclaimed(
    seen: &Seen<'_>,
    records: Vec<Change>,
    reasons: &[String],
    cause: &str,
    facts: &MailFacts,
    now: Timestamp,
) -> Verdict {
    let why = if facts.mailbox.delete_after {
        words!(
            "Nobody's mail: {0}. It is kept in the mailbox, although this mailbox deletes what it has processed",
            reasons.join("; ")
        )
    } else {
        words!("Nobody's mail: {0}. It is kept in the mailbox", reasons.join("; "))
    };
    let why = why.to_string();
    let mut verdict = seen.verdict(facts, Disposition::Unclaimed, ReasonCode::NoRecipientMatch, why, None, now);
    verdict.changes.splice(0..0, records);
    let text = words!(
        "Forward mailbox {0} holds mail that is nobody's; the first of it: {1}. It is kept. Add the address to a user or \
         queue, or set Incoming Email of the mailbox that it is for to 'Forward Mailbox' and approve its address; then \
         process the message again from the ledger.",
        facts.mailbox.address,
        reasons.join("; ")
    );
    let alert = Alert::error(format!("unclaimed-mail: {cause}"), text);
    verdict.changes.extend(alert::on_mailbox(alert, &facts.mailbox, &facts.organization, now));
    verdict
}

fn short(subject: &str) -> String {
    let text = incoming::line(subject, 80);
    if text.is_empty() { words!("(no subject)").to_string() } else { text }
}

#[cfg(test)]
mod tests;
