//! The SQL that `sql=` takes: reading alone, columns by name, joins by one
//! equality. It becomes the same question as FetchXML, with SQL's own notion
//! of what is absent: no comparison with it is true.

mod condition;
mod lexer;
mod select;

use model::fetch::{By, LARGEST_PAGE, Sort, What};
use model::{Column, Fetch, Table};

use crate::fetched;
use crate::fetchxml::FetchError;
use crate::odata::{Asker, excerpt, resolve};
use lexer::Token;

/// Reads one SELECT.
///
/// # Errors
/// Whatever is not as it should be, with what to do about it.
pub fn read(text: &str, asker: &Asker) -> Result<Fetch, FetchError> {
    let tokens = lexer::tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, conditions: 0, asker, names: Vec::new() };
    let fetch = parser.select()?;
    fetched::check(&fetch).map_err(FetchError::invalid)?;
    Ok(fetch)
}

/// Words that are no alias.
const KEYWORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "outer",
    "join",
    "on",
    "group",
    "order",
    "by",
    "and",
    "or",
    "not",
    "having",
    "union",
    "offset",
    "fetch",
    "as",
    "asc",
    "desc",
    "in",
    "is",
    "like",
    "between",
    "top",
    "distinct",
    "with",
    "into",
    "except",
    "intersect",
];

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    conditions: usize,
    asker: &'a Asker,
    /// The tables by their aliases, the first one being the root.
    names: Vec<(String, &'static Table)>,
}

/// A column of one of the tables; the alias is empty for the root's.
struct Place {
    alias: String,
    column: &'static str,
    declared: Option<&'static Column>,
}

