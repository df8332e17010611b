//! Email server profiles: choosing the provider, the form, looking up
//! settings, testing the connection, the mailboxes. The machine's half is
//! played by hand here: it only ever writes rows.

use model::discovery::{Candidate, Evidence, Found, InquiryState, Line, Protection, Protocol, Topic};
use model::tables::{EmailServerProfile, Inquiry, Mailbox, Server};
use model::{Change, Commit, Entity, Filter, Id, Query, Update, Value};
use serde_json::json;

use crate::world::{Answer, World};

pub fn candidate(protocol: Protocol, host: &str, port: u16, answered: bool) -> Candidate {
    Candidate {
        protocol,
        host: host.into(),
        port,
        protection: Protection::Tls,
        user: "ann@acme.test".into(),
        evidence: Evidence::Service,
        source: "_imaps._tcp.acme.test in DNS names it".into(),
        answered: Some(answered),
        said: if answered { "* OK ready".into() } else { "nobody is there".into() },
    }
}

impl World {
    pub async fn write(&self, changes: Vec<Change>) {
        let context = self.context().await;
        let actor = model::Actor { user: context.actor.id };
        self.store.commit(&Commit::new(actor, context.now, changes)).await.unwrap();
    }

    pub async fn inquiries(&self) -> Vec<Inquiry> {
        self.store.list::<Inquiry>(&Query::of::<Inquiry>().order_by(Inquiry::C.asked_on, true)).await.unwrap()
    }

    /// As the machine's half ends it.
    pub async fn answer_inquiry(&self, id: Id, state: InquiryState, lines: &[Line], found: &Found) {
        let progress: String = lines.iter().map(|line| formats::inquiry::write_line(line) + "\n").collect();
        let update = Update::of::<Inquiry>(id)
            .set(Inquiry::C.state, state)
            .set(Inquiry::C.progress, progress)
            .set(Inquiry::C.result, formats::inquiry::write_found(found));
        self.write(vec![update.into()]).await;
    }

    async fn profile(&self, name: &str) -> String {
        let body = json!({
            "name": name, "servertype": 4, "incomingserverlocation": "imap.acme.test", "incomingportnumber": 993,
            "outgoingserverlocation": "smtp.acme.test", "outgoingportnumber": 587,
        });
        self.create("emailserverprofiles", body).await
    }
}

/// Where the operator lets passwords cross the network in the clear.
pub fn allowing_passwords(mut w: World) -> World {
    let mut state = w.state();
    state.settings.allow_credentials_in_clear = true;
    w.replace_router(web::router(state));
    w
}

fn id_in(answer: &Answer) -> Id {
    let location = answer.header("location").to_owned();
    let path = match location.split_once("inquiry=") {
        Some((_, id)) => id,
        None => location.split('?').next().unwrap(),
    };
    let id = path.rsplit('/').next().unwrap();
    id.parse().unwrap_or_else(|_| panic!("no id in {location}"))
}

const IMAP: &[(&str, &str)] = &[
    ("provider", "imap"),
    ("servertype", "4"),
    ("name", "Ours"),
    ("incomingserverlocation", "imap.acme.test"),
    ("incomingportnumber", ""),
    ("incomingusessl", "1"),
    ("incomingcredentialretrieval", "0"),
    ("outgoingserverlocation", "smtp.acme.test"),
    ("outgoingusessl", "1"),
    ("usesamesettingsforoutgoingconnections", "1"),
];

/// The fields, some of them otherwise.
fn but<'a>(fields: &[(&'a str, &'a str)], other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| !other.iter().any(|(n, _)| n == name));
    kept.chain(other).copied().collect()
}

story!(the_provider_is_chosen_first, |w| {
    let mut cora = w.customizer().await;
    let page = cora.open("/settings/profiles/new").await.expect(200);
    page.sees("Look up settings from an address").sees("IMAP/SMTP").sees("Gmail").sees("Not processed yet");
    let page = cora.open("/settings/profiles/new?provider=pop3").await.expect(200);
    page.sees("POP3: each mailbox brings its own credentials").sees("Empty: 995").sees("Test Connection");
    let page = cora.open("/settings/profiles/new?provider=gmail").await.expect(200);
    assert!(page.text().contains("value=\"imap.gmail.com\""), "{}", page.text());
    let page = cora.open("/settings/profiles/new?provider=exchange").await.expect(200);
    page.sees("does not talk to Exchange yet").sees("Auto Discover Server Location").sees_no("Test Connection");
    w.salesperson().await.open("/settings/profiles/new").await.expect(403);
});

