//! What holds for a query over several tables, whichever language asks it.

use std::collections::BTreeSet;

use model::fetch::{Aggregate, By, What};
use model::table::Kind;
use model::{Column, Fetch};

/// Whether the query makes sense as a whole; why not.
pub(crate) fn check(fetch: &Fetch) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for (_, pick) in fetch.picks() {
        if !names.insert(pick.name.as_str()) {
            return Err(format!("'{}' stands for two values of a row; give one of them another alias.", pick.name));
        }
    }
    if names.is_empty() && !fetch.is_plain() {
        return Err("An aggregate, and a query for distinct rows, must name the columns that it returns.".into());
    }
    for sort in &fetch.order {
        match &sort.by {
            By::Pick(name) if fetch.pick(name).is_none() => {
                return Err(format!("Rows cannot be sorted by '{name}': the query returns nothing by this name."));
            }
            By::Column(column) if fetch.aggregate => {
                let source = fetch.source(&sort.of);
                let grouped =
                    source.is_some_and(|s| s.picks.iter().any(|p| p.column == *column && p.what == What::Value));
                if !grouped {
                    return Err(format!(
                        "Groups cannot be sorted by '{column}', which they are not grouped by. Sort by an alias."
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a column can be reckoned with so.
pub(crate) fn fits(aggregate: Aggregate, name: &str, column: Option<&'static Column>) -> Result<(), String> {
    let kind = column.map(|c| c.kind);
    let number = matches!(kind, Some(Kind::Int { .. } | Kind::BigInt));
    let (ok, what) = match aggregate {
        Aggregate::Count | Aggregate::CountColumn | Aggregate::CountDistinct => (true, ""),
        Aggregate::Sum | Aggregate::Average => (number, "whole numbers"),
        Aggregate::Minimum | Aggregate::Maximum => {
            (number || matches!(kind, Some(Kind::Time)), "whole numbers and dates")
        }
    };
    if ok { Ok(()) } else { Err(format!("'{name}' cannot be reckoned with: this aggregate is for {what}.")) }
}
