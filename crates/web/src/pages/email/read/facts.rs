//! What is known of an email besides its text.

use std::collections::BTreeMap;

use model::tables::{ActivityParty, CorrelationMethod, Email, LedgerEntry, Participation, QueueItem, State};
use model::{Entity, Filter, Id, Query, Ref, Timestamp};

use crate::pages::email::loaded::{self, Loaded};
use crate::pages::grid;
use crate::pages::kit::{Desk, Fault, Told};

/// Emails of a conversation that are listed: the newest.
const MOST: usize = 60;
/// Recipients of one kind that are not folded.
const UNFOLDED: usize = 12;

pub(super) struct Facts {
    /// From, To, Cc, Bcc.
    pub parties: Vec<Parties>,
    pub received: Option<Timestamp>,
    pub sent: Option<Timestamp>,
    pub regarding: Option<Record>,
    pub owner: Option<Record>,
    pub queues: Vec<Queued>,
    /// High or low.
    pub priority: String,
    /// What was not kept of it.
    pub notice: String,
}

/// Those of one kind.
pub(super) struct Parties {
    pub label: String,
    pub first: Vec<Party>,
    /// Folded, as they are many.
    pub others: Vec<Party>,
}

pub(super) struct Party {
    pub name: String,
    pub address: String,
    /// The page of its record.
    pub path: String,
    pub known: bool,
    /// Where it can be given a record.
    pub resolve: String,
}

pub(in crate::pages::email) struct Record {
    pub name: String,
    pub path: String,
}

pub(super) struct Queued {
    pub queue: Record,
    pub worker: String,
    /// The item, and where its commands go.
    pub item: Id,
    pub at: String,
    pub mine: bool,
}

pub(super) struct Conversation {
    pub path: String,
    pub subject: String,
    pub sender: String,
    pub status: String,
    pub tone: &'static str,
    pub at: Option<Timestamp>,
    pub here: bool,
}

/// Why it is here.
pub(super) struct Tracking {
    pub entries: Vec<Entry>,
    pub correlation: String,
    pub correlated: Option<Record>,
    pub accepted_by: Option<Record>,
    pub mailbox: Option<Record>,
}

pub(super) struct Entry {
    pub disposition: String,
    pub reason: Told,
    pub mailbox: Option<Record>,
    pub folder: String,
    pub at: Option<Timestamp>,
}

pub(in crate::pages::email) async fn record(desk: &Desk, target: Option<Ref>) -> Result<Option<Record>, Fault> {
    let Some(target) = target else { return Ok(None) };
    let kind = model::tables::by_logical_name(target.table).map_or("", loaded::kind_of);
    Ok(Some(match loaded::name_of(&desk.ctx, target).await? {
        Some(name) => Record { name, path: grid::page_of(&desk.ctx, target).unwrap_or_default() },
        None => {
            Record { name: desk.viewer.texts.with("{0} that you may not see", &[&desk.t(kind)]), path: String::new() }
        }
    }))
}

pub(super) async fn of(desk: &Desk, loaded: &Loaded) -> Result<Facts, Fault> {
    let email = &loaded.email;
    let kinds = [
        (Participation::Sender, "From"),
        (Participation::To, "To"),
        (Participation::Cc, "Cc"),
        (Participation::Bcc, "Bcc"),
    ];
    let parties = kinds.iter().map(|(kind, label)| {
        let mut first: Vec<Party> = loaded.of_kind(*kind).map(|p| party(desk, email, p)).collect();
        let others = if first.len() > UNFOLDED + 2 { first.split_off(UNFOLDED) } else { Vec::new() };
        Parties { label: desk.t(label), first, others }
    });
    Ok(Facts {
        parties: parties.filter(|p| !p.first.is_empty()).collect(),
        received: email.received_on.filter(|_| !email.is_outgoing),
        sent: email.sent_on,
        regarding: record(desk, email.regarding).await?,
        owner: record(desk, email.owner).await?,
        queues: queues(desk, email).await?,
        priority: match email.priority {
            model::tables::Priority::Normal => String::new(),
            other => desk.t(other.label()),
        },
        notice: match email.notifications {
            model::tables::Notifications::None => String::new(),
            model::tables::Notifications::AttachmentsBlocked => {
                desk.t("Not all attachments were kept: some are blocked or too large.")
            }
            model::tables::Notifications::TruncatedBody => desk.t("The text is longer than what was kept."),
        },
    })
}

fn party(desk: &Desk, email: &Email, party: &ActivityParty) -> Party {
    let name = if party.name.is_empty() { &party.unresolved_name } else { &party.name };
    let known = party.party.is_some();
    let address = &party.address;
    let encoded = percent_encoding::utf8_percent_encode(address, percent_encoding::NON_ALPHANUMERIC);
    Party {
        name: if name.is_empty() { address.clone() } else { name.clone() },
        path: party.party.and_then(|p| grid::page_of(&desk.ctx, p)).unwrap_or_default(),
        resolve: if known || address.is_empty() {
            String::new()
        } else {
            format!("/work/emails/{}/resolve?address={encoded}", email.id)
        },
        address: if name == address { String::new() } else { address.clone() },
        known,
    }
}

