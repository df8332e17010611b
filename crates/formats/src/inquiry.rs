//! What an inquiry found and what happened meanwhile, as JSON for its row.

use model::discovery::{Candidate, Evidence, Found, Line, Protection, Protocol, Topic};
use serde_json::{Value, json};

/// One line of progress; lines are put below one another.
pub fn write_line(line: &Line) -> String {
    let Line { topic, step, ok, said } = line;
    json!({ "topic": topic.as_str(), "step": step, "ok": ok, "said": said }).to_string()
}

/// The lines of a row. What is no line is passed over.
pub fn read_lines(text: &str) -> Vec<Line> {
    text.lines()
        .filter_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            Some(Line {
                topic: Topic::ALL.into_iter().find(|t| Some(t.as_str()) == line["topic"].as_str())?,
                step: word(&line["step"]),
                ok: line["ok"].as_bool(),
                said: word(&line["said"]),
            })
        })
        .collect()
}

pub fn write_found(found: &Found) -> String {
    let candidates: Vec<Value> = found
        .candidates
        .iter()
        .map(|c| {
            json!({
                "protocol": c.protocol.as_str(), "host": c.host, "port": c.port, "protection": c.protection.as_str(),
                "user": c.user, "evidence": c.evidence.as_str(), "source": c.source, "answered": c.answered,
                "said": c.said,
            })
        })
        .collect();
    json!({
        "provider": found.provider, "advice": found.advice, "unreachable": found.unreachable,
        "candidates": candidates,
    })
    .to_string()
}

/// Nothing where nothing is written or it cannot be read.
pub fn read_found(text: &str) -> Found {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    Found {
        provider: word(&value["provider"]),
        advice: word(&value["advice"]),
        unreachable: value["unreachable"].as_bool().unwrap_or(false),
        candidates: value["candidates"].as_array().into_iter().flatten().filter_map(candidate).collect(),
    }
}

fn candidate(value: &Value) -> Option<Candidate> {
    let protection = value["protection"].as_str()?;
    Some(Candidate {
        protocol: Protocol::ALL.into_iter().find(|p| Some(p.as_str()) == value["protocol"].as_str())?,
        host: word(&value["host"]),
        port: u16::try_from(value["port"].as_u64()?).ok()?,
        protection: if protection == Protection::Tls.as_str() { Protection::Tls } else { Protection::StartTls },
        user: word(&value["user"]),
        evidence: Evidence::ALL.into_iter().find(|e| Some(e.as_str()) == value["evidence"].as_str())?,
        source: word(&value["source"]),
        answered: value["answered"].as_bool(),
        said: word(&value["said"]),
    })
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let line = Line { topic: Topic::Dns, step: "x".into(), ok: Some(false), said: "two\nlines \"quoted\"".into() };
        let other = Line { ok: None, topic: Topic::Incoming, ..line.clone() };
        let text = format!("{}\n{}\nnonsense\n", write_line(&line), write_line(&other));
        assert_eq!(read_lines(&text), [line, other]);
        let candidate = Candidate {
            protocol: Protocol::Pop3,
            host: "pop.example.com".into(),
            port: 995,
            protection: Protection::StartTls,
            user: "ann".into(),
            evidence: Evidence::Guess,
            source: "it is usual".into(),
            answered: Some(true),
            said: "+OK".into(),
        };
        let found = Found {
            provider: "P".into(),
            advice: "do".into(),
            unreachable: true,
            candidates: vec![candidate.clone(), Candidate { answered: None, protocol: Protocol::Smtp, ..candidate }],
        };
        assert_eq!(read_found(&write_found(&found)), found);
        assert_eq!(read_found("nonsense"), Found::default());
    }
}
