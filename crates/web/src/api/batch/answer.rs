//! The answer to a batch, as clients take it apart: the first line is the
//! delimiter, lines end in CRLF, and header names have their usual spelling.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use model::Refusal;

use crate::api::errors::ApiError;

/// Octets of an answer; what would come after is refused.
const LARGEST: usize = 128 * 1024 * 1024;

/// Header fields about the connection or the page, which an answer within
/// another does not have.
const OUTER: &[&str] = &["cache-control", "content-length", "x-content-type-options", "content-security-policy"];

/// The answer to one request.
pub(super) struct Part {
    content_id: Option<String>,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Part {
    pub async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        // Answers are made in memory.
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        Self { content_id: None, status: parts.status, headers: parts.headers, body }
    }

    pub fn about(mut self, content_id: Option<&str>) -> Self {
        self.content_id = content_id.map(str::to_owned);
        self
    }

    /// The status where it tells of a failure.
    pub fn failure(&self) -> Option<StatusCode> {
        Some(self.status).filter(|s| s.is_client_error() || s.is_server_error())
    }

    /// The row that was written, as `accounts(<guid>)`.
    pub fn row(&self) -> Option<String> {
        let url = self.headers.get("odata-entityid")?.to_str().ok()?;
        url.rsplit_once('/').map(|(_, row)| row.to_owned())
    }

    fn write(&self, delimiter: &str, out: &mut Vec<u8>) {
        line(out, &format!("--{delimiter}"));
        line(out, "Content-Type: application/http");
        line(out, "Content-Transfer-Encoding: binary");
        if let Some(id) = &self.content_id {
            line(out, &format!("Content-ID: {id}"));
        }
        line(out, "");
        let reason = self.status.canonical_reason().unwrap_or("");
        line(out, &format!("HTTP/1.1 {} {reason}", self.status.as_u16()));
        for (name, value) in self.headers.iter().filter(|(n, _)| !OUTER.contains(&n.as_str())) {
            out.extend_from_slice(format!("{}: ", spelled(name.as_str())).as_bytes());
            out.extend_from_slice(value.as_bytes());
            line(out, "");
        }
        line(out, "");
        out.extend_from_slice(&self.body);
        line(out, "");
    }
}

pub(super) struct Answers {
    boundary: String,
    out: Vec<u8>,
}

impl Answers {
    pub fn new(boundary: String) -> Self {
        Self { boundary, out: Vec::new() }
    }

    pub fn add(&mut self, part: Part) {
        part.write(&self.boundary, &mut self.out);
    }

    pub fn add_set(&mut self, boundary: String, parts: Vec<Part>) {
        line(&mut self.out, &format!("--{}", self.boundary));
        line(&mut self.out, &format!("Content-Type: multipart/mixed; boundary={boundary}"));
        line(&mut self.out, "");
        for part in parts {
            part.write(&boundary, &mut self.out);
        }
        line(&mut self.out, &format!("--{boundary}--"));
    }

    pub fn are_too_large(&self) -> bool {
        self.out.len() > LARGEST
    }

    /// The type of the whole, and the whole.
    pub fn finish(mut self) -> (String, Vec<u8>) {
        line(&mut self.out, &format!("--{}--", self.boundary));
        (format!("multipart/mixed; boundary={}", self.boundary), self.out)
    }
}

pub(super) fn too_large() -> ApiError {
    let message = format!("The batch's answers are larger than {LARGEST} bytes. Ask for less at once.");
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::new(0x8004_4A02, "PayloadTooLarge", model::Words::foreign(message)),
    )
}

fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Clients look for some names as they are usually written.
fn spelled(name: &str) -> String {
    match name {
        "odata-entityid" => return "OData-EntityId".to_owned(),
        "odata-version" => return "OData-Version".to_owned(),
        "etag" => return "ETag".to_owned(),
        "req_id" => return "REQ_ID".to_owned(),
        "www-authenticate" => return "WWW-Authenticate".to_owned(),
        name if name.starts_with("x-") => return name.to_owned(),
        _ => {}
    }
    let mut out = String::with_capacity(name.len());
    let mut capital = true;
    for c in name.chars() {
        out.push(if capital { c.to_ascii_uppercase() } else { c });
        capital = c == '-';
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn spelling() {
        for (name, expected) in [
            ("odata-entityid", "OData-EntityId"),
            ("content-type", "Content-Type"),
            ("location", "Location"),
            ("preference-applied", "Preference-Applied"),
            ("x-ms-service-request-id", "x-ms-service-request-id"),
        ] {
            assert_eq!(super::spelled(name), expected);
        }
    }
}
