//! Around an attempt: before the first byte, after the server's answer, and
//! when nobody knows.

use jiff::Timestamp;
use model::tables::{Delivery, DeliveryState, Email, EmailStatus};
use model::{Change, Entity, Failure, FailureKind, Step, Update, words};

use super::ready::TURN_UP;
use super::{SendFacts, clipped, delivery_id};
use crate::alert::{self, Alert};
use crate::retry::{self, Next};

/// Before the first byte goes out: the email is Sending, the attempt is
/// counted, every recipient has a row. Refused at commit when somebody else
/// was faster.
pub fn begin(email: &Email, recipients: &[String], now: Timestamp) -> Vec<Change> {
    let update = Update::between(email, &begun(email, now))
        .map(|update| Change::from(update.expect(Email::C.status, EmailStatus::PendingSend)));
    let rows = recipients.iter().map(|address| Change::Ensure(row(email, address).into_record()));
    update.into_iter().chain(rows).collect()
}

/// The email as [`begin`] leaves it: what [`after`] goes on from.
#[must_use]
pub fn begun(email: &Email, now: Timestamp) -> Email {
    Email {
        status: EmailStatus::Sending,
        state: EmailStatus::Sending.state(),
        delivery_attempts: email.delivery_attempts.saturating_add(1),
        postponed_until: None,
        failure_reason: words!("Sending since {0}.", now).to_string(),
        ..email.clone()
    }
}

/// After the attempt. `facts.email` is the email as [`begun`] has it;
/// `facts.deliveries` may be as old as the attempt. `results` is what became of each recipient for good: `Ok`
/// only where the server has answered the final dot. `failure` ended the
/// conversation, or the transaction, before that.
pub fn after(
    facts: &SendFacts<'_>,
    results: &[(String, Result<String, Failure>)],
    failure: Option<&Failure>,
    now: Timestamp,
) -> Vec<Change> {
    let mut rows = rows(facts);
    let mut put_off = None;
    for row in rows.iter_mut().filter(|row| row.state == DeliveryState::Waiting) {
        let key = model::mail::address_key(&row.address);
        let result = results.iter().find(|(address, _)| model::mail::address_key(address) == key);
        match result.map(|(_, result)| result) {
            Some(Ok(reply)) => set(row, DeliveryState::Accepted, reply),
            Some(Err(one)) if one.kind == FailureKind::Uncertain => set(row, DeliveryState::Uncertain, &one.detail),
            Some(Err(one)) if one.kind == FailureKind::Refused && retry::concerns_message(one) => {
                set(row, DeliveryState::Refused, &one.detail);
            }
            Some(Err(one)) => {
                set(row, DeliveryState::Waiting, &one.detail);
                put_off.get_or_insert(one);
            }
            None => match failure {
                Some(all) if all.kind == FailureKind::Uncertain => set(row, DeliveryState::Uncertain, &all.detail),
                // The transaction as a whole was refused: the message is, by everybody.
                Some(all) if all.kind == FailureKind::Refused && retry::concerns_message(all) => {
                    set(row, DeliveryState::Refused, &all.detail);
                }
                Some(all) => set(row, DeliveryState::Waiting, &all.detail),
                None => {}
            },
        }
    }
    settle(facts, rows, failure.filter(|all| all.kind != FailureKind::Uncertain).or(put_off), now)
}

/// What looking for an uncertain message on the server has shown: it is there,
/// it is not, or (`None`) there is nowhere to look.
pub fn looked_up(facts: &SendFacts<'_>, found: Option<bool>, now: Timestamp) -> Vec<Change> {
    if facts.email.status != EmailStatus::Sending {
        return Vec::new();
    }
    let Some(found) = found else { return undecided(facts, now) };
    resolve(facts, found, now)
}

/// An email that was left in Sending when the service ended or lost its
/// lease: nobody knows how far it came. To be looked up next.
pub fn recover(facts: &SendFacts<'_>, now: Timestamp) -> Vec<Change> {
    if facts.email.status != EmailStatus::Sending || super::waits_for_person(facts.email) {
        return Vec::new();
    }
    let lost = words!("the service was interrupted while it sent the message").to_string();
    let lost = Failure::new(FailureKind::Uncertain, Step::Send, lost);
    after(facts, &[], Some(&lost), now)
}

