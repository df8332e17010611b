//! The query of a view as somebody looks at it: other columns, another order,
//! rows that hold a text, rows of one record. What comes out is a query like
//! any other; it can be kept as a view of one's own.

use std::collections::BTreeSet;

use model::table::Kind;
use model::{Table, tables};

use super::FetchError;
use super::conditions::{self, Conditions};
use super::xml::{self, Element};
use crate::odata::resolve;

/// Links that only serve an order are named so, and go with it.
pub const SORT: &str = "pr_sort_";
/// Words that are searched for, at most.
const MOST_WORDS: usize = 8;

/// What is to be different.
#[derive(Debug, Clone, Default)]
pub struct Edit<'a> {
    /// Columns instead of those that the query names; one of a link is
    /// `alias.column`. Empty: as they are.
    pub columns: Vec<&'a str>,
    /// Sorted by these columns, the first counting most, and whether
    /// downwards; a lookup by the name of its row. Empty: as it is.
    pub sort: Vec<(&'a str, bool)>,
    /// In the place of the conditions that a form can show; see
    /// [`conditions`](super::conditions).
    pub filter: Option<&'a Conditions>,
    /// Tables that may not be read; a lookup is not sorted by their names.
    pub unreadable: Vec<&'a str>,
    /// Every word of the text stands in one of the columns; `*` is any text. In
    /// a table whose words an index knows: begins a word of the row.
    pub find: &'a str,
    pub find_in: &'a [&'a str],
    /// A column has this value; empty: none. Of a lookup or choice it may be
    /// one of several, with commas between them.
    pub only: Vec<(&'a str, &'a str)>,
}

/// The query with what is different. Its pages are not its own any more.
///
/// # Errors
/// It is no query, or a column is named that is not there.
pub fn edit(xml: &str, edit: &Edit<'_>) -> Result<String, FetchError> {
    let mut fetch = xml::read(xml)?;
    let refuse = || FetchError::xml("The query is a <fetch> element that holds one <entity>.");
    if fetch.name != "fetch" {
        return Err(refuse());
    }
    fetch.attributes.retain(|(name, _)| {
        !matches!(name.as_str(), "page" | "count" | "paging-cookie" | "returntotalrecordcount" | "getcount")
    });
    let entity = fetch.children.iter_mut().find(|c| c.name == "entity").ok_or_else(refuse)?;
    let table = super::source::table(entity.required("name")?)?;
    if !edit.sort.is_empty() {
        forget_order(entity);
        for (column, descending) in &edit.sort {
            sort(entity, table, column, *descending, &edit.unreadable)?;
        }
    }
    if let Some(filter) = edit.filter {
        conditions::replace(entity, table, filter)?;
    }
    if !edit.columns.is_empty() {
        columns(entity, table, &edit.columns)?;
    }
    entity.children.extend(found(table, edit)?);
    entity.children.extend(only(table, &edit.only)?);
    let mut out = String::new();
    fetch.write(&mut out);
    Ok(out)
}

fn forget_order(element: &mut Element) {
    element.children.retain(|child| child.name != "order" && !is_sort(child));
    element.children.iter_mut().filter(|c| c.name == "link-entity").for_each(forget_order);
}

/// A link that only serves an order.
fn is_sort(element: &Element) -> bool {
    element.name == "link-entity" && element.get("alias").is_some_and(|alias| alias.starts_with(SORT))
}

/// The link under this name, wherever it hangs.
fn link<'a>(element: &'a mut Element, alias: &str) -> Option<&'a mut Element> {
    for child in element.children.iter_mut().filter(|c| c.name == "link-entity") {
        if child.get("alias") == Some(alias) {
            return Some(child);
        }
        if let Some(found) = link(child, alias) {
            return Some(found);
        }
    }
    None
}

fn linked<'a>(entity: &'a mut Element, alias: &str) -> Result<(&'a mut Element, &'static Table), FetchError> {
    let missing = || FetchError::invalid(format!("The view has no link '{}'.", crate::odata::excerpt(alias)));
    let link = link(entity, alias).ok_or_else(missing)?;
    let table = super::source::table(link.required("name")?)?;
    Ok((link, table))
}

