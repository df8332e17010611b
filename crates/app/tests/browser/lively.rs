//! A company in the middle of a working day: mailboxes in every state,
//! customers who write, colleagues who answer, things that go wrong.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::crm::{Member, Protocol};
use testkit::mailgen::{self, Kind};
use uuid::Uuid;

use crate::world::{ADMIN, Person, World, join};

const USER: &[&str] = &["Basic User", "Queue Member"];
/// Those whose mail is read and sent.
const COLLEAGUES: [Person; 4] = [
    Person { first: "Anna", last: "Berg", address: "anna@company.test", roles: USER },
    Person { first: "Ben", last: "Ortiz", address: "ben@company.test", roles: USER },
    Person { first: "Clara", last: "Novak", address: "clara@company.test", roles: USER },
    Person { first: "Dmitri", last: "Orlov", address: "dmitri@company.test", roles: USER },
];

const COMPANIES: [(&str, &str); 5] = [
    ("Adventure Works", "adventure-works.test"),
    ("Coho Winery", "coho.test"),
    ("Fabrikam", "fabrikam.test"),
    ("Litware", "litware.test"),
    ("Northwind Traders", "northwind.test"),
];

const CUSTOMERS: [(&str, &str, &str, usize); 9] = [
    ("Kim", "Abercrombie", "Purchasing Manager", 0),
    ("Rene", "Valdes", "Head of Production", 0),
    ("Susanna", "Stubberod", "Owner", 1),
    ("Jim", "Glynn", "Cellar Master", 1),
    ("Maria", "Campbell", "Sales Manager", 2),
    ("Patrick", "Sands", "Engineer", 2),
    ("Yvonne", "McKay", "Purchasing Manager", 3),
    ("Scott", "Konersmann", "Accountant", 4),
    ("Sidney", "Higa", "Logistics", 4),
];

/// Who of the customers writes to which of the colleagues, about what.
const LETTERS: [(usize, &str, &str, Kind); 22] = [
    (0, "anna", "Order 2026-1189: delivery date", Kind::Html),
    (1, "anna", "Drawings for the new press", Kind::Attachments),
    (2, "anna", TASTING, Kind::InlinePicture),
    (3, "anna", "Invoice 88213", Kind::Plain),
    (4, "anna", "Can we meet on Thursday?", Kind::Html),
    (5, "anna", "Spare parts, urgent", Kind::Plain),
    (6, "ben", "Renewal of our contract", Kind::Html),
    (7, "ben", "Question about the last statement", Kind::Plain),
    (8, "ben", "Two pallets missing", Kind::Attachments),
    (0, "ben", "New colleague in purchasing", Kind::Utf8),
    (2, "ben", "Thank you for the visit", Kind::Plain),
    (4, "clara", "Offer for 400 units", Kind::Html),
    (6, "clara", "Your presentation of last week", Kind::InlinePicture),
    (1, "clara", "Measurements", Kind::Plain),
    (5, "support", "The pump does not start", Kind::Html),
    (8, "support", "Cannot sign in to the portal", Kind::Plain),
    (3, "support", "Label printer prints blank labels", Kind::Attachments),
    (7, "support", "Credit note wanted", Kind::Plain),
    (0, "support", "Pump: photograph of the type plate", Kind::InlinePicture),
    (4, "sales", "Price list 2027", Kind::Html),
    (6, "sales", "Do you deliver to Norway?", Kind::Plain),
    (2, "sales", "Request for a sample", Kind::Html),
];

const TASTING: &str = "Spring tasting: bottles and labels";

