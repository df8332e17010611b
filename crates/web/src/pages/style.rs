//! The style sheet, which is part of the program.

use axum::http::header;
use axum::response::{IntoResponse, Response};

const SHEET: &str = include_str!("../../static/postroom.css");

pub(crate) async fn stylesheet() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, SHEET).into_response()
}
