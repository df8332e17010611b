//! The verbs that the command line has and the Web API has not.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU64, Ordering};

use actions::token::NewToken;
use actions::{ActionError, Context, Draft, Precondition, Random, Settings, Store};
use model::tables::{
    Account, AlertLevel, ApiToken, Audit, Mailbox, Organization, SavedQuery, SystemUser, TestStatus, TraceLog, WorkItem,
};
use model::work::Workload;
use model::{Change, Commit, Entity, Filter, Id, Query, Ref, Timestamp, Update};

struct World {
    ctx: Context,
    token: String,
    _dir: tempfile::TempDir,
}

fn random() -> Random {
    let counter = AtomicU64::new(1);
    Random::new(move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            let n = counter.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&n.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    })
}

fn now() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&store::Options::new(dir.path())).await.unwrap();
    let random = random();
    let token = actions::init(&store, "admin@example.com", now(), &random).await.unwrap();
    let actor = actions::token::authenticate(&store, &token, now()).await.unwrap().unwrap().user;
    let ctx = Context::new(store, actor, now(), random, Settings::default()).await.unwrap();
    World { ctx, token, _dir: dir }
}

#[track_caller]
fn codes<T: std::fmt::Debug>(result: Result<T, ActionError>) -> Vec<u32> {
    match result {
        Err(ActionError::Refused(refusals)) => refusals.codes(),
        other => panic!("{other:?}"),
    }
}

async fn one<E: Entity>(ctx: &Context) -> E {
    ctx.store.list::<E>(&Query::of::<E>()).await.unwrap().into_iter().next().expect("a row")
}

#[tokio::test]
async fn init_makes_what_is_needed() {
    let w = world().await;
    let organization: Organization = one(&w.ctx).await;
    assert!(organization.system_user.is_some());
    let key = w.ctx.store.reveal(Organization::TABLE, organization.id, "pr_signingkey").await.unwrap();
    assert_eq!(key.unwrap().expose().len(), 44);
    let users = w.ctx.store.list::<SystemUser>(&Query::of::<SystemUser>()).await.unwrap();
    assert_eq!(users.len(), 2);
    assert!(users.iter().all(|u| u.business_unit.is_some()));
    assert!(w.ctx.principal.administrator);
    let mailbox: Mailbox = one(&w.ctx).await;
    assert_eq!(mailbox.address, "admin@example.com");
    assert_eq!(mailbox.regarding, Some(w.ctx.actor.reference()));
    assert_eq!(w.token.len(), 43);
}

#[tokio::test]
async fn init_happens_once() {
    let w = world().await;
    let again = actions::init(&w.ctx.store, "other@example.com", now(), &w.ctx.random).await;
    assert_eq!(codes(again), [0x8004_0203]);
    assert_eq!(w.ctx.store.count(&Query::of::<SystemUser>()).await.unwrap(), 2);
}

#[tokio::test]
async fn init_needs_an_address() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&store::Options::new(dir.path())).await.unwrap();
    assert_eq!(codes(actions::init(&store, "nobody", now(), &random()).await), [0x8004_4192]);
    assert_eq!(store.count(&Query::of::<Organization>()).await.unwrap(), 0);
}

#[tokio::test]
async fn no_randomness_no_init() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&store::Options::new(dir.path())).await.unwrap();
    let none = Random::new(|_| Err(actions::NoRandomness("none".to_owned())));
    assert!(matches!(actions::init(&store, "a@b.example", now(), &none).await, Err(ActionError::Internal(_))));
}

#[tokio::test]
async fn tokens_differ_and_are_told_once() {
    let w = world().await;
    let (_, a) = actions::token::create(&w.ctx, w.ctx.actor.id, NewToken::named("one")).await.unwrap();
    let (_, b) = actions::token::create(&w.ctx, w.ctx.actor.id, NewToken::named("two")).await.unwrap();
    assert_ne!(a, b);
    let tokens = w.ctx.store.list::<ApiToken>(&Query::of::<ApiToken>()).await.unwrap();
    assert_eq!(tokens.len(), 3);
    let audits = w.ctx.store.list::<Audit>(&Query::of::<Audit>()).await.unwrap();
    assert!(audits.iter().any(|r| r.action == "token-created"));
    assert!(audits.iter().all(|r| !r.detail.contains(&a) && !r.detail.contains(&b)));
}

