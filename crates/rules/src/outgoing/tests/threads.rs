//! In-Reply-To and References of an answer.

use super::*;

fn parent(message_id: &str, references: &[&str]) -> Parent {
    Parent {
        id: Id::from_u128(50),
        message_id: message_id.into(),
        references: references.iter().map(|id| (*id).to_owned()).collect(),
        conversation: Some(Id::from_u128(60)),
    }
}

fn answered(parent: Parent) -> World {
    let mut world = draft();
    world.parent = Some(parent);
    let changes = issue(&world.facts(), now(), None, None).unwrap();
    world.apply(&changes);
    world
}

#[test]
fn an_answer_refers_to_what_it_answers() {
    let world = answered(parent("<b@x>", &["<a@x>"]));
    assert_eq!(world.email.in_reply_to, "<b@x>");
    assert_eq!(world.email.references, "<a@x> <b@x>");
    assert_eq!(world.email.conversation, Some(Id::from_u128(60)));
    let mail = world.dispatch(now()).mail;
    assert_eq!(mail.in_reply_to.as_deref(), Some("<b@x>"));
    assert_eq!(mail.references, ["<a@x>", "<b@x>"]);
}

#[test]
fn a_parent_without_message_id_or_conversation() {
    let world = answered(Parent { conversation: None, ..parent("", &[]) });
    assert_eq!((world.email.in_reply_to.as_str(), world.email.references.as_str()), ("", ""));
    assert_eq!(world.email.conversation, Some(Id::from_u128(50)));
    assert_eq!(world.dispatch(now()).mail.in_reply_to, None);
}

#[test]
fn a_long_thread_keeps_its_beginning_and_its_end() {
    let ids: Vec<_> = (0..100).map(|n| format!("<{n}@x>")).collect();
    let parent = Parent { references: ids, ..parent("<last@x>", &[]) };
    let chain = parent.chain();
    assert_eq!(chain.len(), 41);
    assert_eq!((chain[0].as_str(), chain[1].as_str(), chain[40].as_str()), ("<0@x>", "<61@x>", "<last@x>"));
}

#[test]
fn a_message_id_stands_there_once() {
    assert_eq!(parent("<b@x>", &["<a@x>", "<b@x>", "<a@x>"]).chain(), ["<a@x>", "<b@x>"]);
}

fn of(change: impl FnOnce(&mut Email)) -> Vec<String> {
    let mut email = Email::blank(Id::from_u128(50));
    change(&mut email);
    Parent::of(&email).references
}

#[test]
fn references_of_the_parent() {
    let none: [&str; 0] = [];
    assert_eq!(of(|_| {}), none);
    assert_eq!(of(|e| e.references = "<a@x> <b@x>".into()), ["<a@x>", "<b@x>"]);
    assert_eq!(
        of(|e| e.headers = "From: x\r\nReferences: <a@x>\r\n <b@x>\r\nTo: y\r\n <c@x>\r\n".into()),
        ["<a@x>", "<b@x>"]
    );
    assert_eq!(of(|e| e.headers = "In-Reply-To: <a@x>\r\nReferences: <b@x>\r\n".into()), ["<b@x>"]);
    assert_eq!(of(|e| e.headers = "in-reply-to : <a@x> (Bob's)\n".into()), ["<a@x>"]);
    assert_eq!(of(|e| e.in_reply_to = "<a@x>".into()), ["<a@x>"]);
    assert_eq!(of(|e| e.headers = "References: nonsense < > <\r\n".into()), none);
    assert_eq!(of(|e| e.headers = "References: <a@\r\n\tx>\r\n".into()), ["<a@x>"], "folded inside");
}
