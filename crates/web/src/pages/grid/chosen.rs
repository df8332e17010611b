//! The rows of a command: those that were ticked, or all of the view.

use std::collections::BTreeMap;

use actions::bulk;
use model::tables::BulkState;
use model::{Filter, Id, Query, Value};

use crate::pages::grid::{Asked, Question, Spec};
use crate::pages::kit::{Desk, Fault, Form};

/// Rows of many that are named on a page.
const SHOWN: usize = 100;
/// Rows that are looked up at once.
const AT_ONCE: usize = 500;
/// Rows of a page of the view while all of them are gathered.
const PAGE: usize = 2_000;

/// A row that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub id: Id,
    pub name: String,
}

/// What a command is about.
pub(crate) struct Selection {
    /// All of them, or of many the first.
    pub rows: Vec<Chosen>,
    pub count: usize,
    /// Where they are many: the command that remembers them.
    pub bulk: Option<Id>,
}

impl Selection {
    /// The rows that the form names: those that were ticked (`id`), all of the
    /// view (`every`), or those that an earlier page remembered (`bulk`).
    pub async fn of(desk: &Desk, spec: &'static Spec, form: &Form) -> Result<Self, Fault> {
        if let Some(id) = form.id("bulk") {
            return Self::remembered(desk, spec, id).await;
        }
        let rows = if form.ticked("every") {
            every(desk, spec, form).await?
        } else {
            named(desk, spec, form.ids("id")).await?
        };
        if rows.is_empty() {
            return Err(Fault::bad("No row is selected. Go back and tick at least one."));
        }
        at_most(desk, rows.len(), bulk::MOST)?;
        let count = rows.len();
        if count <= bulk::AT_ONCE {
            return Ok(Self { rows, count, bulk: None });
        }
        let shown = rows.iter().take(SHOWN).cloned().collect();
        let all = rows.into_iter().map(|row| (row.id, row.name)).collect();
        let id = bulk::prepare(&desk.ctx, spec.table, all).await?;
        Ok(Self { rows: shown, count, bulk: Some(id) })
    }

    async fn remembered(desk: &Desk, spec: &'static Spec, id: Id) -> Result<Self, Fault> {
        let command = bulk::mine(&desk.ctx, id).await?;
        if command.state != BulkState::Prepared || command.table != spec.table.logical {
            return Err(Fault::bad("This command was begun already. Its page says how far it is."));
        }
        let rows = bulk::rows(&desk.ctx, &command, None, SHOWN).await?;
        let rows = rows.into_iter().map(|r| Chosen { id: r.row.unwrap_or_default(), name: r.name }).collect();
        Ok(Self { rows, count: usize::try_from(command.total).unwrap_or_default(), bulk: Some(id) })
    }

    /// What a form carries along so that the next page knows them.
    pub fn hidden(&self) -> Vec<(String, String)> {
        match self.bulk {
            Some(id) => vec![("bulk".to_owned(), id.to_string())],
            None => self.rows.iter().map(|row| ("id".to_owned(), row.id.to_string())).collect(),
        }
    }
}

/// The rows that were ticked, for what is done with a few of them.
pub(crate) async fn chosen(desk: &Desk, spec: &'static Spec, form: &Form, most: usize) -> Result<Vec<Chosen>, Fault> {
    let rows =
        if form.ticked("every") { every(desk, spec, form).await? } else { named(desk, spec, form.ids("id")).await? };
    if rows.is_empty() {
        return Err(Fault::bad("No row is selected. Go back and tick at least one."));
    }
    at_most(desk, rows.len(), most)?;
    Ok(rows)
}

fn at_most(desk: &Desk, rows: usize, most: usize) -> Result<(), Fault> {
    if rows <= most {
        return Ok(());
    }
    Err(Fault::bad(desk.viewer.texts.with("A command works on {0} rows at most. Select fewer.", &[&most])))
}

/// In their order. One that is gone, or was never theirs to see, is refused
/// later like the others.
async fn named(desk: &Desk, spec: &'static Spec, ids: Vec<Id>) -> Result<Vec<Chosen>, Fault> {
    let table = spec.table;
    let name = table.name.unwrap_or(table.id);
    let mut names = BTreeMap::new();
    for some in ids.chunks(AT_ONCE) {
        let mut query = Query::table(table);
        query.select = vec![name];
        query.filter = Filter::In(table.id.into(), some.iter().copied().map(Value::Id).collect());
        for row in actions::list(&desk.ctx, query).await? {
            names.insert(row.id, called(desk, row.get(name)));
        }
    }
    let name = |id: &Id| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    Ok(ids.iter().map(|id| Chosen { id: *id, name: name(id) }).collect())
}

fn called(desk: &Desk, name: &Value) -> String {
    let name = name.as_text().unwrap_or("").trim();
    if name.is_empty() { desk.t("(without a name)") } else { name.to_owned() }
}

/// All rows of the view as it is looked at, up to what a command can have.
async fn every(desk: &Desk, spec: &'static Spec, form: &Form) -> Result<Vec<Chosen>, Fault> {
    let mut question = Question::of(desk, spec, &Asked::read(form).first()).await?;
    let (id, name) = (spec.table.id, spec.table.name);
    question.fetch.root.picks.retain(|p| p.column == id || Some(p.column) == name);
    question.fetch.page.size = PAGE;
    let id = question.place(id).map(|(at, ..)| at);
    let name = name.and_then(|name| question.place(name)).map(|(at, ..)| at);
    let mut rows = Vec::new();
    loop {
        let found = actions::fetch(&desk.ctx, question.fetch.clone()).await?;
        for row in &found.rows {
            let Some(id) = id.and_then(|at| row.get(at)).and_then(Value::as_id) else { continue };
            let name = called(desk, name.and_then(|at| row.get(at)).unwrap_or(&Value::Null));
            rows.push(Chosen { id, name });
        }
        if rows.len() >= bulk::MOST || !question.goes_on(&found) {
            rows.truncate(bulk::MOST);
            return Ok(rows);
        }
    }
}
