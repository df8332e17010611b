//! The definitions of columns.

use model::table::{Access, Default, Kind};
use model::{Column, Table};
use serde_json::{Value as Out, json};

use super::labels::{id, label, managed};
use super::node::{Nav, Node};
use super::option_set;
use crate::api::options;

/// More characters than this no text has (the payload's limit apart).
const LONGEST_MEMO: usize = 1_048_576;

/// The primary key, the columns, and what follows from a lookup.
pub(super) fn nodes(table: &'static Table) -> Vec<Node> {
    let mut out = vec![primary_key(table)];
    out.extend(table.all_columns().filter(|c| is_described(c)).enumerate().map(|(n, c)| node(table, c, n + 2)));
    let derived: Vec<Node> = options::derived(table).map(|d| derived(table, d, out.len() + 2)).collect();
    out.extend(derived);
    out.sort_by(|a, b| a.text("LogicalName").cmp(&b.text("LogicalName")));
    out
}

/// Whether a column is part of the API, be it only to be written.
pub(super) fn is_described(column: &Column) -> bool {
    column.access != Access::Internal && !matches!(column.kind, Kind::Bytes)
}

/// What differs from column to column, whatever its type.
struct Common<'a> {
    name: &'a str,
    label: &'a str,
    attribute_type: &'a str,
    number: usize,
    access: Access,
    required: bool,
}

