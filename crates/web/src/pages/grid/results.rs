//! The pages around a command: one that asks first, and one that tells for
//! each row what was done or why not.

use actions::ActionError;
use askama::Template;
use model::Id;

use crate::pages::grid::{Asked, Chosen, Row, Spec};
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, show};

/// What became of one row.
pub(crate) struct Done {
    pub id: Id,
    pub name: String,
    /// Why not; empty where it was done.
    pub refused: Vec<String>,
}

impl Done {
    pub fn of<T>(desk: &Desk, row: &Chosen, result: Result<T, ActionError>) -> Self {
        let refused = match result {
            Ok(_) => Vec::new(),
            Err(ActionError::Refused(refusals)) => refusals.0.iter().map(|r| desk.words(&r.message)).collect(),
            Err(error) => vec![Fault::from(error).told(desk)],
        };
        Self { id: row.id, name: row.name.clone(), refused }
    }
}

/// The page after a command.
#[derive(Template)]
#[template(path = "grid/results.html")]
pub(crate) struct Results {
    frame: Frame,
    summary: String,
    done: Vec<Line>,
    refused: Vec<Line>,
    back: String,
    /// A part of the page that goes on by itself, from this address.
    follow: String,
    follow_label: String,
}

struct Line {
    href: String,
    name: String,
    texts: Vec<String>,
}

/// Tells what was done with each row. `follow`: what goes on, and its address.
pub(crate) fn results(
    desk: &Desk,
    spec: &Spec,
    form: &Form,
    title: &str,
    all: Vec<Done>,
    follow: Option<(&str, String)>,
) -> Outcome {
    let href = |id: Id| match spec.row {
        Row::Below(path) => format!("{path}{id}"),
        Row::Behind(_) => String::new(),
    };
    let (done, refused): (Vec<Done>, Vec<Done>) = all.into_iter().partition(|d| d.refused.is_empty());
    let texts = desk.viewer.texts;
    let summary = texts.with("{0} done, {1} refused", &[&done.len(), &refused.len()]);
    let line = |d: Done| Line { href: href(d.id), name: d.name, texts: d.refused };
    let (follow_label, follow) = match follow {
        Some((label, url)) => (desk.t(label), url),
        None => (String::new(), String::new()),
    };
    show(&Results {
        frame: desk.frame(title, spec.place),
        summary,
        done: done.into_iter().map(line).collect(),
        refused: refused.into_iter().map(line).collect(),
        back: Asked::read(form).link(spec.base),
        follow,
        follow_label,
    })
}

/// A row of a command that is still to be confirmed, with what it would mean.
pub(crate) struct Warned {
    pub row: Chosen,
    /// What would be reset.
    pub warnings: Vec<String>,
    /// What else it means.
    pub notes: Vec<String>,
    /// Why it would be refused.
    pub refused: Vec<String>,
}

impl Warned {
    pub fn plain(row: Chosen) -> Self {
        Self { row, warnings: Vec::new(), notes: Vec::new(), refused: Vec::new() }
    }
}

/// What a page asks before a command is carried out.
pub(crate) struct Confirm<'a> {
    pub title: &'a str,
    /// What will happen, in a sentence.
    pub text: String,
    pub button: &'a str,
    /// The form goes to `{base}/{action}`.
    pub action: String,
    pub danger: bool,
    /// How many rows it is about.
    pub count: usize,
    /// All of them, or of many the first.
    pub rows: Vec<Warned>,
    /// A tick that is set unless it is taken away: name and label.
    pub tick: Option<(&'static str, String)>,
    /// What the form carries along: the rows, and what else it says.
    pub fields: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "grid/confirm.html")]
struct Asking {
    frame: Frame,
    text: String,
    button: String,
    action: String,
    danger: bool,
    rows: Vec<Warned>,
    tick: Option<(&'static str, String)>,
    fields: Vec<(String, String)>,
    state: Vec<(&'static str, String)>,
    back: String,
    count: usize,
    /// Rows that are not named.
    more: usize,
    /// They are worked off when the page is gone.
    many: bool,
    /// None of the rows would be done.
    hopeless: bool,
}

/// Asks before a command.
pub(crate) fn confirm(desk: &Desk, spec: &Spec, form: &Form, asking: Confirm<'_>) -> Outcome {
    let asked = Asked::read(form);
    show(&Asking {
        frame: desk.frame(asking.title, spec.place),
        text: asking.text,
        button: desk.t(asking.button),
        action: format!("{}/{}", spec.base, asking.action),
        danger: asking.danger,
        count: asking.count,
        many: asking.count > actions::bulk::AT_ONCE,
        more: asking.count.saturating_sub(asking.rows.len()),
        hopeless: asking.count == asking.rows.len() && asking.rows.iter().all(|r| !r.refused.is_empty()),
        rows: asking.rows,
        tick: asking.tick,
        fields: asking.fields,
        state: asked.pairs(),
        back: asked.link(spec.base),
    })
}
