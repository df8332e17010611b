//! Messages that programs deliver: the same road as received mail, with its
//! row in the ledger.

use model::Query;
use model::tables::{Disposition, Email, LedgerEntry};
use serde_json::{Value, json};

use crate::world::World;

const DELIVER: &str = "/emails/Microsoft.Dynamics.CRM.DeliverIncomingEmail";

/// Ann, whose email is processed and who tracks this kind of it.
async fn ann(w: &World, filter: i64) -> (String, String) {
    let (ann, token) = w.user("ann@example.com").await;
    let mailbox = w.mailbox_of(&ann).await;
    let path = format!("/mailboxes({mailbox})");
    w.patch(&path, json!({ "incomingemaildeliverymethod": 2, "emailrouteraccessapproval": 1 })).await.expect(204);
    let settings = format!("/usersettingscollection({ann})");
    w.patch(&settings, json!({ "incomingemailfilteringmethod": filter })).await.expect(204);
    (ann, token)
}

fn letter(id: &str) -> Value {
    json!({
        "MessageId": format!("<{id}@customers.example>"),
        "Subject": "An order",
        "From": "Kim <kim@customers.example>",
        "To": "ann@example.com; \"Bo; Jr.\" <bo@elsewhere.example>",
        "Cc": "",
        "Bcc": "",
        "ReceivedOn": "2026-02-28T08:00:00Z",
        "SubmittedBy": "gateway@example.com",
        "Importance": "high",
        "Body": "<p>Ten, please.</p>",
        "Attachments": [{
            "@odata.type": "Microsoft.Dynamics.CRM.activitymimeattachment",
            "filename": "order.txt", "mimetype": "text/plain", "body": "dGVu"
        }],
        "ExtraProperties": { "@odata.type": "Microsoft.Dynamics.CRM.email" },
    })
}

async fn rows(w: &World) -> Vec<LedgerEntry> {
    w.store.list::<LedgerEntry>(&Query::of::<LedgerEntry>()).await.unwrap()
}

async fn emails(w: &World) -> u64 {
    w.store.count(&Query::of::<Email>()).await.unwrap()
}

fn question(id: &str, to: &str) -> String {
    format!(
        "/CheckIncomingEmail(MessageId=@i,Subject=@s,From=@f,To=@t,Cc=@c,Bcc=@c,ExtraProperties=@x)?@i='%3C{id}@customers.example%3E'&@s='An%20order'&@f='kim@customers.example'&@t='{to}'&@c=''&@x=%7B%22@odata.type%22:%22Microsoft.Dynamics.CRM.email%22%7D"
    )
}

story!(a_delivered_message_is_an_email_with_a_ledger_row, |w| {
    let (ann, _) = ann(&w, 0).await;
    let asked = w.read(&question("1", "ann@example.com")).await;
    assert_eq!((&asked["ShouldDeliver"], &asked["ReasonCode"]), (&json!(true), &json!(6)), "{asked}");
    assert_eq!(emails(&w).await, 0);
    assert!(rows(&w).await.is_empty());

    let answer = w.post(DELIVER, letter("1")).await.expect(200).json();
    assert!(
        answer["@odata.context"].as_str().unwrap().ends_with("Microsoft.Dynamics.CRM.DeliverIncomingEmailResponse")
    );
    let id = answer["EmailId"].as_str().unwrap();
    let email = w.read(&format!("/emails({id})?$expand=email_activity_parties,email_activity_mime_attachment")).await;
    assert_eq!(email["subject"], "An order");
    assert_eq!(email["messageid"], "<1@customers.example>");
    assert_eq!(email["directioncode"], false);
    assert_eq!(email["prioritycode"], 2);
    assert_eq!(email["submittedby"], "gateway@example.com");
    assert_eq!(email["_ownerid_value"], ann.as_str());
    assert_eq!(email["pr_receivedon"], "2026-02-28T08:00:00Z");
    assert!(email["description"].as_str().unwrap().contains("Ten, please."));
    assert_eq!(email["email_activity_parties"].as_array().unwrap().len(), 3, "{email}");
    assert_eq!(email["email_activity_mime_attachment"][0]["filename"], "order.txt");
    let file = email["email_activity_mime_attachment"][0]["activitymimeattachmentid"].as_str().unwrap();
    assert_eq!(w.get(&format!("/activitymimeattachments({file})/body/$value")).await.expect(200).text(), "ten");
    let raw = w.get(&format!("/emails({id})/pr_rawmessage/$value")).await.expect(200).text();
    assert!(raw.contains("Message-ID: <1@customers.example>"), "{raw}");

    let ledger = rows(&w).await;
    assert_eq!(ledger.len(), 1);
    assert_eq!((ledger[0].disposition, ledger[0].folder.as_str()), (Disposition::Tracked, "Web API"));
    assert_eq!(ledger[0].activity.unwrap().id.to_string(), id);
});

