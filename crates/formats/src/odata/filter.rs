//! `$filter`: a Pratt parser over the tokens. Chains of `and` and `or` become
//! flat lists, so only parentheses, `not` and lambdas nest, and that is limited.

use model::Table;
use model::query::Compare;
use model::query::{Filter, TextMatch};
use model::table::Kind as ColumnKind;

use super::comparison::compare;
use super::lexer::{Kind, Token, syntax, tokens};
use super::resolve::{self, Found};
use super::{ODataError, Reader, excerpt};

/// Nesting of parentheses, `not` and lambdas.
const DEEPEST: usize = 50;

/// Binding powers: what holds tighter is higher.
const OR: u8 = 1;
const AND: u8 = 2;
const COMPARE: u8 = 3;

impl Reader<'_> {
    pub(super) fn filter(&self, table: &'static Table, source: &str) -> Result<Filter, ODataError> {
        let tokens = tokens(source)?;
        let scope = Scope { table, variable: None };
        let mut parser = Parser { reader: self, source, tokens: &tokens, at: 0, depth: 0 };
        let operand = parser.expression(&scope, 0)?;
        match parser.peek().kind {
            Kind::End => parser.truth(operand),
            _ => Err(parser.unexpected()),
        }
    }
}

/// Whose columns names refer to.
pub(super) struct Scope<'a> {
    pub table: &'static Table,
    /// Inside a lambda: its variable, which every name has to start with.
    variable: Option<&'a str>,
}

