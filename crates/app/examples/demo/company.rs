//! The company of the demonstration and its correspondence.

use anyhow::{Context, Result};
use serde_json::json;
use testkit::Crm;
use testkit::crm::{Member, Protocol};

use crate::letters::{self, Letter};
use crate::report::{chapter, say};

pub const ANNA: &str = "anna@company.test";
pub const BOB: &str = "bob@company.test";
pub const CARLA: &str = "carla@company.test";
pub const DORA: &str = "dora@company.test";
pub const SUPPORT: &str = "support@company.test";
pub const COLLECT: &str = "collect@company.test";
const ALL_MESSAGES: i64 = 0;

pub struct Company {
    pub anna: Member,
    pub bob: Member,
    pub carla: Member,
    pub dora: Member,
    pub support: Member,
    pub collect: Member,
}

/// Users, queue, forward mailbox and known customers; every mailbox approved,
/// tested and enabled.
pub fn found(crm: &Crm) -> Result<Company> {
    chapter("Users, a queue and a forward mailbox");
    let company = Company {
        anna: crm.user("Anna", "Berg", ANNA, Protocol::Imap)?,
        bob: crm.user("Bob", "Stone", BOB, Protocol::Imap)?,
        carla: crm.user("Carla", "Rossi", CARLA, Protocol::Pop3)?,
        support: crm.queue("Support", SUPPORT, true)?,
        dora: crm.forwarded_user("Dora", "Lind", DORA, COLLECT)?,
        collect: crm.forward_mailbox("Collection box", COLLECT, true)?,
    };
    for user in [&company.anna, &company.bob, &company.carla, &company.dora] {
        crm.set_user_filter(user, ALL_MESSAGES)?;
    }
    for (first, last, address) in [
        ("Kim", "Park", "kim@customers.test"),
        ("Lena", "Ruiz", "lena@customers.test"),
        ("The", "Boss", "boss@customers.test"),
    ] {
        crm.api.create("contacts", &json!({ "firstname": first, "lastname": last, "emailaddress1": address }))?;
    }
    crm.mail.user("kim@customers.test")?;
    crm.mail.user("boss@customers.test")?;
    chapter("Test & Enable");
    for member in [&company.anna, &company.bob, &company.carla, &company.support, &company.dora, &company.collect] {
        let row = crm.enable(member)?;
        say(&format!(
            "{}: incoming {}, outgoing {}",
            member.address,
            status(&row["incomingemailstatus"]),
            status(&row["outgoingemailstatus"])
        ));
        for line in row["pr_testlog"].as_str().unwrap_or_default().lines() {
            say(&format!("    {line}"));
        }
    }
    Ok(company)
}

fn status(value: &serde_json::Value) -> &'static str {
    match value.as_i64() {
        Some(0) => "Not Run",
        Some(1) => "Success",
        Some(2) => "Failure",
        _ => "?",
    }
}

async fn post(crm: &Crm, letter: &Letter) -> Result<()> {
    crm.mail.send(letter.from, &letter.to, &letter.raw).await?;
    say(&format!("{} → {}: {}", letter.from, letter.to.join(", "), letter.subject));
    Ok(())
}

pub async fn correspondence(crm: &Crm, company: &Company) -> Result<()> {
    chapter("Customers write");
    for letter in [
        letters::plain(ANNA),
        letters::html_with_picture(BOB),
        letters::attachments(SUPPORT),
        letters::non_latin(CARLA),
        letters::to_both(ANNA, BOB),
        letters::for_the_forwarded(DORA),
        letters::nobodys(COLLECT),
        letters::question(SUPPORT),
    ] {
        post(crm, &letter).await?;
    }
    for (member, subject) in [
        (&company.anna, "Opening hours"),
        (&company.bob, "Our new logo"),
        (&company.support, "Broken invoice"),
        (&company.carla, letters::non_latin(CARLA).subject),
        (&company.anna, "Meeting on Monday"),
        (&company.bob, "Meeting on Monday"),
        (&company.dora, "Please call me"),
        (&company.collect, "Who reads this?"),
        (&company.support, "The printer is on fire"),
    ] {
        crm.wait_in_ledger(member.mailbox, subject)?;
    }
    conversation(crm, company).await
}

/// The queue answers, the customer answers back.
async fn conversation(crm: &Crm, company: &Company) -> Result<()> {
    chapter("Support answers from the CRM, the customer replies");
    let question = crm.emails("The printer is on fire")?.into_iter().next().context("the question is not there")?;
    let question_id = question["activityid"].as_str().context("no id")?;
    let (contact, boss) = (contact(crm, "kim@customers.test")?, contact(crm, "boss@customers.test")?);
    let answer = crm.api.create(
        "emails",
        &json!({
            "subject": "Re: The printer is on fire",
            "description": "<p>Use the <b>extinguisher</b>.</p>",
            "directioncode": true,
            "parentactivityid@odata.bind": format!("/emails({question_id})"),
            "email_activity_parties": [
                { "partyid_queue@odata.bind": format!("/queues({})", company.support.id), "participationtypemask": 1 },
                { "partyid_contact@odata.bind": format!("/contacts({contact})"), "participationtypemask": 2 },
                { "partyid_contact@odata.bind": format!("/contacts({boss})"), "participationtypemask": 4 },
            ],
        }),
    )?;
    crm.api.post(&format!("emails({answer})/Microsoft.Dynamics.CRM.SendEmail"), &json!({ "IssueSend": true }))?;
    let arrived = crm.mail.wait_for_text("kim@customers.test", "extinguisher").await?;
    let text = arrived.text();
    let field = |name: &str| {
        let line = text.lines().find(|l| l.to_lowercase().starts_with(&format!("{name}:")));
        line.map(|l| l[name.len() + 1..].trim().to_owned())
    };
    let message_id = field("message-id").context("the answer has no Message-ID")?;
    let subject = field("subject").context("the answer has no subject")?;
    say(&format!("the customer received \"{subject}\""));
    post(crm, &letters::reply(SUPPORT, subject.trim_start_matches("Re: "), &message_id)).await?;
    let what = "the customer's reply in the conversation";
    crm.api.wait_for(std::time::Duration::from_secs(30), what, || {
        let replies = crm.api.list(&format!("emails?$filter=_correlatedactivityid_value eq {answer}"))?;
        Ok((!replies.is_empty()).then_some(()))
    })
}

fn contact(crm: &Crm, address: &str) -> Result<String> {
    let found = crm.api.list(&format!("contacts?$filter=emailaddress1 eq '{address}'"))?;
    Ok(found.first().and_then(|row| row["contactid"].as_str()).context("no such contact")?.to_owned())
}
