//! Executes commits: all of a commit or nothing of it.

use std::sync::atomic::Ordering;

use model::{Commit, Ref, Value, tables};

use crate::db::Database;
use crate::error::{CommitError, Conflict, Fault, StoreError};
use crate::plan::{Demand, Plan};
use crate::postgres::Postgres;
use crate::shape::{Want, want};
use crate::sqlite::Writer;
use crate::store::Store;
use crate::tx::{Must, Stopped, Tx, Work};

/// Commits in one transaction at most.
const GROUP: usize = 128;

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// The new `versionnumber` of every row on the wire that was written, in
    /// the order of the changes.
    pub versions: Vec<(Ref, i64)>,
}

impl Committed {
    /// The version that this commit gave the row last.
    pub fn version(&self, row: Ref) -> Option<i64> {
        self.versions.iter().rev().find(|(r, _)| *r == row).map(|(_, v)| *v)
    }
}

impl Store {
    /// Executes one commit in a transaction of its own. Waits until it is
    /// durable.
    ///
    /// # Errors
    /// [`CommitError::Conflict`], [`CommitError::Fenced`] and
    /// [`CommitError::NotFound`] mean that nothing was written.
    pub async fn commit(&self, commit: &Commit) -> Result<Committed, CommitError> {
        self.refresh_steps().await?;
        let plan = self.planner().plan(commit.clone())?;
        let (wakes, secures, resubscribes) = (plan.wakes, plan.secures, plan.resubscribes);
        let committed = match self.database() {
            // A part of a transaction that fails must leave the rest.
            Database::Session(session) => {
                let answer = session.write(Group(vec![Ok(plan)])).await?.pop();
                answer.unwrap_or(Err(CommitError::Store(StoreError::Closed)))?
            }
            database => database.write(One(plan)).await?,
        };
        self.committed(wakes, resubscribes);
        self.forget(secures);
        Ok(committed)
    }

    /// Executes many commits in order, each by itself all or nothing, with few
    /// transactions for all of them. The answers are in the same order.
    pub async fn commit_all(&self, commits: Vec<Commit>) -> Vec<Result<Committed, CommitError>> {
        if let Err(error) = self.refresh_steps().await {
            return commits.iter().map(|_| Err(error.clone().into())).collect();
        }
        let plans: Vec<_> = commits.into_iter().map(|commit| self.planner().plan(commit)).collect();
        let wakes = plans.iter().flatten().any(|plan| plan.wakes);
        let resubscribes = plans.iter().flatten().any(|plan| plan.resubscribes);
        let secures = plans.iter().flatten().any(|plan| plan.secures);
        let answers = match self.database() {
            Database::Sqlite { writer, .. } => one_by_one(writer, plans).await,
            Database::Postgres(postgres) => in_groups(postgres, plans).await,
            Database::Session(session) => {
                let count = plans.len();
                let all = session.write(Group(plans)).await;
                all.unwrap_or_else(|error| (0..count).map(|_| Err(error.clone().into())).collect())
            }
        };
        if answers.iter().any(Result::is_ok) {
            self.committed(wakes, resubscribes);
            self.forget(secures);
        }
        answers
    }

    /// Lets those know who wait for what was committed.
    fn committed(&self, wakes: bool, resubscribes: bool) {
        if resubscribes {
            self.outbox().forget();
        }
        self.woke(wakes);
    }
}

/// The writer thread puts what waits into one transaction by itself.
async fn one_by_one(writer: &Writer, plans: Vec<Result<Plan, StoreError>>) -> Vec<Result<Committed, CommitError>> {
    let waiting: Vec<_> = plans.into_iter().map(|plan| plan.map(|plan| writer.submit(One(plan)))).collect();
    let mut answers = Vec::with_capacity(waiting.len());
    for answer in waiting {
        answers.push(match answer {
            Ok(answer) => answer.await.unwrap_or(Err(CommitError::Store(StoreError::Closed))),
            Err(error) => Err(error.into()),
        });
    }
    answers
}

async fn in_groups(postgres: &Postgres, plans: Vec<Result<Plan, StoreError>>) -> Vec<Result<Committed, CommitError>> {
    let mut answers = Vec::with_capacity(plans.len());
    let mut waiting = plans.into_iter().peekable();
    while waiting.peek().is_some() {
        let group = Group(waiting.by_ref().take(GROUP).collect());
        let count = group.0.len();
        match postgres.write(group).await {
            Ok(results) => answers.extend(results),
            Err(error) => answers.extend((0..count).map(|_| Err(error.clone().into()))),
        }
    }
    answers
}

