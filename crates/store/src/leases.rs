//! Due work: who may work on which mailbox, and until when.
//!
//! A claim moves the item's next run to the end of the lease. So work whose
//! worker died is due again by itself, and a next run that is earlier than
//! that when the lease is given back was asked for meanwhile: it is kept.

use std::collections::BTreeMap;

use model::work::Workload;
use model::{Id, Lease, Timestamp, Value};

use crate::bind::Bind;
use crate::dialect::Dialect;
use crate::error::{CommitError, StoreError};
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

const LEASE: [Want; 3] = [Want::Id, Want::Int, Want::Time];

impl Store {
    /// Takes at most `most` due items: their next run is not after `now` and
    /// nobody holds them. Those due longest come first. `skip`: mailboxes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim(
        &self,
        workload: Workload,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
        most: usize,
        skip: &[Id],
    ) -> Result<Vec<Lease>, StoreError> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let claim = Claim { workload, holder: holder.into(), now, until, most, skip: skip.to_vec() };
        self.database().write(claim).await
    }

    /// Takes one mailbox's item whether it is due or not; `None` when
    /// somebody holds it or there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_one(
        &self,
        mailbox: Id,
        workload: Workload,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        self.database().write(ClaimOne { mailbox, workload, holder: holder.into(), now, until }).await
    }

    /// Keeps a lease for longer.
    ///
    /// # Errors
    /// [`CommitError::Fenced`] when somebody else has it by now.
    pub async fn extend(&self, lease: &Lease, until: Timestamp) -> Result<Lease, CommitError> {
        self.database().write(Extend { lease: *lease, until }).await?;
        Ok(Lease { until, ..*lease })
    }

    /// Gives a lease back. `next_run`: when it is due again, unless somebody
    /// asked for an earlier run meanwhile; `None`: when somebody asks.
    ///
    /// # Errors
    /// [`CommitError::Fenced`] when somebody else has it by now.
    pub async fn release(&self, lease: &Lease, next_run: Option<Timestamp>, failures: i64) -> Result<(), CommitError> {
        self.database().write(Release { lease: *lease, next_run, failures }).await?;
        self.woke(true);
        Ok(())
    }

    /// When the next item can be claimed, if nothing changes until then.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_due(&self, workload: Workload) -> Result<Option<Timestamp>, StoreError> {
        self.database().read(NextDue(workload)).await
    }
}

struct Claim {
    workload: Workload,
    holder: String,
    now: Timestamp,
    until: Timestamp,
    most: usize,
    skip: Vec<Id>,
}

impl Work for Claim {
    type Out = Vec<Lease>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Lease>, StoreError> {
        // Few different texts: the list of mailboxes to skip is filled up to a
        // power of two by repeating its last.
        let mut skip: Vec<Bind> = self.skip.iter().map(|id| Bind::Id(*id)).collect();
        if let Some(last) = self.skip.last() {
            skip.resize(self.skip.len().next_power_of_two(), Bind::Id(*last));
        }
        let not_these = if skip.is_empty() {
            String::new()
        } else {
            format!(" AND pr_mailboxid NOT IN ({})", Dialect::placeholders(5, skip.len()))
        };
        let sql = format!(
            "UPDATE pr_workitem SET pr_fence = pr_fence + 1, pr_leaseuntil = $1, pr_nextrun = $1, pr_leaseholder = $2 \
             WHERE pr_workitemid IN (SELECT pr_workitemid FROM pr_workitem WHERE pr_workload = $3 AND pr_nextrun <= $4 \
             AND (pr_leaseuntil IS NULL OR pr_leaseuntil <= $4){not_these} ORDER BY pr_nextrun LIMIT ${}{}) \
             RETURNING pr_mailboxid, pr_fence",
            5 + skip.len(),
            tx.dialect().skip_locked(),
        );
        // The order is that of the look-up, which RETURNING does not keep.
        let order = "SELECT pr_mailboxid, pr_nextrun FROM pr_workitem WHERE pr_workload = $1 AND pr_nextrun <= $2 ORDER BY pr_nextrun";
        let due = tx.rows(order, &[self.workload.number().into(), self.now.into()], &[Want::Id, Want::Time]).await?;
        let due: Vec<(Id, Timestamp)> =
            due.iter().filter_map(|r| Some((r.first()?.as_id()?, r.get(1)?.as_time()?))).collect();
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let mut binds: Vec<Bind> =
            vec![self.until.into(), self.holder.clone().into(), self.workload.number().into(), self.now.into()];
        binds.extend(skip);
        binds.push(most.into());
        let rows = tx.rows(&sql, &binds, &LEASE[..2]).await?;
        let mut leases: Vec<Lease> = rows.iter().filter_map(|row| lease(row, self.workload, self.until)).collect();
        let since: BTreeMap<Id, Timestamp> = due.into_iter().collect();
        for lease in &mut leases {
            lease.due = since.get(&lease.mailbox).copied();
        }
        leases.sort_by_key(|lease| lease.due);
        Ok(leases)
    }
}

