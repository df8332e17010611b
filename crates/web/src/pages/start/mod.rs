//! First run: from nothing to the first synchronized mailbox.
//!
//! The page shows where one stands; with scripts it goes on by itself, without
//! them a button does. What is done stands in the records, so it may be left
//! and taken up again.

mod form;
mod stages;

use std::sync::Arc;

use actions::start::{self, Phase, Servers, Standing};
use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use model::discovery::{Candidate, Evidence, Found, Protection, Protocol};
use model::{Refusal, tables::Inquiry};

use crate::pages::kit::{self, Desk, Fault, Field, Form, Frame, Outcome, Place};
use crate::pages::profile::inquiry::{self as asked, Told};
use crate::state::AppState;
use stages::Stage;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/start", get(page).post(begin))
        .route("/start/steps", get(part))
        .route("/start/continue", post(go_on))
        .route("/start/servers", post(servers))
        .route("/start/again", post(again))
        .route("/start/over", post(over))
}

/// What stands below the stages.
#[derive(Template)]
#[template(path = "start/steps.html")]
struct Steps {
    frame: Frame,
    stages: Vec<Stage>,
    /// Asks again by itself.
    waiting: bool,
    /// Goes on by itself.
    advances: bool,
    told: Option<Told>,
    /// Servers to be given by hand.
    by_hand: Vec<Field>,
    /// Another password, after the test failed.
    again: Vec<Field>,
    faults: Vec<String>,
    seen: Option<stages::Seen>,
    mailbox: String,
}

#[derive(Template)]
#[template(path = "start/form.html")]
struct FormPage {
    frame: Frame,
    fields: Vec<Field>,
    faults: Vec<String>,
    /// There are profiles already.
    established: bool,
}

#[derive(Template)]
#[template(path = "start/page.html")]
struct Page {
    frame: Frame,
    steps: String,
    waiting: bool,
}

fn frame(desk: &Desk) -> Frame {
    desk.frame("First steps", Place::Start)
}

/// `GET /start`
async fn page(desk: Desk) -> Outcome {
    may_start(&desk)?;
    let standing = start::standing(&desk.ctx).await?;
    if standing.phase == Phase::Ask || desk.query.has("new") {
        return kit::show(&form::page(&desk, &Form::default(), &[]).await?);
    }
    whole(&desk, &standing, &[], StatusCode::OK)
}

fn may_start(desk: &Desk) -> Result<(), Fault> {
    use model::Entity as _;
    let profiles = actions::Wish::Create(model::tables::EmailServerProfile::TABLE);
    if actions::permitted(&desk.ctx, profiles) {
        return Ok(());
    }
    Err(Fault::new(
        StatusCode::FORBIDDEN,
        "Setting up this installation takes the right to create email server profiles.",
    ))
}

/// A password must not have come in the clear.
fn refuse_in_clear(desk: &Desk, form: &Form) -> Result<(), Fault> {
    if form.text("password").is_empty() || desk.may_type_secrets() { Ok(()) } else { Err(Fault::bad(kit::IN_CLEAR)) }
}

/// `GET /start/steps`: the part that moves.
async fn part(desk: Desk) -> Outcome {
    let standing = start::standing(&desk.ctx).await?;
    answer(&desk, &standing, &[])
}

/// The part for a script, the page for everybody else.
fn answer(desk: &Desk, standing: &Standing, refusals: &[Refusal]) -> Outcome {
    if desk.htmx {
        return kit::show(&steps(desk, standing, refusals));
    }
    whole(desk, standing, refusals, if refusals.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST })
}

fn whole(desk: &Desk, standing: &Standing, refusals: &[Refusal], status: StatusCode) -> Outcome {
    let steps = steps(desk, standing, refusals);
    let waiting = steps.waiting;
    let rendered =
        steps.render().map_err(|_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "An unexpected error occurred."))?;
    Ok(crate::pages::page(status, &Page { frame: frame(desk), steps: rendered, waiting }))
}

