//! Relationships: every lookup is one for each table that it may point to.

use model::table::{Access, Kind, Ownership};
use model::{Column, Table};
use serde_json::{Value as Out, json};

use super::labels::{id, label, managed};
use super::node::Node;
use super::tables;
use crate::api::json_out::is_shown;

/// A lookup and one of its targets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    /// The table with the lookup.
    pub table: &'static Table,
    pub column: &'static Column,
    pub target: &'static Table,
    /// The collection on the target that lists these rows, where it has one.
    pub collection: Option<&'static str>,
}

/// Every lookup that the API shows.
pub(super) fn links() -> Vec<Link> {
    let mut out = Vec::new();
    for table in tables() {
        for column in table.all_columns().filter(|c| is_shown(c)) {
            let Kind::Lookup(targets) = column.kind else { continue };
            for target in targets.iter().filter_map(|t| model::tables::by_logical_name(t)).filter(|t| t.on_wire) {
                let child = target.children.iter().find(|c| c.table == table.logical && c.column == column.name);
                out.push(Link { table, column, target, collection: child.map(|c| c.nav) });
            }
        }
    }
    out
}

impl Link {
    /// The relationship's own name.
    pub fn schema_name(&self) -> String {
        match self.collection {
            Some(nav) => nav.to_owned(),
            None => format!("{}_{}_{}", self.target.logical, self.table.logical, self.column.name),
        }
    }

    /// The single-valued navigation property.
    pub fn single(&self) -> String {
        self.table.nav(self.column, self.target.logical)
    }
}

pub(super) fn all() -> Vec<Node> {
    links().iter().map(node).collect()
}

fn node(link: &Link) -> Node {
    let name = link.schema_name();
    let parental = link.table.ownership == Ownership::Parent && link.column.access != Access::Read;
    let properties: Out = json!({
        "SchemaName": name, "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": link.target.logical, "ReferencedAttribute": link.target.id,
        "ReferencingEntity": link.table.logical, "ReferencingAttribute": link.column.name,
        "ReferencedEntityNavigationPropertyName": link.collection,
        "ReferencingEntityNavigationPropertyName": link.single(),
        "IsCustomRelationship": link.table.schema.starts_with("pr_"), "IsValidForAdvancedFind": true,
        "IsManaged": true, "IsHierarchical": false, "IsRelationshipAttributeDenormalized": false,
        "IsDenormalizedLookup": false, "SecurityTypes": if parental { "ParentChild" } else { "None" },
        "IsCustomizable": managed("IsCustomizable", false), "IntroducedVersion": "1.0", "HasChanged": null,
        "EntityKey": null, "RelationshipBehavior": 0, "DenormalizedAttributeName": null,
        "RelationshipAttributes": [],
        "AssociatedMenuConfiguration": {
            "Behavior": "UseCollectionName", "Group": "Details", "Label": label(""), "Order": null,
            "IsCustomizable": true, "Icon": null, "ViewId": null, "AvailableOffline": true, "MenuId": null,
            "QueryApi": null,
        },
        "CascadeConfiguration": cascade(if parental { "Cascade" } else { "RemoveLink" }),
        "MetadataId": id(&["relationship", &name]).to_string(),
    });
    Node::new("OneToManyRelationshipMetadata", properties)
}

fn cascade(delete: &str) -> Out {
    json!({
        "Assign": "NoCascade", "Delete": delete, "Archive": "NoCascade", "Merge": "NoCascade",
        "Reparent": "NoCascade", "Share": "NoCascade", "Unshare": "NoCascade", "RollupView": "NoCascade",
    })
}
