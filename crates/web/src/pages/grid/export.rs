//! The rows of a view as a file: RFC 4180, in the person's language and zone.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use model::{Ref, Value};

use crate::names;
use crate::pages::grid::cell::Shower;
use crate::pages::grid::{Asked, Question, Spec, table};
use crate::pages::kit::{Desk, Fault, Outcome};

/// Rows of a file.
const MOST: usize = 100_000;
const AT_ONCE: usize = 2_000;

pub(super) async fn csv(desk: &Desk, spec: &'static Spec) -> Outcome {
    let mut question = Question::of(desk, spec, &Asked::read(&desk.query).first()).await?;
    question.fetch.page.size = AT_ONCE;
    let mut out = String::new();
    let labels: Vec<String> = question.cells.iter().map(|c| table::label(desk, &question, &c.column)).collect();
    line(labels.iter().map(String::as_str), &mut out);
    let places: Vec<_> = question.cells.iter().map(|c| question.place(&c.column)).collect();
    let mut written = 0;
    loop {
        let found = actions::fetch(&desk.ctx, question.fetch.clone()).await?;
        let refs: BTreeSet<Ref> = found.rows.iter().flatten().filter_map(Value::as_ref_to).collect();
        let names = names::of(&desk.ctx, refs).await?;
        let shower = Shower { ctx: &desk.ctx, viewer: &desk.viewer, names: &names };
        for row in &found.rows {
            let texts: Vec<String> = places
                .iter()
                .map(|place| match place.and_then(|(at, of, column)| row.get(at).map(|v| (of, column, v))) {
                    Some((of, column, value)) => harmless(shower.plain(of.logical, column, value), value),
                    None => String::new(),
                })
                .collect();
            line(texts.iter().map(String::as_str), &mut out);
        }
        written += found.rows.len();
        if !found.more || written >= MOST {
            break;
        }
        match found.last {
            Some(last) => question.fetch.page.after = Some(last),
            None => question.fetch.page.number += 1,
        }
    }
    file(&format!("{}.csv", spec.table.set), "text/csv; charset=utf-8; header=present", out)
}

/// An answer that is kept as a file.
pub(crate) fn file(name: &str, kind: &'static str, text: String) -> Result<Response, Fault> {
    let mut response = Response::new(Body::from(text));
    crate::pages::guard(&mut response);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    headers.insert(header::CONTENT_DISPOSITION, disposition.map_err(|_| Fault::bad("A file cannot have this name."))?);
    Ok(response)
}

/// A table calculation runs what begins with one of these; an apostrophe before
/// it makes it text. Numbers are numbers.
fn harmless(text: String, value: &Value) -> String {
    let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if runs && !matches!(value, Value::Int(_) | Value::Time(_)) { format!("'{text}") } else { text }
}

fn line<'a>(fields: impl Iterator<Item = &'a str>, out: &mut String) {
    for (n, field) in fields.enumerate() {
        if n > 0 {
            out.push(',');
        }
        if field.contains(['"', ',', '\r', '\n']) || field.starts_with(' ') || field.ends_with(' ') {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[&str], expected: &str) {
        let mut out = String::new();
        line(fields.iter().copied(), &mut out);
        assert_eq!(out, expected);
    }

    #[test]
    fn lines() {
        check(&["a", "", "b c"], "a,,b c\r\n");
        check(&["a,b", "say \"a\"", "two\nlines", " a"], "\"a,b\",\"say \"\"a\"\"\",\"two\nlines\",\" a\"\r\n");
    }
    #[test]
    fn what_a_table_calculation_would_run() {
        let text = |t: &str| harmless(t.to_owned(), &Value::Text(t.to_owned()));
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(text(bad), format!("'{bad}"));
        }
        assert_eq!(text("a=b"), "a=b");
        assert_eq!(harmless("-5".into(), &Value::Int(-5)), "-5");
    }
}
