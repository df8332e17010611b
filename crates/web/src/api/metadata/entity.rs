//! The definition of a table.

use model::Table;
use model::table::{Kind, Ownership};
use model::tables::{ACTIVITY, PARTY};
use serde_json::{Map, Value as Out, json};

use super::labels::{id, label, managed, plural, words};
use super::node::{Nav, Node};
use super::{attribute, key};

/// `relationships`: all that there are.
pub(super) fn node(table: &'static Table, relationships: &[Node]) -> Node {
    let of = |properties: &[&str]| -> Nav {
        let named = |r: &&Node| properties.iter().any(|p| r.text(p) == Some(table.logical));
        Nav::Many(relationships.iter().filter(named).cloned().collect())
    };
    Node::new("EntityMetadata", properties(table))
        .with("Attributes", Nav::Many(attribute::nodes(table)))
        .with("Keys", Nav::Many(key::nodes(table)))
        .with("OneToManyRelationships", of(&["ReferencedEntity"]))
        .with("ManyToOneRelationships", of(&["ReferencingEntity"]))
        .with("ManyToManyRelationships", of(&["Entity1LogicalName", "Entity2LogicalName"]))
}

fn properties(table: &'static Table) -> Out {
    let mut all = names(table);
    all.append(&mut traits(table));
    fixed(&mut all);
    Out::Object(all)
}

fn object(value: Out) -> Map<String, Out> {
    if let Out::Object(all) = value { all } else { Map::new() }
}

fn names(table: &'static Table) -> Map<String, Out> {
    let name = words(table.schema);
    object(json!({
        "LogicalName": table.logical, "SchemaName": table.schema, "EntitySetName": table.set,
        "LogicalCollectionName": table.set, "CollectionSchemaName": plural(table.schema),
        "DisplayName": label(&name), "DisplayCollectionName": label(&plural(&name)), "Description": label(""),
        "PrimaryIdAttribute": table.id, "PrimaryNameAttribute": table.name, "PrimaryImageAttribute": null,
        "ObjectTypeCode": table.code, "MetadataId": id(&[table.logical]).to_string(), "IntroducedVersion": "1.0",
        "TableType": "Standard", "ReportViewName": format!("Filtered{}", table.schema),
        "CreatedOn": null, "ModifiedOn": null, "HasChanged": null, "DaysSinceRecordLastModified": 0,
    }))
}

fn traits(table: &'static Table) -> Map<String, Out> {
    let has = |wanted: fn(&Kind) -> bool| table.columns.iter().any(|c| wanted(&c.kind));
    let activity = table.activity || table == ACTIVITY;
    object(json!({
        "OwnershipType": ownership(table), "OwnerIdType": 0, "Privileges": privileges(table), "Settings": [],
        "IsActivity": activity, "ActivityTypeMask": i32::from(activity), "IsActivityParty": PARTY.contains(&table.logical),
        "IsCustomEntity": table.schema.starts_with("pr_"), "IsManaged": true, "IsPrivate": false,
        "IsIntersect": false, "IsChildEntity": table.ownership == Ownership::Parent, "IsLogicalEntity": false,
        "IsStateModelAware": table.column("statecode").is_some(), "EnforceStateTransitions": false,
        "IsValidForAdvancedFind": true, "IsOptimisticConcurrencyEnabled": true, "ChangeTrackingEnabled": table.tracked,
        "HasActivities": table.children.iter().any(|c| c.table == ACTIVITY.logical), "HasNotes": false,
        "HasFeedback": false, "HasEmailAddresses": has(|kind| matches!(kind, Kind::Email { .. })),
    }))
}

/// What Postroom does not have: every client may ask whether it is on.
const NOT: &[&str] = &[
    "AutoCreateAccessTeams",
    "AutoRouteToOwnerQueue",
    "CanTriggerWorkflow",
    "EntityHelpUrlEnabled",
    "IsAIRUpdated",
    "IsArchivalEnabled",
    "IsAvailableOffline",
    "IsBPFEntity",
    "IsBusinessProcessEnabled",
    "IsDocumentManagementEnabled",
    "IsDocumentRecommendationsEnabled",
    "IsEnabledForCharts",
    "IsEnabledForExternalChannels",
    "IsEnabledForTrace",
    "IsImportable",
    "IsInteractionCentricEnabled",
    "IsKnowledgeManagementEnabled",
    "IsMSTeamsIntegrationEnabled",
    "IsOneNoteIntegrationEnabled",
    "IsQuickCreateEnabled",
    "IsReadingPaneEnabled",
    "IsRetentionEnabled",
    "IsSLAEnabled",
    "IsSolutionAware",
    "SyncToExternalSearchIndex",
    "UsesBusinessDataLabelTable",
];
/// What no table has.
const ABSENT: &[&str] = &[
    "DataProviderId",
    "DataSourceId",
    "EntityColor",
    "EntityHelpUrl",
    "ExternalCollectionName",
    "ExternalName",
    "IconLargeName",
    "IconMediumName",
    "IconSmallName",
    "IconVectorName",
    "MobileOfflineFilters",
    "RecurrenceBaseEntityLogicalName",
    "SettingOf",
];
/// What solutions cannot change: tables are declared by the program.
const CANNOT: &[&str] = &[
    "CanBeInCustomEntityAssociation",
    "CanBeInManyToMany",
    "CanBePrimaryEntityInRelationship",
    "CanBeRelatedEntityInRelationship",
    "CanChangeHierarchicalRelationship",
    "CanChangeTrackingBeEnabled",
    "CanCreateAttributes",
    "CanCreateCharts",
    "CanCreateForms",
    "CanCreateViews",
    "CanEnableSyncToExternalSearchIndex",
    "CanModifyAdditionalSettings",
    "IsConnectionsEnabled",
    "IsCustomizable",
    "IsDuplicateDetectionEnabled",
    "IsMailMergeEnabled",
    "IsMappable",
    "IsOfflineInMobileClient",
    "IsReadOnlyInMobileClient",
    "IsRenameable",
    "IsValidForQueue",
    "IsVisibleInMobile",
    "IsVisibleInMobileClient",
];

fn fixed(all: &mut Map<String, Out>) {
    all.extend(NOT.iter().map(|name| ((*name).to_owned(), json!(false))));
    all.extend(ABSENT.iter().map(|name| ((*name).to_owned(), Out::Null)));
    all.extend(CANNOT.iter().map(|name| ((*name).to_owned(), managed(name, false))));
    // Every write is audited.
    all.insert("IsAuditEnabled".to_owned(), managed("IsAuditEnabled", true));
}

fn ownership(table: &Table) -> &'static str {
    match table.ownership {
        Ownership::UserOrTeam => "UserOwned",
        Ownership::Organization => "OrganizationOwned",
        Ownership::Parent => "None",
    }
}

/// `prv<Right><Schema>`, as the rows of `privileges` have them; rows that follow
/// their parent have none of their own.
fn privileges(table: &Table) -> Out {
    let one = |privilege: &actions::TablePrivilege| {
        json!({
            "Name": privilege.name, "PrivilegeType": privilege.right, "PrivilegeId": privilege.id.to_string(),
            "CanBeBasic": privilege.basic, "CanBeLocal": privilege.local, "CanBeDeep": privilege.deep,
            "CanBeGlobal": privilege.global,
            "CanBeEntityReference": false, "CanBeParentEntityReference": false,
        })
    };
    Out::Array(actions::table_privileges(table).iter().map(one).collect())
}
