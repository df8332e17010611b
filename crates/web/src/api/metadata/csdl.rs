//! `$metadata`: the tables and operations as CSDL 4.0 (OData Version 4.0,
//! Part 3), the XML that generic clients read first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

use model::Table;

use super::tables;
use crate::api::operations::{self, Binding, Complex, Kind, NAMESPACE, Operation, Parameter, Type};

mod entity;

/// The alias of the namespace, in every reference to a type.
const ALIAS: &str = "mscrm";
/// What every table derives from.
const BASE: &str = "crmbaseentity";
/// What users and teams have in common: either may own a row.
const PRINCIPAL: &str = "principal";

/// The document; `annotated` with the labels of tables and columns.
pub(super) fn document(annotated: bool) -> &'static str {
    static DOCUMENTS: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
    DOCUMENTS[usize::from(annotated)].get_or_init(|| write(annotated))
}

fn write(annotated: bool) -> String {
    let mut out = String::from(concat!(
        r#"<?xml version="1.0" encoding="utf-8"?>"#,
        r#"<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">"#,
    ));
    for vocabulary in ["Org.OData.Core.V1", "OData.Community.Keys.V1"] {
        let _ = write!(
            out,
            r#"<edmx:Reference Uri="http://vocabularies.odata.org/{vocabulary}.xml"><edmx:Include Namespace="{vocabulary}"/></edmx:Reference>"#
        );
    }
    let _ = write!(
        out,
        r#"<edmx:DataServices><Schema Namespace="{NAMESPACE}" Alias="{ALIAS}" xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityType Name="{BASE}" Abstract="true"/><EntityType Name="{PRINCIPAL}" BaseType="{ALIAS}.{BASE}" Abstract="true"/>"#
    );
    for table in tables() {
        entity::write(&mut out, table, annotated);
    }
    for complex in complexes().values() {
        complex_type(&mut out, complex);
    }
    for operation in operations::all() {
        match operation.binding {
            Binding::Unbound => write_operation(&mut out, operation, None),
            Binding::Row(table) => write_operation(&mut out, operation, Some(format!("{ALIAS}.{table}"))),
            Binding::Set(table) => write_operation(&mut out, operation, Some(format!("Collection({ALIAS}.{table})"))),
            // One overload for each set.
            Binding::EverySet => {
                for table in tables() {
                    let bound = format!("Collection({ALIAS}.{})", table.logical);
                    write_operation(&mut out, operation, Some(bound));
                }
            }
        }
    }
    container(&mut out);
    out.push_str("</Schema></edmx:DataServices></edmx:Edmx>");
    out
}

fn container(out: &mut String) {
    out.push_str(r#"<EntityContainer Name="System">"#);
    for table in tables() {
        let _ = write!(out, r#"<EntitySet Name="{}" EntityType="{NAMESPACE}.{}">"#, table.set, table.logical);
        for nav in entity::navigation(table) {
            if let Some(target) = nav.target {
                let _ = write!(out, r#"<NavigationPropertyBinding Path="{}" Target="{}"/>"#, nav.name, target.set);
            }
        }
        out.push_str("</EntitySet>");
    }
    for operation in operations::all().filter(|o| o.binding == Binding::Unbound) {
        let word = word(operation.kind);
        let _ = write!(out, r#"<{word}Import Name="{0}" {word}="{NAMESPACE}.{0}""#, operation.name);
        if let Some(set) = operation.result.and_then(set_of) {
            let _ = write!(out, r#" EntitySet="{set}""#);
        }
        out.push_str("/>");
    }
    out.push_str("</EntityContainer>");
}

/// The set that rows in a result belong to.
fn set_of(result: Type) -> Option<&'static str> {
    match result {
        Type::Row(table) => model::tables::by_logical_name(table).map(|t| t.set),
        Type::Many(of) => set_of(*of),
        _ => None,
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Function => "Function",
        Kind::Action => "Action",
    }
}

fn write_operation(out: &mut String, operation: &Operation, bound: Option<String>) {
    let word = word(operation.kind);
    let _ = write!(out, r#"<{word} Name="{}""#, operation.name);
    if let Some(of) = bound {
        let collection = of.starts_with("Collection(");
        let name = if collection { "entityset" } else { "entity" };
        let _ = write!(out, r#" IsBound="true"><Parameter Name="{name}" Type="{of}" Nullable="false"/>"#);
    } else {
        out.push('>');
    }
    for parameter in operation.parameters {
        let of = type_name(parameter.of);
        let _ = write!(out, r#"<Parameter Name="{}" Type="{of}"{}/>"#, parameter.name, nullable(parameter));
    }
    if let Some(result) = operation.result {
        let _ = write!(out, r#"<ReturnType Type="{}" Nullable="false"/>"#, type_name(result));
    }
    let _ = write!(out, "</{word}>");
}

fn complex_type(out: &mut String, complex: &Complex) {
    let open = if complex.open { r#" OpenType="true""# } else { "" };
    let _ = write!(out, r#"<ComplexType Name="{}"{open}>"#, complex.name);
    for property in complex.properties {
        let of = type_name(property.of);
        // Rows are reached by navigation, whatever holds them.
        let word = if holds_rows(property.of) { "NavigationProperty" } else { "Property" };
        let nullable = if holds_rows(property.of) && of.starts_with("Collection(") { "" } else { nullable(property) };
        let _ = write!(out, r#"<{word} Name="{}" Type="{of}"{nullable}/>"#, property.name);
    }
    out.push_str("</ComplexType>");
}

fn holds_rows(of: Type) -> bool {
    match of {
        Type::Row(_) => true,
        Type::Many(of) => holds_rows(*of),
        _ => false,
    }
}

fn nullable(parameter: &Parameter) -> &'static str {
    if parameter.required || matches!(parameter.of, Type::Many(_)) { r#" Nullable="false""# } else { "" }
}

fn type_name(of: Type) -> String {
    match of {
        Type::Bool => "Edm.Boolean".to_owned(),
        Type::Int => "Edm.Int32".to_owned(),
        Type::Text => "Edm.String".to_owned(),
        Type::Guid => "Edm.Guid".to_owned(),
        Type::Time => "Edm.DateTimeOffset".to_owned(),
        Type::Row(table) => format!("{ALIAS}.{table}"),
        Type::Complex(complex) => format!("{ALIAS}.{}", complex.name),
        Type::Many(of) => format!("Collection({})", type_name(*of)),
    }
}

/// Every complex type that an operation names, or that one of those does.
fn complexes() -> BTreeMap<&'static str, &'static Complex> {
    let mut out = BTreeMap::new();
    for operation in operations::all() {
        operation.parameters.iter().for_each(|p| collect(p.of, &mut out));
        operation.result.into_iter().for_each(|r| collect(r, &mut out));
    }
    out
}

fn collect(of: Type, into: &mut BTreeMap<&'static str, &'static Complex>) {
    match of {
        Type::Many(of) => collect(*of, into),
        Type::Complex(complex) if into.insert(complex.name, complex).is_none() => {
            complex.properties.iter().for_each(|p| collect(p.of, into));
        }
        _ => {}
    }
}

/// The type that a table's rows derive from.
fn base_of(table: &Table) -> &'static str {
    match table.logical {
        "systemuser" | "team" => PRINCIPAL,
        _ if table.activity => model::tables::ACTIVITY.logical,
        _ => BASE,
    }
}

/// Text in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
