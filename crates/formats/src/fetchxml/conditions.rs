//! The conditions of a view as a form shows them: a list on columns of its own
//! rows, all of which or any of which must hold. What else a filter says (one
//! in another, conditions on linked rows) stays as it is.

use model::Table;

use super::FetchError;
use super::xml::{self, Element};

/// Conditions of a form at most.
pub const MOST: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub column: String,
    /// As FetchXML names it: `eq`, `last-x-days`.
    pub operator: String,
    pub values: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    pub list: Vec<Condition>,
    /// One of them is enough.
    pub any: bool,
}

/// The conditions of the query that a form can show, and whether it has more
/// that narrows its rows.
///
/// # Errors
/// It is no query.
pub fn conditions(xml: &str) -> Result<(Conditions, bool), FetchError> {
    let fetch = xml::read(xml)?;
    let refuse = || FetchError::xml("The query is a <fetch> element that holds one <entity>.");
    let entity = fetch.children.into_iter().find(|c| c.name == "entity").ok_or_else(refuse)?;
    let table = super::source::table(entity.required("name")?)?;
    let filters: Vec<&Element> = entity.children.iter().filter(|c| c.name == "filter").collect();
    if let [only] = filters.as_slice()
        && is_any(only)
        && only.children.len() > 1
        && only.children.iter().all(|c| simple(table, c).is_some())
    {
        let list = only.children.iter().filter_map(|c| simple(table, c)).collect();
        return Ok((Conditions { list, any: true }, linked(&entity)));
    }
    let mut found = Conditions::default();
    let mut more = linked(&entity);
    for filter in filters {
        if !is_all(filter) {
            more = true;
            continue;
        }
        for child in &filter.children {
            match simple(table, child) {
                Some(condition) => found.list.push(condition),
                None => more = true,
            }
        }
    }
    Ok((found, more))
}

/// Puts these in the place of what [`conditions`] shows.
pub(super) fn replace(entity: &mut Element, table: &'static Table, wanted: &Conditions) -> Result<(), FetchError> {
    if wanted.list.len() > MOST {
        return Err(FetchError::invalid(format!("A form has {MOST} conditions at most.")));
    }
    let filters = entity.children.iter().filter(|c| c.name == "filter").count();
    for filter in entity.children.iter_mut().filter(|c| c.name == "filter") {
        let all_simple = filter.children.iter().all(|c| simple(table, c).is_some());
        if is_all(filter) || (filters == 1 && filter.children.len() > 1 && all_simple) {
            filter.children.retain(|c| simple(table, c).is_none());
        }
    }
    entity.children.retain(|c| c.name != "filter" || !c.children.is_empty());
    if wanted.list.is_empty() {
        return Ok(());
    }
    let mut filter = Element::new("filter").with("type", if wanted.any { "or" } else { "and" });
    for condition in &wanted.list {
        let (name, _) = super::source::column(table, &condition.column)?;
        let element = Element::new("condition").with("attribute", name).with("operator", condition.operator.as_str());
        filter.children.push(match condition.values.as_slice() {
            [one] if !takes_many(&condition.operator) => element.with("value", one.as_str()),
            many => {
                let value = |text: &String| Element { text: text.clone(), ..Element::new("value") };
                Element { children: many.iter().map(value).collect(), ..element }
            }
        });
    }
    entity.children.push(filter);
    Ok(())
}

fn takes_many(operator: &str) -> bool {
    matches!(operator, "in" | "not-in" | "between" | "not-between")
}

fn is_any(filter: &Element) -> bool {
    filter.get("type") == Some("or")
}

/// One that holds where all of its conditions do.
fn is_all(filter: &Element) -> bool {
    !is_any(filter) || filter.children.len() < 2
}

/// A condition on a column of the rows themselves.
fn simple(table: &'static Table, element: &Element) -> Option<Condition> {
    if element.name != "condition" || element.get("entityname").is_some() || element.get("valueof").is_some() {
        return None;
    }
    let (column, declared) = super::source::column(table, element.get("attribute")?).ok()?;
    // What is asked of the row as a whole is asked of its key.
    declared?;
    let operator = element.get("operator").filter(|word| super::operator::named(word).is_some())?.to_owned();
    let mut values: Vec<String> = element.get("value").map(str::to_owned).into_iter().collect();
    values.extend(element.children.iter().filter(|c| c.name == "value").map(|c| c.text.trim().to_owned()));
    Some(Condition { column: column.to_owned(), operator, values })
}

