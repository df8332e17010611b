//! Tests of party resolution.

use super::*;
use crate::incoming::world::{World, id, known, mail, typed};

fn parties(world: &mut World, text: &str) -> Vec<ActivityParty> {
    typed(&world.receive(text))
}

/// `1 contact carol@there.example`, `2 - x@y.example`: kind, record, address.
fn shown(world: &mut World, text: &str) -> Vec<String> {
    let show =
        |p: ActivityParty| format!("{} {} {}", p.participation.number(), p.party.map_or("-", |r| r.table), p.address);
    parties(world, text).into_iter().map(show).collect()
}

fn from(text: &str, add: impl FnOnce(&mut World)) -> Option<&'static str> {
    let mut world = World::usual();
    add(&mut world);
    let message = mail(text);
    let owner = Some(Ref::new("systemuser", id("alice@our.example")));
    sender(&message, &world.facts, owner).expect("no sender").record.map(|k| k.record.table)
}

#[test]
fn each_participant_is_a_party_in_its_order() {
    let text = "From: carol@there.example | To: x@y.example, support@our.example | Cc: acme@there.example, z@y.example";
    let expected = [
        "1 contact carol@there.example",
        "2 - x@y.example",
        "2 queue support@our.example",
        "3 account acme@there.example",
        "3 - z@y.example",
    ];
    assert_eq!(shown(&mut World::usual(), text), expected);
}

#[test]
fn numbers_count_within_each_kind() {
    let text = "From: carol@there.example | To: x@y.example, support@our.example | Cc: a@y.example";
    let numbers: Vec<i64> = parties(&mut World::usual(), text).iter().map(|p| p.number).collect();
    assert_eq!(numbers, [0, 0, 1, 0]);
}

#[test]
fn who_is_not_known_stays_unresolved() {
    let mut message = mail("From: x@y.example | To: support@our.example");
    message.from[0].name = "Ms X".to_owned();
    let party: ActivityParty = typed(&World::usual().take(message)).remove(0);
    assert_eq!((party.party, party.unresolved_name.as_str(), party.name.as_str()), (None, "Ms X", "Ms X"));
    assert_eq!(party.address, "x@y.example");
}

#[test]
fn who_is_known_has_the_records_name() {
    let party = parties(&mut World::usual(), "From: carol@there.example | To: support@our.example").remove(0);
    assert_eq!(party.name, "contact carol@there.example");
    assert_eq!((party.unresolved_name.as_str(), party.column_number), ("", Some(1)));
}

#[test]
fn an_address_twice_in_a_field_is_one_party() {
    let text = "From: x@y.example | To: support@our.example, Support@our.example, support@our.example";
    assert_eq!(shown(&mut World::usual(), text).len(), 2);
}

#[test]
fn the_same_address_in_two_fields_is_two_parties() {
    let text = "From: x@y.example | To: support@our.example | Cc: support@our.example";
    assert_eq!(
        shown(&mut World::usual(), text),
        ["1 - x@y.example", "2 queue support@our.example", "3 queue support@our.example"]
    );
}

#[test]
fn every_matching_recipient_is_a_party() {
    let mut world = World::usual();
    world.known("lead", "acme@there.example");
    let text = "From: x@y.example | To: support@our.example | Cc: acme@there.example";
    assert_eq!(shown(&mut world, text)[2..], ["3 account acme@there.example", "3 lead acme@there.example"]);
}

#[test]
fn several_matches_stay_unresolved_where_the_organization_wants_it() {
    let mut world = World::usual();
    world.known("lead", "acme@there.example");
    world.facts.organization.unresolve_if_multiple = true;
    let text = "From: carol@there.example | To: support@our.example | Cc: acme@there.example";
    assert_eq!(shown(&mut world, text)[2..], ["3 - acme@there.example"]);
}

#[test]
fn the_sender_is_resolved_even_then() {
    let mut world = World::usual();
    world.known("lead", "carol@there.example");
    world.facts.organization.unresolve_if_multiple = true;
    assert_eq!(
        shown(&mut world, "From: carol@there.example | To: support@our.example")[0],
        "1 contact carol@there.example"
    );
}

#[test]
fn inactive_records_are_not_parties() {
    let mut world = World::usual();
    world.facts.known.get_mut("carol@there.example").unwrap()[0].active = false;
    assert_eq!(shown(&mut world, "From: carol@there.example | To: support@our.example")[0], "1 - carol@there.example");
}

