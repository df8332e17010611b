//! Commands on several rows: which were ticked, a page that asks first, and
//! one that tells for each row what was done or why not.

use actions::ActionError;
use askama::Template;
use model::{Filter, Id, Query, Value};

use crate::pages::grid::{Asked, Question, Row, Spec};
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, show};

/// Rows of one command.
pub(crate) const MOST: usize = 1_000;

/// A row that was ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub id: Id,
    pub name: String,
}

/// The rows that the form names: those that were ticked (`id`), or (`every`)
/// all of the view, as far as a command goes. In the order of the form.
pub(crate) async fn chosen(desk: &Desk, spec: &'static Spec, form: &Form) -> Result<Vec<Chosen>, Fault> {
    let mut ids = form.ids("id");
    if form.ticked("every") {
        let mut question = Question::of(desk, spec, &Asked::read(form).first()).await?;
        question.fetch.page.size = MOST;
        let at = question.place(spec.table.id).map(|(at, ..)| at);
        let found = actions::fetch(&desk.ctx, question.fetch).await?;
        ids = found.rows.iter().filter_map(|row| at.and_then(|at| row.get(at)?.as_id())).collect();
    }
    if ids.is_empty() {
        return Err(Fault::bad("No row is selected. Go back and tick at least one."));
    }
    if ids.len() > MOST {
        let text = desk.viewer.texts.with("A command works on {0} rows at most. Select fewer.", &[&MOST]);
        return Err(Fault::bad(text));
    }
    let table = spec.table;
    let name = table.name.unwrap_or(table.id);
    let mut names = std::collections::BTreeMap::new();
    for some in ids.chunks(500) {
        let mut query = Query::table(table);
        query.select = vec![name];
        query.filter = Filter::In(table.id.into(), some.iter().copied().map(Value::Id).collect());
        for row in actions::list(&desk.ctx, query).await? {
            let text = row.get(name).as_text().unwrap_or("").trim().to_owned();
            names.insert(row.id, if text.is_empty() { desk.t("(without a name)") } else { text });
        }
    }
    // One that is gone, or was never theirs to see, is refused like the others.
    let name = |id: &Id| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    Ok(ids.iter().map(|id| Chosen { id: *id, name: name(id) }).collect())
}

/// What became of one row.
pub(crate) struct Done {
    pub id: Id,
    pub name: String,
    /// Why not; empty where it was done.
    pub refused: Vec<String>,
    /// More about what was done.
    pub note: String,
}

impl Done {
    pub fn of<T>(desk: &Desk, row: &Chosen, result: Result<T, ActionError>) -> Self {
        let refused = match result {
            Ok(_) => Vec::new(),
            Err(ActionError::Refused(refusals)) => refusals.0.iter().map(|r| desk.t(&r.message)).collect(),
            Err(error) => vec![Fault::from(error).text],
        };
        Self { id: row.id, name: row.name.clone(), refused, note: String::new() }
    }
}

/// Does it with one row after the other.
pub(crate) async fn each<T, F, W>(desk: &Desk, rows: &[Chosen], mut work: F) -> Vec<Done>
where
    F: FnMut(Id) -> W,
    W: Future<Output = Result<T, ActionError>>,
{
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let result = work(row.id).await;
        all.push(Done::of(desk, row, result));
    }
    all
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
    pub follow: String,
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
    let line = |d: Done, refused: bool| Line {
        href: href(d.id),
        name: d.name,
        texts: if refused { d.refused } else { Some(d.note).into_iter().filter(|n| !n.is_empty()).collect() },
    };
    let (follow_label, follow) = match follow {
        Some((label, url)) => (desk.t(label), url),
        None => (String::new(), String::new()),
    };
    show(&Results {
        frame: desk.frame(title, spec.place),
        summary,
        done: done.into_iter().map(|d| line(d, false)).collect(),
        refused: refused.into_iter().map(|d| line(d, true)).collect(),
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
    /// Why it would be refused.
    pub refused: Vec<String>,
}

impl Warned {
    pub fn plain(row: Chosen) -> Self {
        Self { row, warnings: Vec::new(), refused: Vec::new() }
    }
}

/// What a page asks before a command is carried out.
pub(crate) struct Confirm<'a> {
    pub title: &'a str,
    /// What will happen, in a sentence.
    pub text: String,
    pub button: &'a str,
    /// The form goes to `{base}/{action}`.
    pub action: &'a str,
    pub danger: bool,
    pub rows: Vec<Warned>,
    /// A tick that is set unless it is taken away: name and label.
    pub tick: Option<(&'static str, String)>,
    /// What the form carries along besides.
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
    willing: usize,
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
        willing: asking.rows.iter().filter(|r| r.refused.is_empty()).count(),
        rows: asking.rows,
        tick: asking.tick,
        fields: asking.fields,
        state: asked.pairs(),
        back: asked.link(spec.base),
    })
}