story!(a_profile_is_made_and_what_is_wrong_stands_beside_its_field, |w| {
    let mut admin = w.administrator().await;
    let wrong = but(IMAP, &[("incomingserverlocation", "imap://x"), ("outgoingportnumber", "many"), ("name", "")]);
    let page = admin.send("/settings/profiles/new", &wrong).await.expect(400);
    let text = page.text();
    for id in ["incomingserverlocation-fault", "outgoingportnumber-fault", "name-fault"] {
        assert!(text.contains(id), "{id} in {text}");
    }
    page.sees("It was not saved. Correct this first:").sees("is a imap address").says("<a href=\"#outgoing");
    let answer = admin.send("/settings/profiles/new", &but(IMAP, &[("default", "1"), ("then", "stay")])).await;
    let id = id_in(&answer.expect(303));
    let profile = w.store.load::<EmailServerProfile>(id).await.unwrap().unwrap();
    assert_eq!((profile.incoming_port, profile.outgoing_port), (Some(993), Some(587)));
    let page = admin.open(&format!("/settings/profiles/{id}?done=created")).await.expect(200);
    page.sees("Created.").sees("New mailboxes get this profile.").sees("No mailbox uses this profile yet.");
    let close = but(IMAP, &[("name", "Others"), ("then", "close")]);
    let answer = admin.send("/settings/profiles/new", &close).await.expect(303);
    assert_eq!(answer.header("location"), "/settings/profiles?done=created");
});

story!(a_profile_is_changed_by_one_at_a_time, |w| {
    let id = w.profile("Ours").await;
    let mut admin = w.administrator().await;
    let path = format!("/settings/profiles/{id}");
    let page = admin.open(&path).await.expect(200);
    let text = page.text();
    let version = text.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let change = but(IMAP, &[("description", "Berlin"), ("version", &version)]);
    admin.submit(&path, &change).await.sees("Saved.").sees("Berlin");
    admin.send(&path, &change).await.expect(400).sees("does not match");
});

story!(passwords_are_written_and_never_read, |w| {
    let w = allowing_passwords(w);
    let mut admin = w.administrator().await;
    let own = [("incomingcredentialretrieval", "1"), ("incomingusername", "all"), ("incomingpassword", "s3cret")];
    let id = id_in(&admin.send("/settings/profiles/new", &but(IMAP, &own)).await.expect(303));
    let held = w.store.reveal(EmailServerProfile::TABLE, id, "incomingpassword").await.unwrap().unwrap();
    assert_eq!(held.expose(), "s3cret");
    let page = admin.open(&format!("/settings/profiles/{id}")).await.expect(200);
    assert!(!page.text().contains("s3cret"));
    page.sees("A password is stored. Leave this empty to keep it.");
    let keep = [("incomingcredentialretrieval", "1"), ("incomingusername", "all"), ("incomingpassword", "")];
    admin.submit(&format!("/settings/profiles/{id}"), &but(IMAP, &keep)).await.sees("Saved.");
    let held = w.store.reveal(EmailServerProfile::TABLE, id, "incomingpassword").await.unwrap().unwrap();
    assert_eq!(held.expose(), "s3cret");
});

story!(passwords_are_not_taken_in_clear, |w| {
    let mut admin = w.administrator().await;
    let page = admin.open("/settings/profiles/new?provider=imap").await.expect(200);
    assert!(page.text().contains("id=\"incomingpassword-why\""), "{}", page.text());
    let own = [("incomingcredentialretrieval", "1"), ("incomingusername", "all"), ("incomingpassword", "s3cret")];
    admin.send("/settings/profiles/new", &but(IMAP, &own)).await.expect(400).sees("secure connection");
    let typed = but(IMAP, &[("user", "ann@acme.test"), ("password", "s3cret")]);
    admin.send("/settings/profiles/test", &typed).await.expect(400).sees("secure connection");
    assert!(w.inquiries().await.is_empty());
});

