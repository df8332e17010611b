//! What a list shows and in which order: its columns, its order, its
//! conditions. Each button makes the page anew with what was changed; the list
//! changes when all of it is applied, and a view when that is saved.

use std::sync::Arc;

use actions::{Wish, permitted};
use askama::Template;
use axum::Router;
use axum::http::Method;
use axum::routing::get;
use formats::fetchxml::layout;
use formats::fetchxml::{self, Condition, Conditions};
use model::table::Kind;
use model::{Column, Query, Ref, Table};

use crate::names;
use crate::pages::grid::asked::SORTED;
use crate::pages::grid::load::choosable;
use crate::pages::grid::operators::{self, Wants};
use crate::pages::grid::{Asked, Question, Spec, table};
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, go, show};
use crate::state::AppState;

/// Rows of a lookup's table that a condition offers.
const MOST_OFFERED: usize = 200;

pub(super) fn routes(spec: &'static Spec) -> Router<Arc<AppState>> {
    let page = move |desk: Desk, method: Method, form: Form| async move {
        if method == Method::GET {
            let design = Design::standing(&desk, spec, &Asked::read(&desk.query)).await?;
            return design.page(&desk, spec, &desk.query, String::new()).await;
        }
        answer(&desk, spec, &form).await
    };
    Router::new().route(&format!("{}/design", spec.base), get(page).post(page))
}

/// What is being made.
struct Design {
    columns: Vec<String>,
    sort: Vec<(String, bool)>,
    filter: Conditions,
}

impl Design {
    /// As the list is looked at.
    async fn standing(desk: &Desk, spec: &'static Spec, asked: &Asked) -> Result<Self, Fault> {
        let question = Question::of(desk, spec, asked).await?;
        let filter = match &asked.filter {
            Some(filter) => filter.clone(),
            None => question.conditions()?.0,
        };
        Ok(Self {
            columns: question.cells.iter().map(|c| c.column.clone()).collect(),
            sort: question.sorted(asked),
            filter,
        })
    }

    /// As the form has it.
    fn typed(spec: &Spec, form: &Form) -> Self {
        let mut sort: Vec<(String, bool)> = Vec::new();
        for n in 0..SORTED {
            let Some(column) = form.get(&format!("sort-{n}")) else { continue };
            if !sort.iter().any(|(known, _)| known == column) {
                sort.push((column.to_owned(), form.text(&format!("down-{n}")) == "1"));
            }
        }
        let mut list = Vec::new();
        for n in 0..fetchxml::MOST_CONDITIONS {
            let Some(column) = form.get(&format!("column-{n}")) else { break };
            let operator = form.text(&format!("operator-{n}")).to_owned();
            let wants = spec.table.column(column).and_then(|c| wants(c, &operator));
            let name = match wants {
                Some(Wants::Nothing) => "",
                Some(Wants::Days) => "days",
                _ => "value",
            };
            let typed =
                form.all(&format!("{name}-{n}")).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).collect();
            list.push(Condition { column: column.to_owned(), operator, values: typed });
        }
        Self {
            columns: form.all("columns").map(str::to_owned).collect(),
            sort,
            filter: Conditions { list, any: form.text("any") == "1" },
        }
    }

    /// What a button does.
    fn press(&mut self, spec: &Spec, word: &str, form: &Form) {
        let (verb, at) = word.split_once(':').unwrap_or((word, ""));
        let at: usize = at.parse().unwrap_or(usize::MAX);
        match verb {
            "up" if at > 0 && at < self.columns.len() => self.columns.swap(at - 1, at),
            "down" if at.saturating_add(1) < self.columns.len() => self.columns.swap(at, at + 1),
            "drop" if at < self.columns.len() && self.columns.len() > 1 => drop(self.columns.remove(at)),
            "add-column" if self.columns.len() < layout::MOST => {
                let column = form.get("new-column").filter(|c| !self.columns.iter().any(|known| known == c));
                self.columns.extend(column.map(str::to_owned));
            }
            "remove" if at < self.filter.list.len() => drop(self.filter.list.remove(at)),
            "add-condition" if self.filter.list.len() < fetchxml::MOST_CONDITIONS => {
                let column = form.get("new-condition").and_then(|name| spec.table.column(name));
                let first = column.and_then(|c| Some((c, operators::of(c).first()?)));
                self.filter.list.extend(first.map(|(column, (operator, ..))| Condition {
                    column: column.name.to_owned(),
                    operator: (*operator).to_owned(),
                    values: Vec::new(),
                }));
            }
            _ => {}
        }
    }

    /// The list with all of it; what is as the view has it is not said again.
    async fn asked(&self, desk: &Desk, spec: &'static Spec, form: &Form) -> Result<Asked, Fault> {
        let before = Asked::read(form).first();
        let plain = Asked { view: before.view, ..Asked::default() };
        let view = Self::standing(desk, spec, &plain).await?;
        Ok(Asked {
            columns: if self.columns == view.columns { Vec::new() } else { self.columns.clone() },
            sort: if self.sort == view.sort { Vec::new() } else { self.sort.clone() },
            filter: (self.filter != view.filter).then(|| self.filter.clone()),
            ..before
        })
    }
}

