//! The actions and functions of the API, each declared once: `$metadata`
//! describes them and requests are dispatched by this one table. A new
//! operation is one more entry and the function that runs it.

use std::future::Future;
use std::pin::Pin;

use axum::response::Response;
use model::Table;

use crate::api::arguments::Arguments;
use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::key::Key;
use crate::api::{
    bulk, bulk_delete, calls, mail_calls, metadata, organization_calls, queue_calls, security, token_calls,
};

/// The namespace of everything in the API.
pub(crate) const NAMESPACE: &str = "Microsoft.Dynamics.CRM";

pub(crate) struct Operation {
    pub name: &'static str,
    pub kind: Kind,
    pub binding: Binding,
    pub parameters: &'static [Parameter],
    /// `None`: 204.
    pub result: Option<Type>,
    pub run: Run,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `GET`, without effects.
    Function,
    /// `POST`
    Action,
}

/// What an operation is called on. Tables are given by their logical name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    Unbound,
    /// `emails(id)/Microsoft.Dynamics.CRM.Name`
    Row(&'static str),
    /// `emails/Microsoft.Dynamics.CRM.Name`
    Set(&'static str),
    /// The same on every set.
    EverySet,
}

impl Operation {
    /// A payload may hold the bytes of attachments.
    pub fn carries_files(&self) -> bool {
        self.parameters.iter().any(|p| matches!(p.of, Type::Many(Type::Row("activitymimeattachment"))))
    }
}

/// A parameter of an operation, or a property of a complex type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub name: &'static str,
    pub of: Type,
    pub required: bool,
}

