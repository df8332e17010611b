//! Lists separated by commas, some of whose parts are quoted.

/// The parts of a list, as they stand; a comma between two quotes separates nothing.
pub(super) fn outside(quote: char, list: &str) -> Vec<&str> {
    let mut quoted = false;
    list.split(|c| {
        quoted ^= c == quote;
        c == ',' && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_commas_separate_nothing() {
        assert_eq!(outside('"', r#"a, b="c,d",e"#), ["a", r#" b="c,d""#, "e"]);
        assert_eq!(outside('\'', "a='it''s,so',b"), ["a='it''s,so'", "b"]);
        assert_eq!(outside('\'', "a='open,b"), ["a='open,b"]);
        assert_eq!(outside('"', ""), [""]);
    }
}
