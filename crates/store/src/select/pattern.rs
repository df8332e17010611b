//! T-SQL's LIKE patterns: `%` any text, `_` any character, `[a-c]` one of
//! some, `[^a-c]` none of them; a bracket around a wild card takes it
//! literally. LIKE knows the first two in both databases; what has real
//! brackets becomes a GLOB in SQLite and a regular expression in PostgreSQL.

use crate::dialect::Dialect;

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Any,
    One,
    Character(char),
    /// What stands between the brackets, `^` apart.
    Set {
        not: bool,
        members: Vec<char>,
    },
}

/// The operator, the pattern for it, and what stands after it.
pub(super) fn translate(dialect: Dialect, pattern: &str) -> (&'static str, String, &'static str) {
    let pieces = pieces(pattern);
    let sets = pieces.iter().any(|p| matches!(p, Piece::Set { .. }));
    match (sets, dialect) {
        (false, _) => ("LIKE", like(&pieces), " ESCAPE '\\'"),
        (true, Dialect::Sqlite) => ("GLOB", glob(&pieces), ""),
        (true, Dialect::Postgres) => ("~", regex(&pieces), ""),
    }
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        out.push(match first {
            '%' if out.last() == Some(&Piece::Any) => continue,
            '%' => Piece::Any,
            '_' => Piece::One,
            '[' => match rest.split_once(']') {
                Some((inside, after)) if !inside.is_empty() && inside != "^" => {
                    rest = after;
                    set(inside)
                }
                _ => Piece::Character('['),
            },
            other => Piece::Character(other),
        });
    }
    out
}

fn set(inside: &str) -> Piece {
    let (not, members) = match inside.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    let members: Vec<char> = members.chars().collect();
    match members.as_slice() {
        [one] if !not => Piece::Character(*one),
        _ => Piece::Set { not, members },
    }
}

fn like(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Any => out.push('%'),
            Piece::One => out.push('_'),
            Piece::Character(c) => {
                if matches!(c, '%' | '_' | '\\') {
                    out.push('\\');
                }
                out.push(*c);
            }
            Piece::Set { .. } => {}
        }
    }
    out
}

fn glob(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Any => out.push('*'),
            Piece::One => out.push('?'),
            Piece::Character(c) if matches!(c, '*' | '?' | '[') => out.extend(['[', *c, ']']),
            Piece::Character(c) => out.push(*c),
            Piece::Set { not, members } => {
                out.push('[');
                if *not {
                    out.push('^');
                }
                out.extend(members);
                out.push(']');
            }
        }
    }
    out
}

fn regex(pieces: &[Piece]) -> String {
    let mut out = String::from("^");
    for piece in pieces {
        match piece {
            Piece::Any => out.push_str(".*"),
            Piece::One => out.push('.'),
            Piece::Character(c) => literal(*c, &mut out),
            Piece::Set { not, members } => {
                out.push('[');
                if *not {
                    out.push('^');
                }
                for (n, c) in members.iter().enumerate() {
                    // A range stands between two members.
                    let range = *c == '-' && n > 0 && n + 1 < members.len() && members[n - 1] <= members[n + 1];
                    if range { out.push('-') } else { literal(*c, &mut out) }
                }
                out.push(']');
            }
        }
    }
    out.push('$');
    out
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, sqlite: (&str, &str), postgres: (&str, &str)) {
        let (operator, text, _) = translate(Dialect::Sqlite, pattern);
        assert_eq!((operator, text.as_str()), sqlite);
        let (operator, text, _) = translate(Dialect::Postgres, pattern);
        assert_eq!((operator, text.as_str()), postgres);
    }
    #[track_caller]
    fn plain(pattern: &str, expected: &str) {
        check(pattern, ("LIKE", expected), ("LIKE", expected));
    }

    #[test]
    fn wild_cards() {
        plain("a%b_c", "a%b_c");
    }
    #[test]
    fn one_is_as_many() {
        plain("%%%a", "%a");
    }
    #[test]
    fn backslash_is_itself() {
        plain(r"a\b", r"a\\b");
    }
    #[test]
    fn literal_wild_cards() {
        plain("50[%] [_] [[]", r"50\% \_ [");
    }
    #[test]
    fn lonely_brackets() {
        plain("a[b", "a[b");
        plain("[]", "[]");
        plain("[^]", "[^]");
    }
    #[test]
    fn a_range() {
        check("[a-c]%", ("GLOB", "[a-c]*"), ("~", "^[a-c].*$"));
    }
    #[test]
    fn none_of() {
        check("[^ab]_", ("GLOB", "[^ab]?"), ("~", "^[^ab].$"));
    }
    #[test]
    fn signs_of_the_other_languages() {
        check("*?.+(a)[ab]", ("GLOB", "[*][?].+(a)[ab]"), ("~", r"^\*\?\.\+\(a\)[ab]$"));
    }
}
