//! The payload of `$batch`: `multipart/mixed` with whole HTTP requests in its
//! parts, some of them gathered in change sets.
//!
//! Line ends are CRLF or a bare LF, whatever stands before the first delimiter
//! and after the last is passed over, and a request without a blank line
//! behind its headers has no payload. Anything else that is not as it should
//! be refuses the whole: half a batch must not be executed.

use std::collections::BTreeSet;
use std::fmt;

/// Requests in one batch, those in change sets included.
pub const MOST: usize = 1000;
/// Header fields of one part or request.
const MOST_HEADERS: usize = 100;
/// Characters of a boundary (RFC 2046).
const LONGEST_BOUNDARY: usize = 70;

/// What is done on its own, or all together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    Request(Request<'a>),
    ChangeSet(Vec<Request<'a>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    pub content_id: Option<&'a str>,
    pub method: &'a str,
    /// As written: absolute, from the host's root, relative to the service
    /// root, or beginning with `$` and a content id.
    pub url: &'a str,
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: &'a [u8],
}

/// The batch cannot be executed; in words for its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError(pub String);

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BatchError {}

fn error<T>(message: impl Into<String>) -> Result<T, BatchError> {
    Err(BatchError(message.into()))
}

/// Reads a batch. `content_type` is the header of the whole.
///
/// # Errors
/// See [`BatchError`].
pub fn read<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Item<'a>>, BatchError> {
    let Some(boundary) = boundary(content_type) else {
        return error("A batch needs Content-Type: multipart/mixed; boundary=batch_….");
    };
    let boundary = as_written(body, boundary);
    let mut items = Vec::new();
    let mut count = 0;
    for part in parts(body, boundary)? {
        let (headers, content) = split_headers(part)?;
        let kind = value(&headers, "content-type").unwrap_or("");
        if let Some(inner) = self::boundary(kind) {
            let set = change_set(inner, content)?;
            count += set.len();
            items.push(Item::ChangeSet(set));
        } else {
            require_http(kind)?;
            count += 1;
            items.push(Item::Request(request(&headers, content)?));
        }
        if count > MOST {
            return error(format!("The batch has more than {MOST} requests. Send several batches."));
        }
    }
    Ok(items)
}

fn change_set<'a>(boundary: &str, content: &'a [u8]) -> Result<Vec<Request<'a>>, BatchError> {
    let mut requests = Vec::new();
    let mut ids = BTreeSet::new();
    for part in parts(content, boundary)? {
        let (headers, content) = split_headers(part)?;
        let kind = value(&headers, "content-type").unwrap_or("");
        if self::boundary(kind).is_some() {
            return error("A change set cannot contain another change set.");
        }
        require_http(kind)?;
        let request = request(&headers, content)?;
        if request.method.eq_ignore_ascii_case("GET") || request.method.eq_ignore_ascii_case("HEAD") {
            return error("A change set cannot contain a GET request. Put it beside the change set.");
        }
        if let Some(id) = request.content_id.filter(|id| !ids.insert(*id)) {
            return error(format!("The Content-ID '{}' stands twice in one change set.", excerpt(id)));
        }
        requests.push(request);
        if requests.len() > MOST {
            return error(format!("The batch has more than {MOST} requests. Send several batches."));
        }
    }
    Ok(requests)
}

fn require_http(kind: &str) -> Result<(), BatchError> {
    let media = kind.split(';').next().unwrap_or("").trim();
    if media.eq_ignore_ascii_case("application/http") {
        return Ok(());
    }
    error(format!("A part of a batch is either application/http or multipart/mixed, not '{}'.", excerpt(media)))
}

/// The boundary as the payload begins with it: a client announces a GUID with
/// its hyphens in the header and writes it without them.
fn as_written<'a>(body: &'a [u8], announced: &'a str) -> &'a str {
    let first = body.split(|b| *b == b'\n').next().unwrap_or_default();
    let written = std::str::from_utf8(first).ok().and_then(|line| line.trim_end().strip_prefix("--"));
    let plain = |text: &str| text.replace('-', "");
    written.filter(|written| written.len() < announced.len() && plain(written) == plain(announced)).unwrap_or(announced)
}

