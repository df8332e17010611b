//! From what is asked of a list to a question to the store: the view's query
//! and layout with what the person changed of them.

use actions::views::View;
use actions::{Wish, permitted};
use axum::http::StatusCode;
use formats::fetchxml::layout::{self, Cell};
use formats::fetchxml::{self, Conditions, Edit};
use formats::odata::Asker;
use model::fetch::By;
use model::fetch::Fetched;
use model::table::{Access, Kind};
use model::{Column, Fetch, Id, Table};

use crate::api::options;
use crate::pages::grid::asked::SORTED;
use crate::pages::grid::{Asked, Row, Spec};
use crate::pages::kit::{Desk, Fault};

/// What is to be shown, and by which view.
pub(crate) struct Question {
    pub views: Vec<View>,
    /// Which of them; `None`: there is none, and all rows are shown.
    pub at: Option<usize>,
    /// The query of the view.
    pub base: String,
    /// The query, as it would be kept.
    pub xml: String,
    pub cells: Vec<Cell>,
    pub fetch: Fetch,
}

impl Question {
    pub async fn of(desk: &Desk, spec: &Spec, asked: &Asked) -> Result<Self, Fault> {
        let table = spec.table;
        let views = actions::views::of(&desk.ctx, table).await?;
        let own = if asked.view.is_none() { actions::views::default_of(&desk.ctx, table).await? } else { None };
        let at = chosen(&views, asked, own)?;
        let view = at.and_then(|n| views.get(n));
        let base = view.map_or_else(|| every_row(table), |v| v.fetch.clone());
        let mut cells = cells(table, view, asked);
        if cells.is_empty() {
            cells = of_query(table, &base);
        }
        let unreadable = unreadable(desk, table, asked);
        let mut columns: Vec<&str> = cells.iter().map(|c| c.column.as_str()).collect();
        if let Row::Behind(lookup) = spec.row {
            columns.push(lookup);
        }
        columns.extend(table.name);
        if table.logical == "activitypointer" {
            columns.push("activitytypecode");
        }
        let edit = Edit {
            columns,
            sort: asked.sort.iter().map(|(column, descending)| (column.as_str(), *descending)).collect(),
            filter: asked.filter.as_ref(),
            unreadable,
            find: &asked.find,
            find_in: &fetchxml::quick_find(table),
            only: asked.only.iter().map(|(c, v)| (c.as_str(), v.as_str())).collect(),
        };
        let xml = fetchxml::edit(&base, &edit).map_err(|e| broken(desk, &e.to_string()))?;
        let asker = asker(desk, &xml).await?;
        let mut fetch = fetchxml::read(&xml, &asker).map_err(|e| broken(desk, &e.to_string()))?;
        if fetch.root.table != table || fetch.aggregate {
            return Err(broken(desk, "It is not a list of such rows."));
        }
        fetch.page.number = asked.page;
        fetch.page.size = desk.viewer.rows;
        Ok(Self { base, views, at, xml, cells, fetch })
    }

    pub fn view(&self) -> Option<&View> {
        self.at.and_then(|n| self.views.get(n))
    }

    /// The columns that the rows are sorted by, and whether they count down. A
    /// lookup is sorted by the names of its rows, which is said of the lookup.
    pub fn sorted(&self, asked: &Asked) -> Vec<(String, bool)> {
        if !asked.sort.is_empty() {
            return asked.sort.clone();
        }
        let mut all: Vec<(String, bool)> = Vec::new();
        for sort in &self.fetch.order {
            let By::Column(column) = &sort.by else { continue };
            let link = self.fetch.root.links.iter().find(|l| l.source.alias == sort.of);
            let name = match link {
                Some(link) if sort.of.starts_with(fetchxml::SORT) => link.to.to_owned(),
                Some(_) => format!("{}.{column}", sort.of),
                None if sort.of.is_empty() => (*column).to_owned(),
                None => continue,
            };
            if all.len() < SORTED && !all.iter().any(|(known, _)| *known == name) {
                all.push((name, sort.descending));
            }
        }
        all
    }

    /// The view's conditions that a form can show, and whether it has others.
    pub fn conditions(&self) -> Result<(Conditions, bool), Fault> {
        fetchxml::conditions(&self.base).map_err(|e| Fault::bad(e.to_string()))
    }

    /// Asks for the page after the one that was found, where there is one.
    pub fn goes_on(&mut self, found: &Fetched) -> bool {
        match &found.last {
            Some(last) => self.fetch.page.after = Some(last.clone()),
            None => self.fetch.page.number += 1,
        }
        found.more
    }