fn lease(row: &[Value], workload: Workload, until: Timestamp) -> Option<Lease> {
    Some(Lease { mailbox: row.first()?.as_id()?, workload, fence: row.get(1)?.as_int()?, until, due: None })
}

struct ClaimOne {
    mailbox: Id,
    workload: Workload,
    holder: String,
    now: Timestamp,
    until: Timestamp,
}

impl Work for ClaimOne {
    type Out = Option<Lease>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Lease>, StoreError> {
        let sql = "UPDATE pr_workitem SET pr_fence = pr_fence + 1, pr_leaseuntil = $1, pr_nextrun = $1, pr_leaseholder = $2 \
             WHERE pr_mailboxid = $3 AND pr_workload = $4 AND (pr_leaseuntil IS NULL OR pr_leaseuntil <= $5) \
             RETURNING pr_mailboxid, pr_fence";
        let binds: [Bind; 5] = [
            self.until.into(),
            self.holder.clone().into(),
            self.mailbox.into(),
            self.workload.number().into(),
            self.now.into(),
        ];
        let rows = tx.rows(sql, &binds, &LEASE[..2]).await?;
        Ok(rows.first().and_then(|row| lease(row, self.workload, self.until)))
    }
}

struct Extend {
    lease: Lease,
    until: Timestamp,
}

impl Work for Extend {
    type Out = ();
    type Error = CommitError;

    async fn run(&self, tx: &mut Tx) -> Result<(), CommitError> {
        // A next run that is not the lease's end was asked for by somebody.
        let sql = "UPDATE pr_workitem SET pr_leaseuntil = $1, \
             pr_nextrun = CASE WHEN pr_nextrun = pr_leaseuntil THEN $1 ELSE pr_nextrun END \
             WHERE pr_mailboxid = $2 AND pr_workload = $3 AND pr_fence = $4 AND pr_leaseuntil IS NOT NULL";
        let lease = self.lease;
        let binds: [Bind; 4] =
            [self.until.into(), lease.mailbox.into(), lease.workload.number().into(), lease.fence.into()];
        match tx.execute(sql, &binds).await.map_err(StoreError::from)? {
            0 => Err(CommitError::Fenced),
            _ => Ok(()),
        }
    }
}

struct Release {
    lease: Lease,
    next_run: Option<Timestamp>,
    failures: i64,
}

impl Work for Release {
    type Out = ();
    type Error = CommitError;

    async fn run(&self, tx: &mut Tx) -> Result<(), CommitError> {
        let sql = "UPDATE pr_workitem SET pr_leaseuntil = NULL, pr_leaseholder = NULL, pr_failures = $1, \
             pr_nextrun = CASE WHEN pr_nextrun < pr_leaseuntil AND (CAST($2 AS BIGINT) IS NULL OR pr_nextrun < $2) THEN pr_nextrun ELSE $2 END \
             WHERE pr_mailboxid = $3 AND pr_workload = $4 AND pr_fence = $5 AND pr_leaseuntil IS NOT NULL";
        let lease = self.lease;
        let binds: [Bind; 5] = [
            self.failures.into(),
            self.next_run.map_or(Bind::Null, Bind::from),
            lease.mailbox.into(),
            lease.workload.number().into(),
            lease.fence.into(),
        ];
        match tx.execute(sql, &binds).await.map_err(StoreError::from)? {
            0 => Err(CommitError::Fenced),
            _ => Ok(()),
        }
    }
}

struct NextDue(Workload);

impl Work for NextDue {
    type Out = Option<Timestamp>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let sql = "SELECT min(CASE WHEN pr_leaseuntil > pr_nextrun THEN pr_leaseuntil ELSE pr_nextrun END) \
             FROM pr_workitem WHERE pr_workload = $1 AND pr_nextrun IS NOT NULL";
        let rows = tx.rows(sql, &[self.0.number().into()], &[Want::Time]).await?;
        Ok(rows.first().and_then(|r| r.first()).and_then(Value::as_time))
    }
}