async fn queues(desk: &Desk, email: &Email) -> Result<Vec<Queued>, Fault> {
    let query = Query::of::<QueueItem>()
        .filter(Filter::eq(QueueItem::C.object, Some(email.reference())))
        .filter(Filter::eq(QueueItem::C.state, State::Active))
        .limit(10);
    let mut queued = Vec::new();
    for item in loaded::rows_or_none::<QueueItem>(&desk.ctx, query).await? {
        let Some(queue) = record(desk, item.queue).await? else { continue };
        let at = item.queue.map(|q| format!("/work/queues/{}", q.id)).filter(|_| !queue.path.is_empty());
        queued.push(Queued {
            queue,
            worker: record(desk, item.worker).await?.map(|w| w.name).unwrap_or_default(),
            item: item.id,
            at: at.unwrap_or_default(),
            mine: item.worker == Some(desk.ctx.actor.reference()),
        });
    }
    Ok(queued)
}

/// The emails of the same conversation, oldest first, and whether there are
/// earlier ones; none where it is alone.
pub(super) async fn conversation(desk: &Desk, email: &Email) -> Result<(Vec<Conversation>, bool), Fault> {
    let Some(conversation) = email.conversation else { return Ok((Vec::new(), false)) };
    let mut query = Query::of::<Email>().filter(Filter::eq(Email::C.conversation, Some(conversation))).limit(MOST + 1);
    query.select =
        vec!["subject", "sender", "statuscode", "statecode", "senton", "pr_receivedon", "directioncode", "createdon"];
    query.order.push(model::Order { column: "createdon".into(), descending: true });
    let rows = actions::list(&desk.ctx, query).await?;
    if rows.len() < 2 {
        return Ok((Vec::new(), false));
    }
    let mut emails = Vec::new();
    for row in rows.iter().take(MOST).rev() {
        let status = row.typed(Email::C.status).map_err(actions::ActionError::from)?;
        let subject = row.get("subject").as_text().unwrap_or_default();
        emails.push(Conversation {
            path: format!("/work/emails/{}", row.id),
            subject: if subject.is_empty() { desk.t("(no subject)") } else { subject.to_owned() },
            sender: row.get("sender").as_text().unwrap_or_default().to_owned(),
            tone: match status {
                model::tables::EmailStatus::Failed => "bad",
                model::tables::EmailStatus::PendingSend | model::tables::EmailStatus::Sending => "busy",
                model::tables::EmailStatus::Sent | model::tables::EmailStatus::Received => "good",
                _ => "",
            },
            status: desk.t(status.label()),
            at: ["pr_receivedon", "senton", "createdon"].iter().find_map(|c| row.get(c).as_time()),
            here: row.id == email.id,
        });
    }
    Ok((emails, rows.len() > MOST))
}

pub(super) async fn tracking(desk: &Desk, email: &Email) -> Result<Tracking, Fault> {
    let query = Query::of::<LedgerEntry>()
        .filter(Filter::eq(LedgerEntry::C.activity, Some(email.reference())))
        .order_by(LedgerEntry::C.seen_on, false)
        .limit(20);
    let mut entries = Vec::new();
    let mut mailboxes: BTreeMap<Ref, (String, String)> = BTreeMap::new();
    for row in loaded::rows_or_none::<LedgerEntry>(&desk.ctx, query).await? {
        if let Some(mailbox) = row.mailbox
            && !mailboxes.contains_key(&mailbox)
            && let Some(known) = record(desk, Some(mailbox)).await?
        {
            mailboxes.insert(mailbox, (known.name, known.path));
        }
        let known = row.mailbox.and_then(|m| mailboxes.get(&m));
        entries.push(Entry {
            disposition: desk.t(row.disposition.label()),
            reason: desk.viewer.told(&row.reason),
            mailbox: known.map(|(name, path)| Record { name: name.clone(), path: path.clone() }),
            folder: row.folder,
            at: row.seen_on,
        });
    }
    Ok(Tracking {
        entries,
        correlation: match email.correlation {
            CorrelationMethod::None | CorrelationMethod::Skipped => String::new(),
            method => desk.t(correlated_by(method)),
        },
        correlated: record(desk, email.correlated).await?,
        accepted_by: record(desk, email.accepting_entity).await?,
        mailbox: record(desk, email.receiving_mailbox.or(email.sender_mailbox)).await?,
    })
}

/// In words that say what was recognized.
fn correlated_by(method: CorrelationMethod) -> &'static str {
    match method {
        CorrelationMethod::XHeader => "by Postroom's own mark in the header",
        CorrelationMethod::InReplyTo => "by the message that it answers (In-Reply-To)",
        CorrelationMethod::TrackingToken => "by the tracking token in its subject",
        CorrelationMethod::ConversationIndex => "by its conversation index",
        CorrelationMethod::SmartMatching => "by its subject and those who take part (smart matching)",
        CorrelationMethod::CustomCorrelation => "by a rule of the organization",
        CorrelationMethod::None | CorrelationMethod::Skipped => "",
    }
}