    /// Where in a row of the answer the cell's value stands, and its column.
    pub fn place(&self, cell: &str) -> Option<(usize, &'static Table, Option<&'static Column>)> {
        let (alias, name) = cell.rsplit_once('.').unwrap_or(("", cell));
        let picks = self.fetch.picks();
        let at = picks.iter().position(|(source, pick)| source.alias == alias && pick.column == name)?;
        let table = picks.get(at)?.0.table;
        Some((at, table, table.column(name)))
    }
}

/// The view that is asked for, or the default.
fn chosen(views: &[View], asked: &Asked, own: Option<Id>) -> Result<Option<usize>, Fault> {
    match asked.view {
        Some(id) => {
            let found = views.iter().position(|v| v.id == id);
            let gone = || Fault::new(StatusCode::NOT_FOUND, "There is no such view, or you may not see it.");
            found.map(Some).ok_or_else(gone)
        }
        None => {
            let own = own.and_then(|own| views.iter().position(|v| v.id == own));
            let first = if views.is_empty() { None } else { Some(0) };
            Ok(own.or_else(|| views.iter().position(|v| v.is_default)).or(first))
        }
    }
}

fn cells(table: &'static Table, view: Option<&View>, asked: &Asked) -> Vec<Cell> {
    let of_view = view.map(|v| layout::read(table, &v.layout)).unwrap_or_default();
    if asked.columns.is_empty() {
        return of_view;
    }
    let known = |name: &String| name.contains('.') || choosable(table).any(|c| c.name == name);
    let cell =
        |name: &String| of_view.iter().find(|c| c.column == *name).cloned().unwrap_or_else(|| Cell::new(name.clone()));
    asked.columns.iter().filter(|name| known(name)).map(cell).collect()
}

/// Of a view without a layout, its own columns.
fn of_query(table: &'static Table, xml: &str) -> Vec<Cell> {
    let asker = Asker::default();
    let picked = fetchxml::read(xml, &asker).map(|f| f.root.picks).unwrap_or_default();
    let mut cells: Vec<Cell> = picked.iter().filter(|p| p.column != table.id).map(|p| Cell::new(p.column)).collect();
    cells.truncate(8);
    if cells.is_empty() {
        cells.extend(table.name.map(Cell::new));
    }
    cells
}

/// Where an administrator has deleted all views.
fn every_row(table: &Table) -> String {
    let name = table.name.unwrap_or(table.id);
    format!(
        "<fetch><entity name=\"{}\"><attribute name=\"{name}\"/><attribute name=\"modifiedon\"/><order attribute=\"{name}\"/></entity></fetch>",
        table.logical
    )
}

/// The columns that a person can have in a list.
pub(crate) fn choosable(table: &'static Table) -> impl Iterator<Item = &'static Column> {
    let shown = |c: &&'static Column| {
        !matches!(c.access, Access::Internal | Access::Write)
            && !matches!(c.kind, Kind::Bytes | Kind::Secret { .. })
            && c.name != "versionnumber"
    };
    table.all_columns().filter(shown)
}

/// Targets of the lookups that are sorted by, whose names the person cannot see.
fn unreadable(desk: &Desk, table: &'static Table, asked: &Asked) -> Vec<&'static str> {
    let mut hidden = Vec::new();
    for column in asked.sort.iter().filter_map(|(name, _)| table.column(name)) {
        let Kind::Lookup(targets) = column.kind else { continue };
        let may_read =
            |name: &str| model::tables::by_logical_name(name).is_some_and(|t| permitted(&desk.ctx, Wish::Read(t)));
        hidden.extend(targets.iter().copied().filter(|name| !may_read(name)));
    }
    hidden
}

/// Conditions that ask where the person stands, by their beginnings.
const ABOUT_THE_PERSON: &[&str] = &["\"eq-", "\"ne-", "\"above", "\"under", "\"eq-or", "'eq-", "\"not-under"];

async fn asker(desk: &Desk, xml: &str) -> Result<Asker, Fault> {
    let alone = ABOUT_THE_PERSON.iter().any(|c| xml.contains(c)) && !only_oneself(xml);
    if alone {
        return options::standing(&desk.ctx).await.map_err(|_| Fault::bad("The view cannot be shown."));
    }
    Ok(Asker { now: Some(desk.ctx.now), user: Some(desk.ctx.actor.id), ..Asker::default() })
}

/// The commonest of them takes no look at the database.
fn only_oneself(xml: &str) -> bool {
    let about: usize = ABOUT_THE_PERSON.iter().map(|c| xml.matches(c).count()).sum();
    about == xml.matches("\"eq-userid").count()
}

fn broken(desk: &Desk, why: &str) -> Fault {
    let text = desk.viewer.texts.with("This view cannot be shown: {0} Choose another view, or change it.", &[&why]);
    Fault::bad(text)
}
