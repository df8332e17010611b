//! The form as a page: its fields, what is shown and not typed, what saving
//! would do, and which commands there are.

use actions::Draft;
use actions::mailbox::{Preview, Standing};
use askama::Template;
use axum::http::StatusCode;
use model::tables::{Approval, Mailbox, State, TestStatus};
use model::{Entity, Record, Refusal};

use super::edit::{draft, typed};
use super::fields::{self, COLUMNS, Fields};
use super::typed::{Overtaken, Typed};
use super::{beside, name_of, progress, sentence, whole};
use crate::pages::grid::page_of;
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, Place};

#[derive(Template)]
#[template(path = "mailbox/form.html")]
struct FormPage {
    frame: Frame,
    /// Empty for a new one.
    id: String,
    fields: Fields,
    locked: String,
    facts: Vec<Fact>,
    statuses: Vec<Fact>,
    carried: Vec<(String, String)>,
    summary: Vec<Trouble>,
    overtaken: Option<Overtaking>,
    foreseen: Foreseen,
    /// What saving takes back has to be confirmed.
    confirm: bool,
    commands: Commands,
    beside: Option<beside::Beside>,
    progress: Option<progress::Progress>,
}

/// A label and what stands there; the value is HTML.
pub(super) struct Fact {
    pub label: String,
    pub value: String,
    pub state: &'static str,
    /// Where the value leads; empty: nowhere.
    pub link: String,
    /// Why it cannot be chosen.
    pub why: String,
}

/// A fault of the form, and where.
struct Trouble {
    field: String,
    label: String,
    text: String,
}

struct Overtaking {
    by: String,
    when: String,
    columns: Vec<(String, String, String)>,
}

