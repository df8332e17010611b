//! What the rules say, in the language of the one who reads it: refused
//! forms, alerts, the steps of a test, reasons in the ledger.

use std::collections::BTreeSet;

use model::tables::{Disposition, Email, LedgerEntry, TestStep};
use model::work::Workload;
use model::{Actor, Change, Commit, Entity, Id, Ref, Step, Timestamp};
use serde_json::json;

use crate::people::Person;
use crate::world::World;

/// The administrator, who reads German.
async fn german(w: &World) -> Person<'_> {
    let mut admin = w.administrator().await.reading("de");
    admin.submit("/options", &[("uilanguageid", "1031"), ("timezonecode", "110")]).await.sees("Gespeichert.");
    admin
}

async fn write(w: &World, change: Change) {
    let commit = Commit::new(Actor { user: Id::nil() }, Timestamp::UNIX_EPOCH, vec![change]);
    w.store.commit(&commit).await.unwrap();
}

async fn forward(w: &World) -> String {
    let body = json!({ "name": "Forward", "emailaddress": "forward@example.com", "incomingemaildeliverymethod": 2 });
    w.create("mailboxes", body).await
}

story!(a_refused_form_says_why_in_german, |w| {
    let mut admin = german(&w).await;
    let fields = [("name", ""), ("emailaddress", "un'sinn"), ("incomingemaildeliverymethod", "3")];
    let page = admin.send("/settings/mailboxes/new", &fields).await.expect(422);
    let page = page
        .sees("„un'sinn“ ist keine E-Mail-Adresse; schreiben Sie sie wie name@example.com.")
        .sees("Ein Weiterleitungspostfach empfängt mit „Keine“ (0) oder „Serverseitige Synchronisierung“ (2).");
    assert!(!page.text().contains("is not an email address"), "{}", page.text());
    // A program is told the same in English, whoever asks.
    let body = json!({ "name": "Forward", "emailaddress": "forward@example.com", "incomingemaildeliverymethod": 3 });
    let refused = w.post("/mailboxes", body).header("accept-language", "de").await;
    refused.expect(400).says("a forward mailbox receives by None (0) or Server-Side Synchronization (2)");
});

story!(what_is_forbidden_is_refused_in_german, |w| {
    let mut sally = w.salesperson().await;
    sally.submit("/options", &[("uilanguageid", "1031")]).await.sees("Gespeichert.");
    let page = sally.open("/settings/mailboxes/new").await;
    let text = page.text();
    assert!(!text.contains("is missing") && !text.contains("Ask a System Administrator"), "{text}");
    page.expect(403).sees("fehlt das Recht");
});

story!(alerts_are_told_in_german, |w| {
    let mailbox = forward(&w).await;
    let text = "The incoming test of mailbox 'Sales; refused' failed at step 'log in': the server said: \"NO [AUTHENTICATIONFAILED] no; not you. Really\". \
                Check user name and password where the profile takes them from (the mailbox or the profile), then choose Test & Enable Mailbox.";
    for text in [text, "Written by <somebody> else"] {
        let regarding = format!("/mailboxes({mailbox})");
        w.create("tracelogs", json!({ "level": 3, "text": text, "regardingobjectid_mailbox@odata.bind": regarding }))
            .await;
    }
    let mut admin = german(&w).await;
    let page = admin.open(&format!("/settings/mailboxes/{mailbox}/alerts")).await.expect(200);
    page.sees(
        "Der Test für eingehende E-Mails des Postfachs „Sales; refused“ ist beim Schritt „log in“ fehlgeschlagen",
    )
    .sees("der Server sagte: \"NO [AUTHENTICATIONFAILED] no; not you. Really\". Prüfen Sie")
    .says("Written by &#60;somebody&#62; else");
    let stored = w.read("/tracelogs?$select=text&$filter=startswith(text,'The%20incoming')").await;
    assert_eq!(stored["value"][0]["text"], text);
});

story!(a_failed_test_says_in_german_what_to_do, |w| {
    let mailbox = forward(&w).await;
    let steps = [
        (1, Step::Connect, true, "connected to 192.0.2.1:993", ""),
        (
            2,
            Step::LogIn,
            false,
            "the server said: \"NO wrong password\"",
            "Check that the mailbox exists on the server.",
        ),
    ];
    for (number, step, passed, said, advice) in steps {
        let row = TestStep {
            mailbox: Some(Ref::new("mailbox", mailbox.parse().unwrap())),
            route: Workload::Incoming,
            number,
            step: step.as_str().to_owned(),
            passed,
            said: said.to_owned(),
            advice: advice.to_owned(),
            ..TestStep::blank(Id::from_u128(u128::try_from(number).unwrap()))
        };
        write(&w, Change::create(row)).await;
    }
    let mut admin = german(&w).await;
    admin
        .open(&format!("/settings/mailboxes/{mailbox}"))
        .await
        .expect(200)
        .sees("verbunden mit 192.0.2.1:993")
        .sees("der Server sagte: \"NO wrong password\"")
        .sees("Prüfen Sie, ob es das Postfach auf dem Server gibt.");
});

