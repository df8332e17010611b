//! What the demonstration prints, and its judgement.

#![expect(clippy::print_stdout, reason = "the demonstration speaks to whoever runs it")]

use anyhow::Result;
use serde_json::Value;
use testkit::Crm;

use crate::company::Company;
use crate::letters;

/// A mailbox, and which messages of it became what.
type Expected<'a> = (&'a str, &'a testkit::crm::Member, &'a [(&'a str, i64)]);

pub fn chapter(title: &str) {
    println!("\n── {title}");
}

pub fn say(line: &str) {
    println!("   {line}");
}

/// What became of every message; how many things were not as expected.
pub fn summary(crm: &Crm, company: &Company) -> Result<usize> {
    chapter("What became of every message");
    let mut faults = 0;
    let japanese = letters::non_latin("").subject;
    let expected: &[Expected<'_>] = &[
        ("Anna", &company.anna, &[("Opening hours", 1), ("Meeting on Monday", 1)]),
        ("Bob", &company.bob, &[("Our new logo", 1), ("Meeting on Monday", 1)]),
        ("Carla", &company.carla, &[(japanese, 1)]),
        ("Dora (forwarded)", &company.dora, &[("Please call me", 1)]),
        ("Support (queue)", &company.support, &[("Broken invoice", 1), ("The printer is on fire", 1)]),
        ("Collection box", &company.collect, &[("Who reads this?", 8)]),
    ];
    for (name, member, wanted) in expected {
        say(&format!("{name} <{}>", member.address));
        let rows = crm.ledger(member.mailbox)?;
        for row in &rows {
            say(&format!("    {:32} {:<3} {}", text(row, "pr_subject"), row["pr_disposition"], text(row, "pr_reason")));
        }
        for (subject, disposition) in *wanted {
            let row = rows.iter().find(|r| r["pr_subject"] == **subject);
            // One of two mailboxes tracks a message, the other finds it there already.
            let ok = row.is_some_and(|r| {
                r["pr_disposition"] == *disposition || (*subject == "Meeting on Monday" && r["pr_disposition"] == 2)
            });
            faults += fault(ok, &format!("'{subject}' in the ledger of {}", member.address));
        }
    }
    faults += records(crm, company)?;
    faults += thread(crm)?;
    Ok(faults)
}

fn text(row: &Value, column: &str) -> String {
    row[column].as_str().unwrap_or_default().to_owned()
}

fn fault(ok: bool, what: &str) -> usize {
    if !ok {
        say(&format!("NOT AS EXPECTED: {what}"));
    }
    usize::from(!ok)
}

fn records(crm: &Crm, company: &Company) -> Result<usize> {
    let mut faults = fault(crm.emails("Meeting on Monday")?.len() == 1, "one email for the message to two mailboxes");
    let items = crm.api.list(&format!("queueitems?$filter=_queueid_value eq {}", company.support.id))?;
    faults += fault(items.len() >= 3, &format!("three items in the queue, there are {}", items.len()));
    let invoice = crm.api.list("emails?$filter=subject eq 'Broken invoice'&$expand=email_activity_mime_attachment")?;
    let mut names: Vec<String> = invoice
        .iter()
        .flat_map(|email| email["email_activity_mime_attachment"].as_array().cloned().unwrap_or_default())
        .map(|attachment| text(&attachment, "filename"))
        .collect();
    // The API gives them in no order of their own.
    names.sort();
    faults +=
        fault(names == ["Rechnung März.pdf", "lines.csv"], &format!("the invoice's attachments, they are {names:?}"));
    let left = crm.mail.dovecot.list("support@company.test")?.len();
    faults += fault(left == 0, &format!("an empty support mailbox on the server, {left} messages are left"));
    let left = crm.mail.dovecot.list("collect@company.test")?.len();
    faults += fault(left == 1, &format!("only nobody's message left in the collection box, there are {left}"));
    let alerts = crm
        .api
        .list(&format!("tracelogs?$filter=_regardingobjectid_value eq {} and level gt 1", company.collect.mailbox))?;
    faults += fault(alerts.len() == 1, &format!("one alert for nobody's message, there are {}", alerts.len()));
    for alert in alerts {
        say(&format!("alert: {}", text(&alert, "text")));
    }
    Ok(faults)
}

/// The conversation, put together.
fn thread(crm: &Crm) -> Result<usize> {
    chapter("The conversation");
    let question = crm.emails("The printer is on fire")?;
    let Some(question) = question.first() else { return Ok(fault(false, "the question")) };
    let conversation = text(question, "conversationtrackingid");
    let mut mails =
        crm.api.list(&format!("emails?$filter=conversationtrackingid eq {conversation}&$orderby=createdon"))?;
    mails.sort_by_key(|mail| text(mail, "createdon"));
    for mail in &mails {
        let arrow = if mail["directioncode"] == true { "→" } else { "←" };
        say(&format!("{arrow} {:24} {}", text(mail, "sender"), text(mail, "subject")));
    }
    Ok(fault(mails.len() == 3, &format!("three emails in the conversation, there are {}", mails.len())))
}

pub fn where_to_look(crm: &Crm) -> Result<()> {
    chapter("It keeps running (Ctrl-C ends it)");
    let base = crm.postroom.base();
    // As secret as the token below, which lives as long as the demonstration.
    let password: String = crm.postroom.token().chars().take(20).collect();
    crm.postroom.set_password("admin@crm.test", &password)?;
    say(&format!("in a browser: {base}/ as admin@crm.test with the password {password}"));
    say(&format!("export TOKEN={}", crm.postroom.token()));
    say(&format!("curl -H \"Authorization: Bearer $TOKEN\" '{base}/api/data/v9.2/emails?$select=subject,sender'"));
    say(&format!("curl -H \"Authorization: Bearer $TOKEN\" '{base}/api/data/v9.2/pr_ledgerentries'"));
    say(&format!("postroom mailbox list --data {}", crm.postroom.data_dir().display()));
    say(&format!("curl {base}/metrics"));
    Ok(())
}