#[tokio::test]
async fn a_token_for_nobody() {
    let w = world().await;
    assert_eq!(codes(actions::token::create(&w.ctx, Id::nil(), NewToken::named("x")).await), [0x8004_0217]);
}

#[tokio::test]
async fn last_use_is_noted_now_and_then() {
    let w = world().await;
    let store = &w.ctx.store;
    let last = async || one::<ApiToken>(&w.ctx).await.last_used_on;
    assert_eq!(last().await, Some(now()));
    let soon = now() + model::SignedDuration::from_secs(59);
    actions::token::authenticate(store, &w.token, soon).await.unwrap().unwrap();
    assert_eq!(last().await, Some(now()));
    let later = now() + model::SignedDuration::from_secs(61);
    actions::token::authenticate(store, &w.token, later).await.unwrap().unwrap();
    assert_eq!(last().await, Some(later));
}

#[tokio::test]
async fn process_now_makes_both_directions_due() {
    let w = world().await;
    let mailbox: Mailbox = one(&w.ctx).await;
    actions::mailbox::process_now(&w.ctx, mailbox.id).await.unwrap();
    let query = Query::of::<WorkItem>().filter(Filter::eq(WorkItem::C.mailbox, Some(mailbox.reference())));
    let mut due: Vec<Workload> = Vec::new();
    for item in w.ctx.store.list::<WorkItem>(&query).await.unwrap() {
        if item.next_run == Some(now()) {
            due.push(item.workload);
        }
    }
    due.sort();
    assert_eq!(due, [Workload::Incoming, Workload::Outgoing]);
    assert_eq!(codes(actions::mailbox::process_now(&w.ctx, Id::nil()).await), [0x8004_0217]);
}

#[tokio::test]
async fn approve_and_reject() {
    let w = world().await;
    let mailbox: Mailbox = one(&w.ctx).await;
    actions::mailbox::approve(&w.ctx, mailbox.id).await.unwrap();
    assert_eq!(one::<Mailbox>(&w.ctx).await.approved_by, Some(w.ctx.actor.reference()));
    actions::mailbox::reject(&w.ctx, mailbox.id).await.unwrap();
    assert_eq!(one::<Mailbox>(&w.ctx).await.approved_by, None);
    let faults = codes(actions::mailbox::test(&w.ctx, mailbox.id).await);
    assert!(faults.contains(&0x8005_E220) && faults.contains(&0x8005_E222), "{faults:x?}");
}

#[tokio::test]
async fn drafts_without_http() {
    let w = world().await;
    let draft = Draft::new(Account::TABLE).with(Account::C.name, "Contoso".to_owned());
    let id = actions::create(&w.ctx, draft).await.unwrap();
    let draft = Draft::new(Account::TABLE).with(Account::C.address1, "x".to_owned());
    assert_eq!(codes(actions::update(&w.ctx, id, draft, Precondition::Exists).await), [0x8004_4192]);
    let row = actions::read(&w.ctx, Account::TABLE, id, vec!["name"]).await.unwrap();
    assert_eq!(row.get("name").as_text(), Some("Contoso"));
    assert_eq!(row.get("ownerid").as_ref_to(), None);
    actions::delete(&w.ctx, Account::TABLE, id, Precondition::Any).await.unwrap();
    assert_eq!(codes(actions::read(&w.ctx, Account::TABLE, id, vec![]).await), [0x8004_0217]);
}

#[tokio::test]
async fn who_am_i() {
    let w = world().await;
    let who = actions::who_am_i(&w.ctx).await.unwrap();
    assert_eq!(who.user, w.ctx.actor.id);
    assert_eq!(Some(Ref::new("businessunit", who.business_unit)), w.ctx.actor.business_unit);
}