fn sort(
    entity: &mut Element,
    table: &'static Table,
    column: &str,
    descending: bool,
    unreadable: &[&str],
) -> Result<(), FetchError> {
    // All of them stand at the root, where the order among them counts.
    let order = |of: &str, name: &str| {
        let order = Element::new("order");
        let order = if of.is_empty() { order } else { order.with("entityname", of) };
        order.with("attribute", name).with("descending", if descending { "true" } else { "false" })
    };
    if let Some((alias, column)) = column.split_once('.') {
        let (_, table) = linked(entity, alias)?;
        let (name, _) = super::source::column(table, column)?;
        entity.children.push(order(alias, name));
        return Ok(());
    }
    let (name, declared) = super::source::column(table, column)?;
    let Some(Kind::Lookup(targets)) = declared.map(|c| c.kind) else {
        entity.children.push(order("", name));
        return Ok(());
    };
    // By what people see, which is the name.
    let mut number = entity.children.iter().filter(|c| is_sort(c)).count();
    for target in targets.iter().filter(|t| !unreadable.contains(t)) {
        let Some(target) = tables::by_logical_name(target).filter(|t| t.on_wire) else { continue };
        let Some(shown) = target.name else { continue };
        let alias = format!("{SORT}{number}");
        number += 1;
        entity.children.push(order(&alias, shown));
        entity.children.push(
            Element::new("link-entity")
                .with("name", target.logical)
                .with("from", target.id)
                .with("to", name)
                .with("alias", alias)
                .with("link-type", "outer"),
        );
    }
    Ok(())
}

/// The root's columns become these; those of links are added to their links.
fn columns(entity: &mut Element, table: &'static Table, wanted: &[&str]) -> Result<(), FetchError> {
    entity.children.retain(|c| !matches!(c.name.as_str(), "attribute" | "all-attributes" | "no-attrs"));
    let attribute = |name: &str| Element::new("attribute").with("name", name);
    let mut own = vec![table.id];
    for column in wanted {
        if let Some((alias, column)) = column.split_once('.') {
            let (link, table) = linked(entity, alias)?;
            let (name, _) = super::source::column(table, column)?;
            let there =
                |c: &Element| c.name == "all-attributes" || (c.name == "attribute" && c.get("name") == Some(name));
            if !link.children.iter().any(there) {
                link.children.insert(0, attribute(name));
            }
            continue;
        }
        own.push(super::source::column(table, column)?.0);
    }
    let mut seen = BTreeSet::new();
    own.retain(|name| seen.insert(*name));
    entity.children.splice(0..0, own.into_iter().map(attribute));
    Ok(())
}

/// For every word a filter: it stands in one of the columns. Where an index
/// knows the words of the rows, it is asked for all of them.
fn found(table: &'static Table, edit: &Edit<'_>) -> Result<Vec<Element>, FetchError> {
    let mut filters = Vec::new();
    if !table.words.is_empty() && !edit.find.trim().is_empty() {
        let condition = Element::new("condition")
            .with("attribute", table.id)
            .with("operator", "pr-words")
            .with("value", edit.find.trim());
        filters.push(Element { children: vec![condition], ..Element::new("filter") });
        return Ok(filters);
    }
    for word in edit.find.split_whitespace().take(MOST_WORDS) {
        let mut filter = Element::new("filter").with("type", "or");
        for column in edit.find_in {
            let (name, _) = super::source::column(table, column)?;
            filter.children.push(
                Element::new("condition")
                    .with("attribute", name)
                    .with("operator", "like")
                    .with("value", format!("%{}%", pattern(word))),
            );
        }
        if !filter.children.is_empty() {
            filters.push(filter);
        }
    }
    Ok(filters)
}

/// The word as a pattern that matches itself.
fn pattern(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '*' => out.push('%'),
            '%' | '_' | '[' => out.extend(['[', c, ']']),
            _ => out.push(c),
        }
    }
    out
}

fn only(table: &'static Table, only: &[(&str, &str)]) -> Result<Option<Element>, FetchError> {
    if only.is_empty() {
        return Ok(None);
    }
    let mut filter = Element::new("filter").with("type", "and");
    for (column, value) in only {
        let (name, declared) = super::source::column(table, column)?;
        let condition = Element::new("condition").with("attribute", name);
        let value = match (declared.map(|c| c.kind), *value) {
            (Some(Kind::Bool), "true") => "1",
            (Some(Kind::Bool), "false") => "0",
            (_, other) => other,
        };
        let many = matches!(declared.map(|c| c.kind), Some(Kind::Lookup(_) | Kind::Choice(_))) && value.contains(',');
        filter.children.push(if value.is_empty() {
            condition.with("operator", "null")
        } else if many {
            let one = |v: &str| Element { text: v.trim().to_owned(), ..Element::new("value") };
            Element { children: value.split(',').map(one).collect(), ..condition.with("operator", "in") }
        } else {
            condition.with("operator", "eq").with("value", value)
        });
    }
    Ok(Some(filter))
}

