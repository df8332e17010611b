//! What a role grants, as the reference product shows it: tables down, rights
//! across, and in each cell how far the right reaches. A depth is a shape and
//! a word, never a colour alone.

use std::collections::BTreeMap;

use actions::access::explain::Explanation;
use actions::security::{Depth, Granted, Right};
use actions::{secured_tables, special_privileges, table_privileges};
use model::Id;
use model::Table;

use crate::pages::kit::{Choice, Desk, Form};

/// A depth as it is shown.
pub(super) struct Shown {
    pub mask: i64,
    pub shape: &'static str,
    pub label: String,
    /// As in `depth-1`.
    pub class: &'static str,
}

const SHAPES: [(i64, &str, &str); 5] =
    [(0, "○", "none"), (1, "◔", "user"), (2, "◑", "unit"), (4, "◕", "deep"), (8, "●", "all")];

/// The labels are those of [`Depth::label`].
fn words(mask: i64) -> &'static str {
    Depth::from_mask(mask).map_or("None Selected", Depth::label)
}

pub(super) fn shown(desk: &Desk, mask: i64) -> Shown {
    let (_, shape, class) = SHAPES.into_iter().find(|(m, ..)| *m == mask).unwrap_or(SHAPES[0]);
    Shown { mask, shape, label: desk.viewer.texts.text(words(mask)).to_owned(), class }
}

/// The key to the shapes.
pub(super) fn key(desk: &Desk) -> Vec<Shown> {
    SHAPES.into_iter().map(|(mask, ..)| shown(desk, mask)).collect()
}

pub(super) struct Cell {
    /// Of the form; empty where the right does not exist.
    pub name: String,
    /// What is read out: `Read, Mailbox`.
    pub title: String,
    pub shown: Shown,
    pub choices: Vec<Choice>,
}

impl Cell {
    pub fn exists(&self) -> bool {
        !self.name.is_empty()
    }

    pub fn is(&self, mask: &str) -> bool {
        mask == self.shown.mask.to_string()
    }
}

pub(super) struct Line {
    pub label: String,
    pub cells: Vec<Cell>,
}

/// `EmailServerProfile` → `Email Server Profile`, `pr_ApiToken` → `Api Token`
pub(super) fn table_words(table: &Table) -> String {
    crate::api::metadata_words(table.schema)
}

pub(super) fn right_words(right: Right) -> &'static str {
    match right {
        Right::AppendTo => "Append To",
        other => other.as_str(),
    }
}

/// The headings of the columns.
pub(super) fn rights(desk: &Desk) -> Vec<String> {
    Right::ALL.into_iter().map(|right| desk.viewer.texts.text(right_words(right)).to_owned()).collect()
}

fn choice(desk: &Desk, mask: i64) -> Choice {
    let shown = shown(desk, mask);
    Choice::new(mask.to_string(), format!("{} {}", shown.shape, shown.label))
}

/// The tables' part of a role.
pub(super) fn of_role(desk: &Desk, granted: &[Granted]) -> Vec<Line> {
    let held: BTreeMap<Id, i64> = granted.iter().map(|g| (g.privilege, g.depth.mask())).collect();
    let mut lines: Vec<Line> = secured_tables()
        .map(|table| {
            let label = desk.viewer.texts.text(&table_words(table)).to_owned();
            let privileges = table_privileges(table);
            let cell = |right: Right| {
                let title = format!("{}, {label}", desk.viewer.texts.text(right_words(right)));
                let Some(privilege) = privileges.iter().find(|p| p.right == right.as_str()) else {
                    return Cell { name: String::new(), title, shown: shown(desk, 0), choices: Vec::new() };
                };
                let depths = [(1, privilege.basic), (2, privilege.local), (4, privilege.deep), (8, privilege.global)];
                let there = depths.into_iter().filter(|(_, there)| *there).map(|(mask, _)| mask);
                Cell {
                    name: format!("p.{}", privilege.id),
                    title,
                    shown: shown(desk, held.get(&privilege.id).copied().unwrap_or(0)),
                    choices: std::iter::once(0).chain(there).map(|mask| choice(desk, mask)).collect(),
                }
            };
            Line { cells: Right::ALL.into_iter().map(cell).collect(), label }
        })
        .collect();
    lines.sort_by(|a, b| a.label.cmp(&b.label));
    lines
}

/// The privileges that concern no table, each a line of one cell.
pub(super) fn specials_of_role(desk: &Desk, granted: &[Granted]) -> Vec<Line> {
    let held: BTreeMap<Id, i64> = granted.iter().map(|g| (g.privilege, g.depth.mask())).collect();
    let line = |privilege: actions::SpecialPrivilege| {
        let label = desk.viewer.texts.text(privilege.label).to_owned();
        let masks = std::iter::once(0).chain(privilege.depths.iter().map(|d| d.mask()));
        let cell = Cell {
            name: format!("p.{}", privilege.id),
            title: label.clone(),
            shown: shown(desk, held.get(&privilege.id).copied().unwrap_or(0)),
            choices: masks.map(|mask| choice(desk, mask)).collect(),
        };
        Line { label, cells: vec![cell] }
    };
    special_privileges().into_iter().map(line).collect()
}

/// What a user may do, all roles together.
pub(super) fn of_explanation(desk: &Desk, found: &Explanation) -> Vec<Line> {
    let mut lines: Vec<Line> = found
        .tables
        .iter()
        .map(|row| {
            let label = desk.viewer.texts.text(&table_words(row.table)).to_owned();
            let exists = table_privileges(row.table);
            let cell = |right: Right| {
                let there = exists.iter().any(|p| p.right == right.as_str());
                Cell {
                    name: if there { right.as_str().to_owned() } else { String::new() },
                    title: format!("{}, {label}", desk.viewer.texts.text(right_words(right))),
                    shown: shown(desk, row.rights.get(&right).map_or(0, |depth| depth.mask())),
                    choices: Vec::new(),
                }
            };
            Line { cells: Right::ALL.into_iter().map(cell).collect(), label }
        })
        .collect();
    lines.sort_by(|a, b| a.label.cmp(&b.label));
    lines
}

/// What the form of the matrix says: privileges with their depths.
pub(super) fn read(form: &Form) -> Vec<(Id, Depth)> {
    let pair = |name: &str| {
        let id = name.strip_prefix("p.")?.parse().ok()?;
        Some((id, Depth::from_mask(form.number(name)?)?))
    };
    form.names().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_which_privileges_there_are_and_how_far() {
        let id = "0193b0a0-0000-7000-8000-000000000001";
        let other = "0193b0a0-0000-7000-8000-000000000002";
        let form = Form::of(&format!("p.{id}=4&p.{other}=0&name=x&p.nonsense=8&p.{other}x=1")).ok().unwrap();
        assert_eq!(read(&form), [(id.parse().unwrap(), Depth::Deep)]);
    }

    #[test]
    fn every_depth_has_a_shape_and_words_of_its_own() {
        let mut all: Vec<&str> = SHAPES.iter().map(|(_, shape, _)| *shape).collect();
        all.extend(SHAPES.iter().map(|(mask, ..)| words(*mask)));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 10);
    }
}
