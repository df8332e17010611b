//! What is done with each of several rows.

use std::collections::BTreeMap;

use model::table::Kind;
use model::tables::{Email, QueueItem};
use model::{Entity, Id, Ref, Table, Timestamp, Value};
use serde_json::{Map, Value as Json, json};

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::{ActionError, invalid_operation};
use crate::{alert, mailbox, queue, token};

/// It can be written down and read again by whoever carries it out. Secrets
/// cannot be part of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// These columns become so.
    Set(BTreeMap<&'static str, Value>),
    Delete,
    /// Mailboxes.
    Approve,
    Reject,
    Test,
    ApplyDefaults {
        test: bool,
    },
    /// Emails go into this queue.
    Enqueue(Id),
    /// Alerts.
    Dismiss,
    /// Tokens.
    Revoke,
}

impl Deed {
    /// One column becomes so.
    pub fn set(column: &'static str, value: Value) -> Self {
        Self::Set(BTreeMap::from([(column, value)]))
    }

    /// Does it with a row of the table, with the rights of the caller.
    ///
    /// # Errors
    /// As the action that it stands for.
    pub async fn on(&self, ctx: &Context, table: &'static Table, id: Id) -> Result<(), ActionError> {
        match self {
            Self::Set(values) => {
                let draft = Draft { values: values.clone(), ..Draft::new(table) };
                crate::update(ctx, id, draft, Precondition::Exists).await.map(drop)
            }
            Self::Delete => crate::delete(ctx, table, id, Precondition::Exists).await,
            Self::Approve => mailbox::approve(ctx, id).await.map(drop),
            Self::Reject => mailbox::reject(ctx, id).await.map(drop),
            Self::Test => mailbox::test(ctx, id).await.map(drop),
            Self::ApplyDefaults { test } => mailbox::apply_defaults(ctx, id, *test).await.map(drop),
            Self::Enqueue(queue) => {
                let email = Ref::new(Email::TABLE.logical, id);
                queue::add(ctx, *queue, email, None, Draft::new(QueueItem::TABLE)).await.map(drop)
            }
            Self::Dismiss => alert::dismiss(ctx, id).await,
            Self::Revoke => token::revoke(ctx, id).await,
        }
    }

    /// `{"set":{"statecode":1}}`
    pub(super) fn written(&self) -> Result<String, ActionError> {
        let json = match self {
            Self::Set(values) => {
                let mut set = Map::new();
                for (name, value) in values {
                    set.insert((*name).to_owned(), json_of(value)?);
                }
                json!({ "set": set })
            }
            Self::Delete => json!({ "delete": true }),
            Self::Approve => json!({ "approve": true }),
            Self::Reject => json!({ "reject": true }),
            Self::Test => json!({ "test": true }),
            Self::ApplyDefaults { test } => json!({ "defaults": { "test": test } }),
            Self::Enqueue(queue) => json!({ "enqueue": queue.to_string() }),
            Self::Dismiss => json!({ "dismiss": true }),
            Self::Revoke => json!({ "revoke": true }),
        };
        Ok(json.to_string())
    }

    /// `None`: no deed that this version knows.
    pub fn read(table: &'static Table, text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let (verb, what) = json.as_object()?.iter().next()?;
        Some(match verb.as_str() {
            "set" => {
                let value = |(name, json): (&String, &Json)| {
                    let column = table.column(name)?;
                    Some((column.name, value_of(column.kind, json)?))
                };
                Self::Set(what.as_object()?.iter().map(value).collect::<Option<_>>()?)
            }
            "delete" => Self::Delete,
            "approve" => Self::Approve,
            "reject" => Self::Reject,
            "test" => Self::Test,
            "defaults" => Self::ApplyDefaults { test: what.get("test")?.as_bool()? },
            "enqueue" => Self::Enqueue(what.as_str()?.parse().ok()?),
            "dismiss" => Self::Dismiss,
            "revoke" => Self::Revoke,
            _ => return None,
        })
    }
}

