//! Counts over the whole installation, each by an index or over a small table.

use model::overview::{EmailTally, Held, HourTally, MailboxGroup, Overview, Route, WorkTally};
use model::tables::{AlertLevel, Disposition, EmailStatus};
use model::work::Workload;
use model::{Timestamp, Value};

use crate::error::StoreError;
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

const HOUR: i64 = 3_600_000_000;

impl Store {
    /// What is there at `now`; messages and alerts since `since`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn overview(&self, now: Timestamp, since: Timestamp) -> Result<Overview, StoreError> {
        self.database().read(Look { now, since }).await
    }
}

struct Look {
    now: Timestamp,
    since: Timestamp,
}

impl Work for Look {
    type Out = Overview;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Overview, StoreError> {
        Ok(Overview {
            mailboxes: mailboxes(tx).await?,
            messages: self.messages(tx).await?,
            work: self.work(tx).await?,
            held: self.held(tx).await?,
            emails: emails(tx).await?,
            alerts: self.alerts(tx).await?,
        })
    }
}

async fn mailboxes(tx: &mut Tx) -> Result<Vec<MailboxGroup>, StoreError> {
    let sql = "SELECT statecode, emailrouteraccessapproval, CAST(CASE WHEN emailserverprofile IS NULL THEN 0 ELSE 1 END AS BIGINT), \
         incomingemaildeliverymethod, incomingemailstatus, enabledforincomingemail, \
         outgoingemaildeliverymethod, outgoingemailstatus, enabledforoutgoingemail, count(*) \
         FROM mailbox GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9";
    let flag = Want::Bool;
    let wants = [Want::Int, Want::Int, Want::Int, Want::Int, Want::Int, flag, Want::Int, Want::Int, flag, Want::Int];
    let rows = tx.rows(sql, &[], &wants).await?;
    let route = |row: &[Value], at: usize| Route {
        method: int(row, at),
        status: int(row, at + 1),
        enabled: row.get(at + 2).and_then(Value::as_bool).unwrap_or(false),
    };
    let group = |row: &Vec<Value>| MailboxGroup {
        active: int(row, 0) == 0,
        approval: int(row, 1),
        has_profile: int(row, 2) == 1,
        incoming: route(row, 3),
        outgoing: route(row, 6),
        count: count(row, 9),
    };
    Ok(rows.iter().map(group).collect())
}

impl Look {
    async fn messages(&self, tx: &mut Tx) -> Result<Vec<HourTally>, StoreError> {
        let sql = "SELECT pr_seenon / 3600000000, pr_disposition, count(*) FROM pr_ledgerentry \
             WHERE pr_seenon >= $1 GROUP BY 1, 2 ORDER BY 1, 2";
        let rows = tx.rows(sql, &[self.since.into()], &[Want::Int, Want::Int, Want::Int]).await?;
        let tally = |row: &Vec<Value>| {
            let hour = Timestamp::from_microsecond(int(row, 0).checked_mul(HOUR)?).ok()?;
            Some(HourTally { hour, disposition: Disposition::from_number(int(row, 1))?, count: count(row, 2) })
        };
        Ok(rows.iter().filter_map(tally).collect())
    }

    async fn work(&self, tx: &mut Tx) -> Result<Vec<WorkTally>, StoreError> {
        let sql = "SELECT pr_workload, \
             CAST(sum(CASE WHEN pr_nextrun <= $1 AND (pr_leaseuntil IS NULL OR pr_leaseuntil <= $1) THEN 1 ELSE 0 END) AS BIGINT), \
             min(CASE WHEN pr_leaseuntil IS NULL OR pr_leaseuntil <= $1 THEN pr_nextrun END), \
             CAST(sum(CASE WHEN pr_failures > 0 THEN 1 ELSE 0 END) AS BIGINT) FROM pr_workitem GROUP BY pr_workload ORDER BY pr_workload";
        let rows = tx.rows(sql, &[self.now.into()], &[Want::Int, Want::Int, Want::Time, Want::Int]).await?;
        let tally = |row: &Vec<Value>| {
            let since = row.get(2).and_then(Value::as_time).filter(|since| *since <= self.now);
            let workload = Workload::from_number(int(row, 0))?;
            Some(WorkTally { workload, due: count(row, 1), since, failing: count(row, 3) })
        };
        Ok(rows.iter().filter_map(tally).collect())
    }

    async fn held(&self, tx: &mut Tx) -> Result<Vec<Held>, StoreError> {
        let sql = "SELECT pr_leaseholder, pr_workload, count(*) FROM pr_workitem \
             WHERE pr_leaseuntil > $1 AND pr_leaseholder IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2";
        let rows = tx.rows(sql, &[self.now.into()], &[Want::Text, Want::Int, Want::Int]).await?;
        let held = |row: &Vec<Value>| {
            let node = row.first()?.as_text()?.to_owned();
            Some(Held { node, workload: Workload::from_number(int(row, 1))?, count: count(row, 2) })
        };
        Ok(rows.iter().filter_map(held).collect())
    }

    async fn alerts(&self, tx: &mut Tx) -> Result<Vec<(AlertLevel, u64)>, StoreError> {
        let sql = "SELECT level, count(*) FROM tracelog WHERE modifiedon >= $1 GROUP BY 1 ORDER BY 1";
        let rows = tx.rows(sql, &[self.since.into()], &[Want::Int, Want::Int]).await?;
        Ok(rows.iter().filter_map(|row| Some((AlertLevel::from_number(int(row, 0))?, count(row, 1)))).collect())
    }
}

async fn emails(tx: &mut Tx) -> Result<Vec<EmailTally>, StoreError> {
    let sql = "SELECT statuscode, count(*), min(modifiedon) FROM email WHERE statuscode IN ($1, $2, $3) \
         GROUP BY 1 ORDER BY 1";
    let statuses = [EmailStatus::PendingSend, EmailStatus::Sending, EmailStatus::Failed];
    let binds = statuses.map(|status| status.number().into());
    let rows = tx.rows(sql, &binds, &[Want::Int, Want::Int, Want::Time]).await?;
    let tally = |row: &Vec<Value>| EmailTally {
        status: int(row, 0),
        count: count(row, 1),
        since: row.get(2).and_then(Value::as_time),
    };
    Ok(rows.iter().map(tally).collect())
}

fn int(row: &[Value], at: usize) -> i64 {
    row.get(at).and_then(Value::as_int).unwrap_or(0)
}

fn count(row: &[Value], at: usize) -> u64 {
    u64::try_from(int(row, at)).unwrap_or(0)
}
