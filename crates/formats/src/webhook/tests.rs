//! What is told, value by value.

use model::tables::{Event, Organization};
use model::{Entity, Id, Ref, Timestamp};
use serde_json::Value as Json;

use super::*;

fn now() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

fn event(message: &str, values: &str) -> Event {
    Event {
        message: message.to_owned(),
        table: "contact".to_owned(),
        row: Some(Id::from_u128(7)),
        user: Some(Ref::new("systemuser", Id::from_u128(3))),
        occurred: Some(now()),
        values: values.to_owned(),
        ..Event::blank(Id::from_u128(1))
    }
}

fn told(event: &Event) -> (Json, bool) {
    let organization = Organization { name: "Org".to_owned(), ..Organization::blank(Id::from_u128(2)) };
    let payload = payload(Told {
        event,
        organization: &organization,
        step: "s",
        business_unit: None,
        withheld: &["username"],
        image: None,
    });
    (serde_json::from_str(&payload.body).unwrap(), payload.cut)
}

#[test]
fn a_create_tells_the_new_values() {
    let values = r#"{"lastname":"Park","statecode":0,"ownerid":{"table":"systemuser","id":"00000000-0000-0000-0000-000000000003"},"birthdate":null}"#;
    let (json, cut) = told(&event("Create", values));
    assert!(!cut);
    assert_eq!(json["MessageName"], "Create");
    assert_eq!(json["PrimaryEntityName"], "contact");
    assert_eq!(json["PrimaryEntityId"], Id::from_u128(7).to_string());
    assert_eq!(json["UserId"], Id::from_u128(3).to_string());
    assert_eq!(json["OrganizationId"], Id::from_u128(2).to_string());
    assert_eq!(json["OperationCreatedOn"], "/Date(1772355600000)/");
    let target = &json["InputParameters"][0];
    assert_eq!(target["key"], "Target");
    let value = |name: &str| {
        let all = target["value"]["Attributes"].as_array().unwrap();
        all.iter().find(|a| a["key"] == name).map(|a| a["value"].clone()).unwrap()
    };
    assert_eq!(value("lastname"), "Park");
    assert_eq!(value("statecode")["Value"], 0);
    assert_eq!(value("ownerid")["LogicalName"], "systemuser");
    assert_eq!(value("birthdate"), Json::Null);
    assert_eq!(value("contactid"), Id::from_u128(7).to_string());
}

#[test]
fn a_delete_tells_which_row() {
    let (json, _) = told(&event("Delete", "{}"));
    let target = &json["InputParameters"][0]["value"];
    assert_eq!(target["Id"], Id::from_u128(7).to_string());
    assert!(target["Attributes"].is_null());
}

#[test]
fn what_is_too_large_stays_out() {
    let values = serde_json::json!({ "description": "x".repeat(LARGEST) }).to_string();
    let (json, cut) = told(&event("Update", &values));
    assert!(cut && json["InputParameters"].is_null() && json["PostEntityImages"].is_null());
    assert_eq!(json["PrimaryEntityId"], Id::from_u128(7).to_string());
    assert!(told(&Event { cut: true, ..event("Update", "{}") }).1);
}
