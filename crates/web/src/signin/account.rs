//! One's own account: password, second step, sessions, tokens.

use actions::sign_in::session::Current;
use actions::sign_in::{Opened, account, openid, password, session};
use actions::token::{self, NewToken};
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use model::{SignedDuration, Timestamp};
use serde_json::json;

use crate::pages;
use crate::pages::kit::{Desk, Place};
use crate::signin::cookies;
use crate::signin::fields::Fields;
use crate::signin::reply::{self, Fault};
use crate::signin::visit::Visit;

pub(super) fn failed(visit: &Visit, fault: &Fault) -> Response {
    if visit.wants_json() {
        return fault.json();
    }
    let texts = visit.texts();
    let (title, text) = (texts.text("That did not work"), fault.told(texts));
    pages::page(fault.status, &pages::Message { texts, title, text: &text })
}

/// Who is signed in; else the answer that sends them to sign in.
pub(super) async fn current(visit: &Visit) -> Result<Current, Response> {
    if !visit.is_ours() {
        return Err(failed(visit, &Fault::foreign()));
    }
    match visit.current().await {
        Ok(Some(current)) => Ok(current),
        Ok(None) if visit.wants_json() => Err(Fault::new(StatusCode::UNAUTHORIZED, "Sign in first.").json()),
        Ok(None) => Err(reply::redirect("/signin?return=%2Faccount")),
        Err(error) => Err(failed(visit, &Fault::from(error))),
    }
}

pub(super) async fn begin(visit: &Visit, body: Body) -> Result<(Current, Fields), Response> {
    let current = current(visit).await?;
    let fields = Fields::read(&visit.headers, body).await.map_err(|text| failed(visit, &Fault::bad(text)))?;
    Ok((current, fields))
}

/// `GET /account`
pub(crate) async fn page(visit: Visit) -> Response {
    match current(&visit).await {
        Ok(current) => overview(&visit, &current, &Fault::new(StatusCode::OK, ""), "").await,
        Err(response) => response,
    }
}

/// The page, with what went wrong or was done.
pub(super) async fn overview(visit: &Visit, current: &Current, fault: &Fault, note: &str) -> Response {
    if visit.wants_json() && !fault.text.is_empty() {
        return fault.json();
    }
    match try_overview(visit, current, fault, note).await {
        Ok(response) => response,
        Err(fault) => failed(visit, &fault),
    }
}

async fn try_overview(visit: &Visit, current: &Current, fault: &Fault, note: &str) -> Result<Response, Fault> {
    let user = &current.user;
    let ctx = visit.context(current).await?;
    let how = account::overview(&visit.entrance(), user).await?;
    let sessions = session::list(&ctx, &visit.state.sign_in.policy, user.id).await?;
    let tokens = token::list(&ctx, user.id).await?;
    let identities = openid::list(&ctx, user.id).await?;
    if visit.wants_json() {
        let time = |t: Option<Timestamp>| t.map(|t| t.to_string());
        return Ok(reply::json(
            StatusCode::OK,
            &json!({
                "UserId": user.id.to_string(), "domainname": user.domain_name, "fullname": user.full_name,
                "hasPassword": how.has_password, "secondStep": how.second_step,
                "recoveryCodesLeft": how.recovery_codes_left,
                "sessions": sessions.iter().map(|s| json!({
                    "id": s.id.to_string(), "current": s.id == current.session.id, "with": s.method,
                    "createdOn": time(s.created_on), "lastSeen": time(s.seen_on), "expiresOn": time(s.expires_on),
                    "address": s.address, "userAgent": s.agent,
                })).collect::<Vec<_>>(),
                "identities": identities.iter().map(|i| json!({
                    "id": i.id.to_string(), "issuer": i.issuer, "subject": i.subject, "createdOn": time(i.created_on),
                })).collect::<Vec<_>>(),
                "tokens": tokens.iter().map(|t| json!({
                    "id": t.id.to_string(), "name": t.name, "scopes": t.scopes,
                    "expiresOn": time(t.expires_on), "lastUsedOn": time(t.last_used_on),
                })).collect::<Vec<_>>(),
            }),
        ));
    }
    let desk = Desk::of(visit, current).await?;
    let shown = |time: Option<Timestamp>| time.map_or_else(String::new, |time| desk.viewer.time(time));
    let template = pages::Account {
        frame: desk.frame("Your account", Place::Options),
        name: &user.domain_name,
        full_name: &user.full_name,
        has_password: how.has_password,
        second_step: how.second_step,
        codes_left: how.recovery_codes_left,
        sessions: sessions.into_iter().map(|s| session_row(s, current, &desk, &shown)).collect(),
        tokens: tokens.into_iter().map(|t| token_row(t, &shown)).collect(),
        provider: visit.state.sign_in.button(),
        identities: identities.into_iter().map(|i| identity_row(i, &shown)).collect(),
        fault: &desk.viewer.fault(&fault.text),
        note: desk.viewer.texts.text(note),
        shortest: actions::SHORTEST_PASSWORD,
    };
    Ok(pages::page(fault.status, &template))
}