/// A piece of an expression.
pub(super) enum Operand<'a> {
    Column(Found, Token<'a>),
    Literal(Token<'a>),
    Null(Token<'a>),
    Truth(Filter),
}

pub(super) struct Parser<'a> {
    pub reader: &'a Reader<'a>,
    pub source: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub fn peek(&self) -> Token<'a> {
        // The last token is the end, and nothing goes beyond it.
        self.tokens.get(self.at).or(self.tokens.last()).copied().unwrap_or(Token {
            kind: Kind::End,
            text: "",
            position: 0,
        })
    }

    pub fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub fn accept(&mut self, sign: u8) -> bool {
        let there = self.peek().kind == Kind::Sign(sign);
        self.at += usize::from(there);
        there
    }

    pub fn expect(&mut self, sign: u8) -> Result<(), ODataError> {
        if self.accept(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub fn unexpected(&self) -> ODataError {
        syntax(self.source, self.peek().position)
    }

    fn nested<T>(&mut self, what: impl FnOnce(&mut Self) -> Result<T, ODataError>) -> Result<T, ODataError> {
        if self.depth >= DEEPEST {
            let message = "The filter is nested too deeply.";
            return Err(ODataError::new(self.peek().position, message));
        }
        self.depth += 1;
        let out = what(self);
        self.depth -= 1;
        out
    }

    fn expression(&mut self, scope: &Scope<'_>, power: u8) -> Result<Operand<'a>, ODataError> {
        let mut left = self.operand(scope)?;
        loop {
            let token = self.peek();
            let (binds, word) = match (token.kind, token.text) {
                (Kind::Word, "or") => (OR, token.text),
                (Kind::Word, "and") => (AND, token.text),
                (Kind::Word, "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "in") => (COMPARE, token.text),
                _ => return Ok(left),
            };
            if binds <= power {
                return Ok(left);
            }
            self.next();
            left = Operand::Truth(match word {
                "in" => self.in_list(&left)?,
                "and" | "or" => {
                    let left = self.truth(left)?;
                    let right = self.expression(scope, binds)?;
                    let right = self.truth(right)?;
                    if word == "and" { left.and(right) } else { left.or(right) }
                }
                _ => {
                    let right = self.expression(scope, binds)?;
                    self.comparison(left, compare(word), right, token)?
                }
            });
        }
    }

    pub fn operand(&mut self, scope: &Scope<'_>) -> Result<Operand<'a>, ODataError> {
        let token = self.peek();
        match token.kind {
            Kind::Sign(b'(') => self.nested(|parser| {
                parser.next();
                let inner = parser.expression(scope, 0)?;
                parser.expect(b')')?;
                Ok(inner)
            }),
            Kind::Text | Kind::Bare => {
                self.next();
                Ok(Operand::Literal(token))
            }
            Kind::Alias => {
                self.next();
                self.alias(token)
            }
            Kind::Word => self.word(scope, token),
            Kind::Sign(_) | Kind::End => Err(self.unexpected()),
        }
    }

    fn word(&mut self, scope: &Scope<'_>, token: Token<'a>) -> Result<Operand<'a>, ODataError> {
        self.next();
        let called = self.peek().kind == Kind::Sign(b'(');
        match token.text {
            "not" => self.nested(|parser| {
                // `not a eq b` means what people mean by it.
                let inner = parser.expression(scope, AND)?;
                let inner = parser.truth(inner)?;
                Ok(Operand::Truth(Filter::Not(Box::new(inner))))
            }),
            "null" if !called => Ok(Operand::Null(token)),
            "true" | "false" if !called => Ok(Operand::Literal(token)),
            "contains" if called => self.text_function(scope, TextMatch::Contains),
            "startswith" if called => self.text_function(scope, TextMatch::StartsWith),
            "endswith" if called => self.text_function(scope, TextMatch::EndsWith),
            name if called => match name.strip_prefix("Microsoft.Dynamics.CRM.") {
                Some(function) => self.crm_function(scope, function, token).map(Operand::Truth),
                None => {
                    let message = format!("An unknown function with name '{}' was found.", excerpt(name));
                    Err(ODataError::new(token.position, message))
                }
            },
            _ => self.path(scope, token),
        }
    }

    /// A column, or a lambda over the rows that point here.
    pub fn path(&mut self, scope: &Scope<'_>, first: Token<'a>) -> Result<Operand<'a>, ODataError> {
        let mut segments = vec![first.text];
        while self.accept(b'/') {
            let segment = self.next();
            if segment.kind != Kind::Word {
                return Err(syntax(self.source, segment.position));
            }
            if matches!(segment.text, "any" | "all") && self.peek().kind == Kind::Sign(b'(') {
                let collection = self.in_scope(scope, &segments, first)?;
                let filter = self.lambda(scope, collection, segment, first)?;
                return Ok(Operand::Truth(filter));
            }
            segments.push(segment.text);
        }
        let inside = self.in_scope(scope, &segments, first)?;
        let found = resolve::column(scope.table, inside, first.position)?;
        Ok(Operand::Column(found, first))
    }

    /// The path without the lambda's variable.
    fn in_scope<'s>(
        &self,
        scope: &Scope<'_>,
        segments: &'s [&'a str],
        first: Token<'a>,
    ) -> Result<&'s [&'a str], ODataError> {
        match (scope.variable, segments) {
            (None, all) => Ok(all),
            (Some(variable), [head, rest @ ..]) if *head == variable && !rest.is_empty() => Ok(rest),
            (Some(variable), _) => {
                let message = format!("Inside the lambda every name has to start with '{}/'.", excerpt(variable));
                Err(ODataError::new(first.position, message))
            }
        }
    }

    /// `any(p:…)`, `any()`, `all(p:…)`, behind the collection's path.
    fn lambda(
        &mut self,
        scope: &Scope<'_>,
        collection: &[&str],
        kind: Token<'a>,
        first: Token<'a>,
    ) -> Result<Filter, ODataError> {
        let [nav] = collection else {
            let message = "any and all are supported on collections of the table itself only.";
            return Err(ODataError::new(first.position, message));
        };
        let child = resolve::child(scope.table, nav);
        let Some(table) = child.map(|(_, table)| table).or_else(|| resolve::linked(scope.table, nav)) else {
            return Err(resolve::not_found(scope.table, nav, first.position));
        };
        self.expect(b'(')?;
        let all = kind.text == "all";
        let mut inner = Filter::All;
        if all || self.peek().kind != Kind::Sign(b')') {
            let variable = self.next();
            if variable.kind != Kind::Word {
                return Err(syntax(self.source, variable.position));
            }
            self.expect(b':')?;
            inner = self.nested(|parser| {
                let scope = Scope { table, variable: Some(variable.text) };
                let operand = parser.expression(&scope, 0)?;
                parser.truth(operand)
            })?;
        }
        self.expect(b')')?;
        let any = |filter| match child {
            Some((child, _)) => Filter::Any { table, column: child.column, filter: Box::new(filter) },
            None => resolve::connected(scope.table, nav, filter),
        };
        Ok(if all { Filter::Not(Box::new(any(Filter::Not(Box::new(inner))))) } else { any(inner) })
    }

    /// An operand where a condition is wanted.
    fn truth(&self, operand: Operand<'a>) -> Result<Filter, ODataError> {
        match operand {
            Operand::Truth(filter) => Ok(filter),
            Operand::Column(found, _) if matches!(found.column.map(|c| &c.kind), Some(ColumnKind::Bool)) => {
                let filter = Filter::Compare(found.path.clone(), Compare::Equal, model::Value::Bool(true));
                Ok(found.condition(filter, false))
            }
            Operand::Literal(token) if token.text == "true" => Ok(Filter::All),
            Operand::Literal(token) if token.text == "false" => Ok(Filter::Not(Box::new(Filter::All))),
            Operand::Column(_, token) | Operand::Literal(token) | Operand::Null(token) => {
                let message = format!(
                    "The $filter expression must evaluate to a single boolean value; '{}' does not.",
                    excerpt(token.text)
                );
                Err(ODataError::new(token.position, message))
            }
        }
    }

    /// The literal that a parameter alias stands for.
    pub fn alias(&self, token: Token<'a>) -> Result<Operand<'a>, ODataError> {
        let reader: &'a Reader<'a> = self.reader;
        let Some(value) = reader.aliases.get(token.text) else {
            let message = format!("The parameter alias '{}' has no value.", excerpt(token.text));
            return Err(ODataError::new(token.position, message));
        };
        match tokens(value)?.as_slice() {
            [literal, end] if end.kind == Kind::End => {
                // Positions are those of the filter: the alias stands there.
                let literal = Token { position: token.position, ..*literal };
                match (literal.kind, literal.text) {
                    (Kind::Text | Kind::Bare, _) | (Kind::Word, "true" | "false") => Ok(Operand::Literal(literal)),
                    (Kind::Word, "null") => Ok(Operand::Null(literal)),
                    _ => Err(syntax(value, 0)),
                }
            }
            _ => Err(syntax(value, 0)),
        }
    }
}
