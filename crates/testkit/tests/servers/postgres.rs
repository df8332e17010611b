//! PostgreSQL for the tests.

use testkit::Postgres;

#[test]
fn every_database_is_new_and_empty() {
    let postgres = Postgres::shared().unwrap();
    let (one, other) = (postgres.fresh_database().unwrap(), postgres.fresh_database().unwrap());
    assert_ne!(one, other);
    postgres.query(&one, "create table t (x int); insert into t values (7)").unwrap();
    assert_eq!(
        postgres.query(&one, "select x, current_setting('server_version_num')::int >= 150000 from t").unwrap(),
        "7|t"
    );
    assert!(postgres.query(&other, "select x from t").is_err());
}

#[test]
fn a_server_of_ones_own_ends_with_its_handle() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url().to_owned();
    let dir = postgres.dir().unwrap().to_owned();
    assert_eq!(postgres.query(&url, "show fsync").unwrap(), "off");
    drop(postgres);
    assert!(Postgres::shared().unwrap().query(&url, "select 1").is_err());
    assert!(!dir.exists());
}
