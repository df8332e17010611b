//! Messages that a program hands over instead of a server. They take the same
//! road; only whose mailbox they are for has to be found first.

use model::Mail;
use model::facts::{MailFacts, Served};
use model::tables::{IncomingFilter, IncomingMethod};
use model::value::Ref;
use model::work::Position;

use crate::routing;

/// Under which the ledger knows such a message.
pub fn position(mail: &Mail) -> Position {
    Position::Api { key: super::ledger::hex(&mail.fingerprint) }
}

/// The first recipient whose email is processed here: the message counts as
/// received in that mailbox.
pub fn receiver<'a>(mail: &Mail, facts: &'a MailFacts) -> Option<&'a Served> {
    let eligible = |s: &&Served| routing::eligible(s, IncomingMethod::ServerSide, &facts.organization).is_ok();
    routing::served_by(routing::recipients(mail), facts).into_iter().find(eligible)
}

/// Nobody among the recipients: the one in whose mailbox's ledger it is noted
/// does not have the message, and is not asked.
pub fn held_by_nobody(facts: &mut MailFacts) {
    let noted_in = facts.mailbox.id;
    facts.served.retain(|served| served.mailbox.id != noted_in);
}

/// `who` tracks the message by hand, which their filter does not hinder.
/// Whether they have a mailbox at all.
pub fn tracked_by(who: Ref, facts: &mut MailFacts) -> bool {
    let mut found = false;
    for served in facts.served.iter_mut().filter(|served| served.who == who) {
        served.filter = IncomingFilter::All;
        found = true;
    }
    // Between users, too, who tracks by hand wants it tracked.
    facts.organization.ignore_internal &= !found;
    found
}
