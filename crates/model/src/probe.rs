//! What a configuration test saw, one line a step.

use crate::failure::{Failure, Step};

/// One step of a test: what was tried, whether it worked, what the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    pub step: Step,
    pub ok: bool,
    /// In words a person can act on; the server's own words in quotes.
    pub said: String,
}

/// All steps of one route (incoming or outgoing), in the order they ran. The
/// last is the failed one where `failure` is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProbeReport {
    pub steps: Vec<ProbeStep>,
    pub failure: Option<Failure>,
}

impl ProbeReport {
    pub fn passed(&mut self, step: Step, said: impl Into<String>) {
        self.steps.push(ProbeStep { step, ok: true, said: said.into() });
    }

    pub fn failed(&mut self, failure: Failure) {
        self.steps.push(ProbeStep { step: failure.during, ok: false, said: failure.detail.clone() });
        self.failure = Some(failure);
    }

    pub fn is_success(&self) -> bool {
        self.failure.is_none()
    }
}
