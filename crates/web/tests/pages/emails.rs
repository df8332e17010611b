//! Emails: read safely, answered, written, filed.

use std::fs;
use std::path::Path;

use actions::incoming::{self, Message};
use serde_json::json;

use crate::people::Person;
use crate::world::World;

const NEWS: &str = "From: \"Cara Customer\" <cara@customer.example>\r\nTo: admin@example.com, Bob <bob@customer.example>\r\n\
Cc: dora@customer.example\r\nSubject: News & more\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\nMessage-ID: <news-1@customer.example>\r\n\
References: <old-1@customer.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\
Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
<p onclick=\"x()\">Hello <b>you</b></p><script>alert(1)</script><img src=\"cid:logo@x\" alt=\"Logo\">\
<img src=\"https://pictures.example/a.png\" width=\"100\" height=\"50\"><img src=\"https://track.example/p\" width=1 height=1>\
<a href=\"https://evil.example/\">bank.example</a>\r\n--r\r\nContent-Type: image/png; name=\"logo.png\"\r\nContent-ID: <logo@x>\r\n\
Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgoAAAANSUhEUg==\r\n--r--\r\n--m\r\nContent-Type: text/html; name=\"page.html\"\r\n\
Content-Disposition: attachment; filename=\"page.html\"\r\n\r\n<script>alert(1)</script>\r\n--m--\r\n";

/// Puts a message into the mailbox of the administrator and gives its email.
async fn received(w: &World, raw: &str) -> String {
    let ctx = w.context().await;
    let mail = formats::mime::read(raw.as_bytes());
    let message = Message { mail, raw: raw.as_bytes().to_vec(), received: Some(ctx.now) };
    incoming::promote(&ctx, message).await.unwrap().to_string()
}

/// The fields of the form of a draft, as the page has them.
fn sheet<'a>(id: &'a str, from: &'a str, to: &'a str, action: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("id", id),
        ("from", from),
        ("to", to),
        ("cc", ""),
        ("bcc", ""),
        ("subject", "Subject of mine"),
        ("body", "Dear you,\r\n\r\n  indented & <so on>"),
        ("regarding_now", ""),
        ("prioritycode", "1"),
        ("do", action),
    ]
}

fn own(person: &Person<'_>) -> String {
    format!("systemuser:{}", person.id)
}

/// `/work/emails/<id>/edit?…` → `<id>`
fn id_of(path: &str) -> String {
    path.split('/').nth(3).unwrap().split('?').next().unwrap().to_owned()
}

story!(reading_shows_the_text_in_a_frame_that_can_do_nothing, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/work/emails/{id}")).await.expect(200);
    let text = page.text();
    assert!(text.contains(&format!("<iframe class=\"message-text\" title=\"Text of the message\" src=\"/work/emails/{id}/body\" sandbox=\"allow-popups allow-popups-to-escape-sandbox\"")), "{text}");
    assert!(!text.contains("Hello <b>you") && !text.contains("alert(1)"), "{text}");
    page.sees("News & more")
        .sees("Cara Customer")
        .sees("cara@customer.example")
        .sees("1 picture on another server was not loaded.")
        .sees("1 tracking picture was removed.")
        .sees("A link says bank.example but leads to evil.example.")
        .sees("Left out: scripts.")
        .sees("page.html")
        .sees("Tracked as a new email");
    let body = admin.open(&format!("/work/emails/{id}/body")).await.expect(200);
    let policy = body.header("content-security-policy").to_owned();
    assert!(
        policy.starts_with("default-src 'none'; img-src data:;") && policy.contains("sandbox allow-popups"),
        "{policy}"
    );
    assert!(
        !policy.contains("allow-scripts") && !policy.contains("allow-same-origin") && !policy.contains("https:"),
        "{policy}"
    );
    assert_eq!(body.header("x-frame-options"), "SAMEORIGIN");
    assert_eq!(body.header("referrer-policy"), "no-referrer");
    let html = body.text();
    assert!(html.contains("<p>Hello <b>you</b></p>"), "{html}");
    assert!(html.contains("src=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==\""), "{html}");
    assert!(
        !html.contains("<script") && !html.contains("pictures.example") && !html.contains("track.example"),
        "{html}"
    );
    assert!(html.contains("(leads to evil.example)"), "{html}");
});

story!(pictures_come_when_they_are_asked_for, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/work/emails/{id}?remote=1")).await.expect(200);
    assert!(page.text().contains(&format!("src=\"/work/emails/{id}/body?remote=1\"")));
    page.sees("Pictures on other servers are shown");
    let body = admin.open(&format!("/work/emails/{id}/body?remote=1")).await.expect(200);
    assert!(body.header("content-security-policy").contains("img-src data: https:;"));
    let html = body.text();
    assert!(html.contains("src=\"https://pictures.example/a.png\"") && !html.contains("track.example"), "{html}");
});

