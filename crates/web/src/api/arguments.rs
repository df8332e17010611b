//! The arguments of an action or a function: from the payload, from the
//! parentheses in the URL, or from its options; read against the declaration.

use std::collections::BTreeMap;

use model::{Id, Timestamp};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::json::Json;
use crate::api::key::guid;
use crate::api::operations::{Kind, Operation, Type};

/// By the parameters' names; what was not given is not there.
#[derive(Debug, Default)]
pub(crate) struct Arguments(BTreeMap<&'static str, Json>);

impl Arguments {
    /// `inline` is what stands in the parentheses after a function's name.
    pub fn read(call: &Call, operation: &'static Operation, inline: Option<&str>) -> Result<Self, ApiError> {
        let given = match operation.kind {
            Kind::Action => call.payload()?.into_iter().filter(|(name, _)| !name.contains('@')).collect(),
            Kind::Function => of_function(call, operation, inline)?,
        };
        Self::checked(operation, given)
    }

    fn checked(operation: &'static Operation, given: Vec<(String, Json)>) -> Result<Self, ApiError> {
        let mut out = BTreeMap::new();
        for (name, value) in given {
            let Some(parameter) = operation.parameters.iter().find(|p| p.name == name) else {
                let name = actions::validate::excerpt(&name);
                let message = format!("The parameter '{name}' is not a parameter of {}.", operation.name);
                return Err(ApiError::bad_payload(message));
            };
            if value == Json::Null && !parameter.required {
                continue;
            }
            if !fits(parameter.of, &value) {
                let message =
                    format!("The parameter '{name}' of {} must be {}.", operation.name, in_words(parameter.of));
                return Err(ApiError::bad_payload(message));
            }
            out.insert(parameter.name, value);
        }
        let missing = operation.parameters.iter().find(|p| p.required && !out.contains_key(p.name));
        match missing {
            Some(p) => {
                let message = format!("{} needs the parameter '{}': {}.", operation.name, p.name, in_words(p.of));
                Err(ApiError::bad_payload(message))
            }
            None => Ok(Self(out)),
        }
    }

    pub fn take(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name)
    }

    pub fn bool(&self, name: &str) -> Option<bool> {
        if let Some(Json::Bool(value)) = self.0.get(name) { Some(*value) } else { None }
    }

    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        if let Some(Json::Int(value)) = self.0.get(name) { Some(*value) } else { None }
    }

    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.text(name).and_then(crate::api::json_in::time)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Json::Text(value)) = self.0.get(name) { Some(value) } else { None }
    }
}

/// Rows and complex values are read by the operation itself.
fn fits(of: Type, value: &Json) -> bool {
    match (of, value) {
        (Type::Bool, Json::Bool(_))
        | (Type::Int, Json::Int(_))
        | (Type::Text, Json::Text(_))
        | (Type::Row(_) | Type::Complex(_), Json::Object(_)) => true,
        (Type::Guid, Json::Text(text)) => guid(text).is_some_and(|id: Id| !id.is_nil() || !text.is_empty()),
        (Type::Time, Json::Text(text)) => text.parse::<Timestamp>().is_ok(),
        (Type::Many(of), Json::Array(items)) => items.iter().all(|item| fits(*of, item)),
        _ => false,
    }
}

fn in_words(of: Type) -> String {
    match of {
        Type::Bool => "true or false".to_owned(),
        Type::Int => "a whole number".to_owned(),
        Type::Text => "a text".to_owned(),
        Type::Guid => "a GUID".to_owned(),
        Type::Time => "a moment such as 2024-05-01T09:00:00Z".to_owned(),
        Type::Row("crmbaseentity") => "a row with its @odata.type".to_owned(),
        Type::Row(table) => format!("an object of the type {table}"),
        Type::Complex(complex) => format!("an object of the type {}", complex.name),
        Type::Many(of) => format!("a list, each {}", in_words(*of)),
    }
}

