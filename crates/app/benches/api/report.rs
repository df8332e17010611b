//! What the benchmark prints: each figure, and the ratios that count.

#![expect(clippy::print_stdout, reason = "a benchmark is run for what it prints")]

use std::fmt;
use std::time::Duration;

use super::Work;

/// What one contestant did in one round.
#[derive(Debug, Clone)]
pub struct Sample {
    pub who: &'static str,
    pub work: Work,
    /// Requests a second.
    pub rate: f64,
    pub median: Duration,
    pub p99: Duration,
}

impl Sample {
    pub fn new(who: &'static str, work: Work, mut times: Vec<Duration>, seconds: f64) -> Self {
        times.sort_unstable();
        let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default();
        Self { who, work, rate: times.len() as f64 / seconds, median: at(0.5), p99: at(0.99) }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:26} {:9} {:9.0} a second  median {:7.3} ms  p99 {:7.3} ms",
            self.work.name(),
            self.who,
            self.rate,
            self.median.as_secs_f64() * 1e3,
            self.p99.as_secs_f64() * 1e3
        )
    }
}

pub fn say(line: &str) {
    println!("{line}");
}

pub fn print(samples: &[Sample]) {
    println!("\n| | driver alone /s | Postroom /s | ratio | Postroom median ms | p99 ms |\n|---|---|---|---|---|---|");
    for work in Work::ALL {
        let (Some(driver), Some(postroom)) = (median(samples, work, "driver"), median(samples, work, "postroom"))
        else {
            continue;
        };
        println!(
            "| {} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} |",
            work.name(),
            driver.rate,
            postroom.rate,
            postroom.rate / driver.rate,
            postroom.median.as_secs_f64() * 1e3,
            postroom.p99.as_secs_f64() * 1e3
        );
    }
}

fn median<'a>(samples: &'a [Sample], work: Work, who: &str) -> Option<&'a Sample> {
    let mut own: Vec<&Sample> = samples.iter().filter(|s| s.work == work && s.who == who).collect();
    own.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    own.get(own.len() / 2).copied()
}
