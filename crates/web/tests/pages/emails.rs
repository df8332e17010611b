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
    assert!(text.contains("<iframe class=\"message-text guessed\" title=\"Text of the message\" height=\""), "{text}");
    assert!(
        text.contains(&format!(
            "src=\"/work/emails/{id}/body\" sandbox=\"allow-popups allow-popups-to-escape-sandbox\""
        )),
        "{text}"
    );
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

story!(many_recipients_are_folded_and_strange_senders_told_of, |w| {
    let to: Vec<String> = (1..=200).map(|n| format!("Guest {n} <guest{n}@customer.example>")).collect();
    let raw =
        NEWS.replace("Bob <bob@customer.example>", &to.join(",\r\n ")).replace("cara@customer", "cara@xn--80ak6aa92e");
    let id = received(&w, &raw).await;
    let page = w.administrator().await.open(&format!("/work/emails/{id}")).await.expect(200);
    let page = page.sees("Guest 1").sees("189 more").sees("Guest 200");
    page.sees("The sender's address has letters that only look familiar: аррӏе.example is xn--80ak6aa92e.example.");
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
    sally.open(&format!("/work/emails/{id}/answer?how=reply")).await.expect(404);
    sally.open(&format!("/work/emails/{id}/quoted?how=reply")).await.expect(404);
    w.administrator().await.open("/work/emails/nonsense").await.expect(404);
});

/// The drafts that there are, with their attachments.
async fn drafts(w: &World) -> Vec<serde_json::Value> {
    let drafts = w.read("/emails?$filter=statuscode%20eq%201&$expand=email_activity_mime_attachment").await;
    drafts["value"].as_array().unwrap().clone()
}

