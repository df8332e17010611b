//! WHERE. NOT is carried inwards, so that what it stands before is turned
//! and an absent value still makes nothing true.

use model::query::{Compare, Filter, TextMatch};
use model::table::Kind;

use super::lexer::Token;
use super::{Parser, Place};
use crate::fetchxml::FetchError;
use crate::odata::crm::{self, Fault};
use crate::odata::excerpt;
use crate::odata::literal::given;
use crate::odata::resolve::Found;

const DEEPEST: usize = 50;
const MOST: usize = 500;
const MOST_WILD: usize = 16;

impl Parser<'_> {
    /// A condition, or what is true where it is false.
    pub(super) fn condition(&mut self, not: bool) -> Result<Filter, FetchError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FetchError::invalid("The WHERE clause is nested too deeply."));
        }
        let mut parts = vec![self.conjunction(not)?];
        while self.accept("or") {
            parts.push(self.conjunction(not)?);
        }
        self.depth -= 1;
        Ok(joined(parts, not))
    }

    fn conjunction(&mut self, not: bool) -> Result<Filter, FetchError> {
        let mut parts = vec![self.negation(not)?];
        while self.accept("and") {
            parts.push(self.negation(not)?);
        }
        Ok(joined(parts, !not))
    }

    fn negation(&mut self, mut not: bool) -> Result<Filter, FetchError> {
        while self.accept("not") {
            not = !not;
        }
        if self.sign("(") {
            if self.is("select") {
                return Err(FetchError::invalid("Subqueries are not supported in SQL; use JOIN."));
            }
            let inner = self.condition(not)?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        self.atom(not)
    }

    fn atom(&mut self, not: bool) -> Result<Filter, FetchError> {
        self.conditions += 1;
        if self.conditions > MOST {
            return Err(FetchError::invalid(format!("The WHERE clause has more than {MOST} conditions.")));
        }
        let place = self.place()?;
        let found = Found { path: place.column.into(), column: place.declared, guards: Vec::new() };
        if self.accept("is") {
            let not = not != self.accept("not");
            self.expect("null")?;
            let absent = Filter::IsNull(found.path);
            return Ok(of(&place, if not { Filter::Not(Box::new(absent)) } else { absent }));
        }
        let not = not != self.accept("not");
        let filter = if self.accept("like") {
            self.like(&place, &found)?
        } else if self.accept("in") {
            self.list(&found)?
        } else if self.accept("between") {
            let low = self.value()?;
            self.expect("and")?;
            let high = self.value()?;
            self.crm("Between", &found, &[low, high])?
        } else {
            return self.comparison(&place, &found, not);
        };
        Ok(of(&place, if not { there(&found, Filter::Not(Box::new(filter))) } else { filter }))
    }

    fn comparison(&mut self, place: &Place, found: &Found, not: bool) -> Result<Filter, FetchError> {
        let compare = match self.peek() {
            Some(Token::Sign("=")) => Compare::Equal,
            Some(Token::Sign("<>")) => Compare::NotEqual,
            Some(Token::Sign("<")) => Compare::Less,
            Some(Token::Sign("<=")) => Compare::LessOrEqual,
            Some(Token::Sign(">")) => Compare::Greater,
            Some(Token::Sign(">=")) => Compare::GreaterOrEqual,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        let compare = if not { opposite(compare) } else { compare };
        let ordered = !matches!(compare, Compare::Equal | Compare::NotEqual);
        let kind = found.column.map(|c| c.kind);
        if ordered && matches!(kind, None | Some(Kind::Bool | Kind::Id | Kind::Lookup(_))) {
            return Err(FetchError::invalid(format!("'{}' has no order; it takes = and <>.", place.column)));
        }
        let is_column = match self.peek() {
            Some(Token::Word(word)) => !matches!(word.as_str(), "null" | "true" | "false"),
            Some(Token::Quoted(_)) => true,
            _ => false,
        };
        if is_column {
            return self.columns(place, found, compare);
        }
        let text = self.value()?;
        let value = given(found, &text).ok_or_else(|| FetchError::invalid(crm::wanted(found, &text)))?;
        let filter = Filter::Compare(found.path.clone(), compare, value);
        let filter = if compare == Compare::NotEqual { there(found, filter) } else { filter };
        Ok(of(place, filter))
    }

    fn columns(&mut self, place: &Place, found: &Found, compare: Compare) -> Result<Filter, FetchError> {
        let right = self.place()?;
        let other = Found { path: right.column.into(), column: right.declared, guards: Vec::new() };
        if found.type_name() != other.type_name() {
            return Err(FetchError::invalid(format!(
                "'{}' and '{}' cannot be compared: they are of type {} and {}.",
                place.column,
                right.column,
                found.type_name(),
                other.type_name()
            )));
        }
        let sides = [of(place, there_only(found)), of(&right, there_only(&other))];
        let across =
            Filter::Across { left: (place.alias.clone(), place.column), compare, right: (right.alias, right.column) };
        if compare != Compare::NotEqual {
            return Ok(across);
        }
        let [left, right] = sides;
        Ok(Filter::And(vec![left, right, across]))
    }

    fn like(&mut self, place: &Place, found: &Found) -> Result<Filter, FetchError> {
        let pattern = self.value()?;
        if !matches!(found.column.map(|c| c.kind), Some(Kind::Text { .. } | Kind::Email { .. } | Kind::Memo)) {
            return Err(FetchError::invalid(format!("LIKE: '{}' holds no text.", place.column)));
        }
        if pattern.chars().filter(|c| matches!(c, '%' | '[')).count() > MOST_WILD {
            return Err(FetchError::invalid(format!("LIKE: the pattern has more than {MOST_WILD} wild cards.")));
        }
        Ok(Filter::Text(found.path.clone(), TextMatch::Like, pattern))
    }

    fn list(&mut self, found: &Found) -> Result<Filter, FetchError> {
        self.expect_sign("(")?;
        if self.is("select") {
            return Err(FetchError::invalid("Subqueries are not supported in SQL; use JOIN."));
        }
        let mut values = vec![self.value()?];
        while self.sign(",") {
            values.push(self.value()?);
        }
        self.expect_sign(")")?;
        self.crm("In", found, &values)
    }

    fn crm(&self, name: &str, found: &Found, values: &[String]) -> Result<Filter, FetchError> {
        crm::condition(name, found, values, self.asker).map_err(|fault| match fault {
            Fault::Value(n) => FetchError::invalid(crm::wanted(found, values.get(n).map_or("", String::as_str))),
            Fault::Said(message) => FetchError::invalid(format!("{}: {message}", name.to_ascii_uppercase())),
            Fault::Unknown => FetchError::invalid(format!("{} is not supported.", excerpt(name))),
        })
    }

    fn value(&mut self) -> Result<String, FetchError> {
        let value = match self.peek() {
            Some(Token::Text(text) | Token::Number(text)) => text.clone(),
            Some(Token::Word(word)) if matches!(word.as_str(), "true" | "false") => word.clone(),
            Some(Token::Word(word)) if word == "null" => {
                return Err(FetchError::invalid("Nothing compares with NULL; use IS NULL and IS NOT NULL."));
            }
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(value)
    }
}

fn joined(mut parts: Vec<Filter>, and: bool) -> Filter {
    match parts.len() {
        1 => parts.pop().unwrap_or(Filter::All),
        _ if and => Filter::And(parts),
        _ => Filter::Or(parts),
    }
}

/// On the row of the table that the place names.
fn of(place: &Place, filter: Filter) -> Filter {
    if place.alias.is_empty() { filter } else { Filter::Of(place.alias.clone(), Box::new(filter)) }
}

fn there_only(found: &Found) -> Filter {
    Filter::Not(Box::new(Filter::IsNull(found.path.clone())))
}

fn there(found: &Found, filter: Filter) -> Filter {
    there_only(found).and(filter)
}

fn opposite(compare: Compare) -> Compare {
    match compare {
        Compare::Equal => Compare::NotEqual,
        Compare::NotEqual => Compare::Equal,
        Compare::Less => Compare::GreaterOrEqual,
        Compare::LessOrEqual => Compare::Greater,
        Compare::Greater => Compare::LessOrEqual,
        Compare::GreaterOrEqual => Compare::Less,
    }
}