story!(a_file_is_saved_and_never_shown, |w| {
    let id = received(&w, NEWS).await;
    let files = w.read(&format!("/emails({id})/email_activity_mime_attachment")).await;
    let file = files["value"].as_array().unwrap().iter().find(|f| f["filename"] == "page.html").unwrap();
    let file = file["activitymimeattachmentid"].as_str().unwrap();
    let mut admin = w.administrator().await;
    let answer = admin.open(&format!("/work/emails/{id}/files/{file}")).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"page.html\"; filename*=UTF-8''page.html");
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.text().trim_end(), "<script>alert(1)</script>");
    // Only below the email that it belongs to.
    let other = received(&w, &NEWS.replace("news-1", "news-2")).await;
    admin.open(&format!("/work/emails/{other}/files/{file}")).await.expect(404);
});

story!(the_source_is_shown_and_kept, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/work/emails/{id}/source")).await.expect(200);
    assert!(!page.text().contains("<script>alert(1)"), "the source is text");
    page.sees("Message-ID").sees("news-1@customer.example").sees("multipart/related");
    let raw = admin.open(&format!("/work/emails/{id}/raw")).await.expect(200);
    assert_eq!(raw.header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(raw.text(), NEWS);
});

story!(others_do_not_see_it, |w| {
    let id = received(&w, NEWS).await;
    let mut sally = w.salesperson().await;
    for path in ["", "/body", "/source", "/raw", "/edit", "/regarding", "/resolve?address=cara@customer.example"] {
        sally.open(&format!("/work/emails/{id}{path}")).await.expect(404);
    }
    sally.send(&format!("/work/emails/{id}/state"), &[("do", "delete")]).await.expect(404);
    sally.send(&format!("/work/emails/{id}/answer"), &[("how", "reply")]).await.expect(404);
    w.administrator().await.open("/work/emails/nonsense").await.expect(404);
});

story!(a_reply_quotes_and_continues_the_conversation, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let page = admin.submit(&format!("/work/emails/{id}/answer"), &[("how", "all")]).await;
    let text = page.text();
    assert!(text.contains("value=\"Re: News &#38; more\""), "{text}");
    assert!(
        text.contains("value=\"Cara Customer &#60;cara@customer.example&#62;; Bob &#60;bob@customer.example&#62;\""),
        "{text}"
    );
    assert!(text.contains("value=\"dora@customer.example\""), "{text}");
    let drafts = w.read("/emails?$filter=statuscode%20eq%201&$expand=email_activity_mime_attachment").await;
    let draft = &drafts["value"][0];
    assert_eq!(draft["_parentactivityid_value"], id.as_str());
    let html = draft["description"].as_str().unwrap();
    assert!(html.contains("<blockquote type=\"cite\">") && html.contains("Hello <b>you</b>"), "{html}");
    assert!(html.contains("src=\"cid:logo@x\"") && !html.contains("<script"), "{html}");
    // The picture in the quotation comes along, the file does not.
    let files = draft["email_activity_mime_attachment"].as_array().unwrap();
    assert_eq!(files.iter().map(|f| f["filename"].as_str().unwrap()).collect::<Vec<_>>(), ["logo.png"]);
    let draft = draft["activityid"].as_str().unwrap();
    admin.open(&format!("/work/emails/{draft}/body?part=quoted")).await.expect(200);
});

story!(a_forwarded_email_takes_its_files_along, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let page = admin.submit(&format!("/work/emails/{id}/answer"), &[("how", "forward")]).await;
    assert!(page.text().contains("value=\"Fw: News &#38; more\""));
    page.sees("page.html").sees("logo.png");
    let drafts = w.read("/emails?$filter=statuscode%20eq%201").await;
    assert!(drafts["value"][0]["_parentactivityid_value"].is_null());
});

