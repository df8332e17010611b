//! Signing in with the organization's own sign-in: to the provider and back,
//! and connecting an account of it with one's own.

use std::sync::Arc;

use actions::sign_in::openid::{self, Begun, Denied, FLOW_SECONDS, Finished, Provider, Returned};
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::pages;
use crate::signin::account::{begin, overview};
use crate::signin::fields::Fields;
use crate::signin::local::{admit, form, landing, welcome};
use crate::signin::reply::{self, Fault};
use crate::signin::visit::Visit;
use crate::signin::{cookies, returning};

fn provider(visit: &Visit) -> Result<&Arc<Provider>, Fault> {
    let none = || Fault::new(StatusCode::NOT_FOUND, "There is no other sign-in here than with a password.");
    visit.state.sign_in.provider.as_ref().ok_or_else(none)
}

/// Counts what was refused, like a wrong password.
fn fault(visit: &Visit, denied: Denied) -> Fault {
    match denied {
        Denied::Refused(text) => {
            visit.state.sign_in.guesses.failed(visit.client.address, visit.state.clock.now());
            Fault::new(StatusCode::UNAUTHORIZED, text)
        }
        Denied::Unavailable(text) => Fault::new(StatusCode::SERVICE_UNAVAILABLE, text),
        Denied::Failed(error) => Fault::from(error),
    }
}

fn refused(visit: &Visit, fault: &Fault) -> Response {
    if visit.wants_json() { fault.json() } else { form(visit, fault, "", "/", "") }
}

fn flow_cookie(visit: &Visit, begun: &Begun) -> String {
    cookies::set_flow(visit.secure, &begun.cookie, FLOW_SECONDS)
}

/// `GET /signin/openid?return=…`: to the provider.
pub(crate) async fn start(visit: Visit) -> Response {
    match try_start(&visit).await {
        Ok(begun) => reply::with_cookies(reply::redirect(&begun.url), &[flow_cookie(&visit, &begun)]),
        Err(fault) => refused(&visit, &fault),
    }
}

async fn try_start(visit: &Visit) -> Result<Begun, Fault> {
    let provider = provider(visit)?;
    admit(visit)?;
    let query = Fields::of_form(&visit.query).unwrap_or_default();
    let to = returning::local(query.text("return"));
    let begun = openid::begin(&visit.entrance(), provider, &visit.client.origin, to, None).await;
    begun.map_err(|denied| fault(visit, denied))
}

/// `GET /signin/oidc`: back from the provider.
pub(crate) async fn back(visit: Visit) -> Response {
    let response = match try_back(&visit).await {
        Ok(Finished::SignedIn(opened, to)) => {
            let to = landing(&visit, &opened, returning::local(&to).to_owned()).await;
            welcome(&visit, &opened, &to)
        }
        Ok(Finished::Connected(to)) => reply::redirect(returning::local(&to)),
        Err(fault) => return refused(&visit, &fault),
    };
    reply::with_cookies(response, &[cookies::clear_flow(visit.secure)])
}

async fn try_back(visit: &Visit) -> Result<Finished, Fault> {
    let provider = provider(visit)?;
    admit(visit)?;
    let query = Fields::of_form(&visit.query).map_err(Fault::bad)?;
    let returned = Returned {
        code: query.get("code"),
        state: query.get("state"),
        issuer: query.get("iss"),
        error: query.get("error"),
    };
    let current = visit.current().await?;
    let cookie = cookies::flow(&visit.headers, visit.secure);
    let e = visit.entrance();
    let finished = openid::finish(&e, provider, &visit.client.origin, cookie, &returned, current.as_ref()).await;
    finished.map_err(|denied| fault(visit, denied))
}

/// A page that leads elsewhere by itself: a form may not be answered with a
/// redirect to another server (`form-action`).
pub(super) fn leave(visit: &Visit, url: &str, text: &str) -> Response {
    if visit.wants_json() {
        return reply::json(StatusCode::OK, &json!({ "next": url }));
    }
    let texts = visit.texts();
    pages::page(StatusCode::OK, &pages::Leave { texts, url, text: texts.text(text) })
}

/// `POST /account/identities`: connects one's account with one of the
/// provider's.
pub(crate) async fn connect(visit: Visit, body: Body) -> Response {
    let (current, _) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let begun = match provider(&visit) {
        Ok(provider) => {
            let session = Some(current.session.id);
            let begun = openid::begin(&visit.entrance(), provider, &visit.client.origin, "/account", session).await;
            begun.map_err(|denied| fault(&visit, denied))
        }
        Err(fault) => Err(fault),
    };
    match begun {
        Ok(begun) => {
            let page = leave(&visit, &begun.url, "Sign in there with the account that you want to connect.");
            reply::with_cookies(page, &[flow_cookie(&visit, &begun)])
        }
        Err(fault) => overview(&visit, &current, &fault, "").await,
    }
}

/// `POST /account/identities/remove`
pub(crate) async fn disconnect(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let Ok(id) = fields.text("identity").parse() else {
        return overview(&visit, &current, &Fault::bad("That is no connection."), "").await;
    };
    let done = match visit.context(&current).await {
        Ok(ctx) => openid::disconnect(&ctx, id).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => overview(&visit, &current, &Fault::new(StatusCode::OK, ""), "Disconnected.").await,
        Err(error) => overview(&visit, &current, &Fault::from(error), "").await,
    }
}
