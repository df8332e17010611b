//! The board: what works, what waits, what fails, and where.

use std::collections::BTreeMap;

use actions::monitoring::{self, Board, BreakerState, Fate, Standing, breaker_state, is_alive};
use actions::views;
use askama::Template;
use model::tables::{AlertLevel, Email, EmailStatus, Mailbox, TraceLog};
use model::work::Workload;
use model::{Entity, Ref, Timestamp};

use super::chart::{Bars, Series};
use super::connections::{self, Line};
use crate::names;
use crate::pages::kit::{self, Desk, Frame, Outcome, Place, Viewer};

#[derive(Template)]
#[template(path = "watch/page.html")]
struct Page {
    frame: Frame,
    shown: Shown,
    wall: bool,
}

#[derive(Template)]
#[template(path = "watch/board.html")]
struct Part {
    frame: Frame,
    shown: Shown,
    wall: bool,
}

/// What both templates show.
struct Shown {
    at: Timestamp,
    figures: Vec<Figure>,
    mailboxes: Bars,
    /// Those that need somebody: what they lack, how many, and their list.
    wanting: Vec<(String, u64, String)>,
    messages: Bars,
    lags: Vec<Lag>,
    late: Vec<LateRow>,
    servers: Vec<ServerRow>,
    nodes: Vec<NodeRow>,
    alerts: Vec<AlertRow>,
}

/// A number that one sees from the other end of the room.
struct Figure {
    label: String,
    value: u64,
    /// `good`, `warn`, `bad` or empty, and in words.
    state: &'static str,
    said: String,
    link: String,
}

struct Lag {
    workload: String,
    due: u64,
    longest: String,
    failing: u64,
}

struct LateRow {
    name: String,
    link: String,
    workload: String,
    since: Timestamp,
}

struct ServerRow {
    name: String,
    state: &'static str,
    said: String,
    failures: i64,
    until: Option<Timestamp>,
    error: String,
}

struct NodeRow {
    name: String,
    version: String,
    alive: bool,
    seen: Option<Timestamp>,
    holds: String,
    connections: Vec<Line>,
}

struct AlertRow {
    level: String,
    state: &'static str,
    text: String,
    at: Option<Timestamp>,
    count: i64,
    link: String,
}

/// `GET /settings/monitoring`; for its own script the board alone.
pub(super) async fn page(desk: Desk) -> Outcome {
    let board = monitoring::board(&desk.ctx).await?;
    let frame = desk.frame("Monitoring", Place::Monitoring);
    let profiles = board.connections.iter().filter_map(|held| held.profile).collect();
    let shown = shown(&frame, &board, &names::of(&desk.ctx, profiles).await?);
    let wall = desk.query.ticked("wall");
    if desk.htmx { kit::show(&Part { frame, shown, wall }) } else { kit::show(&Page { frame, shown, wall }) }
}

fn shown(frame: &Frame, board: &Board, profiles: &BTreeMap<Ref, String>) -> Shown {
    Shown {
        at: board.now,
        figures: figures(frame, board),
        mailboxes: mailboxes(frame, board),
        wanting: wanting(frame, board),
        messages: messages(frame, board),
        lags: lags(frame, board),
        late: late(frame, board),
        servers: servers(frame, board),
        nodes: nodes(frame, board, profiles),
        alerts: alerts(frame, board),
    }
}

