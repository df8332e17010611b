//! Charts as SVG that can be read without seeing it: a title, a description,
//! and the same numbers in a table behind each. No script, no style attribute:
//! colours come from classes.

use std::fmt::Write as _;

use askama::filters::{Html, escape};

/// Bars of parts: one bar a label, one part a series.
pub(super) struct Bars {
    pub title: String,
    /// What stands in it, in a sentence.
    pub summary: String,
    /// Heading of the labels' column.
    pub of: String,
    pub series: Vec<Series>,
    /// A label each; as many values as there are series.
    pub rows: Vec<(String, Vec<u64>)>,
}

pub(super) struct Series {
    pub label: String,
    /// `c1` to `c6`.
    pub class: &'static str,
}

const WIDTH: u64 = 720;
const HEIGHT: u64 = 180;
/// Room for four digits, also in the larger type of a phone.
const LEFT: u64 = 56;
const BOTTOM: u64 = 28;
/// Of a lying bar with its label above it.
const ROW: u64 = 50;

impl Bars {
    fn totals(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().map(|(_, values)| values.iter().sum())
    }

    pub fn is_empty(&self) -> bool {
        self.totals().all(|total| total == 0)
    }

    /// Series of which there is anything at all.
    pub fn legend(&self) -> Vec<&Series> {
        let there = |i: usize| self.rows.iter().any(|(_, values)| values.get(i).is_some_and(|v| *v > 0));
        self.series.iter().enumerate().filter(|(i, _)| there(*i)).map(|(_, s)| s).collect()
    }

    /// Standing bars, a scale at the left.
    pub fn columns(&self, id: &str) -> String {
        let top = round_up(self.totals().max().unwrap_or(0).max(1));
        let mut svg = self.open(id, WIDTH, HEIGHT);
        let room = HEIGHT - BOTTOM - 8;
        for quarter in 0..=2 {
            let (value, y) = (top * quarter / 2, 8 + room - room * quarter / 2);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"/><text class=\"tick-text end\" x=\"{}\" y=\"{}\">{}</text>",
                LEFT - 6,
                y + 4,
                short(value)
            );
        }
        let step = (WIDTH - LEFT) / u64::try_from(self.rows.len().max(1)).unwrap_or(1);
        for (n, (label, values)) in (0_u64..).zip(&self.rows) {
            let (x, mut y) = (LEFT + n * step, 8 + room);
            let _ = write!(svg, "<g><title>{}</title>", safe(&self.said(label, values)));
            for (series, value) in self.series.iter().zip(values).filter(|(_, v)| **v > 0) {
                let height = (room * value / top).max(1).min(y);
                y -= height;
                let _ = write!(
                    svg,
                    "<rect class=\"{}\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\"/>",
                    series.class,
                    x + 2,
                    step.saturating_sub(4).max(1)
                );
            }
            svg.push_str("</g>");
            if n % 3 == 0 {
                let _ = write!(
                    svg,
                    "<text class=\"tick-text\" x=\"{}\" y=\"{}\">{}</text>",
                    x + 2,
                    HEIGHT - 6,
                    safe(label)
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }

    /// Lying bars, each as long as the others: shares of a whole.
    pub fn shares(&self, id: &str) -> String {
        let height = u64::try_from(self.rows.len()).unwrap_or(1) * ROW;
        let mut svg = self.open(id, WIDTH, height.max(1));
        for (n, (label, values)) in (0_u64..).zip(&self.rows) {
            let total: u64 = values.iter().sum();
            let (mut x, y) = (0, n * ROW);
            let _ = write!(
                svg,
                "<g><title>{}</title><text class=\"bar-text\" x=\"0\" y=\"{}\">{}</text>",
                safe(&self.said(label, values)),
                y + 18,
                safe(&format!("{label}: {total}"))
            );
            for (series, value) in self.series.iter().zip(values).filter(|(_, v)| **v > 0) {
                let width = (WIDTH * value / total.max(1)).max(3).min(WIDTH.saturating_sub(x));
                let _ = write!(
                    svg,
                    "<rect class=\"{}\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"18\"/>",
                    series.class,
                    y + 26,
                    width.saturating_sub(1)
                );
                x += width;
            }
            svg.push_str("</g>");
        }
        svg.push_str("</svg>");
        svg
    }

    fn open(&self, id: &str, width: u64, height: u64) -> String {
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            safe(&self.title),
            safe(&self.summary)
        )
    }

    /// `09:00: Tracked 5, Waiting 1`
    fn said(&self, label: &str, values: &[u64]) -> String {
        let parts = self.series.iter().zip(values).filter(|(_, v)| **v > 0);
        let parts: Vec<_> = parts.map(|(s, v)| format!("{} {v}", s.label)).collect();
        format!("{label}: {}", if parts.is_empty() { "0".to_owned() } else { parts.join(", ") })
    }
}

/// To a number that halves well: 1 to 2, 7 to 10, 130 to 200.
fn round_up(value: u64) -> u64 {
    let mut unit: u64 = 1;
    loop {
        for step in [2, 4, 10] {
            if unit * step >= value {
                return unit * step;
            }
        }
        unit = unit.saturating_mul(10);
        if unit > value {
            return unit;
        }
    }
}

/// `20`, `4000`, `10k`, `2M`: the values of a scale, whose digits end in noughts.
fn short(value: u64) -> String {
    match value {
        0..10_000 => value.to_string(),
        10_000..1_000_000 => format!("{}k", value / 1_000),
        _ => format!("{}M", value / 1_000_000),
    }
}

fn safe(text: &str) -> String {
    escape(text, Html).map(|t| t.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(values: &[u64]) -> Bars {
        let series = vec![Series { label: "A<b".into(), class: "c1" }, Series { label: "B".into(), class: "c2" }];
        let rows = values.iter().map(|v| ("00:00".to_owned(), vec![*v, 0])).collect();
        Bars { title: "T".into(), summary: "S".into(), of: "Hour".into(), series, rows }
    }

    #[track_caller]
    fn rounds(value: u64, expected: u64) {
        assert_eq!(round_up(value), expected, "{value}");
    }

    #[test]
    fn scales() {
        rounds(1, 2);
        rounds(3, 4);
        rounds(7, 10);
        rounds(130, 200);
        rounds(1_000_000, 1_000_000);
        assert_eq!([20, 5_000, 10_000, 500_000, 2_000_000].map(short), ["20", "5000", "10k", "500k", "2M"]);
    }
    #[test]
    fn only_what_is_there_is_drawn() {
        let svg = bars(&[0, 3]).columns("x");
        assert_eq!(svg.matches("<rect").count(), 1, "{svg}");
        assert!(bars(&[0, 0]).is_empty());
        assert_eq!(bars(&[1]).legend().len(), 1);
    }
    #[test]
    fn text_is_text() {
        let svg = bars(&[3]).shares("x");
        assert!(!svg.contains("A<b") && svg.contains("A&#60;b 3"), "{svg}");
    }
    #[test]
    fn it_is_well_formed() {
        for svg in [bars(&[1, 2, 3]).columns("x"), bars(&[5]).shares("y")] {
            roxmltree::Document::parse(&svg).unwrap();
        }
    }
}