#[test]
fn a_record_with_the_address_in_two_columns_is_one_party() {
    let mut world = World::usual();
    let record = Ref::new("contact", id("contact carol@there.example"));
    let (address, mut again) = known(record, "carol@there.example", None);
    again.column = 3;
    world.facts.known.get_mut(&address).unwrap().insert(0, again);
    let all = parties(&mut world, "From: carol@there.example | To: support@our.example | Cc: carol@there.example");
    assert_eq!(all.len(), 3);
    assert_eq!(all[2].column_number, Some(1));
}

#[test]
fn kinds_have_an_order() {
    let order = ["systemuser", "contact", "account", "lead", "team", "queue"];
    for (n, first) in order.iter().enumerate() {
        let found = from("From: w@y.example", |world| {
            order[n..].iter().rev().for_each(|table| {
                world.known(table, "w@y.example");
            });
        });
        assert_eq!(found, Some(*first));
    }
}

#[test]
fn what_the_mailbox_owner_owns_goes_first() {
    let found = from("From: w@y.example", |world| {
        world.known("systemuser", "w@y.example");
        let owner = Some(Ref::new("systemuser", id("alice@our.example")));
        world.add(known(Ref::new("lead", id("mine")), "w@y.example", owner));
    });
    assert_eq!(found, Some("lead"));
}

#[test]
fn the_oldest_of_a_kind_goes_first() {
    let mut world = World::usual();
    for (name, day) in [("young", 2), ("old", 1)] {
        let (address, mut row) = known(Ref::new("contact", id(name)), "w@y.example", None);
        row.created_on = model::Timestamp::from_second(day * 86_400).unwrap();
        world.add((address, row));
    }
    let message = mail("From: w@y.example");
    assert_eq!(sender(&message, &world.facts, None).unwrap().record.unwrap().record.id, id("old"));
}

#[test]
fn a_hundred_matches_are_resolved_and_more_are_not() {
    for (many, resolved) in [(100, true), (101, false)] {
        let mut world = World::usual();
        for n in 0..many {
            world.add(known(Ref::new("contact", id(&format!("c{n}"))), "w@y.example", None));
        }
        let message = mail("From: w@y.example");
        let found = sender(&message, &world.facts, None).unwrap();
        assert_eq!((found.record.is_some(), found.ambiguous), (resolved, !resolved));
    }
}

#[test]
fn the_first_usable_address_in_from_is_the_sender() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(sender_address(&mail(text)).map(|a| a.address.as_str()), expected, "{text}");
    };
    check("From: a@b.example, c@d.example", Some("a@b.example"));
    check("From: nobody, c@d.example", Some("c@d.example"));
    check("From: nobody | Sender: s@d.example", Some("s@d.example"));
    check("Sender: s@d.example", Some("s@d.example"));
    check("From: nobody", None);
    check("From: @", None);
    check("From: a b@c", None);
    check("Subject: x", None);
}

#[test]
fn an_account_stands_behind_its_contact() {
    let mut world = World::usual();
    world.facts.known.get_mut("carol@there.example").unwrap()[0].account = Some(id("acme"));
    let verdict = world.receive("From: carol@there.example | To: support@our.example");
    let email = crate::incoming::world::rows(&verdict, "email")[0];
    assert_eq!(email.get("sendersaccount").as_id(), Some(id("acme")));
}

#[test]
fn a_header_of_thousands_of_addresses_ends_somewhere() {
    let many: Vec<String> = (0..5_000).map(|n| format!("a{n}@y.example")).collect();
    let text = format!("From: x@y.example | To: support@our.example, {}", many.join(","));
    assert_eq!(parties(&mut World::usual(), &text).len(), MOST_PARTIES);
}

#[test]
fn do_not_email_is_shown_on_the_party() {
    let mut world = World::usual();
    world.facts.known.get_mut("carol@there.example").unwrap()[0].do_not_email = true;
    let verdict = world.receive("From: carol@there.example | To: support@our.example");
    let rows = crate::incoming::world::rows(&verdict, "activityparty");
    assert_eq!(rows[0].get("donotemail").as_bool(), Some(true));
    assert_eq!(rows[1].get("donotemail").as_bool(), Some(false));
}
