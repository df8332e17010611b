//! One line of SQL, one line of what it asks.

use proptest::prelude::*;

use super::*;
use crate::show;

fn line(sql: &str) -> String {
    match read(sql, &Asker::default()) {
        Ok(fetch) => show::fetch(&fetch),
        Err(error) => format!("error: {error}"),
    }
}
#[track_caller]
fn check(sql: &str, expected: &str) {
    assert_eq!(line(sql), expected, "{sql}");
}
#[track_caller]
fn condition(sql: &str, expected: &str) {
    check(&format!("SELECT name FROM mailbox WHERE {sql}"), &format!("mailbox(name) where {expected}"));
}
#[track_caller]
fn refused(sql: &str, words: &str) {
    let line = line(sql);
    assert!(line.starts_with("error: ") && line.contains(words), "{sql}: {line}");
}

#[test]
fn columns() {
    check("SELECT name FROM account", "account(name)");
    check("select NAME, accountid from Account;", "account(name,accountid)");
    check("SELECT [name] AS n, a.\"accountnumber\" 'No' FROM account AS a", "account(name as n,accountnumber as No)");
    check(
        "SELECT TOP 10 ownerid FROM account ORDER BY name DESC, accountid",
        "account(ownerid as _ownerid_value) by name desc by accountid top 10",
    );
    check("SELECT TOP (3) name FROM dbo.account", "account(name) top 3");
    check("SELECT DISTINCT name FROM account ORDER BY name", "account(name) by name distinct");
    check("SELECT name /* x */ FROM account -- from", "account(name)");
}
#[test]
fn joins() {
    check(
        "SELECT a.name, c.fullname FROM account a INNER JOIN contact c ON a.accountid = c.parentcustomerid",
        "account(name) + inner c [parentcustomerid = accountid: contact(fullname)]",
    );
    check(
        "SELECT a.name, u.fullname FROM account a LEFT OUTER JOIN systemuser u ON u.systemuserid = a.ownerid WHERE u.isdisabled = 0",
        "account(name) where u[isdisabled = false] + outer u [systemuserid = ownerid: systemuser(fullname)]",
    );
    check(
        "SELECT a.name, c.ownerid, b.name FROM account a LEFT JOIN contact c ON c.parentcustomerid = a.accountid JOIN businessunit b ON b.businessunitid = c.contactid",
        "account(name) + inner c [parentcustomerid = accountid: contact(ownerid as _ownerid_value) + inner b [businessunitid = contactid: businessunit(name as b.name)]]",
    );
}
#[test]
fn conditions() {
    condition("name = 'O''Brien'", "name = \"O'Brien\"");
    condition("name = N'x'", "name = \"x\"");
    condition("name <> 'x'", "(not name is null and name <> \"x\")");
    condition("name != 'x'", "(not name is null and name <> \"x\")");
    condition("statecode >= 1 AND createdon < '2024-01-01'", "(statecode >= 1 and createdon < 2024-01-01T00:00:00Z)");
    condition(
        "name LIKE 'a%' OR name NOT LIKE '%b'",
        "(name like \"a%\" or (not name is null and not name like \"%b\"))",
    );
    condition("statecode IN (0, 1)", "statecode in 0,1");
    condition("statecode NOT IN (0)", "(not statecode is null and not statecode in 0)");
    condition("name IS NULL AND emailaddress IS NOT NULL", "(name is null and not emailaddress is null)");
    condition("statecode BETWEEN 0 AND 1 AND name = 'x'", "((statecode >= 0 and statecode <= 1) and name = \"x\")");
    condition("isforwardmailbox = 1", "isforwardmailbox = true");
    condition("name = emailaddress", ".name = .emailaddress");
    condition("mailboxid = '00000000-0000-0000-0000-00000000000a'", "mailboxid = 00000000-0000-0000-0000-00000000000a");
}
#[test]
fn negation_is_carried_inwards() {
    condition("NOT name = 'x'", "(not name is null and name <> \"x\")");
    condition("NOT (statecode > 1 OR name IS NULL)", "(statecode <= 1 and not name is null)");
    condition("NOT (statecode > 1 AND NOT (name = 'x'))", "(statecode <= 1 or name = \"x\")");
    condition("NOT name NOT LIKE 'x'", "name like \"x\"");
    condition("NOT name IS NOT NULL", "name is null");
}
#[test]
fn precedence() {
    condition("name = 'a' OR name = 'b' AND statecode = 0", "(name = \"a\" or (name = \"b\" and statecode = 0))");
    condition("(name = 'a' OR name = 'b') AND statecode = 0", "((name = \"a\" or name = \"b\") and statecode = 0)");
}
#[test]
fn aggregates() {
    check("SELECT COUNT(*) FROM account", "account(Count(accountid) as column1) aggregate");
    check(
        "SELECT a.name, COUNT(c.contactid) as cnt FROM account a JOIN contact c ON a.accountid = c.parentcustomerid GROUP BY a.name ORDER BY cnt DESC",
        "account(name) + inner c [parentcustomerid = accountid: contact(CountColumn(contactid) as cnt)] by cnt desc aggregate",
    );
    check(
        "SELECT MIN(createdon) a, MAX(createdon) b, COUNT(DISTINCT name) c FROM account",
        "account(Minimum(createdon) as a,Maximum(createdon) as b,CountDistinct(name) as c) aggregate",
    );
    check("SELECT name FROM account GROUP BY name", "account(name) aggregate");
}
#[test]
fn pages() {
    check(
        "SELECT name FROM account ORDER BY name OFFSET 20 ROWS FETCH NEXT 10 ROWS ONLY",
        "account(name) by name top 10 page 3 of 5000",
    );
    refused("SELECT name FROM account ORDER BY name OFFSET 5 ROWS FETCH NEXT 10 ROWS ONLY", "multiple");
}
#[test]
fn errors() {
    refused("", "ends too early");
    refused("SELECT * FROM account", "SELECT *");
    refused("SELECT a.* FROM account a", "SELECT *");
    refused("SELECT name FROM nothing", "'nothing'");
    refused("SELECT name FROM pr_apitoken", "pr_apitoken");
    refused("SELECT nothing FROM account", "'nothing'");
    refused("SELECT password FROM mailbox", "'password'");
    refused("SELECT name FROM account, contact", "commas");
    refused("SELECT name FROM account a JOIN mailbox m ON a.accountid = m.mailboxid", "several tables");
    refused("SELECT a.name FROM account a JOIN contact a ON a.accountid = a.accountid", "twice");
    refused("SELECT a.name FROM account a JOIN contact c ON a.name = c.contactid", "different types");
    refused("SELECT a.name FROM account a JOIN contact c ON a.name = a.name", "ON must compare");
    refused("SELECT a.name FROM account a JOIN contact c ON a.accountid = c.contactid AND 1 = 1", "one equality");
    refused("SELECT a.name FROM account a CROSS JOIN contact", "CROSS");
    refused("SELECT a.name FROM account a RIGHT JOIN contact c ON a.accountid = c.contactid", "RIGHT");
    refused("SELECT name FROM account HAVING 1", "HAVING");
    refused("SELECT name FROM account UNION SELECT name FROM team", "UNION");
    refused("SELECT name FROM account WHERE name = NULL", "IS NULL");
    refused("SELECT name FROM account WHERE name IN (SELECT name FROM team)", "Subqueries");
    refused("SELECT name FROM account WHERE accountid > 'x'", "no order");
    refused("SELECT name FROM account WHERE statecode = 'x'", "number of an option");
    refused("SELECT name FROM account WHERE statecode LIKE 'x'", "no text");
    refused("SELECT name, COUNT(*) FROM account", "GROUP BY");
    refused("SELECT name, COUNT(*) FROM account GROUP BY accountnumber", "must be in GROUP BY");
    refused("SELECT SUM(name) FROM account", "whole numbers");
    refused("SELECT LEN(name) FROM account", "functions");
    refused("SELECT TOP 5001 name FROM account", "5000");
    refused("SELECT name, name FROM account", "two values");
    refused("DELETE FROM account", "near 'delete");
    refused("SELECT name FROM account; DROP TABLE account", "near 'drop");
    refused("SELECT name FROM account WHERE name = 'x", "near");
    refused("SELECT name FROM account WHERE x.name = 'x'", "no table 'x'");
    refused(&format!("SELECT name FROM account WHERE {}name = 'x'", "(".repeat(60)), "too deeply");
}

const WORDS: &[&str] = &[
    "SELECT",
    "TOP",
    "3",
    "name",
    ",",
    "COUNT(*)",
    "FROM",
    "account",
    "a",
    "a.name",
    "JOIN",
    "LEFT",
    "contact",
    "c",
    "ON",
    "=",
    "c.contactid",
    "a.accountid",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    "IN",
    "LIKE",
    "'%x'",
    "IS",
    "NULL",
    "ORDER",
    "GROUP",
    "BY",
    "DESC",
    "é",
    "[",
    "--",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn words(words in prop::collection::vec(prop::sample::select(WORDS), 0..30)) {
        let _ = line(&words.join(" "));
        let _ = line(&format!("SELECT name FROM account a {}", words.join(" ")));
    }
    #[test]
    fn any_text(text in "\\PC{0,200}") {
        let _ = line(&text);
    }
}
