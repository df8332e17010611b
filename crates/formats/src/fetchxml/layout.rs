//! The layout of a view: its columns, in their order, and how wide they are.
//! Whatever stands there, a layout comes out; what is no column is left out.

use std::collections::BTreeSet;

use model::Table;

use super::xml::{self, Element};
use crate::odata::resolve;

/// Pixels of a column that does not say.
pub const WIDTH: u16 = 150;
const WIDEST: u16 = 1000;
/// Columns at most.
pub const MOST: usize = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// `name`, or `alias.name` of a link.
    pub column: String,
    pub width: u16,
}

impl Cell {
    pub fn new(column: impl Into<String>) -> Self {
        Self { column: column.into(), width: WIDTH }
    }
}

/// The cells of a layout. Empty where the text is none.
pub fn read(table: &'static Table, xml: &str) -> Vec<Cell> {
    let Ok(grid) = xml::read(xml) else { return Vec::new() };
    let mut cells = Vec::new();
    collect(&grid, &mut cells);
    let mut seen = BTreeSet::new();
    let known = |c: &Cell| c.column.contains('.') || resolve::attribute(table, &c.column).is_some();
    cells.retain(|cell| known(cell) && seen.insert(cell.column.clone()));
    cells.truncate(MOST);
    cells
}

fn collect(element: &Element, cells: &mut Vec<Cell>) {
    if element.name == "cell" && element.get("ishidden").is_none_or(|h| h == "0" || h == "false") {
        let width = element.get("width").and_then(|w| w.trim().parse().ok()).unwrap_or(WIDTH);
        if let Some(name) = element.get("name").filter(|n| !n.is_empty() && n.len() <= 200) {
            cells.push(Cell { column: name.to_owned(), width: width.clamp(20, WIDEST) });
        }
    }
    element.children.iter().for_each(|child| collect(child, cells));
}

/// The layout of these cells.
pub fn write(table: &Table, cells: &[Cell]) -> String {
    let mut row = Element::new("row").with("name", "result").with("id", table.id);
    for cell in cells {
        let element = Element::new("cell").with("name", cell.column.as_str()).with("width", cell.width.to_string());
        row.children.push(element);
    }
    let mut grid = Element::new("grid")
        .with("name", "resultset")
        .with("object", table.code.to_string())
        .with("jump", table.name.unwrap_or(table.id))
        .with("select", "1")
        .with("icon", "1")
        .with("preview", "1");
    grid.children.push(row);
    let mut out = String::new();
    grid.write(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use model::tables;

    use super::*;

    #[track_caller]
    fn check(xml: &str, expected: &str) {
        let table = tables::by_logical_name("mailbox").unwrap();
        let cells = read(table, xml);
        let line: Vec<String> = cells.iter().map(|c| format!("{} {}", c.column, c.width)).collect();
        assert_eq!(line.join(", "), expected);
        assert_eq!(read(table, &write(table, &cells)), cells);
    }

    #[test]
    fn cells() {
        check(
            "<grid><row><cell name='name' width='300'/><cell name='p.name'/><cell name='ownerid' width='x'/></row></grid>",
            "name 300, p.name 150, ownerid 150",
        );
    }
    #[test]
    fn what_is_no_column_is_left_out() {
        check(
            "<grid><row><cell name='nonsense'/><cell/><cell name='password'/><cell name='name'/><cell name='name'/></row></grid>",
            "name 150",
        );
        check("<grid><row><cell name='name' ishidden='1'/></row></grid>", "");
    }
    #[test]
    fn no_layout() {
        check("", "");
        check("<grid", "");
        check("no xml", "");
    }
    #[test]
    fn widths_are_sensible() {
        check(
            "<grid><cell name='name' width='1'/><cell name='ownerid' width='60000'/></grid>",
            "name 20, ownerid 1000",
        );
    }
}
