//! Columns that not everybody may read, in questions: a condition, an order
//! or a group must not tell what reading does not. (Rows that may not be read
//! are kept out by the store, wherever a question reaches them.)

use std::collections::{BTreeMap, BTreeSet};

use model::fetch::{By, Link, Source, What};
use model::query::Path;
use model::{Fetch, Filter, Kind, Query, Table, tables, words};
use rules::access::{Depth, Right, Special, fields, filter};

use crate::access::columns;
use crate::context::Context;
use crate::error::ActionError;

/// The query, limited to what the actor may read.
pub(crate) fn narrowed(ctx: &Context, mut query: Query) -> Result<Query, ActionError> {
    if !ctx.principal.administrator {
        let mut needed = Needed::default();
        needed.filter(ctx, query.table, &query.filter, false)?;
        for order in &query.order {
            needed.path(ctx, query.table, &order.column, false)?;
        }
        // Rows whose withheld columns are asked about must be such of which
        // they may be read.
        for special in needed.special {
            let limit = rows_of(ctx, query.table, special);
            query = query.filter(limit);
        }
        columns::with_owner(ctx, query.table, &mut query.select);
    }
    crate::fetch::limited(ctx, query)
}

/// The same for a question over several tables: what may not be read of all
/// rows is not shown, and nothing can be asked about it.
pub(crate) fn fetched(ctx: &Context, mut fetch: Fetch) -> Result<Fetch, ActionError> {
    if ctx.principal.administrator {
        return Ok(fetch);
    }
    let names = fetch.sources().into_iter().map(|s| (s.alias.clone(), s.table)).collect();
    let mut needed = Needed { names, ..Needed::default() };
    for sort in &fetch.order {
        if let (By::Column(name), Some(source)) = (&sort.by, fetch.source(&sort.of)) {
            needed.column(ctx, source.table, name, true)?;
        }
    }
    let plain = fetch.is_plain();
    needed.source(ctx, &mut fetch.root, plain)?;
    Ok(fetch)
}

#[derive(Default)]
struct Needed {
    /// Special privileges that the rows of the question's own table need.
    special: BTreeSet<Special>,
    /// The tables behind the names of a question over several.
    names: BTreeMap<String, &'static Table>,
}

impl Needed {
    fn named(&self, name: &str, otherwise: &'static Table) -> &'static Table {
        self.names.get(name).copied().unwrap_or(otherwise)
    }

    fn filter(
        &mut self,
        ctx: &Context,
        table: &'static Table,
        asked: &Filter,
        behind: bool,
    ) -> Result<(), ActionError> {
        match asked {
            Filter::All => Ok(()),
            Filter::And(all) | Filter::Or(all) => all.iter().try_for_each(|f| self.filter(ctx, table, f, behind)),
            Filter::Not(inner) => self.filter(ctx, table, inner, behind),
            Filter::Any { table, filter, .. } => self.filter(ctx, table, filter, true),
            Filter::Within { path, table: other, filter, .. } => {
                self.path(ctx, table, path, behind)?;
                self.filter(ctx, other, filter, true)
            }
            Filter::Columns(left, _, right) => {
                self.path(ctx, table, left, behind)?;
                self.path(ctx, table, right, behind)
            }
            Filter::Compare(path, ..)
            | Filter::IsNull(path)
            | Filter::In(path, _)
            | Filter::Text(path, ..)
            | Filter::Bits(path, _) => self.path(ctx, table, path, behind),
            Filter::Linked(link) => self.linked(ctx, table, link),
            Filter::Of(name, inner) => self.filter(ctx, self.named(name, table), inner, true),
            Filter::Across { left, right, .. } => {
                self.column(ctx, self.named(&left.0, table), left.1, true)?;
                self.column(ctx, self.named(&right.0, table), right.1, true)
            }
        }
    }

    /// What ties rows together tells what stands there as a condition does.
    fn linked(&mut self, ctx: &Context, table: &'static Table, link: &Link) -> Result<(), ActionError> {
        self.column(ctx, table, link.to, true)?;
        self.column(ctx, link.source.table, link.from, true)?;
        self.filter(ctx, link.source.table, &link.source.filter, true)?;
        link.source.links.iter().try_for_each(|inner| self.linked(ctx, link.source.table, inner))
    }

    fn path(&mut self, ctx: &Context, table: &'static Table, path: &Path, behind: bool) -> Result<(), ActionError> {
        let mut here = vec![table];
        for lookup in &path.lookups {
            let columns = here.iter().filter_map(|t| t.column(lookup));
            let targets = columns.flat_map(|c| if let Kind::Lookup(targets) = c.kind { targets } else { &[] });
            here = targets.filter_map(|t| tables::by_logical_name(t)).collect();
        }
        let behind = behind || !path.lookups.is_empty();
        here.into_iter().try_for_each(|end| self.column(ctx, end, path.column, behind))
    }

    /// Refused, or noted as one that only some rows may be asked for.
    fn column(
        &mut self,
        ctx: &Context,
        table: &'static Table,
        name: &'static str,
        behind: bool,
    ) -> Result<(), ActionError> {
        let Some(special) = withheld(ctx, table, name) else { return Ok(()) };
        if !behind && ctx.principal.reach(special.name()).is_some() {
            self.special.insert(special);
            return Ok(());
        }
        if special == Special::ReadEmailContent {
            return Err(fields::content_refused(&ctx.principal, table, name).into());
        }
        Err(fields::refused(&ctx.principal, table, name, words!("search")).into())
    }

    fn source(&mut self, ctx: &Context, source: &mut Source, plain: bool) -> Result<(), ActionError> {
        let table = source.table;
        self.filter(ctx, table, &source.filter, true)?;
        if plain {
            source.picks.retain(|pick| withheld(ctx, table, pick.column).is_none() || pick.what != What::Value);
        }
        for pick in &source.picks {
            self.column(ctx, table, pick.column, true)?;
        }
        source.links.iter_mut().try_for_each(|link| {
            self.column(ctx, table, link.to, true)?;
            self.column(ctx, link.source.table, link.from, true)?;
            self.source(ctx, &mut link.source, plain)
        })
    }
}

/// The privilege that the column takes, where the actor may not read it of
/// every row that they may read.
fn withheld(ctx: &Context, table: &'static Table, name: &str) -> Option<Special> {
    let principal = &ctx.principal;
    let special = if fields::is_secured(table, name) && !fields::by_profile(principal, table, name).read {
        Special::ManageCredentials
    } else if fields::is_content(table, name) {
        Special::ReadEmailContent
    } else {
        return None;
    };
    let Ok(reads) = principal.granted(Right::Read, table) else { return Some(special) };
    let whole = principal.reach(special.name()).is_some_and(|reach| {
        reach.depth == Depth::Global || (reach.depth >= reads.depth && reach.units.is_superset(&reads.units))
    });
    (!whole).then_some(special)
}

fn rows_of(ctx: &Context, table: &'static Table, special: Special) -> Filter {
    match ctx.principal.reach(special.name()) {
        Some(reach) => filter::covered(&ctx.principal, table, reach),
        None => Filter::Or(Vec::new()),
    }
}