story!(a_draft_is_written_saved_and_sent, |w| {
    let contact =
        w.create("contacts", json!({ "lastname": "Customer", "emailaddress1": "cara@customer.example" })).await;
    let mut sally = w.administrator().await;
    sally.open("/work/emails/new").await.expect(200).sees("New Email");
    let from = own(&sally);
    let saved = sally
        .upload(
            "/work/emails/save",
            &sheet("", &from, "cara@customer.example", "save"),
            &[("file", "a b.txt", b"text")],
        )
        .await
        .expect(303);
    let id = id_of(saved.header("location"));
    let page = sally.open(saved.header("location")).await.expect(200);
    let text = page.text();
    assert!(text.contains("Dear you,\n\n  indented &#38; &#60;so on&#62;</textarea>"), "{text}");
    assert!(text.contains("value=\"Customer &#60;cara@customer.example&#62;\""), "{text}");
    page.sees("a b.txt");
    let parties = w.read(&format!("/emails({id})/email_activity_parties")).await;
    let to = parties["value"].as_array().unwrap().iter().find(|p| p["participationtypemask"] == 2).unwrap();
    assert_eq!(to["_partyid_value"], contact.as_str());
    // A further file, a removed one.
    let answer = sally
        .upload(
            "/work/emails/save",
            &sheet(&id, &from, "cara@customer.example", "attach"),
            &[("file", "run.exe", b"MZ")],
        )
        .await
        .expect(400);
    answer.sees("run.exe: The attachment is blocked");
    let files = w.read(&format!("/emails({id})/email_activity_mime_attachment")).await;
    let file = files["value"][0]["activitymimeattachmentid"].as_str().unwrap();
    let remove = format!("remove:{file}");
    sally.upload("/work/emails/save", &sheet(&id, &from, "cara@customer.example", &remove), &[]).await.expect(303);
    assert_eq!(w.read(&format!("/emails({id})")).await["attachmentcount"], 0);
    let sent =
        sally.upload("/work/emails/save", &sheet(&id, &from, "cara@customer.example", "send"), &[]).await.expect(303);
    assert_eq!(sent.header("location"), format!("/work/emails/{id}?done=sent"));
    let page = sally.open(&format!("/work/emails/{id}")).await.expect(200).sees("Pending Send");
    page.sees("Waiting").sees("Stop Sending");
    let part = sally.part(&format!("/work/emails/{id}?part=status")).await.expect(200);
    assert!(part.text().contains("hx-trigger=\"every 3s\""));
    // Called back, it is a draft again; deleted, it is gone.
    sally.submit(&format!("/work/emails/{id}/state"), &[("do", "recall")]).await.sees("Save");
    sally.upload("/work/emails/save", &sheet(&id, &from, "", "delete"), &[]).await.expect(303);
    sally.open(&format!("/work/emails/{id}")).await.expect(404);
});

story!(refusals_stand_beside_what_they_are_about, |w| {
    let mut admin = w.administrator().await;
    let from = own(&admin);
    let page =
        admin.upload("/work/emails/save", &sheet("", &from, "stranger@nowhere.example", "send"), &[]).await.expect(400);
    let text = page.text();
    let to = text.split("id=\"field-to\"").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(to.contains("No record is known for the recipient stranger@nowhere.example"), "{to}");
    // What was typed is not lost, and saved.
    assert!(text.contains("Dear you,"), "{text}");
    let page = admin.upload("/work/emails/save", &sheet("", "", "", "send"), &[]).await.expect(400);
    page.sees("The email has no sender; choose a user or queue in From.").sees("The email has no recipients");
    let page = admin.upload("/work/emails/save", &sheet("", &from, "not an address", "save"), &[]).await.expect(400);
    page.sees("'not an address' is not an email address");
});

story!(what_is_typed_is_saved_by_itself, |w| {
    let mut admin = w.administrator().await;
    let from = own(&admin);
    let answer = admin
        .upload("/work/emails/save", &sheet("", &from, "cara@customer.example; bo", "autosave"), &[])
        .await
        .expect(200);
    let told = answer.json();
    assert!(told["said"].as_str().unwrap().starts_with("Saved "), "{told}");
    let id = told["id"].as_str().unwrap().to_owned();
    let row = w.read(&format!("/emails({id})?$expand=email_activity_parties")).await;
    assert_eq!(
        (row["subject"].as_str(), row["email_activity_parties"].as_array().unwrap().len()),
        (Some("Subject of mine"), 2)
    );
    let again = admin
        .upload("/work/emails/save", &sheet(&id, &from, "cara@customer.example", "autosave"), &[])
        .await
        .expect(200);
    assert_eq!(again.json()["id"], id.as_str());
    let other = admin.upload("/work/emails/save", &sheet(&id, "systemuser:1", "x", "autosave"), &[]).await;
    other.expect(200);
});

story!(only_our_own_pages_send_forms, |w| {
    let id = received(&w, NEWS).await;
    let admin = w.administrator().await;
    let mut stranger = crate::browser::Browser::new(&w);
    stranger.get(&format!("/work/emails/{id}")).await.expect(303);
    let ask = stranger.ask(axum::http::Method::POST, "/work/emails/save").header("origin", "https://evil.example");
    ask.raw("multipart/form-data; boundary=B", b"--B--\r\n".to_vec()).await.expect(303);
    drop(admin);
});

story!(recipients_are_offered_as_far_as_one_may_see_them, |w| {
    w.create(
        "contacts",
        json!({ "firstname": "Cara", "lastname": "Customer", "emailaddress1": "cara@customer.example" }),
    )
    .await;
    let found = w.administrator().await.part("/work/emails/recipients?q=cust").await.expect(200).json();
    assert_eq!(found[0]["value"], "Cara Customer <cara@customer.example>");
    assert_eq!(found[0]["kind"], "Contact");
    let none = w.nobody().await.part("/work/emails/recipients?q=cust").await.expect(200).json();
    assert_eq!(none, json!([]));
});