pub(crate) const fn required(name: &'static str, of: Type) -> Parameter {
    Parameter { name, of, required: true }
}
pub(crate) const fn optional(name: &'static str, of: Type) -> Parameter {
    Parameter { name, of, required: false }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Type {
    Bool,
    Int,
    Text,
    Guid,
    Time,
    /// A row: of this table, or `crmbaseentity` for any.
    Row(&'static str),
    Complex(&'static Complex),
    Many(&'static Type),
}

/// A structured value that is no row.
#[derive(Debug)]
pub(crate) struct Complex {
    pub name: &'static str,
    pub properties: &'static [Parameter],
    /// Whether there may be properties that are not declared.
    pub open: bool,
}

/// One call of an operation.
pub(crate) struct Invocation<'a> {
    pub call: &'a Call,
    pub operation: &'static Operation,
    pub target: Target,
    pub arguments: Arguments,
}

#[derive(Debug)]
pub(crate) enum Target {
    Nothing,
    Set(&'static Table),
    Row(&'static Table, Key),
}

pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send + 'a>>;
pub(crate) type Run = for<'a> fn(Invocation<'a>) -> Answer<'a>;

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("name", &self.name).field("binding", &self.binding).finish_non_exhaustive()
    }
}

/// Results with properties.
const WHO_AM_I: Complex = Complex {
    name: "WhoAmIResponse",
    open: false,
    properties: &[
        required("BusinessUnitId", Type::Guid),
        required("UserId", Type::Guid),
        required("OrganizationId", Type::Guid),
    ],
};
const RETRIEVE_VERSION: Complex =
    Complex { name: "RetrieveVersionResponse", open: false, properties: &[optional("Version", Type::Text)] };
const SEND_EMAIL: Complex =
    Complex { name: "SendEmailResponse", open: false, properties: &[optional("Subject", Type::Text)] };

static BASIC: &[Operation] = &[
    Operation {
        name: "WhoAmI",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: &[],
        result: Some(Type::Complex(&WHO_AM_I)),
        run: |invocation| Box::pin(calls::who_am_i(invocation)),
    },
    Operation {
        name: "RetrieveVersion",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: &[],
        result: Some(Type::Complex(&RETRIEVE_VERSION)),
        run: |invocation| Box::pin(calls::retrieve_version(invocation)),
    },
    Operation {
        name: "SendEmail",
        kind: Kind::Action,
        binding: Binding::Row("email"),
        parameters: &[required("IssueSend", Type::Bool), optional("TrackingToken", Type::Text)],
        result: Some(Type::Complex(&SEND_EMAIL)),
        run: |invocation| Box::pin(calls::send_email(invocation)),
    },
    Operation {
        name: "RetrieveMetadataChanges",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: metadata::changes::PARAMETERS,
        result: Some(Type::Complex(&metadata::changes::RESPONSE)),
        run: |invocation| Box::pin(metadata::changes::retrieve(invocation)),
    },
    Operation {
        name: "CreateMultiple",
        kind: Kind::Action,
        binding: Binding::EverySet,
        parameters: bulk::TARGETS,
        result: Some(Type::Complex(&bulk::CREATED)),
        run: |invocation| Box::pin(bulk::run(invocation, bulk::Verb::Create)),
    },
    Operation {
        name: "UpdateMultiple",
        kind: Kind::Action,
        binding: Binding::EverySet,
        parameters: bulk::TARGETS,
        result: None,
        run: |invocation| Box::pin(bulk::run(invocation, bulk::Verb::Update)),
    },
    Operation {
        name: "UpsertMultiple",
        kind: Kind::Action,
        binding: Binding::EverySet,
        parameters: bulk::TARGETS,
        result: Some(Type::Complex(&bulk::UPSERTED)),
        run: |invocation| Box::pin(bulk::run(invocation, bulk::Verb::Upsert)),
    },
    Operation {
        name: "pr_CreateApiToken",
        kind: Kind::Action,
        binding: Binding::Unbound,
        parameters: token_calls::PARAMETERS,
        result: Some(Type::Complex(&token_calls::RESPONSE)),
        run: |invocation| Box::pin(token_calls::create(invocation)),
    },
    Operation {
        name: "BulkDelete",
        kind: Kind::Action,
        binding: Binding::Unbound,
        parameters: bulk_delete::PARAMETERS,
        result: Some(Type::Complex(&bulk_delete::RESPONSE)),
        run: |invocation| Box::pin(bulk_delete::run(invocation)),
    },
];

/// Each part of the API declares its own.
static PARTS: &[&[Operation]] = &[BASIC, mail_calls::ALL, queue_calls::ALL, organization_calls::ALL, security::ALL];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    PARTS.iter().copied().flatten()
}

/// The operation that is bound to nothing and has this name.
pub(crate) fn unbound(name: &str) -> Option<&'static Operation> {
    all().find(|o| o.binding == Binding::Unbound && o.name == name)
}

/// The operation of a table's rows with this name.
pub(crate) fn of_row(table: &Table, name: &str) -> Option<&'static Operation> {
    all().find(|o| o.name == name && o.binding == Binding::Row(table.logical))
}

/// The operation of a table's set with this name.
pub(crate) fn of_set(table: &Table, name: &str) -> Option<&'static Operation> {
    let fits = |binding| matches!(binding, Binding::Set(of) if of == table.logical) || binding == Binding::EverySet;
    all().find(|o| o.name == name && fits(o.binding))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_and_binding_stands_once() {
        let mut seen = BTreeSet::new();
        for operation in all() {
            assert!(seen.insert((operation.name, format!("{:?}", operation.binding))), "{operation:?} stands twice");
            if let Binding::Row(table) | Binding::Set(table) = operation.binding {
                assert!(model::tables::by_logical_name(table).is_some_and(|t| t.on_wire), "{operation:?}");
            }
        }
    }

    #[test]
    fn found_by_binding() {
        let email = model::tables::by_logical_name("email").unwrap();
        let account = model::tables::by_logical_name("account").unwrap();
        assert!(of_row(email, "SendEmail").is_some());
        assert!(of_row(account, "SendEmail").is_none());
        assert!(of_set(email, "SendEmail").is_none());
        assert!(unbound("SendEmail").is_none());
        assert!(unbound("WhoAmI").is_some());
    }
}