/// One commit.
struct One(Plan);

impl Work for One {
    type Out = Committed;
    type Error = CommitError;

    async fn run(&self, tx: &mut Tx) -> Result<Committed, CommitError> {
        match self.0.apply(tx).await {
            Ok(committed) => Ok(committed),
            Err(stopped) => {
                // PostgreSQL answers nothing more in a transaction that failed.
                if let Tx::Postgres(_) = tx {
                    tx.rollback().await;
                    tx.begin_counted().await.map_err(StoreError::from)?;
                }
                Err(self.0.explain(stopped, tx).await)
            }
        }
    }
}

/// Several commits in one transaction, each in a savepoint.
struct Group(Vec<Result<Plan, StoreError>>);

impl Work for Group {
    type Out = Vec<Result<Committed, CommitError>>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let mut results = Vec::with_capacity(self.0.len());
        for plan in &self.0 {
            let plan = match plan {
                Ok(plan) => plan,
                Err(error) => {
                    results.push(Err(error.clone().into()));
                    continue;
                }
            };
            tx.execute("SAVEPOINT part", &[]).await?;
            let result = match plan.apply(tx).await {
                Ok(committed) => Ok(committed),
                Err(Stopped::Fault(Fault::Retry(text))) => return Err(StoreError::Busy(text)),
                Err(stopped) => {
                    tx.execute("ROLLBACK TO part", &[]).await?;
                    Err(plan.explain(stopped, tx).await)
                }
            };
            tx.execute("RELEASE part", &[]).await?;
            results.push(result);
        }
        Ok(results)
    }
}

impl Plan {
    async fn apply(&self, tx: &mut Tx) -> Result<Committed, Stopped> {
        let first = if self.versions == 0 { 0 } else { tx.versions(self.versions).await.map_err(Stopped::Fault)? };
        self.first_version.store(first, Ordering::Relaxed);
        let changed = tx.run(&self.steps).await?;
        // An Ensure that found its row there wrote nothing.
        let written = self.versioned.iter().filter(|(step, _, _)| changed.get(*step).is_some_and(|n| *n > 0));
        Ok(Committed { versions: written.map(|(_, row, n)| (*row, first + n)).collect() })
    }

    /// What a failure means to the caller.
    async fn explain(&self, stopped: Stopped, tx: &mut Tx) -> CommitError {
        let explained = match stopped {
            Stopped::Empty(Must::HoldLease) => return CommitError::Fenced,
            Stopped::Fault(Fault::Unique(what)) => {
                return duplicate(&what).map_or_else(|| StoreError::Database(what).into(), Into::into);
            }
            Stopped::Fault(fault) => return StoreError::from(fault).into(),
            Stopped::Empty(Must::FindRow(index)) => self.demands.iter().find(|(i, _)| *i == index),
        };
        match explained {
            Some((_, demand)) => demand.unmet(tx).await.unwrap_or_else(Into::into),
            None => StoreError::Database("a row that must be there is not".into()).into(),
        }
    }
}

impl Demand {
    /// Which demand the row does not meet.
    async fn unmet(&self, tx: &mut Tx) -> Result<CommitError, StoreError> {
        let table = self.table;
        let mut sql = String::from("SELECT ");
        let mut wants = vec![Want::Int];
        sql.push_str(if table.on_wire { "\"versionnumber\"" } else { "CAST(0 AS BIGINT)" });
        for (place, _) in &self.expect {
            wants.push(want(&place.column.kind).unwrap_or(Want::Int));
            sql.push_str(&format!(", \"{}\"", place.column.name));
        }
        sql.push_str(&format!(" FROM \"{}\" WHERE \"{}\" = $1", table.logical, table.id));
        let rows = tx.rows(&sql, &[self.row.id.into()], &wants).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(CommitError::NotFound(self.row)) };
        let current = row.first().and_then(Value::as_int).unwrap_or(0);
        if self.version.is_some_and(|version| version != current) {
            return Ok(Conflict::Version { row: self.row, current }.into());
        }
        for ((place, expected), stands) in self.expect.iter().zip(row.into_iter().skip(1)) {
            let stands = crate::bind::Bind::from_value(stands);
            if stands.is_none_or(|s| !s.same(expected)) {
                return Ok(Conflict::Expectation { row: self.row, column: place.column.name }.into());
            }
        }
        // It was not so a moment ago: somebody else wrote in between.
        Err(StoreError::Busy(format!("{} is being changed by somebody else", self.row)))
    }
}

