//! Tokens for services (RFC 6749, section 4.4), and the documents from which
//! their libraries learn where to ask (RFC 8414).

use actions::sign_in::{application, jwt};
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Id;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::signin::fields::{self, Fields};
use crate::signin::local::admit;
use crate::signin::reply::{self, Fault};
use crate::signin::visit::Visit;
use crate::state::AppState;

/// RFC 6749, section 5.2.
struct Refused {
    status: StatusCode,
    error: &'static str,
    text: String,
    /// The client tried HTTP Basic, so the answer names it.
    basic: bool,
    wait: Option<u64>,
}

impl Refused {
    fn new(error: &'static str, text: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, text: text.to_owned(), basic: false, wait: None }
    }

    fn client(basic: bool) -> Self {
        let text = "The client id or the secret is wrong, or the secret has expired.";
        Self { status: StatusCode::UNAUTHORIZED, basic, ..Self::new("invalid_client", text) }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { status: fault.status, text: fault.text, wait: fault.wait, ..Self::new("temporarily_unavailable", "") }
    }
}

impl From<Refused> for Response {
    fn from(refused: Refused) -> Self {
        let body = json!({ "error": refused.error, "error_description": refused.text });
        let mut response = reply::json(refused.status, &body);
        if refused.basic {
            let challenge = HeaderValue::from_static("Basic realm=\"Postroom\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = refused.wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }
}

/// `POST /oauth2/token`
pub(crate) async fn token(visit: Visit, body: Body) -> Response {
    grant(&visit, None, body).await.unwrap_or_else(Into::into)
}

/// `POST /{tenant}/oauth2/v2.0/token`
pub(crate) async fn tenant_token(Path(tenant): Path<String>, visit: Visit, body: Body) -> Response {
    grant(&visit, Some(&tenant), body).await.unwrap_or_else(Into::into)
}

async fn grant(visit: &Visit, named: Option<&str>, body: Body) -> Result<Response, Refused> {
    check_tenant(visit, named).await?;
    if !fields::is_form(&visit.headers) {
        return Err(Refused::new("invalid_request", "The payload must be application/x-www-form-urlencoded."));
    }
    let fields = Fields::read(&visit.headers, body).await.map_err(|text| Refused::new("invalid_request", text))?;
    match fields.text("grant_type") {
        "client_credentials" => {}
        "" => return Err(Refused::new("invalid_request", "grant_type is missing.")),
        _ => {
            let text = "Only the grant client_credentials is given here. People sign in with a browser.";
            return Err(Refused::new("unsupported_grant_type", text));
        }
    }
    let client = client(&visit.headers, &fields)?;
    check_resource(visit, &fields)?;
    admit(visit)?;
    let granted = application::grant(&visit.entrance(), &visit.client.origin, &client.id, &client.secret).await;
    let Some(granted) = granted.map_err(Fault::from)? else {
        visit.state.sign_in.guesses.failed(visit.client.address, visit.state.clock.now());
        return Err(Refused::client(client.basic));
    };
    let body = json!({
        "token_type": "Bearer",
        "expires_in": granted.seconds,
        "ext_expires_in": granted.seconds,
        "access_token": granted.token,
    });
    let mut response = reply::json(StatusCode::OK, &body);
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}

struct Client {
    id: String,
    secret: String,
    basic: bool,
}

/// RFC 6749, section 2.3.1: in the payload or by HTTP Basic, never both.
fn client(headers: &HeaderMap, fields: &Fields) -> Result<Client, Refused> {
    let Some(authorization) = headers.get(header::AUTHORIZATION) else {
        let (Some(id), Some(secret)) = (fields.get("client_id"), fields.get("client_secret")) else {
            return Err(Refused::client(false));
        };
        return Ok(Client { id: id.to_owned(), secret: secret.to_owned(), basic: false });
    };
    if fields.get("client_secret").is_some() {
        return Err(Refused::new("invalid_request", "The client shows its secret in two ways. Use one."));
    }
    let pair = authorization.to_str().ok().and_then(|text| text.split_once(' '));
    let pair = pair.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic")).and_then(|(_, text)| {
        let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        let decode = |part: &str| {
            let part = part.replace('+', " ");
            percent_decode_str(&part).decode_utf8().ok().map(std::borrow::Cow::into_owned)
        };
        Some((decode(id)?, decode(secret)?))
    });
    let (id, secret) = pair.ok_or_else(|| Refused::client(true))?;
    if fields.get("client_id").is_some_and(|other| other != id) {
        return Err(Refused::new("invalid_request", "The client names itself in two ways."));
    }
    Ok(Client { id, secret, basic: true })
}

/// `scope=<our url>/.default` or `resource=<our url>`, where they are given.
fn check_resource(visit: &Visit, fields: &Fields) -> Result<(), Refused> {
    let ours = |url: &str| url.trim_end_matches('/').eq_ignore_ascii_case(&visit.client.origin);
    if let Some(scope) = fields.get("scope") {
        let good = scope.split(' ').filter(|s| !s.is_empty()).all(|s| s.strip_suffix("/.default").is_some_and(ours));
        if !good {
            let text = format!("The scope must be {}/.default.", visit.client.origin);
            return Err(Refused::new("invalid_scope", &text));
        }
    }
    if fields.get("resource").is_some_and(|resource| !ours(resource)) {
        let text = format!("The resource must be {}/.", visit.client.origin);
        return Err(Refused::new("invalid_target", &text));
    }
    Ok(())
}

async fn tenant(state: &AppState) -> Result<Id, Fault> {
    let id = state.sign_in.tenant.get_or_try_init(|| jwt::tenant(&state.store)).await?;
    Ok(*id)
}

/// There is one tenant; libraries also ask for it as `common`.
async fn check_tenant(visit: &Visit, named: Option<&str>) -> Result<Id, Refused> {
    let id = tenant(&visit.state).await?;
    match named {
        None | Some("common" | "organizations") => Ok(id),
        Some(name) if name.parse() == Ok(id) => Ok(id),
        Some(_) => Err(Refused::new("invalid_request", "There is no such tenant here.")),
    }
}

/// Where the 401 of the API sends those who have no token.
pub(crate) async fn authorization_uri(state: &AppState, origin: &str) -> String {
    match tenant(state).await {
        Ok(id) => format!("{origin}/{id}/oauth2/authorize"),
        Err(_) => format!("{origin}/common/oauth2/authorize"),
    }
}

/// `GET /.well-known/openid-configuration`
pub(crate) async fn discovery(visit: Visit) -> Response {
    described(&visit, None).await.unwrap_or_else(Into::into)
}

pub(crate) async fn tenant_discovery(Path(tenant): Path<String>, visit: Visit) -> Response {
    described(&visit, Some(&tenant)).await.unwrap_or_else(Into::into)
}

async fn described(visit: &Visit, named: Option<&str>) -> Result<Response, Refused> {
    let id = check_tenant(visit, named).await?;
    let base = format!("{}/{id}", visit.client.origin);
    let body = json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    });
    Ok(reply::json(StatusCode::OK, &body))
}

/// `GET /{tenant}/discovery/v2.0/keys`
pub(crate) async fn keys(Path(tenant): Path<String>, visit: Visit) -> Response {
    published(&visit, &tenant).await.unwrap_or_else(Into::into)
}

async fn published(visit: &Visit, tenant: &str) -> Result<Response, Refused> {
    check_tenant(visit, Some(tenant)).await?;
    let keys: Value = jwt::key_set(&visit.state.store, visit.state.clock.now()).await.map_err(Fault::from)?;
    Ok(reply::json(StatusCode::OK, &keys))
}

/// `GET /common/discovery/instance`: which hosts are one authority.
pub(crate) async fn instance(visit: Visit) -> Response {
    let origin = &visit.client.origin;
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
    let body = json!({
        "tenant_discovery_endpoint": format!("{origin}/common/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    });
    reply::json(StatusCode::OK, &body)
}
