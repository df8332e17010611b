//! Migrations: the schema fits the declarations, and what is not ours is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::table::Default as ColumnDefault;
use model::{Column, Kind, Table, tables};

use super::*;
use crate::commit::UNIQUE;
use crate::options::Options;
use crate::shape::{companion, is_multi};
use crate::sqlite::{Mode, SqliteTx};
use crate::store::Store;

/// The type of a column as a migration writes it.
fn token(column: &Column) -> Option<&'static str> {
    Some(match column.kind {
        Kind::Bool => "{bool}",
        Kind::Int { .. } | Kind::BigInt | Kind::Choice(_) => "{int}",
        Kind::Text { .. } | Kind::Email { .. } | Kind::Memo => "{text}",
        Kind::Time => "{time}",
        Kind::Lookup(_) | Kind::Id => "{id}",
        Kind::Bytes => "{bytes}",
        Kind::Secret { .. } => return None,
    })
}

fn default_clause(column: &Column) -> String {
    match column.default {
        ColumnDefault::Null => String::new(),
        ColumnDefault::Bool(b) => format!(" DEFAULT {{{b}}}"),
        ColumnDefault::Int(n) => format!(" DEFAULT {n}"),
    }
}

fn create_table(table: &Table) -> String {
    let mut sql = format!("CREATE TABLE \"{}\" (\n    \"{}\" {{id}} PRIMARY KEY NOT NULL", table.logical, table.id);
    // Long text last: SQLite reads a row's overflow pages in order.
    let (long, short): (Vec<_>, Vec<_>) = table.all_columns().partition(|c| matches!(c.kind, Kind::Memo));
    for column in short.into_iter().chain(long) {
        let Some(kind) = token(column) else { continue };
        let _ = write!(sql, ",\n    \"{}\" {kind}{}", column.name, default_clause(column));
        if is_multi(&column.kind) {
            let _ = write!(sql, ",\n    \"{}\" {{text}}", companion(column.name));
        }
    }
    let compact = if table.logical == "activityparty" { " WITHOUT ROWID, STRICT" } else { " STRICT" };
    let _ = write!(sql, "\n[sqlite]){compact};\n[postgres]);\n");
    sql
}

/// Writes a migration that makes every declared table, to start from when a
/// table is new. What has been released is never generated again.
#[test]
#[ignore = "a generator, run by hand: cargo test -p store generate_tables -- --ignored --nocapture"]
fn generate_tables() {
    for table in tables::ALL {
        println!("{}", create_table(table));
    }
}

fn database(name: &str) -> (tempfile::TempDir, Tx) {
    let dir = tempfile::tempdir().unwrap();
    let tx = SqliteTx::open(&dir.path().join(name), Mode::Create).unwrap();
    (dir, Tx::Sqlite(tx))
}

#[tokio::test]
async fn the_schema_is_what_the_declarations_say() {
    let (_dir, mut tx) = database("a.db");
    migrate(&mut tx, MIGRATIONS).await.unwrap();
    let sql = "SELECT m.name, c.name, c.type, coalesce(c.dflt_value, '') FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'";
    let rows = tx.rows(sql, &[], &[Want::Text, Want::Text, Want::Text, Want::Text]).await.unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let text = |n: usize| row[n].as_text().unwrap_or_default();
        found.entry(text(0).into()).or_default().insert(format!("{} {} {}", text(1), text(2), text(3)));
    }
    for table in tables::ALL {
        let rendered = |kind: &str, clause: &str| {
            let text = crate::dialect::Dialect::Sqlite.render(&format!("{kind}{clause}"));
            let (kind, default) = text.trim().split_once(" DEFAULT ").unwrap_or((text.trim(), ""));
            format!("{kind} {default}")
        };
        let mut declared = BTreeSet::from([format!("{} BLOB ", table.id)]);
        for column in table.all_columns() {
            let Some(kind) = token(column) else { continue };
            declared.insert(format!("{} {}", column.name, rendered(kind, &default_clause(column))));
            if is_multi(&column.kind) {
                declared.insert(format!("{} TEXT ", companion(column.name)));
            }
        }
        assert_eq!(
            found.get(table.logical),
            Some(&declared),
            "{} differs from its declaration: write a migration that brings it up to date",
            table.logical
        );
        assert!(table.all_columns().count() <= 128, "{}: the mask of an INSERT has 128 bits", table.logical);
    }
}