#[tokio::test]
async fn all_of_a_mailbox_are_processed_again() {
    use actions::ledger::{Retried, Which};
    use model::tables::{Disposition as D, LedgerEntry};
    let w = world().await;
    let mailbox: Mailbox = one(&w.ctx).await;
    let mut changes = Vec::new();
    let mut add = |count: u128, disposition: D, kept: bool| {
        for _ in 0..count {
            let number = changes.len() as u128 + 1;
            let mut row = LedgerEntry::blank(Id::from_u128(number));
            row.mailbox = Some(mailbox.reference());
            row.position = number.to_string();
            row.disposition = disposition;
            row.blob = kept.then(|| vec![1; 32]);
            changes.push(model::Change::create(row));
        }
    };
    // More than one transaction takes, with some in between that cannot be.
    add(600, D::Failed, true);
    add(3, D::Failed, false);
    add(501, D::Failed, true);
    add(2, D::Unclaimed, true);
    add(4, D::Filtered, true);
    add(5, D::Tracked, true);
    let actor = model::Actor { user: w.ctx.actor.id };
    w.ctx.store.commit(&model::Commit::new(actor, now(), changes)).await.unwrap();
    let retry = async |which| actions::ledger::retry_all(&w.ctx, mailbox.id, which).await.unwrap();
    let count = async |disposition| {
        let query = Query::of::<LedgerEntry>().filter(Filter::eq(LedgerEntry::C.disposition, disposition));
        w.ctx.store.count(&query).await.unwrap()
    };
    assert_eq!(retry(Which::Unclaimed).await, Retried { waiting: 2, refused: 0 });
    assert_eq!(retry(Which::Failed).await, Retried { waiting: 1101, refused: 3 });
    assert_eq!((count(D::Waiting).await, count(D::Failed).await, count(D::Filtered).await), (1103, 3, 4));
    assert_eq!(retry(Which::AllNotTracked).await, Retried { waiting: 4, refused: 3 });
    assert_eq!((count(D::Waiting).await, count(D::Tracked).await), (1107, 5));
    let nobody = actions::ledger::retry_all(&w.ctx, Id::nil(), Which::Failed).await;
    assert_eq!(codes(nobody), [0x8004_0217]);
}

