//! Where the rows of a table come from: the SQL table of its name. Activities
//! in general have none; their rows are those of every activity's table.

use std::sync::LazyLock;

use model::{Column, Kind, Table, tables};

use crate::shape::{companion, is_multi};

/// What stands after FROM or JOIN.
pub(crate) fn source(table: &'static Table) -> String {
    if table == tables::ACTIVITY { ACTIVITIES.clone() } else { format!("\"{}\"", table.logical) }
}

static ACTIVITIES: LazyLock<String> = LazyLock::new(|| {
    let selects: Vec<String> = tables::activities().map(activities_of).collect();
    format!("({})", selects.join(" UNION ALL "))
});

/// The common columns of one table of activities.
fn activities_of(table: &'static Table) -> String {
    let mut columns = vec![format!("\"{}\" AS \"{}\"", table.id, tables::ACTIVITY.id)];
    for column in tables::ACTIVITY.all_columns() {
        let name = column.name;
        let own = table.column(name);
        if name == "activitytypecode" {
            columns.push(format!("'{}' AS \"{name}\"", table.logical));
            continue;
        }
        columns.push(match own {
            Some(_) => format!("\"{name}\""),
            None => format!("CAST(NULL AS {}) AS \"{name}\"", type_of(column)),
        });
        if is_multi(&column.kind) {
            let companion = companion(name);
            columns.push(match own.map(|c| &c.kind) {
                Some(kind) if is_multi(kind) => format!("\"{companion}\""),
                Some(Kind::Lookup([target])) => format!("'{target}' AS \"{companion}\""),
                _ => format!("CAST(NULL AS text) AS \"{companion}\""),
            });
        }
    }
    format!("SELECT {} FROM \"{}\"", columns.join(", "), table.logical)
}

/// A type that PostgreSQL has and SQLite lets pass: it is only put on NULL.
fn type_of(column: &Column) -> &'static str {
    match column.kind {
        Kind::Bool => "boolean",
        Kind::Int { .. } | Kind::BigInt | Kind::Choice(_) | Kind::Time => "bigint",
        Kind::Lookup(_) | Kind::Id => "uuid",
        Kind::Bytes => "bytea",
        Kind::Text { .. } | Kind::Email { .. } | Kind::Memo | Kind::Secret { .. } => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_table_is_itself() {
        assert_eq!(source(tables::by_logical_name("email").unwrap()), "\"email\"");
    }

    #[test]
    fn activities_are_those_of_every_table() {
        let sql = source(tables::ACTIVITY);
        assert!(sql.contains("'email' AS \"activitytypecode\""), "{sql}");
        assert_eq!(sql.matches("FROM").count(), tables::activities().count());
        for column in tables::ACTIVITY.all_columns() {
            assert!(sql.contains(&format!("\"{}\"", column.name)), "{}", column.name);
        }
    }

    #[test]
    fn every_activity_has_its_columns_of_the_same_type() {
        for table in tables::activities() {
            assert_eq!(table.id, tables::ACTIVITY.id);
            for column in tables::ACTIVITY.all_columns() {
                let Some(own) = table.column(column.name) else { continue };
                assert_eq!(type_of(own), type_of(column), "{}.{}", table.logical, column.name);
            }
        }
    }
}