story!(an_unknown_address_gets_a_record, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/work/emails/{id}")).await.expect(200);
    page.sees("Unknown").sees("Resolve");
    let path = format!("/work/emails/{id}/resolve");
    let page = admin.open(&format!("{path}?address=cara%40customer.example")).await.expect(200);
    assert!(page.text().contains("value=\"Cara\"") && page.text().contains("value=\"Customer\""));
    let fields =
        [("address", "cara@customer.example"), ("do", "create"), ("firstname", "Cara"), ("lastname", "Customer")];
    admin.submit(&path, &fields).await.sees("Cara Customer");
    let contact = w.read("/contacts?$filter=emailaddress1%20eq%20'cara@customer.example'").await;
    let contact = contact["value"][0]["contactid"].as_str().unwrap().to_owned();
    assert_eq!(w.read(&format!("/emails({id})")).await["_emailsender_value"], contact.as_str());
    // Somebody who is there already takes another address on.
    let record = format!("contact:{contact}");
    let fields = [("address", "bob@customer.example"), ("do", "set"), ("record", &record), ("add", "1")];
    admin.submit(&path, &fields).await.sees("Saved.");
    assert_eq!(w.read(&format!("/contacts({contact})")).await["emailaddress2"], "bob@customer.example");
    admin.open(&format!("{path}?address=nobody%40nowhere.example")).await.expect(404);
});

story!(the_regarding_is_changed, |w| {
    let id = received(&w, NEWS).await;
    let account = w.create("accounts", json!({ "name": "Customer Ltd" })).await;
    let mut admin = w.administrator().await;
    let path = format!("/work/emails/{id}/regarding");
    admin.open(&format!("{path}?q=customer+l")).await.expect(200).sees("Customer Ltd (Account)");
    let record = format!("account:{account}");
    admin.submit(&path, &[("do", "set"), ("record", &record)]).await.sees("Customer Ltd");
    admin.submit(&path, &[("do", "clear")]).await.sees_no("Customer Ltd");
    admin.send(&path, &[("do", "set"), ("record", "mailbox:1")]).await.expect(400);
});

story!(what_nobody_tracked_is_tracked_by_hand, |w| {
    let ctx = w.context().await;
    let mail = formats::mime::read(NEWS.as_bytes());
    let message = Message { mail, raw: NEWS.as_bytes().to_vec(), received: Some(ctx.now) };
    incoming::deliver(&ctx, message).await.unwrap_err();
    let ledger = w.read("/pr_ledgerentries").await;
    let entry = ledger["value"][0]["pr_ledgerentryid"].as_str().unwrap().to_owned();
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/work/messages/{entry}")).await.expect(200);
    page.sees("News & more").sees("Track It Now");
    let body = admin.open(&format!("/work/messages/{entry}/body")).await.expect(200);
    assert!(body.text().contains("Hello <b>you</b>") && !body.text().contains("<script"));
    admin.submit(&format!("/work/messages/{entry}/track"), &[]).await.sees("News & more").sees("Reply");
    w.salesperson().await.open(&format!("/work/messages/{entry}")).await.expect(404);
});

story!(german_pages_speak_german, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await.reading("de");
    let page = admin.open(&format!("/work/emails/{id}")).await.expect(200);
    page.sees("Allen antworten").sees("1 Bild auf einem anderen Server wurde nicht geladen.").sees("Empfangen");
    assert!(admin.open(&format!("/work/emails/{id}/body")).await.text().contains("(führt zu evil.example)"));
});

story!(hostile_messages_are_shown_and_do_nothing, |w| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/tests/hostile");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let mut admin = w.administrator().await;
    for file in files {
        let raw = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        let id = received(&w, &raw).await;
        let page = admin.open(&format!("/work/emails/{id}")).await.expect(200);
        assert!(!page.text().contains("<script>alert(1)"), "{}", file.display());
        let body = admin.open(&format!("/work/emails/{id}/body?remote=1")).await.expect(200);
        let html = body.text().to_lowercase();
        for tag in [
            "<script",
            "<iframe",
            "<svg",
            "<math",
            "<form",
            "<input",
            "<object",
            "<embed",
            "<link",
            "<base",
            "onerror=",
            "<meta http",
        ] {
            let text = html.replace("&lt;", "").replace("onerror=alert(1)&gt;", "");
            assert!(!text.contains(tag) || tag == "onerror=", "{}: {tag} in {html}", file.display());
        }
        assert!(html.contains("visible text"), "{}: {html}", file.display());
    }
});