/// The unique indexes: name, table, columns.
pub(crate) const UNIQUE: &[(&str, &str, &[&str])] = &[
    ("ux_email_messageiddupcheck", "email", &["messageiddupcheck"]),
    ("ux_mailbox_regardingobjectid", "mailbox", &["regardingobjectid"]),
    ("ux_systemuser_domainname", "systemuser", &["domainname"]),
    ("ux_pr_ledgerentry_position", "pr_ledgerentry", &["pr_mailboxid", "pr_folder", "pr_position"]),
    ("ux_pr_workitem_workload", "pr_workitem", &["pr_mailboxid", "pr_workload"]),
    ("ux_pr_folder_name", "pr_folder", &["pr_mailboxid", "pr_name"]),
    ("ux_pr_apitoken_hash", "pr_apitoken", &["pr_hash"]),
    ("ux_pr_identity", "pr_identity", &["pr_issuer", "pr_subject"]),
    ("ux_pr_session_hash", "pr_session", &["pr_hash"]),
    ("ux_pr_ticket_hash", "pr_ticket", &["pr_hash"]),
    ("ux_pr_clientsecret_hash", "pr_clientsecret", &["pr_hash"]),
    ("ux_systemuser_applicationid", "systemuser", &["applicationid"]),
    ("ux_privilege_name", "privilege", &["name"]),
    ("ux_roleprivileges", "roleprivileges", &["roleid", "privilegeid"]),
    ("ux_systemuserroles", "systemuserroles", &["systemuserid", "roleid"]),
    ("ux_teamroles", "teamroles", &["teamid", "roleid"]),
    ("ux_teammembership", "teammembership", &["systemuserid", "teamid"]),
    ("ux_fieldpermission", "fieldpermission", &["fieldsecurityprofileid", "entityname", "attributelogicalname"]),
    ("ux_systemuserprofiles", "systemuserprofiles", &["systemuserid", "fieldsecurityprofileid"]),
    ("ux_teamprofiles", "teamprofiles", &["teamid", "fieldsecurityprofileid"]),
    ("ux_principalobjectaccess", "principalobjectaccess", &["principalid", "objectid"]),
];

/// From PostgreSQL's constraint name, or from SQLite's "UNIQUE constraint
/// failed: table.column, table.column" or "… failed: index 'name'".
fn duplicate(what: &str) -> Option<Conflict> {
    let what = what.rsplit_once("failed: ").map_or(what, |(_, rest)| rest);
    let name = what.strip_prefix("index '").map_or(what, |rest| rest.trim_end_matches('\''));
    if let Some((_, table, columns)) = UNIQUE.iter().find(|(index, _, _)| *index == name) {
        return Some(Conflict::Duplicate { table, columns: columns.iter().map(|c| (*c).to_owned()).collect() });
    }
    if let Some(table) = name.strip_suffix("_pkey").and_then(tables::by_logical_name) {
        return Some(Conflict::Duplicate { table: table.logical, columns: vec![table.id.to_owned()] });
    }
    let (table, _) = what.split_once('.')?;
    let table = tables::by_logical_name(table)?;
    let columns = what.split(", ").filter_map(|c| c.split_once('.')).map(|(_, c)| c.to_owned()).collect();
    Some(Conflict::Duplicate { table: table.logical, columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: &str, table: &str, columns: &[&str]) {
        let Some(Conflict::Duplicate { table: t, columns: c }) = duplicate(what) else {
            panic!("{what} is not understood")
        };
        assert_eq!((t, c), (table, columns.iter().map(|c| (*c).to_owned()).collect()));
    }

    #[test]
    fn duplicates_are_understood_from_both_databases() {
        check("UNIQUE constraint failed: email.messageiddupcheck", "email", &["messageiddupcheck"]);
        check(
            "UNIQUE constraint failed: pr_ledgerentry.pr_mailboxid, pr_ledgerentry.pr_folder",
            "pr_ledgerentry",
            &["pr_mailboxid", "pr_folder"],
        );
        check("UNIQUE constraint failed: index 'ux_systemuser_domainname'", "systemuser", &["domainname"]);
        check("ux_pr_apitoken_hash", "pr_apitoken", &["pr_hash"]);
        check("email_pkey", "email", &["activityid"]);
        check("UNIQUE constraint failed: email.activityid", "email", &["activityid"]);
        assert_eq!(duplicate("something_else"), None);
    }
}
