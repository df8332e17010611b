//! Signing in with a password and a code; signing out.

use actions::sign_in::{Opened, Step, session, with_code, with_password};
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use model::words;
use serde_json::json;

use crate::pages;
use crate::signin::fields::Fields;
use crate::signin::reply::{self, Fault};
use crate::signin::visit::Visit;
use crate::signin::{cookies, openid, returning};

/// As long as the ticket of the second step is good.
const STEP_SECONDS: i64 = 300;

pub(super) fn form(visit: &Visit, fault: &Fault, name: &str, to: &str, note: &str) -> Response {
    let sign_in = &visit.state.sign_in;
    let (local, provider) = (sign_in.policy.local, sign_in.button());
    let texts = visit.texts();
    let told = fault.told(texts);
    let template = pages::SignIn { texts, local, provider, name, returning: to, fault: &told, note };
    let mut response = pages::page(fault.status, &template);
    fault.say_wait(&mut response);
    response
}

/// `GET /signin`
pub(crate) async fn page(visit: Visit) -> Response {
    if visit.wants_json() {
        let sign_in = &visit.state.sign_in;
        let provider = sign_in.button().map(|name| json!({ "name": name, "url": "/signin/openid" }));
        return reply::json(StatusCode::OK, &json!({ "local": sign_in.policy.local, "provider": provider }));
    }
    let query = Fields::of_form(&visit.query).unwrap_or_default();
    let note = if query.get("out").is_some() { "You are signed out." } else { "" };
    let note = if query.get("set").is_some() { "The password is set. Sign in with it." } else { note };
    form(&visit, &Fault::new(StatusCode::OK, ""), "", returning::local(query.text("return")), note)
}

/// `POST /signin`
pub(crate) async fn sign_in(visit: Visit, body: Body) -> Response {
    let (mut name, mut to) = (String::new(), "/".to_owned());
    match try_password(&visit, body, &mut name, &mut to).await {
        Ok(Step::Done(opened)) => welcome(&visit, &opened, &landing(&visit, &opened, to).await),
        Ok(Step::Code(ticket)) => {
            let cookie = [cookies::set_step(visit.secure, &ticket, STEP_SECONDS)];
            let response = if visit.wants_json() {
                reply::json(StatusCode::OK, &json!({ "signedIn": false, "next": "/signin/code" }))
            } else {
                let to = percent_encoding::utf8_percent_encode(&to, percent_encoding::NON_ALPHANUMERIC);
                reply::redirect(&format!("/signin/code?return={to}"))
            };
            reply::with_cookies(response, &cookie)
        }
        Err(fault) if visit.wants_json() => fault.json(),
        Err(fault) => form(&visit, &fault, &name, &to, ""),
    }
}

async fn try_password(visit: &Visit, body: Body, name: &mut String, to: &mut String) -> Result<Step, Fault> {
    if !visit.is_ours() {
        return Err(Fault::foreign());
    }
    let fields = Fields::read(&visit.headers, body).await.map_err(Fault::bad)?;
    fields.text("user").clone_into(name);
    returning::local(fields.text("return")).clone_into(to);
    admit(visit)?;
    let outcome = with_password(&visit.entrance(), name, fields.secret("password")).await;
    counted(visit, outcome)
}

/// Refuses an address from which too much was wrong.
pub(super) fn admit(visit: &Visit) -> Result<(), Fault> {
    let guesses = &visit.state.sign_in.guesses;
    let Some(wait) = guesses.blocked(visit.client.address, None, visit.state.clock.now()) else { return Ok(()) };
    let text = words!("Too many attempts to sign in came from your address. Wait {0} seconds.", wait);
    Err(Fault { status: StatusCode::TOO_MANY_REQUESTS, text: text.to_string(), wait: Some(wait) })
}

/// Counts what was refused.
pub(super) fn counted<T>(visit: &Visit, outcome: Result<T, actions::ActionError>) -> Result<T, Fault> {
    if matches!(outcome, Err(actions::ActionError::Refused(_))) {
        visit.state.sign_in.guesses.failed(visit.client.address, visit.state.clock.now());
    }
    Ok(outcome?)
}