/// Rows without a partner go, or linked rows are narrowed.
fn linked(element: &Element) -> bool {
    element.children.iter().filter(|c| c.name == "link-entity").any(|link| {
        link.get("link-type") != Some("outer") || link.children.iter().any(|c| c.name == "filter") || linked(link)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetchxml::{Edit, edit, read};
    use crate::odata::Asker;
    use crate::show;

    fn view(inside: &str) -> String {
        format!("<fetch><entity name='mailbox'><attribute name='name' />{inside}</entity></fetch>")
    }

    fn line(conditions: &Conditions) -> String {
        let one = |c: &Condition| format!("{} {} {}", c.column, c.operator, c.values.join("+")).trim().to_owned();
        conditions.list.iter().map(one).collect::<Vec<_>>().join(if conditions.any { " | " } else { " & " })
    }

    #[track_caller]
    fn finds(inside: &str, expected: &str, more: bool) {
        let (found, rest) = conditions(&view(inside)).unwrap();
        assert_eq!((line(&found).as_str(), rest), (expected, more));
    }

    const ACTIVE: &str = "<condition attribute='statecode' operator='eq' value='0' />";
    const NAMED: &str = "<condition attribute='name' operator='like' value='a%' />";

    #[test]
    fn what_a_form_can_show() {
        finds("", "", false);
        finds(&format!("<filter>{ACTIVE}{NAMED}</filter>"), "statecode eq 0 & name like a%", false);
        finds(&format!("<filter type='or'>{ACTIVE}{NAMED}</filter>"), "statecode eq 0 | name like a%", false);
        finds(
            &format!("<filter>{ACTIVE}</filter><filter type='or'>{NAMED}</filter>"),
            "statecode eq 0 & name like a%",
            false,
        );
        finds(
            "<filter><condition attribute='mailboxstatus' operator='in'><value>1</value><value>2</value></condition></filter>",
            "mailboxstatus in 1+2",
            false,
        );
    }
    #[test]
    fn words_of_the_whole_row_stay() {
        let words = "<filter><condition attribute='mailboxid' operator='eq' value='00000000-0000-0000-0000-000000000001' /></filter>";
        finds(words, "", true);
        finds(&format!("{words}<filter>{ACTIVE}</filter>"), "statecode eq 0", true);
    }
    #[test]
    fn what_it_cannot() {
        finds(&format!("<filter>{ACTIVE}<filter type='or'>{NAMED}{ACTIVE}</filter></filter>"), "statecode eq 0", true);
        finds(&format!("<filter type='or'>{ACTIVE}{NAMED}</filter><filter>{NAMED}</filter>"), "name like a%", true);
        finds(
            "<link-entity name='emailserverprofile' from='emailserverprofileid' to='emailserverprofile' />",
            "",
            true,
        );
    }

    #[track_caller]
    fn replaces(inside: &str, any: bool, list: &[(&str, &str, &[&str])], expected: &str) {
        let one = |(column, operator, values): &(&str, &str, &[&str])| Condition {
            column: (*column).to_owned(),
            operator: (*operator).to_owned(),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        };
        let wanted = Conditions { list: list.iter().map(one).collect(), any };
        let xml = edit(&view(inside), &Edit { filter: Some(&wanted), ..Edit::default() }).unwrap();
        let fetch = read(&xml, &Asker::default()).expect(&xml);
        assert_eq!(show::fetch(&fetch), expected);
    }

    #[test]
    fn others_in_their_place() {
        let active = format!("<filter>{ACTIVE}</filter>");
        replaces(&active, false, &[("name", "begins-with", &["x"])], "mailbox(name) where name starts \"x\"");
        replaces(&active, false, &[], "mailbox(name)");
        replaces(
            &active,
            true,
            &[("statecode", "eq", &["1"]), ("emailserverprofile", "null", &[])],
            "mailbox(name) where (statecode = 1 or emailserverprofile is null)",
        );
        replaces(
            &format!("<filter>{NAMED}<filter type='or'>{NAMED}{ACTIVE}</filter></filter>"),
            false,
            &[("mailboxstatus", "in", &["2"])],
            "mailbox(name) where ((name like \"a%\" or statecode = 0) and mailboxstatus in 2)",
        );
        replaces(
            &format!("<filter type='or'>{ACTIVE}{NAMED}</filter>"),
            false,
            &[("statecode", "eq", &["1"])],
            "mailbox(name) where statecode = 1",
        );
    }
    #[test]
    fn a_condition_on_nothing() {
        let wanted = Conditions {
            list: vec![Condition { column: "nonsense".into(), operator: "eq".into(), values: vec!["1".into()] }],
            any: false,
        };
        assert!(edit(&view(""), &Edit { filter: Some(&wanted), ..Edit::default() }).is_err());
    }
}
