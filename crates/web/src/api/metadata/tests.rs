//! The documents against the rules of the standard and each other.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};
use serde_json::Value as Out;

use super::catalog::catalog;
use super::csdl;

const EDM: &[&str] = &["Edm.Boolean", "Edm.DateTimeOffset", "Edm.Guid", "Edm.Int32", "Edm.Int64", "Edm.String"];

/// The document, read as a strict client reads it.
struct Model<'a> {
    schema: Node<'a, 'a>,
    types: BTreeMap<&'a str, Node<'a, 'a>>,
}

impl<'a> Model<'a> {
    fn read(document: &'a Document<'a>) -> Self {
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "Edmx");
        assert_eq!(root.attribute("Version"), Some("4.0"));
        let schema = root.descendants().find(|n| n.tag_name().name() == "Schema").unwrap();
        assert_eq!(schema.attribute("Namespace"), Some("Microsoft.Dynamics.CRM"));
        assert_eq!(schema.attribute("Alias"), Some("mscrm"));
        let mut types = BTreeMap::new();
        let declared = schema.children().filter(|n| matches!(n.tag_name().name(), "EntityType" | "ComplexType"));
        for node in declared {
            let name = node.attribute("Name").unwrap();
            assert!(is_identifier(name), "{name}");
            assert!(types.insert(name, node).is_none(), "the type {name} is declared twice");
        }
        Self { schema, types }
    }

    /// The type that a reference names, `Collection(…)` taken off.
    #[track_caller]
    fn resolve(&self, reference: &str) -> Option<Node<'a, 'a>> {
        let inner = reference.strip_prefix("Collection(").and_then(|r| r.strip_suffix(')')).unwrap_or(reference);
        if EDM.contains(&inner) {
            return None;
        }
        let name = inner.strip_prefix("mscrm.").or_else(|| inner.strip_prefix("Microsoft.Dynamics.CRM."));
        let name = name.unwrap_or_else(|| panic!("{reference} has no namespace"));
        Some(*self.types.get(name).unwrap_or_else(|| panic!("{reference} is declared nowhere")))
    }

    /// The type and those that it derives from, itself first.
    fn lineage(&self, of: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
        let mut out = vec![of];
        while let Some(base) = out.last().unwrap().attribute("BaseType") {
            out.push(self.resolve(base).unwrap());
            assert!(out.len() < 10, "types derive from each other in a circle");
        }
        out
    }

    fn property(&self, of: Node<'a, 'a>, tag: &'static str, name: &str) -> Option<Node<'a, 'a>> {
        self.lineage(of).into_iter().flat_map(|t| children_of(t, tag)).find(|p| p.attribute("Name") == Some(name))
    }
}

fn children_of<'a>(node: Node<'a, 'a>, tag: &'static str) -> Vec<Node<'a, 'a>> {
    node.children().filter(|n| n.tag_name().name() == tag).collect()
}

