//! Setting a password by a link that is good once.

use actions::sign_in::reset;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::pages;
use crate::signin::fields::Fields;
use crate::signin::local::{admit, counted};
use crate::signin::reply::{self, Fault};
use crate::signin::visit::Visit;

fn form(visit: &Visit, ticket: &str, name: &str, fault: &Fault) -> Response {
    let shortest = actions::SHORTEST_PASSWORD;
    let texts = visit.texts();
    let of = texts.with("For {0}. At least {1} characters; a phrase of several words is good.", &[&name, &shortest]);
    pages::page(fault.status, &pages::Password { texts, of, ticket, name, fault: &fault.told(texts), shortest })
}

fn gone(visit: &Visit, fault: &Fault) -> Response {
    if visit.wants_json() {
        return fault.json();
    }
    let texts = visit.texts();
    let (title, text) = (texts.text("Set a password"), fault.told(texts));
    pages::page(fault.status, &pages::Message { texts, title, text: &text })
}

/// `GET /password?ticket=…`
pub(crate) async fn page(visit: Visit) -> Response {
    let query = Fields::of_form(&visit.query).unwrap_or_default();
    let ticket = query.text("ticket");
    let found = match admit(&visit) {
        Ok(()) => counted(&visit, reset::whose(&visit.entrance(), ticket).await),
        Err(fault) => Err(fault),
    };
    match found {
        Ok(user) => form(&visit, ticket, &user.domain_name, &Fault::new(StatusCode::OK, "")),
        Err(fault) => gone(&visit, &fault),
    }
}

/// `POST /password`
pub(crate) async fn set(visit: Visit, body: Body) -> Response {
    let fields = match Fields::read(&visit.headers, body).await {
        Ok(fields) if visit.is_ours() => fields,
        Ok(_) => return gone(&visit, &Fault::foreign()),
        Err(text) => return gone(&visit, &Fault::bad(text)),
    };
    if let Err(fault) = admit(&visit) {
        return gone(&visit, &fault);
    }
    let e = visit.entrance();
    let user = match counted(&visit, reset::whose(&e, fields.text("ticket")).await) {
        Ok(user) => user,
        Err(fault) => return gone(&visit, &fault),
    };
    let done = if fields.get("again").is_some_and(|again| again != fields.text("new")) {
        Err(Fault::bad("The two passwords are not the same."))
    } else {
        reset::set(&e, fields.text("ticket"), fields.secret("new")).await.map_err(Fault::from)
    };
    match done {
        Ok(_) if visit.wants_json() => reply::json(StatusCode::OK, &json!({ "set": true })),
        Ok(_) => reply::redirect("/signin?set=1"),
        Err(fault) if visit.wants_json() => fault.json(),
        Err(fault) => form(&visit, fields.text("ticket"), &user.domain_name, &fault),
    }
}
