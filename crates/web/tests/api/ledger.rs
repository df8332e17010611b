//! The ledger: processing a message again, and what it keeps of an email that
//! is deleted.

use model::tables::{Disposition, Email, LedgerEntry, Mailbox, WorkItem};
use model::work::Workload;
use model::{Actor, Change, Commit, Entity, Filter, Id, Query, Ref, Timestamp, Update};
use serde_json::{Value, json};

use crate::world::World;

async fn write(w: &World, changes: Vec<Change>) {
    let actor = Actor { user: Id::nil() };
    w.store.commit(&Commit::new(actor, Timestamp::UNIX_EPOCH, changes)).await.unwrap();
}

/// A row of the ledger of Ann's mailbox.
struct Ledger {
    mailbox: String,
    token: String,
    rows: u128,
}

impl Ledger {
    async fn of_ann(w: &World) -> Self {
        let (ann, token) = w.user("ann@example.com").await;
        Self { mailbox: w.mailbox_of(&ann).await, token, rows: 0 }
    }

    async fn add(&mut self, w: &World, change: impl FnOnce(&mut LedgerEntry)) -> String {
        self.rows += 1;
        let mut row = LedgerEntry::blank(Id::from_u128(self.rows));
        row.mailbox = Some(Ref::new("mailbox", self.mailbox.parse().unwrap()));
        row.folder = "INBOX".to_owned();
        row.position = self.rows.to_string();
        row.fingerprint = format!("{:064x}", self.rows);
        row.disposition = Disposition::Failed;
        row.reason = "It was not to be".to_owned();
        row.attempts = 5;
        row.blob = Some(vec![7; 32]);
        change(&mut row);
        let id = row.id.to_string();
        write(w, vec![Change::create(row)]).await;
        id
    }
}

async fn row(w: &World, id: &str) -> LedgerEntry {
    w.store.load::<LedgerEntry>(id.parse().unwrap()).await.unwrap().unwrap()
}

async fn due(w: &World, mailbox: &str) -> Option<Timestamp> {
    let mailbox = Some(Ref::new("mailbox", mailbox.parse().unwrap()));
    let query = Query::of::<WorkItem>()
        .filter(Filter::eq(WorkItem::C.mailbox, mailbox))
        .filter(Filter::eq(WorkItem::C.workload, Workload::Incoming));
    w.store.list::<WorkItem>(&query).await.unwrap().pop().and_then(|item| item.next_run)
}

fn again() -> Value {
    json!({ "pr_disposition": 0 })
}

story!(a_message_is_processed_again, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    for disposition in [
        Disposition::Failed,
        Disposition::Unclaimed,
        Disposition::Filtered,
        Disposition::NoRecipientMatch,
        Disposition::Unreadable,
    ] {
        let id = ledger.add(&w, |row| row.disposition = disposition).await;
        w.patch(&format!("/pr_ledgerentries({id})"), again()).await.expect(204);
        let row = row(&w, &id).await;
        assert_eq!((row.disposition, row.attempts), (Disposition::Waiting, 0), "{disposition:?}");
        assert!(row.reason.contains("It was not to be"), "{}", row.reason);
        assert!(row.blob.is_some());
    }
    assert_eq!(due(&w, &ledger.mailbox).await, Some("2026-03-01T09:00:00Z".parse().unwrap()));
    // Who asks again changes nothing.
    w.patch(&format!("/pr_ledgerentries({})", Id::from_u128(1)), again()).await.expect(204);
});

story!(what_has_no_fingerprint_keeps_an_attempt, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    let id = ledger.add(&w, |row| row.fingerprint = String::new()).await;
    w.patch(&format!("/pr_ledgerentries({id})"), again()).await.expect(204);
    assert_eq!(row(&w, &id).await.attempts, 1);
});

story!(what_is_over_is_not_processed_again, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    for disposition in Disposition::ALL {
        use Disposition as D;
        if matches!(disposition, D::Waiting | D::Failed | D::Unclaimed | D::Filtered)
            || matches!(disposition, D::NoRecipientMatch | D::Unreadable)
        {
            continue;
        }
        let id = ledger.add(&w, |row| row.disposition = *disposition).await;
        w.patch(&format!("/pr_ledgerentries({id})"), again()).await.expect(405).code("0x8004023b");
        assert_eq!(row(&w, &id).await.disposition, *disposition);
    }
    assert_eq!(due(&w, &ledger.mailbox).await, None);
});

story!(what_was_not_kept_must_be_fetched_again, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    let id = ledger
        .add(&w, |row| {
            row.disposition = Disposition::Unreadable;
            row.blob = None;
        })
        .await;
    let answer = w.patch(&format!("/pr_ledgerentries({id})"), again()).await.expect(405);
    answer.code("0x8004023b").says("fetched from the server again");
});

story!(what_came_through_a_forward_mailbox_is_not_processed_by_itself, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    let id = ledger
        .add(&w, |row| {
            row.folder = "forward@example.com:INBOX".to_owned();
            row.position = "17#1".to_owned();
        })
        .await;
    let answer = w.patch(&format!("/pr_ledgerentries({id})"), again()).await.expect(405);
    answer.code("0x8004023b").says("forward@example.com");
});

