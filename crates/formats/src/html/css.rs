//! Style sheets of others: only what colours, sizes and arranges text is kept,
//! and nothing that loads, overlays or generates content.
//!
//! Values are written anew from their tokens, so that no comment, escape or
//! unbalanced bracket of the sender's reaches a browser.

use cssparser::{
    AtRuleParser, BasicParseErrorKind, CowRcStr, DeclarationParser, ParseError, Parser, ParserState,
    QualifiedRuleParser, RuleBodyItemParser, RuleBodyParser, StyleSheetParser, ToCss, Token,
};

use super::properties;

/// Bytes of one declaration block, of one sheet, and how many rules.
const LONGEST_BLOCK: usize = 8_192;
const LONGEST_SHEET: usize = 262_144;
const MOST_RULES: usize = 2_000;
/// Names that our own page marks things with.
const OURS: &str = "pr-";

/// A piece of CSS, cleaned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cleaned {
    pub css: String,
    /// Addresses that it would have loaded.
    pub loads: Vec<String>,
    /// Something that lays itself over other things was taken out.
    pub overlays: bool,
}

/// The declarations of a `style` attribute.
pub(super) fn declarations(css: &str) -> Cleaned {
    let css = &css[..css.floor_char_boundary(LONGEST_BLOCK)];
    let mut reader = Reader::default();
    let mut parser = Parser::new(css);
    let kept = reader.block(&mut parser);
    Cleaned { css: kept, loads: reader.loads, overlays: reader.overlays }
}

/// The rules of a `<style>` element.
pub(super) fn sheet(css: &str) -> Cleaned {
    let css = &css[..css.floor_char_boundary(LONGEST_SHEET)];
    let mut reader = Reader::default();
    let mut parser = Parser::new(css);
    let mut kept = String::new();
    let rules: Vec<String> =
        StyleSheetParser::new(&mut parser, &mut reader).take(MOST_RULES).filter_map(Result::ok).collect();
    kept.extend(rules);
    Cleaned { css: kept, loads: reader.loads, overlays: reader.overlays }
}

#[derive(Default)]
struct Reader {
    loads: Vec<String>,
    overlays: bool,
    /// Inside `@media`: no further one.
    nested: bool,
}

type Refused = ParseError<()>;

fn refused() -> Refused {
    ParseError::from_basic_kind(BasicParseErrorKind::UnexpectedToken)
}

impl Reader {
    /// What stands between the braces.
    fn block(&mut self, input: &mut Parser<'_>) -> String {
        let mut kept = String::new();
        for declaration in RuleBodyParser::new(input, self).flatten() {
            if !kept.is_empty() {
                kept.push(';');
            }
            kept.push_str(&declaration);
        }
        kept
    }

    /// The tokens of a value. Reads all of it, so that every address is noted.
    fn value(&mut self, property: &str, input: &mut Parser<'_>) -> Result<String, Refused> {
        let mut out = String::new();
        let mut good = true;
        while let Ok(token) = input.next_including_whitespace() {
            let token = token.clone();
            match &token {
                Token::WhiteSpace(_) => {
                    if !out.is_empty() {
                        out.push(' ');
                    }
                    continue;
                }
                // `!important` would let a sheet outdo the marks of our own.
                Token::Delim('!') => {
                    good &= input.expect_ident_matching("important").is_ok();
                    continue;
                }
                // A background without its picture still has its colour.
                Token::UnquotedUrl(address) => {
                    self.loads.push(address.to_string());
                    good &= property == "background";
                }
                Token::Function(name) => match self.function(&name.to_ascii_lowercase(), input) {
                    Ok(text) => out.push_str(&text),
                    Err(_) => good &= property == "background",
                },
                Token::Ident(word) => {
                    good &= properties::word_allowed(property, word);
                    out.push_str(&token.to_css_string());
                }
                Token::QuotedString(text) if matches!(property, "font" | "font-family") => {
                    good &= !text.contains(['<', '>', '\\']);
                    out.push_str(&token.to_css_string());
                }
                Token::Number { value, .. } => {
                    good &= properties::measure_allowed(measured(property, &out), *value, "");
                    out.push_str(&token.to_css_string());
                }
                Token::Dimension { value, unit, .. } => {
                    good &= properties::measure_allowed(measured(property, &out), *value, unit);
                    out.push_str(&token.to_css_string());
                }
                Token::Percentage { unit_value, .. } => {
                    good &= properties::measure_allowed(measured(property, &out), *unit_value, "");
                    out.push_str(&token.to_css_string());
                }
                Token::Hash(_) | Token::IDHash(_) | Token::Comma | Token::Delim('/') => {
                    out.push_str(&token.to_css_string());
                }
                _ => good = false,
            }
        }
        let out = out.trim_end();
        // Written tokens cannot hold these; if a writer ever errs, nothing is kept.
        if !good || out.is_empty() || out.contains(['<', '>', '{', '}', ';', '\\']) {
            return Err(refused());
        }
        Ok(out.to_owned())
    }

    /// A colour; whatever else a function is, its addresses are noted.
    fn function(&mut self, name: &str, input: &mut Parser<'_>) -> Result<String, Refused> {
        let colour = properties::COLOURS.contains(&name);
        let mut out = format!("{name}(");
        let loads = &mut self.loads;
        let inside = input.parse_nested_block(|inside| -> Result<bool, Refused> {
            let mut good = colour;
            while let Ok(token) = inside.next() {
                match token {
                    Token::QuotedString(text) if !colour => loads.push(text.to_string()),
                    Token::UnquotedUrl(address) => {
                        loads.push(address.to_string());
                        good = false;
                    }
                    Token::Number { .. } | Token::Percentage { .. } | Token::Comma | Token::Delim('/') if colour => {
                        if !matches!(token, Token::Comma) && !out.ends_with('(') {
                            out.push(' ');
                        }
                        out.push_str(&token.to_css_string());
                    }
                    _ => good = false,
                }
            }
            Ok(good)
        });
        out.push(')');
        match inside {
            Ok(true) => Ok(out),
            _ => Err(refused()),
        }
    }
}