/// A message as people write it, for the pictures.
fn tasting(from: &str, to: &str) -> Vec<u8> {
    let body = "<p>Dear Anna,</p><p>thank you for the call this morning. For the <b>spring tasting</b> we would need:</p>\
        <ul><li>600 bottles, clear glass, 0.75 l</li><li>labels on the new paper, two designs</li>\
        <li>cartons of six with our crest</li></ul><p>Could you let me have a price by <i>Friday</i>? The dates are settled \
        at last: we begin on 12 March, and the first guests have booked already.</p>\
        <table cellpadding=6><tr><th align=left>Design<th align=left>Bottles<tr><td>Meadow<td>400<tr><td>Old wall<td>200</table>\
        <p>Kind regards<br>Susanna Stubberod<br>Coho Winery</p>\
        <img src=\"http://pictures.coho.test/newsletter.png\" width=120 height=40 alt=\"Coho Winery\">";
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {TASTING}\r\nMessage-ID: <tasting@coho.test>\r\n\
         Date: Tue, 24 Nov 2026 08:12:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

pub struct Lively {
    pub world: World,
    pub anna: Member,
    pub support: Member,
    pub collect: Member,
    /// A mailbox whose password is wrong.
    pub failing: Member,
    /// An email that Anna got, with a picture; and one with attachments.
    pub picture: Uuid,
    pub attachments: Uuid,
    pub contact: Uuid,
    pub account: Uuid,
    pub lead: Uuid,
    /// The views that show everything.
    pub all_mailboxes: Uuid,
}

impl Lively {
    pub async fn start() -> Result<Self> {
        let world = World::start().await?;
        let crm = &world.crm;
        let me = crm.api.get("WhoAmI()")?["UserId"].as_str().context("no UserId")?.to_owned();
        crm.api.update(&format!("systemusers({me})"), &json!({ "firstname": "Alex", "lastname": "Stein" }))?;
        let [anna, ben, clara, dmitri] = COLLEAGUES.map(|person| join(crm, person));
        let (anna, ben, clara, dmitri) = (anna?, ben?, clara?, dmitri?);
        let support = crm.queue("Support", "support@company.test", true)?;
        let sales = crm.queue("Sales", "sales@company.test", false)?;
        let collect = crm.forward_mailbox("Collection", "collect@company.test", true)?;
        let served = crm.forwarded_user("Elin", "Dahl", "elin@company.test", "collect@company.test")?;
        let failing = crm.user("Felix", "Grau", "felix@company.test", Protocol::Imap)?;
        crm.api.update(&format!("mailboxes({})", failing.mailbox), &json!({ "password": "of last year" }))?;
        let outlook = crm.user("Gita", "Rao", "gita@company.test", Protocol::Imap)?;
        let methods = json!({ "incomingemaildeliverymethod": 1, "outgoingemaildeliverymethod": 1 });
        crm.api.update(&format!("mailboxes({})", outlook.mailbox), &methods)?;
        crm.user("Hugo", "Lang", "hugo@company.test", Protocol::Pop3)?;
        let rejected = crm.user("Ines", "Costa", "ines@company.test", Protocol::Imap)?;
        crm.api.update(&format!("mailboxes({})", rejected.mailbox), &json!({ "emailrouteraccessapproval": 3 }))?;
        for user in [&anna, &ben, &clara, &dmitri, &served, &world.sam] {
            crm.set_user_filter(user, 0)?;
        }
        let (contact, account, lead) = customers(&world)?;
        enable(&world, &[&anna, &ben, &clara, &dmitri, &support, &sales, &collect, &served, &failing, &world.sam])?;
        write_letters(&world, &anna, &support).await?;
        let picture = email(&world, TASTING)?;
        let attachments = email(&world, "Drawings for the new press")?;
        answer(&world, &anna)?;
        let view = world.crm.api.list("savedqueries?$select=name&$filter=name eq 'Active Mailboxes'")?;
        let all_mailboxes = view.first().and_then(|v| v["savedqueryid"].as_str()).context("no such view")?.parse()?;
        Ok(Self { anna, support, collect, failing, picture, attachments, contact, account, lead, all_mailboxes, world })
    }

    /// The pages of this company, by a short name.
    pub fn pages(&self) -> Vec<(&'static str, String)> {
        let mailbox = |m: &Member| format!("/settings/mailboxes/{}", m.mailbox);
        vec![
            ("work", "/".into()),
            ("activities", "/work/activities".into()),
            ("queues", "/work/queues".into()),
            ("contacts", "/work/contacts".into()),
            ("contact", format!("/work/contacts/{}", self.contact)),
            ("accounts", "/work/accounts".into()),
            ("account", format!("/work/accounts/{}", self.account)),
            ("leads", "/work/leads".into()),
            ("lead", format!("/work/leads/{}", self.lead)),
            ("unresolved", "/work/unresolved".into()),
            ("email", format!("/work/emails/{}", self.picture)),
            ("attachments", format!("/work/emails/{}", self.attachments)),
            ("compose", "/work/emails/new".into()),
            ("email-settings", "/settings/email".into()),
            ("mailboxes", format!("/settings/mailboxes?view={}", self.all_mailboxes)),
            ("mailbox", mailbox(&self.anna)),
            ("mailbox-failing", mailbox(&self.failing)),
            ("forward-mailbox", mailbox(&self.collect)),
            ("queue-mailbox", mailbox(&self.support)),
            ("profiles", "/settings/profiles".into()),
            ("profile", format!("/settings/profiles/{}", self.world.crm.imap)),
            ("profile-new", "/settings/profiles/new".into()),
            ("monitoring", "/settings/monitoring".into()),
            ("alerts", "/settings/alerts".into()),
            ("users", "/settings/security/users".into()),
            ("teams", "/settings/security/teams".into()),
            ("roles", "/settings/security/roles".into()),
            ("units", "/settings/security/units".into()),
            ("tokens", "/settings/security/tokens".into()),
            ("sessions", "/settings/security/sessions".into()),
            ("audit", "/settings/security/audit".into()),
            ("data", "/settings/data".into()),
            ("feedback", "/settings/feedback".into()),
            ("options", "/options".into()),
            ("start", "/start".into()),
            ("help", "/help/mailboxes".into()),
            ("keyboard", "/help/keyboard".into()),
        ]
    }
}

/// Accounts, their people, and some who are not customers yet.
fn customers(world: &World) -> Result<(Uuid, Uuid, Uuid)> {
    let api = &world.crm.api;
    let mut accounts = Vec::new();
    for (name, domain) in COMPANIES {
        accounts.push(api.create(
            "accounts",
            &json!({ "name": name, "emailaddress1": format!("info@{domain}"), "telephone1": "555 0100" }),
        )?);
    }
    let mut contacts = Vec::new();
    for (first, last, title, company) in CUSTOMERS {
        contacts.push(api.create(
            "contacts",
            &json!({
                "firstname": first, "lastname": last, "jobtitle": title,
                "emailaddress1": address(first, company),
                "parentcustomerid_account@odata.bind": format!("/accounts({})", accounts[company]),
            }),
        )?);
    }
    let mut lead = Uuid::nil();
    for (first, last, topic) in [("Lena", "Frost", "A hundred pumps"), ("Otto", "Weiss", "Wants a catalogue")] {
        let body = json!({
            "firstname": first, "lastname": last, "subject": topic, "companyname": "Wide World Importers",
            "emailaddress1": format!("{}@wideworld.test", first.to_lowercase()),
        });
        lead = api.create("leads", &body)?;
    }
    Ok((contacts[2], accounts[1], lead))
}

fn address(first: &str, company: usize) -> String {
    format!("{}@{}", first.to_lowercase(), COMPANIES[company].1)
}

/// Approves and tests them all at once; one of them fails.
fn enable(world: &World, members: &[&Member]) -> Result<()> {
    let api = &world.crm.api;
    for member in members {
        let approved = json!({ "emailrouteraccessapproval": 1 });
        api.update(&format!("mailboxes({})", member.mailbox), &approved)?;
        let scheduled = json!({ "testemailconfigurationscheduled": true });
        api.update(&format!("mailboxes({})", member.mailbox), &scheduled)?;
    }
    api.wait_for(Duration::from_secs(180), "all tests to end", || {
        let waiting = api.list("mailboxes?$filter=testemailconfigurationscheduled eq true&$select=name")?;
        Ok(waiting.is_empty().then_some(()))
    })
}

async fn write_letters(world: &World, anna: &Member, support: &Member) -> Result<()> {
    let crm = &world.crm;
    for (seed, (customer, to, subject, kind)) in (500..).zip(LETTERS) {
        let (first, last, _, company) = CUSTOMERS[customer];
        let from = address(first, company);
        let to = format!("{to}@company.test");
        let sender = format!("{first} {last} <{from}>");
        let raw = match subject {
            TASTING => tasting(&sender, &to),
            _ => mailgen::message(seed, kind, &sender, &to, subject),
        };
        crm.mail.send(&from, &[&to], &raw).await?;
    }
    // Somebody nobody knows, somebody served by the forward mailbox, one whom
    // nobody claims.
    for (seed, from, to, subject) in [
        (600, "stranger@elsewhere.test", "anna@company.test", "An enquiry"),
        (601, "kim@adventure-works.test", "elin@company.test", "Training in January"),
        (602, "news@letters.test", "collect@company.test", "Our newsletter"),
        (603, "newcomer@elsewhere.test", "support@company.test", "Do you repair pumps?"),
    ] {
        let raw = mailgen::message(seed, Kind::Plain, from, to, subject);
        crm.mail.send(from, &[to], &raw).await?;
    }
    crm.wait_in_ledger(anna.mailbox, "An enquiry")?;
    crm.wait_in_ledger(support.mailbox, "Do you repair pumps?")?;
    crm.wait_in_ledger(anna.mailbox, "Spare parts, urgent")?;
    Ok(())
}

fn email(world: &World, subject: &str) -> Result<Uuid> {
    let found = world
        .crm
        .api
        .wait_for(Duration::from_secs(60), subject, || Ok(world.crm.emails(subject)?.into_iter().next()))?;
    Ok(found["activityid"].as_str().context("no activityid")?.parse()?)
}

/// Answers, a draft, and one that cannot be delivered.
fn answer(world: &World, anna: &Member) -> Result<()> {
    let api = &world.crm.api;
    for (subject, to, send) in [
        ("Re: Order 2026-1189: delivery date", "kim@adventure-works.test", true),
        ("Re: Invoice 88213", "jim@coho.test", true),
        ("Our visit in December", "susanna@coho.test", false),
        ("Offer for the press", "nobody@refused.invalid", true),
    ] {
        let parties = json!([
            { "partyid_systemuser@odata.bind": format!("/systemusers({})", anna.id), "participationtypemask": 1 },
            { "addressused": to, "participationtypemask": 2 },
        ]);
        let body = json!({
            "subject": subject, "directioncode": true, "email_activity_parties": parties,
            "ownerid@odata.bind": format!("/systemusers({})", anna.id),
            "description": "<p>Hello,</p><p>thank you for your message; the goods leave us on <b>Monday</b>.</p><p>Anna</p>",
        });
        let id = api.create("emails", &body)?;
        if send {
            let path = format!("emails({id})/Microsoft.Dynamics.CRM.SendEmail");
            let _: Value = api.request("POST", &path, Some(&json!({ "IssueSend": true })), &[])?.body;
        }
    }
    Ok(())
}

/// Who sees all of it.
pub const WATCHER: Person = ADMIN;
