//! Query options over things that are no table: the API's own metadata. The
//! same grammar, but names stay names and literals are what they look like.

use model::query::{Compare, TextMatch};

use super::comparison::compare;
use super::expand::split;
use super::lexer::{Kind, Token, syntax, tokens};
use super::literal::unquote;
use super::{ODataError, excerpt, flag, top};

/// Nesting of parentheses, `not` and `$expand`.
const DEEPEST: usize = 30;

/// The query options of one URL or of one `$expand`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Untyped {
    /// Empty: everything.
    pub select: Vec<String>,
    pub filter: Option<Condition>,
    /// Paths, each with whether it descends.
    pub order: Vec<(Vec<String>, bool)>,
    pub top: Option<usize>,
    pub count: bool,
    pub expand: Vec<(String, Untyped)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Vec<String>, Compare, Literal),
    Text(Vec<String>, TextMatch, String),
    In(Vec<String>, Vec<Literal>),
    /// A property that is true by itself: `IsPrivate`.
    Is(Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    Number(i64),
    /// In quotes, the type's name before them left out.
    Text(String),
    /// A GUID or a date.
    Bare(String),
}

/// Reads decoded query options. Names that do not start with `$` are passed over.
///
/// # Errors
/// An option that is unknown or cannot be read.
pub fn read(options: &[(&str, &str)]) -> Result<Untyped, ODataError> {
    options_of(options, 0)
}

fn options_of(options: &[(&str, &str)], depth: usize) -> Result<Untyped, ODataError> {
    if depth > DEEPEST {
        return Err(ODataError::new(0, "The $expand is nested too deeply."));
    }
    let mut out = Untyped::default();
    for (name, value) in options.iter().filter(|(name, _)| name.starts_with('$')) {
        match name.to_ascii_lowercase().as_str() {
            "$select" => out.select = names(value),
            "$filter" => out.filter = Some(condition(value)?),
            "$orderby" => out.order = order(value)?,
            "$top" => out.top = Some(top(value)?),
            "$count" => out.count = flag(value)?,
            "$expand" => out.expand = expand(value, depth)?,
            other => {
                return Err(ODataError::new(0, format!("The query parameter {} is not supported", excerpt(other))));
            }
        }
    }
    Ok(out)
}

fn names(value: &str) -> Vec<String> {
    let names: Vec<String> = value.split(',').map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect();
    if names.iter().any(|n| n == "*") { Vec::new() } else { names }
}

fn order(value: &str) -> Result<Vec<(Vec<String>, bool)>, ODataError> {
    let mut out = Vec::new();
    for criterion in value.split(',') {
        let words: Vec<&str> = criterion.split_whitespace().collect();
        let descending = match words.as_slice() {
            [_] | [_, "asc"] => false,
            [_, "desc"] => true,
            _ => return Err(syntax(value, 0)),
        };
        out.push((path(words[0]), descending));
    }
    Ok(out)
}

fn expand(value: &str, depth: usize) -> Result<Vec<(String, Untyped)>, ODataError> {
    let mut out = Vec::new();
    for (position, item) in split(value, ',')? {
        let item = item.trim();
        let (nav, inner) = match item.split_once('(') {
            Some((nav, rest)) => (nav.trim(), rest.strip_suffix(')').ok_or_else(|| syntax(value, position))?),
            None => (item, ""),
        };
        let mut pairs = Vec::new();
        for (_, option) in split(inner, ';')? {
            if !option.trim().is_empty() {
                let (name, value) = option.split_once('=').ok_or_else(|| syntax(inner, 0))?;
                pairs.push((name.trim(), value));
            }
        }
        out.push((nav.to_owned(), options_of(&pairs, depth + 1)?));
    }
    Ok(out)
}

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

/// Reads a `$filter`.
///
/// # Errors
/// What is no condition.
pub fn condition(source: &str) -> Result<Condition, ODataError> {
    let tokens = tokens(source)?;
    let mut parser = Parser { source, tokens: &tokens, at: 0, depth: 0 };
    let condition = parser.either()?;
    if parser.peek().kind == Kind::End { Ok(condition) } else { Err(parser.unexpected()) }
}

struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        let end = Token { kind: Kind::End, text: "", position: self.source.len() };
        self.tokens.get(self.at).copied().unwrap_or(end)
    }
    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }
    fn accept(&mut self, kind: Kind, text: &str) -> bool {
        let there = self.peek().kind == kind && self.peek().text == text;
        self.at += usize::from(there);
        there
    }
    fn sign(&mut self, sign: u8) -> Result<(), ODataError> {
        if self.peek().kind != Kind::Sign(sign) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }
    fn unexpected(&self) -> ODataError {
        syntax(self.source, self.peek().position)
    }

    fn either(&mut self) -> Result<Condition, ODataError> {
        let mut any = vec![self.all()?];
        while self.accept(Kind::Word, "or") {
            any.push(self.all()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Condition::Or(any) })
    }

    fn all(&mut self) -> Result<Condition, ODataError> {
        let mut all = vec![self.one()?];
        while self.accept(Kind::Word, "and") {
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::And(all) })
    }

    fn nested<T>(&mut self, what: impl FnOnce(&mut Self) -> Result<T, ODataError>) -> Result<T, ODataError> {
        if self.depth >= DEEPEST {
            return Err(ODataError::new(self.peek().position, "The filter is nested too deeply."));
        }
        self.depth += 1;
        let out = what(self);
        self.depth -= 1;
        out
    }

    fn one(&mut self) -> Result<Condition, ODataError> {
        let token = self.next();
        match (token.kind, token.text) {
            (Kind::Sign(b'('), _) => self.nested(|parser| {
                let inner = parser.either()?;
                parser.sign(b')')?;
                Ok(inner)
            }),
            (Kind::Word, "not") => self.nested(|parser| Ok(Condition::Not(Box::new(parser.one()?)))),
            (Kind::Word, "contains") => self.text(TextMatch::Contains),
            (Kind::Word, "startswith") => self.text(TextMatch::StartsWith),
            (Kind::Word, "endswith") => self.text(TextMatch::EndsWith),
            (Kind::Word, "Microsoft.Dynamics.CRM.In") => self.crm_in(),
            (Kind::Word, _) => self.comparison(token),
            _ => Err(syntax(self.source, token.position)),
        }
    }

    fn path_from(&mut self, first: Token<'a>) -> Result<Vec<String>, ODataError> {
        let mut path = vec![first.text.to_owned()];
        while self.peek().kind == Kind::Sign(b'/') {
            self.at += 1;
            let next = self.next();
            if next.kind != Kind::Word {
                return Err(syntax(self.source, next.position));
            }
            path.push(next.text.to_owned());
        }
        Ok(path)
    }

    fn comparison(&mut self, first: Token<'a>) -> Result<Condition, ODataError> {
        let path = self.path_from(first)?;
        let operator = self.peek();
        match operator.text {
            "eq" | "ne" | "gt" | "ge" | "lt" | "le" if operator.kind == Kind::Word => {
                self.at += 1;
                Ok(Condition::Compare(path, compare(operator.text), self.literal()?))
            }
            "in" if operator.kind == Kind::Word => {
                self.at += 1;
                self.sign(b'(')?;
                Ok(Condition::In(path, self.list(b')')?))
            }
            _ => Ok(Condition::Is(path)),
        }
    }

    /// Literals up to a closing sign.
    fn list(&mut self, end: u8) -> Result<Vec<Literal>, ODataError> {
        let mut out = vec![self.literal()?];
        while self.peek().kind == Kind::Sign(b',') {
            self.at += 1;
            out.push(self.literal()?);
        }
        self.sign(end)?;
        Ok(out)
    }

    fn literal(&mut self) -> Result<Literal, ODataError> {
        let token = self.next();
        Ok(match (token.kind, token.text) {
            (Kind::Word, "null") => Literal::Null,
            (Kind::Word, "true") => Literal::Bool(true),
            (Kind::Word, "false") => Literal::Bool(false),
            (Kind::Text, _) => Literal::Text(unquote(&token)),
            // `Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'`
            (Kind::Word, _) if self.peek().kind == Kind::Text => Literal::Text(unquote(&self.next())),
            (Kind::Bare, text) => text.parse().map_or_else(|_| Literal::Bare(text.to_owned()), Literal::Number),
            _ => return Err(syntax(self.source, token.position)),
        })
    }

    fn text(&mut self, kind: TextMatch) -> Result<Condition, ODataError> {
        self.sign(b'(')?;
        let first = self.next();
        let path = self.path_from(first)?;
        self.sign(b',')?;
        let Literal::Text(text) = self.literal()? else { return Err(self.unexpected()) };
        self.sign(b')')?;
        Ok(Condition::Text(path, kind, text))
    }

    /// `(PropertyName='LogicalName',PropertyValues=['a','b'])`
    fn crm_in(&mut self) -> Result<Condition, ODataError> {
        self.sign(b'(')?;
        let (mut name, mut values) = (None, None);
        for last in [false, true] {
            let parameter = self.next();
            self.sign(b'=')?;
            match parameter.text {
                "PropertyName" => name = Some(self.literal()?),
                "PropertyValues" => {
                    self.sign(b'[')?;
                    values = Some(self.list(b']')?);
                }
                _ => return Err(syntax(self.source, parameter.position)),
            }
            self.sign(if last { b')' } else { b',' })?;
        }
        match (name, values) {
            (Some(Literal::Text(name)), Some(values)) => Ok(Condition::In(path(&name), values)),
            _ => Err(self.unexpected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let shown = match condition(source) {
            Ok(condition) => show(&condition),
            Err(error) => format!("at {}", error.position),
        };
        assert_eq!(shown, expected, "{source}");
    }

    fn show(condition: &Condition) -> String {
        let list = |all: &[Condition], word: &str| all.iter().map(show).collect::<Vec<_>>().join(word);
        match condition {
            Condition::And(all) => format!("({})", list(all, " & ")),
            Condition::Or(any) => format!("({})", list(any, " | ")),
            Condition::Not(inner) => format!("!{}", show(inner)),
            Condition::Compare(path, compare, literal) => format!("{} {compare:?} {literal:?}", path.join("/")),
            Condition::Text(path, kind, text) => format!("{} {kind:?} {text}", path.join("/")),
            Condition::In(path, literals) => format!("{} in {literals:?}", path.join("/")),
            Condition::Is(path) => path.join("/"),
        }
    }

    #[test]
    fn comparisons() {
        check("LogicalName eq 'it''s'", r#"LogicalName Equal Text("it's")"#);
        check("ObjectTypeCode gt 5", "ObjectTypeCode Greater Number(5)");
        check("IsCustomizable/Value eq true", "IsCustomizable/Value Equal Bool(true)");
        check("Description ne null", "Description NotEqual Null");
        check("IsPrivate", "IsPrivate");
    }
    #[test]
    fn enumerations() {
        check(
            "AttributeType eq Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'",
            r#"AttributeType Equal Text("Picklist")"#,
        );
    }
    #[test]
    fn precedence() {
        check("a eq 1 or b eq 2 and c eq 3", "(a Equal Number(1) | (b Equal Number(2) & c Equal Number(3)))");
        check("IsPrivate eq false and (a eq 1 or not b)", "(IsPrivate Equal Bool(false) & (a Equal Number(1) | !b))");
    }
    #[test]
    fn functions() {
        check("startswith(LogicalName,'mail')", "LogicalName StartsWith mail");
        check("not contains(a/b,'x')", "!a/b Contains x");
        check(
            "Microsoft.Dynamics.CRM.In(PropertyName='LogicalName',PropertyValues=['a','b'])",
            r#"LogicalName in [Text("a"), Text("b")]"#,
        );
        check("a in ('x',2)", r#"a in [Text("x"), Number(2)]"#);
    }
    #[test]
    fn rubbish() {
        check("", "at 0");
        check("a eq", "at 4");
        check("a eq 1 or", "at 9");
        check("(a eq 1", "at 7");
        check("'x' eq 1", "at 0");
        check("contains(a,1)", "at 12");
        check(&"(".repeat(100), "at 31");
    }
    #[test]
    fn nested_expand() {
        let read =
            read(&[("$expand", "Attributes($select=LogicalName;$expand=OptionSet($select=Options)),Keys")]).unwrap();
        assert_eq!(read.expand.len(), 2);
        assert_eq!(read.expand[0].1.select, ["LogicalName"]);
        assert_eq!(read.expand[0].1.expand[0].0, "OptionSet");
    }
    #[test]
    fn unknown_options() {
        assert!(super::read(&[("$skip", "1")]).is_err());
        assert!(super::read(&[("api-version", "1")]).is_ok());
    }
}