/// `Fn(A='x',B=@b)?@b=…`, or `Fn?A='x'`
fn of_function(
    call: &Call,
    operation: &'static Operation,
    inline: Option<&str>,
) -> Result<Vec<(String, Json)>, ApiError> {
    let Some(inline) = inline.filter(|i| !i.trim().is_empty()) else {
        let named = |name: &str| operation.parameters.iter().any(|p| p.name == name);
        let options = call.query.iter().filter(|(name, _)| named(name));
        return options.map(|(name, value)| Ok((name.clone(), literal(value)?))).collect();
    };
    let mut out = Vec::new();
    for part in split(inline) {
        let bad = || ApiError::bad_request(format!("The parameters of {} cannot be read.", operation.name));
        let (name, value) = part.split_once('=').ok_or_else(bad)?;
        let value = value.trim();
        let value = if value.starts_with('@') {
            // An alias that is not given is null (OData 4.0 part 2, 5.1.1.8).
            call.query.iter().find(|(alias, _)| alias == value).map_or("null", |(_, v)| v.as_str())
        } else {
            value
        };
        out.push((name.trim().to_owned(), literal(value)?));
    }
    Ok(out)
}

/// A literal of a URL.
fn literal(text: &str) -> Result<Json, ApiError> {
    let text = text.trim();
    let bad = || ApiError::bad_request(format!("'{}' is not a literal.", actions::validate::excerpt(text)));
    if text.starts_with(['{', '[']) && guid(text).is_none() {
        let list = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        return match list.filter(|list| list.trim_start().starts_with('\'')) {
            // `['account','contact']`, as the reference product's documents write it.
            Some(list) => split(list).into_iter().map(literal).collect::<Result<_, _>>().map(Json::Array),
            None => Json::read(text.as_bytes()),
        };
    }
    // `Microsoft.Dynamics.CRM.EndpointAccessType'Default'`
    let quoted = text.find('\'').map(|at| (&text[..at], &text[at..]));
    if let Some((before, rest)) = quoted {
        if !before.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') {
            return Err(bad());
        }
        let inner = rest.strip_prefix('\'').and_then(|r| r.strip_suffix('\'')).ok_or_else(bad)?;
        return Ok(Json::Text(inner.replace("''", "'")));
    }
    Ok(match text {
        "null" => Json::Null,
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ => text.parse().map_or_else(|_| Json::Text(text.to_owned()), Json::Int),
    })
}

/// Splits at commas outside quotes, braces and brackets.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote, mut depth) = (0, None, 0_usize);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '{' | '[' | '(') => depth += 1,
            (None, '}' | ']' | ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Json) {
        assert_eq!(literal(text).unwrap(), expected, "{text}");
    }

    #[test]
    fn literals() {
        check("'it''s'", Json::Text("it's".into()));
        check("true", Json::Bool(true));
        check("null", Json::Null);
        check("-5", Json::Int(-5));
        check("Microsoft.Dynamics.CRM.EndpointAccessType'Default'", Json::Text("Default".into()));
        check(r#"{"a":1}"#, Json::Object(vec![("a".into(), Json::Int(1))]));
        check("['a','b,c']", Json::Array(vec![Json::Text("a".into()), Json::Text("b,c".into())]));
        check("00000000-0000-0000-0000-00000000000a", Json::Text("00000000-0000-0000-0000-00000000000a".into()));
    }
    #[test]
    fn no_literals() {
        assert!(literal("'open").is_err());
        assert!(literal("{open").is_err());
        assert!(literal("a b'x'").is_err());
    }
    #[test]
    fn splits_outside_of_quotes_and_braces() {
        assert_eq!(split("A='x,y',B=@b"), ["A='x,y'", "B=@b"]);
        assert_eq!(split(r#"A={"x":[1,2],"y":"},"},B=1"#), [r#"A={"x":[1,2],"y":"},"}"#, "B=1"]);
    }

    #[track_caller]
    fn given(name: &str, arguments: &[(&str, Json)], expected: Result<(), &str>) {
        let operation = crate::api::operations::all().find(|o| o.name == name).unwrap();
        let arguments = arguments.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        match (Arguments::checked(operation, arguments), expected) {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(words)) => assert!(error.faults[0].message.to_string().contains(words), "{error:?}"),
            (other, _) => panic!("{other:?}"),
        }
    }
    #[test]
    fn checked_against_the_declaration() {
        given("SendEmail", &[("IssueSend", Json::Bool(true))], Ok(()));
        given("SendEmail", &[("IssueSend", Json::Bool(true)), ("TrackingToken", Json::Null)], Ok(()));
        given("SendEmail", &[], Err("needs the parameter 'IssueSend'"));
        given("SendEmail", &[("IssueSend", Json::Int(1))], Err("must be true or false"));
        given("SendEmail", &[("Sender", Json::Int(1))], Err("'Sender' is not a parameter"));
    }
}
