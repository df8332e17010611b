//! Queries of one line each; and that nothing makes the reader panic.

use proptest::prelude::*;

use super::*;
use crate::show;

fn asker() -> Asker {
    let id = model::Id::from_u128;
    Asker {
        now: Some("2026-03-31T12:30:00Z".parse().unwrap()),
        user: Some(id(7)),
        unit: Some(id(2)),
        teams: vec![id(8), id(9)],
        language: Some(1033),
        units: vec![(id(1), None), (id(2), Some(id(1))), (id(3), Some(id(2)))],
    }
}

fn read_line(xml: &str) -> String {
    match read(xml, &asker()) {
        Ok(fetch) => show::fetch(&fetch),
        Err(error) => format!("{:?}: {}", error.kind, error.message),
    }
}

#[track_caller]
fn check(xml: &str, expected: &str) {
    assert_eq!(read_line(xml), expected, "{xml}");
}
/// In `<fetch><entity name='queue'>…`.
#[track_caller]
fn queue(inner: &str, expected: &str) {
    check(
        &format!("<fetch><entity name='queue'><attribute name='name'/>{inner}</entity></fetch>"),
        &format!("queue(name){expected}"),
    );
}
/// One condition on a mailbox, in FetchXML's words after `<condition `.
#[track_caller]
fn condition(attributes: &str, expected: &str) {
    let inner = format!(
        "<fetch><entity name='mailbox'><attribute name='name'/><filter><condition {attributes}/></filter></entity></fetch>"
    );
    check(&inner, &format!("mailbox(name) where {expected}"));
}
#[track_caller]
fn refused(xml: &str, kind: FetchErrorKind, words: &str) {
    let error = read(xml, &asker()).expect_err(xml);
    assert_eq!(error.kind, kind, "{xml}: {error}");
    assert!(error.message.contains(words), "{xml}: {error}");
}
/// The same for what stands in `<entity name='mailbox'>`.
#[track_caller]
fn refused_in(inner: &str, kind: FetchErrorKind, words: &str) {
    refused(&format!("<fetch><entity name='mailbox'>{inner}</entity></fetch>"), kind, words);
}
#[track_caller]
fn bad_condition(attributes: &str, words: &str) {
    refused_in(&format!("<filter><condition {attributes}/></filter>"), FetchErrorKind::Invalid, words);
}
use FetchErrorKind::{Invalid, InvalidXml, NoAttribute, NoEntity};

#[test]
fn attributes() {
    queue("", "");
    check("<fetch><entity name='queue'><attribute name='name' alias=''/></entity></fetch>", "queue(name)");
}

