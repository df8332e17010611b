//! A path through the definitions:
//! `EntityDefinitions(LogicalName='x')/Attributes/Microsoft.Dynamics.CRM.StateAttributeMetadata`.

use axum::http::StatusCode;
use axum::response::Response;
use formats::odata::untyped::{self, Untyped};
use model::Refusal;
use serde_json::{Value as Out, json};

use super::catalog::catalog;
use super::node::{Nav, Node, is_kind};
use super::query::{object, pick};
use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::key::guid;
use crate::api::operations::NAMESPACE;
use crate::api::respond;

/// Where the segments so far have led to.
enum Place {
    Many(Vec<&'static Node>),
    One(&'static Node),
    /// A navigation property that is empty.
    Nothing,
}

/// Answers a `GET` of the segments.
pub(super) fn answer(call: &Call, segments: &[String]) -> Result<Response, ApiError> {
    let options = options(call)?;
    let mut segments = segments.iter().map(String::as_str).peekable();
    let first = segments.next().unwrap_or("");
    let (name, key) = keyed(first)?;
    let root = catalog().root(name).ok_or_else(|| ApiError::no_segment(name))?;
    let mut place = Place::Many(root.iter().collect());
    let mut cast = None;
    let mut fragment = name.to_owned();
    if let Some(key) = key {
        place = find(place, key)?;
        fragment = format!("{name}('{key}')", key = id_of(&place));
    }
    while let Some(segment) = segments.next() {
        if let Some(kind) = segment.strip_prefix(NAMESPACE).and_then(|k| k.strip_prefix('.')) {
            let (kind, key) = keyed(kind)?;
            place = narrowed(place, kind)?;
            fragment = format!("{fragment}/{NAMESPACE}.{kind}");
            cast = Some(kind);
            if let Some(key) = key {
                place = find(place, key)?;
            }
            continue;
        }
        let last = segments.peek().is_none();
        let (name, key) = keyed(segment)?;
        match &place {
            Place::Many(nodes) if name == "$count" && last => {
                let (_, count) = pick(nodes, &options)?;
                return Ok(respond::text(StatusCode::OK, count.to_string()));
            }
            Place::One(node) if node.navs.contains_key(name) => {
                place = followed(node, name);
                cast = None;
                fragment = format!("{fragment}/{name}");
                if let Some(key) = key {
                    place = find(place, key)?;
                }
            }
            Place::One(node) if last && key.is_none() && node.properties.contains_key(name) => {
                let context = call.context(&format!("#{fragment}/{name}"));
                return Ok(property(&context, node.properties.get(name).unwrap_or(&Out::Null)));
            }
            _ => return Err(ApiError::no_segment(segment)),
        }
    }
    show(call, &place, &options, &fragment, cast)
}

fn options(call: &Call) -> Result<Untyped, ApiError> {
    let pairs: Vec<(&str, &str)> = call.query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    untyped::read(&pairs).map_err(|e| ApiError::bad_request(e.to_string()))
}

fn show(
    call: &Call,
    place: &Place,
    options: &Untyped,
    fragment: &str,
    cast: Option<&str>,
) -> Result<Response, ApiError> {
    let select = if options.select.is_empty() { String::new() } else { format!("({})", options.select.join(",")) };
    let exact = |node: &Node| cast == Some(node.kind);
    match place {
        Place::Nothing => Ok(respond::empty(StatusCode::NO_CONTENT)),
        Place::One(node) => {
            pick(&[*node], &Untyped { select: options.select.clone(), ..Untyped::default() })?;
            let mut body = object(node, options, exact(node))?;
            body.insert("@odata.context".to_owned(), json!(call.context(&format!("#{fragment}{select}/$entity"))));
            Ok(respond::json(StatusCode::OK, &Out::Object(body)))
        }
        Place::Many(nodes) => {
            let (found, count) = pick(nodes, options)?;
            let rows = found.iter().map(|n| object(n, options, exact(n)).map(Out::Object));
            let rows: Vec<Out> = rows.collect::<Result<_, _>>()?;
            let mut body = json!({ "@odata.context": call.context(&format!("#{fragment}{select}")) });
            if options.count {
                body["@odata.count"] = json!(count);
            }
            body["value"] = Out::Array(rows);
            Ok(respond::json(StatusCode::OK, &body))
        }
    }
}

fn property(context: &str, value: &Out) -> Response {
    match value {
        Out::Null => respond::empty(StatusCode::NO_CONTENT),
        Out::Object(of) => {
            let mut body = of.clone();
            body.insert("@odata.context".to_owned(), json!(context));
            respond::json(StatusCode::OK, &Out::Object(body))
        }
        value => respond::json(StatusCode::OK, &json!({ "@odata.context": context, "value": value })),
    }
}

fn followed(node: &'static Node, nav: &str) -> Place {
    match node.navs.get(nav) {
        Some(Nav::Many(many)) => Place::Many(many.iter().collect()),
        Some(Nav::One(Some(one))) => Place::One(one),
        Some(Nav::One(None)) | None => Place::Nothing,
    }
}

/// `Attributes(LogicalName='x')` → (`Attributes`, `LogicalName='x'`)
fn keyed(segment: &str) -> Result<(&str, Option<&str>), ApiError> {
    match segment.split_once('(') {
        None => Ok((segment, None)),
        Some((name, rest)) => {
            let key = rest.strip_suffix(')').ok_or_else(|| ApiError::no_segment(segment))?;
            Ok((name, Some(key)))
        }
    }
}

/// The member with this key: an id, or a name.
fn find(place: Place, key: &str) -> Result<Place, ApiError> {
    let Place::Many(nodes) = place else { return Err(ApiError::no_segment(key)) };
    let (property, wanted) = match guid(key) {
        Some(id) => ("MetadataId", id.to_string()),
        None => {
            let bad = || {
                let key = actions::validate::excerpt(key);
                ApiError::bad_request(format!("'{key}' is not a key. Use LogicalName='name', or a MetadataId."))
            };
            let (property, value) = key.split_once('=').ok_or_else(bad)?;
            let value = value.trim();
            let quoted = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\''));
            match (property.trim(), quoted, guid(value)) {
                ("MetadataId", _, Some(id)) => ("MetadataId", id.to_string()),
                (name @ ("LogicalName" | "SchemaName" | "Name"), Some(text), _) => (name, text.replace("''", "'")),
                _ => return Err(bad()),
            }
        }
    };
    let found = nodes.into_iter().find(|n| n.text(property) == Some(wanted.as_str()));
    found.map(Place::One).ok_or_else(|| {
        let wanted = actions::validate::excerpt(&wanted);
        let message = format!("Could not find a definition with {property} '{wanted}'.");
        ApiError::new(
            StatusCode::NOT_FOUND,
            Refusal::new(0x8006_0888, "EntityNotFound", model::Words::foreign(message)),
        )
    })
}

fn id_of(place: &Place) -> &str {
    if let Place::One(node) = place { node.text("MetadataId").unwrap_or_default() } else { "" }
}

fn narrowed(place: Place, kind: &str) -> Result<Place, ApiError> {
    if !is_kind(kind) {
        return Err(ApiError::no_segment(&format!("{NAMESPACE}.{kind}")));
    }
    match place {
        Place::Many(nodes) => Ok(Place::Many(nodes.into_iter().filter(|n| n.is_a(kind)).collect())),
        Place::One(node) if node.is_a(kind) => Ok(Place::One(node)),
        Place::One(_) | Place::Nothing => Err(ApiError::no_segment(&format!("{NAMESPACE}.{kind}"))),
    }
}