/// What saving would do, as the part that is replaced while one types.
pub(super) struct Foreseen {
    pub resets: Vec<String>,
    pub effects: Vec<String>,
    pub refusals: Vec<String>,
    /// Sent along: this is what was seen before saving.
    pub token: String,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a command of its own")]
#[derive(Default)]
pub(super) struct Commands {
    pub save: bool,
    pub test: bool,
    pub approve: bool,
    pub reject: bool,
    pub activate: bool,
    pub deactivate: bool,
    pub assign: bool,
    pub delete: bool,
    pub process: bool,
}

/// How the form was left.
#[derive(Default)]
pub(super) struct Attempt {
    pub refusals: Vec<Refusal>,
    pub overtaken: Vec<Overtaken>,
    pub confirm: bool,
}

/// Names what saving takes back: who confirms one thing has not confirmed another.
pub(super) fn token(preview: &Preview) -> String {
    preview.resets.join("|")
}

impl Foreseen {
    pub fn of(desk: &Desk, preview: &Preview) -> Self {
        let words = |words: &[&'static str]| words.iter().map(|word| desk.t(word)).collect();
        Self {
            resets: words(&preview.resets),
            effects: words(&preview.effects),
            refusals: preview.refusals.iter().map(|refusal| sentence(&desk.words(&refusal.message))).collect(),
            token: token(preview),
        }
    }
}

pub(super) async fn shown(desk: &Desk, held: Option<Record>, form: &Form, attempt: Attempt) -> Outcome {
    let typed = typed(desk, form);
    let draft = draft(desk, &typed, held.as_ref()).unwrap_or_else(|_| Draft::new(Mailbox::TABLE));
    let id = held.as_ref().map(|row| row.id);
    let preview = actions::mailbox::preview(&desk.ctx, id, draft).await?;
    let standing = match id {
        Some(id) => Some(actions::mailbox::standing(&desk.ctx, id).await?),
        None => None,
    };
    let mut fields = fields::make(desk, &typed, held.as_ref(), &preview, &attempt.refusals).await?;
    if !form.text("password").is_empty() && fields.password.blocked.is_empty() {
        // It would be lost without a word: a page never holds a password.
        fields.password.faults.push(desk.t("Type the password once more: it is not kept on the page."));
    }
    let mut frame = desk.frame("New Forward Mailbox", Place::Mailboxes).with_help("mailbox");
    if let Some(held) = &held {
        let name = held.get(Mailbox::C.name.name).as_text().unwrap_or_default();
        frame = frame.titled(if name.is_empty() { desk.t("Mailbox") } else { name.to_owned() });
    }
    let locked = fields::locked(desk, held.as_ref(), &preview);
    let status = status_of(&attempt);
    let foreseen = Foreseen::of(desk, &preview);
    let page = FormPage {
        id: id.map(|id| id.to_string()).unwrap_or_default(),
        facts: general(desk, &frame, held.as_ref(), &preview).await?,
        statuses: held.as_ref().map(|row| statuses(&frame, row)).transpose()?.unwrap_or_default(),
        carried: held.as_ref().map(|row| Typed::carried(COLUMNS, row, &desk.viewer.zone)).unwrap_or_default(),
        summary: summary(desk, &attempt.refusals),
        overtaken: overtaking(desk, &frame, held.as_ref(), &attempt.overtaken, &fields).await?,
        confirm: attempt.confirm,
        commands: commands(held.as_ref(), standing.as_ref(), &locked)?,
        beside: match (&held, &standing) {
            (Some(held), Some(standing)) => Some(beside::of(&frame, &whole(held)?, standing, desk.ctx.now)),
            _ => None,
        },
        progress: match (&held, &standing) {
            (Some(held), Some(standing)) => Some(progress::of(&frame, &whole(held)?, standing)),
            _ => None,
        },
        foreseen: if form.has("name") { foreseen } else { Foreseen { refusals: Vec::new(), ..foreseen } },
        fields,
        locked,
        frame,
    };
    Ok(crate::pages::page(status, &page))
}

fn status_of(attempt: &Attempt) -> StatusCode {
    if !attempt.overtaken.is_empty() {
        StatusCode::CONFLICT
    } else if attempt.refusals.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

fn summary(desk: &Desk, refusals: &[Refusal]) -> Vec<Trouble> {
    let label = |column: Option<&str>| {
        let column = Mailbox::TABLE.columns.iter().find(|c| Some(c.name) == column);
        column.map(|c| desk.t(c.label)).unwrap_or_default()
    };
    let on_form = |column: &&str| COLUMNS.contains(column) || *column == "password";
    let trouble = |refusal: &Refusal| Trouble {
        field: refusal.field.filter(on_form).unwrap_or_default().to_owned(),
        label: label(refusal.field),
        text: sentence(&desk.words(&refusal.message)),
    };
    refusals.iter().map(trouble).collect()
}

async fn overtaking(
    desk: &Desk,
    frame: &Frame,
    held: Option<&Record>,
    overtaken: &[Overtaken],
    fields: &Fields,
) -> Result<Option<Overtaking>, Fault> {
    let Some(held) = held.filter(|_| !overtaken.is_empty()) else { return Ok(None) };
    let all = [&fields.profile, &fields.incoming, &fields.outgoing, &fields.act];
    let word = |column: &str, value: &str| {
        let column = Mailbox::TABLE.columns.iter().find(|c| c.name == column);
        let choice = all.iter().find(|field| column.is_some_and(|c| c.name == field.name));
        let label = choice.and_then(|field| field.choices.iter().find(|c| c.value == value)).map(|c| c.label.clone());
        match (label, column.map(|c| c.kind)) {
            (Some(label), _) => label,
            (None, Some(model::Kind::Bool)) => desk.t(if value == "1" { "Yes" } else { "No" }),
            _ if value.is_empty() => desk.t("(empty)"),
            _ => value.to_owned(),
        }
    };
    let columns = overtaken.iter().map(|o| {
        let label = Mailbox::TABLE.columns.iter().find(|c| c.name == o.column).map_or(o.column, |c| c.label);
        let yours = o.yours.as_deref().map(|yours| word(o.column, yours)).unwrap_or_default();
        (desk.t(label), word(o.column, &o.theirs), yours)
    });
    Ok(Some(Overtaking {
        columns: columns.collect(),
        by: name_of(desk, held.get("modifiedby").as_ref_to()).await?,
        when: super::when(frame, held.get("modifiedon").as_time()),
    }))
}

/// What is shown of the mailbox and not typed.
async fn general(desk: &Desk, frame: &Frame, held: Option<&Record>, preview: &Preview) -> Result<Vec<Fact>, Fault> {
    let Some(held) = held else { return Ok(Vec::new()) };
    let mailbox = whole(held)?;
    let plain = |label: &str, value: String| Fact {
        label: desk.t(label),
        value,
        state: "",
        link: String::new(),
        why: String::new(),
    };
    let why = |column: &str| {
        let offer = preview.offers.iter().find(|offer| offer.column == column);
        offer.map(|offer| desk.t(offer.why)).unwrap_or_default()
    };
    let mut facts = vec![Fact {
        link: mailbox.owner.and_then(|owner| page_of(&desk.ctx, owner)).unwrap_or_default(),
        why: why(Mailbox::C.owner.name),
        ..plain("Owner", name_of(desk, mailbox.owner).await?)
    }];
    let regarding = match mailbox.regarding {
        Some(_) => name_of(desk, mailbox.regarding).await?,
        None => desk.t("nobody: a forward mailbox serves many"),
    };
    facts.push(Fact {
        link: mailbox.regarding.and_then(|served| page_of(&desk.ctx, served)).unwrap_or_default(),
        why: why(Mailbox::C.regarding.name),
        ..plain("Regarding", regarding)
    });
    let approved = mailbox.approval == Approval::Approved;
    facts.push(Fact {
        state: if approved { "good" } else { "warn" },
        ..plain("Email Address Status", frame.t(mailbox.approval.label()).to_owned())
    });
    if approved && mailbox.approved_on.is_some() {
        let by = name_of(desk, mailbox.approved_by).await?;
        let when = mailbox.approved_on.map(|at| frame.time(&at)).unwrap_or_default();
        let told = [by, when].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        facts.push(plain("Approved", told));
    }
    let active = mailbox.state == State::Active;
    facts.push(Fact {
        state: if active { "good" } else { "" },
        ..plain("Status", frame.t(mailbox.state.label()).to_owned())
    });
    Ok(facts)
}

fn statuses(frame: &Frame, held: &Record) -> Result<Vec<Fact>, Fault> {
    let mailbox = whole(held)?;
    let status = |label: &str, status: TestStatus| Fact {
        label: frame.t(label).to_owned(),
        value: frame.t(status.label()).to_owned(),
        state: match status {
            TestStatus::Success => "good",
            TestStatus::Failure => "bad",
            TestStatus::NotRun => "",
        },
        link: String::new(),
        why: String::new(),
    };
    let completed = mailbox.test_completed_on.map_or_else(|| "–".to_owned(), |at| frame.time(&at));
    Ok(vec![
        status("Incoming Email Status", mailbox.incoming_status),
        status("Outgoing Email Status", mailbox.outgoing_status),
        status("Appointments, Contacts, and Tasks Status", mailbox.act_status),
        Fact {
            label: frame.t("Mailbox Test Completed On").to_owned(),
            value: completed,
            state: "time",
            link: String::new(),
            why: String::new(),
        },
    ])
}

fn commands(held: Option<&Record>, standing: Option<&Standing>, locked: &str) -> Result<Commands, Fault> {
    let (Some(held), Some(standing)) = (held, standing) else {
        return Ok(Commands { save: true, ..Commands::default() });
    };
    let (mailbox, may) = (whole(held)?, standing.may);
    let active = mailbox.state == State::Active;
    let free = !mailbox.test_scheduled;
    Ok(Commands {
        save: locked.is_empty(),
        test: may.test && free,
        approve: may.approve && free && mailbox.approval != Approval::Approved,
        reject: may.approve && free && mailbox.approval != Approval::Rejected,
        activate: may.write && free && !active,
        deactivate: may.write && free && active,
        assign: may.assign && free,
        delete: may.delete && free,
        process: may.test && active && (mailbox.enabled_incoming || mailbox.enabled_outgoing),
    })
}