pub(crate) fn syntax(near: &str) -> FetchError {
    FetchError::invalid(format!("The SQL cannot be understood near '{}'.", excerpt(near)))
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(w)) if w == word)
    }

    fn accept(&mut self, word: &str) -> bool {
        let there = self.is(word);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, word: &str) -> Result<(), FetchError> {
        if self.accept(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(there);
        there
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), FetchError> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> FetchError {
        let words = |tokens: &[Token]| {
            let shown = tokens.iter().map(|t| match t {
                Token::Word(w) | Token::Quoted(w) | Token::Number(w) => w.clone(),
                Token::Text(text) => format!("'{text}'"),
                Token::Sign(sign) => (*sign).to_owned(),
            });
            shown.collect::<Vec<_>>().join(" ")
        };
        match self.tokens.get(self.at..).unwrap_or_default() {
            [] => FetchError::invalid("The SQL ends too early."),
            [Token::Word(word), ..]
                if matches!(word.as_str(), "having" | "union" | "case" | "right" | "full" | "cross") =>
            {
                FetchError::invalid(format!("{} is not supported in SQL.", word.to_ascii_uppercase()))
            }
            rest => syntax(&words(&rest[..rest.len().min(6)])),
        }
    }

    /// A name that is no keyword, in small letters.
    fn name(&mut self) -> Result<String, FetchError> {
        let name = match self.peek() {
            Some(Token::Word(word)) if !KEYWORDS.contains(&word.as_str()) => word.clone(),
            Some(Token::Quoted(name)) => name.to_ascii_lowercase(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(name)
    }

    fn number(&mut self) -> Result<u64, FetchError> {
        let number = match self.peek() {
            Some(Token::Number(text)) => text.parse().map_err(|_| self.unexpected())?,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(number)
    }

    /// `column` or `alias.column`.
    fn place(&mut self) -> Result<Place, FetchError> {
        let first = self.name()?;
        if self.sign(".") {
            let column = self.name()?;
            let found = self.names.iter().position(|(name, _)| *name == first);
            let at =
                found.ok_or_else(|| FetchError::invalid(format!("There is no table '{}' here.", excerpt(&first))))?;
            return self.column_of(at, &column);
        }
        let having = |(_, table): &(String, &'static Table)| resolve::attribute(table, &first).is_some();
        let mut places = (0..self.names.len()).filter(|&n| having(&self.names[n]));
        match (places.next(), places.next()) {
            (Some(at), None) => self.column_of(at, &first),
            (Some(_), Some(_)) => Err(FetchError::invalid(format!(
                "'{}' is a column of several tables; write it as alias.{0}.",
                excerpt(&first)
            ))),
            (None, _) => Err(FetchError::no_attribute(self.names.first().map_or("", |(_, t)| t.logical), &first)),
        }
    }

    fn column_of(&self, at: usize, column: &str) -> Result<Place, FetchError> {
        let (name, table) = &self.names[at];
        let (column, declared) =
            resolve::attribute(table, column).ok_or_else(|| FetchError::no_attribute(table.logical, column))?;
        let alias = if at == 0 { String::new() } else { name.clone() };
        Ok(Place { alias, column, declared })
    }

    /// `ORDER BY …`, after the word BY.
    fn order(&mut self, fetch: &mut Fetch) -> Result<(), FetchError> {
        loop {
            if fetch.order.len() >= 20 {
                return Err(FetchError::invalid("ORDER BY takes 20 columns at most."));
            }
            let (of, by) = match self.picked(fetch) {
                Some(name) => (String::new(), By::Pick(name)),
                None => {
                    let place = self.place()?;
                    (place.alias, By::Column(place.column))
                }
            };
            let descending = self.accept("desc");
            if !descending {
                self.accept("asc");
            }
            fetch.order.push(Sort { of, by, descending });
            if !self.sign(",") {
                return Ok(());
            }
        }
    }

    /// The next name where it is one of what is selected.
    fn picked(&mut self, fetch: &Fetch) -> Option<String> {
        let (Token::Word(name) | Token::Quoted(name)) = self.peek()? else { return None };
        if matches!(self.tokens.get(self.at + 1), Some(Token::Sign("."))) {
            return None;
        }
        let picks = fetch.picks();
        let (_, pick) = picks.iter().find(|(_, p)| p.name.eq_ignore_ascii_case(name))?;
        let name = pick.name.clone();
        self.at += 1;
        Some(name)
    }

    /// `OFFSET n ROWS FETCH NEXT m ROWS ONLY`, after the first word.
    fn offset(&mut self, fetch: &mut Fetch) -> Result<(), FetchError> {
        let skip = self.number()?;
        let rows = |parser: &mut Self| if parser.accept("rows") { Ok(()) } else { parser.expect("row") };
        rows(self)?;
        self.expect("fetch")?;
        if !self.accept("next") {
            self.expect("first")?;
        }
        let size = self.number()?;
        rows(self)?;
        self.expect("only")?;
        if size == 0 || size > LARGEST_PAGE as u64 || !skip.is_multiple_of(size) || fetch.top.is_some() {
            return Err(FetchError::invalid(format!(
                "OFFSET n ROWS FETCH NEXT m ROWS ONLY: m is from 1 to {LARGEST_PAGE}, n a multiple of m, and there is no TOP."
            )));
        }
        fetch.top = usize::try_from(size).ok();
        fetch.page.number = skip / size + 1;
        Ok(())
    }

    /// `GROUP BY …`, after the word BY: what is selected and not reckoned.
    fn group(&mut self, fetch: &Fetch) -> Result<(), FetchError> {
        let mut grouped = Vec::new();
        loop {
            let place = self.place()?;
            grouped.push((place.alias, place.column));
            if !self.sign(",") {
                break;
            }
        }
        let selected: Vec<(String, &str)> = fetch
            .picks()
            .into_iter()
            .filter(|(_, p)| p.what == What::Value)
            .map(|(s, p)| (s.alias.clone(), p.column))
            .collect();
        if let Some((_, column)) = selected.iter().find(|s| !grouped.contains(s)) {
            return Err(FetchError::invalid(format!("'{column}' is selected and must be in GROUP BY.")));
        }
        if let Some((_, column)) = grouped.iter().find(|g| !selected.contains(g)) {
            return Err(FetchError::invalid(format!("'{column}' is in GROUP BY and must be selected.")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
