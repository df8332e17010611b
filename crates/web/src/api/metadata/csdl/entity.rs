//! Tables as entity types.

use std::fmt::Write as _;

use model::table::{Access, Kind};
use model::{Column, Table};

use super::super::attribute::is_described;
use super::super::relationship::{self, Link};
use super::{ALIAS, PRINCIPAL, base_of, escaped};
use crate::api::json_out;
use crate::api::options;

/// A navigation property of an entity type.
pub(super) struct Navigation {
    pub name: String,
    /// Where it leads; `None`: to a user or a team.
    pub target: Option<&'static Table>,
    many: bool,
    partner: Option<String>,
    /// The property that has the id, of a single-valued one.
    constraint: Option<String>,
    /// Whether the type that the table's derives from has it already.
    inherited: bool,
}

/// What a table's rows navigate to, what they inherit included.
pub(super) fn navigation(table: &'static Table) -> Vec<Navigation> {
    let links = relationship::links();
    let mut out: Vec<Navigation> = Vec::new();
    for link in links.iter().filter(|l| l.table == table) {
        let name = link.single();
        if out.iter().any(|n| n.name == name) {
            continue;
        }
        let owner = link.column.name == "ownerid";
        out.push(Navigation {
            target: (!owner).then_some(link.target),
            many: false,
            partner: link.collection.filter(|_| !owner).map(str::to_owned),
            constraint: (!owner).then(|| json_out::property(link.column)),
            inherited: comes_from_base(link),
            name,
        });
    }
    for child in table.children {
        let Some(target) = model::tables::by_logical_name(child.table).filter(|t| t.on_wire) else { continue };
        let back = links.iter().find(|l| l.table == target && l.column.name == child.column && l.target == table);
        let owner = child.column == "ownerid";
        out.push(Navigation {
            name: child.nav.to_owned(),
            target: Some(target),
            many: true,
            // What is inherited leads back to where all activities do.
            partner: back.filter(|link| !owner && !comes_from_base(link)).map(Link::single),
            constraint: None,
            inherited: base_activity(table).is_some_and(|base| base.children.iter().any(|c| c.nav == child.nav)),
        });
    }
    for link in table.links {
        let Some(target) = model::tables::by_logical_name(link.table).filter(|t| t.on_wire) else { continue };
        out.push(Navigation {
            name: link.nav.to_owned(),
            target: Some(target),
            many: true,
            partner: target.link(link.nav).map(|back| back.nav.to_owned()),
            constraint: None,
            inherited: false,
        });
    }
    out
}

/// The activity that this one derives from.
fn base_activity(table: &Table) -> Option<&'static Table> {
    table.activity.then_some(model::tables::ACTIVITY)
}

fn is_inherited(table: &Table, column: &str) -> bool {
    base_activity(table).is_some_and(|base| base.id == column || base.column(column).is_some())
}

/// Whether every activity navigates so. `regardingobjectid_account_email` is
/// the email's own, though the column is every activity's.
fn comes_from_base(link: &Link) -> bool {
    let Some(base) = base_activity(link.table) else { return false };
    base.column(link.column.name).is_some_and(|column| base.nav(column, link.target.logical) == link.single())
}

