//! Attachments, to be kept: never opened as a page of ours.

use actions::attachment::Content;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use formats::mime;
use model::tables::{Attachment, Email};
use model::{Entity, Ref};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::pages::email::id;
use crate::pages::kit::{Desk, Fault, Outcome};

/// What RFC 8187 lets stand as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `GET /work/emails/{id}/files/{file}`
pub(super) async fn download(desk: Desk, Path((email, file)): Path<(String, String)>) -> Outcome {
    let (email, file) = (id(&email)?, id(&file)?);
    let row = actions::read(&desk.ctx, Attachment::TABLE, file, vec![Attachment::C.object.name]).await?;
    if row.get(Attachment::C.object.name).as_ref_to() != Some(Ref::new(Email::TABLE.logical, email)) {
        return Err(Fault::absent());
    }
    let content = actions::attachment::content(&desk.ctx, file).await?.ok_or_else(Fault::absent)?;
    Ok(kept(&content))
}

/// An answer that browsers save.
pub(super) fn kept(content: &Content) -> Response {
    let bytes = mime::extract(&content.stored, &content.place);
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    // What it is said to be is for the system that opens the file, by its name.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Ok(value) = HeaderValue::from_str(&disposition(&content.file_name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// A name without characters that would make it look like another.
pub(super) fn straight(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().filter(|c| !c.is_control() && !turns(*c)).collect()
}

/// RFC 6266. Characters that turn the reading direction around would make
/// `exe` look like `pdf`.
fn disposition(name: &str) -> String {
    let name = straight(name);
    let name = if name.trim().is_empty() { "attachment".to_owned() } else { name };
    let ascii: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, PLAIN))
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(disposition(name), format!("attachment; filename={expected}"));
    }

    #[test]
    fn names() {
        check("a b.pdf", "\"a b.pdf\"; filename*=UTF-8''a%20b.pdf");
        check("Übersicht.pdf", "\"_bersicht.pdf\"; filename*=UTF-8''%C3%9Cbersicht.pdf");
        check("a\"; x=\"b.exe", "\"a__ x__b.exe\"; filename*=UTF-8''a%22%3B%20x%3D%22b.exe");
        check("invoice\u{202e}fdp.exe", "\"invoicefdp.exe\"; filename*=UTF-8''invoicefdp.exe");
        check("", "\"attachment\"; filename*=UTF-8''attachment");
        check("a\r\nb", "\"ab\"; filename*=UTF-8''ab");
    }
}
