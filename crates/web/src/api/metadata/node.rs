//! A piece of metadata: its own properties, and what it navigates to.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Out};

#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// `PicklistAttributeMetadata`
    pub kind: &'static str,
    pub properties: Map<String, Out>,
    /// Shown only where they are expanded or walked to.
    pub navs: BTreeMap<&'static str, Nav>,
}

#[derive(Debug, Clone)]
pub(crate) enum Nav {
    One(Option<Box<Node>>),
    Many(Vec<Node>),
}

/// What the kinds have in common with each other.
const BASES: &[(&str, &[&str])] = &[
    ("EnumAttributeMetadata", &["PicklistAttributeMetadata", "StateAttributeMetadata", "StatusAttributeMetadata"]),
    ("OptionSetMetadataBase", &["OptionSetMetadata", "BooleanOptionSetMetadata"]),
    ("RelationshipMetadataBase", &["OneToManyRelationshipMetadata", "ManyToManyRelationshipMetadata"]),
];

impl Node {
    /// `properties` is a JSON object.
    pub fn new(kind: &'static str, properties: Out) -> Self {
        let properties = if let Out::Object(properties) = properties { properties } else { Map::new() };
        Self { kind, properties, navs: BTreeMap::new() }
    }

    #[must_use]
    pub fn with(mut self, nav: &'static str, what: Nav) -> Self {
        self.navs.insert(nav, what);
        self
    }

    pub fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property).and_then(Out::as_str)
    }

    /// Whether the node is of this kind or of one derived from it.
    pub fn is_a(&self, kind: &str) -> bool {
        self.kind == kind
            || (kind == "AttributeMetadata" && self.kind.ends_with("AttributeMetadata"))
            || kind == "MetadataBase"
            || BASES.iter().any(|(base, derived)| *base == kind && derived.contains(&self.kind))
    }

    /// A kind that stands for itself, not as one of several in a list.
    pub fn is_plain(&self) -> bool {
        matches!(self.kind, "EntityMetadata" | "EntityKeyMetadata")
    }
}

/// Whether any kind has this name.
pub(crate) fn is_kind(name: &str) -> bool {
    const KINDS: &[&str] = &[
        "AttributeMetadata",
        "BigIntAttributeMetadata",
        "BooleanAttributeMetadata",
        "BooleanOptionSetMetadata",
        "DateTimeAttributeMetadata",
        "DecimalAttributeMetadata",
        "DoubleAttributeMetadata",
        "EntityKeyMetadata",
        "EntityMetadata",
        "EntityNameAttributeMetadata",
        "EnumAttributeMetadata",
        "FileAttributeMetadata",
        "ImageAttributeMetadata",
        "IntegerAttributeMetadata",
        "LookupAttributeMetadata",
        "ManagedPropertyAttributeMetadata",
        "ManyToManyRelationshipMetadata",
        "MemoAttributeMetadata",
        "MoneyAttributeMetadata",
        "MultiSelectPicklistAttributeMetadata",
        "OneToManyRelationshipMetadata",
        "OptionSetMetadata",
        "OptionSetMetadataBase",
        "PicklistAttributeMetadata",
        "RelationshipMetadataBase",
        "StateAttributeMetadata",
        "StatusAttributeMetadata",
        "StringAttributeMetadata",
        "UniqueIdentifierAttributeMetadata",
        "UniqueidentifierAttributeMetadata",
    ];
    KINDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_their_bases() {
        let node = Node::new("StateAttributeMetadata", Out::Null);
        assert!(node.is_a("StateAttributeMetadata"));
        assert!(node.is_a("EnumAttributeMetadata"));
        assert!(node.is_a("AttributeMetadata"));
        assert!(!node.is_a("PicklistAttributeMetadata"));
        assert!(!node.is_a("RelationshipMetadataBase"));
    }
}