/// Where a sign-in leads that was not on the way to anywhere: who can set up
/// an installation that has no email server profile yet, to that.
pub(super) async fn landing(visit: &Visit, opened: &Opened, to: String) -> String {
    if to != "/" || visit.wants_json() {
        return to;
    }
    let state = &visit.state;
    let (store, user, now) = (state.store.clone(), opened.user.clone(), state.clock.now());
    let due = match actions::Context::new(store, user, now, state.random.clone(), state.settings).await {
        Ok(context) => actions::start::is_due(&context).await,
        Err(error) => Err(error),
    };
    // Whoever cannot be told so finds it on their first page.
    if due.unwrap_or(false) { "/start".to_owned() } else { to }
}

/// The answer to a sign-in: the session's cookie, and where to go.
pub(super) fn welcome(visit: &Visit, opened: &Opened, to: &str) -> Response {
    let seconds = visit.state.sign_in.policy.longest.as_secs();
    let cookies = [cookies::set_session(visit.secure, &opened.cookie, seconds), cookies::clear_step(visit.secure)];
    let response = if visit.wants_json() {
        reply::json(StatusCode::OK, &json!({ "signedIn": true, "UserId": opened.user.id.to_string() }))
    } else {
        reply::redirect(to)
    };
    reply::with_cookies(response, &cookies)
}

/// `GET /signin/code`
pub(crate) async fn code_page(visit: Visit) -> Response {
    if visit.step().is_none() {
        return reply::redirect("/signin");
    }
    let query = Fields::of_form(&visit.query).unwrap_or_default();
    let template = pages::Code { texts: visit.texts(), returning: returning::local(query.text("return")), fault: "" };
    pages::page(StatusCode::OK, &template)
}

/// `POST /signin/code`
pub(crate) async fn code(visit: Visit, body: Body) -> Response {
    let mut to = "/".to_owned();
    match try_code(&visit, body, &mut to).await {
        Ok(opened) => welcome(&visit, &opened, &landing(&visit, &opened, to).await),
        Err(fault) if visit.wants_json() => fault.json(),
        Err(fault) => {
            let texts = visit.texts();
            let code = pages::Code { texts, returning: &to, fault: &fault.told(texts) };
            let mut response = pages::page(fault.status, &code);
            fault.say_wait(&mut response);
            response
        }
    }
}

async fn try_code(visit: &Visit, body: Body, to: &mut String) -> Result<Opened, Fault> {
    if !visit.is_ours() {
        return Err(Fault::foreign());
    }
    let fields = Fields::read(&visit.headers, body).await.map_err(Fault::bad)?;
    returning::local(fields.text("return")).clone_into(to);
    admit(visit)?;
    let ticket = visit.step().unwrap_or("");
    counted(visit, with_code(&visit.entrance(), ticket, fields.text("code")).await)
}

/// `POST /signout`
pub(crate) async fn sign_out(visit: Visit) -> Response {
    if !visit.is_ours() {
        return Fault::foreign().json();
    }
    let mut farewell = None;
    match visit.current().await {
        Ok(Some(current)) => {
            if let Some(provider) = &visit.state.sign_in.provider {
                let (e, origin) = (visit.entrance(), &visit.client.origin);
                farewell = actions::sign_in::openid::farewell(&e, provider, origin, &current).await;
            }
            if let Err(error) = session::sign_out(&visit.entrance(), &current).await {
                return Fault::from(error).json();
            }
        }
        Ok(None) => {}
        Err(error) => return Fault::from(error).json(),
    }
    let response = if visit.wants_json() {
        let mut body = json!({ "signedIn": false });
        if let Some(url) = farewell {
            body["next"] = url.into();
        }
        reply::json(StatusCode::OK, &body)
    } else if let Some(url) = farewell {
        openid::leave(&visit, &url, "You are signed out here, and are signed out of your organization's sign-in next.")
    } else {
        reply::redirect("/signin?out=1")
    };
    reply::with_cookies(response, &[cookies::clear_session(visit.secure), cookies::clear_step(visit.secure)])
}