/// A mailbox of the profile whose tests went well.
async fn tested_mailbox(w: &World, profile: &str) -> Id {
    let (user, _) = w.user("ann@acme.test").await;
    let mailbox = w.mailbox_of(&user).await;
    let mailbox: Id = mailbox.parse().unwrap();
    let profile = model::Ref::new("emailserverprofile", profile.parse().unwrap());
    let mut update = Update::of::<Mailbox>(mailbox)
        .set(Mailbox::C.use_credentials, true)
        .set(Mailbox::C.user_name, "ann".to_owned())
        .set(Mailbox::C.profile, Some(profile))
        .set(Mailbox::C.incoming, model::tables::IncomingMethod::ServerSide)
        .set(Mailbox::C.incoming_status, model::tables::TestStatus::Success);
    update.set.push(("password", Value::Secret(model::Secret::new("x"))));
    w.write(vec![update.into()]).await;
    mailbox
}

story!(it_is_said_before_saving_what_a_change_takes_back, |w| {
    let id = w.profile("Ours").await;
    let mailbox = tested_mailbox(&w, &id).await;
    let mut admin = w.administrator().await;
    let path = format!("/settings/profiles/{id}");
    admin.open(&path).await.expect(200).sees("Changing this section returns the Incoming Email Status");
    let ask = format!("{path}/consequences");
    admin.send(&ask, &but(IMAP, &[("description", "x")])).await.expect(200).sees_no("Not Run");
    let other = but(IMAP, &[("incomingserverlocation", "other.acme.test")]);
    admin.send(&ask, &other).await.expect(200).sees("Incoming Email Status of 1 tested mailbox to Not Run");
    // Asking changed nothing; saving does.
    let status = async || w.store.load::<Mailbox>(mailbox).await.unwrap().unwrap().incoming_status;
    assert_eq!(status().await, model::tables::TestStatus::Success);
    admin.submit(&path, &other).await.sees("Saved.");
    assert_eq!(status().await, model::tables::TestStatus::NotRun);
});

story!(settings_are_looked_up_and_fill_the_form, |w| {
    let mut cora = w.customizer().await;
    cora.send("/settings/profiles/lookup", &[("address", "ann")]).await.expect(400).sees("not an email address");
    let answer = cora.send("/settings/profiles/lookup", &[("address", "ann@acme.test")]).await.expect(303);
    let id = id_in(&answer);
    let page = cora.open(answer.header("location")).await.expect(200);
    page.sees("Looking up settings");
    let line = Line { topic: Topic::Dns, step: String::new(), ok: Some(true), said: "a <b> record".into() };
    w.answer_inquiry(id, InquiryState::Running, std::slice::from_ref(&line), &Found::default()).await;
    let part = cora.part(&format!("/settings/profiles/inquiries/{id}")).await.expect(200);
    assert!(part.text().contains("hx-trigger") && part.text().contains("a &#60;b&#62; record"), "{}", part.text());
    let found = Found {
        provider: "Acme".into(),
        advice: "Make an app password.".into(),
        candidates: vec![
            candidate(Protocol::Imap, "imap.acme.test", 1993, true),
            candidate(Protocol::Smtp, "smtp.acme.test", 465, true),
            candidate(Protocol::Pop3, "pop.acme.test", 995, false),
        ],
        ..Found::default()
    };
    w.answer_inquiry(id, InquiryState::Done, &[line], &found).await;
    let part = cora.part(&format!("/settings/profiles/inquiries/{id}")).await.expect(200);
    assert!(!part.text().contains("hx-trigger"), "{}", part.text());
    part.sees("Settings were found.").sees("Make an app password.").sees("imap.acme.test:1993").sees("nobody is there");
    let page = cora.open(&format!("/settings/profiles/new?provider=imap&inquiry={id}")).await.expect(200);
    let text = page.text();
    for value in ["imap.acme.test", "1993", "smtp.acme.test", "465", "acme.test"] {
        assert!(text.contains(&format!("value=\"{value}\"")), "{value} in {text}");
    }
    // It is nobody else's.
    w.administrator().await.open(&format!("/settings/profiles/inquiries/{id}")).await.expect(404);
    w.salesperson().await.send("/settings/profiles/lookup", &[("address", "a@acme.test")]).await.expect(403);
});