fn json_of(value: &Value) -> Result<Json, ActionError> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(yes) => json!(yes),
        Value::Int(n) => json!(n),
        Value::Text(text) => json!(text),
        Value::Id(id) => json!(id.to_string()),
        Value::Ref(target) => json!({ "table": target.table, "id": target.id.to_string() }),
        Value::Time(time) => json!(time.to_string()),
        Value::Bytes(_) | Value::Secret(_) => {
            return Err(invalid_operation(model::words!("A secret cannot be set on many rows at once.")).into());
        }
    })
}

fn value_of(kind: Kind, json: &Json) -> Option<Value> {
    if json.is_null() {
        return Some(Value::Null);
    }
    Some(match kind {
        Kind::Bool => Value::Bool(json.as_bool()?),
        Kind::Int { .. } | Kind::BigInt | Kind::Choice(_) => Value::Int(json.as_i64()?),
        Kind::Text { .. } | Kind::Email { .. } | Kind::Memo => Value::Text(json.as_str()?.to_owned()),
        Kind::Time => Value::Time(json.as_str()?.parse::<Timestamp>().ok()?),
        Kind::Lookup(targets) => {
            let table = targets.iter().find(|t| json.get("table").and_then(Json::as_str) == Some(**t))?;
            Value::Ref(Ref::new(table, json.get("id")?.as_str()?.parse().ok()?))
        }
        Kind::Id => Value::Id(json.as_str()?.parse().ok()?),
        Kind::Secret { .. } | Kind::Bytes => return None,
    })
}

#[cfg(test)]
mod tests {
    use model::Secret;
    use model::tables::Mailbox;

    use super::*;

    #[track_caller]
    fn check(deed: &Deed, expected: &str) {
        let text = deed.written().unwrap();
        assert_eq!(text, expected);
        assert_eq!(Deed::read(Mailbox::TABLE, &text).as_ref(), Some(deed));
    }

    #[test]
    fn what_is_written_is_read() {
        let id = Id::from_u128(7);
        check(&Deed::Delete, r#"{"delete":true}"#);
        check(&Deed::ApplyDefaults { test: true }, r#"{"defaults":{"test":true}}"#);
        check(&Deed::Enqueue(id), &format!(r#"{{"enqueue":"{id}"}}"#));
        for deed in [Deed::Approve, Deed::Reject, Deed::Test, Deed::Dismiss, Deed::Revoke] {
            assert_eq!(Deed::read(Mailbox::TABLE, &deed.written().unwrap()), Some(deed));
        }
    }

    #[test]
    fn values_of_every_kind() {
        let time: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        check(
            &Deed::Set(BTreeMap::from([
                ("emailserverprofile", Value::Null),
                ("name", Value::Text("a \"b\"".into())),
                ("ownerid", Value::Ref(Ref::new("team", Id::from_u128(1)))),
                ("processanddeleteemails", Value::Bool(true)),
                ("processemailreceivedafter", Value::Time(time)),
                ("statecode", Value::Int(1)),
            ])),
            concat!(
                r#"{"set":{"emailserverprofile":null,"name":"a \"b\"","ownerid":{"id":"00000000-0000-0000-0000-000000000001","table":"team"},"#,
                r#""processanddeleteemails":true,"processemailreceivedafter":"2026-03-01T09:00:00Z","statecode":1}}"#
            ),
        );
    }

    #[test]
    fn no_secret_is_written_down() {
        assert!(Deed::set("password", Value::Secret(Secret::new("x"))).written().is_err());
        assert_eq!(Deed::read(Mailbox::TABLE, r#"{"set":{"password":"x"}}"#), None);
    }

    #[test]
    fn what_is_no_deed() {
        for text in
            ["", "{}", "[]", r#"{"nonsense":true}"#, r#"{"set":{"nonsense":1}}"#, r#"{"set":{"statecode":"x"}}"#]
        {
            assert_eq!(Deed::read(Mailbox::TABLE, text), None, "{text}");
        }
    }
}