story!(the_same_message_is_delivered_once, |w| {
    ann(&w, 0).await;
    w.post(DELIVER, letter("1")).await.expect(200);
    let asked = w.read(&question("1", "ann@example.com")).await;
    assert_eq!((&asked["ShouldDeliver"], &asked["ReasonCode"]), (&json!(false), &json!(0)), "{asked}");
    w.post(DELIVER, letter("1")).await.expect(400).code("0x8005E20B").says("Reason code: 0");
    let mut other_words = letter("1");
    other_words["Body"] = json!("as another gateway writes it");
    other_words["ReceivedOn"] = json!("2026-02-28T08:00:05Z");
    w.post(DELIVER, other_words).await.expect(400).code("0x8005E20B").says("Reason code: 0");
    assert_eq!(emails(&w).await, 1);
    let dispositions: Vec<_> = rows(&w).await.iter().map(|r| r.disposition).collect();
    assert_eq!(dispositions.len(), 2, "{dispositions:?}");
    assert!(dispositions.contains(&Disposition::Duplicate));
});

story!(what_is_not_accepted_is_in_the_ledger_with_its_reason, |w| {
    ann(&w, 1).await;
    let asked = w.read(&question("1", "ann@example.com")).await;
    assert_eq!((&asked["ShouldDeliver"], &asked["ReasonCode"]), (&json!(false), &json!(1)), "{asked}");
    w.post(DELIVER, letter("1"))
        .await
        .expect(400)
        .code("0x8005E20B")
        .says("Reason code: 1")
        .says("ann@example.com tracks only replies");
    let mut nobody = letter("2");
    nobody["To"] = json!("nobody@elsewhere.example");
    w.post(DELIVER, nobody).await.expect(400).code("0x8005E20B").says("Reason code: 3");
    assert_eq!(w.read(&question("2", "nobody@elsewhere.example")).await["ReasonCode"], 3);
    assert_eq!(emails(&w).await, 0);
    let ledger = rows(&w).await;
    let mut found: Vec<_> = ledger.iter().map(|r| r.disposition).collect();
    found.sort_by_key(|d| *d as i32);
    assert_eq!(found, [Disposition::Filtered, Disposition::NoRecipientMatch]);
});

story!(an_answer_is_known_by_what_it_answers, |w| {
    ann(&w, 0).await;
    let first = w.post(DELIVER, letter("1")).await.expect(200).json()["EmailId"].clone();
    let mut answer = letter("2");
    answer["ExtraProperties"]["inreplyto"] = json!("<1@customers.example>");
    let id = w.post(DELIVER, answer).await.expect(200).json()["EmailId"].as_str().unwrap().to_owned();
    let email = w.read(&format!("/emails({id})?$select=_correlatedactivityid_value,inreplyto")).await;
    assert_eq!(email["_correlatedactivityid_value"], first, "{email}");
    let mut other = letter("3");
    other["ExtraProperties"]["subject"] = json!("x");
    w.post(DELIVER, other).await.expect(400).code("0x80048d19").says("ExtraProperties");
});

story!(a_queue_gets_its_item, |w| {
    let queue = w.create("queues", json!({ "name": "Orders", "emailaddress": "orders@example.com" })).await;
    let mailbox = w.mailbox_of(&queue).await;
    let ready = json!({ "incomingemaildeliverymethod": 2, "emailrouteraccessapproval": 1 });
    w.patch(&format!("/mailboxes({mailbox})"), ready).await.expect(204);
    let mut hidden = letter("1");
    hidden["To"] = json!("undisclosed@elsewhere.example");
    hidden["Bcc"] = json!("orders@example.com");
    let id = w.post(DELIVER, hidden).await.expect(200).json()["EmailId"].as_str().unwrap().to_owned();
    let items = w.read("/queueitems").await;
    assert_eq!(items["value"][0]["_objectid_value"], id.as_str(), "{items}");
    let raw = w.get(&format!("/emails({id})/pr_rawmessage/$value")).await.expect(200).text();
    assert!(!raw.contains("orders@example.com"), "a Bcc stays out of the message: {raw}");
});

