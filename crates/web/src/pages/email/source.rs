//! A message as it came or went: its header fields, its source, the whole of
//! it to keep.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use formats::mime;

use crate::pages::email::{files, id, loaded};
use crate::pages::kit::{self, Desk, Fault, Frame, Outcome, Place};

/// Octets of a source that are shown.
const LONGEST: usize = 256 * 1024;

#[derive(Template)]
#[template(path = "email/source.html")]
struct SourcePage {
    frame: Frame,
    email: String,
    subject: String,
    headers: Vec<(String, String)>,
    source: String,
    cut: bool,
    kept: bool,
}

/// `GET /work/emails/{id}/source`
pub(super) async fn page(desk: Desk, Path(name): Path<String>) -> Outcome {
    let id = id(&name)?;
    let loaded = loaded::load(&desk.ctx, id).await?;
    let raw = actions::attachment::raw_message(&desk.ctx, id).await?;
    let bytes = raw.as_ref().map(|raw| mime::extract(&raw.stored, &raw.place)).unwrap_or_default();
    let cut = bytes.len() > LONGEST;
    let source = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned();
    let page = SourcePage {
        frame: desk.frame("Message Source", Place::Activities).with_help("email"),
        email: id.to_string(),
        subject: loaded.email.subject,
        headers: fields(&loaded.email.headers),
        source,
        cut,
        kept: raw.is_some(),
    };
    kit::show(&page)
}

/// `GET /work/emails/{id}/raw`
pub(super) async fn download(desk: Desk, Path(name): Path<String>) -> Result<Response, Fault> {
    let raw = actions::attachment::raw_message(&desk.ctx, id(&name)?).await?.ok_or_else(Fault::absent)?;
    Ok(files::kept(&raw))
}

/// Name and unfolded value of each field.
pub(super) fn fields(headers: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in headers.lines().map(|line| line.trim_end_matches('\r')) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn folded_fields_are_one() {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(fields("To: a\r\n\tb\r\nX: c\r\n\r\n"), [pair("To", "a b"), pair("X", "c")]);
        assert_eq!(fields(" lost\nnonsense\n"), []);
    }
}
