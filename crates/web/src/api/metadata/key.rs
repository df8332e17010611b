//! Alternate keys.

use model::Table;
use model::table::AlternateKey;
use serde_json::{Value as Out, json};

use super::labels::{id, label, managed};
use super::node::Node;

pub(super) fn nodes(table: &Table) -> Vec<Node> {
    table.keys.iter().map(|key| node(table, key)).collect()
}

fn node(table: &Table, key: &AlternateKey) -> Node {
    let properties: Out = json!({
        "LogicalName": key.name, "SchemaName": key.name, "DisplayName": label(key.label),
        "EntityLogicalName": table.logical, "KeyAttributes": key.columns, "IsCustomizable": managed("IsCustomizable", false),
        "IsManaged": true, "IntroducedVersion": "1.0", "EntityKeyIndexStatus": "Active", "IsSynchronous": true,
        "IsExportKey": false, "IsSecondaryKey": false, "AsyncJob": null, "HasChanged": null,
        "MetadataId": id(&["key", table.logical, key.name]).to_string(),
    });
    Node::new("EntityKeyMetadata", properties)
}