fn steps(desk: &Desk, standing: &Standing, refusals: &[Refusal]) -> Steps {
    let found = standing.inquiry.as_ref().map(found).unwrap_or_default();
    let usable = chosen(&found).is_some();
    let phase = standing.phase;
    let refused = !refusals.is_empty();
    let looked_in_vain = phase == Phase::LookedUp && (!usable || refused);
    let told = standing.inquiry.as_ref().filter(|_| phase == Phase::LookingUp || looked_in_vain);
    Steps {
        stages: stages::all(desk, standing, &found),
        // Mail is waited for as well.
        waiting: matches!(phase, Phase::LookingUp | Phase::Testing) || (phase == Phase::Running && standing.seen == 0),
        advances: !refused && ((phase == Phase::LookedUp && usable) || phase == Phase::SettingUp),
        told: told.map(|inquiry| asked::told(desk, inquiry)),
        by_hand: if looked_in_vain { form::by_hand(desk, &found, refusals) } else { Vec::new() },
        again: if phase == Phase::Failed { form::again(desk, standing, refusals) } else { Vec::new() },
        faults: refusals.iter().map(|refusal| desk.words(&refusal.message)).collect(),
        seen: (phase == Phase::Running).then(|| stages::seen(desk, standing)),
        mailbox: standing.mailbox.as_ref().map(|m| m.id.to_string()).unwrap_or_default(),
        frame: frame(desk),
    }
}

fn found(inquiry: &Inquiry) -> Found {
    formats::inquiry::read_found(&inquiry.result)
}

/// The best servers that answer, one for each direction.
fn chosen(found: &Found) -> Option<Servers> {
    let best = |incoming: bool| {
        found.candidates.iter().find(|c| c.protocol.is_incoming() == incoming && c.answered == Some(true)).cloned()
    };
    (!found.unreachable).then_some(())?;
    Some(Servers { incoming: best(true)?, outgoing: best(false)? })
}

/// `POST /start`
async fn begin(desk: Desk, typed: Form) -> Outcome {
    may_start(&desk)?;
    refuse_in_clear(&desk, &typed)?;
    match start::begin(&desk.ctx, form::read(&desk, &typed)).await {
        Ok(()) => kit::go("/start"),
        Err(error) => {
            let page = form::page(&desk, &typed, &Fault::refusals(error)?).await?;
            Ok(crate::pages::page(StatusCode::BAD_REQUEST, &page))
        }
    }
}

/// `POST /start/continue`: the next steps, with what was looked up.
async fn go_on(desk: Desk) -> Outcome {
    let standing = start::standing(&desk.ctx).await?;
    let servers = match standing.phase {
        Phase::LookedUp => standing.inquiry.as_ref().and_then(|inquiry| chosen(&found(inquiry))),
        _ => None,
    };
    set_up(&desk, servers.as_ref()).await
}

/// `POST /start/servers`: the same with servers that were typed.
async fn servers(desk: Desk, form: Form) -> Outcome {
    let side = |protocol, host: &str, port: &str, usual: u16| Candidate {
        protocol,
        host: form.text(host).trim().to_owned(),
        port: form.get(port).and_then(|port| port.parse().ok()).unwrap_or(usual),
        protection: Protection::Tls,
        user: String::new(),
        evidence: Evidence::Guess,
        source: String::new(),
        answered: None,
        said: String::new(),
    };
    let (incoming, usual) = if form.text("protocol") == "pop3" { (Protocol::Pop3, 995) } else { (Protocol::Imap, 993) };
    let servers = Servers {
        incoming: side(incoming, "incomingserverlocation", "incomingportnumber", usual),
        outgoing: side(Protocol::Smtp, "outgoingserverlocation", "outgoingportnumber", 587),
    };
    set_up(&desk, Some(&servers)).await
}

async fn set_up(desk: &Desk, servers: Option<&Servers>) -> Outcome {
    let refusals = match start::set_up(&desk.ctx, servers).await {
        Ok(()) if !desk.htmx => return kit::go("/start"),
        Ok(()) => Vec::new(),
        Err(error) => Fault::refusals(error)?,
    };
    answer(desk, &start::standing(&desk.ctx).await?, &refusals)
}

/// `POST /start/again`: another password, another test.
async fn again(desk: Desk, form: Form) -> Outcome {
    refuse_in_clear(&desk, &form)?;
    let password = Some(form.secret("password"));
    let refusals = match start::try_again(&desk.ctx, form.text("username"), password).await {
        Ok(()) if !desk.htmx => return kit::go("/start"),
        Ok(()) => Vec::new(),
        Err(error) => Fault::refusals(error)?,
    };
    answer(&desk, &start::standing(&desk.ctx).await?, &refusals)
}

/// `POST /start/over`: with another address.
async fn over(desk: Desk) -> Outcome {
    start::forget(&desk.ctx).await?;
    kit::go("/start?new=1")
}
