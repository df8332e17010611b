//! What is read, as one line each; and that nothing makes the reader panic.

use model::query::{Compare, TextMatch};
use model::tables::{Account, Email, Mailbox};
use model::{Entity, Record, Value};
use proptest::prelude::*;

use super::*;
use crate::show::{place, show};

fn asker() -> Asker {
    Asker { now: Some("2026-03-31T12:30:00Z".parse().unwrap()), user: Some(Id::from_u128(7)), ..Asker::default() }
}
fn on(table: &'static Table, filter: &str, expected: &str) {
    let got = parse_for(table, &[("$filter", filter)], asker())
        .map(|o| show(&o.filter))
        .unwrap_or_else(|e| format!("error: {e}"));
    assert_eq!(got, expected, "{filter}");
}
fn mailbox(filter: &str, expected: &str) {
    on(Mailbox::TABLE, filter, expected);
}
fn email(filter: &str, expected: &str) {
    on(Email::TABLE, filter, expected);
}
fn refused(filter: &str, part: &str) {
    let error = parse_for(Mailbox::TABLE, &[("$filter", filter)], asker()).expect_err(filter);
    assert!(error.message.contains(part), "{filter}: {}", error.message);
}
fn at(filter: &str, position: usize) {
    assert_eq!(parse(Mailbox::TABLE, &[("$filter", filter)]).expect_err(filter).position, position, "{filter}");
}

const GUID: &str = "00000000-0000-0000-0000-000000000001";

