//! SELECT … FROM … JOIN …

use model::fetch::{Aggregate, Link, LinkKind, Pick, Source, What};
use model::table::Kind;
use model::{Fetch, Table, tables};

use super::lexer::Token;
use super::{KEYWORDS, Parser};
use crate::fetched;
use crate::fetchxml::FetchError;
use crate::fetchxml::link::family;

const MOST_JOINS: usize = 15;
const MOST_COLUMNS: usize = 500;

/// What is selected, before the tables are known.
struct Item {
    /// Where its column's name stands among the tokens; `None`: `COUNT(*)`.
    at: Option<usize>,
    aggregate: Option<Aggregate>,
    alias: Option<String>,
}

impl Parser<'_> {
    pub(super) fn select(&mut self) -> Result<Fetch, FetchError> {
        self.expect("select")?;
        let distinct = self.accept("distinct");
        let top = if self.accept("top") { Some(self.top()?) } else { None };
        let items = self.items()?;
        self.expect("from")?;
        let (table, alias) = self.table()?;
        self.names.push((alias, table));
        let mut fetch = Fetch::of(table);
        fetch.distinct = distinct;
        fetch.top = top;
        while self.join(&mut fetch.root)? {}
        self.picks(items, &mut fetch)?;
        if self.accept("where") {
            fetch.root.filter = self.condition(false)?;
        }
        let reckons = fetch.picks().iter().any(|(_, p)| p.what != What::Value);
        if self.accept("group") {
            self.expect("by")?;
            self.group(&fetch)?;
            fetch.aggregate = true;
        } else if reckons {
            if fetch.picks().iter().any(|(_, p)| p.what == What::Value) {
                return Err(FetchError::invalid("Columns beside an aggregate need GROUP BY."));
            }
            fetch.aggregate = true;
        }
        if self.accept("order") {
            self.expect("by")?;
            self.order(&mut fetch)?;
        }
        if self.accept("offset") {
            self.offset(&mut fetch)?;
        }
        self.sign(";");
        if self.at < self.tokens.len() {
            return Err(self.unexpected());
        }
        Ok(fetch)
    }

    fn top(&mut self) -> Result<usize, FetchError> {
        let parenthesis = self.sign("(");
        let top = self.number()?;
        if parenthesis {
            self.expect_sign(")")?;
        }
        match usize::try_from(top) {
            Ok(top) if top <= model::fetch::LARGEST_PAGE => Ok(top),
            _ => Err(FetchError::invalid(format!("TOP takes a number from 0 to {}.", model::fetch::LARGEST_PAGE))),
        }
    }

    fn items(&mut self) -> Result<Vec<Item>, FetchError> {
        let mut items = Vec::new();
        loop {
            if items.len() >= MOST_COLUMNS {
                return Err(FetchError::invalid(format!("SELECT takes {MOST_COLUMNS} columns at most.")));
            }
            items.push(self.item()?);
            if !self.sign(",") {
                return Ok(items);
            }
        }
    }

    fn item(&mut self) -> Result<Item, FetchError> {
        if self.sign("*") {
            return Err(FetchError::invalid("SELECT * is not supported: name the columns."));
        }
        let called = matches!(self.tokens.get(self.at + 1), Some(Token::Sign("(")));
        let (at, aggregate) = if called { self.call()? } else { (Some(self.skip_place()?), None) };
        let named = self.accept("as");
        let alias = match self.peek() {
            Some(Token::Word(word)) if !KEYWORDS.contains(&word.as_str()) => Some(word.clone()),
            Some(Token::Quoted(name) | Token::Text(name)) => Some(name.clone()),
            _ if named => return Err(self.unexpected()),
            _ => None,
        };
        self.at += usize::from(alias.is_some());
        Ok(Item { at, aggregate, alias })
    }

    /// `COUNT(*)`, `COUNT(DISTINCT x)`, `SUM(x)`, …
    fn call(&mut self) -> Result<(Option<usize>, Option<Aggregate>), FetchError> {
        let Some(Token::Word(name)) = self.peek().cloned() else { return Err(self.unexpected()) };
        self.at += 2;
        if name == "count" && self.sign("*") {
            self.expect_sign(")")?;
            return Ok((None, Some(Aggregate::Count)));
        }
        let distinct = self.accept("distinct");
        let aggregate = match (name.as_str(), distinct) {
            ("count", false) => Aggregate::CountColumn,
            ("count", true) => Aggregate::CountDistinct,
            ("sum", false) => Aggregate::Sum,
            ("avg", false) => Aggregate::Average,
            ("min", _) => Aggregate::Minimum,
            ("max", _) => Aggregate::Maximum,
            _ => {
                let message = "The functions of SQL here are COUNT, SUM, AVG, MIN and MAX of a column.";
                return Err(FetchError::invalid(message));
            }
        };
        let at = self.skip_place()?;
        self.expect_sign(")")?;
        Ok((Some(at), Some(aggregate)))
    }

    /// Passes over a column's name; where it stands.
    fn skip_place(&mut self) -> Result<usize, FetchError> {
        let at = self.at;
        self.name()?;
        if self.sign(".") {
            if self.sign("*") {
                return Err(FetchError::invalid("SELECT * is not supported: name the columns."));
            }
            self.name()?;
        }
        Ok(at)
    }

    /// A table and the name by which it goes.
    fn table(&mut self) -> Result<(&'static Table, String), FetchError> {
        let mut name = self.name()?;
        if name == "dbo" && self.sign(".") {
            name = self.name()?;
        }
        let table = tables::by_logical_name(&name).filter(|t| t.on_wire).ok_or_else(|| FetchError::no_entity(&name))?;
        let named = self.accept("as");
        let alias = match self.peek() {
            Some(Token::Word(word)) if !KEYWORDS.contains(&word.as_str()) => word.clone(),
            Some(Token::Quoted(name)) => name.to_ascii_lowercase(),
            _ if named => return Err(self.unexpected()),
            _ => return Ok((table, name)),
        };
        self.at += 1;
        Ok((table, alias))
    }

    /// The next join, if there is one.
    fn join(&mut self, root: &mut Source) -> Result<bool, FetchError> {
        let kind = if self.accept("left") {
            self.accept("outer");
            LinkKind::Outer
        } else if self.accept("inner") || self.is("join") {
            LinkKind::Inner
        } else if self.sign(",") {
            return Err(FetchError::invalid("Tables are joined with JOIN … ON, not with commas."));
        } else {
            return Ok(false);
        };
        self.expect("join")?;
        let (table, alias) = self.table()?;
        if self.names.iter().any(|(name, _)| *name == alias) {
            return Err(FetchError::invalid(format!("The table '{alias}' stands there twice; give one an alias.")));
        }
        if self.names.len() > MOST_JOINS {
            return Err(FetchError::invalid(format!("There are more than {MOST_JOINS} joins.")));
        }
        self.names.push((alias.clone(), table));
        self.expect("on")?;
        let left = self.place()?;
        self.expect_sign("=")?;
        let right = self.place()?;
        if self.is("and") || self.is("or") {
            return Err(FetchError::invalid("ON takes one equality of two columns; put other conditions in WHERE."));
        }
        let (own, other) = if left.alias == alias { (left, right) } else { (right, left) };
        if own.alias != alias || other.alias == alias {
            return Err(FetchError::invalid(format!(
                "ON must compare a column of '{alias}' with one of a table before it."
            )));
        }
        if family(own.declared) != family(other.declared) {
            return Err(FetchError::invalid(format!(
                "'{}' and '{}' cannot be joined: they hold different types.",
                own.column, other.column
            )));
        }
        let link = Link { kind, from: own.column, to: other.column, source: Source::of(table, alias) };
        hang(root, &other.alias, link);
        Ok(true)
    }

    /// What is selected, now that the tables are known.
    fn picks(&mut self, items: Vec<Item>, fetch: &mut Fetch) -> Result<(), FetchError> {
        let back = self.at;
        let mut taken: Vec<String> = Vec::new();
        for item in items {
            let (alias, column, declared) = match item.at {
                None => (String::new(), fetch.root.table.id, None),
                Some(at) => {
                    self.at = at;
                    let place = self.place()?;
                    (place.alias, place.column, place.declared)
                }
            };
            if let Some(aggregate) = item.aggregate {
                fetched::fits(aggregate, column, declared).map_err(FetchError::invalid)?;
            }
            let lookup = matches!(declared.map(|c| c.kind), Some(Kind::Lookup(_)));
            let shown = if lookup { format!("_{column}_value") } else { column.to_owned() };
            let name = match (item.alias, item.aggregate) {
                (Some(name), _) => name,
                (None, Some(_)) => format!("column{}", taken.len() + 1),
                (None, None) if taken.contains(&shown) && !alias.is_empty() => format!("{alias}.{column}"),
                (None, None) => shown,
            };
            taken.push(name.clone());
            let what = item.aggregate.map_or(What::Value, What::Reckoned);
            let source = source_mut(&mut fetch.root, &alias).ok_or_else(|| self.unexpected())?;
            source.picks.push(Pick { column, name, what });
        }
        self.at = back;
        Ok(())
    }
}

fn source_mut<'s>(source: &'s mut Source, alias: &str) -> Option<&'s mut Source> {
    if source.alias == alias {
        return Some(source);
    }
    source.links.iter_mut().find_map(|link| source_mut(&mut link.source, alias))
}

/// Hangs the link on the source with this alias. Rows that an inner join
/// needs cannot be missing further up: there, SQL joins one after the other.
fn hang(source: &mut Source, alias: &str, link: Link) -> bool {
    if source.alias == alias {
        source.links.push(link);
        return true;
    }
    let inner = link.kind == LinkKind::Inner;
    for next in &mut source.links {
        if hang(&mut next.source, alias, link.clone()) {
            if inner {
                next.kind = LinkKind::Inner;
            }
            return true;
        }
    }
    false
}
