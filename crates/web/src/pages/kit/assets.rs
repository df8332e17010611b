//! Style sheet, scripts and pictures, which are part of the program. Pages name
//! them with their version, and browsers keep that one for good: after an
//! update no page meets the sheet or the script of the program before it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::state::AppState;

/// Area by area; the order is that of the cascade.
const SHEETS: &[&str] = &[
    include_str!("../../../static/postroom.css"),
    include_str!("../../../static/grid.css"),
    include_str!("../../../static/mailbox.css"),
    include_str!("../../../static/profile.css"),
    include_str!("../../../static/email.css"),
    include_str!("../../../static/work.css"),
    include_str!("../../../static/security.css"),
    include_str!("../../../static/watch.css"),
];

const SCRIPTS: &[&str] = &[
    include_str!("../../../static/postroom.js"),
    include_str!("../../../static/grid.js"),
    include_str!("../../../static/email.js"),
];

/// Only on pages where somebody writes formatted text. What it is made of by
/// others says whose it is at its beginning.
const EDITOR: &[&str] = &[include_str!("../../../static/squire.js"), include_str!("../../../static/editor.js")];

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: String,
    /// As in the `v` of its address: `0123abcd`
    version: String,
    /// The same in quotes, for `ETag`.
    tag: String,
}

static ALL: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset("postroom.css", "text/css; charset=utf-8", SHEETS.concat()),
        asset("postroom.js", "text/javascript; charset=utf-8", SCRIPTS.join("\n")),
        asset("editor.js", "text/javascript; charset=utf-8", EDITOR.join("\n")),
        asset("htmx.js", "text/javascript; charset=utf-8", include_str!("../../../static/htmx.js").to_owned()),
        asset("icon.svg", "image/svg+xml", include_str!("../../../static/icon.svg").to_owned()),
    ]
});

fn asset(name: &'static str, kind: &'static str, body: String) -> Asset {
    // FNV-1a: it only has to differ when the file does.
    let hash = body.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let version = format!("{hash:016x}");
    Asset { name, kind, body, tag: format!("\"{version}\""), version }
}

/// `/static/postroom.css?v=0123abcd`
pub(super) fn path(name: &str) -> String {
    let version = ALL.iter().find(|a| a.name == name).map_or("", |a| &a.version);
    format!("/static/{name}?v={version}")
}

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/static/{name}", get(serve)).route("/favicon.ico", get(icon))
}

async fn icon() -> Response {
    serve(Path("icon.svg".to_owned()), Query(BTreeMap::new()), HeaderMap::new()).await
}

async fn serve(
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = ALL.iter().find(|a| a.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Another version is asked for while a fleet is being updated, node by node.
    let keep = match query.get("v") {
        Some(version) if *version == asset.version => "public, max-age=31536000, immutable",
        _ => "public, max-age=60",
    };
    let with = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, keep),
        (header::ETAG, &asset.tag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A picture of ours opened by itself runs nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == asset.tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, with).into_response();
    }
    (with, asset.body.as_str()).into_response()
}