story!(the_ledger_says_in_german_why, |w| {
    let mailbox = forward(&w).await;
    let row = LedgerEntry {
        mailbox: Some(Ref::new("mailbox", mailbox.parse().unwrap())),
        subject: "Order".to_owned(),
        disposition: Disposition::Tracked,
        reason: "Accepted: ann@example.com tracks all email; bob@example.com tracks no email automatically. Note: the \
                 tracking token CRM:0001 was not made here."
            .to_owned(),
        ..LedgerEntry::blank(Id::from_u128(77))
    };
    write(&w, Change::create(row)).await;
    let mut admin = german(&w).await;
    admin.open(&format!("/settings/mailboxes/{mailbox}/ledger")).await.expect(200).sees(
        "Angenommen: ann@example.com verfolgt alle E-Mails nach; bob@example.com verfolgt keine E-Mail automatisch \
         nach. Hinweis: das Nachverfolgungstoken CRM:0001 wurde nicht hier ausgestellt.",
    );
});

story!(lists_and_exports_tell_stored_sentences_in_german, |w| {
    let mailbox = forward(&w).await;
    let regarding = format!("/mailboxes({mailbox})");
    let stored = "Mailbox 'Sales' was tested and is enabled for receiving and sending.";
    for text in [stored, "Written by somebody else"] {
        w.create("tracelogs", json!({ "level": 1, "text": text, "regardingobjectid_mailbox@odata.bind": regarding }))
            .await;
    }
    let mut admin = german(&w).await;
    let told = "Das Postfach „Sales“ wurde getestet und ist für den Empfang und das Senden aktiviert.";
    admin.open("/settings/alerts?columns=text,level").await.expect(200).sees(told).sees("Written by somebody else");
    let file = admin.open("/settings/alerts/export.csv?columns=text,level").await.expect(200);
    let file = file.text();
    assert!(file.contains(told) && file.contains("Written by somebody else") && !file.contains(stored), "{file}");
});

story!(a_timeline_tells_in_german_why_an_email_was_not_sent, |w| {
    let contact =
        w.create("contacts", json!({ "lastname": "Otto", "emailaddress1": "otto@customer.example.com" })).await;
    let email = w
        .create(
            "emails",
            json!({ "subject": "Offer", "email_activity_parties": [
                { "participationtypemask": 2, "partyid_contact@odata.bind": format!("/contacts({contact})") },
            ] }),
        )
        .await;
    let reason = "Not sent: given up after 3 attempts; the last one: the server closed the connection".to_owned();
    let email: Id = email.parse().unwrap();
    write(&w, model::Update::of::<Email>(email).set(Email::C.failure_reason, reason).into()).await;
    let mut admin = german(&w).await;
    admin
        .open(&format!("/work/contacts/{contact}"))
        .await
        .expect(200)
        .sees("Nicht gesendet: nach 3 Versuchen aufgegeben; der letzte: der Server hat die Verbindung geschlossen");
});

story!(the_pages_of_the_account_speak_german, |w| {
    let mut admin = german(&w).await;
    let page = admin.open("/account").await.expect(200).sees("Ihr Konto").sees("Aktuelles Kennwort");
    let text = page.text();
    assert!(text.contains("aria-label=\"Sitzungen\"") && !text.contains("aria-label=\"Sessions\""), "{text}");
    page.sees("Kennwort").sees("diese");
    let fields = [("current", "wrong"), ("new", "a long enough phrase"), ("again", "another phrase")];
    admin.send("/account/password", &fields).await.expect(400).sees("Die beiden neuen Kennwörter sind nicht gleich.");
    let page = admin.send("/account/tokens", &[("name", "x"), ("days", "0")]).await.expect(400);
    page.sees("Tage: eine Zahl von 1 bis 3650.");
    let page = admin.open("/account/roles?for=create+mailbox").await.expect(200);
    page.sees("dem Benutzer selbst gegeben").sees("Erstellen: Organisation");
    let page = admin.open("/account/roles?user=nobody%40example.com").await.expect(400);
    page.sees("Es gibt keinen Benutzer nobody@example.com, den Sie sehen dürfen.");
    let stranger = w.administrator().await.reading("de").open("/password?ticket=none").await;
    let text = stranger.text();
    assert!(text.contains("<html lang=\"de\"") && !text.contains("Skip to the content"), "{text}");
    stranger.sees("Kennwort festlegen").sees("Zum Inhalt springen").sees("Weiter");
});

