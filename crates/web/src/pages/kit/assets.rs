//! Style sheet, scripts and pictures, which are part of the program. Browsers
//! keep them for an hour and then ask whether they have changed.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
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

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: String,
    /// `"0123abcd"`
    tag: String,
}

static ALL: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset("postroom.css", "text/css; charset=utf-8", SHEETS.concat()),
        asset("postroom.js", "text/javascript; charset=utf-8", SCRIPTS.join("\n")),
        asset("htmx.js", "text/javascript; charset=utf-8", include_str!("../../../static/htmx.js").to_owned()),
        asset("icon.svg", "image/svg+xml", include_str!("../../../static/icon.svg").to_owned()),
    ]
});

fn asset(name: &'static str, kind: &'static str, body: String) -> Asset {
    // FNV-1a: it only has to differ when the file does.
    let hash = body.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    Asset { name, kind, body, tag: format!("\"{hash:016x}\"") }
}

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/static/{name}", get(serve)).route("/favicon.ico", get(icon))
}

async fn icon() -> Response {
    serve(Path("icon.svg".to_owned()), HeaderMap::new()).await
}

async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ALL.iter().find(|a| a.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let with = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=3600"),
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