/// Kept in one place, for a view and for what is typed: `None` for an operator
/// that the form does not offer.
fn wants(column: &Column, operator: &str) -> Option<Wants> {
    operators::of(column).iter().find(|(name, ..)| *name == operator).map(|(.., wants)| *wants)
}

async fn answer(desk: &Desk, spec: &'static Spec, form: &Form) -> Outcome {
    let mut design = Design::typed(spec, form);
    let word = form.text("do");
    if word != "apply" {
        design.press(spec, word, form);
        return design.page(desk, spec, form, String::new()).await;
    }
    if let Some(missing) = design.filter.list.iter().find(|c| c.values.is_empty() && needs_value(spec.table, c)) {
        let label = spec.table.column(&missing.column).map_or("", |c| c.label);
        let fault = desk.viewer.texts.with("The condition on “{0}” has no value yet.", &[&desk.t(label)]);
        return design.page(desk, spec, form, fault).await;
    }
    // The form's words become FetchXML's.
    let list = design.filter.list.iter().map(operators::meant).collect();
    let meant = Design { filter: Conditions { list, any: design.filter.any }, ..design };
    let asked = meant.asked(desk, spec, form).await?;
    if let Err(fault) = Question::of(desk, spec, &asked).await {
        return Design::typed(spec, form).page(desk, spec, form, fault.told(desk)).await;
    }
    go(&asked.link(spec.base))
}

fn needs_value(table: &'static Table, condition: &Condition) -> bool {
    let wants = table.column(&condition.column).and_then(|c| wants(c, &condition.operator));
    wants.is_some_and(|wants| wants != Wants::Nothing)
}

