//! Download Mailbox Details: a mailbox's settings and the state of its
//! processing as text, for whoever is asked to help.

use std::fmt::Write as _;

use model::table::Kind;
use model::tables::{Mailbox, WorkItem};
use model::{Entity, Filter, Id, Query, Record, Ref, Value};

use crate::context::Context;
use crate::error::ActionError;

const SETTINGS: &[&str] = &[
    "emailaddress",
    "regardingobjectid",
    "ownerid",
    "isforwardmailbox",
    "processanddeleteemails",
    "statecode",
    "statuscode",
    "emailserverprofile",
    "incomingemaildeliverymethod",
    "outgoingemaildeliverymethod",
    "actdeliverymethod",
    "allowemailconnectortousecredentials",
    "ispasswordset",
    "processemailreceivedafter",
];
const STATE: &[&str] = &[
    "emailrouteraccessapproval",
    "emailaddressapprovedby",
    "emailaddressapprovedon",
    "enabledforincomingemail",
    "enabledforoutgoingemail",
    "enabledforact",
    "mailboxstatus",
    "incomingemailstatus",
    "outgoingemailstatus",
    "actstatus",
];
const TEST: &[&str] = &[
    "testemailconfigurationscheduled",
    "testemailconfigurationretrycount",
    "postponetestemailconfigurationuntil",
    "testandenablelastattemptedby",
    "testandenablelastattemptedon",
    "testmailboxaccesscompletedon",
];
const PROCESSING: &[&str] = &[
    "hostid",
    "processingstatecode",
    "postponemailboxprocessinguntil",
    "receivingpostponeduntil",
    "postponesendinguntil",
    "noemailcount",
    "transientfailurecount",
    "itemsprocessedforlastsync",
    "itemsfailedforlastsync",
    "lastsyncstartedon",
    "lastsuccessfulsynccompletedon",
    "lastduration",
    "averagetotalduration",
    "processedtimes",
    "forcedunlockcount",
];
const ERROR: &[&str] = &[
    "lastsyncerror",
    "lastsyncerrorcode",
    "lastsyncerrorcount",
    "lastsyncerrormachinename",
    "lastsyncerroroccurredon",
];

/// The text, all times in UTC. Passwords and tokens are not in it.
pub async fn details(ctx: &Context, mailbox: Id) -> Result<String, ActionError> {
    let row = crate::read(ctx, Mailbox::TABLE, mailbox, Vec::new()).await?;
    let this = Some(Ref::new(Mailbox::TABLE.logical, mailbox));
    let items = Query::of::<WorkItem>().filter(Filter::eq(WorkItem::C.mailbox, this));
    let items = ctx.store.list::<WorkItem>(&items).await?;
    let mut out = String::new();
    let _ = writeln!(out, "Mailbox: {}", row.get("name").as_text().unwrap_or_default());
    let _ = writeln!(out, "Id: {mailbox}");
    let _ = writeln!(out, "Written: {:.0}", ctx.now);
    for (title, columns) in [
        ("Settings", SETTINGS),
        ("State", STATE),
        ("Configuration test", TEST),
        ("Processing", PROCESSING),
        ("Last error", ERROR),
    ] {
        let _ = writeln!(out, "\n== {title}");
        for name in columns {
            line(ctx, &row, name, &mut out).await?;
        }
    }
    let _ = writeln!(out, "\n== Due work");
    for item in items {
        let time = |t: Option<model::Timestamp>| t.map_or_else(|| "-".to_owned(), |t| format!("{t:.0}"));
        let _ = writeln!(
            out,
            "{}: next run {}, failures {}, leased until {} by {}",
            item.workload.label(),
            time(item.next_run),
            item.failures,
            time(item.lease_until),
            if item.holder.is_empty() { "-" } else { &item.holder }
        );
    }
    let log = row.get(Mailbox::C.test_log.name).as_text().unwrap_or_default().trim();
    if !log.is_empty() {
        let _ = writeln!(out, "\n== Steps of the last test\n{log}");
    }
    Ok(out)
}

async fn line(ctx: &Context, row: &Record, name: &str, out: &mut String) -> Result<(), ActionError> {
    let Some(column) = row.table.column(name) else { return Ok(()) };
    let text = match (row.get(name), column.kind) {
        (Value::Null, _) => "-".to_owned(),
        (Value::Bool(b), _) => if *b { "Yes" } else { "No" }.to_owned(),
        (Value::Int(n), Kind::Choice(set)) => format!("{} ({n})", set.label(*n).unwrap_or("?")),
        (Value::Int(n), _) => n.to_string(),
        (Value::Text(text), _) => text.clone(),
        (Value::Time(time), _) => format!("{time:.0}"),
        (Value::Ref(target), _) => format!("{} [{target}]", name_of(ctx, *target).await?),
        (Value::Id(id), _) => id.to_string(),
        (Value::Bytes(_) | Value::Secret(_), _) => return Ok(()),
    };
    let _ = writeln!(out, "{} ({name}): {text}", column.label);
    Ok(())
}

async fn name_of(ctx: &Context, target: Ref) -> Result<String, ActionError> {
    let table = model::tables::by_logical_name(target.table);
    let Some((table, column)) = table.and_then(|t| t.name.map(|n| (t, n))) else { return Ok(String::new()) };
    match crate::read(ctx, table, target.id, vec![column]).await {
        Ok(row) => Ok(row.get(column).as_text().unwrap_or_default().to_owned()),
        // What the caller may not read has no name for them.
        Err(ActionError::Refused(_)) => Ok("?".to_owned()),
        Err(error) => Err(error),
    }
}