story!(nothing_else_of_the_ledger_is_written, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    let id = ledger.add(&w, |_| {}).await;
    let path = format!("/pr_ledgerentries({id})");
    w.patch(&path, json!({ "pr_disposition": 1 })).await.expect(405).code("0x80040800");
    w.patch(&path, json!({ "pr_disposition": 0, "pr_reason": "x" })).await.expect(405).code("0x80040800");
    w.patch(&path, json!({})).await.expect(405).code("0x80040800");
    w.delete(&path).await.expect(405);
    assert_eq!(row(&w, &id).await.disposition, Disposition::Failed);
    let nobody = "/pr_ledgerentries(00000000-0000-0000-0000-00000000ffff)";
    w.patch(nobody, again()).await.expect(405).code("0x80040800");
    w.patch(nobody, again()).header("if-match", "*").await.expect(404).code("0x80040217");
    let stale = w.patch(&path, again()).header("if-match", "W/\"1\"").await;
    stale.expect(412);
});

story!(ones_own_mailbox_and_nobody_elses, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    let id = ledger.add(&w, |_| {}).await;
    let path = format!("/pr_ledgerentries({id})");
    let (_, other) = w.user("bob@example.com").await;
    w.patch(&path, again()).by(&other).await.expect(404);
    w.patch(&path, again()).by(&ledger.token).await.expect(204);
});

/// A received email with the raw message `blob`, and its ledger row.
async fn tracked(w: &World, ledger: &mut Ledger, blob: u8) -> (String, String) {
    let email = w.create("emails", json!({ "subject": "x" })).await;
    let id: Id = email.parse().unwrap();
    write(w, vec![Update::of::<Email>(id).set(Email::C.blob, Some(vec![blob; 32])).into()]).await;
    let row = ledger
        .add(w, |row| {
            row.disposition = Disposition::Tracked;
            row.activity = Some(Ref::new("email", id));
            row.blob = Some(vec![blob; 32]);
        })
        .await;
    (email, row)
}

story!(a_deleted_email_takes_its_bytes_along, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    let (email, tracked) = tracked(&w, &mut ledger, 1).await;
    let copy = ledger
        .add(&w, |row| {
            row.disposition = Disposition::SeenBefore;
            row.blob = Some(vec![1; 32]);
        })
        .await;
    let failed = ledger.add(&w, |row| row.blob = Some(vec![1; 32])).await;
    let other = ledger.add(&w, |row| row.disposition = Disposition::Filtered).await;
    w.delete(&format!("/emails({email})")).await.expect(204);
    let after = row(&w, &tracked).await;
    assert_eq!((after.blob, after.activity, after.disposition), (None, None, Disposition::Tracked));
    assert_eq!(after.reason, "It was not to be; the email was deleted");
    assert_eq!(row(&w, &copy).await.blob, None);
    assert!(row(&w, &failed).await.blob.is_some(), "is still to be processed");
    assert!(row(&w, &other).await.blob.is_some(), "is another message");
});

story!(bytes_that_another_email_came_of_stay, |w| {
    let mut ledger = Ledger::of_ann(&w).await;
    let (first, row_of_first) = tracked(&w, &mut ledger, 1).await;
    let (second, row_of_second) = tracked(&w, &mut ledger, 1).await;
    w.delete(&format!("/emails({first})")).await.expect(204);
    assert!(row(&w, &row_of_first).await.blob.is_some());
    w.delete(&format!("/emails({second})")).await.expect(204);
    assert_eq!(row(&w, &row_of_second).await.blob, None);
});

story!(what_was_sent_without_a_mailbox_is_taken_over_by_the_new_one, |w| {
    let organization = w.read("/WhoAmI").await["OrganizationId"].as_str().unwrap().to_owned();
    let organization = format!("/organizations({organization})");
    w.patch(&organization, json!({ "pr_createmailboxes": false, "allowunresolvedpartiesonemailsend": true }))
        .await
        .expect(204);
    let (ann, _) = w.user("ann@example.com").await;
    let body = json!({ "subject": "Hello", "email_activity_parties": [
        { "partyid_systemuser@odata.bind": format!("/systemusers({ann})"), "participationtypemask": 1 },
        { "addressused": "new@example.test", "participationtypemask": 2 }
    ] });
    let email = w.create("emails", body).await;
    let send = format!("/emails({email})/Microsoft.Dynamics.CRM.SendEmail");
    w.post(&send, json!({ "IssueSend": true })).await.expect(200);
    assert_eq!(w.read(&format!("/emails({email})")).await["_sendermailboxid_value"], Value::Null);
    w.patch(&format!("/systemusers({ann})"), json!({ "jobtitle": "x" })).await.expect(204);
    assert_eq!(w.read(&format!("/emails({email})")).await["_sendermailboxid_value"], Value::Null);

    w.patch(&organization, json!({ "pr_createmailboxes": true })).await.expect(204);
    w.patch(&format!("/systemusers({ann})"), json!({ "jobtitle": "y" })).await.expect(204);
    let mailbox = w.mailbox_of(&ann).await;
    assert_eq!(w.read(&format!("/emails({email})")).await["_sendermailboxid_value"], mailbox.as_str());
    let query = Query::of::<WorkItem>()
        .filter(Filter::eq(WorkItem::C.mailbox, Some(Ref::new(Mailbox::TABLE.logical, mailbox.parse().unwrap()))))
        .filter(Filter::eq(WorkItem::C.workload, Workload::Outgoing));
    let item = w.store.list::<WorkItem>(&query).await.unwrap().pop().unwrap();
    assert_eq!(item.next_run, Some("2026-03-01T09:00:00Z".parse().unwrap()));
});
