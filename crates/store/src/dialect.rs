//! All that differs between the two databases' SQL. Every statement is
//! written once, with `$1, $2, …` in the order of their first use (SQLite
//! numbers them by appearance); what cannot be said the same way is here.

use std::fmt::Write as _;

use model::fetch::DatePart;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The column types that migrations name as `{id}`, `{time}` and so on.
    fn types(self) -> [(&'static str, &'static str); 6] {
        match self {
            Self::Sqlite => [
                ("{id}", "BLOB"),
                ("{time}", "INTEGER"),
                ("{bool}", "INTEGER"),
                ("{int}", "INTEGER"),
                ("{text}", "TEXT"),
                ("{bytes}", "BLOB"),
            ],
            Self::Postgres => [
                ("{id}", "uuid"),
                ("{time}", "bigint"),
                ("{bool}", "boolean"),
                ("{int}", "bigint"),
                // Compares by bytes, as SQLite does.
                ("{text}", "text COLLATE \"C\""),
                ("{bytes}", "bytea"),
            ],
        }
    }

    /// A migration's text for this database: types filled in, `{true}` and
    /// `{false}` too; lines that begin with `[sqlite]` or `[postgres]` only there.
    pub(crate) fn render(self, script: &str) -> String {
        let (mine, other) = match self {
            Self::Sqlite => ("[sqlite]", "[postgres]"),
            Self::Postgres => ("[postgres]", "[sqlite]"),
        };
        let mut out = String::with_capacity(script.len());
        for line in script.lines() {
            if line.starts_with(other) {
                continue;
            }
            out.push_str(line.strip_prefix(mine).unwrap_or(line));
            out.push('\n');
        }
        let (yes, no) = match self {
            Self::Sqlite => ("1", "0"),
            Self::Postgres => ("true", "false"),
        };
        for (token, text) in self.types().into_iter().chain([("{true}", yes), ("{false}", no)]) {
            out = out.replace(token, text);
        }
        out
    }

    /// Text without regard to case, all of Unicode; compares by bytes. Greek has
    /// two small letters for one capital.
    pub(crate) fn fold(self, expression: &str) -> String {
        match self {
            Self::Sqlite => format!("fold({expression})"),
            Self::Postgres => format!("(replace(lower({expression} COLLATE \"und-x-icu\"), 'ς', 'σ') COLLATE \"C\")"),
        }
    }

    /// Appended to a SELECT that others must not change the rows of meanwhile.
    /// SQLite has one writer anyhow.
    pub(crate) fn for_share(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR SHARE",
        }
    }

    /// Appended to a SELECT that takes rows nobody else is about to take.
    pub(crate) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Reads the last version number that was given out.
    pub(crate) fn last_version(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT value FROM pr_counter WHERE name = 'version'",
            Self::Postgres => "SELECT last_value FROM pr_version",
        }
    }

    /// A part of a moment that stands as microseconds, in UTC.
    pub(crate) fn date_part(self, part: DatePart, micros: &str) -> String {
        let number = |sqlite: &str, postgres: &str| match self {
            // Whole seconds, rounded down before 1970, too.
            Self::Sqlite => format!(
                "CAST(strftime('{sqlite}', ({micros} - 999999 * ({micros} < 0)) / 1000000, 'unixepoch') AS INTEGER)"
            ),
            Self::Postgres => format!(
                "CAST(extract({postgres} FROM to_timestamp({micros} / 1000000.0) AT TIME ZONE 'UTC') AS bigint)"
            ),
        };
        match part {
            DatePart::Day => number("%d", "day"),
            DatePart::Month => number("%m", "month"),
            DatePart::Year => number("%Y", "year"),
            DatePart::Quarter => format!("(({} + 2) / 3)", number("%m", "month")),
            DatePart::Week => {
                // Days since January 1st, and the day of the week that was.
                let day = format!("({} - 1)", number("%j", "doy"));
                let first = format!("((({} - {day}) % 7 + 7) % 7)", number("%w", "dow"));
                format!("(({day} + {first}) / 7 + 1)")
            }
        }
    }

    /// The `n`th bound value, wherever it stands in the statement. (SQLite
    /// numbers `$n` by appearance, and what is joined appears before what was
    /// bound first.)
    pub(crate) fn placeholder(self, n: usize) -> String {
        match self {
            Self::Sqlite => format!("?{n}"),
            Self::Postgres => format!("${n}"),
        }
    }

    /// `$from, $from+1, …`: `count` placeholders.
    pub(crate) fn placeholders(from: usize, count: usize) -> String {
        let mut out = String::with_capacity(count * 4);
        for n in from..from + count {
            if n > from {
                out.push(',');
            }
            let _ = write!(out, "${n}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_rendered_for_each_database() {
        let script = "a {id} {text} DEFAULT {true}\n[sqlite]only one\n[postgres]the other\n";
        assert_eq!(Dialect::Sqlite.render(script), "a BLOB TEXT DEFAULT 1\nonly one\n");
        assert_eq!(Dialect::Postgres.render(script), "a uuid text COLLATE \"C\" DEFAULT true\nthe other\n");
    }

    #[test]
    fn placeholders_count_up() {
        assert_eq!(Dialect::placeholders(3, 3), "$3,$4,$5");
        assert_eq!(Dialect::placeholders(1, 0), "");
    }
}