/// The columns that a quick find looks at: the name, addresses, and what else
/// people know a row by.
pub fn quick_find(table: &'static Table) -> Vec<&'static str> {
    let more: &[&str] = match table.logical {
        "account" => &["accountnumber", "telephone1"],
        "contact" => &["jobtitle", "telephone1", "mobilephone"],
        "lead" => &["subject", "companyname", "telephone1", "mobilephone"],
        "email" => &["sender", "torecipients"],
        "queueitem" => &["sender", "torecipients"],
        "systemuser" => &["domainname"],
        "emailserverprofile" => &["incomingserverlocation", "outgoingserverlocation"],
        "tracelog" => &["errortypedisplay"],
        "pr_audit" => &["pr_table", "pr_door", "pr_remoteaddress"],
        "pr_ledgerentry" => &["pr_from", "pr_messageid"],
        _ => &[],
    };
    let addresses = table.columns.iter().filter(|c| matches!(c.kind, Kind::Email { .. })).map(|c| c.name);
    let mut all: Vec<&'static str> = table.name.into_iter().chain(addresses).chain(more.iter().copied()).collect();
    let mut seen = BTreeSet::new();
    all.retain(|name| seen.insert(*name) && resolve::attribute(table, name).is_some());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::Asker;
    use crate::show;

    const VIEW: &str = "<fetch version='1.0' page='3' count='2'><entity name='mailbox'><attribute name='name' />\
        <order attribute='name' descending='false' />\
        <filter><condition attribute='statecode' operator='eq' value='0' /></filter>\
        <link-entity name='emailserverprofile' from='emailserverprofileid' to='emailserverprofile' alias='p' link-type='outer'>\
        <order attribute='name' /></link-entity></entity></fetch>";

    #[track_caller]
    fn check(change: &Edit<'_>, expected: &str) {
        let xml = edit(VIEW, change).unwrap();
        let fetch = crate::fetchxml::read(&xml, &Asker::default()).expect(&xml);
        assert_eq!(show::fetch(&fetch), expected);
        // What it wrote it reads, and writes again.
        assert_eq!(edit(&xml, &Edit::default()).unwrap(), xml);
    }

    #[test]
    fn nothing_but_its_pages() {
        check(
            &Edit::default(),
            "mailbox(name) where statecode = 0 + outer p [emailserverprofileid = emailserverprofile: emailserverprofile()] by name by p.name",
        );
    }
    #[test]
    fn other_columns() {
        check(
            &Edit { columns: vec!["emailaddress", "p.servertype", "emailaddress"], ..Edit::default() },
            "mailbox(mailboxid,emailaddress) where statecode = 0 + outer p [emailserverprofileid = emailserverprofile: emailserverprofile(servertype as p.servertype)] by name by p.name",
        );
    }
    #[test]
    fn another_order() {
        check(
            &Edit { sort: vec![("emailaddress", true)], ..Edit::default() },
            "mailbox(name) where statecode = 0 + outer p [emailserverprofileid = emailserverprofile: emailserverprofile()] by emailaddress desc",
        );
        check(
            &Edit { sort: vec![("p.servertype", false)], ..Edit::default() },
            "mailbox(name) where statecode = 0 + outer p [emailserverprofileid = emailserverprofile: emailserverprofile()] by p.servertype",
        );
    }
    #[test]
    fn an_order_within_another() {
        let two = edit(VIEW, &Edit { sort: vec![("emailserverprofile", false), ("name", true)], ..Edit::default() });
        let xml = two.unwrap();
        let fetch = crate::fetchxml::read(&xml, &Asker::default()).expect(&xml);
        let shown = show::fetch(&fetch);
        assert!(shown.ends_with("by pr_sort_0.name by name desc"), "{shown}");
        let lookups =
            edit(&xml, &Edit { sort: vec![("emailserverprofile", true), ("ownerid", false)], ..Edit::default() });
        let xml = lookups.unwrap();
        let shown = show::fetch(&crate::fetchxml::read(&xml, &Asker::default()).expect(&xml));
        assert!(shown.ends_with("by pr_sort_0.name desc by pr_sort_1.fullname by pr_sort_2.name"), "{shown}");
    }
    #[test]
    fn a_lookup_is_sorted_by_the_names() {
        let by_owner = Edit { sort: vec![("ownerid", false)], ..Edit::default() };
        check(
            &by_owner,
            "mailbox(name) where statecode = 0 + outer p [emailserverprofileid = emailserverprofile: emailserverprofile()] \
             + outer pr_sort_0 [systemuserid = ownerid: systemuser()] + outer pr_sort_1 [teamid = ownerid: team()] \
             by pr_sort_0.fullname by pr_sort_1.name",
        );
        let again = edit(VIEW, &by_owner).unwrap();
        let other = edit(&again, &Edit { sort: vec![("name", false)], ..Edit::default() }).unwrap();
        assert!(!other.contains("pr_sort_"), "{other}");
        let without = Edit { unreadable: vec!["team"], ..by_owner };
        assert!(!edit(VIEW, &without).unwrap().contains("team"));
    }
    #[test]
    fn words() {
        check(
            &Edit { find: " 100%  a*b ", find_in: &["name", "emailaddress"], ..Edit::default() },
            "mailbox(name) where (statecode = 0 and (name like \"%100[%]%\" or emailaddress like \"%100[%]%\") and \
             (name like \"%a%b%\" or emailaddress like \"%a%b%\")) \
             + outer p [emailserverprofileid = emailserverprofile: emailserverprofile()] by name by p.name",
        );
    }
    #[test]
    fn words_that_an_index_knows() {
        let view = "<fetch><entity name='email'><attribute name='subject'/></entity></fetch>";
        let change = Edit { find: " a*b <Ä> ", find_in: &["subject", "sender"], ..Edit::default() };
        let xml = edit(view, &change).unwrap();
        let fetch = crate::fetchxml::read(&xml, &Asker::default()).expect(&xml);
        assert_eq!(show::fetch(&fetch), "email(subject) where activityid has words \"a*b <Ä>\"");
        let change = Edit { find: "  ", ..change };
        assert!(!edit(view, &change).unwrap().contains("pr-words"));
    }
    #[test]
    fn rows_of_one_record() {
        check(
            &Edit { only: vec![("isforwardmailbox", "true"), ("emailserverprofile", "")], ..Edit::default() },
            "mailbox(name) where (statecode = 0 and (isforwardmailbox = true and emailserverprofile is null)) \
             + outer p [emailserverprofileid = emailserverprofile: emailserverprofile()] by name by p.name",
        );
        check(
            &Edit { only: vec![("mailboxstatus", "1,2")], ..Edit::default() },
            "mailbox(name) where (statecode = 0 and mailboxstatus in 1,2) \
             + outer p [emailserverprofileid = emailserverprofile: emailserverprofile()] by name by p.name",
        );
    }
    #[test]
    fn what_is_not_there() {
        for change in [
            Edit { columns: vec!["nonsense"], ..Edit::default() },
            Edit { columns: vec!["password"], ..Edit::default() },
            Edit { columns: vec!["q.name"], ..Edit::default() },
            Edit { sort: vec![("nonsense", false)], ..Edit::default() },
            Edit { only: vec![("nonsense", "1")], ..Edit::default() },
        ] {
            assert!(edit(VIEW, &change).is_err(), "{change:?}");
        }
        assert!(edit("<html/>", &Edit::default()).is_err());
        assert!(edit("<fetch/>", &Edit::default()).is_err());
    }
    #[test]
    fn text_is_escaped() {
        let xml = edit(VIEW, &Edit { find: "\"<&>'", find_in: &["name"], ..Edit::default() }).unwrap();
        let fetch = crate::fetchxml::read(&xml, &Asker::default()).unwrap();
        assert!(show::fetch(&fetch).contains("%\\\"<&>'%"), "{}", show::fetch(&fetch));
    }
    #[test]
    fn every_table_is_found_by_something() {
        for table in tables::on_wire().filter(|t| t.name.is_some()) {
            assert!(!quick_find(table).is_empty(), "{}", table.logical);
        }
    }
}
