//! Operators and text functions: an operand meets another.

use model::query::{Compare, Filter, Path, TextMatch};
use model::table::Kind as ColumnKind;

use super::ODataError;
use super::filter::{Operand, Parser, Scope};
use super::lexer::{Kind, Token, syntax};
use super::literal::{typed, unquote};
use super::resolve::Found;

impl<'a> Parser<'a> {
    pub fn text_function(&mut self, scope: &Scope<'_>, how: TextMatch) -> Result<Operand<'a>, ODataError> {
        self.expect(b'(')?;
        let first = self.next();
        if first.kind != Kind::Word {
            return Err(syntax(self.source, first.position));
        }
        let Operand::Column(found, _) = self.path(scope, first)? else {
            return Err(syntax(self.source, first.position));
        };
        self.expect(b',')?;
        let operand = self.operand(scope)?;
        self.expect(b')')?;
        let Operand::Literal(token) = operand else { return Err(syntax(self.source, first.position)) };
        let is_text = matches!(
            found.column.map(|c| &c.kind),
            Some(ColumnKind::Text { .. } | ColumnKind::Email { .. } | ColumnKind::Memo)
        );
        if !is_text || token.kind != Kind::Text {
            let message =
                format!("The function works on text, and '{}' is of type {}.", found.path.column, found.type_name());
            return Err(ODataError::new(first.position, message));
        }
        let (how, text) = pattern(how, unquote(&token), first.position)?;
        let filter = Filter::Text(found.path.clone(), how, text);
        Ok(Operand::Truth(found.condition(filter, false)))
    }

    /// `in ('a','b')`; square brackets are taken as well.
    pub fn in_list(&mut self, left: &Operand<'a>) -> Result<Filter, ODataError> {
        let Operand::Column(found, _) = left else { return Err(self.unexpected()) };
        let close = if self.accept(b'[') {
            b']'
        } else {
            self.expect(b'(')?;
            b')'
        };
        let mut values = Vec::new();
        loop {
            let token = self.next();
            let literal = match token.kind {
                Kind::Alias => self.alias(token)?,
                Kind::Text | Kind::Bare => Operand::Literal(token),
                Kind::Word if token.text == "null" => Operand::Null(token),
                Kind::Word if matches!(token.text, "true" | "false") => Operand::Literal(token),
                _ => return Err(syntax(self.source, token.position)),
            };
            values.push(match literal {
                Operand::Literal(token) => typed(found, &token)?,
                _ => model::Value::Null,
            });
            if !self.accept(b',') {
                break;
            }
        }
        self.expect(close)?;
        Ok(found.condition(Filter::In(found.path.clone(), values), false))
    }

    pub fn comparison(
        &self,
        left: Operand<'a>,
        compare: Compare,
        right: Operand<'a>,
        operator: Token<'a>,
    ) -> Result<Filter, ODataError> {
        match (left, right) {
            (Operand::Column(found, _), Operand::Literal(token)) => against(&found, compare, &token),
            (Operand::Literal(token), Operand::Column(found, _)) => against(&found, turned(compare), &token),
            (Operand::Column(found, _), Operand::Null(token)) | (Operand::Null(token), Operand::Column(found, _)) => {
                let absent = Filter::IsNull(found.path.clone());
                match compare {
                    Compare::Equal => Ok(found.condition(absent, true)),
                    Compare::NotEqual => Ok(found.condition(Filter::Not(Box::new(absent)), false)),
                    _ => Err(ODataError::new(token.position, "null can be compared with eq and ne only.")),
                }
            }
            (Operand::Column(left, _), Operand::Column(right, token)) => {
                if left.type_name() != right.type_name() {
                    let message = format!(
                        "A binary operator with incompatible types was detected. Found operand types '{}' and '{}' for operator kind '{}'.",
                        left.type_name(),
                        right.type_name(),
                        operator.text
                    );
                    return Err(ODataError::new(token.position, message));
                }
                let (a, b): (Path, Path) = (left.path.clone(), right.path.clone());
                let absent = compare == Compare::NotEqual;
                Ok(right.condition(left.condition(Filter::Columns(a, compare, b), absent), absent))
            }
            // `contains(…) eq true`
            (Operand::Truth(filter), Operand::Literal(token)) if matches!(token.text, "true" | "false") => {
                let same = (token.text == "true") == (compare == Compare::Equal);
                match compare {
                    Compare::Equal | Compare::NotEqual if same => Ok(filter),
                    Compare::Equal | Compare::NotEqual => Ok(Filter::Not(Box::new(filter))),
                    _ => Err(syntax(self.source, operator.position)),
                }
            }
            _ => Err(syntax(self.source, operator.position)),
        }
    }
}

/// Wild cards of a pattern: each may make the database look at the text anew.
const MOST_WILD: usize = 16;

/// `%`, `_` and `[]` are wild cards in the text functions as they are in
/// `like`; without any, the text is looked for as it stands.
fn pattern(how: TextMatch, text: String, position: usize) -> Result<(TextMatch, String), ODataError> {
    if !text.contains(['%', '_', '[']) {
        return Ok((how, text));
    }
    if text.chars().filter(|c| matches!(c, '%' | '[')).count() > MOST_WILD {
        let message = format!("A text function takes no more than {MOST_WILD} wild cards (% and []).");
        return Err(ODataError::new(position, message));
    }
    let text = match how {
        TextMatch::Contains => format!("%{text}%"),
        TextMatch::StartsWith => format!("{text}%"),
        TextMatch::EndsWith => format!("%{text}"),
        TextMatch::Like | TextMatch::Words => text,
    };
    Ok((TextMatch::Like, text))
}

fn against(found: &Found, compare: Compare, token: &Token<'_>) -> Result<Filter, ODataError> {
    let value = typed(found, token)?;
    let orders = !matches!(compare, Compare::Equal | Compare::NotEqual);
    let unordered =
        matches!(found.column.map(|c| &c.kind), None | Some(ColumnKind::Bool | ColumnKind::Id | ColumnKind::Lookup(_)));
    if orders && unordered {
        let message =
            format!("'{}' of type {} can be compared with eq and ne only.", found.path.column, found.type_name());
        return Err(ODataError::new(token.position, message));
    }
    Ok(found.condition(Filter::Compare(found.path.clone(), compare, value), compare == Compare::NotEqual))
}

pub fn compare(word: &str) -> Compare {
    match word {
        "ne" => Compare::NotEqual,
        "gt" => Compare::Greater,
        "ge" => Compare::GreaterOrEqual,
        "lt" => Compare::Less,
        "le" => Compare::LessOrEqual,
        _ => Compare::Equal,
    }
}

/// The comparison with its sides exchanged.
fn turned(compare: Compare) -> Compare {
    match compare {
        Compare::Less => Compare::Greater,
        Compare::LessOrEqual => Compare::GreaterOrEqual,
        Compare::Greater => Compare::Less,
        Compare::GreaterOrEqual => Compare::LessOrEqual,
        same => same,
    }
}