#[test]
fn names_in_the_answer() {
    check(
        "<fetch><entity name='queue'><attribute name='ownerid'/></entity></fetch>",
        "queue(ownerid as _ownerid_value)",
    );
    check("<fetch><entity name='queue'><attribute name='ownerid' alias='o'/></entity></fetch>", "queue(ownerid as o)");
    check("<fetch><entity name='queue'><attribute name='queueid'/></entity></fetch>", "queue(queueid)");
    check(
        "<fetch><entity name='queue'><attribute name='name'/><attribute name='name'/></entity></fetch>",
        "queue(name)",
    );
}
#[test]
fn all_columns() {
    let all = read_line("<fetch><entity name='team'><all-attributes/></entity></fetch>");
    assert_eq!(all, read_line("<fetch><entity name='team'/></fetch>"));
    assert!(all.starts_with("team(teamid,name,businessunitid as _businessunitid_value,"), "{all}");
    assert!(!read_line("<fetch><entity name='mailbox'/></fetch>").contains("password,"));
}
#[test]
fn rows_wanted() {
    check("<fetch top='3'><entity name='queue'><attribute name='name'/></entity></fetch>", "queue(name) top 3");
    check(
        "<fetch count='3' page='2'><entity name='queue'><attribute name='name'/></entity></fetch>",
        "queue(name) page 2 of 3",
    );
    check("<fetch count='9999'><entity name='queue'><attribute name='name'/></entity></fetch>", "queue(name)");
    check(
        "<fetch distinct='1' returntotalrecordcount='true'><entity name='queue'><attribute name='name'/></entity></fetch>",
        "queue(name) distinct total",
    );
    refused("<fetch top='0'><entity name='queue'/></fetch>", Invalid, "'top'");
    refused("<fetch top='5001'><entity name='queue'/></fetch>", Invalid, "5000");
    refused("<fetch top='1' page='2'><entity name='queue'/></fetch>", Invalid, "together");
    refused("<fetch page='x'><entity name='queue'/></fetch>", Invalid, "'page'");
    refused("<fetch distinct='maybe'><entity name='queue'/></fetch>", InvalidXml, "true or false");
}
#[test]
fn order() {
    queue("<order attribute='name'/>", " by name");
    queue("<order attribute='name' descending='true'/><order attribute='queueid'/>", " by name desc by queueid");
    refused_in("<order/>", InvalidXml, "<order> needs");
    refused_in("<order attribute='x'/>", NoAttribute, "'x'");
    refused_in("<order alias='x'/>", Invalid, "sorted by 'x'");
}
#[test]
fn filters() {
    let a = "<condition attribute='name' operator='null'/>";
    let b = "<condition attribute='queueid' operator='not-null'/>";
    queue(&format!("<filter>{a}</filter>"), " where name is null");
    queue(&format!("<filter>{a}{b}</filter>"), " where (name is null and not queueid is null)");
    queue(&format!("<filter type='or'>{a}{b}</filter>"), " where (name is null or not queueid is null)");
    queue(
        &format!("<filter>{a}<filter type='or'>{b}{a}</filter></filter>"),
        " where (name is null and (not queueid is null or name is null))",
    );
    queue(&format!("<filter>{a}</filter><filter>{b}</filter>"), " where (name is null and not queueid is null)");
    queue("<filter/>", "");
    refused_in("<filter type='xor'/>", InvalidXml, "and or or");
    refused_in("<filter><attribute name='x'/></filter>", InvalidXml, "cannot stand");
}
#[test]
fn comparisons() {
    condition("attribute='name' operator='eq' value='x'", "name = \"x\"");
    condition("attribute='name' operator='ne' value=''", "name <> \"\"");
    condition("attribute='name' operator='neq' value='&lt;&#65;&amp;'", "name <> \"<A&\"");
    condition("attribute='statecode' operator='eq' value='0'", "statecode = 0");
    condition("attribute='isforwardmailbox' operator='eq' value='1'", "isforwardmailbox = true");
    condition("attribute='isforwardmailbox' operator='eq' value='False'", "isforwardmailbox = false");
    condition("attribute='createdon' operator='gt' value='2024-01-01'", "createdon > 2024-01-01T00:00:00Z");
    condition("attribute='createdon' operator='le' value='2024-01-01T10:00:00'", "createdon <= 2024-01-01T10:00:00Z");
    condition(
        "attribute='createdon' operator='lt' value='2024-01-01T10:00:00+02:00'",
        "createdon < 2024-01-01T08:00:00Z",
    );
    condition("column='versionnumber' operator='ge' value='5'", "versionnumber >= 5");
    condition(
        "attribute='mailboxid' operator='eq' value='{00000000-0000-0000-0000-00000000000A}' uiname='x' uitype='mailbox'",
        "mailboxid = 00000000-0000-0000-0000-00000000000a",
    );
    condition(
        "attribute='emailserverprofile' operator='eq' value='00000000-0000-0000-0000-00000000000a'",
        "emailserverprofile = emailserverprofile(00000000-0000-0000-0000-00000000000a)",
    );
    condition("attribute='name' operator='ne' valueof='emailaddress'", "name <> emailaddress");
}
#[test]
fn comparisons_that_make_no_sense() {
    bad_condition("attribute='statecode' operator='eq' value='Active'", "number of an option");
    bad_condition("attribute='createdon' operator='eq' value='soon'", "a date such as");
    bad_condition("attribute='mailboxid' operator='eq' value='x'", "a GUID");
    bad_condition("attribute='mailboxid' operator='gt' value='00000000-0000-0000-0000-00000000000a'", "no order");
    bad_condition("attribute='isforwardmailbox' operator='lt' value='1'", "no order");
    bad_condition("attribute='name' operator='eq'", "takes one value");
    bad_condition("attribute='name' operator='null' value='x'", "takes no value");
    bad_condition("attribute='name' operator='is' value='x'", "no operator 'is'");
    bad_condition("attribute='name' operator='eq' valueof='statecode'", "cannot be compared");
    bad_condition("attribute='name' operator='like' valueof='emailaddress'", "'valueof' goes with");
    bad_condition("attribute='name' operator='eq' valueof='x.name'", "no <link-entity> with the alias 'x'");
    bad_condition("entityname='x' attribute='name' operator='null'", "no <link-entity> with the alias 'x'");
    bad_condition("attribute='name' operator='eq' value='x' aggregate='count'", "aggregates are not filtered");
    refused_in("<filter><condition attribute='nothing' operator='null'/></filter>", NoAttribute, "Name = 'nothing'");
    refused_in("<filter><condition attribute='password' operator='null'/></filter>", NoAttribute, "password");
    refused_in("<filter><condition operator='null'/></filter>", InvalidXml, "'attribute'");
    refused_in("<filter><condition attribute='name'/></filter>", InvalidXml, "'operator'");
}
#[test]
fn texts() {
    condition("attribute='name' operator='like' value='%a_[bc]%'", "name like \"%a_[bc]%\"");
    condition("attribute='name' operator='not-like' value='a%'", "not name like \"a%\"");
    condition("attribute='name' operator='begins-with' value='a%'", "name starts \"a%\"");
    condition("attribute='name' operator='not-begin-with' value='a'", "not name starts \"a\"");
    condition("attribute='name' operator='ends-with' value='a'", "name ends \"a\"");
    condition("attribute='name' operator='not-end-with' value='a'", "not name ends \"a\"");
    bad_condition("attribute='statecode' operator='like' value='a'", "no text");
    bad_condition(&format!("attribute='name' operator='like' value='{}'", "%a".repeat(50)), "wild cards");
}
#[test]
fn lists() {
    let list = |operator: &str| {
        format!(
            "attribute='statecode' operator='{operator}'><value>0</value><value uitype='x'> 1 </value></condition><condition attribute='name' operator='null'"
        )
    };
    condition(&list("in"), "(statecode in 0,1 and name is null)");
    condition(&list("not-in"), "(not statecode in 0,1 and name is null)");
    condition(&list("contain-values"), "(statecode in 0,1 and name is null)");
    condition(&list("not-contain-values"), "(not statecode in 0,1 and name is null)");
    let between = "attribute='createdon' operator='OP'><value>2024-01-01</value><value>2024-01-02</value></condition><condition attribute='name' operator='null'";
    condition(
        &between.replace("OP", "between"),
        "((createdon >= 2024-01-01T00:00:00Z and createdon <= 2024-01-02T00:00:00Z) and name is null)",
    );
    bad_condition("attribute='name' operator='in'", "a list of values");
    bad_condition("attribute='name' operator='contain-values' value='1'", "works on choices");
    bad_condition("attribute='createdon' operator='between' value='2024-01-01'", "two values");
}
#[test]
fn dates() {
    condition(
        "attribute='createdon' operator='today'",
        "(createdon >= 2026-03-31T00:00:00Z and createdon < 2026-04-01T00:00:00Z)",
    );
    condition(
        "attribute='createdon' operator='on' value='2026-03-30'",
        "(createdon >= 2026-03-30T00:00:00Z and createdon < 2026-03-31T00:00:00Z)",
    );
    condition("attribute='createdon' operator='on-or-after' value='2026-03-30'", "createdon >= 2026-03-30T00:00:00Z");
    condition("attribute='createdon' operator='on-or-before' value='2026-03-30'", "createdon < 2026-03-31T00:00:00Z");
    condition(
        "attribute='createdon' operator='last-x-hours' value='2'",
        "(createdon >= 2026-03-31T10:30:00Z and createdon < 2026-03-31T12:30:00Z)",
    );
    condition(
        "attribute='createdon' operator='next-x-years' value='1'",
        "(createdon >= 2026-03-31T12:30:00Z and createdon < 2027-03-31T12:30:00Z)",
    );
    condition("attribute='createdon' operator='olderthan-x-minutes' value='30'", "createdon < 2026-03-31T12:00:00Z");
    condition(
        "attribute='createdon' operator='this-week'",
        "(createdon >= 2026-03-29T00:00:00Z and createdon < 2026-04-05T00:00:00Z)",
    );
    bad_condition("attribute='createdon' operator='last-x-days' value='0'", "1 to 100000");
    bad_condition("attribute='createdon' operator='last-x-days'", "1 to 100000");
    bad_condition("attribute='createdon' operator='today' value='1'", "takes no value");
    bad_condition("attribute='name' operator='today'", "holds no date");
    bad_condition("attribute='createdon' operator='this-fiscal-year'", "no fiscal calendar");
    bad_condition("attribute='createdon' operator='on' value='x'", "takes a date");
}
#[test]
fn every_operator_is_known_to_both_languages() {
    for (fetch, odata) in operator::CRM {
        for attribute in ["createdon", "statecode", "ownerid"] {
            let xml = format!(
                "<fetch><entity name='mailbox'><filter><condition attribute='{attribute}' operator='{fetch}' value='1'/></filter></entity></fetch>"
            );
            let said = read_line(&xml);
            assert!(
                !said.contains("There is no operator") && !said.ends_with("': is not supported."),
                "{fetch} {odata}: {said}"
            );
        }
    }
}
#[test]
fn words() {
    condition("attribute='name' operator='pr-words' value='a b'", "name has words \"a b\"");
    condition("attribute='name' operator='pr-not-words' value='a'", "not name has words \"a\"");
    bad_condition("attribute='mailboxid' operator='pr-words' value='a'", "name a column");
    bad_condition("attribute='statecode' operator='pr-words' value='a'", "holds no text");
}
#[test]
fn oneself() {
    condition("attribute='ownerid' operator='eq-userid'", "ownerid = 00000000-0000-0000-0000-000000000007");
    condition("attribute='ownerid' operator='ne-userid'", "ownerid <> 00000000-0000-0000-0000-000000000007");
    condition(
        "attribute='ownerid' operator='eq-userteams'",
        "ownerid in 00000000-0000-0000-0000-000000000008,00000000-0000-0000-0000-000000000009",
    );
    condition(
        "attribute='ownerid' operator='eq-useroruserteams'",
        "ownerid in 00000000-0000-0000-0000-000000000008,00000000-0000-0000-0000-000000000009,00000000-0000-0000-0000-000000000007",
    );
    bad_condition("attribute='name' operator='eq-userid'", "lookups and ids");
    bad_condition("attribute='name' operator='eq-userteams'", "lookups and ids");
    bad_condition("attribute='ownerid' operator='eq-useroruserhierarchy'", "no managers");
    let unit = |operator: &str| {
        read_line(&format!(
            "<fetch><entity name='systemuser'><attribute name='fullname'/><filter><condition attribute='businessunitid' operator='{operator}'/></filter></entity></fetch>"
        ))
    };
    assert!(unit("eq-businessid").contains("businessunitid = businessunit(00000000-0000-0000-0000-000000000002)"));
    assert!(unit("ne-businessid").contains("<>"));
}
#[test]
fn the_tree_of_business_units() {
    let unit = |operator: &str, n: u128| {
        let line = read_line(&format!(
            "<fetch><entity name='businessunit'><attribute name='name'/><filter><condition attribute='businessunitid' operator='{operator}' value='{}'/></filter></entity></fetch>",
            model::Id::from_u128(n)
        ));
        line.replace("00000000-0000-0000-0000-00000000000", "").replace("businessunit(name) where businessunitid ", "")
    };
    assert_eq!(unit("under", 1), "in 2,3");
    assert_eq!(unit("eq-or-under", 2), "in 3,2");
    assert_eq!(unit("above", 3), "in 2,1");
    assert_eq!(unit("eq-or-above", 3), "in 2,1,3");
    assert_eq!(unit("under", 3), "in ");
    assert!(unit("not-under", 2).ends_with("not businessunitid in 3"));
    bad_condition(
        "attribute='ownerid' operator='under' value='00000000-0000-0000-0000-000000000001'",
        "no other table",
    );
}
#[test]
fn links() {
    queue(
        "<link-entity name='mailbox' from='regardingobjectid' to='queueid' alias='m'><attribute name='name'/><attribute name='emailserverprofile'/></link-entity>",
        " + inner m [regardingobjectid = queueid: mailbox(name as m.name,emailserverprofile as m.emailserverprofile)]",
    );
    queue(
        "<link-entity name='mailbox' to='defaultmailbox' link-type='outer'/>",
        " + outer mailbox1 [mailboxid = defaultmailbox: mailbox()]",
    );
    queue(
        "<link-entity name='mailbox' from='regardingobjectid'/>",
        " + inner mailbox1 [regardingobjectid = queueid: mailbox()]",
    );
    queue(
        "<link-entity name='mailbox' from='regardingobjectid' link-type='matchfirstrowusingcrossapply'><link-entity name='systemuser' to='ownerid'/></link-entity><link-entity name='team' to='ownerid'/>",
        " + first mailbox1 [regardingobjectid = queueid: mailbox() + inner systemuser2 [systemuserid = ownerid: systemuser()]] + inner team3 [teamid = ownerid: team()]",
    );
    queue(
        "<link-entity name='mailbox' from='regardingobjectid' alias='m'><order attribute='name'/><filter><condition attribute='statecode' operator='eq' value='0'/></filter></link-entity><order attribute='name'/>",
        " + inner m [regardingobjectid = queueid: mailbox() where statecode = 0] by name by m.name",
    );
}
#[test]
fn links_that_make_no_sense() {
    refused_in("<link-entity name='mailbox'/>", InvalidXml, "needs 'from'");
    refused_in("<link-entity from='x' to='y'/>", InvalidXml, "'name'");
    refused_in("<link-entity name='pr_login' to='ownerid'/>", NoEntity, "pr_login");
    refused_in("<link-entity name='team' from='x' to='ownerid'/>", NoAttribute, "'x'");
    refused_in("<link-entity name='team' to='x'/>", NoAttribute, "'x'");
    refused_in("<link-entity name='team' from='name' to='ownerid'/>", Invalid, "different types");
    refused_in("<link-entity name='team' to='ownerid' link-type='cross'/>", InvalidXml, "no link-type 'cross'");
    refused_in("<link-entity name='team' to='ownerid' alias='a b'/>", Invalid, "letters, digits");
    refused_in("<link-entity name='team' to='ownerid' alias=\"a&quot;;--\"/>", Invalid, "letters, digits");
    refused_in(
        "<link-entity name='team' to='ownerid' alias='a'/><link-entity name='team' to='ownerid' alias='a'/>",
        Invalid,
        "given twice",
    );
    refused_in(&"<link-entity name='team' to='ownerid'/>".repeat(16), Invalid, "more than 15");
    let deep =
        format!("{}{}", "<link-entity name='systemuser' to='createdby'>".repeat(40), "</link-entity>".repeat(40));
    refused_in(&deep, InvalidXml, "too deeply");
}
#[test]
fn whether_rows_are_there() {
    let linked = |kind: &str| {
        format!(
            "<filter><link-entity name='mailbox' from='regardingobjectid' to='queueid' link-type='{kind}'><filter><condition attribute='name' operator='null'/></filter></link-entity></filter>"
        )
    };
    let line = "linked [regardingobjectid = queueid: mailbox() where name is null]";
    queue(&linked("any"), &format!(" where {line}"));
    queue(&linked("not all"), &format!(" where {line}"));
    queue(&linked("not any"), &format!(" where not {line}"));
    queue(&linked("all"), &format!(" where (linked [regardingobjectid = queueid: mailbox()] and not {line})"));
    queue(
        &linked("exists").replace("<filter><link", "<link").replace("entity></filter>", "entity>"),
        &format!(" where {line}"),
    );
    refused_in(&linked("inner").replace("queueid", "mailboxid"), Invalid, "in a <filter>");
    refused_in(
        &linked("any")
            .replace("queueid", "mailboxid")
            .replace("<filter><condition", "<attribute name='name'/><filter><condition"),
        Invalid,
        "no <attribute>",
    );
}
#[test]
fn conditions_on_links() {
    let link = "<link-entity name='mailbox' from='regardingobjectid' to='queueid' alias='m'/>";
    queue(
        &format!("<filter><condition entityname='m' attribute='name' operator='null'/></filter>{link}"),
        " where m[name is null] + inner m [regardingobjectid = queueid: mailbox()]",
    );
    queue(
        &format!("<filter><condition entityname='mailbox' attribute='name' operator='null'/></filter>{link}"),
        " where m[name is null] + inner m [regardingobjectid = queueid: mailbox()]",
    );
    queue(
        &format!("<filter><condition attribute='name' operator='eq' valueof='m.name'/></filter>{link}"),
        " where .name = m.name + inner m [regardingobjectid = queueid: mailbox()]",
    );
    queue(
        &format!("{link}<order entityname='m' attribute='name'/>"),
        " + inner m [regardingobjectid = queueid: mailbox()] by m.name",
    );
    let inside = "<link-entity name='mailbox' from='regardingobjectid' alias='m'><filter><condition entityname='o' attribute='name' operator='null'/></filter></link-entity><link-entity name='team' to='ownerid' alias='o'/>";
    refused_in(&inside.replace("regardingobjectid", "mailboxid"), Invalid, "Move it to the <filter>");
}
#[test]
fn aggregates() {
    let of = |inner: &str| format!("<fetch aggregate='true'><entity name='savedquery'>{inner}</entity></fetch>");
    for (word, shown) in [
        ("count", "Count"),
        ("countcolumn", "CountColumn"),
        ("sum", "Sum"),
        ("avg", "Average"),
        ("min", "Minimum"),
        ("max", "Maximum"),
    ] {
        check(
            &of(&format!("<attribute name='querytype' alias='a' aggregate='{word}'/>")),
            &format!("savedquery({shown}(querytype) as a) aggregate"),
        );
    }
    check(
        &of("<attribute name='name' alias='a' aggregate='countcolumn' distinct='true'/>"),
        "savedquery(CountDistinct(name) as a) aggregate",
    );
    for (word, shown) in
        [("day", "Day"), ("week", "Week"), ("month", "Month"), ("quarter", "Quarter"), ("year", "Year")]
    {
        check(
            &of(&format!("<attribute name='createdon' alias='a' groupby='true' dategrouping='{word}'/>")),
            &format!("savedquery({shown}(createdon) as a) aggregate"),
        );
    }
    check(
        &of("<attribute name='name' alias='n' groupby='true'/><order attribute='name'/><order alias='n'/>"),
        "savedquery(name as n) by name by n aggregate",
    );
    refused(
        &of("<attribute name='createdon' alias='a' groupby='true' dategrouping='fiscal-year'/>"),
        Invalid,
        "no fiscal calendar",
    );
    refused(
        &of("<attribute name='createdon' alias='a' groupby='true' dategrouping='hour'/>"),
        Invalid,
        "no dategrouping 'hour'",
    );
    refused(&of("<attribute name='name' alias='a' groupby='true' dategrouping='day'/>"), Invalid, "no date");
    refused(&of("<attribute name='name' groupby='true'/>"), Invalid, "needs an alias");
    refused(&of("<attribute name='name' alias='a'/>"), Invalid, "needs 'aggregate'");
    refused(&of("<attribute name='name' alias='a' aggregate='sum'/>"), Invalid, "whole numbers");
    refused(&of("<attribute name='name' alias='a' aggregate='median'/>"), Invalid, "no aggregate 'median'");
    refused(
        &of("<attribute name='name' alias='a' aggregate='count'/><order attribute='name'/>"),
        Invalid,
        "not grouped by",
    );
    refused(&of("<all-attributes/>"), Invalid, "<all-attributes>");
    refused(&of(""), Invalid, "must name the columns");
    refused_in("<attribute name='name' alias='n' groupby='true'/>", Invalid, "aggregate=\"true\"");
    refused_in("<attribute name='name' alias='n'/><attribute name='emailaddress' alias='n'/>", Invalid, "two values");
}
#[test]
fn names_that_do_not_exist() {
    refused("<fetch><entity name='nothing'/></fetch>", NoEntity, "'nothing'");
    refused("<fetch><entity name='pr_login'/></fetch>", NoEntity, "pr_login");
    refused("<fetch nothing='1'><entity name='queue'/></fetch>", InvalidXml, "'nothing'");
    refused("<fetch><table name='queue'/></fetch>", InvalidXml, "<table>");
    refused("<fetch/>", InvalidXml, "one <entity>");
    refused("<fetch><entity name='queue'/><entity name='queue'/></fetch>", InvalidXml, "one <entity>");
    refused("<query/>", InvalidXml, "<query>");
    refused_in("<attribute name='nothing'/>", NoAttribute, "'nothing'");
    refused_in("<attribute/>", InvalidXml, "'name'");
    refused_in("<attribute name='name' color='red'/>", InvalidXml, "'color'");
    refused_in("<columns/>", InvalidXml, "<columns>");
}
#[test]
fn xml_that_is_none() {
    for xml in [
        "",
        "x",
        "<fetch",
        "<fetch>",
        "</fetch>",
        "<fetch></fetsch>",
        "<fetch a=1/>",
        "<fetch a='1' a='2'/>",
        "<a/><b/>",
        "<fetch>&nothing;</fetch>",
        "<fetch a='&nothing;'/>",
        "<fetch>&#0;</fetch>",
        "<fetch a='&#0;'/>",
        "<!DOCTYPE x><fetch/>",
    ] {
        refused(xml, InvalidXml, "");
    }
}
#[test]
fn bombs() {
    let bomb =
        "<!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>]><fetch><entity name='&b;'/></fetch>";
    refused(bomb, InvalidXml, "document type");
    refused("<!DOCTYPE f SYSTEM 'file:///etc/passwd'><fetch/>", InvalidXml, "document type");
    refused(&format!("<fetch>{}</fetch>", "<a/>".repeat(6_000)), InvalidXml, "5000 elements");
    refused(&format!("<fetch a='{}'/>", "x".repeat(70_000)), InvalidXml, "longer than");
    refused(&"<a>".repeat(10_000), InvalidXml, "too deeply");
    let conditions = "<condition attribute='name' operator='null'/>".repeat(501);
    refused_in(&format!("<filter>{conditions}</filter>"), Invalid, "500 conditions");
}
#[test]
fn comments_and_declarations_are_passed_over() {
    check(
        "\u{FEFF}<?xml version='1.0'?><!-- x --> <fetch><!-- y --><entity name='queue'><attribute name='name'/></entity> </fetch>\n",
        "queue(name)",
    );
}
#[test]
fn the_paging_cookie_is_kept() {
    let fetch = read(
        "<fetch page='2' paging-cookie='&lt;cookie page=&quot;1&quot;&gt;'><entity name='queue'/></fetch>",
        &asker(),
    )
    .unwrap();
    assert_eq!(fetch.page.cookie.as_deref(), Some("<cookie page=\"1\">"));
}