#[tokio::test]
async fn default_settings_are_applied_and_tested() {
    let w = world().await;
    let mailbox: Mailbox = one(&w.ctx).await;
    // Without a profile the test cannot run, and nothing is saved.
    let refused = codes(actions::mailbox::apply_defaults(&w.ctx, mailbox.id, true).await);
    assert!(refused.contains(&0x8005_E222), "{refused:x?}");
    let profile = Draft::new(model::tables::EmailServerProfile::TABLE)
        .set("name", model::Value::Text("Ours".into()))
        .set("servertype", model::Value::Int(4))
        .set("incomingserverlocation", model::Value::Text("mail.example.com".into()))
        .set("outgoingserverlocation", model::Value::Text("mail.example.com".into()))
        .set("incomingauthenticationprotocol", model::Value::Int(3))
        .set("outgoingauthenticationprotocol", model::Value::Int(3))
        .set("incomingcredentialretrieval", model::Value::Int(1))
        .set("incomingusername", model::Value::Text("u".into()))
        .set("incomingpassword", model::Value::Secret(model::Secret::new("p")));
    let profile = actions::create(&w.ctx, profile).await.unwrap();
    let profile = Ref::new("emailserverprofile", profile);
    let organization: Organization = one(&w.ctx).await;
    let draft = Draft::new(Organization::TABLE).with(Organization::C.default_profile, Some(profile));
    actions::update(&w.ctx, organization.id, draft, Precondition::Exists).await.unwrap();
    actions::mailbox::apply_defaults(&w.ctx, mailbox.id, false).await.unwrap();
    let mailbox: Mailbox = one(&w.ctx).await;
    assert_eq!((mailbox.profile, mailbox.test_scheduled), (Some(profile), false));
    actions::mailbox::approve(&w.ctx, mailbox.id).await.unwrap();
    actions::mailbox::apply_defaults(&w.ctx, mailbox.id, true).await.unwrap();
    let mailbox: Mailbox = one(&w.ctx).await;
    assert!(mailbox.test_scheduled);
    let text = actions::mailbox::details(&w.ctx, mailbox.id).await.unwrap();
    for line in [
        "Server Profile (emailserverprofile): Ours [emailserverprofile(",
        "Test & Enable Mailbox Scheduled (testemailconfigurationscheduled): Yes",
        "Configuration Test: next run 2026-03-01T09:00:00Z, failures 0",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn what_an_edit_resets_is_foreseen_and_nothing_written() {
    let w = world().await;
    let mailbox: Mailbox = one(&w.ctx).await;
    let tested = Update::of::<Mailbox>(mailbox.id).set(Mailbox::C.incoming_status, TestStatus::Success);
    let actor = model::Actor { user: w.ctx.actor.id };
    w.ctx.store.commit(&Commit::new(actor, now(), vec![tested.into()])).await.unwrap();
    let draft = Draft::new(Mailbox::TABLE).with(Mailbox::C.address, "other@example.com".to_owned());
    let version = w.ctx.store.last_version().await.unwrap();
    let foreseen = actions::foresee(&w.ctx, mailbox.id, draft).await.unwrap();
    let resets = actions::mailbox::resets(&foreseen, false).unwrap();
    assert!(resets.iter().any(|r| r.contains("incoming test result")), "{resets:?}");
    assert_eq!(w.ctx.store.last_version().await.unwrap(), version);
    let refused = Draft::new(Mailbox::TABLE).with(Mailbox::C.delete_after, true);
    assert_eq!(codes(actions::foresee(&w.ctx, mailbox.id, refused).await), [0x8005_E233]);
}

async fn alert(w: &World, owner: Ref) -> Id {
    let mailbox: Mailbox = one(&w.ctx).await;
    let alert = TraceLog {
        level: AlertLevel::Error,
        text: "It does not work.".to_owned(),
        regarding: Some(mailbox.reference()),
        regarding_owner: Some(owner),
        ..TraceLog::blank(w.ctx.new_id().unwrap())
    };
    let id = alert.id;
    let actor = model::Actor { user: w.ctx.actor.id };
    w.ctx.store.commit(&Commit::new(actor, now(), vec![Change::create(alert)])).await.unwrap();
    id
}

#[tokio::test]
async fn an_alert_is_dismissed_by_its_owner() {
    let w = world().await;
    let draft = Draft::new(SystemUser::TABLE)
        .with(SystemUser::C.domain_name, "ann@example.com".to_owned())
        .with(SystemUser::C.last_name, "Ann".to_owned());
    let ann = actions::create(&w.ctx, draft).await.unwrap();
    let ann = w.ctx.store.load::<SystemUser>(ann).await.unwrap().unwrap();
    let hers = Context::new(w.ctx.store.clone(), ann.clone(), now(), random(), Settings::default()).await.unwrap();
    let own = alert(&w, ann.reference()).await;
    let other = alert(&w, w.ctx.actor.reference()).await;
    actions::alert::dismiss(&hers, own).await.unwrap();
    assert!(!codes(actions::alert::dismiss(&hers, other).await).is_empty());
    actions::alert::dismiss(&w.ctx, other).await.unwrap();
    assert_eq!(w.ctx.store.count(&Query::of::<TraceLog>()).await.unwrap(), 0);
}

#[tokio::test]
async fn an_older_installation_gets_new_views_and_layouts() {
    let w = world().await;
    let store = &w.ctx.store;
    let all = store.count(&Query::of::<SavedQuery>()).await.unwrap();
    // As a version without layouts left it, one view deleted.
    let views = store.list::<SavedQuery>(&Query::of::<SavedQuery>()).await.unwrap();
    let mut changes = Vec::new();
    for view in &views {
        let early = matches!(view.table.as_str(), "mailbox" | "emailserverprofile") && !view.name.contains("by Server");
        if early && view.name != "Forward Mailboxes" {
            let mut bare = Update::of::<SavedQuery>(view.id);
            bare.set.push(("layoutxml", model::Value::Null));
            changes.push(Change::from(bare));
        } else {
            changes.push(Change::delete::<SavedQuery>(view.id));
        }
    }
    let actor = model::Actor { user: w.ctx.actor.id };
    store.commit(&Commit::new(actor, now(), changes)).await.unwrap();
    actions::prepare(store, now()).await.unwrap();
    assert_eq!(store.count(&Query::of::<SavedQuery>()).await.unwrap(), all - 1);
    let bare = store.query(&Query::of::<SavedQuery>()).await.unwrap();
    assert!(bare.iter().all(|row| !row.get("layoutxml").is_null()));
    let version = store.last_version().await.unwrap();
    actions::prepare(store, now()).await.unwrap();
    assert_eq!(store.last_version().await.unwrap(), version);
    let found = actions::views::of(&w.ctx, Mailbox::TABLE).await.unwrap();
    assert_eq!(found[0].name, "My Active Mailboxes");
    assert!(found[0].is_default && found[0].layout.contains("<cell name=\"name\""), "{found:?}");
}