#[derive(Template)]
#[template(path = "grid/design.html")]
struct Page {
    frame: Frame,
    at: String,
    back: String,
    fault: String,
    state: Vec<(&'static str, String)>,
    columns: Vec<(String, String)>,
    addable: Vec<(String, String)>,
    sorts: Vec<SortBy>,
    any: bool,
    conditions: Vec<Line>,
    /// The view narrows its rows by more than is shown.
    more: bool,
    narrowable: Vec<(&'static str, String)>,
}

struct SortBy {
    label: String,
    options: Vec<(String, String, bool)>,
    descending: bool,
}

struct Line {
    column: String,
    label: String,
    operators: Vec<(String, String, bool)>,
    /// For the script: which operators want a value, and which days.
    with_value: String,
    with_days: bool,
    /// `text`, `number`, `date`, or empty for a choice.
    input: &'static str,
    value: String,
    days: String,
    many: bool,
    options: Vec<(String, String, bool)>,
}

impl Design {
    async fn page(&self, desk: &Desk, spec: &'static Spec, form: &Form, fault: String) -> Outcome {
        let asked = Asked::read(form).first();
        let kept = Asked { columns: Vec::new(), sort: Vec::new(), filter: None, ..asked.clone() };
        let plain = Asked { view: asked.view, ..Asked::default() };
        let question = Question::of(desk, spec, &plain).await?;
        let label = |column: &str| table::label(desk, &question, column);
        let mut all: Vec<(String, String)> =
            choosable(spec.table).map(|c| (c.name.to_owned(), label(c.name))).collect();
        all.sort_by_key(|(_, label)| label.to_lowercase());
        let columns: Vec<(String, String)> = self.columns.iter().map(|c| (c.clone(), label(c))).collect();
        let addable = all.iter().filter(|(name, _)| !self.columns.contains(name)).cloned().collect();
        let mut sortable = columns.clone();
        sortable.extend(all.iter().filter(|(name, _)| !self.columns.contains(name)).cloned());
        let sorts = (0..SORTED).map(|n| self.sort_by(desk, n, &sortable)).collect();
        let mut conditions = Vec::new();
        for condition in &self.filter.list {
            if let Some(column) = spec.table.column(&condition.column) {
                conditions.push(line(desk, column, &operators::shown(column, condition)).await?);
            }
        }
        let mut narrowable: Vec<(&'static str, String)> =
            choosable(spec.table).filter(|c| !operators::of(c).is_empty()).map(|c| (c.name, label(c.name))).collect();
        narrowable.sort_by_key(|(_, label)| label.to_lowercase());
        show(&Page {
            frame: desk.frame("Columns, order and filter", spec.place),
            at: format!("{}/design", spec.base),
            back: asked.link(spec.base),
            fault: desk.t(&fault),
            state: kept.pairs(),
            columns,
            addable,
            sorts,
            any: self.filter.any,
            conditions,
            more: question.conditions()?.1,
            narrowable,
        })
    }

    fn sort_by(&self, desk: &Desk, n: usize, sortable: &[(String, String)]) -> SortBy {
        let now = self.sort.get(n);
        let none = (String::new(), desk.t("none"), now.is_none());
        let option = |(name, label): &(String, String)| {
            (name.clone(), label.clone(), now.is_some_and(|(column, _)| column == name))
        };
        SortBy {
            label: desk.t(if n == 0 { "Sort by" } else { "Then by" }),
            options: [none].into_iter().chain(sortable.iter().map(option)).collect(),
            descending: now.is_some_and(|(_, descending)| *descending),
        }
    }
}

async fn line(desk: &Desk, column: &'static Column, condition: &Condition) -> Result<Line, Fault> {
    let known = operators::of(column);
    let mut words: Vec<(String, String, bool)> =
        known.iter().map(|(name, label, _)| ((*name).to_owned(), desk.t(label), *name == condition.operator)).collect();
    // One that the form does not offer stays by its own name.
    if !words.iter().any(|(.., here)| *here) {
        words.push((condition.operator.clone(), condition.operator.clone(), true));
    }
    let unknown = (condition.operator.as_str(), Wants::Text);
    let wanting = known.iter().map(|(name, _, wants)| (*name, *wants)).chain([unknown]);
    let with_value: Vec<&str> =
        wanting.filter(|(_, wants)| !matches!(wants, Wants::Nothing | Wants::Days)).map(|(name, _)| name).collect();
    let with_days = known.iter().any(|(.., wants)| *wants == Wants::Days);
    let one = condition.values.first().cloned().unwrap_or_default();
    let is_days = wants(column, &condition.operator) == Some(Wants::Days);
    let here = |value: &str| condition.values.iter().any(|v| v == value);
    let options: Vec<(String, String, bool)> = match column.kind {
        Kind::Choice(set) => {
            let option = |o: &model::OptionValue| {
                let value = o.value.to_string();
                let chosen = here(&value);
                (value, desk.t(o.label), chosen)
            };
            set.options.iter().map(option).collect()
        }
        Kind::Bool => ["1", "0"].map(|v| (v.to_owned(), desk.t(if v == "1" { "Yes" } else { "No" }), here(v))).into(),
        Kind::Lookup(targets) => rows(desk, targets, &one).await?,
        _ => Vec::new(),
    };
    let input = match column.kind {
        Kind::Choice(_) | Kind::Bool | Kind::Lookup(_) => "",
        Kind::Int { .. } | Kind::BigInt => "number",
        Kind::Time => "date",
        _ => "text",
    };
    Ok(Line {
        column: column.name.to_owned(),
        label: desk.t(column.label),
        operators: words,
        with_value: with_value.join(" "),
        with_days,
        input,
        value: if is_days { String::new() } else { one.clone() },
        days: if is_days { one } else { String::new() },
        many: matches!(column.kind, Kind::Choice(_)),
        options,
    })
}

/// Rows that a lookup can point to, and the one that it is about.
async fn rows(desk: &Desk, targets: &[&'static str], now: &str) -> Result<Vec<(String, String, bool)>, Fault> {
    let mut all = vec![(String::new(), desk.t("Choose …"), now.is_empty())];
    for target in targets {
        let Some((table, name)) = model::tables::by_logical_name(target).and_then(|t| Some((t, t.name?))) else {
            continue;
        };
        if !permitted(&desk.ctx, Wish::Read(table)) {
            continue;
        }
        let mut query = Query::table(table).limit(MOST_OFFERED);
        query.select = vec![name];
        query.order = vec![model::Order { column: name.into(), descending: false }];
        for row in actions::list(&desk.ctx, query).await? {
            let id = row.id.to_string();
            let here = id == now;
            all.push((id, row.get(name).as_text().unwrap_or("").to_owned(), here));
        }
    }
    if !all.iter().any(|(.., here)| *here) {
        let refs = targets.iter().filter_map(|t| Some(Ref::new(t, now.parse().ok()?))).collect();
        let name = names::of(&desk.ctx, refs).await?.into_values().next().unwrap_or_else(|| "…".to_owned());
        all.push((now.to_owned(), name, true));
    }
    Ok(all)
}