fn resolve(facts: &SendFacts<'_>, found: bool, now: Timestamp) -> Vec<Change> {
    let mut rows = uncertain_rows(facts);
    for row in rows.iter_mut().filter(|row| row.state == DeliveryState::Uncertain) {
        if found {
            set(row, DeliveryState::Accepted, &words!("found on the server after the connection was lost").to_string());
        } else {
            set(
                row,
                DeliveryState::Waiting,
                &words!("not found on the server after the connection was lost").to_string(),
            );
        }
    }
    let lost = Failure::temporary(
        Step::FindAgain,
        words!("the connection was lost, and the message is not on the server").to_string(),
    );
    settle(facts, rows, Some(&lost), now)
}

/// The rows of an email that was found in Sending. Those that wait were on
/// their way when it broke off, unless others are known to be the uncertain ones.
fn uncertain_rows(facts: &SendFacts<'_>) -> Vec<Delivery> {
    let mut rows = rows(facts);
    if rows.iter().all(|row| row.state != DeliveryState::Uncertain) {
        for row in rows.iter_mut().filter(|row| row.state == DeliveryState::Waiting) {
            set(
                row,
                DeliveryState::Uncertain,
                &words!("the connection was lost while the message was handed over").to_string(),
            );
        }
    }
    rows
}

fn undecided(facts: &SendFacts<'_>, now: Timestamp) -> Vec<Change> {
    let email = facts.email;
    let reason = words!("Uncertain, a person has to decide: the connection was lost while the message was handed over, and there is no mailbox where it could \
         be looked for. Ask a recipient; then send the email again, or mark it as sent.").to_string();
    if email.failure_reason == reason {
        return Vec::new();
    }
    let mut changes = rows_written(facts, &uncertain_rows(facts));
    changes.push(
        Update::of::<Email>(email.id)
            .set(Email::C.failure_reason, reason.clone())
            .set(Email::C.postponed_until, None)
            .expect(Email::C.status, EmailStatus::Sending)
            .into(),
    );
    let alert = Alert::error("outgoing-uncertain", words!("The email '{0}': {1}", email.subject, reason));
    changes.extend(alert::on_email(alert, email, facts.organization, now));
    changes
}

/// The email's status as it follows from its recipients. `failure`: why those
/// who still wait do so.
pub(super) fn settle(
    facts: &SendFacts<'_>,
    mut rows: Vec<Delivery>,
    failure: Option<&Failure>,
    now: Timestamp,
) -> Vec<Change> {
    let email = facts.email;
    let mut after = email.clone();
    let count = |rows: &[Delivery], state| rows.iter().filter(|row| row.state == state).count();
    if count(&rows, DeliveryState::Uncertain) > 0 {
        set_status(&mut after, EmailStatus::Sending);
        after.failure_reason =
            words!("Uncertain: the connection was lost while the message was handed over; the server is asked before it is tried again.").to_string();
        after.postponed_until = now.checked_add(TURN_UP).ok();
        return written(facts, &rows, &after, None, now);
    }
    if count(&rows, DeliveryState::Waiting) > 0 {
        let unknown =
            Failure::temporary(Step::Send, words!("the server gave no answer for this recipient").to_string());
        let failure = failure.unwrap_or(&unknown);
        match retry::after(failure, email.delivery_attempts, now) {
            Next::Again { at, counted } => {
                // Who has looked for it has waited already.
                let at = if failure.during == Step::FindAgain { now } else { at };
                set_status(&mut after, EmailStatus::PendingSend);
                after.postponed_until = Some(at);
                after.failure_reason =
                    clipped(&words!("Tried again at {0}: {1}", at, failure.detail).to_string(), 2000);
                if !counted {
                    after.delivery_attempts = (after.delivery_attempts - 1).max(0);
                }
                return written(facts, &rows, &after, None, now);
            }
            Next::GiveUp { why } => give_up(&mut rows, &why),
            Next::LookFirst => {
                // Only what is uncertain is looked up, and nothing here is.
                give_up(&mut rows, &failure.detail);
            }
        }
    }
    let (after, alert) = finished(after, &rows, now);
    let alert = match failure {
        Some(failure) => alert.map(|alert| alert.of(failure)),
        None => alert,
    };
    written(facts, &rows, &after, alert, now)
}

