//! One request of a batch: where it goes, and its answer.

use actions::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use formats::odata::batch::Request;
use model::Refusal;

use crate::api::batch::answer::Part;
use crate::api::call::{self, Call, References};
use crate::api::dispatch;
use crate::api::errors::ApiError;
use crate::api::headers::Prefer;
use crate::api::resource::{self, Resource};
use crate::api::respond;

/// Octets of a URL; more than in a request of its own, for this is where
/// clients put those that are too long.
const LONGEST_URL: usize = 64 * 1024;

/// The answer to the request, on behalf of the batch's caller.
pub(super) async fn answer(call: &Call, ctx: &Context, request: &Request<'_>, references: &References) -> Part {
    let mut prefer = Prefer::default();
    let answered = match read(call, ctx, request, references) {
        Ok((call, resource)) => {
            prefer.clone_from(&call.prefer);
            Box::pin(dispatch::run(&call, resource)).await
        }
        Err(error) => Err(error),
    };
    let id = request_id(call);
    let mut response = answered.unwrap_or_else(|error| error.into_response_for(&id, &prefer));
    respond::finish(&mut response, &id);
    Part::of(response).await
}

/// The answer to a request that was not even tried, or a whole change set.
pub(super) async fn failure(call: &Call, error: ApiError) -> Part {
    let id = request_id(call);
    let mut response = error.into_response(&id);
    respond::finish(&mut response, &id);
    Part::of(response).await
}

fn request_id(call: &Call) -> String {
    call.ctx.new_id().map(|id| id.to_string()).unwrap_or_default()
}

fn read(
    call: &Call,
    ctx: &Context,
    request: &Request<'_>,
    references: &References,
) -> Result<(Call, Resource), ApiError> {
    if request.url.len() > LONGEST_URL {
        let message = format!("The URL is longer than {LONGEST_URL} bytes.");
        return Err(ApiError::new(
            StatusCode::URI_TOO_LONG,
            Refusal::new(0x8006_0888, "UrlTooLong", model::Words::foreign(message)),
        ));
    }
    let path_and_query = locate(request.url, &call.version, references)?;
    let (path, query) = path_and_query.split_once('?').unwrap_or((&path_and_query, ""));
    let (version, path) = dispatch::service_path(path)?;
    let resource = resource::read(path)?;
    if matches!(resource, Resource::Batch) {
        return Err(ApiError::bad_request("A batch cannot contain another batch."));
    }
    let largest = dispatch::largest(&resource);
    if request.body.len() > largest {
        return Err(dispatch::too_large(largest));
    }
    let method = Method::from_bytes(request.method.to_ascii_uppercase().as_bytes());
    let method = method.map_err(|_| ApiError::method("GET, POST, PATCH, PUT, DELETE"))?;
    let headers = headers(request)?;
    let inner = Call {
        ctx: ctx.clone(),
        prefer: Prefer::read(&headers),
        query: call::query(query)?,
        method,
        headers,
        body: call.body.slice_ref(request.body),
        origin: call.origin.clone(),
        version: version.to_owned(),
        references: References::clone(references),
        path_and_query,
    };
    Ok((inner, resource))
}

fn headers(request: &Request<'_>) -> Result<HeaderMap, ApiError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = header.ok_or_else(|| {
            let name = actions::validate::excerpt(name);
            ApiError::bad_request(format!("The header '{name}' of a request in the batch cannot be read."))
        })?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// The path and the options from the host's root, from a URL in any form.
fn locate(url: &str, version: &str, references: &References) -> Result<String, ApiError> {
    if url.chars().any(char::is_control) {
        return Err(ApiError::bad_request("The URL of a request in the batch has control characters in it."));
    }
    let url = url.split('#').next().unwrap_or("");
    let path = match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphabetic()) => {
            rest.find('/').map_or("/", |at| &rest[at..])
        }
        _ => url,
    };
    let (root, rest) = match path.strip_prefix("/api/data/").and_then(|p| p.split_once('/')) {
        Some((version, rest)) => (format!("/api/data/{version}"), rest),
        None if path.starts_with("/api/") => return Ok(path.replace(' ', "%20")),
        None => (format!("/api/data/{version}"), path.trim_start_matches('/')),
    };
    Ok(format!("{root}/{}", referred(rest, references)?).replace(' ', "%20"))
}

/// `$1/nav` → `accounts(<guid>)/nav`
fn referred(path: &str, references: &References) -> Result<String, ApiError> {
    let Some(rest) = path.strip_prefix('$') else { return Ok(path.to_owned()) };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (id, rest) = rest.split_at(end);
    match references.get(id) {
        Some(row) => Ok(format!("{row}{rest}")),
        // The service's own names: `$metadata`.
        None if id.bytes().all(|b| b.is_ascii_lowercase()) => Ok(path.to_owned()),
        None => {
            let id = actions::validate::excerpt(id);
            Err(ApiError::bad_request(format!("Content-ID Reference: '${id}' does not exist in the batch context.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let references = References::new([("1".to_owned(), "accounts(x)".to_owned())].into());
        let found = locate(url, "v9.2", &references);
        assert_eq!(found.as_deref().unwrap_or("refused"), expected, "{url}");
    }

    #[test]
    fn relative() {
        check("accounts?$top=1", "/api/data/v9.2/accounts?$top=1");
        check("/accounts", "/api/data/v9.2/accounts");
    }
    #[test]
    fn from_the_root() {
        check("/api/data/v9.1/accounts", "/api/data/v9.1/accounts");
    }
    #[test]
    fn absolute() {
        check("https://h:1/api/data/v9.2/accounts(1)", "/api/data/v9.2/accounts(1)");
        check("http://h", "/api/data/v9.2/");
    }
    #[test]
    fn a_url_in_an_option_is_none() {
        check(
            "accounts?$filter=websiteurl eq 'http://x/y'",
            "/api/data/v9.2/accounts?$filter=websiteurl%20eq%20'http://x/y'",
        );
    }
    #[test]
    fn reference() {
        check("$1", "/api/data/v9.2/accounts(x)");
        check("/$1/name?a", "/api/data/v9.2/accounts(x)/name?a");
        check("http://h/api/data/v9.1/$1", "/api/data/v9.1/accounts(x)");
        check("$2", "refused");
        check("$metadata", "/api/data/v9.2/$metadata");
    }
    #[test]
    fn hostile() {
        check("a\tb", "refused");
        check("a#b", "/api/data/v9.2/a");
    }
}