story!(a_connection_is_tested_before_it_is_saved, |w| {
    let w = allowing_passwords(w);
    let mut admin = w.administrator().await;
    let typed = but(IMAP, &[("user", "ann@acme.test"), ("password", "pass word"), ("name", "")]);
    let answer = admin.send("/settings/profiles/test", &typed).await.expect(303);
    let id = id_in(&answer);
    let inquiry = w.store.load::<Inquiry>(id).await.unwrap().unwrap();
    assert_eq!((inquiry.incoming_location.as_str(), inquiry.incoming_port), ("imap.acme.test", Some(993)));
    assert_eq!(inquiry.outgoing_user, "ann@acme.test");
    let held = w.store.reveal(Inquiry::TABLE, id, "pr_outgoingpassword").await.unwrap().unwrap();
    assert_eq!(held.expose(), "pass word");
    assert_eq!(w.store.count(&Query::of::<EmailServerProfile>()).await.unwrap(), 0);
    let line = |topic, step: &str, ok, said: &str| Line { topic, step: step.into(), ok, said: said.into() };
    let lines = [
        line(Topic::Incoming, "connect", Some(true), "connected to 192.0.2.1:993"),
        line(Topic::Incoming, "log in", Some(false), "the server says \"AUTHENTICATIONFAILED\""),
        line(Topic::Incoming, "", None, "Check user name and password."),
    ];
    w.answer_inquiry(id, InquiryState::Failed, &lines, &Found::default()).await;
    let page = admin.open(&format!("/settings/profiles/inquiries/{id}")).await.expect(200);
    page.sees("The connection does not work yet.")
        .sees("AUTHENTICATIONFAILED")
        .sees("What to do: Check user name and password.");
    // What is missing is told with a link to its field.
    let nothing = but(IMAP, &[("outgoingserverlocation", "")]);
    let answer = admin.send("/settings/profiles/test", &nothing).await.expect(400);
    answer.sees("user name of a mailbox").sees("outgoing server location is missing");
    w.salesperson().await.send("/settings/profiles/test", &typed).await.expect(403);
});

story!(nobody_asks_for_servers_all_day, |w| {
    let mut admin = w.administrator().await;
    for _ in 0..40 {
        admin.send("/settings/profiles/lookup", &[("address", "ann@acme.test")]).await.expect(303);
    }
    let refused = admin.send("/settings/profiles/lookup", &[("address", "ann@acme.test")]).await.expect(400);
    refused.sees("Wait a moment");
    assert_eq!(w.inquiries().await.len(), 40);
});

story!(its_mailboxes_are_tested_together, |w| {
    let id = w.profile("Ours").await;
    let mailbox = tested_mailbox(&w, &id).await;
    let mut admin = w.administrator().await;
    let path = format!("/settings/profiles/{id}/mailboxes");
    // Not approved: the reason is told.
    admin.send(&path, &[]).await.expect(200).sees("Not tested:").sees("approve");
    actions::mailbox::approve(&w.context().await, mailbox).await.unwrap();
    let answer = admin.send(&path, &[("mailbox", &mailbox.to_string())]).await.expect(200);
    answer.sees("Tests begun: 1").sees("Testing …");
    let part = admin.part(&path).await.expect(200);
    assert!(part.text().contains("hx-trigger=\"every 2s\""), "{}", part.text());
    assert!(w.store.load::<Mailbox>(mailbox).await.unwrap().unwrap().test_scheduled);
});

story!(profiles_are_switched_off_and_deleted_with_a_word_about_their_mailboxes, |w| {
    let id = w.profile("Ours").await;
    let mailbox = tested_mailbox(&w, &id).await;
    let mut admin = w.administrator().await;
    let path = format!("/settings/profiles/{id}");
    admin.submit(&format!("{path}/default"), &[]).await.sees("New mailboxes get this profile.");
    let page = admin.open(&path).await.expect(200);
    page.says(&format!("/settings/alerts?only=regardingobjectid:{id}")).says(&format!("only=emailserverprofile:{id}"));
    // Before mailboxes stop it asks.
    let page = admin.send(&format!("{path}/state"), &[("statecode", "1")]).await.expect(200);
    page.sees("Deactivate the profile 'Ours'?")
        .sees("Its mailbox neither receives nor sends")
        .sees("stays the default");
    admin.open(&path).await.expect(200).sees("Status Active");
    let page = admin.submit(&format!("{path}/state"), &[("statecode", "1"), ("confirmed", "1")]).await;
    page.sees("Inactive").sees("Its mailboxes are not processed.").sees("Activate");
    admin.send(&format!("{path}/default"), &[]).await.expect(400).sees("Activate it first");
    admin.submit(&format!("{path}/state"), &[("statecode", "0")]).await.sees("Deactivate");
    let page = admin.open(&format!("{path}/delete")).await.expect(200);
    page.sees("Its mailboxes (1) stay").sees("default for new mailboxes");
    w.salesperson().await.send(&format!("{path}/delete"), &[]).await.expect(403);
    admin.send(&format!("{path}/delete"), &[]).await.expect(303);
    admin.open(&path).await.expect(404);
    assert_eq!(w.store.load::<Mailbox>(mailbox).await.unwrap().unwrap().profile, None);
});

