//! One value, one column, one answer.

use model::{Id, Ref, tables};

use super::*;

/// `Ok` with the stored value, or the code.
#[track_caller]
fn check(table: &str, column: &str, given: Value, expected: Result<Value, u32>) {
    let table = tables::by_logical_name(table).unwrap();
    let column = table.column(column).unwrap();
    assert_eq!(value(table, column, given).map_err(|r| r.code), expected);
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

const WRONG_TYPE: Result<Value, u32> = Err(0x8004_8D19);
const TOO_LONG: Result<Value, u32> = Err(0x8004_4331);
const OUT_OF_RANGE: Result<Value, u32> = Err(0x8004_4330);
const NO_OPTION: Result<Value, u32> = Err(0x8004_431A);
const INVALID: Result<Value, u32> = Err(0x8004_0203);
const NO_ADDRESS: Result<Value, u32> = Err(0x8004_4192);

#[test]
fn text_fits() {
    check("account", "name", text("Contoso"), Ok(text("Contoso")));
}
#[test]
fn text_of_the_greatest_length() {
    check("account", "name", text(&"ü".repeat(160)), Ok(text(&"ü".repeat(160))));
}
#[test]
fn text_one_character_too_long() {
    check("account", "name", text(&"ü".repeat(161)), TOO_LONG);
}
#[test]
fn number_for_text() {
    check("account", "name", Value::Int(5), WRONG_TYPE);
}
#[test]
fn nul_in_text() {
    check("account", "description", text("a\0b"), INVALID);
}
#[test]
fn required_text_emptied() {
    check("account", "name", Value::Null, INVALID);
}
#[test]
fn optional_text_emptied() {
    check("account", "accountnumber", Value::Null, Ok(Value::Null));
}
#[test]
fn number_in_range() {
    check("emailserverprofile", "incomingportnumber", Value::Int(65_536), Ok(Value::Int(65_536)));
}
#[test]
fn number_out_of_range() {
    check("emailserverprofile", "incomingportnumber", Value::Int(65_537), OUT_OF_RANGE);
    check("emailserverprofile", "incomingportnumber", Value::Int(-1), OUT_OF_RANGE);
}
#[test]
fn number_with_a_default_emptied() {
    check("emailserverprofile", "maxconcurrentconnections", Value::Null, Ok(Value::Int(10)));
}
#[test]
fn option() {
    check("mailbox", "incomingemaildeliverymethod", Value::Int(3), Ok(Value::Int(3)));
}
#[test]
fn no_such_option() {
    check("mailbox", "incomingemaildeliverymethod", Value::Int(4), NO_OPTION);
}
#[test]
fn choice_with_a_default_emptied() {
    check("mailbox", "incomingemaildeliverymethod", Value::Null, INVALID);
}
#[test]
fn open_choice_emptied() {
    check("emailserverprofile", "exchangeversion", Value::Null, Ok(Value::Null));
}
#[test]
fn text_for_a_choice() {
    check("mailbox", "incomingemaildeliverymethod", text("3"), WRONG_TYPE);
}
#[test]
fn flag_emptied_is_no() {
    check("mailbox", "processanddeleteemails", Value::Null, Ok(Value::Bool(false)));
}
#[test]
fn number_for_a_flag() {
    check("mailbox", "processanddeleteemails", Value::Int(1), WRONG_TYPE);
}
#[test]
fn address_is_trimmed() {
    check("contact", "emailaddress1", text(" a@b.example "), Ok(text("a@b.example")));
}
#[test]
fn no_address() {
    check("contact", "emailaddress1", text("a@b@c"), NO_ADDRESS);
    check("contact", "emailaddress1", text("a\r\nBcc: x@y.example"), NO_ADDRESS);
}
#[test]
fn address_too_long() {
    check("contact", "emailaddress1", text(&format!("{}@b.example", "a".repeat(100))), TOO_LONG);
}
#[test]
fn reference_to_the_wrong_table() {
    let account = Value::Ref(Ref::new("account", Id::nil()));
    check("mailbox", "emailserverprofile", account, WRONG_TYPE);
}
#[test]
fn id_for_a_reference() {
    check("mailbox", "emailserverprofile", Value::Id(Id::nil()), WRONG_TYPE);
}
#[test]
fn secret() {
    check("mailbox", "password", text("x"), Ok(Value::Secret(Secret::new("x"))));
}
#[test]
fn empty_secret_is_none() {
    check("mailbox", "password", text(""), Ok(Value::Null));
}
#[test]
fn secret_too_long() {
    check("mailbox", "password", text(&"x".repeat(201)), TOO_LONG);
}
#[test]
fn what_somebody_sent_is_cut_and_cleaned() {
    assert_eq!(excerpt("a\r\nb"), "a\u{FFFD}\u{FFFD}b");
    assert_eq!(excerpt(&"x".repeat(200)).chars().count(), 101);
}