/// The boundary of a `multipart/mixed`; `None` for every other type.
fn boundary(content_type: &str) -> Option<&str> {
    let (media, parameters) = content_type.split_once(';')?;
    if !media.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let mut rest = parameters;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if name.trim().eq_ignore_ascii_case("boundary") {
            let value = value.trim();
            let fits =
                !value.is_empty() && value.len() <= LONGEST_BOUNDARY && value.bytes().all(|b| (32..127).contains(&b));
            return fits.then_some(value);
        }
        rest = next.trim_start().strip_prefix(';')?;
    }
}

/// What stands between the delimiters.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, BatchError> {
    let mut out = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < body.len() {
        let end = body[at..].iter().position(|b| *b == b'\n').map_or(body.len(), |n| at + n + 1);
        if let Some(last) = delimiter(&body[at..end], boundary) {
            if let Some(start) = start {
                out.push(without_line_end(&body[start..at]));
            }
            if last {
                return Ok(out);
            }
            if out.len() > MOST {
                return error(format!("The batch has more than {MOST} requests. Send several batches."));
            }
            start = Some(end);
        }
        at = end;
    }
    match start {
        None => error(format!("The payload has no delimiter '--{}'.", excerpt(boundary))),
        Some(_) => error(format!("The payload ends without its last delimiter '--{}--'.", excerpt(boundary))),
    }
}

/// Whether the line is a delimiter, and if so whether it is the last.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let (rest, last) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    rest.iter().all(u8::is_ascii_whitespace).then_some(last)
}

/// The line end before a delimiter belongs to the delimiter.
fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

type Headers<'a> = Vec<(&'a str, &'a str)>;

/// Header fields up to the first blank line, and what follows it.
fn split_headers(part: &[u8]) -> Result<(Headers<'_>, &[u8]), BatchError> {
    let mut headers = Vec::new();
    let mut rest = part;
    while let Some((line, after)) = line(rest) {
        rest = after;
        let text = text(line)?;
        if text.trim().is_empty() {
            break;
        }
        let Some((name, value)) = text.split_once(':') else {
            return error(format!("'{}' is not a header field. A blank line ends the headers.", excerpt(text)));
        };
        headers.push((name.trim(), value.trim()));
        if headers.len() > MOST_HEADERS {
            return error(format!("A part of the batch has more than {MOST_HEADERS} header fields."));
        }
    }
    Ok((headers, rest))
}

fn request<'a>(part: &Headers<'a>, content: &'a [u8]) -> Result<Request<'a>, BatchError> {
    let mut rest = content;
    let first = loop {
        let Some((line, after)) = line(rest) else { return error("A part of the batch has no request in it.") };
        rest = after;
        let text = text(line)?.trim();
        if !text.is_empty() {
            break text;
        }
    };
    let bad = || BatchError(format!("'{}' is not a request line such as GET accounts HTTP/1.1.", excerpt(first)));
    let (method, target) = first.split_once(' ').ok_or_else(bad)?;
    let (url, version) = target.rsplit_once(' ').ok_or_else(bad)?;
    let url = url.trim();
    if !version.starts_with("HTTP/1.") || url.is_empty() || !method.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err(bad());
    }
    let (headers, body) = split_headers(rest)?;
    let content_id = value(part, "content-id").or_else(|| value(&headers, "content-id")).filter(|id| !id.is_empty());
    Ok(Request { content_id, method, url, headers, body })
}

fn value<'a>(headers: &Headers<'a>, name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| *v)
}

/// The next line without its end, and what follows; `None` at the end.
fn line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let end = text.iter().position(|b| *b == b'\n');
    let (line, rest) = end.map_or((text, &text[text.len()..]), |n| (&text[..n], &text[n + 1..]));
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

fn text(line: &[u8]) -> Result<&str, BatchError> {
    match std::str::from_utf8(line) {
        Ok(text) if !text.contains(['\0', '\r']) => Ok(text),
        _ => error("A request or header line of the batch is not plain text."),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(100).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
