//! Definitions as they are asked for: filtered, cut, and with what they
//! navigate to.

use std::cmp::Ordering;

use formats::odata::untyped::Untyped;
use serde_json::{Map, Value as Out, json};

use super::condition::{self, holds};
use super::node::{Nav, Node};
use crate::api::errors::ApiError;
use crate::api::operations::NAMESPACE;

/// The nodes that the options let through, in their order, and how many there
/// were before `$top`.
pub(super) fn pick<'a>(nodes: &[&'a Node], options: &Untyped) -> Result<(Vec<&'a Node>, usize), ApiError> {
    if let Some(filter) = &options.filter {
        let mut paths = Vec::new();
        condition::paths(filter, &mut paths);
        for path in paths {
            require(nodes, path.first().map_or("", String::as_str))?;
        }
    }
    let mut found: Vec<&Node> =
        nodes.iter().copied().filter(|n| options.filter.as_ref().is_none_or(|f| holds(f, &n.properties))).collect();
    for (path, descending) in options.order.iter().rev() {
        require(nodes, path.first().map_or("", String::as_str))?;
        found.sort_by(|a, b| {
            let order = order(condition::value(path, &a.properties), condition::value(path, &b.properties));
            if *descending { order.reverse() } else { order }
        });
    }
    let count = found.len();
    found.truncate(options.top.unwrap_or(usize::MAX));
    for name in &options.select {
        require(nodes, name)?;
    }
    Ok((found, count))
}

/// Text by its letters, numbers by size; what is absent comes first.
fn order(a: &Out, b: &Out) -> Ordering {
    match (a, b) {
        (Out::String(a), Out::String(b)) => a.cmp(b),
        (Out::Number(a), Out::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Out::Bool(a), Out::Bool(b)) => a.cmp(b),
        _ => b.is_null().cmp(&a.is_null()),
    }
}

/// Some of the nodes must have the property; where there are no nodes, there
/// is nothing to say.
fn require(nodes: &[&Node], property: &str) -> Result<(), ApiError> {
    let Some(first) = nodes.first() else { return Ok(()) };
    if nodes.iter().any(|n| n.properties.contains_key(property)) {
        return Ok(());
    }
    let property = actions::validate::excerpt(property);
    let message = format!("Could not find a property named '{property}' on type '{NAMESPACE}.{}'.", first.kind);
    Err(ApiError::bad_request(message))
}

/// The node with the selected properties and the expanded navigation.
/// `cast`: the kind was named in the URL, so that it need not be said again.
pub(super) fn object(node: &Node, options: &Untyped, cast: bool) -> Result<Map<String, Out>, ApiError> {
    let mut out = Map::new();
    if !cast && !node.is_plain() {
        out.insert("@odata.type".to_owned(), json!(format!("#{NAMESPACE}.{}", node.kind)));
    }
    for (name, value) in &node.properties {
        if options.select.is_empty() || name == "MetadataId" || options.select.contains(name) {
            out.insert(name.clone(), value.clone());
        }
    }
    for (nav, inner) in &options.expand {
        match node.navs.get(nav.as_str()) {
            Some(Nav::Many(many)) => {
                let all: Vec<&Node> = many.iter().collect();
                let (found, count) = pick(&all, inner)?;
                if inner.count {
                    out.insert(format!("{nav}@odata.count"), json!(count));
                }
                let rows = found.iter().map(|n| object(n, inner, false).map(Out::Object));
                out.insert(nav.clone(), Out::Array(rows.collect::<Result<_, _>>()?));
            }
            Some(Nav::One(one)) => {
                let value = one.as_ref().map(|n| {
                    pick(&[&**n], &Untyped { select: inner.select.clone(), ..Untyped::default() })?;
                    // The navigation property has the set's own type.
                    object(n, inner, true).map(Out::Object)
                });
                out.insert(nav.clone(), value.transpose()?.unwrap_or(Out::Null));
            }
            // Of a list's kinds only some may have it.
            None if matches!(nav.as_str(), "OptionSet" | "GlobalOptionSet") && !cast => {}
            None => {
                let nav = actions::validate::excerpt(nav);
                let message = format!("Could not find a property named '{nav}' on type '{NAMESPACE}.{}'.", node.kind);
                return Err(ApiError::bad_request(message));
            }
        }
    }
    Ok(out)
}
