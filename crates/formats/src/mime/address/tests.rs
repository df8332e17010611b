//! Address lists as they are written, and what is read from them.

use super::*;

fn check(field: &str, expected: &[(&str, &str)]) {
    let (got, _) = read(field);
    let got: Vec<(&str, &str)> = got.iter().map(|a| (a.name.as_str(), a.address.as_str())).collect();
    assert_eq!(got, expected, "{field}");
}
fn read(field: &str) -> (Vec<Address>, Vec<Flaw>) {
    let (mut out, mut flaws) = (Vec::new(), Vec::new());
    list(field, &mut out, &mut flaws);
    (out, flaws)
}
fn flawed(field: &str) {
    assert!(!read(field).1.is_empty(), "{field}");
}

macro_rules! checks {
    ($($name:ident: $field:expr => $expected:expr;)*) => { $(#[test] fn $name() { check($field, &$expected); })* };
}
checks! {
    plain: "a@b.c" => [("", "a@b.c")];
    angle: "<a@b.c>" => [("", "a@b.c")];
    named: "Ann Bee <a@b.c>" => [("Ann Bee", "a@b.c")];
    quoted_name: "\"Bee, Ann\" <a@b.c>" => [("Bee, Ann", "a@b.c")];
    escaped_quote: r#""Ann \"B\" Bee" <a@b.c>"# => [("Ann \"B\" Bee", "a@b.c")];
    two: "a@b.c, d@e.f" => [("", "a@b.c"), ("", "d@e.f")];
    semicolons: "a@b.c; d@e.f" => [("", "a@b.c"), ("", "d@e.f")];
    empty_entries: "a@b.c,, ,d@e.f," => [("", "a@b.c"), ("", "d@e.f")];
    comment_as_name: "a@b.c (Ann Bee)" => [("Ann Bee", "a@b.c")];
    nested_comment: "a@b.c (Ann (the) Bee)" => [("Ann (the) Bee", "a@b.c")];
    comment_and_name: "Ann <a@b.c> (work)" => [("Ann", "a@b.c")];
    group: "Friends: a@b.c, Ann <d@e.f>;" => [("", "a@b.c"), ("Ann", "d@e.f")];
    empty_group: "undisclosed-recipients:;" => [];
    group_then_more: "g: a@b.c;, d@e.f" => [("", "a@b.c"), ("", "d@e.f")];
    folded: "Ann\r\n Bee <a@b.c>,\r\n\td@e.f" => [("Ann Bee", "a@b.c"), ("", "d@e.f")];
    encoded: "=?utf-8?q?Andr=C3=A9?= <a@b.c>" => [("André", "a@b.c")];
    encoded_two_words: "=?utf-8?q?An?= =?utf-8?q?na?= <a@b.c>" => [("Anna", "a@b.c")];
    encoded_inside_quotes: "\"=?utf-8?q?Andr=C3=A9?=\" <a@b.c>" => [("André", "a@b.c")];
    encoded_with_comma: "=?utf-8?Q?Doe,_John?= <a@b.c>, x@y.z" => [("Doe, John", "a@b.c"), ("", "x@y.z")];
    encoded_at_sign: "=?utf-8?Q?a@b.c?= <a@b.c>" => [("a@b.c", "a@b.c")];
    single_quotes: "'Ann' <a@b.c>" => [("Ann", "a@b.c")];
    single_quoted_address: "'a@b.c' <a@b.c>" => [("a@b.c", "a@b.c")];
    spaces_around_dots: "Ann <a . x @ b . c>" => [("Ann", "a.x@b.c")];
    quoted_local_part: "\"a b\"@c.d" => [("", "\"a b\"@c.d")];
    escaped_local_part: r#""a\"b"@c.d"# => [("", r#""a\"b"@c.d"#)];
    quoted_plain_local_part: "\"ab\"@c.d" => [("", "ab@c.d")];
    source_route: "<@x,@y:a@b.c>" => [("", "a@b.c")];
    domain_literal: "<a@[127.0.0.1]>" => [("", "a@[127.0.0.1]")];
    no_angle_brackets: "Ann Bee a@b.c" => [("Ann Bee", "a@b.c")];
    unclosed_angle: "Ann <a@b.c" => [("Ann", "a@b.c")];
    unclosed_angle_then_more: "Ann <a@b.c, x@y.z" => [("Ann", "a@b.c"), ("", "x@y.z")];
    unclosed_quote: "\"Ann <a@b.c>" => [("Ann", "a@b.c")];
    name_is_the_address: "a@b.c <>" => [("", "a@b.c")];
    no_at_sign: "foo" => [];
    only_a_name: "Ann <>" => [];
    null: "<>" => [];
    empty: "" => [];
    mailto: "<mailto:a@b.c>" => [("", "a@b.c")];
    umlaut_address: "<jörg@bücher.example>" => [("", "jörg@bücher.example")];
    dots_in_name: "Ann B. Bee <a@b.c>" => [("Ann B. Bee", "a@b.c")];
    two_angles: "Ann <x> <a@b.c>" => [("Ann", "a@b.c")];
    at_in_name: "ann@home <a@b.c>" => [("ann@home", "a@b.c")];
    colon_in_quoted_name: "\"Re: x\" <a@b.c>" => [("Re: x", "a@b.c")];
}

#[test]
fn a_word_without_at_sign_is_a_flaw() {
    assert_eq!(read("foo").1, [Flaw::BadAddress("foo".into())]);
}
#[test]
fn a_broken_address_with_at_sign_is_kept_and_told() {
    assert_eq!(read("<a@b@c>").0.len(), 1);
    flawed("<a@b@c>");
}
#[test]
fn empty_groups_are_no_flaw() {
    assert!(read("undisclosed-recipients:;").1.is_empty());
}
#[test]
fn very_many() {
    assert_eq!(read(&"a@b.c,".repeat(20_000)).0.len(), MOST);
}
