//! Operations on messages that programs hand over, and on their tokens.

use actions::incoming::Opinion;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::api::errors::ApiError;
use crate::api::handed_mail::{Body, Given, message_id};
use crate::api::operations::{
    Binding, Complex, Invocation, Kind, Operation, Parameter, Target, Type, optional, required,
};
use crate::api::respond;

const CHECK: &[Parameter] = &[
    required("MessageId", Type::Text),
    required("Subject", Type::Text),
    required("From", Type::Text),
    required("To", Type::Text),
    optional("Cc", Type::Text),
    optional("Bcc", Type::Text),
    optional("ExtraProperties", Type::Row("crmbaseentity")),
];
const CHECK_PROMOTE: &[Parameter] =
    &[required("MessageId", Type::Text), optional("Subject", Type::Text), optional("DirectionCode", Type::Int)];
const DELIVER: &[Parameter] = &[
    required("MessageId", Type::Text),
    required("Subject", Type::Text),
    required("From", Type::Text),
    required("To", Type::Text),
    optional("Cc", Type::Text),
    optional("Bcc", Type::Text),
    required("ReceivedOn", Type::Time),
    optional("SubmittedBy", Type::Text),
    optional("Importance", Type::Text),
    required("Body", Type::Text),
    optional("Attachments", Type::Many(&Type::Row("activitymimeattachment"))),
    optional("ExtraProperties", Type::Row("crmbaseentity")),
];

const CHECK_RESPONSE: Complex = Complex {
    name: "CheckIncomingEmailResponse",
    open: false,
    properties: &[required("ShouldDeliver", Type::Bool), required("ReasonCode", Type::Int)],
};
const CHECK_PROMOTE_RESPONSE: Complex = Complex {
    name: "CheckPromoteEmailResponse",
    open: false,
    properties: &[required("ShouldPromote", Type::Bool), required("ReasonCode", Type::Int)],
};
const DELIVER_RESPONSE: Complex =
    Complex { name: "DeliverIncomingEmailResponse", open: false, properties: &[required("EmailId", Type::Guid)] };
const PROMOTE_RESPONSE: Complex =
    Complex { name: "DeliverPromoteEmailResponse", open: false, properties: &[required("EmailId", Type::Guid)] };
const TOKEN_RESPONSE: Complex = Complex {
    name: "GetTrackingTokenEmailResponse",
    open: false,
    properties: &[required("TrackingToken", Type::Text)],
};

pub(crate) static ALL: &[Operation] = &[
    Operation {
        name: "CheckIncomingEmail",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: CHECK,
        result: Some(Type::Complex(&CHECK_RESPONSE)),
        run: |invocation| Box::pin(check(invocation)),
    },
    Operation {
        name: "CheckPromoteEmail",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: CHECK_PROMOTE,
        result: Some(Type::Complex(&CHECK_PROMOTE_RESPONSE)),
        run: |invocation| Box::pin(check_promote(invocation)),
    },
    Operation {
        name: "DeliverIncomingEmail",
        kind: Kind::Action,
        binding: Binding::Set("email"),
        parameters: DELIVER,
        result: Some(Type::Complex(&DELIVER_RESPONSE)),
        run: |invocation| Box::pin(deliver(invocation)),
    },
    Operation {
        name: "DeliverPromoteEmail",
        kind: Kind::Action,
        binding: Binding::Row("email"),
        parameters: DELIVER,
        result: Some(Type::Complex(&PROMOTE_RESPONSE)),
        run: |invocation| Box::pin(deliver(invocation)),
    },
    Operation {
        name: "GetTrackingTokenEmail",
        kind: Kind::Action,
        binding: Binding::Unbound,
        parameters: &[required("Subject", Type::Text)],
        result: Some(Type::Complex(&TOKEN_RESPONSE)),
        run: |invocation| Box::pin(token(invocation)),
    },
];

async fn check(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let ctx = &invocation.call.ctx;
    let mail = Given::read(&invocation.arguments)?.into_question(ctx.now)?;
    let opinion = actions::incoming::check(ctx, mail).await?;
    Ok(answer(&invocation, "ShouldDeliver", opinion))
}

async fn check_promote(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let arguments = &invocation.arguments;
    let id = message_id(arguments.text("MessageId").unwrap_or_default())?;
    let subject = arguments.text("Subject").unwrap_or_default();
    let outgoing = match arguments.int("DirectionCode") {
        None => None,
        Some(0) => Some(false),
        Some(1) => Some(true),
        Some(_) => {
            let message = "The parameter 'DirectionCode' of CheckPromoteEmail is 0 (incoming) or 1 (outgoing).";
            return Err(ApiError::bad_payload(message));
        }
    };
    let opinion = actions::incoming::check_promote(&invocation.call.ctx, &id, subject, outgoing).await?;
    Ok(answer(&invocation, "ShouldPromote", opinion))
}

fn answer(invocation: &Invocation<'_>, name: &str, opinion: Opinion) -> Response {
    let body = json!({
        "@odata.context": invocation.context(),
        name: opinion.accepts,
        "ReasonCode": opinion.code as i8,
    });
    respond::json(StatusCode::OK, &body)
}

/// The id in the URL of `DeliverPromoteEmail` names no row: the email is made
/// by the call, and its id stands in the answer.
async fn deliver(mut invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let ctx = &invocation.call.ctx;
    let given = Given::read(&invocation.arguments)?;
    let message = given.into_message(Body::read(&mut invocation.arguments, ctx.now)?)?;
    let email = match invocation.target {
        Target::Row(..) => actions::incoming::promote(ctx, message).await?,
        Target::Nothing | Target::Set(_) => actions::incoming::deliver(ctx, message).await?,
    };
    let body = json!({ "@odata.context": invocation.context(), "EmailId": email.to_string() });
    Ok(respond::json(StatusCode::OK, &body))
}

async fn token(invocation: Invocation<'_>) -> Result<Response, ApiError> {
    let subject = invocation.arguments.text("Subject").unwrap_or_default();
    let token = actions::tracking::token_for(&invocation.call.ctx, subject).await?;
    let body = json!({ "@odata.context": invocation.context(), "TrackingToken": token });
    Ok(respond::json(StatusCode::OK, &body))
}
