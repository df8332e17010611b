//! What the benchmark prints: each figure, and the ratios that count.

#![expect(clippy::print_stdout, reason = "a benchmark is run for what it prints")]

use std::time::Duration;

use super::measure::Sample;

pub fn say(line: &str) {
    println!("{line}");
}

pub fn print(mailboxes: usize, messages: usize, samples: &[Sample]) {
    println!("\n## {mailboxes} mailbox(es) of {messages} messages\n");
    println!("| | messages/s (median) | MB/s | CPU s | peak MiB |\n|---|---|---|---|---|");
    for who in ["bare client", "mbsync", "postroom"] {
        if let Some(sample) = median(who, samples) {
            println!(
                "| {who} | {:.0} | {:.1} | {:.2} | {:.1} |",
                sample.rate(),
                sample.megabytes(),
                sample.cpu.as_secs_f64(),
                sample.peak as f64 / 1_048_576.0
            );
        }
    }
    let rate = |who| median(who, samples).map(Sample::rate);
    if let (Some(bare), Some(mbsync), Some(postroom)) = (rate("bare client"), rate("mbsync"), rate("postroom")) {
        println!("\nPostroom: {:.2} × mbsync, {:.2} × the bare client\n", postroom / mbsync, postroom / bare);
    }
}

fn median<'a>(who: &str, samples: &'a [Sample]) -> Option<&'a Sample> {
    let mut own: Vec<&Sample> = samples.iter().filter(|s| s.who == who).collect();
    own.sort_by_key(|s| s.wall);
    own.get(own.len() / 2).copied()
}

pub fn idle(mailboxes: usize, wall: Duration, cpu: Duration, peak: u64) {
    println!(
        "\n## A cycle over {mailboxes} mailboxes with nothing new\n\n{:.1} s, {:.1} s CPU, {:.1} MiB peak\n",
        wall.as_secs_f64(),
        cpu.as_secs_f64(),
        peak as f64 / 1_048_576.0
    );
}
