//! Tests of tokens.

use super::*;
use crate::incoming::world::{id, key};

fn token() -> String {
    make(id("one"), "CRM:", &key())
}

/// What is found in a subject that holds `{}` where the token stands.
fn found(subject: &str) -> Vec<String> {
    find(&subject.replace("{}", &token()), &["CRM:", "OLD:"])
}

#[test]
fn rfc_4231_vectors() {
    let check = |key: &[u8], data: &[u8], expected: &str| {
        let hex: String = hmac_sha256(key, &[data]).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, expected);
    };
    check(&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check(b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check(&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    let long: &[u8] = b"Test Using Larger Than Block-Size Key - Hash Key First";
    check(&[0xaa; 131], long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

#[test]
fn a_token_is_the_prefix_and_eighteen_characters() {
    assert_eq!(token().len(), 4 + LENGTH);
    assert!(token().starts_with("CRM:"));
    assert!(!token()[4..].contains(['I', 'L', 'O', 'U']));
}

#[test]
fn a_token_is_the_same_every_time_and_another_for_another_email() {
    assert_eq!(token(), make(id("one"), "CRM:", &key()));
    assert_ne!(token(), make(id("two"), "CRM:", &key()));
}

#[test]
fn ours_is_genuine() {
    assert!(verify(&token(), &key()));
}
#[test]
fn another_key_is_not_ours() {
    assert!(!verify(&token(), &Secret::new("other")));
}
#[test]
fn short_and_foreign_tokens_are_not_genuine() {
    for text in ["", "CRM:", "CRM:0001005", "ééééééééééééééééééééé", "CRM:UUUUUUUUUUUUUUUUUU"] {
        assert!(!verify(text, &key()), "{text}");
    }
}
#[test]
fn every_changed_character_is_noticed() {
    let token = token();
    for at in 4..token.len() {
        let old = token.as_bytes()[at];
        let new = if old == b'7' { '8' } else { '7' };
        let mut edited = token.clone();
        edited.replace_range(at..=at, &new.to_string());
        assert!(!verify(&edited, &key()), "{edited}");
    }
}

#[test]
fn found_at_the_end() {
    assert_eq!(found("Re: Order {}"), [token()]);
}
#[test]
fn found_at_the_start_and_in_the_middle() {
    assert_eq!(found("{} Order"), [token()]);
    assert_eq!(found("AW: [{}] Order"), [token()]);
}
#[test]
fn found_in_small_letters() {
    assert_eq!(find(&format!("re: order {}", token().to_lowercase()), &["CRM:"]), [token()]);
}
#[test]
fn found_with_confused_letters() {
    let retyped = token()[4..].replace('0', "o").replace('1', "l");
    assert_eq!(find(&format!("CRM:{retyped}"), &["CRM:"]), [token()]);
}
#[test]
fn found_once_though_it_stands_twice() {
    assert_eq!(found("{} {}"), [token()]);
}
#[test]
fn an_old_prefix_still_counts() {
    let old = make(id("one"), "OLD:", &key());
    assert_eq!(find(&format!("x {old}"), &["CRM:", "OLD:"]), std::slice::from_ref(&old));
    assert!(verify(&old, &key()));
}
#[test]
fn several_stand_in_their_order() {
    let (a, b) = (token(), make(id("two"), "OLD:", &key()));
    assert_eq!(find(&format!("{b} {a}"), &["CRM:", "OLD:"]), [b, a]);
}
#[test]
fn not_found_are_numbers_of_other_systems() {
    assert!(find("Re: Order CRM:0001005", &["CRM:"]).is_empty());
    assert!(find("CRM:", &["CRM:"]).is_empty());
}
#[test]
fn not_found_is_a_longer_word() {
    assert!(found("{}A").is_empty());
    assert!(found("{}0").is_empty());
}
#[test]
fn not_found_without_or_with_an_empty_prefix() {
    assert!(find(&token(), &[]).is_empty());
    assert!(find(&token(), &[""]).is_empty());
    assert!(find(&token()[4..], &["CRM:"]).is_empty());
}
#[test]
fn subjects_in_any_script_are_searched() {
    assert_eq!(found("Ответ: заказ №5 {}"), [token()]);
    assert_eq!(found("回复：订单{}"), [token()]);
}
#[test]
fn a_prefix_of_other_letters() {
    let token = make(id("one"), "ВХ№", &key());
    assert_eq!(find(&format!("Re: {}", token.to_lowercase()), &["ВХ№"]), [token]);
}

#[test]
fn appended_after_a_space() {
    assert_eq!(append("Order", "CRM:X", 255), "Order CRM:X");
}
#[test]
fn appended_to_nothing() {
    assert_eq!(append("", "CRM:X", 255), "CRM:X");
}
#[test]
fn not_appended_twice() {
    assert_eq!(append("Re: Order CRM:X", "CRM:X", 255), "Re: Order CRM:X");
}
#[test]
fn the_subject_gives_way() {
    assert_eq!(append(&"é".repeat(300), "CRM:X", 255), format!("{} CRM:X", "é".repeat(249)));
    assert_eq!(append(&"é".repeat(300), "CRM:X", 255).chars().count(), 255);
}
#[test]
fn no_token_that_is_longer_than_all() {
    assert_eq!(append("Order", "CRM:XXXX", 6), "Order");
}
#[test]
fn a_subject_cut_at_a_space_gets_no_second_one() {
    assert_eq!(append("ab cdef", "T", 5), "ab T");
}

#[test]
fn a_message_id_names_its_email() {
    let text = message_id(id("one"), "our.example", &key());
    assert!(text.starts_with('<') && text.ends_with("@our.example>"), "{text}");
    assert!(text.len() < 78, "{text}");
    assert_eq!(email_of(&text, &key()), Some(id("one")));
    assert_eq!(email_of(&text.to_uppercase(), &key()), Some(id("one")));
}
#[test]
fn nobody_elses_message_id_does() {
    let text = message_id(id("one"), "our.example", &key());
    assert_eq!(email_of(&text, &Secret::new("other")), None);
    for text in ["", "<>", "<a@b>", "<a.b@c>", "a.b@c", "<@>", "<.@>"] {
        assert_eq!(email_of(text, &key()), None, "{text}");
    }
}

#[test]
fn prefixes_come_from_the_organization() {
    let mut organization = crate::incoming::world::World::new().facts.organization;
    assert_eq!(prefixes(&organization), ["CRM:", "OLD:"]);
    organization.tracking_prefix = " ; ".to_owned();
    assert_eq!(prefixes(&organization), [DEFAULT_PREFIX]);
}

proptest::proptest! {
    #[test]
    fn any_email_any_prefix(bytes: [u8; 16], prefix in "[^;0-9A-Za-z]{1,5}|[A-Z]{1,4}:", subject in "\\PC{0,80}") {
        let token = make(Id::from_bytes(bytes), &prefix, &key());
        let text = append(&subject, &token, 255);
        proptest::prop_assert!(verify(&token, &key()));
        proptest::prop_assert!(find(&text, &[&prefix]).contains(&token), "{text}");
        proptest::prop_assert_eq!(email_of(&message_id(Id::from_bytes(bytes), "x", &key()), &key()), Some(Id::from_bytes(bytes)));
    }

    #[test]
    fn nothing_makes_it_stumble(text in "\\PC*", prefix in "\\PC{0,4}") {
        let _ = (find(&text, &[&prefix]), verify(&text, &key()), email_of(&text, &key()), append(&text, &prefix, 20));
    }
}