const WORDS: &[&str] = &[
    "<fetch>",
    "</fetch>",
    "<entity name='mailbox'>",
    "</entity>",
    "<attribute name='name'/>",
    "<filter>",
    "</filter>",
    "<filter type='or'>",
    "<condition attribute='name' operator='eq' value='",
    "'/>",
    "<link-entity name='team' to='ownerid' link-type='",
    "'>",
    "</link-entity>",
    "any",
    "all",
    "outer",
    "<order attribute='name'/>",
    "<all-attributes/>",
    "&lt;",
    "&#x41;",
    "&",
    "%",
    "<value>",
    "</value>",
    "é",
    " aggregate='true'",
    "<fetch aggregate='true'>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn pieces_of_queries(pieces in prop::collection::vec(prop::sample::select(WORDS), 0..30)) {
        let text: String = pieces.concat();
        let _ = read(&text, &asker());
        let _ = read(&format!("<fetch><entity name='mailbox'>{text}</entity></fetch>"), &asker());
    }
    #[test]
    fn any_text(text in "\\PC{0,200}") {
        let _ = read(&text, &asker());
    }
    #[test]
    fn any_value_is_taken_as_it_is(value in "[^\\x00-\\x1f\\x7f-\\x9f\u{FFFE}\u{FFFF}]{0,40}") {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;");
        let xml = format!("<fetch><entity name='mailbox'><attribute name='name'/><filter><condition attribute='name' operator='eq' value='{escaped}'/></filter></entity></fetch>");
        prop_assert_eq!(read_line(&xml), format!("mailbox(name) where name = {value:?}"));
    }
}
