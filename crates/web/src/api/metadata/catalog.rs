//! All definitions, made when somebody first asks.

use std::sync::OnceLock;

use super::node::{Nav, Node};
use super::{entity, option_set, relationship, tables};

#[derive(Debug)]
pub(crate) struct Catalog {
    pub entities: Vec<Node>,
    pub relationships: Vec<Node>,
    pub option_sets: Vec<Node>,
}

pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let relationships = relationship::all();
        Catalog {
            entities: tables().map(|table| entity::node(table, &relationships)).collect(),
            option_sets: option_set::global().into_iter().map(option_set::global_node).collect(),
            relationships,
        }
    })
}

impl Catalog {
    /// The members of a collection of definitions.
    pub fn root(&self, name: &str) -> Option<&[Node]> {
        match name {
            "EntityDefinitions" => Some(&self.entities),
            "RelationshipDefinitions" => Some(&self.relationships),
            "GlobalOptionSetDefinitions" => Some(&self.option_sets),
            _ => None,
        }
    }
}

impl Nav {
    pub fn nodes(&self) -> Vec<&Node> {
        match self {
            Self::One(one) => one.as_deref().into_iter().collect(),
            Self::Many(many) => many.iter().collect(),
        }
    }
}
