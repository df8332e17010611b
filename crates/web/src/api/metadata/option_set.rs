//! Choices: option sets of one column, and those that several share.

use model::table::Kind;
use model::{Column, OptionSet, Table};
use serde_json::{Value as Out, json};

use super::labels::{id, label, managed, words};
use super::node::Node;
use super::tables;

/// The sets that more than one column uses, states apart: those are each
/// table's own.
pub(super) fn global() -> Vec<&'static OptionSet> {
    let mut out: Vec<&'static OptionSet> = Vec::new();
    let mut once: Vec<&'static str> = Vec::new();
    for (_, column) in tables().flat_map(|t| t.all_columns().map(move |c| (t, c))) {
        let Kind::Choice(set) = column.kind else { continue };
        if is_state(column) || out.iter().any(|s| s.name == set.name) {
            continue;
        }
        if once.contains(&set.name) { out.push(set) } else { once.push(set.name) }
    }
    out.sort_by_key(|set| set.name);
    out
}

pub(super) fn is_state(column: &Column) -> bool {
    matches!(column.name, "statecode" | "statuscode")
}

pub(super) fn is_global(column: &Column, set: &OptionSet) -> bool {
    !is_state(column) && global().iter().any(|s| s.name == set.name)
}

/// The set behind a column, whether shared or its own.
pub(super) fn node(table: &Table, column: &Column, set: &OptionSet) -> Node {
    if is_global(column, set) {
        return global_node_of(set);
    }
    let own = format!("{}_{}", table.logical, column.name);
    let kind = match column.name {
        "statecode" => "State",
        "statuscode" => "Status",
        _ => "Picklist",
    };
    of(&own, column.label, set, kind, false)
}

pub(super) fn global_node(set: &'static OptionSet) -> Node {
    global_node_of(set)
}

fn global_node_of(set: &OptionSet) -> Node {
    of(set.name, &titled(set.name), set, "Picklist", true)
}

fn of(name: &str, title: &str, set: &OptionSet, kind: &str, global: bool) -> Node {
    let options: Vec<Out> = set.options.iter().map(|o| option(o, kind, set)).collect();
    let mut properties = base(name, title, kind, global);
    properties["Options"] = Out::Array(options);
    properties["ParentOptionSetName"] = Out::Null;
    Node::new("OptionSetMetadata", properties)
}

fn base(name: &str, title: &str, kind: &str, global: bool) -> Out {
    json!({
        "Name": name, "DisplayName": label(title), "Description": label(""), "ExternalTypeName": null,
        "IsCustomOptionSet": false, "IsGlobal": global, "IsManaged": true,
        "IsCustomizable": managed("IsCustomizable", false), "OptionSetType": kind, "IntroducedVersion": "1.0",
        "HasChanged": null, "MetadataId": id(&["optionset", name]).to_string(),
    })
}

fn option(option: &model::OptionValue, kind: &str, set: &OptionSet) -> Out {
    let mut out = json!({
        "Value": option.value, "Label": label(option.label), "Description": label(""), "Color": null,
        "IsManaged": true, "ExternalValue": null, "ParentValues": [], "Tag": null, "IsHidden": false,
        "HasChanged": null, "MetadataId": null,
    });
    match kind {
        "State" => {
            out["@odata.type"] = json!("#Microsoft.Dynamics.CRM.StateOptionMetadata");
            out["InvariantName"] = json!(option.label);
            out["DefaultStatus"] = json!(default_status(set, option.value));
        }
        "Status" => {
            out["@odata.type"] = json!("#Microsoft.Dynamics.CRM.StatusOptionMetadata");
            out["State"] = json!(option.state);
            out["TransitionData"] = Out::Null;
        }
        _ => {}
    }
    out
}

/// The first status of a state. The sets are declared apart; the status set
/// is found by the column that has both.
fn default_status(states: &OptionSet, state: i32) -> Option<i32> {
    let table = tables().find(|t| t.column("statecode").is_some_and(|c| c.kind.is_set(states)))?;
    let Kind::Choice(statuses) = table.column("statuscode")?.kind else { return None };
    statuses.options.iter().find(|o| o.state == Some(state)).map(|o| o.value)
}

trait IsSet {
    fn is_set(&self, set: &OptionSet) -> bool;
}

impl IsSet for Kind {
    fn is_set(&self, set: &OptionSet) -> bool {
        matches!(self, Self::Choice(own) if own.name == set.name)
    }
}

/// Yes and No.
pub(super) fn boolean(table: &Table, column: &Column) -> Node {
    let name = format!("{}_{}", table.logical, column.name);
    let mut properties = base(&name, column.label, "Boolean", false);
    let one = |value: i32, text: &str| {
        let set = OptionSet { name: "", options: &[] };
        let option = model::OptionValue { value, label: "", state: None };
        let mut out = self::option(&option, "Boolean", &set);
        out["Label"] = label(text);
        out
    };
    properties["TrueOption"] = one(1, "Yes");
    properties["FalseOption"] = one(0, "No");
    Node::new("BooleanOptionSetMetadata", properties)
}

/// `incomingemaildeliverymethod` has no capitals to cut at.
fn titled(name: &str) -> String {
    let mut text = words(name).replace('_', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}
