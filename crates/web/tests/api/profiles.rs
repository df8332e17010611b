//! The codes of email server profiles.

use serde_json::{Value, json};

fn with(more: Value) -> Value {
    let mut body = json!({
        "name": "P", "servertype": 4, "incomingserverlocation": "mail.example.com",
        "outgoingserverlocation": "mail.example.com", "incomingauthenticationprotocol": 3,
        "outgoingauthenticationprotocol": 3
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

macro_rules! refused {
    ($name:ident, $body:tt, $code:literal) => {
        story!($name, |w| {
            w.post("/emailserverprofiles", with(json!($body))).await.expect(400).also($code);
        });
    };
}

story!(works, |w| {
    let id = w.create("emailserverprofiles", with(json!({}))).await;
    let row = w.read(&format!("/emailserverprofiles({id})")).await;
    assert_eq!(row["incomingportnumber"], 993);
    assert_eq!(row["incomingusessl"], true);
});

refused!(without_tls, { "incomingusessl": false, "incomingportnumber": 143 }, "0x8005E234");
refused!(autodiscover, { "useautodiscover": true }, "0x8005E204");
refused!(impersonation, { "incominguseimpersonation": true }, "0x8005E236");
refused!(delegate_access, { "outgoingautograntdelegateaccess": true }, "0x8005E235");
refused!(too_early, { "processemailsreceivedafter": "1800-01-01T00:00:00Z" }, "0x8005E244");
refused!(port_out_of_range, { "incomingportnumber": 70000 }, "0x80044330");
refused!(unknown_type, { "servertype": 99 }, "0x8004431A");
refused!(name_too_long, { "name": "x".repeat(101) }, "0x80044331");
refused!(bad_location, { "incomingserverlocation": "not a host" }, "0x8005E20A");

story!(name_is_required, |w| {
    let mut body = with(json!({}));
    body.as_object_mut().unwrap().remove("name");
    w.post("/emailserverprofiles", body).await.expect(400).says("name");
});

story!(type_is_required_not_to_be_null, |w| {
    w.post("/emailserverprofiles", with(json!({ "servertype": null }))).await.expect(400).code("0x80040203");
});