/// What a number sets: behind the stroke in `font` stands the height of lines.
fn measured<'a>(property: &'a str, written: &str) -> &'a str {
    if property == "font" && written.trim_end().ends_with('/') { "line-height" } else { property }
}

impl<'i> DeclarationParser<'i> for Reader {
    type Declaration = String;
    type Error = ();

    fn parse_value(&mut self, name: CowRcStr<'i>, input: &mut Parser<'i>, _: &ParserState) -> Result<String, Refused> {
        let name = name.to_ascii_lowercase();
        let property = name.as_str();
        let value = self.value(property, input);
        if matches!(property, "position" | "z-index" | "transform" | "inset" | "clip-path") {
            self.overlays = true;
        }
        if !properties::known(property) {
            return Err(refused());
        }
        Ok(format!("{property}:{}", value?))
    }
}

impl<'i> AtRuleParser<'i> for Reader {
    type Prelude = String;
    type AtRule = String;
    type Error = ();

    fn parse_prelude(&mut self, name: CowRcStr<'i>, input: &mut Parser<'i>) -> Result<String, Refused> {
        if name.eq_ignore_ascii_case("import") {
            if let Ok(Token::QuotedString(address) | Token::UnquotedUrl(address)) = input.next() {
                self.loads.push(address.to_string());
            }
            return Err(refused());
        }
        if self.nested || !name.eq_ignore_ascii_case("media") {
            return Err(refused());
        }
        media(input)
    }

    fn parse_block(&mut self, prelude: String, _: &ParserState, input: &mut Parser<'i>) -> Result<String, Refused> {
        self.nested = true;
        let rules: Vec<String> = StyleSheetParser::new(input, self).take(MOST_RULES).filter_map(Result::ok).collect();
        self.nested = false;
        if rules.is_empty() {
            return Err(refused());
        }
        Ok(format!("@media {prelude}{{{}}}", rules.concat()))
    }
}

impl<'i> QualifiedRuleParser<'i> for Reader {
    type Prelude = String;
    type QualifiedRule = String;
    type Error = ();

    fn parse_prelude(&mut self, input: &mut Parser<'i>) -> Result<String, Refused> {
        selectors(input)
    }

    fn parse_block(&mut self, prelude: String, _: &ParserState, input: &mut Parser<'i>) -> Result<String, Refused> {
        let block = self.block(input);
        if block.is_empty() {
            return Err(refused());
        }
        Ok(format!("{prelude}{{{block}}}"))
    }
}

impl RuleBodyItemParser<'_, String, ()> for Reader {
    fn parse_declarations(&self) -> bool {
        true
    }
    fn parse_qualified(&self) -> bool {
        false
    }
}

/// Elements, classes, ids and the few pseudo-classes that say where a thing stands.
fn selectors(input: &mut Parser<'_>) -> Result<String, Refused> {
    let mut out = String::new();
    while let Ok(token) = input.next_including_whitespace() {
        let token = token.clone();
        match &token {
            Token::WhiteSpace(_) => out.push(' '),
            Token::Ident(name) | Token::IDHash(name) if plain_name(name) => out.push_str(&token.to_css_string()),
            Token::Comma | Token::Delim('*' | '>' | '+' | '~' | '.') => out.push_str(&token.to_css_string()),
            Token::Colon => {
                let name = input.expect_ident().map_err(|_| refused())?;
                if !["first-child", "last-child", "link", "active", "hover"].contains(&name.as_ref()) {
                    return Err(refused());
                }
                out.push(':');
                out.push_str(name);
            }
            _ => return Err(refused()),
        }
    }
    let out = out.trim();
    if out.is_empty() { Err(refused()) } else { Ok(out.to_owned()) }
}

fn plain_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') && !name.starts_with(OURS)
}

/// `screen and (max-width: 600px)` and the like. Our page is light, whatever
/// the reader's system prefers.
fn media(input: &mut Parser<'_>) -> Result<String, Refused> {
    let mut out = String::new();
    while let Ok(token) = input.next_including_whitespace() {
        let token = token.clone();
        match &token {
            Token::WhiteSpace(_) => out.push(' '),
            Token::Comma => out.push(','),
            Token::Ident(word) if ["all", "and", "only", "screen"].iter().any(|w| word.eq_ignore_ascii_case(w)) => {
                out.push_str(&word.to_ascii_lowercase());
            }
            Token::ParenthesisBlock => {
                let inside = input.parse_nested_block(|inside| -> Result<String, Refused> {
                    let name = inside.expect_ident().map_err(|_| refused())?.to_ascii_lowercase();
                    inside.expect_colon().map_err(|_| refused())?;
                    let value = inside.next().map_err(|_| refused())?;
                    if !matches!(value, Token::Dimension { .. } | Token::Number { .. }) || !name.ends_with("width") {
                        return Err(refused());
                    }
                    if !["max-width", "min-width", "max-device-width", "min-device-width"].contains(&name.as_str()) {
                        return Err(refused());
                    }
                    Ok(format!("({name}:{})", value.to_css_string()))
                })?;
                out.push_str(&inside);
            }
            _ => return Err(refused()),
        }
    }
    let out = out.trim();
    if out.is_empty() { Err(refused()) } else { Ok(out.to_owned()) }
}
