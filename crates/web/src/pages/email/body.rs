//! The text of an email, alone: what the frame on its page shows.

use std::collections::BTreeMap;

use actions::{ActionError, Context};
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use formats::html::Shown;
use formats::mime;
use model::Id;

use crate::pages::email::answer::{How, quoted};
use crate::pages::email::loaded::{self, Loaded};
use crate::pages::email::{id, message, shown};
use crate::pages::kit::{Desk, Fault, Outcome};

/// Octets of all pictures that stand in the text, as they are stored.
const MOST_PICTURES: usize = 12 * 1024 * 1024;

/// Kinds of pictures that are shown.
const PICTURES: &[&str] = &["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp", "image/bmp"];

/// Our own rules for what is shown; a sender's stand before them and are never
/// important. What has a height of its own grows with its content all the same:
/// otherwise it would lie upon what follows, and a link that nobody sees upon
/// one that everybody reads.
const SHEET: &str = "html{background:#fff;color:#1a2129;color-scheme:light}\
body{margin:0;padding:12px;font:15px/1.5 system-ui,-apple-system,'Segoe UI','Liberation Sans',sans-serif;overflow-wrap:anywhere}\
img{max-width:100%;height:auto}table{max-width:100%}a{color:#0b5cad}\
pre{white-space:pre-wrap!important}\
body :not(img,hr,br,col,table,tr,td,th):not(:empty){height:auto!important;max-height:none!important}\
.pr-plain{white-space:pre-wrap;unicode-bidi:plaintext}blockquote{margin:0 0 0 4px;padding:0 0 0 12px;border-left:3px solid #b8c2cc}\
details.pr-quote{margin:8px 0;white-space:normal}.pr-plain details.pr-quote>blockquote{white-space:pre-wrap}\
details.pr-quote>summary{display:inline-block;padding:4px 10px;border:1px solid #77828e;border-radius:12px;font-size:13px;color:#3c4651;cursor:pointer}\
span.pr-warning{all:initial!important;direction:ltr!important;unicode-bidi:isolate!important;display:inline!important;visibility:visible!important;color:#a40e26!important;background:#fdebed!important;font:600 13px system-ui,sans-serif!important}\
img.pr-blocked{display:inline-block;min-width:24px;min-height:24px;border:1px dashed #77828e;background:#f4f6f8}";

/// `GET /work/emails/{id}/body[?remote=1]`
pub(super) async fn of_email(desk: Desk, Path(name): Path<String>) -> Outcome {
    let loaded = loaded::load(&desk.ctx, id(&name)?).await?;
    let below = desk.query.text("part") == "quoted";
    let text =
        if below { formats::html::decompose(&loaded.email.description).1 } else { loaded.email.description.clone() };
    framed(&desk, &loaded, text, below).await
}

/// `GET /work/emails/{id}/quoted?how=reply`: as it will stand below an answer
/// that is not saved yet.
pub(super) async fn of_answer(desk: Desk, Path(name): Path<String>) -> Outcome {
    let loaded = loaded::load(&desk.ctx, id(&name)?).await?;
    let how = How::of(desk.query.text("how")).ok_or_else(Fault::absent)?;
    let text = quoted(&desk, &loaded, how);
    framed(&desk, &loaded, text, true).await
}

/// `unfolded`: who answers wants to see what is quoted.
async fn framed(desk: &Desk, loaded: &Loaded, text: String, unfolded: bool) -> Outcome {
    let remote = desk.query.ticked("remote");
    let mut shown = shown::clean(desk, text, parts(loaded), remote).await?;
    if unfolded {
        // Only ours are called so.
        shown.html = shown.html.replace("<details class=\"pr-quote\">", "<details class=\"pr-quote\" open>");
    }
    let pictures = pictures(&desk.ctx, loaded, &shown.html).await?;
    let html = shown::with_parts(&shown.html, &pictures);
    Ok(answer(desk, &html, &shown, remote))
}

/// `GET /work/messages/{id}/body`: of a message that no email came of.
pub(super) async fn of_message(desk: Desk, Path(name): Path<String>) -> Outcome {
    let shown = message::shown(&desk, id(&name)?).await?;
    Ok(answer(&desk, &shown.html, &shown, false))
}

/// What the text may refer to, by Content-ID.
pub(super) fn parts(loaded: &Loaded) -> BTreeMap<String, Id> {
    let named = |a: &model::tables::Attachment| a.content_id.trim().trim_matches(['<', '>']).to_lowercase();
    loaded.attachments.iter().map(|a| (named(a), a.id)).filter(|(name, _)| !name.is_empty()).collect()
}

/// The pictures in the text as `data:` addresses.
async fn pictures(ctx: &Context, loaded: &Loaded, html: &str) -> Result<BTreeMap<Id, String>, Fault> {
    let mut found = BTreeMap::new();
    let mut room = MOST_PICTURES;
    for part in shown::parts_in(html) {
        let Some(attachment) = loaded.attachments.iter().find(|a| a.id == part) else { continue };
        let size = usize::try_from(attachment.size).unwrap_or(usize::MAX);
        if size > room {
            continue;
        }
        let content = match actions::attachment::content(ctx, part).await {
            Ok(Some(content)) => content,
            Ok(None) | Err(ActionError::Refused(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let bytes = mime::extract(&content.stored, &content.place);
        let Some(kind) = picture_kind(&bytes) else { continue };
        room = room.saturating_sub(bytes.len());
        found.insert(part, format!("data:{kind};base64,{}", STANDARD.encode(&bytes)));
    }
    Ok(found)
}

/// By the first octets: what a part says of itself is not asked.
fn picture_kind(bytes: &[u8]) -> Option<&'static str> {
    let kind = match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'B', b'M', ..] => "image/bmp",
        _ => return None,
    };
    PICTURES.contains(&kind).then_some(kind)
}

/// A document that can do nothing: no script, no form, nothing loaded but what
/// the reader asked for; links open elsewhere and learn nothing.
fn answer(desk: &Desk, html: &str, shown: &Shown, remote: bool) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title><style>{}</style><style>{SHEET}</style></head><body dir=\"auto\">{html}</body></html>",
        desk.viewer.texts.code,
        desk.viewer.texts.text("Text of the message"),
        shown.style
    );
    let pictures = if remote { "data: https:" } else { "data:" };
    let policy = format!(
        "default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; script-src 'none'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    );
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-dns-prefetch-control", HeaderValue::from_static("off"));
    response
}