macro_rules! filters {
    ($check:ident; $($name:ident: $filter:expr => $expected:expr;)*) => { $(#[test] fn $name() { $check($filter, $expected); })* };
}

filters! { mailbox;
    text: "name eq 'x'" => "name = \"x\"";
    text_quote: "name eq 'O''Brien'" => "name = \"O'Brien\"";
    text_empty: "name eq ''" => "name = \"\"";
    text_unicode: "name eq 'Jörg'" => "name = \"Jörg\"";
    text_with_operators_inside: "name eq 'a and b)'" => "name = \"a and b)\"";
    ne: "name ne 'x'" => "name <> \"x\"";
    gt: "name gt 'x'" => "name > \"x\"";
    ge: "name ge 'x'" => "name >= \"x\"";
    lt: "name lt 'x'" => "name < \"x\"";
    le: "name le 'x'" => "name <= \"x\"";
    turned_round: "'x' lt name" => "name > \"x\"";
    spaces: "  name   eq\t'x'  " => "name = \"x\"";
    choice: "statecode eq 0" => "statecode = 0";
    negative: "statecode eq -1" => "statecode = -1";
    boolean: "ownerid/isdisabled eq true" => "ownerid/isdisabled = true";
    null: "name eq null" => "name is null";
    not_null: "name ne null" => "not name is null";
    null_first: "null eq name" => "name is null";
    lookup: "_emailserverprofile_value eq 00000000-0000-0000-0000-000000000001" => "emailserverprofile = emailserverprofile(00000000-0000-0000-0000-000000000001)";
    lookup_quoted: "_emailserverprofile_value eq '00000000-0000-0000-0000-000000000001'" => "emailserverprofile = emailserverprofile(00000000-0000-0000-0000-000000000001)";
    lookup_null: "_emailserverprofile_value eq null" => "emailserverprofile is null";
    lookup_of_several: "_ownerid_value eq 00000000-0000-0000-0000-000000000001" => "ownerid = 00000000-0000-0000-0000-000000000001";
    guid_with_letters: "mailboxid eq ABCDEF00-0000-0000-0000-00000000000f" => "mailboxid = abcdef00-0000-0000-0000-00000000000f";
    primary_key: "mailboxid ne 00000000-0000-0000-0000-000000000001" => "mailboxid <> 00000000-0000-0000-0000-000000000001";
    time: "createdon ge 2024-01-01T10:00:00Z" => "createdon >= 2024-01-01T10:00:00Z";
    time_with_offset: "createdon ge 2024-01-01T10:00:00+02:00" => "createdon >= 2024-01-01T08:00:00Z";
    time_whose_plus_became_a_space: "createdon ge '2024-01-01T10:00:00 02:00'" => "createdon >= 2024-01-01T08:00:00Z";
    day: "createdon lt 2024-01-01" => "createdon < 2024-01-01T00:00:00Z";
    time_quoted: "createdon lt '2024-01-01'" => "createdon < 2024-01-01T00:00:00Z";
    and: "name eq 'x' and statecode eq 0" => "(name = \"x\" and statecode = 0)";
    and_chain: "statecode eq 0 and statecode eq 1 and statecode eq 2" => "(statecode = 0 and statecode = 1 and statecode = 2)";
    or_chain: "statecode eq 0 or statecode eq 1 or statecode eq 2" => "(statecode = 0 or statecode = 1 or statecode = 2)";
    and_before_or: "statecode eq 0 or statecode eq 1 and statecode eq 2" => "(statecode = 0 or (statecode = 1 and statecode = 2))";
    and_before_or_left: "statecode eq 0 and statecode eq 1 or statecode eq 2" => "((statecode = 0 and statecode = 1) or statecode = 2)";
    parentheses: "(statecode eq 0 or statecode eq 1) and statecode eq 2" => "((statecode = 0 or statecode = 1) and statecode = 2)";
    doubled_parentheses: "((name eq 'x'))" => "name = \"x\"";
    not_function: "not contains(name,'x')" => "not name contains \"x\"";
    not_parentheses: "not (name eq 'x' or name eq 'y')" => "not (name = \"x\" or name = \"y\")";
    not_comparison: "not name eq 'x' and statecode eq 0" => "(not name = \"x\" and statecode = 0)";
    not_not: "not not (name eq 'x')" => "not not name = \"x\"";
    contains: "contains(name,'x')" => "name contains \"x\"";
    startswith: "startswith(name, 'x')" => "name starts \"x\"";
    endswith: "endswith(name,'it''s')" => "name ends \"it's\"";
    contains_pattern: "contains(name,'a_b')" => "name like \"%a_b%\"";
    startswith_pattern: "startswith(name,'50%')" => "name like \"50%%\"";
    endswith_pattern: "endswith(name,'[0-9]')" => "name like \"%[0-9]\"";
    a_percent_sign: "contains(name,'50[%]')" => "name like \"%50[%]%\"";
    function_eq_true: "contains(name,'x') eq true" => "name contains \"x\"";
    function_eq_false: "contains(name,'x') eq false" => "not name contains \"x\"";
    path: "emailserverprofile/name eq 'x'" => "emailserverprofile/name = \"x\"";
    path_in_function: "contains(emailserverprofile/name,'x')" => "emailserverprofile/name contains \"x\"";
    columns: "createdon eq modifiedon" => "createdon = modifiedon";
    one_of: "statecode in (0,1)" => "statecode in 0,1";
    one_of_texts: "name in ('a', 'b')" => "name in \"a\",\"b\"";
    one_of_brackets: "name in ['a']" => "name in \"a\"";
    literally_true: "true" => "all";
    literally_false: "false" => "not all";
    crm_in: "Microsoft.Dynamics.CRM.In(PropertyName='statecode',PropertyValues=['0','1'])" => "statecode in 0,1";
    crm_in_spaces: "Microsoft.Dynamics.CRM.In( PropertyName = 'name' , PropertyValues = [ 'a' , 'b' ] )" => "name in \"a\",\"b\"";
    crm_not_in: "Microsoft.Dynamics.CRM.NotIn(PropertyName='name',PropertyValues=['a'])" => "not name in \"a\"";
    crm_between: "Microsoft.Dynamics.CRM.Between(PropertyName='statecode',PropertyValues=['1','3'])" => "(statecode >= 1 and statecode <= 3)";
    crm_on: "Microsoft.Dynamics.CRM.On(PropertyName='createdon',PropertyValue='2024-02-29')" => "(createdon >= 2024-02-29T00:00:00Z and createdon < 2024-03-01T00:00:00Z)";
    crm_on_or_before: "Microsoft.Dynamics.CRM.OnOrBefore(PropertyName='createdon',PropertyValue='2024-02-29')" => "createdon < 2024-03-01T00:00:00Z";
    crm_on_or_after: "Microsoft.Dynamics.CRM.OnOrAfter(PropertyName='createdon',PropertyValue='2024-02-29T10:00:00Z')" => "createdon >= 2024-02-29T00:00:00Z";
    crm_last_days: "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=2)" => "(createdon >= 2026-03-29T12:30:00Z and createdon < 2026-03-31T12:30:00Z)";
    crm_last_months: "Microsoft.Dynamics.CRM.LastXMonths(PropertyName='createdon',PropertyValue=1)" => "(createdon >= 2026-02-28T12:30:00Z and createdon < 2026-03-31T12:30:00Z)";
    crm_older: "Microsoft.Dynamics.CRM.OlderThanXHours(PropertyName='createdon',PropertyValue=3)" => "createdon < 2026-03-31T09:30:00Z";
    crm_today: "Microsoft.Dynamics.CRM.Today(PropertyName='createdon')" => "(createdon >= 2026-03-31T00:00:00Z and createdon < 2026-04-01T00:00:00Z)";
    crm_this_month: "Microsoft.Dynamics.CRM.ThisMonth(PropertyName='createdon')" => "(createdon >= 2026-03-01T00:00:00Z and createdon < 2026-04-01T00:00:00Z)";
    crm_user: "Microsoft.Dynamics.CRM.EqualUserId(PropertyName='_ownerid_value')" => "ownerid = 00000000-0000-0000-0000-000000000007";
    mixed_functions: "contains(name,'x') and Microsoft.Dynamics.CRM.In(PropertyName='statecode',PropertyValues=['0'])" => "(name contains \"x\" and statecode in 0)";
}

filters! { email;
    bare_boolean: "directioncode" => "directioncode = true";
    bare_boolean_negated: "not directioncode" => "not directioncode = true";
    boolean_literal: "directioncode eq false" => "directioncode = false";
    any: "email_activity_parties/any(p:p/addressused eq 'x')" => "any activityparty.activityid: addressused = \"x\"";
    any_of_anything: "email_activity_parties/any()" => "any activityparty.activityid: all";
    all: "email_activity_parties/all(p:p/participationtypemask eq 1)" => "not any activityparty.activityid: not participationtypemask = 1";
    any_with_and: "email_activity_parties/any(p:p/addressused eq 'x' and p/participationtypemask eq 2)" => "any activityparty.activityid: (addressused = \"x\" and participationtypemask = 2)";
    any_and_more: "email_activity_parties/any(p:contains(p/addressused,'x')) and subject eq 'y'" => "(any activityparty.activityid: addressused contains \"x\" and subject = \"y\")";
    owning_user: "_owninguser_value eq 00000000-0000-0000-0000-000000000007" => "(not ownerid/systemuserid is null and ownerid = 00000000-0000-0000-0000-000000000007)";
    owning_team_null: "_owningteam_value eq null" => "(ownerid/teamid is null or ownerid is null)";
    polymorphic: "regardingobjectid_account/name eq 'x'" => "(not regardingobjectid/accountid is null and regardingobjectid/name = \"x\")";
    polymorphic_long: "regardingobjectid_account_email/name eq 'x'" => "(not regardingobjectid/accountid is null and regardingobjectid/name = \"x\")";
    polymorphic_ne: "regardingobjectid_account/name ne 'x'" => "(regardingobjectid/accountid is null or regardingobjectid/name <> \"x\")";
    polymorphic_null: "regardingobjectid_account/name eq null" => "(regardingobjectid/accountid is null or regardingobjectid/name is null)";
}

#[test]
fn filters_that_are_refused() {
    refused("nosuch eq 1", "Could not find a property named 'nosuch' on type 'Microsoft.Dynamics.CRM.mailbox'.");
    refused("emailserverprofile/nosuch eq 1", "on type 'Microsoft.Dynamics.CRM.emailserverprofile'");
    refused("nosuch/name eq 'x'", "Could not find a property named 'nosuch'");
    refused("emailserverprofile eq 'x'", "Could not find a property named 'emailserverprofile'");
    refused("name eq 1", "'Edm.String' and 'Edm.Int32'");
    refused("statecode eq 'Active'", "options are given as numbers");
    refused("statecode eq '0'", "options are given as numbers");
    refused("createdon eq 'soon'", "'Edm.DateTimeOffset' and 'Edm.String'");
    refused("mailboxid eq 'x'", "'Edm.Guid' and 'Edm.String'");
    refused("mailboxid eq 12", "'Edm.Guid' and 'Edm.Int32'");
    refused("_ownerid_value gt 00000000-0000-0000-0000-000000000001", "eq and ne only");
    refused("name gt null", "eq and ne only");
    refused("createdon eq name", "incompatible types");
    refused("contains(statecode,'x')", "works on text");
    refused(&format!("contains(name,'{}')", "a%".repeat(20)), "no more than 16 wild cards");
    refused("contains(name,1)", "works on text");
    refused("nofunction(name)", "An unknown function with name 'nofunction'");
    refused("name", "single boolean value");
    refused("'x'", "single boolean value");
    refused("null", "single boolean value");
    refused("name eq 'x' and name", "single boolean value");
    refused("", "Syntax error at position 0");
    refused("name eq", "Syntax error at position 7");
    refused("name eq 'x", "unterminated string literal at position 8");
    refused("(name eq 'x'", "Syntax error");
    refused("name eq 'x')", "Syntax error at position 11");
    refused("name eq 'x' name", "Syntax error at position 12");
    refused("name 'x'", "Syntax error at position 5");
    refused("eq 'x'", "Could not find a property named 'eq'");
    refused("name eq 'x' or", "Syntax error at position 14");
    refused("name eq 'x' eq 'y'", "Syntax error at position 12");
    refused("name/ eq 1", "");
    refused("name in ()", "Syntax error at position 9");
    refused("name; drop", "Syntax error at position 4");
    refused("emailserverprofile/any(p:p/name eq 'x')", "Could not find");
    refused("tracelog_Mailbox/text eq 'x'", "needs any or all");
    refused("tracelog_Mailbox/any(p:name eq 'x')", "has to start with 'p/'");
    refused("Microsoft.Dynamics.CRM.Nonsense(PropertyName='createdon')", "An unknown function");
    refused("Microsoft.Dynamics.CRM.In(PropertyValues=['a'])", "'PropertyName' is missing");
    refused("Microsoft.Dynamics.CRM.Between(PropertyName='statecode',PropertyValues=['1'])", "takes two values");
    refused(
        "Microsoft.Dynamics.CRM.On(PropertyName='name',PropertyValue='2024-01-01')",
        "not supported on this column",
    );
    refused("Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=0)", "takes a number");
}
#[test]
fn secrets_are_not_there() {
    refused("password eq 'x'", "Could not find a property named 'password'");
    assert!(parse(Mailbox::TABLE, &[("$select", "password")]).is_err());
    assert!(parse(Mailbox::TABLE, &[("$orderby", "password")]).is_err());
    assert!(parse(Email::TABLE, &[("$filter", "pr_blob ne null")]).is_err());
}
#[test]
fn positions() {
    at("name eq 'x' and nosuch eq 1", 16);
    at("name eq 'x' and statecode eq 'y'", 29);
    at("name eq 'x' && statecode eq 1", 12);
}
#[test]
fn nesting_is_limited_and_chains_are_not() {
    refused(&format!("{}name eq 'x'{}", "(".repeat(100), ")".repeat(100)), "nested too deeply");
    refused(&format!("{}(name eq 'x')", "not ".repeat(100)), "nested too deeply");
    let chain = vec!["statecode eq 0"; 1000].join(" or ");
    let got = parse(Mailbox::TABLE, &[("$filter", &chain)]).unwrap();
    assert!(matches!(got.filter, Filter::Or(all) if all.len() == 1000));
    refused(&"x".repeat(40_000), "too long");
}
#[test]
fn aliases() {
    let with = |value| {
        parse(Mailbox::TABLE, &[("$filter", "name eq @p1"), ("@p1", value)])
            .map(|o| show(&o.filter))
            .map_err(|e| e.message)
    };
    assert_eq!(with("'x'").unwrap(), "name = \"x\"");
    assert_eq!(with("null").unwrap(), "name is null");
    assert!(with("name").is_err());
    assert!(with("'x' or 1").is_err());
    assert!(parse(Mailbox::TABLE, &[("$filter", "name eq @p1")]).is_err());
}

// The other options.
fn options(given: &[(&str, &str)]) -> Options {
    parse(Mailbox::TABLE, given).unwrap()
}
fn fails(given: &[(&str, &str)], part: &str) {
    let error = parse(Mailbox::TABLE, given).unwrap_err();
    assert!(error.message.contains(part), "{}", error.message);
}
#[test]
fn select() {
    assert_eq!(options(&[("$select", "name,statecode")]).select, ["name", "statecode"]);
    assert_eq!(options(&[("$select", "name, name ,mailboxid")]).select, ["name", "mailboxid"]);
    assert_eq!(options(&[("$select", "_ownerid_value,emailserverprofile")]).select, ["ownerid", "emailserverprofile"]);
    assert_eq!(options(&[("$select", "*")]).select, Vec::<&str>::new());
    fails(&[("$select", "name,nosuch")], "Could not find a property named 'nosuch'");
    fails(&[("$select", "")], "Could not find a property named ''");
    assert_eq!(parse(Mailbox::TABLE, &[("$select", "name,nosuch")]).unwrap_err().position, 5);
}
#[test]
fn orderby() {
    let order = |value: &str| {
        let got = options(&[("$orderby", value)]).order;
        got.iter()
            .map(|o| format!("{}{}", place(&o.column), if o.descending { " desc" } else { "" }))
            .collect::<Vec<_>>()
    };
    assert_eq!(order("name"), ["name"]);
    assert_eq!(order("name asc,createdon desc"), ["name", "createdon desc"]);
    assert_eq!(order("emailserverprofile/name desc"), ["emailserverprofile/name desc"]);
    assert_eq!(order("_ownerid_value"), ["ownerid"]);
    fails(&[("$orderby", "nosuch")], "Could not find");
    fails(&[("$orderby", "name down")], "Syntax error");
    fails(&[("$orderby", "name asc desc")], "Syntax error");
    fails(&[("$orderby", "")], "Could not find");
}
#[test]
fn top_and_count() {
    assert_eq!(options(&[("$top", "5")]).top, Some(5));
    assert_eq!(options(&[]).top, None);
    assert!(options(&[("$count", "true")]).count);
    assert!(!options(&[("$count", "false")]).count);
    fails(&[("$top", "-1")], "Invalid value '-1' for $top query option");
    fails(&[("$top", "many")], "non-negative integer");
    fails(&[("$count", "yes")], "Invalid value 'yes' for $count");
}
#[test]
fn what_is_not_supported() {
    fails(&[("$skip", "5")], "Skip Clause is not supported in CRM");
    fails(&[("$search", "x")], "The query parameter $search is not supported");
    fails(&[("$nonsense", "x")], "The query parameter $nonsense is not supported");
    fails(&[("$top", "1"), ("$top", "2")], "specified more than once");
    assert_eq!(options(&[("fetchXml", "x"), ("other", "y")]), Options::default());
}
#[test]
fn expand() {
    let got = options(&[(
        "$expand",
        "emailserverprofile($select=name;$expand=ownerid($select=fullname)),tracelog_Mailbox($filter=contains(text,'a;b,(');$orderby=createdon desc;$top=3)",
    )]);
    assert_eq!(got.expand.len(), 2);
    let profile = &got.expand[0];
    assert_eq!((profile.nav.as_str(), &profile.options.select[..]), ("emailserverprofile", &["name"][..]));
    assert_eq!(profile.options.expand[0].options.select, ["fullname"]);
    let alerts = &got.expand[1];
    assert_eq!(show(&alerts.options.filter), "text contains \"a;b,(\"");
    assert_eq!(alerts.options.top, Some(3));
    assert!(alerts.options.order[0].descending);
}
#[test]
fn expand_plain_and_polymorphic() {
    assert_eq!(options(&[("$expand", "emailserverprofile")]).expand[0].options, Options::default());
    assert_eq!(
        options(&[("$expand", "regardingobjectid_systemuser($select=fullname)")]).expand[0].options.select,
        ["fullname"]
    );
    let parties = parse(
        Email::TABLE,
        &[("$expand", "email_activity_parties($select=addressused;$filter=participationtypemask eq 2)")],
    )
    .unwrap();
    assert_eq!(parties.expand[0].options.select, ["addressused"]);
}
#[test]
fn expand_that_is_refused() {
    fails(&[("$expand", "nosuch")], "Could not find a property named 'nosuch'");
    fails(&[("$expand", "emailserverprofile($select=nosuch)")], "emailserverprofile'");
    fails(&[("$expand", "emailserverprofile(")], "Syntax error");
    fails(&[("$expand", "emailserverprofile)")], "Syntax error");
    fails(&[("$expand", "emailserverprofile(select=name)")], "Syntax error");
    fails(&[("$expand", "emailserverprofile,emailserverprofile")], "Syntax error");
    fails(&[("$expand", "name")], "Could not find");
    let deep = format!(
        "{}emailserverprofile_mailbox{}",
        "emailserverprofile($expand=emailserverprofile_mailbox($expand=".repeat(20),
        "))".repeat(20)
    );
    fails(&[("$expand", &deep.replace("emailserverprofile_mailbox))", "emailserverprofile))"))], "nested too deeply");
}

// What a filter means, without a database.
fn matches(filter: &Filter, record: &Record) -> bool {
    match filter {
        Filter::All => true,
        Filter::Of(..) | Filter::Across { .. } | Filter::Linked(_) => panic!("$filter joins nothing"),
        Filter::And(all) => all.iter().all(|f| matches(f, record)),
        Filter::Or(any) => any.iter().any(|f| matches(f, record)),
        Filter::Not(inner) => !matches(inner, record),
        Filter::IsNull(path) => record.get(path.column).is_null(),
        Filter::In(path, values) => values.contains(record.get(path.column)),
        Filter::Compare(path, compare, value) => {
            let order = match (record.get(path.column), value) {
                (Value::Null, _) => return *compare == Compare::NotEqual,
                (Value::Int(a), Value::Int(b)) => a.cmp(b),
                (Value::Text(a), Value::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
                (a, b) => panic!("{a:?} with {b:?}"),
            };
            match compare {
                Compare::Equal => order.is_eq(),
                Compare::NotEqual => order.is_ne(),
                Compare::Less => order.is_lt(),
                Compare::LessOrEqual => order.is_le(),
                Compare::Greater => order.is_gt(),
                Compare::GreaterOrEqual => order.is_ge(),
            }
        }
        Filter::Text(path, how, text) => {
            let Value::Text(value) = record.get(path.column) else { return false };
            let (value, text) = (value.to_lowercase(), text.to_lowercase());
            match how {
                TextMatch::Contains => value.contains(&text),
                TextMatch::StartsWith => value.starts_with(&text),
                TextMatch::EndsWith => value.ends_with(&text),
                TextMatch::Like | TextMatch::Words => panic!("needs a database"),
            }
        }
        Filter::Bits(path, bits) => record.get(path.column).as_int().is_some_and(|n| n & bits == *bits),
        Filter::Columns(..) | Filter::Any { .. } | Filter::Within { .. } => panic!("needs a database"),
    }
}
fn holds(filter: &str, expected: bool) {
    let mut account = Record::new(Account::TABLE, Id::from_u128(1));
    account.set("name", Value::Text("Contoso".into()));
    account.set("statecode", Value::Int(0));
    let filter = parse(Account::TABLE, &[("$filter", filter)]).unwrap().filter;
    assert_eq!(matches(&filter, &account), expected, "{filter:?}");
}
#[test]
fn filters_mean_what_they_say() {
    holds("name eq 'contoso'", true);
    holds("name ne 'contoso'", false);
    holds("'b' lt name", true);
    holds("statecode eq 0 or name eq 'x' and statecode eq 1", true);
    holds("(statecode eq 0 or name eq 'x') and statecode eq 1", false);
    holds("not (statecode eq 0 and startswith(name,'Con'))", false);
    holds("not statecode eq 1 and endswith(name,'SO')", true);
    holds("emailaddress1 eq null and emailaddress1 ne 'x'", true);
    holds("name in ('x','Contoso')", true);
    holds("true and not false", true);
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => proptest::sample::select(vec![
            "name", "statecode", "createdon", "mailboxid", "_ownerid_value", "emailserverprofile", "/", "any", "all", "p:", "p/",
            "(", ")", "[", "]", ",", "=", ";", "'", "''", "'x'", "1", "-1.5", "2024-01-01", GUID, "null", "true", " eq ", " ne ",
            " and ", " or ", "not ", " in ", "contains(", "tracelog_Mailbox/", "@p1", "$select=", "$expand=", "$filter=",
            "Microsoft.Dynamics.CRM.In(", "PropertyName=", "PropertyValues=", "name eq 'x'", "*", " desc",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,5}",
    ]
}
proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_panics(pieces in proptest::collection::vec(fragment(), 0..25), which in 0_usize..5) {
        let text = pieces.concat();
        let name = ["$filter", "$select", "$orderby", "$expand", "$top"][which];
        if let Err(error) = parse_for(Mailbox::TABLE, &[(name, &text), ("@p1", "'x'")], asker()) {
            prop_assert!(error.message.len() < 1000);
        }
    }
    #[test]
    fn any_text_survives_quoting(text in "\\PC{0,30}") {
        let filter = format!("name eq '{}'", text.replace('\'', "''"));
        prop_assert_eq!(
            parse(Mailbox::TABLE, &[("$filter", &filter)]).unwrap().filter,
            Filter::Compare("name".into(), Compare::Equal, Value::Text(text))
        );
    }
}
