//! The rows of a view as a file: RFC 4180, in the person's language and zone.
//! It is made while it is sent, page by page of the query, however long it is.

use std::collections::BTreeSet;
use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use model::fetch::Fetched;
use model::{Ref, Value};

use crate::names;
use crate::pages::grid::cell::Shower;
use crate::pages::grid::{Asked, Question, Spec, table};
use crate::pages::kit::{Desk, Fault, Outcome, flow};

/// Rows of one page of the query.
const AT_ONCE: usize = 2_000;
/// By which programs see that the file is UTF-8.
const MARK: char = '\u{feff}';

pub(super) async fn csv(desk: &Desk, spec: &'static Spec) -> Outcome {
    let mut question = Question::of(desk, spec, &Asked::read(&desk.query).first()).await?;
    question.fetch.page.size = AT_ONCE;
    let labels: Vec<String> = question.cells.iter().map(|c| table::label(desk, &question, &c.column)).collect();
    let mut head = String::from(MARK);
    line(separator(desk), labels.iter().map(String::as_str), &mut head);
    // What is wrong with the view shows on its first page, as a page.
    let first = actions::fetch(&desk.ctx, question.fetch.clone()).await?;
    let name = format!("{}.csv", spec.table.set);
    let (parts, response) = flow::file(&name, "text/csv; charset=utf-8; header=present", None)?;
    let desk = desk.clone();
    tokio::spawn(async move {
        let (mut part, mut found) = (head, first);
        loop {
            let told = match lines(&desk, &question, &found, &mut part).await {
                Ok(()) => Ok(Bytes::from(std::mem::take(&mut part))),
                Err(fault) => Err(io::Error::other(fault.text)),
            };
            // An error ends the connection, and so does who reads no more.
            let ended = told.is_err();
            if parts.send(told).await.is_err() || ended || !question.goes_on(&found) {
                return;
            }
            found = match actions::fetch(&desk.ctx, question.fetch.clone()).await {
                Ok(found) => found,
                Err(error) => {
                    let _ = parts.send(Err(io::Error::other(Fault::from(error).text))).await;
                    return;
                }
            };
        }
    });
    Ok(response)
}

/// The rows of a page of the query.
async fn lines(desk: &Desk, question: &Question, found: &Fetched, out: &mut String) -> Result<(), Fault> {
    let places: Vec<_> = question.cells.iter().map(|c| question.place(&c.column)).collect();
    let refs: BTreeSet<Ref> = found.rows.iter().flatten().filter_map(Value::as_ref_to).collect();
    let names = names::of(&desk.ctx, refs).await?;
    let shower = Shower { ctx: &desk.ctx, viewer: &desk.viewer, names: &names };
    let separator = separator(desk);
    for row in &found.rows {
        let texts: Vec<String> = places
            .iter()
            .map(|place| match place.and_then(|(at, of, column)| row.get(at).map(|v| (of, column, v))) {
                Some((of, column, value)) => harmless(shower.plain(of.logical, column, value), value),
                None => String::new(),
            })
            .collect();
        line(separator, texts.iter().map(String::as_str), out);
    }
    Ok(())
}

/// Where the decimal comma is used, table calculations take a semicolon for
/// what separates fields.
fn separator(desk: &Desk) -> char {
    if desk.viewer.texts.code == "en" { ',' } else { ';' }
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

fn line<'a>(separator: char, fields: impl Iterator<Item = &'a str>, out: &mut String) {
    for (n, field) in fields.enumerate() {
        if n > 0 {
            out.push(separator);
        }
        if field.contains(['"', separator, '\r', '\n']) || field.starts_with(' ') || field.ends_with(' ') {
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
        line(',', fields.iter().copied(), &mut out);
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
