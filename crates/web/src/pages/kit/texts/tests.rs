//! Catalogues, and that they are complete.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

mod written;

#[track_caller]
fn check(file: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(i, t)| ((*i).to_owned(), (*t).to_owned())).collect();
    assert_eq!(entries(file), expected, "{file}");
}

#[test]
fn entries_of_a_file() {
    check("msgid \"a\"\nmsgstr \"b\"\n", &[("a", "b")]);
    check("# c\nmsgid \"a\"\nmsgstr \"b\"\n\nmsgid \"c\"\nmsgstr \"d\"", &[("a", "b"), ("c", "d")]);
    check("msgid \"\"\n\"a \"\n\"b\"\nmsgstr \"\"\n\"c \"\n\"d\"", &[("a b", "c d")]);
    check("msgid \"say \\\"a\\\"\"\nmsgstr \"b\\nc\"", &[("say \"a\"", "b\nc")]);
    check("msgid \"not yet\"\nmsgstr \"\"", &[]);
    check("", &[]);
}

#[test]
fn values_in_their_places() {
    assert_eq!(english().with("{1} of {0}", &[&5, &"a"]), "a of 5");
}

#[test]
fn one_and_several() {
    let told = |count| english().counted("1 user", "{0} users", &count);
    assert_eq!([told(0), told(1), told(2)], ["0 users", "1 user", "2 users"]);
    assert_eq!(german().counted("1 user", "{0} users", &1), "1 Benutzer");
}

#[test]
fn languages() {
    assert_eq!(accepted("de-AT,de;q=0.9,en;q=0.8").code, "de");
    assert_eq!(accepted("fr, en").code, "en");
    assert_eq!(accepted("").code, "en");
    assert_eq!(by_locale(1031).map(|t| t.code), Some("de"));
    assert_eq!(by_locale(1036).map(|t| t.code), None);
}

/// Every text that a template or a page asks for has a translation in every
/// language, with the same places for values.
#[test]
fn every_text_is_translated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    for folder in ["templates", "src/pages", "src/signin"] {
        collect(&root.join(folder), &PAGES, &mut used);
    }
    for folder in ["../connectors", "../sync"] {
        written::sentences(&root.join(folder).join("src"), &mut used);
    }
    written::of_sign_in(&root.join("src/signin"), &mut used);
    for room in ["model", "rules", "actions", "sync", "connectors", "web"] {
        collect(&root.join("..").join(room).join("src"), &["words!("], &mut used);
    }
    assert!(used.len() > 20, "no texts were found");
    for language in &all()[1..] {
        let known = |text: &&String| language.texts.contains_key(*text) || written::is_part(language, text);
        let missing: Vec<_> = used.iter().filter(|text| !known(text)).collect();
        assert!(missing.is_empty(), "without a translation in texts/{}: {missing:#?}", language.code);
        for (english, text) in &language.texts {
            for place in ["{0}", "{1}", "{2}", "{3}", "{4}", "{5}", "{6}"] {
                assert_eq!(english.contains(place), text.contains(place), "{place} in {english:?}");
            }
        }
    }
}

/// All areas are one catalogue: a text that stands in several of them has one
/// translation. Where a word means two things, its English is worded anew.
#[test]
fn a_text_has_one_translation() {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for file in GERMAN.iter().chain(GERMAN_SENTENCES) {
        for (english, text) in entries(file) {
            let before = found.entry(english.clone()).or_insert_with(|| text.clone());
            assert_eq!(*before, text, "{english:?} is translated in two ways");
        }
    }
}

/// The terms of art, as `texts/README.md` has them.
#[test]
fn terms_are_used_alike() {
    let wrong = [
        "Anmeldedaten",
        "Eingangsbuch",
        "Nachverfolgungskennzeichen",
        "Benachrichtigung",
        "Mailbox ",
        "Queue",
        "Passwort",
        "Speichern &",
        "esten &",
        "Anhang",
        "Geschäftseinheit",
        "einloggen",
    ];
    for (english, text) in GERMAN.iter().chain(GERMAN_SENTENCES).flat_map(|file| entries(file)) {
        let found = wrong.iter().find(|term| text.contains(**term) && !english.contains(**term));
        assert_eq!(found, None, "{english:?}: {text:?}");
    }
}

/// What the columns of a list are called, and what their choices are.
#[test]
fn labels_of_lists_are_translated() {
    use model::table::{Access, Kind};
    let lists = ["mailbox", "emailserverprofile", "email", "tracelog", "contact", "account", "lead", "team"];
    for table in lists.into_iter().chain(["systemuser", "role", "pr_apitoken"]) {
        let table = model::tables::by_logical_name(table).unwrap();
        let shown = table.all_columns().filter(|c| {
            !matches!(c.access, Access::Internal | Access::Write)
                && !matches!(c.kind, Kind::Bytes | Kind::Secret { .. })
                && c.name != "versionnumber"
        });
        let labels = shown.flat_map(|column| {
            let choices: Vec<&str> = match column.kind {
                Kind::Choice(set) => set.options.iter().map(|o| o.label).collect(),
                _ => Vec::new(),
            };
            std::iter::once(column.label).chain(choices)
        });
        let missing: Vec<&str> = labels.filter(|label| !german().texts.contains_key(*label)).collect();
        assert!(missing.is_empty(), "labels of {} without German: {missing:#?}", table.logical);
    }
}