pub(super) fn write(out: &mut String, table: &'static Table, annotated: bool) {
    let _ = write!(out, r#"<EntityType Name="{}" BaseType="{ALIAS}.{}">"#, table.logical, base_of(table));
    if base_activity(table).is_none() {
        let _ = write!(
            out,
            r#"<Key><PropertyRef Name="{0}"/></Key><Property Name="{0}" Type="Edm.Guid" Nullable="false"/>"#,
            table.id
        );
    }
    for column in table.all_columns().filter(|c| is_described(c) && !is_inherited(table, c.name)) {
        property(out, column, annotated);
    }
    for derived in options::derived(table).filter(|d| !is_inherited(table, d.from)) {
        let of = if derived.target.is_some() { "Edm.Guid" } else { "Edm.String" };
        let _ = write!(out, r#"<Property Name="{}" Type="{of}">"#, derived.name);
        annotation(out, "Computed");
        out.push_str("</Property>");
    }
    if table.logical == "activitymimeattachment" {
        // Base64; kept with the message and not in a column.
        out.push_str(r#"<Property Name="body" Type="Edm.String" Unicode="false"/>"#);
    }
    for nav in navigation(table).iter().filter(|n| !n.inherited) {
        write_navigation(out, nav);
    }
    keys(out, table);
    if annotated {
        describe(out, &super::super::labels::words(table.schema));
    }
    out.push_str("</EntityType>");
}

fn property(out: &mut String, column: &Column, annotated: bool) {
    let name = json_out::property(column);
    let (of, facets) = type_of(column);
    let _ = write!(out, r#"<Property Name="{name}" Type="{of}"{facets}"#);
    let term = match column.access {
        Access::Read => Some("Computed"),
        Access::Create => Some("Immutable"),
        // A lookup is written by its navigation property.
        _ if matches!(column.kind, Kind::Lookup(_)) => Some("Computed"),
        _ => None,
    };
    let write_only = column.access == Access::Write;
    if term.is_none() && !write_only && !annotated {
        out.push_str("/>");
        return;
    }
    out.push('>');
    if let Some(term) = term {
        annotation(out, term);
    }
    if write_only {
        out.push_str(
            r#"<Annotation Term="Org.OData.Core.V1.Permissions"><EnumMember>Org.OData.Core.V1.Permission/Write</EnumMember></Annotation>"#,
        );
    }
    if annotated {
        describe(out, column.label);
    }
    out.push_str("</Property>");
}

fn annotation(out: &mut String, term: &str) {
    let _ = write!(out, r#"<Annotation Term="Org.OData.Core.V1.{term}" Bool="true"/>"#);
}

fn describe(out: &mut String, text: &str) {
    let _ = write!(out, r#"<Annotation Term="Org.OData.Core.V1.Description" String="{}"/>"#, escaped(text));
}

fn type_of(column: &Column) -> (&'static str, String) {
    let none = String::new;
    match column.kind {
        Kind::Bool => ("Edm.Boolean", none()),
        Kind::Int { min, max } if i32::try_from(min).is_ok() && i32::try_from(max).is_ok() => ("Edm.Int32", none()),
        Kind::Int { .. } | Kind::BigInt => ("Edm.Int64", none()),
        Kind::Choice(_) => ("Edm.Int32", none()),
        Kind::Text { max } | Kind::Email { max } | Kind::Secret { max, .. } => {
            ("Edm.String", format!(r#" MaxLength="{max}""#))
        }
        Kind::Memo | Kind::Bytes => ("Edm.String", none()),
        // The moments that the API shows have up to nine digits after the second.
        Kind::Time => ("Edm.DateTimeOffset", r#" Precision="9""#.to_owned()),
        Kind::Lookup(_) | Kind::Id => ("Edm.Guid", none()),
    }
}

fn write_navigation(out: &mut String, nav: &Navigation) {
    let target = nav.target.map_or(PRINCIPAL, |t| t.logical);
    let _ = write!(out, r#"<NavigationProperty Name="{}""#, nav.name);
    if nav.many {
        let _ = write!(out, r#" Type="Collection({ALIAS}.{target})""#);
    } else {
        let _ = write!(out, r#" Type="{ALIAS}.{target}""#);
    }
    if let Some(partner) = &nav.partner {
        let _ = write!(out, r#" Partner="{partner}""#);
    }
    match (&nav.constraint, nav.target) {
        (Some(property), Some(target)) => {
            let _ = write!(
                out,
                r#"><ReferentialConstraint Property="{property}" ReferencedProperty="{}"/></NavigationProperty>"#,
                target.id
            );
        }
        _ => out.push_str("/>"),
    }
}

fn keys(out: &mut String, table: &Table) {
    if table.keys.is_empty() {
        return;
    }
    out.push_str(r#"<Annotation Term="OData.Community.Keys.V1.AlternateKeys"><Collection>"#);
    for key in table.keys {
        out.push_str(
            r#"<Record Type="OData.Community.Keys.V1.AlternateKey"><PropertyValue Property="Key"><Collection>"#,
        );
        for column in key.columns.iter().filter_map(|c| table.column(c)) {
            let name = json_out::property(column);
            let _ = write!(
                out,
                r#"<Record Type="OData.Community.Keys.V1.PropertyRef"><PropertyValue Property="Alias" String="{name}"/><PropertyValue Property="Name" PropertyPath="{name}"/></Record>"#
            );
        }
        out.push_str("</Collection></PropertyValue></Record>");
    }
    out.push_str("</Collection></Annotation>");
}