story!(nobody_delivers_to_others_without_the_right, |w| {
    ann(&w, 0).await;
    let (_, eve) = w.user("eve@example.com").await;
    w.post(DELIVER, letter("1")).by(&eve).await.expect(403).code("0x80040220");
    assert_eq!(emails(&w).await, 0);
    assert!(rows(&w).await.is_empty());
});

story!(bad_parameters_are_named, |w| {
    ann(&w, 0).await;
    for (parameter, value, code, words) in [
        ("From", json!("nobody"), "0x80044192", "'From'"),
        ("From", json!("a@b.example; c@d.example"), "0x80044192", "one author"),
        ("To", json!("ann@example.com\r\nBcc: x@y.example"), "0x80044192", "'To'"),
        ("To", json!(7), "0x80048d19", "'To'"),
        ("MessageId", json!(""), "0x80048d19", "'MessageId'"),
        ("ReceivedOn", json!("yesterday"), "0x80048d19", "'ReceivedOn'"),
        ("Importance", json!("urgent"), "0x80048d19", "'Importance'"),
        ("Attachments", json!([{ "filename": "a", "body": "!" }]), "0x80048d19", "base64"),
        ("Attachments", json!([{ "body": "dGVu" }]), "0x80048d19", "filename"),
        ("Nonsense", json!(1), "0x80048d19", "'Nonsense'"),
    ] {
        let mut body = letter("1");
        body[parameter] = value;
        w.post(DELIVER, body).await.expect(400).code(code).says(words);
    }
    let mut less = letter("1");
    less.as_object_mut().unwrap().remove("Body");
    w.post(DELIVER, less).await.expect(400).code("0x80048d19").says("'Body'");
    let row = "/emails(00000000-0000-0000-0000-00000000000a)/Microsoft.Dynamics.CRM.DeliverIncomingEmail";
    w.post(row, letter("1")).await.expect(404).code("0x80060888");
    w.post("/DeliverIncomingEmail", letter("1")).await.expect(404).code("0x80060888");
    w.get(DELIVER).await.expect(405);
    assert_eq!(emails(&w).await, 0);
    assert!(rows(&w).await.is_empty());
});

story!(tracked_by_hand_whatever_the_filter_says, |w| {
    let (_, token) = ann(&w, 4).await;
    let path = "/emails(00000000-0000-0000-0000-000000000000)/Microsoft.Dynamics.CRM.DeliverPromoteEmail";
    let check = "/CheckPromoteEmail(MessageId='%3C1@customers.example%3E',Subject='An%20order')";
    let asked = w.get(check).by(&token).await.expect(200).json();
    assert_eq!((&asked["ShouldPromote"], &asked["ReasonCode"]), (&json!(true), &json!(6)), "{asked}");
    let answer = w.post(path, letter("1")).by(&token).await.expect(200).json();
    let id = answer["EmailId"].as_str().unwrap();
    w.get(&format!("/emails({id})")).by(&token).await.expect(200);
    let asked = w.get(check).by(&token).await.expect(200).json();
    assert_eq!((&asked["ShouldPromote"], &asked["ReasonCode"]), (&json!(false), &json!(0)), "{asked}");
    w.post(path, letter("1")).by(&token).await.expect(400).code("0x8005E20B").says("Reason code: 0");
    assert_eq!(emails(&w).await, 1);
});

story!(tokens_for_emails_about_to_be_sent, |w| {
    let made = w.post("/GetTrackingTokenEmail", json!({ "Subject": "Offer" })).await.expect(200).json();
    let token = made["TrackingToken"].as_str().unwrap().to_owned();
    assert!(token.starts_with("CRM:"), "{token}");
    let email = w.create("emails", json!({ "subject": "Offer", "trackingtoken": token })).await;
    let subject = format!("RE: Offer {token}");
    let again = w.post("/GetTrackingTokenEmail", json!({ "Subject": subject })).await.expect(200).json();
    assert_eq!(again["TrackingToken"], token.as_str(), "the conversation keeps its token: {email}");
    let other =
        w.post("/GetTrackingTokenEmail", json!({ "Subject": "Offer CRM:000000000000000000" })).await.expect(200).json();
    assert_ne!(other["TrackingToken"], "CRM:000000000000000000");
    w.post("/GetTrackingTokenEmail", json!({})).await.expect(400).code("0x80048d19").says("'Subject'");
});