/// By what pages and templates ask for a text.
const PAGES: [&str; 10] =
    [".t(", ".t1(", ".t2(", ".tn(", ".frame(", ".counted(", "texts.text(", "texts.with(", "Fault::bad(", "Fault::new("];

fn collect(folder: &Path, calls: &[&str], used: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, calls, used);
        } else if !path.ends_with("tests.rs") && !path.ends_with("wording.rs") && !path.ends_with("written.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            let code = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            for call in calls {
                for rest in code.split(call).skip(1) {
                    // There the status comes first.
                    let rest = if *call == "Fault::new(" { rest.split_once(',').map_or("", |(_, r)| r) } else { rest };
                    let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
                    used.insert(unquoted(&format!("\"{}\"", joined(literal(rest)))));
                    // One for one, and one for several.
                    let second = rest[literal(rest).len() + 1..].trim_start_matches([',', ' ', '\n']);
                    if [".tn(", ".counted("].contains(call)
                        && let Some(second) = second.strip_prefix('"')
                    {
                        used.insert(unquoted(&format!("\"{}\"", joined(literal(second)))));
                    }
                }
            }
        }
    }
}

/// A literal over several lines, each ended by a backslash.
fn joined(literal: &str) -> String {
    let mut lines = literal.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |all, line| all + line.trim_start())
}

/// What stands before the closing quote.
fn literal(rest: &str) -> &str {
    let mut escaped = false;
    for (i, c) in rest.char_indices() {
        match c {
            '"' if !escaped => return &rest[..i],
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest
}

fn german() -> &'static Texts {
    by_locale(1031).unwrap()
}

/// What is stored in English is told in German.
#[track_caller]
fn told(english: &str, expected: &str) {
    assert_eq!(german().said(english, &|_| None), expected, "{english}");
    assert_eq!(super::english().said(english, &|_| None), english);
}

fn sentences() -> Vec<(String, String)> {
    GERMAN_SENTENCES.iter().flat_map(|file| entries(file)).collect()
}

/// No sentence is taken for another, whatever stands in its places.
#[test]
fn each_sentence_is_recognized_by_its_template() {
    let hostile: [&[&str]; 4] = [
        &["Ann", "b@x.test", "7", "imap.x.test:993", "q", "r", "s"],
        &["{1}", "{0}", "{{2}}", "%s", "\\", "\u{0}", "\u{202e}"],
        &["<script>", "O'Neil", "\"quoted\"", "ÄÖÜ ß", "…", "a\u{301}", "🦀"],
        &["'", "''", "'x' '", "(", ")", "[", "]"],
    ];
    for (english, told) in sentences().iter().filter(|(english, _)| sentence::is_telling(english)) {
        for values in hostile {
            let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
            let (stored, expected) = (fill(english, &values), sentence::tidy(told, &values));
            assert_eq!(german().said(&stored, &|_| None), expected, "{english}");
        }
    }
}

#[test]
fn the_values_of_a_template() {
    let values = |template, text| sentence::values(template, text);
    assert_eq!(values("'{0}' of {1}", "'a' of b' of c"), Some(vec!["a", "b' of c"]));
    assert_eq!(values("{1} before {0}.", "x before y."), Some(vec!["y", "x"]));
    assert_eq!(values("'{0}': {1}. {2}", "'a': it said \"b. c\". d"), Some(vec!["a", "it said \"b. c\"", "d"]));
    assert_eq!(values("said \"{0}\" and {1}", "said \"a\" and b"), Some(vec!["a", "b"]));
    assert_eq!(values("{0} and {0}", "a and a"), Some(vec!["a"]));
    assert_eq!(values("{0} and {0}", "a and b"), None);
    assert_eq!(values("{0}{1}", "ab"), None);
    assert_eq!(values("all of {0}", "all of it, and more"), Some(vec!["it, and more"]));
    assert_eq!(values("{0} is here", " is here"), None);
    assert_eq!(values("ends.", "ends. Not."), None);
}

#[test]
fn sentences_within_and_after_one_another() {
    told("ann@x.test tracks all email", "ann@x.test verfolgt alle E-Mails nach");
    told("ann@x.test tracks all email.", "ann@x.test verfolgt alle E-Mails nach.");
    told(
        "Accepted: ann@x.test tracks all email; bob@x.test tracks no email automatically. Note: the tracking token CRM:1 was not made here.",
        "Angenommen: ann@x.test verfolgt alle E-Mails nach; bob@x.test verfolgt keine E-Mail automatisch nach. Hinweis: das Nachverfolgungstoken CRM:1 wurde nicht hier ausgestellt.",
    );
    told(
        "Waiting: mailbox 'Sales': the mailbox is deactivated; activate it",
        "Wartet: Postfach „Sales“: Das Postfach ist deaktiviert; aktivieren Sie es.",
    );
    told(
        "Mailbox 'Sales' was tested and is enabled for receiving and sending.",
        "Das Postfach „Sales“ wurde getestet und ist für den Empfang und das Senden aktiviert.",
    );
}

#[test]
fn what_others_said_stays_as_it_is() {
    for foreign in [
        "NO [AUTHENTICATIONFAILED] Invalid credentials; try again. Later",
        "refused by somebody",
        "550 5.7.1 send it to this address",
        "",
        "a: b; c. d",
        "The email '",
        "Sales Team",
    ] {
        told(foreign, foreign);
    }
    told(
        "Mail could not be received for mailbox 'refused': the server said: \"NO refused; receiving\". Check that the mailbox exists on the server.",
        "Postfach „refused“: E-Mails konnten nicht empfangen werden: der Server sagte: \"NO refused; receiving\". Prüfen Sie, ob es das Postfach auf dem Server gibt.",
    );
}

#[test]
fn sentences_of_the_rules() {
    let words = model::words!("'{0}' is not {1}.", "x y", model::words!("a whole number"));
    assert_eq!(german().words(&words, &|_| None), "„x y“ ist nicht, was hier stehen muss: eine ganze Zahl.");
    assert_eq!(super::english().words(&words, &|_| None), "'x y' is not a whole number.");
    let label = model::words!("'{0}' must be a whole number.", Words::label("Port"));
    assert!(german().words(&label, &|_| None).starts_with("„Port“"), "{label}");
    let time = model::words!("Sending since {0}.", "2026-11-24T11:47:00Z");
    assert_eq!(
        german().words(&time, &|value| value.ends_with('Z').then(|| "heute".to_owned())),
        "Wird gesendet seit heute."
    );
}

/// What the catalogue knows of conversations with servers is still said there.
#[test]
fn sentences_about_servers_are_those_of_the_connectors() {
    let mut sources = String::new();
    for room in ["connectors", "sync"] {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(room).join("src"), &mut sources);
    }
    for (english, _) in entries(include_str!("../../../../texts/de/servers.po")) {
        let stretches = model::wording::pieces(&english).into_iter().filter_map(|piece| match piece {
            model::wording::Piece::Text(text) => Some(text.trim_matches([' ', ';', ':', '"', '(', ')']).to_owned()),
            model::wording::Piece::Place(_) => None,
        });
        for stretch in stretches.filter(|text| !text.is_empty()) {
            let parts = stretch.split("; enter").next().unwrap_or_default();
            let parts = parts.strip_suffix(" was").unwrap_or(parts);
            let followed = [" before TLS", " cannot be written into", " is empty or contains", "; use its submission"];
            let parts = followed.iter().fold(parts, |all, by| all.split(by).next().unwrap_or_default());
            assert!(sources.contains(parts), "{parts:?} of {english:?} is not said any more");
        }
    }
}