fn common(table: &Table, of: &Common<'_>) -> Out {
    let Common { name, label: text, attribute_type, number, access, required } = *of;
    let level = match (name == table.id, required) {
        (true, _) => "SystemRequired",
        (false, true) => "ApplicationRequired",
        (false, false) => "None",
    };
    let (create, update) = match access {
        Access::ReadWrite | Access::Write => (true, true),
        Access::Create => (true, false),
        Access::Read | Access::Internal => (false, false),
    };
    let read = access != Access::Write;
    let mut out = json!({
        "LogicalName": name, "SchemaName": name, "AttributeType": attribute_type,
        "AttributeTypeName": { "Value": format!("{attribute_type}Type") }, "EntityLogicalName": table.logical,
        "DisplayName": label(text), "Description": label(""), "ColumnNumber": number,
        "RequiredLevel": {
            "Value": level, "CanBeChanged": false, "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "IsPrimaryId": name == table.id, "IsPrimaryName": Some(name) == table.name,
        "IsValidForCreate": create, "IsValidForUpdate": update, "IsValidForRead": read, "IsRetrievable": read,
        "IsFilterable": read, "IsValidForGrid": read, "IsValidForForm": true, "IsValidODataAttribute": true,
        "IsCustomAttribute": name.starts_with("pr_"), "IsManaged": true, "AutoNumberFormat": "",
        "Settings": [], "IntroducedVersion": "1.0", "MetadataId": id(&[table.logical, name]).to_string(),
    });
    const NOT: &[&str] = &[
        "CanBeSecuredForCreate",
        "CanBeSecuredForRead",
        "CanBeSecuredForUpdate",
        "IsDataSourceSecret",
        "IsLogical",
        "IsSearchable",
        "IsSecured",
    ];
    const ABSENT: &[&str] = &[
        "AttributeOf",
        "CreatedOn",
        "DeprecatedVersion",
        "ExternalName",
        "HasChanged",
        "InheritsFrom",
        "LinkedAttributeId",
        "ModifiedOn",
        "SourceType",
    ];
    let managed_by = [
        ("CanModifyAdditionalSettings", "canmodifyadditionalsettings", false),
        ("IsAuditEnabled", "canmodifyauditsettings", true),
        ("IsCustomizable", "iscustomizable", false),
        ("IsGlobalFilterEnabled", "canmodifyglobalfiltersettings", false),
        ("IsRenameable", "isrenameable", false),
        ("IsSortableEnabled", "canmodifyissortablesettings", read),
        ("IsValidForAdvancedFind", "canmodifysearchsettings", read),
    ];
    if let Out::Object(all) = &mut out {
        all.extend(NOT.iter().map(|name| ((*name).to_owned(), json!(false))));
        all.extend(ABSENT.iter().map(|name| ((*name).to_owned(), Out::Null)));
        all.extend(managed_by.map(|(name, by, value)| (name.to_owned(), managed(by, value))));
    }
    out
}

fn primary_key(table: &Table) -> Node {
    let common = self::common(
        table,
        &Common {
            name: table.id,
            label: "Id",
            attribute_type: "Uniqueidentifier",
            number: 1,
            access: Access::Create,
            required: true,
        },
    );
    Node::new("UniqueIdentifierAttributeMetadata", common)
}

/// `owninguser`, `owningteam`: part of what a lookup says.
fn derived(table: &Table, derived: options::Derived, number: usize) -> Node {
    let plain = derived.name.strip_prefix('_').and_then(|n| n.strip_suffix("_value")).unwrap_or(derived.name);
    let (kind, attribute_type) = match derived.target {
        Some(_) => ("LookupAttributeMetadata", "Lookup"),
        None => ("EntityNameAttributeMetadata", "EntityName"),
    };
    let common = Common { name: plain, label: plain, attribute_type, number, access: Access::Read, required: false };
    let mut properties = self::common(table, &common);
    properties["IsFilterable"] = json!(false);
    properties["AttributeOf"] = json!(derived.from);
    if let Some(target) = derived.target {
        properties["Targets"] = json!([target]);
        properties["Format"] = json!("None");
    }
    Node::new(kind, properties)
}

fn node(table: &'static Table, column: &'static Column, number: usize) -> Node {
    let (kind, attribute_type) = types(column);
    let properties = common(
        table,
        &Common {
            name: column.name,
            label: column.label,
            attribute_type,
            number,
            access: column.access,
            required: column.required,
        },
    );
    let mut node = Node::new(kind, properties);
    let all = &mut node.properties;
    typed(column, &mut |name: &str, value| all.insert(name.to_owned(), value));
    let one = |set: Option<Node>| Nav::One(set.map(Box::new));
    match column.kind {
        Kind::Bool => {
            let set = option_set::boolean(table, column);
            node.with("OptionSet", one(Some(set))).with("GlobalOptionSet", one(None))
        }
        Kind::Choice(choices) => {
            let set = option_set::node(table, column, choices);
            let global = option_set::is_global(column, choices).then(|| set.clone());
            node.with("OptionSet", one(Some(set))).with("GlobalOptionSet", one(global))
        }
        _ => node,
    }
}

/// What only columns of one type have.
fn typed(column: &Column, more: &mut impl FnMut(&str, Out) -> Option<Out>) {
    match column.kind {
        Kind::Bool => {
            more("DefaultValue", json!(column.default == Default::Bool(true)));
            more("FormulaDefinition", json!(""));
            more("SourceTypeMask", json!(0));
        }
        Kind::Int { min, max } => {
            more("MinValue", json!(min));
            more("MaxValue", json!(max));
            more("Format", json!("None"));
        }
        Kind::BigInt => {
            more("MinValue", json!(i64::MIN));
            more("MaxValue", json!(i64::MAX));
        }
        Kind::Text { max } | Kind::Secret { max, .. } => text(more, "Text", max),
        Kind::Email { max } => text(more, "Email", max),
        Kind::Memo => text(more, "TextArea", LONGEST_MEMO),
        Kind::Choice(_) => {
            more("DefaultFormValue", json!(if let Default::Int(n) = column.default { n } else { -1 }));
            more("ParentPicklistLogicalName", Out::Null);
            more("ChildPicklistLogicalNames", json!([]));
        }
        Kind::Time => {
            more("Format", json!("DateAndTime"));
            more("DateTimeBehavior", json!({ "Value": "UserLocal" }));
            more("ImeMode", json!("Inactive"));
            more("CanChangeDateTimeBehavior", managed("CanChangeDateTimeBehavior", false));
        }
        Kind::Lookup(targets) => {
            more("Targets", json!(targets));
            more("Format", json!("None"));
        }
        Kind::Id | Kind::Bytes => {}
    }
}

fn text(more: &mut impl FnMut(&str, Out) -> Option<Out>, format: &str, max: usize) {
    more("MaxLength", json!(max));
    more("DatabaseLength", json!(max));
    more("Format", json!(format));
    more("FormatName", json!({ "Value": format }));
    more("ImeMode", json!("Auto"));
    more("IsLocalizable", json!(false));
    more("YomiOf", Out::Null);
}

/// The kind of the definition, and the type of the column in one word.
fn types(column: &Column) -> (&'static str, &'static str) {
    match column.kind {
        Kind::Bool => ("BooleanAttributeMetadata", "Boolean"),
        Kind::Int { min, max } if i32::try_from(min).is_ok() && i32::try_from(max).is_ok() => {
            ("IntegerAttributeMetadata", "Integer")
        }
        Kind::Int { .. } | Kind::BigInt => ("BigIntAttributeMetadata", "BigInt"),
        Kind::Text { .. } | Kind::Email { .. } | Kind::Secret { .. } | Kind::Bytes => {
            ("StringAttributeMetadata", "String")
        }
        Kind::Memo => ("MemoAttributeMetadata", "Memo"),
        Kind::Choice(_) => match column.name {
            "statecode" => ("StateAttributeMetadata", "State"),
            "statuscode" => ("StatusAttributeMetadata", "Status"),
            _ => ("PicklistAttributeMetadata", "Picklist"),
        },
        Kind::Time => ("DateTimeAttributeMetadata", "DateTime"),
        Kind::Lookup(targets) => match (column.name, targets) {
            ("ownerid", _) => ("LookupAttributeMetadata", "Owner"),
            (_, ["account", "contact"] | ["contact", "account"]) => ("LookupAttributeMetadata", "Customer"),
            _ => ("LookupAttributeMetadata", "Lookup"),
        },
        Kind::Id => ("UniqueIdentifierAttributeMetadata", "Uniqueidentifier"),
    }
}