fn is_identifier(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[track_caller]
fn with(annotated: bool, check: impl FnOnce(&Model<'_>)) {
    let document = Document::parse(csdl::document(annotated)).unwrap();
    check(&Model::read(&document));
}

#[test]
fn names_are_unique_and_types_resolve() {
    for annotated in [false, true] {
        with(annotated, |model| {
            for (name, node) in &model.types {
                let mut seen = BTreeSet::new();
                for member in model.lineage(*node).into_iter().flat_map(|t| t.children()) {
                    if !matches!(member.tag_name().name(), "Property" | "NavigationProperty") {
                        continue;
                    }
                    let member_name = member.attribute("Name").unwrap();
                    assert!(is_identifier(member_name), "{name}.{member_name}");
                    assert!(seen.insert(member_name), "{name}.{member_name} is declared twice");
                    model.resolve(member.attribute("Type").unwrap());
                }
            }
        });
    }
}

#[test]
fn every_concrete_type_has_one_key_that_is_never_null() {
    with(false, |model| {
        for (name, node) in model.types.iter().filter(|(_, n)| n.tag_name().name() == "EntityType") {
            let keys: Vec<_> = model.lineage(*node).into_iter().flat_map(|t| children_of(t, "Key")).collect();
            if node.attribute("Abstract") == Some("true") {
                assert!(keys.is_empty(), "{name}");
                continue;
            }
            assert_eq!(keys.len(), 1, "{name}");
            for reference in children_of(keys[0], "PropertyRef") {
                let property = model.property(*node, "Property", reference.attribute("Name").unwrap()).unwrap();
                assert_eq!(property.attribute("Nullable"), Some("false"), "{name}");
                assert_eq!(property.attribute("Type"), Some("Edm.Guid"), "{name}");
            }
        }
    });
}

#[test]
fn navigation_is_consistent() {
    with(false, |model| {
        for (name, node) in &model.types {
            for nav in children_of(*node, "NavigationProperty") {
                let of = nav.attribute("Type").unwrap();
                let target = model.resolve(of).unwrap();
                let nav_name = nav.attribute("Name").unwrap();
                if let Some(partner) = nav.attribute("Partner") {
                    let back = model.property(target, "NavigationProperty", partner);
                    let back = back.unwrap_or_else(|| panic!("{name}.{nav_name}: no partner {partner}"));
                    assert_eq!(back.attribute("Partner"), Some(nav_name), "{name}.{nav_name} and {partner}");
                    let returns = model.resolve(back.attribute("Type").unwrap()).unwrap();
                    assert!(model.lineage(*node).contains(&returns), "{name}.{nav_name}");
                    // Pairs lead from many to many, by one name on both sides.
                    let (many, back) = (of, back.attribute("Type").unwrap());
                    let both = many.starts_with("Collection(") && back.starts_with("Collection(");
                    assert_eq!(both, partner == nav_name, "{name}.{nav_name}");
                    assert!(many.starts_with("Collection(") || back.starts_with("Collection("), "{name}.{nav_name}");
                }
                for constraint in children_of(nav, "ReferentialConstraint") {
                    let own = model.property(*node, "Property", constraint.attribute("Property").unwrap()).unwrap();
                    let there = model.property(target, "Property", constraint.attribute("ReferencedProperty").unwrap());
                    assert_eq!(own.attribute("Type"), there.unwrap().attribute("Type"), "{name}.{nav_name}");
                }
            }
        }
    });
}

#[test]
fn sets_and_their_bindings_exist() {
    with(false, |model| {
        let container = children_of(model.schema, "EntityContainer").pop().unwrap();
        assert_eq!(container.attribute("Name"), Some("System"));
        let mut sets = BTreeMap::new();
        let mut names = BTreeSet::new();
        for member in container.children() {
            assert!(names.insert(member.attribute("Name").unwrap()), "{:?} stands twice", member.attribute("Name"));
        }
        for set in children_of(container, "EntitySet") {
            let of = model.resolve(set.attribute("EntityType").unwrap()).unwrap();
            sets.insert(set.attribute("Name").unwrap(), of);
        }
        for set in children_of(container, "EntitySet") {
            let of = sets[set.attribute("Name").unwrap()];
            let mut paths = BTreeSet::new();
            for binding in children_of(set, "NavigationPropertyBinding") {
                let path = binding.attribute("Path").unwrap();
                assert!(paths.insert(path), "{path} is bound twice");
                let nav = model.property(of, "NavigationProperty", path);
                let nav = nav.unwrap_or_else(|| panic!("{:?} has no {path}", set.attribute("Name")));
                let target = sets[binding.attribute("Target").unwrap()];
                assert_eq!(model.resolve(nav.attribute("Type").unwrap()), Some(target), "{path}");
            }
        }
        let on_wire: BTreeSet<&str> = model::tables::on_wire().map(|t| t.set).collect();
        assert_eq!(sets.keys().copied().collect::<BTreeSet<_>>(), on_wire);
    });
}

#[test]
fn operations_are_declared_as_they_are_called() {
    with(false, |model| {
        let container = children_of(model.schema, "EntityContainer").pop().unwrap();
        for word in ["Action", "Function"] {
            let mut unbound = BTreeSet::new();
            let mut signatures = BTreeSet::new();
            for node in children_of(model.schema, word) {
                let name = node.attribute("Name").unwrap();
                let parameters = children_of(node, "Parameter");
                let types: Vec<&str> = parameters.iter().map(|p| p.attribute("Type").unwrap()).collect();
                for reference in &types {
                    model.resolve(reference);
                }
                let names: BTreeSet<_> = parameters.iter().map(|p| p.attribute("Name").unwrap()).collect();
                assert_eq!(names.len(), parameters.len(), "{name}");
                for result in children_of(node, "ReturnType") {
                    model.resolve(result.attribute("Type").unwrap());
                }
                assert!(
                    word == "Action" || !children_of(node, "ReturnType").is_empty(),
                    "{name} must return something"
                );
                if node.attribute("IsBound") == Some("true") {
                    assert!(signatures.insert((name, types.first().copied().unwrap())), "{name} stands twice");
                } else {
                    assert!(unbound.insert(name), "{name} stands twice");
                }
            }
            let imports: BTreeSet<&str> = container
                .children()
                .filter(|n| n.tag_name().name() == format!("{word}Import"))
                .map(|n| n.attribute("Name").unwrap())
                .collect();
            assert_eq!(imports, unbound);
        }
    });
}

#[test]
fn an_email_is_an_activity() {
    with(false, |model| {
        let email = model.types["email"];
        assert_eq!(email.attribute("BaseType"), Some("mscrm.activitypointer"));
        assert!(children_of(email, "Property").iter().all(|p| p.attribute("Name") != Some("subject")));
        assert!(model.property(email, "Property", "subject").is_some());
        assert!(model.property(email, "NavigationProperty", "regardingobjectid_account_email").is_some());
        let mailbox = model.types["mailbox"];
        let profile = model.property(mailbox, "Property", "_emailserverprofile_value").unwrap();
        assert_eq!(profile.attribute("Type"), Some("Edm.Guid"));
        let name = model.property(mailbox, "Property", "name").unwrap();
        assert_eq!((name.attribute("Type"), name.attribute("MaxLength")), (Some("Edm.String"), Some("200")));
    });
}

#[test]
fn nothing_internal_is_described() {
    let text = csdl::document(true);
    for word in ["pr_blob", "pr_fingerprint\"", "messageiddupcheck", "pr_hash", "pr_login", "pr_session"] {
        let described = text.contains(&format!("\"{word}\""));
        assert!(!described, "{word}");
    }
}

#[test]
fn ids_of_definitions_are_unique_and_names_resolve() {
    let mut ids = BTreeSet::new();
    let catalog = catalog();
    for entity in &catalog.entities {
        let name = entity.text("LogicalName").unwrap();
        assert!(ids.insert(entity.text("MetadataId").unwrap()), "{name}");
        for nav in ["Attributes", "Keys"] {
            for node in entity.navs[nav].nodes() {
                let inner = node.text("LogicalName").unwrap();
                assert!(ids.insert(node.text("MetadataId").unwrap()), "{name}.{inner}");
                assert!(super::node::is_kind(node.kind), "{}", node.kind);
            }
        }
        let attributes: BTreeSet<&str> =
            entity.navs["Attributes"].nodes().iter().map(|n| n.text("LogicalName").unwrap()).collect();
        assert!(attributes.contains(entity.text("PrimaryIdAttribute").unwrap()));
        for key in entity.navs["Keys"].nodes() {
            for column in key.properties["KeyAttributes"].as_array().unwrap() {
                assert!(attributes.contains(column.as_str().unwrap()), "{name}: {column}");
            }
        }
    }
    let mut names = BTreeSet::new();
    for relationship in &catalog.relationships {
        let name = relationship.text("SchemaName").unwrap();
        assert!(names.insert(name), "the relationship {name} stands twice");
        assert!(ids.insert(relationship.text("MetadataId").unwrap()), "{name}");
    }
}

#[test]
fn keys_are_of_columns_that_can_be_named() {
    for table in model::tables::on_wire() {
        for key in table.keys {
            let values: Vec<String> = key
                .columns
                .iter()
                .map(|name| {
                    let column = table.column(name).unwrap_or_else(|| panic!("{}.{name}", table.logical));
                    let property = crate::api::json_out::property(column);
                    match column.kind {
                        model::Kind::Text { .. } | model::Kind::Email { .. } => format!("{property}='x'"),
                        _ => format!("{property}=00000000-0000-0000-0000-00000000000a"),
                    }
                })
                .collect();
            let read = crate::api::key::read(table, &values.join(","));
            assert!(read.is_ok(), "{}: {read:?}", table.logical);
        }
    }
}

#[test]
fn a_boolean_has_its_two_options() {
    let mailbox = catalog().entities.iter().find(|e| e.text("LogicalName") == Some("mailbox")).unwrap();
    let nodes = mailbox.navs["Attributes"].nodes();
    let forward = nodes.iter().find(|n| n.text("LogicalName") == Some("isforwardmailbox")).unwrap();
    let set = forward.navs["OptionSet"].nodes()[0];
    assert_eq!(set.properties["TrueOption"]["Value"], Out::from(1));
    assert_eq!(set.properties["FalseOption"]["Label"]["UserLocalizedLabel"]["Label"], Out::from("No"));
}