fn read(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, all);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            all.push_str(&text.split("\\\n").map(str::trim_start).collect::<String>());
        }
    }
}

/// What only the service can have written down, and nobody translated.
#[test]
fn english_is_marked() {
    let told = |english: &str| german().told(english, &|_| None).to_string();
    assert_eq!(
        told("A copy of an email that was sent from this mailbox"),
        "Die Kopie einer E-Mail, die von diesem Postfach gesendet wurde"
    );
    assert_eq!(
        told("It is <b>what</b> an older version said"),
        "<span lang=\"en\">It is &#60;b&#62;what&#60;/b&#62; an older version said</span>"
    );
    assert_eq!(told(""), "");
    let english = super::english().told("It is what an older version said", &|_| None);
    assert_eq!(english.to_string(), "It is what an older version said");
}

/// Joined as the connectors join them.
#[test]
fn what_happened_with_a_server() {
    told(
        "no answer within 10 s (greeting); if this port wants TLS from the start, choose TLS in the profile",
        "keine Antwort innerhalb von 10 s (greeting); verlangt dieser Port von Anfang an TLS, wählen Sie TLS im Profil",
    );
    told("imap.x.test has the address 192.0.2.1, 2001:db8::1", "imap.x.test hat die Adresse 192.0.2.1, 2001:db8::1");
    told(
        "STARTTLS: TLSv1.3, certificate valid until 2027-01-01",
        "STARTTLS: TLSv1.3, Zertifikat gültig bis 2027-01-01",
    );
    told(
        "imap.x.test port 993 cannot be reached (192.0.2.1:993: Connection refused (os error 111))",
        "imap.x.test, Port 993, ist nicht erreichbar (192.0.2.1:993: Connection refused (os error 111))",
    );
    told(
        "the server said \"-ERR no\": POP3 has to be allowed for this account first",
        "der Server sagte \"-ERR no\": POP3 muss für dieses Konto erst erlaubt werden",
    );
    told(
        "12 rows, 3 messages and attachments. 2 messages could not be read and are not in it: run `postroom doctor`.",
        "12 Zeilen, 3 Nachrichten und Anlagen. 2 Nachrichten waren nicht lesbar und fehlen darin: Führen Sie `postroom doctor` aus.",
    );
}