fn figures(frame: &Frame, board: &Board) -> Vec<Figure> {
    let view = |base: &str, table, name| format!("{base}?view={}", views::ready(table, name));
    let figure = |label: &str, value: u64, bad: &'static str, words: [&str; 2], link: String| Figure {
        label: label.to_owned(),
        value,
        state: if value == 0 { "good" } else { bad },
        said: words[usize::from(value > 0)].to_owned(),
        link,
    };
    let wanting = |of: &[(Standing, u64)]| of.iter().filter(|(s, _)| s.needs_attention()).map(|(_, n)| n).sum::<u64>();
    let emails = |status: EmailStatus| board.emails.iter().find(|e| e.status == status.number()).map_or(0, |e| e.count);
    let errors = board.alerts.iter().find(|(level, _)| *level == AlertLevel::Error).map_or(0, |(_, n)| *n);
    let down = board.servers.iter().filter(|s| breaker_state(s, board.now) != BreakerState::Closed).count();
    let seen: u64 = board.hours.iter().map(monitoring::Hour::total).sum();
    vec![
        figure(
            frame.t("Mailboxes that need attention"),
            wanting(&board.incoming).max(wanting(&board.outgoing)),
            "warn",
            [frame.t("All mailboxes work."), frame.t("Look at the list.")],
            "#mailboxes".to_owned(),
        ),
        figure(
            frame.t("Servers in trouble"),
            u64::try_from(down).unwrap_or(0),
            "bad",
            [frame.t("All servers answer."), frame.t("See the servers below.")],
            "#servers".to_owned(),
        ),
        figure(
            frame.t("Emails that failed"),
            emails(EmailStatus::Failed),
            "bad",
            [frame.t("Nothing failed."), frame.t("They wait for somebody.")],
            view("/work/activities", Email::TABLE, "Failed Emails"),
        ),
        figure(
            frame.t("Errors in 24 hours"),
            errors,
            "bad",
            [frame.t("No errors."), frame.t("See the alerts below.")],
            view("/settings/alerts", TraceLog::TABLE, "Errors"),
        ),
        Figure {
            label: frame.t("Emails waiting to be sent").to_owned(),
            value: emails(EmailStatus::PendingSend) + emails(EmailStatus::Sending),
            state: "",
            said: String::new(),
            link: view("/work/activities", Email::TABLE, "Emails Pending Send"),
        },
        Figure {
            label: frame.t("Messages seen in 24 hours").to_owned(),
            value: seen,
            state: "",
            said: String::new(),
            link: "#messages".to_owned(),
        },
    ]
}

fn mailboxes(frame: &Frame, board: &Board) -> Bars {
    let class = |standing| match standing {
        Standing::Working => "c2",
        Standing::Failed => "c5",
        Standing::Disabled => "c3",
        Standing::WithoutProfile | Standing::NotApproved => "c4",
        Standing::NotTested => "c1",
        Standing::Elsewhere | Standing::Inactive => "c6",
    };
    let series =
        Standing::ALL.iter().map(|s| Series { label: frame.t(s.label()).to_owned(), class: class(*s) }).collect();
    let values = |of: &[(Standing, u64)]| {
        Standing::ALL.iter().map(|s| of.iter().find(|(o, _)| o == s).map_or(0, |(_, n)| *n)).collect::<Vec<u64>>()
    };
    let working = |of: &[(Standing, u64)]| of.iter().find(|(s, _)| *s == Standing::Working).map_or(0, |(_, n)| *n);
    Bars {
        title: frame.t("Mailboxes by state").to_owned(),
        summary: format!(
            "{} {}",
            frame.tn("1 mailbox receives.", "{0} mailboxes receive.", working(&board.incoming)),
            frame.tn("1 mailbox sends.", "{0} mailboxes send.", working(&board.outgoing))
        ),
        of: frame.t("Workload").to_owned(),
        series,
        rows: vec![
            (frame.t("Incoming Email").to_owned(), values(&board.incoming)),
            (frame.t("Outgoing Email").to_owned(), values(&board.outgoing)),
        ],
    }
}

fn wanting(frame: &Frame, board: &Board) -> Vec<(String, u64, String)> {
    let view = |standing| match standing {
        Standing::Failed => "Mailboxes with Failed Tests",
        Standing::WithoutProfile => "Mailboxes Without Profile",
        Standing::NotApproved => "Mailboxes Pending Approval",
        Standing::NotTested => "Active Mailboxes Not Tested",
        Standing::Disabled => "Mailboxes Disabled for Email",
        Standing::Working | Standing::Elsewhere | Standing::Inactive => "Active Mailboxes",
    };
    let count = |of: &[(Standing, u64)], s: Standing| of.iter().find(|(o, _)| *o == s).map_or(0, |(_, n)| *n);
    let link = |standing: &Standing| {
        let most = count(&board.incoming, *standing).max(count(&board.outgoing, *standing));
        let to = format!("/settings/mailboxes?view={}", views::ready(Mailbox::TABLE, view(*standing)));
        (frame.t(standing.label()).to_owned(), most, to)
    };
    Standing::ALL.iter().filter(|s| s.needs_attention()).map(link).filter(|(_, most, _)| *most > 0).collect()
}