/// Nobody waits any more: Sent where anybody has it, Failed where nobody has.
fn finished(mut email: Email, rows: &[Delivery], now: Timestamp) -> (Email, Option<Alert>) {
    let refused = words_of_refused(rows);
    email.postponed_until = None;
    email.failure_reason = String::new();
    if !rows.iter().any(|row| row.state == DeliveryState::Accepted) {
        set_status(&mut email, EmailStatus::Failed);
        let why = if refused.is_empty() { words!("there is nobody to send it to").to_string() } else { refused };
        email.failure_reason = clipped(&words!("Not sent: {0}", why).to_string(), 2000);
        let text = words!("The email '{0}' was not sent: {1}. Correct it and send it again.", email.subject, why);
        return (email, Some(Alert::error("outgoing-refused", text)));
    }
    set_status(&mut email, EmailStatus::Sent);
    email.sent_on = email.sent_on.or(Some(now));
    email.actual_end = Some(now);
    email.sort_date = Some(now);
    if refused.is_empty() {
        return (email, None);
    }
    email.failure_reason = clipped(&words!("Sent, but not to everybody: {0}", refused).to_string(), 2000);
    let text = words!("The email '{0}' was sent, but not to everybody: {1}", email.subject, refused);
    (email, Some(Alert::warning("outgoing-partly-refused", text)))
}

fn written(
    facts: &SendFacts<'_>,
    rows: &[Delivery],
    after: &Email,
    alert: Option<Alert>,
    now: Timestamp,
) -> Vec<Change> {
    let email = facts.email;
    let mut changes = rows_written(facts, rows);
    changes
        .extend(Update::between(email, after).map(|update| Change::from(update.expect(Email::C.status, email.status))));
    changes.extend(alert.and_then(|alert| alert::on_email(alert, email, facts.organization, now)));
    changes
}

/// The rows that differ from what is stored; those that are not stored yet are made.
fn rows_written(facts: &SendFacts<'_>, rows: &[Delivery]) -> Vec<Change> {
    let mut changes = Vec::new();
    for row in rows {
        match facts.delivery(&row.address) {
            Some(stored) => changes.extend(Update::between(stored, row).map(Change::from)),
            // `begin` may have made it since the facts were loaded.
            None => {
                changes.push(Change::Ensure(self::row(facts.email, &row.address).into_record()));
                changes.push(
                    Update::of::<Delivery>(row.id)
                        .set(Delivery::C.state, row.state)
                        .set(Delivery::C.reply, row.reply.clone())
                        .into(),
                );
            }
        }
    }
    changes
}

/// One row per envelope recipient: the stored one, or a new one.
fn rows(facts: &SendFacts<'_>) -> Vec<Delivery> {
    facts
        .envelope()
        .iter()
        .map(|address| facts.delivery(address).cloned().unwrap_or_else(|| row(facts.email, address)))
        .collect()
}

fn row(email: &Email, address: &str) -> Delivery {
    Delivery {
        email: Some(email.reference()),
        address: address.to_owned(),
        ..Delivery::blank(delivery_id(email.id, address))
    }
}

fn set(row: &mut Delivery, state: DeliveryState, reply: &str) {
    row.state = state;
    row.reply = clipped(reply, 2000);
}

fn set_status(email: &mut Email, status: EmailStatus) {
    email.status = status;
    email.state = status.state();
}

fn give_up(rows: &mut [Delivery], why: &str) {
    for row in rows.iter_mut().filter(|row| row.state == DeliveryState::Waiting) {
        let said = if row.reply.is_empty() || why.contains(&row.reply) { why.to_owned() } else { row.reply.clone() };
        set(row, DeliveryState::Refused, &said);
    }
}

fn words_of_refused(rows: &[Delivery]) -> String {
    let said = |row: &Delivery| {
        let reply = if row.reply.is_empty() { words!("refused").to_string() } else { row.reply.clone() };
        format!("{}: {reply}", row.address)
    };
    rows.iter().filter(|row| row.state == DeliveryState::Refused).map(said).collect::<Vec<_>>().join("; ")
}
