//! A database inside one of its own transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::db::Database;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::postgres::Held;
use crate::sqlite::Seat;
use crate::tx::Work;

pub(crate) struct Session {
    line: Line,
    outer: Arc<Database>,
    /// What was written concerns somebody who waits ([`crate::Store::changed`]).
    wakes: AtomicBool,
}

enum Line {
    Sqlite(Seat),
    Postgres(Arc<Held>),
}

impl Session {
    pub(crate) async fn begin(outer: Arc<Database>, limit: Duration) -> Result<Self, StoreError> {
        let line = match &*outer {
            Database::Sqlite { writer, .. } => Line::Sqlite(Seat::take(writer, limit).await?),
            Database::Postgres(postgres) => Line::Postgres(Held::begin(postgres, limit).await?),
            Database::Session(_) => {
                return Err(StoreError::Database("a transaction was begun inside a transaction".into()));
            }
        };
        Ok(Self { line, outer, wakes: AtomicBool::new(false) })
    }

    pub(crate) fn outer(&self) -> &Database {
        &self.outer
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.outer.dialect()
    }

    pub(crate) async fn write<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        match &self.line {
            Line::Sqlite(seat) => seat.write(work).await,
            Line::Postgres(held) => held.run(&work, true).await,
        }
    }

    pub(crate) async fn read<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        match &self.line {
            Line::Sqlite(seat) => seat.read(work).await,
            Line::Postgres(held) => held.run(&work, false).await,
        }
    }

    pub(crate) async fn end(&self, commit: bool) -> Result<(), StoreError> {
        match &self.line {
            Line::Sqlite(seat) => seat.end(commit).await,
            Line::Postgres(held) => held.end(commit).await,
        }
    }

    pub(crate) fn abandon(&self) {
        match &self.line {
            Line::Sqlite(seat) => seat.abandon(),
            Line::Postgres(held) => held.abandon(),
        }
    }

    pub(crate) fn is_spoiled(&self) -> bool {
        match &self.line {
            // Whoever has the writer thread is in nobody's way.
            Line::Sqlite(_) => false,
            Line::Postgres(held) => held.is_spoiled(),
        }
    }

    pub(crate) fn will_wake(&self) {
        self.wakes.store(true, Ordering::Release);
    }

    pub(crate) fn wakes(&self) -> bool {
        self.wakes.load(Ordering::Acquire)
    }
}