fn messages(frame: &Frame, board: &Board) -> Bars {
    let class = |fate| match fate {
        Fate::Tracked => "c2",
        Fate::NotForTheCrm => "c6",
        Fate::Again => "c1",
        Fate::Waiting => "c3",
        Fate::Trouble => "c5",
    };
    let series = Fate::ALL.iter().map(|f| Series { label: frame.t(f.label()).to_owned(), class: class(*f) }).collect();
    let row = |hour: &monitoring::Hour| {
        let values = Fate::ALL.iter().map(|f| hour.fates.get(f).copied().unwrap_or(0)).collect();
        (frame.viewer.clock(hour.begins), values)
    };
    let total: u64 = board.hours.iter().map(monitoring::Hour::total).sum();
    let most = board.hours.iter().map(monitoring::Hour::total).max().unwrap_or(0);
    Bars {
        title: frame.t("Messages per hour").to_owned(),
        summary: match total {
            1 => frame.t("1 message in 24 hours.").to_owned(),
            _ => frame.t2("{0} messages in 24 hours, {1} in the busiest hour.", total, most),
        },
        of: frame.t("Hour").to_owned(),
        series,
        rows: board.hours.iter().map(row).collect(),
    }
}

fn workload(frame: &Frame, workload: Workload) -> String {
    frame
        .t(match workload {
            Workload::Incoming => "Incoming Email",
            Workload::Outgoing => "Outgoing Email",
            Workload::Test => "Configuration Test",
        })
        .to_owned()
}

fn lags(frame: &Frame, board: &Board) -> Vec<Lag> {
    let lag = |work: &model::overview::WorkTally| Lag {
        workload: workload(frame, work.workload),
        due: work.due,
        longest: Viewer::lasting(work.since.map_or(0, |since| board.now.duration_since(since).as_secs().max(0))),
        failing: work.failing,
    };
    board.work.iter().map(lag).collect()
}

fn late(frame: &Frame, board: &Board) -> Vec<LateRow> {
    let row = |late: &monitoring::Late| LateRow {
        name: late.mailbox.name.clone(),
        link: format!("/settings/mailboxes/{}", late.mailbox.id),
        workload: workload(frame, late.workload),
        since: late.since,
    };
    board.late.iter().map(row).collect()
}

fn servers(frame: &Frame, board: &Board) -> Vec<ServerRow> {
    let row = |server: &model::tables::Server| {
        let state = breaker_state(server, board.now);
        ServerRow {
            name: server.name.clone(),
            state: match state {
                BreakerState::Closed => "good",
                BreakerState::Failing | BreakerState::HalfOpen => "warn",
                BreakerState::Open => "bad",
            },
            said: frame.t(state.label()).to_owned(),
            failures: server.failures,
            until: server.open_until.filter(|until| *until > board.now),
            error: frame.said(&server.last_error),
        }
    };
    board.servers.iter().map(row).collect()
}

fn nodes(frame: &Frame, board: &Board, profiles: &BTreeMap<Ref, String>) -> Vec<NodeRow> {
    let holds = |name: &str| {
        let held = board.held.iter().filter(|h| h.node == name);
        held.map(|h| format!("{}: {}", workload(frame, h.workload), h.count)).collect::<Vec<_>>().join(", ")
    };
    let connections = |name: &str| {
        let held = board.connections.iter().filter(|c| c.node == name);
        held.map(|c| connections::line(frame, c, profiles)).collect()
    };
    let row = |node: &model::tables::Node| NodeRow {
        name: node.name.clone(),
        version: node.version.clone(),
        alive: node.seen_on.is_some_and(|seen| is_alive(seen, board.now)),
        seen: node.seen_on,
        holds: holds(&node.name),
        connections: connections(&node.name),
    };
    board.nodes.iter().map(row).collect()
}

fn alerts(frame: &Frame, board: &Board) -> Vec<AlertRow> {
    let row = |recent: &monitoring::Recent| {
        let alert = &recent.alert;
        AlertRow {
            level: frame.t(alert.level.label()).to_owned(),
            state: if alert.level == AlertLevel::Error { "bad" } else { "warn" },
            text: frame.said(&alert.text),
            at: recent.at,
            count: alert.occurrences,
            link: alert.regarding.map_or(String::new(), |about| match about.table {
                "mailbox" => format!("/settings/mailboxes/{}", about.id),
                "emailserverprofile" => format!("/settings/profiles/{}", about.id),
                "email" => format!("/work/emails/{}", about.id),
                "organization" => "/settings/data#backups".to_owned(),
                _ => String::new(),
            }),
        }
    };
    board.latest.iter().map(row).collect()
}
