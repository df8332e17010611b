//! What a list is narrowed to: by the selections above it, by a link that led
//! there, by conditions in the place of the view's.

use actions::{Wish, permitted};
use model::table::Kind;
use model::{Filter, Id, Query, Ref};

use crate::names;
use crate::pages::grid::{Asked, Spec};
use crate::pages::kit::{Desk, Fault};

/// Rows of a lookup's table that a filter offers.
const MOST_OFFERED: usize = 200;

pub(super) struct FilterBy {
    pub column: &'static str,
    pub label: String,
    pub options: Vec<(String, String, bool)>,
}

/// What the list is narrowed to, and the list without that.
pub(super) struct Chip {
    pub text: String,
    pub href: String,
}

pub(super) async fn chips(desk: &Desk, spec: &Spec, asked: &Asked) -> Result<Vec<Chip>, Fault> {
    let mut chips = Vec::new();
    if let Some(filter) = &asked.filter {
        let text = desk.viewer.texts.with("Filter: {0} conditions", &[&filter.list.len()]);
        chips.push(Chip { text, href: Asked { filter: None, ..asked.first() }.link(spec.base) });
    }
    for (column, value) in &asked.only {
        if !spec.filters.contains(&column.as_str()) {
            chips.push(chip(desk, spec, asked, column, value).await?);
        }
    }
    Ok(chips)
}

async fn chip(desk: &Desk, spec: &Spec, asked: &Asked, column: &str, value: &str) -> Result<Chip, Fault> {
    let declared = spec.table.column(column);
    let label = declared.map_or_else(|| column.to_owned(), |c| desk.t(c.label));
    let shown = match declared.map(|c| c.kind) {
        _ if value.is_empty() => desk.t("none"),
        Some(Kind::Lookup(targets)) => looked_up(desk, targets, value).await?,
        Some(Kind::Choice(set)) => {
            let text = value.parse().ok().and_then(|n| set.label(n));
            text.map_or_else(|| value.to_owned(), |l| desk.t(l))
        }
        _ => value.to_owned(),
    };
    Ok(Chip { text: format!("{label}: {shown}"), href: asked.without_only(column).link(spec.base) })
}

/// The names of the rows that a condition names.
async fn looked_up(desk: &Desk, targets: &[&'static str], value: &str) -> Result<String, Fault> {
    let ids: Vec<Id> = value.split(',').filter_map(|text| text.trim().parse().ok()).collect();
    let refs = targets.iter().flat_map(|t| ids.iter().map(|id| Ref::new(t, *id))).collect();
    let names: Vec<String> = names::of(&desk.ctx, refs).await?.into_values().collect();
    Ok(if names.is_empty() { "…".to_owned() } else { names.join(", ") })
}

pub(super) async fn filters(desk: &Desk, spec: &'static Spec, asked: &Asked) -> Result<Vec<FilterBy>, Fault> {
    let mut filters = Vec::new();
    for name in spec.filters {
        let Some(column) = spec.table.column(name) else { continue };
        let now = asked.only.iter().find(|(c, _)| c == name).map(|(_, value)| value.as_str());
        let mut options: Vec<(String, String)> = match column.kind {
            Kind::Choice(set) => set.options.iter().map(|o| (o.value.to_string(), desk.t(o.label))).collect(),
            Kind::Bool => vec![("true".into(), desk.t("Yes")), ("false".into(), desk.t("No"))],
            Kind::Lookup([target]) => offered(desk, target).await?,
            _ => Vec::new(),
        };
        if matches!(column.kind, Kind::Lookup(_)) {
            options.insert(0, (String::new(), desk.t("none")));
        }
        let option = |(value, text): (String, String)| {
            let here = now == Some(value.as_str());
            (format!("{name}:{value}"), text, here)
        };
        let options = options.into_iter().map(option).collect();
        filters.push(FilterBy { column: name, label: desk.t(column.label), options });
    }
    Ok(filters)
}

async fn offered(desk: &Desk, target: &str) -> Result<Vec<(String, String)>, Fault> {
    let Some((table, name)) = model::tables::by_logical_name(target).and_then(|t| t.name.map(|n| (t, n))) else {
        return Ok(Vec::new());
    };
    if !permitted(&desk.ctx, Wish::Read(table)) {
        return Ok(Vec::new());
    }
    let mut query = Query::table(table).limit(MOST_OFFERED).filter(Filter::All);
    query.select = vec![name];
    query.order = vec![model::Order { column: name.into(), descending: false }];
    let rows = actions::list(&desk.ctx, query).await?;
    Ok(rows.iter().map(|r| (r.id.to_string(), r.get(name).as_text().unwrap_or("").to_owned())).collect())
}
