//! Messages that a program hands over instead of a server. They take the same
//! road; only whose mailbox they are for has to be found first.

use model::facts::{MailFacts, Served};
use model::tables::{Disposition, Email, IncomingFilter, IncomingMethod, LedgerEntry};
use model::value::Ref;
use model::verdict::Verdict;
use model::work::Position;
use model::{Entity, Mail, Update};

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

/// `who` tracks the message by hand, which neither their filter hinders nor
/// what became of it by itself. The ledger's rows of it that are set aside for
/// that; `None` where they have no mailbox at all.
pub fn tracked_by(who: Ref, facts: &mut MailFacts) -> Option<Vec<LedgerEntry>> {
    let mut found = false;
    for served in facts.served.iter_mut().filter(|served| served.who == who) {
        served.filter = IncomingFilter::All;
        found = true;
    }
    // Between users, too, who tracks by hand wants it tracked.
    facts.organization.ignore_internal &= !found;
    let handed = Position::Api { key: String::new() };
    let (aside, standing) = std::mem::take(&mut facts.ledger)
        .into_iter()
        .partition(|row| row.folder != handed.folder() && row.activity.is_none() && may_be_tracked(row.disposition));
    facts.ledger = standing;
    found.then_some(aside)
}

/// Nothing came of it, and somebody may want it all the same.
fn may_be_tracked(disposition: Disposition) -> bool {
    use Disposition as D;
    matches!(disposition, D::Filtered | D::NoRecipientMatch | D::InternalEmail | D::Unclaimed | D::Failed | D::TooOld)
}

/// The rows that were set aside say what became of the message after all.
pub fn settle_aside(aside: &[LedgerEntry], mail: &Mail, verdict: &mut Verdict) {
    let (Disposition::Tracked, Some(email)) = (verdict.disposition, verdict.email) else { return };
    let fingerprint = super::ledger::hex(&mail.fingerprint);
    for row in aside.iter().filter(|row| row.fingerprint == fingerprint) {
        let why = format!("Tracked by hand. By itself: {}", row.reason);
        let update = Update::of::<LedgerEntry>(row.id)
            .expect(LedgerEntry::C.disposition, row.disposition)
            .set(LedgerEntry::C.disposition, Disposition::Tracked)
            .set(LedgerEntry::C.activity, Some(Ref::new(Email::TABLE.logical, email)))
            .set(LedgerEntry::C.reason, super::cut(&why, 4000));
        verdict.changes.push(update.into());
    }
}
