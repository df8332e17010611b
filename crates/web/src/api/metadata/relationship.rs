//! Relationships: every lookup is one for each table that it may point to, and
//! every table of pairs is one between two tables.

use std::collections::BTreeSet;

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
    links().iter().map(node).chain(many_to_many()).collect()
}

/// Both sides declare their navigation property; the first one makes the
/// relationship.
fn many_to_many() -> Vec<Node> {
    let mut seen = BTreeSet::new();
    let sides = tables().flat_map(|table| table.links.iter().map(move |link| (table, link)));
    sides.filter(|(_, link)| seen.insert(link.nav)).map(|(table, link)| pairs(table, link)).collect()
}

fn pairs(table: &Table, link: &model::table::Link) -> Node {
    // The other side need not show it.
    let back = model::tables::by_logical_name(link.table).and_then(|t| t.link(link.nav)).map(|l| l.nav);
    let menu = menu();
    let properties: Out = json!({
        "SchemaName": link.nav, "RelationshipType": "ManyToManyRelationship", "IntersectEntityName": link.through,
        "Entity1LogicalName": table.logical, "Entity1IntersectAttribute": link.here,
        "Entity1NavigationPropertyName": link.nav, "Entity1AssociatedMenuConfiguration": menu,
        "Entity2LogicalName": link.table, "Entity2IntersectAttribute": link.there,
        "Entity2NavigationPropertyName": back, "Entity2AssociatedMenuConfiguration": menu,
        "IsCustomRelationship": false, "IsValidForAdvancedFind": true, "IsManaged": true, "SecurityTypes": "None",
        "IsCustomizable": managed("IsCustomizable", false), "IntroducedVersion": "1.0", "HasChanged": null,
        "MetadataId": id(&["relationship", link.nav]).to_string(),
    });
    Node::new("ManyToManyRelationshipMetadata", properties)
}

fn menu() -> Out {
    json!({
        "Behavior": "UseCollectionName", "Group": "Details", "Label": label(""), "Order": null,
        "IsCustomizable": true, "Icon": null, "ViewId": null, "AvailableOffline": true, "MenuId": null,
        "QueryApi": null,
    })
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
        "AssociatedMenuConfiguration": menu(),
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
