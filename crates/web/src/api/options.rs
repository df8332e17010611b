//! The query options of a URL, read against the declaration of the table.

use formats::odata;
use model::Table;

use crate::api::call::Call;
use crate::api::errors::ApiError;

pub(crate) use formats::odata::{Expand, Options};

/// Options that ask for nothing we do not know: a caller who gets less than
/// they asked for should be told.
const UNSUPPORTED: &[&str] = &["$skip", "$search", "$apply", "fetchXml", "savedQuery", "userQuery", "sql"];

/// A property that follows from a lookup and is no column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Derived {
    pub name: &'static str,
    /// The lookup.
    pub from: &'static str,
    /// The lookup's target, where it is a row of this table; `None`: the name
    /// of its table.
    pub target: Option<&'static str>,
}

const OWNING: &[Derived] = &[
    Derived { name: "_owninguser_value", from: "ownerid", target: Some("systemuser") },
    Derived { name: "_owningteam_value", from: "ownerid", target: Some("team") },
];
const REGARDING: &[Derived] = &[Derived { name: "regardingobjecttypecode", from: "regardingobjectid", target: None }];

pub(crate) fn derived(table: &'static Table) -> impl Iterator<Item = Derived> {
    let regarding = if table.logical == "mailbox" { REGARDING } else { &[] };
    OWNING.iter().chain(regarding).copied().filter(|d| table.column(d.from).is_some())
}

/// What is asked for, `body` apart: the bytes of an attachment are no column.
#[derive(Debug)]
pub(crate) struct Asked {
    pub options: Options,
    /// `$select` names `body`.
    pub body: bool,
    /// Those that `$select` names.
    pub derived: Vec<Derived>,
    pub skiptoken: Option<String>,
    pub deltatoken: Option<String>,
}

pub(crate) async fn read(call: &Call, table: &'static Table) -> Result<Asked, ApiError> {
    let (mut body, mut selected, mut skiptoken, mut deltatoken) = (false, Vec::new(), None, None);
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in &call.query {
        let mut value = value.clone();
        if let Some(unsupported) = UNSUPPORTED.iter().find(|u| u.eq_ignore_ascii_case(name)) {
            return Err(ApiError::bad_request(format!("The query option '{unsupported}' is not supported.")));
        }
        if name.eq_ignore_ascii_case("$skiptoken") {
            skiptoken = Some(value);
            continue;
        }
        if name.eq_ignore_ascii_case("$deltatoken") {
            deltatoken = Some(value);
            continue;
        }
        if name.eq_ignore_ascii_case("$select") && table.logical == "activitymimeattachment" {
            let (bodies, others): (Vec<&str>, Vec<&str>) = value.split(',').partition(|n| n.trim() == "body");
            body = !bodies.is_empty();
            let others = others.join(",");
            // Nothing but the body: the key alone is read besides.
            value = if others.trim().is_empty() && body { table.id.to_owned() } else { others };
        }
        if name.eq_ignore_ascii_case("$select") {
            let named = |d: &Derived| value.split(',').any(|n| n.trim() == d.name);
            selected = derived(table).filter(named).collect();
            if !selected.is_empty() {
                let others = value.split(',').filter(|n| !selected.iter().any(|d| d.name == n.trim()));
                let others = others.collect::<Vec<_>>().join(",");
                value = if others.is_empty() { table.id.to_owned() } else { others };
            }
        }
        pairs.push((name.clone(), value));
    }
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let asker = asker(call).await?;
    let options = odata::parse_for(table, &pairs, asker).map_err(|e| ApiError::bad_request(e.to_string()))?;
    Ok(Asked { options, body, derived: selected, skiptoken, deltatoken })
}

/// Conditions that ask where the caller stands, by their beginnings.
const ABOUT_THE_CALLER: &[&str] = &["equal", "eq-", "ne-", "above", "under"];

/// Who asks. Where they stand is looked up when a condition may want to know.
pub(crate) async fn asker(call: &Call) -> Result<odata::Asker, ApiError> {
    let named = |text: &str| ABOUT_THE_CALLER.iter().any(|c| text.to_ascii_lowercase().contains(c));
    // The query of a view stands elsewhere.
    let of_a_view = |name: &str| name.eq_ignore_ascii_case("savedQuery") || name.eq_ignore_ascii_case("userQuery");
    if call.query.iter().any(|(name, value)| of_a_view(name) || named(value)) {
        return standing(&call.ctx).await;
    }
    Ok(odata::Asker { now: Some(call.ctx.now), user: Some(call.ctx.actor.id), ..odata::Asker::default() })
}

/// The same with where they stand.
pub(crate) async fn standing(ctx: &actions::Context) -> Result<odata::Asker, ApiError> {
    let standing = actions::standing(ctx).await?;
    Ok(odata::Asker {
        now: Some(ctx.now),
        user: Some(ctx.actor.id),
        unit: standing.unit,
        teams: standing.teams,
        language: standing.language,
        units: standing.units,
    })
}
