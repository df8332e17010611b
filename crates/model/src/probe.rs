//! What a configuration test saw, one line a step.

use std::fmt;

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

/// Is told of each step as it is taken, with the failure where it failed.
pub type Tell<'a> = &'a (dyn Fn(&ProbeStep, Option<&Failure>) + Send + Sync);

/// For who does not wait.
pub fn untold(_: &ProbeStep, _: Option<&Failure>) {}

/// Takes down the steps of a route while it is tried, and tells somebody of
/// each: a test takes a minute, and who waits for it wants to see where it is.
pub struct Recorder<'a> {
    report: ProbeReport,
    tell: Tell<'a>,
}

impl<'a> Recorder<'a> {
    pub fn telling(tell: Tell<'a>) -> Self {
        Self { report: ProbeReport::default(), tell }
    }

    pub fn passed(&mut self, step: Step, said: impl Into<String>) {
        self.report.passed(step, said);
        self.told();
    }

    pub fn failed(&mut self, failure: Failure) {
        self.report.failed(failure);
        self.told();
    }

    pub fn is_success(&self) -> bool {
        self.report.is_success()
    }

    pub fn into_report(self) -> ProbeReport {
        self.report
    }

    fn told(&self) {
        if let Some(step) = self.report.steps.last() {
            (self.tell)(step, self.report.failure.as_ref());
        }
    }
}

impl Recorder<'static> {
    /// Nobody waits.
    pub fn silent() -> Self {
        Self::telling(&untold)
    }
}

impl fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recorder").field(&self.report).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_step_is_told_as_it_is_taken() {
        let told = Mutex::new(Vec::new());
        let tell = |step: &ProbeStep, failure: Option<&Failure>| {
            told.lock().unwrap().push((step.step, step.ok, failure.is_some()));
        };
        let mut recorder = Recorder::telling(&tell);
        recorder.passed(Step::Resolve, "it is 127.0.0.1");
        assert_eq!(*told.lock().unwrap(), [(Step::Resolve, true, false)]);
        recorder.failed(Failure::temporary(Step::Connect, "refused"));
        assert_eq!(told.lock().unwrap().last(), Some(&(Step::Connect, false, true)));
        assert!(!recorder.is_success());
        let report = recorder.into_report();
        assert_eq!(report.steps.len(), 2);
        assert_eq!(report.failure.map(|failure| failure.detail), Some("refused".to_owned()));
    }
}