story!(english_passages_of_a_german_page_are_marked, |w| {
    let mailbox = forward(&w).await;
    let row = LedgerEntry {
        mailbox: Some(Ref::new("mailbox", mailbox.parse().unwrap())),
        subject: "Order".to_owned(),
        disposition: Disposition::Tracked,
        reason: "It is <what> an older version said of it".to_owned(),
        ..LedgerEntry::blank(Id::from_u128(78))
    };
    write(&w, Change::create(row)).await;
    let marked = "<span lang=\"en\">It is &#60;what&#62; an older version said of it</span>";
    let mut admin = german(&w).await;
    admin.open(&format!("/settings/mailboxes/{mailbox}/ledger")).await.expect(200).says(marked);
    admin.open("/options").await.expect(200).says("<option value=\"1033\" lang=\"en\">English</option>");
    admin.submit("/options", &[("uilanguageid", "1033"), ("timezonecode", "110")]).await.sees("Saved.");
    let page = admin.open(&format!("/settings/mailboxes/{mailbox}/ledger")).await.expect(200);
    assert!(!page.text().contains("lang=\"en\">It is"), "{}", page.text());
});

/// The English texts that have another wording in German.
fn english_texts() -> BTreeSet<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("texts/de");
    let mut texts = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let lines: Vec<&str> = file.lines().collect();
        let quoted = |line: &str, key: &str| {
            let text = line.strip_prefix(key)?.strip_suffix('"')?;
            Some(text.replace("\\\"", "\""))
        };
        for pair in lines.windows(2) {
            let (Some(english), Some(german)) = (quoted(pair[0], "msgid \""), quoted(pair[1], "msgstr \"")) else {
                continue;
            };
            // Short words may be names, or the same by chance.
            if english != german && !english.contains('{') && english.len() > 3 {
                texts.insert(english);
            }
        }
    }
    assert!(texts.len() > 1000, "{}", texts.len());
    texts
}

/// What stands between tags, and in the attributes that are read out.
fn shown(html: &str) -> Vec<String> {
    let decoded = |text: &str| text.replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\"");
    let mut all = Vec::new();
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        all.push(decoded(text.trim()));
        for attribute in ["aria-label=\"", "title=\"", "placeholder=\"", "alt=\""] {
            let value = tag.split_once(attribute).and_then(|(_, rest)| rest.split_once('"'));
            all.extend(value.map(|(value, _)| decoded(value.trim())));
        }
    }
    all
}

/// Pages that one opens without the id of a record.
const PAGES: [&str; 35] = [
    "/",
    "/start",
    "/options",
    "/account",
    "/account/roles?for=create+mailbox",
    "/work/activities",
    "/work/queues",
    "/work/contacts",
    "/work/contacts/new",
    "/work/accounts",
    "/work/leads",
    "/work/unresolved",
    "/work/commands",
    "/work/emails/new",
    "/settings/email",
    "/settings/mailboxes",
    "/settings/mailboxes/new",
    "/settings/mailboxes/design",
    "/settings/profiles",
    "/settings/profiles/new",
    "/settings/profiles/new?provider=imap",
    "/settings/monitoring",
    "/settings/alerts",
    "/settings/security/users",
    "/settings/security/users/new",
    "/settings/security/teams",
    "/settings/security/roles",
    "/settings/security/units",
    "/settings/security/tokens",
    "/settings/security/sessions",
    "/settings/security/audit",
    "/settings/data",
    "/settings/feedback",
    "/help/keyboard",
    "/help/mailbox",
];

story!(no_english_is_left_on_german_pages, |w| {
    let mailbox = forward(&w).await;
    let mut admin = german(&w).await;
    let texts = english_texts();
    // Names of records; and what is the same word in German as well.
    let names = ["System Administrator", "Administrator", "Postroom", "Forward", "Position"];
    let contact = w.create("contacts", json!({ "lastname": "Otto" })).await;
    w.create(
        "emails",
        json!({ "subject": "Angebot", "regardingobjectid_contact@odata.bind": format!("/contacts({contact})") }),
    )
    .await;
    let mut left = Vec::new();
    let own = ["", "/ledger", "/alerts"].map(|part| format!("/settings/mailboxes/{mailbox}{part}"));
    let mut paths: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).chain(own).collect();
    let lists = paths.clone();
    for list in lists.iter().filter(|path| !path.contains('?')) {
        let list = list.replace("activities", "emails");
        let page = admin.open(&list.replace("emails", "activities")).await.text();
        // A draft is opened to be written on.
        let part = if list == "/work/emails" { "/edit" } else { "" };
        let begins = format!("href=\"{list}/");
        let mut ids = page.split(&begins).skip(1).filter_map(|rest| rest.get(..36));
        paths.extend(ids.find(|id| id.parse::<Id>().is_ok()).map(|id| format!("{list}/{id}{part}")));
    }
    assert!(paths.len() > lists.len() + 5, "{paths:#?}");
    for path in paths {
        let page = admin.open(&path).await;
        if page.status != 200 {
            left.push(format!("{path}: {}", page.status));
        }
        let english = shown(&page.text()).into_iter().filter(|t| texts.contains(t) && !names.contains(&t.as_str()));
        left.extend(english.map(|text| format!("{path}: {text}")));
    }
    assert!(left.is_empty(), "{left:#?}");
});