#[tokio::test]
async fn the_texts_that_are_searched_have_an_index_of_words() {
    let (_dir, mut tx) = database("a.db");
    migrate(&mut tx, MIGRATIONS).await.unwrap();
    let sql = "SELECT name, sql FROM sqlite_schema WHERE name LIKE '%\\_\\_words' ESCAPE '\\'";
    let rows = tx.rows(sql, &[], &[Want::Text, Want::Text]).await.unwrap();
    let found: BTreeMap<&str, &str> = rows.iter().map(|r| (r[0].as_text().unwrap(), r[1].as_text().unwrap())).collect();
    let declared: Vec<&Table> = tables::ALL.iter().copied().filter(|t| !t.words.is_empty()).collect();
    assert_eq!(found.len(), declared.len(), "{found:?}");
    for table in declared {
        let sql = found[&*format!("{}__words", table.logical)];
        assert!(sql.contains(&format!("fts5({},", table.words.join(", "))), "{sql}");
        let index = format!("ON {} USING gin (pr_words({}))", table.logical, table.words.join(", "));
        assert!(MIGRATIONS.iter().any(|m| m.script.contains(&index)), "{index}");
    }
}

#[tokio::test]
async fn unique_indexes_are_the_ones_that_conflicts_are_explained_by() {
    let (_dir, mut tx) = database("a.db");
    migrate(&mut tx, MIGRATIONS).await.unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE 'CREATE UNIQUE%' ORDER BY name";
    let rows = tx.rows(sql, &[], &[Want::Text]).await.unwrap();
    let found: BTreeSet<String> = rows.iter().map(|r| r[0].as_text().unwrap().to_owned()).collect();
    assert_eq!(found, UNIQUE.iter().map(|(name, _, _)| (*name).to_owned()).collect());
}

#[test]
fn migrations_are_numbered_without_gaps() {
    assert!(MIGRATIONS.iter().map(|m| m.version).eq(1..=MIGRATIONS.len() as i64));
}

#[tokio::test]
async fn a_second_migration_is_applied_once_to_what_is_there() {
    let (_dir, mut tx) = database("a.db");
    let first = || Migration { version: 1, name: "one", script: "CREATE TABLE a (x {int});" };
    let second = || Migration { version: 2, name: "two", script: "ALTER TABLE a ADD COLUMN y {text};" };
    migrate(&mut tx, &[first()]).await.unwrap();
    tx.batch("INSERT INTO a VALUES (7)").await.unwrap();
    for _ in 0..2 {
        migrate(&mut tx, &[first(), second()]).await.unwrap();
    }
    assert_eq!(tx.rows("SELECT x FROM a WHERE y IS NULL", &[], &[Want::Int]).await.unwrap().len(), 1);
    assert_eq!(applied(&mut tx).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let (_dir, mut tx) = database("a.db");
    let bad = Migration { version: 1, name: "bad", script: "CREATE TABLE a (x {int}); CREATE TABLE a (x {int});" };
    assert!(migrate(&mut tx, &[bad]).await.is_err());
    assert!(!is_initialized(&mut tx).await.unwrap());
}

async fn tampered(sql: &str) -> StoreError {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::new(dir.path());
    drop(Store::create(&options).await.unwrap());
    let mut tx = Tx::Sqlite(SqliteTx::open(&options.sqlite_path(), Mode::Write).unwrap());
    tx.batch(sql).await.unwrap();
    drop(tx);
    Store::open(&options).await.unwrap_err()
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let error = tampered("INSERT INTO pr_migration VALUES (99, 'from the future', '')").await;
    assert_eq!(error, StoreError::Newer { found: 99, known: MIGRATIONS.len() as i64 });
    assert!(error.to_string().contains("newer than this program"), "{error}");
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let error = tampered("UPDATE pr_migration SET checksum = 'x' WHERE version = 1").await;
    assert_eq!(error, StoreError::ChangedMigration { version: 1, name: "initial".into() });
}

#[tokio::test]
async fn what_is_there_is_not_created_again_and_what_is_not_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::new(dir.path().join("x"));
    assert!(matches!(Store::open(&options).await.unwrap_err(), StoreError::Absent(_)));
    drop(Store::create(&options).await.unwrap());
    assert!(matches!(Store::create(&options).await.unwrap_err(), StoreError::Present(_)));
    drop(Store::open(&options).await.unwrap());
}
