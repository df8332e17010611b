//! `$expand=nav($select=…;$filter=…;$expand=…),nav2`.

use model::Table;

use super::lexer::syntax;
use super::{Expand, ODataError, Options, Reader, resolve};

/// Levels of expansion, and navigation properties in all of them.
const DEEPEST: usize = 10;
pub(super) const MOST: usize = 15;

/// Navigation properties on all levels.
pub(super) fn count(options: &Options) -> usize {
    options.expand.iter().map(|e| 1 + count(&e.options)).sum()
}

/// Options, and as they were given.
type Inner = (Options, Vec<(String, String)>);

impl Reader<'_> {
    pub(super) fn expand(&self, table: &'static Table, value: &str, depth: usize) -> Result<Vec<Expand>, ODataError> {
        if depth >= DEEPEST {
            return Err(ODataError::new(0, "The $expand is nested too deeply."));
        }
        let mut out: Vec<Expand> = Vec::new();
        for (position, item) in split(value, ',')? {
            if out.len() >= MOST {
                return Err(ODataError::new(
                    position,
                    format!("Number of $expand properties exceeds the limit of {MOST}."),
                ));
            }
            let trimmed = item.trim();
            let (nav, inner) = match trimmed.split_once('(') {
                Some((nav, rest)) => (nav.trim(), rest.strip_suffix(')').ok_or_else(|| syntax(value, position))?),
                None => (trimmed, ""),
            };
            let target = resolve::child(table, nav)
                .map(|(_, t)| t)
                .or_else(|| resolve::linked(table, nav))
                .or_else(|| resolve::single_valued(table, nav).map(|(_, t, _)| t))
                .ok_or_else(|| resolve::not_found(table, nav, position))?;
            if out.iter().any(|e| e.nav == nav) {
                return Err(syntax(value, position));
            }
            let (options, given) = self.inner(target, inner, position, depth)?;
            out.push(Expand { nav: nav.to_owned(), options, given });
        }
        Ok(out)
    }

    fn inner(&self, table: &'static Table, text: &str, position: usize, depth: usize) -> Result<Inner, ODataError> {
        let mut pairs = Vec::new();
        for (_, option) in split(text, ';')? {
            if option.trim().is_empty() {
                continue;
            }
            let (name, value) = option.split_once('=').ok_or_else(|| syntax(text, 0))?;
            if !name.trim().starts_with('$') {
                return Err(syntax(text, 0));
            }
            pairs.push((name.trim(), value));
        }
        let options = self.options(table, &pairs, depth + 1);
        let options = options.map_err(|e| ODataError { position: position + e.position, ..e })?;
        Ok((options, pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

/// Splits outside of quotes and parentheses; each piece with its position.
pub(super) fn split(text: &str, at: char) -> Result<Vec<(usize, &str)>, ODataError> {
    let mut out = Vec::new();
    let (mut start, mut depth, mut quoted) = (0, 0_usize, false);
    for (position, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or_else(|| syntax(text, position))?,
            c if c == at && depth == 0 => {
                out.push((start, &text[start..position]));
                start = position + 1;
            }
            _ => {}
        }
    }
    if quoted || depth > 0 {
        return Err(syntax(text, text.len()));
    }
    out.push((start, &text[start..]));
    Ok(out)
}
