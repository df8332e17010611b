//! What the outside can measure.

use model::tables::Disposition;
use model::work::Workload;
use model::{Failure, Timestamp};

pub fn message(disposition: Disposition) {
    metrics::counter!("postroom_messages_total", "disposition" => disposition.label()).increment(1);
}

pub fn sent(outcome: &'static str) {
    metrics::counter!("postroom_sent_total", "outcome" => outcome).increment(1);
}

pub fn failure(workload: Workload, failure: &Failure) {
    metrics::counter!("postroom_failures_total", "workload" => workload.as_str(), "kind" => failure.kind.as_str())
        .increment(1);
}

/// How long after it was due a workload was begun.
#[expect(clippy::cast_precision_loss, reason = "seconds for a graph")]
pub fn lag(workload: Workload, due: Timestamp, now: Timestamp) {
    let seconds = now.duration_since(due).as_millis() as f64 / 1000.0;
    metrics::histogram!("postroom_lag_seconds", "workload" => workload.as_str()).record(seconds.max(0.0));
}

pub fn cycle(workload: Workload, outcome: &'static str) {
    metrics::counter!("postroom_cycles_total", "workload" => workload.as_str(), "outcome" => outcome).increment(1);
}

pub fn told(outcome: &'static str) {
    metrics::counter!("postroom_events_total", "outcome" => outcome).increment(1);
}
