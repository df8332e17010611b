//! Wall time, processor time and peak memory of a process, from `/proc`.

use std::fmt;
use std::fs;
use std::time::Duration;

/// What one contestant did in one round.
#[derive(Debug, Clone)]
pub struct Sample {
    pub who: &'static str,
    pub messages: usize,
    pub octets: u64,
    pub wall: Duration,
    pub cpu: Duration,
    /// Octets; the highest that the process had resident.
    pub peak: u64,
}

impl Sample {
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.wall.as_secs_f64()
    }

    pub fn megabytes(&self) -> f64 {
        self.octets as f64 / 1e6 / self.wall.as_secs_f64()
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:12} {:7.2} s  {:8.0} messages/s  {:7.1} MB/s  {:6.2} s CPU  {:6.1} MiB peak",
            self.who,
            self.wall.as_secs_f64(),
            self.rate(),
            self.megabytes(),
            self.cpu.as_secs_f64(),
            self.peak as f64 / 1_048_576.0
        )
    }
}

/// Processor time and peak memory so far. Zeroes once the process is gone.
pub fn usage(pid: u32) -> (Duration, u64) {
    (cpu(pid), peak(pid))
}

/// User and system time; Linux counts in ticks of 10 ms.
fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}