/// A moment in the reader's words; empty for none.
type Shown<'a> = &'a dyn Fn(Option<Timestamp>) -> String;

fn session_row(s: model::tables::Session, current: &Current, desk: &Desk, shown: Shown<'_>) -> pages::SessionRow {
    pages::SessionRow {
        id: s.id.to_string(),
        current: s.id == current.session.id,
        with: desk.t(pages::way(&s.method)),
        began: shown(s.created_on),
        seen: shown(s.seen_on),
        address: s.address,
        agent: s.agent,
    }
}

fn identity_row(i: model::tables::Identity, shown: Shown<'_>) -> pages::IdentityRow {
    pages::IdentityRow { id: i.id.to_string(), issuer: i.issuer, subject: i.subject, began: shown(i.created_on) }
}

fn token_row(t: model::tables::ApiToken, shown: Shown<'_>) -> pages::TokenRow {
    let or = |text: String, empty: &str| if text.is_empty() { empty.to_owned() } else { text };
    pages::TokenRow {
        id: t.id.to_string(),
        name: t.name,
        scopes: or(t.scopes, "everything"),
        expires: or(shown(t.expires_on), "never"),
        used: or(shown(t.last_used_on), "never"),
    }
}

fn twice_the_same(fields: &Fields) -> Result<(), Fault> {
    if fields.get("again").is_some_and(|again| again != fields.text("new")) {
        return Err(Fault::bad("The two new passwords are not the same."));
    }
    Ok(())
}

