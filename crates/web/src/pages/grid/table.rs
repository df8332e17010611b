//! The list as it is shown.

use std::collections::BTreeSet;

use actions::{Wish, permitted};
use askama::Template;
use model::fetch::HIGHEST_TOTAL;
use model::table::Kind;
use model::{Id, Ref, Table, Value};

use crate::names;
use crate::pages::grid::cell::{Cell, Shower};
use crate::pages::grid::load::{Question, choosable};
use crate::pages::grid::narrow::{self, Chip, FilterBy};
use crate::pages::grid::{Asked, Row, Spec, page_of};
use crate::pages::kit::{Desk, Fault, Viewer};

/// Rows that a search found are counted up to this.
const MOST_FOUND: u64 = 1000;

#[derive(Template)]
#[template(path = "grid/list.html")]
pub(crate) struct Grid {
    viewer: Viewer,
    title: String,
    base: &'static str,
    views: Vec<ViewLink>,
    view: String,
    /// The view that is shown is the person's own, not one that others share.
    own: bool,
    /// The list opens with this view.
    opens: bool,
    /// The view alone.
    view_only: Vec<(&'static str, String)>,
    design: String,
    share: String,
    /// Whether views can be kept.
    keeps: bool,
    find: String,
    /// What the forms of the list carry along.
    state: Vec<(&'static str, String)>,
    /// The same without quick find and filters.
    kept: Vec<(&'static str, String)>,
    /// The same without columns.
    uncolumned: Vec<(&'static str, String)>,
    filters: Vec<FilterBy>,
    chips: Vec<Chip>,
    headers: Vec<Header>,
    rows: Vec<Line>,
    commands: Vec<Button>,
    columns: Vec<Choosable>,
    changed: bool,
    plain: String,
    count: String,
    /// More rows than on this page: how many in words.
    every: String,
    previous: Option<String>,
    next: Option<String>,
    export: String,
    empty: String,
    /// How a search is to be worded.
    hint: String,
}

struct ViewLink {
    name: String,
    href: String,
    here: bool,
    own: bool,
}

struct Header {
    label: String,
    href: String,
    /// The list sorted by this within the order that it has.
    within: String,
    /// `ascending`, `descending`, or empty.
    sorted: &'static str,
    /// From 1.
    rank: usize,
    width: &'static str,
    number: bool,
}

struct Line {
    id: Id,
    name: String,
    href: String,
    cells: Vec<(String, Cell)>,
}

struct Button {
    label: String,
    action: &'static str,
    danger: bool,
}

struct Choosable {
    name: String,
    label: String,
    chosen: bool,
}

impl Grid {
    pub async fn load(desk: &Desk, spec: &'static Spec, asked: &Asked) -> Result<Self, Fault> {
        let question = Question::of(desk, spec, asked).await?;
        let found = actions::fetch(&desk.ctx, question.fetch.clone()).await?;
        let refs: BTreeSet<Ref> = found.rows.iter().flatten().filter_map(Value::as_ref_to).collect();
        let names = names::of(&desk.ctx, refs).await?;
        let shower = Shower { ctx: &desk.ctx, viewer: &desk.viewer, names: &names };
        let rows = lines(desk, spec, &question, &found.rows, &shower);
        let total =
            if found.more { counted(desk, asked, &question).await? } else { before(desk, asked) + rows.len() as u64 };
        let count = count(desk, asked, rows.len(), total);
        let at = |page: u64| Asked { page, ..asked.clone() }.link(spec.base);
        let first = asked.first();
        let view = question.view();
        let by_view = Asked { view: view.map(|v| v.id), ..Asked::default() };
        Ok(Self {
            title: desk.t(spec.title),
            base: spec.base,
            views: question
                .views
                .iter()
                .map(|v| view_link(desk, spec, v, view.is_some_and(|s| s.id == v.id)))
                .collect(),
            view: view.map_or_else(|| desk.t("All rows"), |v| view_name(desk, v)),
            own: view.is_some_and(|v| v.mine),
            opens: view.is_some() && actions::views::default_of(&desk.ctx, spec.table).await? == view.map(|v| v.id),
            view_only: by_view.pairs(),
            design: first.link(&format!("{}/design", spec.base)),
            share: by_view.link(&format!("{}/share", spec.base)),
            keeps: permitted(&desk.ctx, Wish::Create(<model::tables::UserQuery as model::Entity>::TABLE)),
            find: asked.find.clone(),
            state: first.pairs(),
            kept: Asked { find: String::new(), only: unoffered(spec, asked), ..first.clone() }.pairs(),
            uncolumned: Asked { columns: Vec::new(), ..first.clone() }.pairs(),
            filters: narrow::filters(desk, spec, asked).await?,
            chips: narrow::chips(desk, spec, asked).await?,
            headers: headers(desk, spec, asked, &question),
            commands: commands(desk, spec),
            columns: columns(desk, spec.table, &question),
            changed: asked.is_changed(),
            plain: by_view.link(spec.base),
            count,
            every: every(desk, asked, rows.len(), total),
            previous: (asked.page > 1).then(|| at(asked.page - 1)),
            next: found.more.then(|| at(asked.page + 1)),
            export: first.link(&format!("{}/export.csv", spec.base)),
            empty: desk.t(spec.empty),
            hint: desk.t(hint(spec.table)),
            rows,
            viewer: desk.viewer.clone(),
        })
    }

    fn t<'a>(&'a self, english: &'a str) -> &'a str {
        self.viewer.texts.text(english)
    }

    fn t1(&self, english: &str, value: impl std::fmt::Display) -> String {
        self.viewer.texts.with(english, &[&value])
    }
}

/// How a search is to be worded.
fn hint(table: &Table) -> &'static str {
    if table.words.is_empty() {
        "Every word must stand in a name, an address or a title; * stands for any text."
    } else {
        "Every word must begin a word of the subject, the sender or a recipient."
    }
}

/// All rows of the question, up to one more than are told. Asked for only where
/// the page does not answer it: counting looks at every row.
async fn counted(desk: &Desk, asked: &Asked, question: &Question) -> Result<u64, Fault> {
    let mut fetch = question.fetch.clone();
    // What a search finds is not counted to the end: nobody pages so far.
    let most = if asked.find.is_empty() { HIGHEST_TOTAL } else { MOST_FOUND };
    fetch.total = Some(most);
    fetch.order.clear();
    let id = fetch.root.table.id;
    fetch.root.picks.retain(|p| p.column == id);
    fetch.page = model::fetch::Page { number: 1, size: 0, cookie: None, after: None };
    Ok(actions::fetch(&desk.ctx, fetch).await?.total.unwrap_or_default())
}

/// Rows on the pages before.
fn before(desk: &Desk, asked: &Asked) -> u64 {
    asked.page.saturating_sub(1).saturating_mul(desk.viewer.rows as u64)
}

/// The ready views have names in every language; one's own are as written.
pub(super) fn view_name(desk: &Desk, view: &actions::views::View) -> String {
    if view.own { view.name.clone() } else { desk.t(&view.name) }
}

fn view_link(desk: &Desk, spec: &Spec, view: &actions::views::View, here: bool) -> ViewLink {
    let asked = Asked { view: Some(view.id), ..Asked::default() };
    ViewLink { name: view_name(desk, view), href: asked.link(spec.base), here, own: view.own }
}

/// What the list is narrowed to by a link and not by one of its filters.
fn unoffered(spec: &Spec, asked: &Asked) -> Vec<(String, String)> {
    asked.only.iter().filter(|(column, _)| !spec.filters.contains(&column.as_str())).cloned().collect()
}

fn lines(desk: &Desk, spec: &Spec, question: &Question, rows: &[Vec<Value>], shower: &Shower<'_>) -> Vec<Line> {
    let table = spec.table;
    let id_at = question.place(table.id).map(|(at, ..)| at);
    let name_at = table.name.and_then(|n| question.place(n)).map(|(at, ..)| at);
    let places: Vec<_> =
        question.cells.iter().map(|c| (label(desk, question, &c.column), question.place(&c.column))).collect();
    let behind = match spec.row {
        Row::Behind(lookup) => question.place(lookup).map(|(at, ..)| at),
        Row::Below(_) => None,
    };
    let line = |row: &Vec<Value>| {
        let id = id_at.and_then(|at| row.get(at)).and_then(Value::as_id)?;
        let href = match (spec.row, behind) {
            (Row::Below(path), _) => format!("{path}{id}"),
            (Row::Behind(_), Some(at)) => {
                let target = row.get(at).and_then(Value::as_ref_to);
                target.and_then(|t| page_of(&desk.ctx, t)).unwrap_or_default()
            }
            (Row::Behind(_), None) => String::new(),
        };
        let name = name_at.and_then(|at| row.get(at)).and_then(Value::as_text).unwrap_or("").trim();
        let name = if name.is_empty() { desk.t("(without a name)") } else { name.to_owned() };
        let cells = places.iter().map(|(label, place)| {
            let cell = place.map_or(Cell::Nothing, |(at, of, column)| {
                row.get(at).map_or(Cell::Nothing, |value| shower.cell(of.logical, column, value))
            });
            (label.clone(), cell)
        });
        Some(Line { id, name, href, cells: cells.collect() })
    };
    rows.iter().filter_map(line).collect()
}

/// The label of a column; one of a link with what it is linked by.
pub(super) fn label(desk: &Desk, question: &Question, cell: &str) -> String {
    let (alias, name) = cell.rsplit_once('.').unwrap_or(("", cell));
    let Some(source) = question.fetch.source(alias) else { return name.to_owned() };
    let column = source.table.column(name);
    let own = match column {
        // The reference product's word for when a message was sent or came.
        Some(column) if column.name == "sortdate" => desk.t("Date"),
        Some(column) => desk.t(column.label),
        None => name.to_owned(),
    };
    if alias.is_empty() {
        return own;
    }
    let link = question.fetch.root.links.iter().find(|l| l.source.alias == alias);
    let by = link.and_then(|l| question.fetch.root.table.column(l.to)).map(|c| desk.t(c.label));
    by.map_or(own.clone(), |by| format!("{own} ({by})"))
}

fn headers(desk: &Desk, spec: &Spec, asked: &Asked, question: &Question) -> Vec<Header> {
    let sorted = question.sorted(asked);
    let header = |cell: &formats::fetchxml::layout::Cell| {
        let rank = sorted.iter().position(|(name, _)| *name == cell.column);
        let now = rank.and_then(|n| sorted.get(n)).map(|(_, descending)| *descending);
        let kind = question.place(&cell.column).and_then(|(_, _, column)| column).map(|c| c.kind);
        // Times begin with the latest.
        let next = now.map_or(matches!(kind, Some(Kind::Time)), |descending| !descending);
        let by = Asked { sort: vec![(cell.column.clone(), next)], ..asked.first() };
        let first = sorted.first().filter(|(name, _)| *name != cell.column).cloned();
        let within = first.into_iter().chain([(cell.column.clone(), next)]).collect();
        let within = Asked { sort: within, ..asked.first() };
        Header {
            label: label(desk, question, &cell.column),
            href: by.link(spec.base),
            within: within.link(spec.base),
            rank: rank.map_or(0, |n| n + 1),
            sorted: match now {
                Some(true) => "descending",
                Some(false) => "ascending",
                None => "",
            },
            width: match cell.width {
                0..=110 => "w1",
                111..=160 => "w2",
                161..=230 => "w3",
                231..=320 => "w4",
                321..=420 => "w5",
                _ => "w6",
            },
            number: matches!(kind, Some(Kind::Int { .. } | Kind::BigInt)),
        }
    };
    question.cells.iter().map(header).collect()
}

fn commands(desk: &Desk, spec: &Spec) -> Vec<Button> {
    let allowed = spec.commands.iter().filter(|c| permitted(&desk.ctx, c.needs));
    allowed.map(|c| Button { label: desk.t(c.label), action: c.action, danger: c.danger }).collect()
}

/// The chosen ones in their order, then all others by label.
fn columns(desk: &Desk, table: &'static Table, question: &Question) -> Vec<Choosable> {
    let chosen = question.cells.iter().map(|cell| Choosable {
        name: cell.column.clone(),
        label: label(desk, question, &cell.column),
        chosen: true,
    });
    let mut others: Vec<Choosable> = choosable(table)
        .filter(|c| !question.cells.iter().any(|cell| cell.column == c.name))
        .map(|c| Choosable { name: c.name.to_owned(), label: desk.t(c.label), chosen: false })
        .collect();
    others.sort_by_key(|c| c.label.to_lowercase());
    chosen.chain(others).collect()
}

fn count(desk: &Desk, asked: &Asked, rows: usize, total: u64) -> String {
    let before = before(desk, asked);
    let texts = desk.viewer.texts;
    if rows == 0 {
        return desk.t("No rows");
    }
    let most = if asked.find.is_empty() { HIGHEST_TOTAL } else { MOST_FOUND };
    let all = if total > most { format!("{most}+") } else { total.to_string() };
    texts.with("{0}–{1} of {2}", &[&(before + 1), &(before + rows as u64), &all])
}

/// How many rows the choice of all of them is about. Of so many that they were
/// not counted to the end, the page that asks says it.
fn every(desk: &Desk, asked: &Asked, rows: usize, total: u64) -> String {
    if total <= rows as u64 {
        return String::new();
    }
    let most = actions::bulk::MOST as u64;
    let counted = if asked.find.is_empty() { HIGHEST_TOTAL } else { MOST_FOUND };
    if total > most.min(counted) {
        return desk.viewer.texts.with("the first {0} rows of this view", &[&most]);
    }
    desk.viewer.texts.with("all {0} rows of this view", &[&total])
}