fn files_of(draft: &serde_json::Value) -> Vec<&str> {
    let files = draft["email_activity_mime_attachment"].as_array().unwrap();
    let mut names: Vec<_> = files.iter().map(|f| f["filename"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

story!(a_reply_quotes_and_continues_the_conversation, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/work/emails/{id}/answer?how=all")).await.expect(200);
    let text = page.text();
    assert!(text.contains("value=\"Re: News &#38; more\""), "{text}");
    assert!(
        text.contains("value=\"Cara Customer &#60;cara@customer.example&#62;; Bob &#60;bob@customer.example&#62;\""),
        "{text}"
    );
    assert!(text.contains("value=\"dora@customer.example\""), "{text}");
    assert!(text.contains(&format!("src=\"/work/emails/{id}/quoted?how=all\"")), "{text}");
    let quoted = admin.open(&format!("/work/emails/{id}/quoted?how=all")).await.expect(200).text();
    assert!(quoted.contains("Hello <b>you</b>") && quoted.contains("src=\"data:image/png;base64,"), "{quoted}");
    assert!(drafts(&w).await.is_empty(), "nothing is kept of a reply that nobody has written");

    let from = own(&admin);
    let fields: Vec<_> = sheet("", &from, "cara@customer.example", "save")
        .into_iter()
        .chain([("answers", &*id), ("how", "all")])
        .collect();
    admin.upload("/work/emails/save", &fields, &[]).await.expect(303);
    let drafts = drafts(&w).await;
    let draft = &drafts[0];
    assert_eq!(draft["_parentactivityid_value"], id.as_str());
    let html = draft["description"].as_str().unwrap();
    assert!(html.contains("<blockquote type=\"cite\">") && html.contains("Hello <b>you</b>"), "{html}");
    assert!(html.contains("src=\"cid:logo@x\"") && !html.contains("<script"), "{html}");
    // The picture in the quotation comes along, the file does not.
    assert_eq!(files_of(draft), ["logo.png"]);
    let draft = draft["activityid"].as_str().unwrap();
    admin.open(&format!("/work/emails/{draft}/body?part=quoted")).await.expect(200);
    // Discarded, it leads back to what it answers.
    let gone = admin.upload("/work/emails/save", &sheet(draft, &from, "", "discard"), &[]).await.expect(303);
    assert_eq!(gone.header("location"), format!("/work/emails/{id}?done=discarded"));
});

story!(a_forwarded_email_takes_its_files_along, |w| {
    let id = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let page = admin.open(&format!("/work/emails/{id}/answer?how=forward")).await.expect(200);
    assert!(page.text().contains("value=\"Fw: News &#38; more\""));
    page.sees("page.html").sees("logo.png").sees_no("Remove page.html");
    let from = own(&admin);
    let fields: Vec<_> =
        sheet("", &from, "", "autosave").into_iter().chain([("answers", &*id), ("how", "forward")]).collect();
    let told = admin.upload("/work/emails/save", &fields, &[]).await.expect(200).json();
    assert!(told["files"].as_str().unwrap().contains("Remove<span class=\"unseen\"> page.html"), "{told}");
    let drafts = drafts(&w).await;
    assert!(drafts[0]["_parentactivityid_value"].is_null());
    assert_eq!(files_of(&drafts[0]), ["logo.png", "page.html"]);
});

story!(what_is_formatted_stays_formatted_and_harmless, |w| {
    let mut admin = w.administrator().await;
    let from = own(&admin);
    let html = "<div>Dear <b>you</b>,</div><ul><li><div>one</div></li></ul><script>alert(1)</script>\
        <div style=\"color:red\" onclick=\"x()\" id=\"pr-quoted\">end <a href=\"javascript:x()\">y</a></div>";
    let mut fields = sheet("", &from, "", "save");
    fields.retain(|(name, _)| *name != "body");
    let formatted: Vec<_> = fields.iter().copied().chain([("body", html), ("body-format", "html")]).collect();
    let saved = admin.upload("/work/emails/save", &formatted, &[]).await.expect(303);
    let id = id_of(saved.header("location"));
    let kept =
        "<div id=\"pr-text\"><div>Dear <b>you</b>,</div><ul><li><div>one</div></li></ul><div>end <a>y</a></div></div>";
    assert_eq!(w.read(&format!("/emails({id})")).await["description"], kept);
    let page = admin.open(&format!("/work/emails/{id}/edit")).await.expect(200);
    assert!(page.text().contains("Dear you,\n\n* one\n\nend y</textarea>"), "{}", page.text());
    assert!(page.text().contains("data-formatted=\"&#60;div&#62;Dear &#60;b&#62;you"), "{}", page.text());
    // Without scripts the same text comes back without its formatting, which stays.
    let plain = |body: &'static str| -> Vec<(&str, &str)> {
        let head = [("id", &*id)].into_iter().chain(fields.iter().copied().filter(|(n, _)| *n != "id"));
        head.chain([("body", body)]).collect()
    };
    admin.upload("/work/emails/save", &plain("Dear you,\r\n\r\n* one\r\n\r\nend y"), &[]).await.expect(303);
    assert_eq!(w.read(&format!("/emails({id})")).await["description"], kept);
    admin.upload("/work/emails/save", &plain("Dear all"), &[]).await.expect(303);
    assert_eq!(w.read(&format!("/emails({id})")).await["description"], "<div>Dear all</div>");
});

story!(the_signature_stands_below_as_it_was_formatted, |w| {
    let mut admin = w.administrator().await;
    let signature = [("pr_signature", "<div><b>Sam</b></div><div>Sales</div>"), ("pr_signature-format", "html")];
    admin.submit("/options", &signature).await.sees("Saved.").sees("Sam Sales");
    let page = admin.open("/work/emails/new").await.expect(200).text();
    assert!(page.contains("&#60;div&#62;&#60;br&#62;&#60;/div&#62;&#60;div&#62;&#60;b&#62;Sam&#60;/b&#62;"), "{page}");
    // Saved again without scripts and unchanged, it is as it was.
    admin.submit("/options", &[("pr_signature", "Sam\r\nSales")]).await.sees("Saved.");
    assert!(admin.open("/options").await.text().contains("&#60;b&#62;Sam"));
    admin.submit("/options", &[("pr_signature", "Sam")]).await.sees("Saved.");
    assert!(!admin.open("/options").await.text().contains("&#60;b&#62;Sam"));
});

story!(two_windows_overwrite_nothing, |w| {
    let original = received(&w, NEWS).await;
    let mut admin = w.administrator().await;
    let from = own(&admin);
    let first: Vec<_> = sheet("", &from, "cara@customer.example", "autosave")
        .into_iter()
        .chain([("answers", &*original), ("how", "reply")])
        .collect();
    let told = admin.upload("/work/emails/save", &first, &[]).await.expect(200).json();
    let (id, version) = (told["id"].as_str().unwrap().to_owned(), told["version"].to_string());
    let page = admin.open(&format!("/work/emails/{id}/edit")).await.expect(200);
    assert!(page.text().contains(&format!("name=\"version\" value=\"{version}\"")), "{}", page.text());

    // The other window saves first.
    let with = |subject: &'static str, version: String, action: &'static str| -> Vec<(String, String)> {
        let fields = sheet(&id, &from, "cara@customer.example", action).into_iter();
        let own = |(n, v): (&str, &str)| (n.to_owned(), if n == "subject" { subject.to_owned() } else { v.to_owned() });
        fields.map(own).chain([("version".to_owned(), version)]).collect()
    };
    fn lent(fields: &[(String, String)]) -> Vec<(&str, &str)> {
        fields.iter().map(|(n, v)| (&**n, &**v)).collect()
    }
    let other = with("The other's", version.clone(), "autosave");
    let told = admin.upload("/work/emails/save", &lent(&other), &[]).await.expect(200).json();
    assert_ne!(told["version"].to_string(), version);
    let mine = with("Mine", version.clone(), "autosave");
    let told = admin.upload("/work/emails/save", &lent(&mine), &[]).await.expect(200).json();
    assert_eq!((told["against"].as_str(), &told["id"]), (Some("changed"), &serde_json::Value::Null), "{told}");
    for action in ["save", "send", "discard"] {
        let mine = with("Mine", version.clone(), action);
        let page = admin.upload("/work/emails/save", &lent(&mine), &[]).await.expect(409);
        assert!(page.text().contains("value=\"Mine\""), "{action}: what was written is still there");
        page.sees("This email was saved elsewhere meanwhile").sees("Load the other version instead");
    }
    assert_eq!(w.read(&format!("/emails({id})")).await["subject"], "The other's");

    // Both are kept, and the second has all that the first has.
    let mine = with("Mine", version.clone(), "copy");
    let saved = admin.upload("/work/emails/save", &lent(&mine), &[]).await.expect(303);
    let second = id_of(saved.header("location"));
    assert_ne!(second, id);
    let all = drafts(&w).await;
    let copy = all.iter().find(|d| d["activityid"] == second.as_str()).unwrap();
    assert_eq!((copy["subject"].as_str(), files_of(copy)), (Some("Mine"), vec!["logo.png"]));
    assert_eq!(copy["_parentactivityid_value"], original.as_str());
    assert!(copy["description"].as_str().unwrap().contains("Hello <b>you</b>"));

    // Deleted elsewhere, what is written here can still be kept.
    w.delete(&format!("/emails({id})")).await.expect(204);
    let told = admin.upload("/work/emails/save", &lent(&with("Mine", version.clone(), "autosave")), &[]).await;
    assert_eq!(told.expect(200).json()["against"], "gone");
    let page = admin.upload("/work/emails/save", &lent(&with("Mine", version.clone(), "save")), &[]).await.expect(409);
    page.sees("This draft was deleted elsewhere meanwhile");
    admin.upload("/work/emails/save", &lent(&with("Mine, again", version, "copy")), &[]).await.expect(303);
    assert!(drafts(&w).await.iter().any(|d| d["subject"] == "Mine, again"));
});

story!(an_email_is_sent_later, |w| {
    w.create("contacts", json!({ "lastname": "Customer", "emailaddress1": "cara@customer.example" })).await;
    let mut admin = w.administrator().await;
    let from = own(&admin);
    let later = |id: &str, at: &'static str, action: &'static str| -> Vec<(String, String)> {
        let fields = sheet(id, &from, "cara@customer.example", action).into_iter();
        let all = fields.chain([("delayedemailsendtime", at)]);
        all.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    };
    fn lent(fields: &[(String, String)]) -> Vec<(&str, &str)> {
        fields.iter().map(|(n, v)| (&**n, &**v)).collect()
    }
    for at in ["", "2001-01-01T08:00", "soon"] {
        let page = admin.upload("/work/emails/save", &lent(&later("", at, "later")), &[]).await.expect(400);
        assert!(page.text().contains("id=\"delayedemailsendtime-fault\""), "{at}: {}", page.text());
    }
    let sent = admin.upload("/work/emails/save", &lent(&later("", "2099-03-01T08:30", "later")), &[]).await.expect(303);
    let id = sent.header("location").split('/').nth(3).unwrap().split('?').next().unwrap().to_owned();
    assert!(sent.header("location").ends_with("?done=later"), "{}", sent.header("location"));
    let row = w.read(&format!("/emails({id})")).await;
    assert_eq!((&row["delayedemailsendtime"], &row["statuscode"]), (&json!("2099-03-01T08:30:00Z"), &json!(6)));
    let page = admin.open(sent.header("location")).await.expect(200);
    assert!(!page.text().contains("hx-trigger=\"every 3s\""), "the page asks for what cannot have changed");
    page.sees("It will be sent at the time that you set.")
        .sees("To be sent on")
        .sees("1 Mar 2099, 08:30")
        .sees("Send Now");
    // Called back, the time stands in the form.
    let page = admin.submit(&format!("/work/emails/{id}/state"), &[("do", "recall")]).await;
    assert!(page.text().contains("value=\"2099-03-01T08:30\""), "{}", page.text());
    // Send means now, whatever stands there.
    admin.upload("/work/emails/save", &lent(&later(&id, "2099-03-01T08:30", "send")), &[]).await.expect(303);
    assert!(w.read(&format!("/emails({id})")).await["delayedemailsendtime"].is_null());
    admin.submit(&format!("/work/emails/{id}/state"), &[("do", "recall")]).await.sees("Send Later");
    admin.upload("/work/emails/save", &lent(&later(&id, "2099-03-01T08:30", "later")), &[]).await.expect(303);
    admin.submit(&format!("/work/emails/{id}/state"), &[("do", "now")]).await.sees("Handed over to be sent.");
    let row = w.read(&format!("/emails({id})")).await;
    assert_eq!((&row["delayedemailsendtime"], &row["statuscode"]), (&json!(null), &json!(6)));
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
    sally.upload("/work/emails/save", &sheet(&id, &from, "", "discard"), &[]).await.expect(303);
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
    admin.open(&path).await.expect(200).sees("Now regarding: nothing").sees_no("In this email");
    w.create("contacts", json!({ "lastname": "Customer", "emailaddress1": "cara@customer.example" })).await;
    let again = received(&w, &NEWS.replace("news-1", "news-2")).await;
    let page = admin.open(&format!("/work/emails/{again}/regarding")).await.expect(200);
    page.sees("In this email").sees("Customer (Contact)");
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