story!(a_server_that_failed_is_told_of, |w| {
    let id = w.profile("Ours").await;
    let later = w.context().await.now + model::SignedDuration::from_mins(5);
    let server = Server {
        name: "imap.acme.test:993".into(),
        failures: 4,
        open_until: Some(later),
        last_error: "connection refused".into(),
        ..Server::blank(w.context().await.new_id().unwrap())
    };
    w.write(vec![Change::create(server)]).await;
    let page = w.administrator().await.open(&format!("/settings/profiles/{id}")).await.expect(200);
    page.sees("has failed 4 times in a row").sees("connection refused").sees("No mailbox is disabled for that.");
});

story!(pages_of_profiles_speak_german, |w| {
    let id = w.profile("Ours").await;
    let mut admin = w.administrator().await.reading("de");
    let page = admin.open(&format!("/settings/profiles/{id}")).await.expect(200);
    page.sees("Verbindung testen").sees("Nur der Hostname");
    admin.open("/settings/profiles/new").await.expect(200).sees("Oder den Anbieter wählen");
});

/// Rows of a table by a column; kept here for both files.
pub async fn mailbox_with(w: &World, address: &str) -> Mailbox {
    let query = Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.address, address.to_owned()));
    w.store.list::<Mailbox>(&query).await.unwrap().pop().unwrap()
}

/// As the worker leaves a mailbox whose test went well.
pub async fn pass_test(w: &World, mailbox: Id) {
    let mut update = Update::of::<Mailbox>(mailbox)
        .set(Mailbox::C.test_scheduled, false)
        .set(Mailbox::C.incoming_status, model::tables::TestStatus::Success)
        .set(Mailbox::C.outgoing_status, model::tables::TestStatus::Success);
    update.set.push(("testmailboxaccesscompletedon", Value::Time(w.context().await.now)));
    w.write(vec![update.into()]).await;
}

story!(a_profile_goes_to_another_owner, |w| {
    let profile = w.profile("Acme").await;
    let path = format!("/settings/profiles/{profile}");
    let mut admin = w.administrator().await;
    let page = admin.open(&path).await.expect(200);
    assert!(page.text().contains("/settings/profiles/assign"), "there is a command");
    let (user, _) = w.user("owner@acme.test").await;
    let asked = admin.send("/settings/profiles/assign", &[("id", &profile), ("who", "owner")]).await.expect(200);
    asked.sees("These records go to somebody else").sees("Acme").sees("owner@acme.test");
    let none = admin.send("/settings/profiles/assign/yes", &[("id", &profile)]).await.expect(200);
    none.sees("Choose to whom the records go.");
    let target = format!("systemuser:{user}");
    admin.send("/settings/profiles/assign/yes", &[("id", &profile), ("target", &target)]).await;
    let row = w.read(&format!("/emailserverprofiles({profile})?$select=_ownerid_value")).await;
    assert_eq!(row["_ownerid_value"], user.as_str());
    // By security role: who may only read profiles gives none away.
    let mut seller = w.salesperson().await;
    let page = seller.open(&path).await.expect(200);
    assert!(!page.text().contains("/settings/profiles/assign"));
    let me = format!("systemuser:{}", seller.id);
    let refused = seller.send("/settings/profiles/assign/yes", &[("id", &profile), ("target", &me)]).await;
    assert!(refused.text().contains("prvAssignEmailServerProfile"), "{}", refused.text());
    let row = w.read(&format!("/emailserverprofiles({profile})?$select=_ownerid_value")).await;
    assert_eq!(row["_ownerid_value"], user.as_str());
});