/// `POST /account/password`
pub(crate) async fn password(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let done: Result<Opened, Fault> = match twice_the_same(&fields) {
        Ok(()) => {
            let e = visit.entrance();
            password::change(&e, &current, fields.secret("current"), fields.secret("new")).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match done {
        Ok(opened) => {
            let seconds = visit.state.sign_in.policy.longest.as_secs();
            let cookie = [cookies::set_session(visit.secure, &opened.cookie, seconds)];
            let response = if visit.wants_json() {
                reply::json(StatusCode::OK, &json!({ "changed": true }))
            } else {
                reply::redirect("/account")
            };
            reply::with_cookies(response, &cookie)
        }
        Err(fault) => overview(&visit, &current, &fault, "").await,
    }
}

/// `POST /account/second-step`
pub(crate) async fn enrol(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    match account::enrol(&visit.entrance(), &current, fields.secret("current")).await {
        Ok(made) if visit.wants_json() => reply::json(StatusCode::OK, &json!({ "uri": made.uri, "key": made.key })),
        Ok(made) => {
            let text = "Enter this key in an authenticator, or open the link on the device that has one.";
            let once = Once { text, lines: vec![&made.key], link: Some(&made.uri), confirm: true, ..Once::default() };
            show(&visit, &current, "Second step", once).await
        }
        Err(error) => overview(&visit, &current, &Fault::from(error), "").await,
    }
}

/// `POST /account/second-step/confirm`
pub(crate) async fn confirm(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    match account::confirm_enrolment(&visit.entrance(), &current, fields.text("code")).await {
        Ok(codes) => recovery(&visit, &current, &codes).await,
        Err(error) if visit.wants_json() => Fault::from(error).json(),
        Err(error) => {
            let fault = Fault::from(error);
            let text = "Enter the code that the authenticator shows now.";
            let once = Once { text, confirm: true, fault: &fault.text, status: fault.status, ..Once::default() };
            show(&visit, &current, "Second step", once).await
        }
    }
}

/// Something that is shown this once.
#[derive(Default)]
struct Once<'a> {
    status: StatusCode,
    text: &'a str,
    lines: Vec<&'a str>,
    link: Option<&'a str>,
    confirm: bool,
    fault: &'a str,
}

async fn show(visit: &Visit, current: &Current, title: &'static str, once: Once<'_>) -> Response {
    let desk = match Desk::of(visit, current).await {
        Ok(desk) => desk,
        Err(error) => return failed(visit, &Fault::from(error)),
    };
    let Once { status, text, lines, link, confirm, fault } = once;
    let (frame, fault) = (desk.frame(title, Place::Options), desk.viewer.fault(fault));
    pages::page(status, &pages::Shown { frame, text, lines, link, confirm, fault: &fault })
}

async fn recovery(visit: &Visit, current: &Current, codes: &[String]) -> Response {
    if visit.wants_json() {
        return reply::json(StatusCode::OK, &json!({ "recoveryCodes": codes }));
    }
    let text = "Keep these where you find them without the authenticator. Each is good once; they are not shown again.";
    let once = Once { text, lines: codes.iter().map(String::as_str).collect(), ..Once::default() };
    show(visit, current, "Recovery codes", once).await
}

/// `POST /account/second-step/off`
pub(crate) async fn leave(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let done = account::leave(&visit.entrance(), &current, fields.secret("current"), fields.text("code")).await;
    after(&visit, &current, done, "The second step is off.").await
}

async fn after(visit: &Visit, current: &Current, done: Result<(), actions::ActionError>, note: &str) -> Response {
    match done {
        Ok(()) => overview(visit, current, &Fault::new(StatusCode::OK, ""), note).await,
        Err(error) => overview(visit, current, &Fault::from(error), "").await,
    }
}

/// `POST /account/recovery-codes`
pub(crate) async fn recovery_codes(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    match account::new_recovery_codes(&visit.entrance(), &current, fields.secret("current")).await {
        Ok(codes) => recovery(&visit, &current, &codes).await,
        Err(error) => overview(&visit, &current, &Fault::from(error), "").await,
    }
}

/// `POST /account/sessions/end`: one, or all others.
pub(crate) async fn end_session(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let ctx = match visit.context(&current).await {
        Ok(ctx) => ctx,
        Err(error) => return failed(&visit, &Fault::from(error)),
    };
    let done = match fields.text("session") {
        "others" => session::end_others(&ctx, &current).await,
        id => match id.parse() {
            Ok(id) => session::revoke(&ctx, id).await,
            Err(_) => return overview(&visit, &current, &Fault::bad("That is no session."), "").await,
        },
    };
    after(&visit, &current, done, "Done.").await
}

/// `POST /account/tokens`
pub(crate) async fn create_token(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let ctx = match visit.context(&current).await {
        Ok(ctx) => ctx,
        Err(error) => return failed(&visit, &Fault::from(error)),
    };
    let days = fields.get("days").map(|days| days.trim().parse::<i64>().ok().filter(|d| (1..=3650).contains(d)));
    let expires = match days {
        None => None,
        Some(Some(days)) => ctx.now.checked_add(SignedDuration::from_hours(24 * days)).ok(),
        Some(None) => return overview(&visit, &current, &Fault::bad("Days: a number from 1 to 3650."), "").await,
    };
    let new = NewToken { name: fields.text("name").into(), scopes: fields.text("scopes").into(), expires };
    match token::create(&ctx, current.user.id, new).await {
        Ok((id, token)) if visit.wants_json() => {
            reply::json(StatusCode::OK, &json!({ "id": id.to_string(), "token": token }))
        }
        Ok((_, token)) => {
            let text = "Copy it now: it is not shown again. Send it as: Authorization: Bearer <token>.";
            show(&visit, &current, "A new token", Once { text, lines: vec![&token], ..Once::default() }).await
        }
        Err(error) => overview(&visit, &current, &Fault::from(error), "").await,
    }
}

/// `POST /account/tokens/revoke`
pub(crate) async fn revoke_token(visit: Visit, body: Body) -> Response {
    let (current, fields) = match begin(&visit, body).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let Ok(id) = fields.text("token").parse() else {
        return overview(&visit, &current, &Fault::bad("That is no token."), "").await;
    };
    let done = match visit.context(&current).await {
        Ok(ctx) => token::revoke(&ctx, id).await,
        Err(error) => Err(error),
    };
    after(&visit, &current, done, "The token is revoked.").await
}
