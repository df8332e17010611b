//! What pages and commands of the administrator do: sessions and sign-in of
//! others, new users, roles at once, keys, backups, and how long things are kept.

use std::collections::BTreeSet;

use actions::security::{self, NewUser};
use actions::sign_in::{Policy, administer, session};
use actions::upkeep::{self, Retention};
use actions::{ActionError, Context, Draft};
use model::tables::{Job, JobKind, JobState, Role, SystemUser};
use model::{Entity as _, Id, Query, Secret, Update};
use serde_json::json;

use crate::sign_in::{Browser, PASSWORD, ann, audited};
use crate::world::World;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, ActionError>, words: &str) {
    match result {
        Err(ActionError::Refused(refusals)) => {
            assert!(refusals.0.iter().any(|r| r.message.to_string().contains(words)), "{refusals:?}");
        }
        other => panic!("{other:?}"),
    }
}

async fn role(w: &World, name: &str) -> Id {
    let roles = w.store.list::<Role>(&Query::of::<Role>()).await.unwrap();
    roles.into_iter().find(|r| r.name == name).expect("a role").id
}

async fn as_user(w: &World, address: &str, roles: &[&str]) -> (Id, Context) {
    let (id, token) = w.user(address).await;
    let id: Id = id.parse().unwrap();
    let mut wanted = BTreeSet::new();
    for name in roles {
        wanted.insert(role(w, name).await);
    }
    security::set_roles(&w.context().await, id, &wanted).await.unwrap();
    (id, w.context_of(&token).await)
}

async fn signed_in(w: &World) -> Browser<'_> {
    let mut browser = Browser::new(w);
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    browser
}

story!(an_administrator_ends_the_sessions_of_others, |w| {
    let ann: Id = ann(&w).await.parse().unwrap();
    let mut first = signed_in(&w).await;
    w.clock.advance(60);
    let mut second = signed_in(&w).await;
    let ctx = w.context().await;
    let held = session::of_everybody(&ctx, &Policy::default(), None, 100).await.unwrap();
    assert_eq!(held.len(), 2);
    assert!(held.iter().all(|h| h.user.id == ann));
    // The one that was used last comes first.
    session::revoke(&ctx, held[1].session.id).await.unwrap();
    first.get("/account").await.expect(303);
    second.get("/account").await.expect(200);
    assert_eq!(session::end_all_of(&ctx, ann).await.unwrap(), 1);
    assert_eq!(session::end_all_of(&ctx, ann).await.unwrap(), 0);
    second.get("/account").await.expect(303);
    assert_eq!(audited(&w, "session-revoked").await.len(), 1);
    assert_eq!(audited(&w, "sessions-ended").await.len(), 1);
});

story!(sessions_that_are_over_are_not_listed, |w| {
    ann(&w).await;
    signed_in(&w).await;
    let policy = Policy::default();
    let count = async || session::of_everybody(&w.context().await, &policy, None, 9).await.unwrap().len();
    assert_eq!(count().await, 1);
    w.clock.advance(policy.idle.as_secs());
    assert_eq!(count().await, 0);
});

story!(who_may_not_administer_sees_no_sessions, |w| {
    let ann: Id = ann(&w).await.parse().unwrap();
    signed_in(&w).await;
    let (_, customizer) = as_user(&w, "customizer@example.com", &["System Customizer"]).await;
    refused(session::of_everybody(&customizer, &Policy::default(), None, 9).await, "prvManageTokens");
    refused(session::end_all_of(&customizer, ann).await, "prvManageTokens");
    refused(administer::state(&customizer, ann).await, "prvManageTokens");
    refused(administer::unlock(&customizer, ann).await, "prvManageTokens");
    refused(actions::token::list(&customizer, ann).await, "prvManageTokens");
});

story!(how_somebody_signs_in_is_seen_and_helped, |w| {
    let ann: Id = ann(&w).await.parse().unwrap();
    let mut browser = Browser::new(&w);
    for _ in 0..6 {
        browser.sign_in("ann@example.com", "wrong").await;
    }
    let ctx = w.context().await;
    let state = administer::state(&ctx, ann).await.unwrap();
    assert!(state.is_person && state.has_password && !state.second_step && state.link_until.is_none());
    assert!(state.failures >= 5 && state.locked_until.is_some(), "{state:?}");
    administer::unlock(&ctx, ann).await.unwrap();
    browser.sign_in("ann@example.com", PASSWORD).await.expect(303);
    refused(administer::reset_second_step(&ctx, ann).await, "no second step");
    let ticket = actions::sign_in::reset::reset(&ctx, ann, false).await.unwrap();
    assert!(administer::state(&ctx, ann).await.unwrap().link_until.is_some());
    administer::revoke_links(&ctx, ann).await.unwrap();
    assert!(administer::state(&ctx, ann).await.unwrap().link_until.is_none());
    browser.get(&format!("/password?ticket={ticket}")).await.expect(401);
    assert_eq!((audited(&w, "unlocked").await.len(), audited(&w, "password-link-revoked").await.len()), (1, 1));
});

fn new_user(name: &str, roles: BTreeSet<Id>) -> NewUser {
    let draft = Draft::new(SystemUser::TABLE)
        .with(SystemUser::C.last_name, name.to_owned())
        .with(SystemUser::C.domain_name, format!("{name}@example.com"))
        .with(SystemUser::C.address, format!("{name}@example.com"));
    NewUser { draft, roles, teams: BTreeSet::new(), link: true }
}

story!(a_new_user_has_the_roles_that_were_chosen_and_a_link, |w| {
    let ctx = w.context().await;
    let wanted = BTreeSet::from([role(&w, "Queue Member").await]);
    let made = security::new_user(&ctx, &new_user("otto", wanted.clone())).await.unwrap();
    assert_eq!(security::roles_of(&ctx, SystemUser::TABLE, made.user).await.unwrap(), wanted);
    let ticket = made.ticket.unwrap();
    let mut browser = Browser::new(&w);
    browser.post("/password", &[("ticket", &ticket), ("new", PASSWORD)]).await.expect(303);
    browser.sign_in("otto@example.com", PASSWORD).await.expect(303);
    // One of two is made wholly or not at all.
    let users = w.store.count(&Query::of::<SystemUser>()).await.unwrap();
    let nowhere = BTreeSet::from([Id::from_u128(404)]);
    assert!(security::new_user(&ctx, &new_user("nobody", nowhere)).await.is_err());
    assert_eq!(w.store.count(&Query::of::<SystemUser>()).await.unwrap(), users);
});

story!(nobody_gives_more_than_they_have, |w| {
    let (_, manager) = as_user(&w, "customizer@example.com", &["System Customizer"]).await;
    let admin = BTreeSet::from([role(&w, "System Administrator").await]);
    assert!(security::new_user(&manager, &new_user("otto", admin.clone())).await.is_err());
    let me = w.read("/WhoAmI").await["UserId"].as_str().unwrap().parse::<Id>().unwrap();
    let ctx = w.context().await;
    refused(security::set_roles(&ctx, me, &BTreeSet::new()).await, "last System Administrator");
    let (other, _) = as_user(&w, "otto@example.com", &["Basic User"]).await;
    assert!(security::set_roles(&manager, other, &admin).await.is_err());
    security::set_roles(&ctx, other, &admin).await.unwrap();
    security::set_roles(&ctx, me, &BTreeSet::from([role(&w, "Basic User").await])).await.unwrap();
});

story!(a_role_is_copied_and_changed, |w| {
    let ctx = w.context().await;
    let from = role(&w, "Mailbox Administrator").await;
    let copy = security::copy_role(&ctx, from, "Mail Desk", None).await.unwrap();
    let names = |granted: Vec<security::Granted>| {
        granted.into_iter().map(|g| (g.name, g.depth)).collect::<BTreeSet<(&str, security::Depth)>>()
    };
    let (one, two) = (security::of_role(&ctx, from).await.unwrap(), security::of_role(&ctx, copy).await.unwrap());
    assert_eq!(names(one), names(two.clone()));
    security::replace_privileges(&ctx, copy, &[(two[0].privilege, two[0].depth)]).await.unwrap();
    assert_eq!(security::of_role(&ctx, copy).await.unwrap().len(), 1);
    let team = w.create("teams", json!({ "name": "Desk" })).await.parse::<Id>().unwrap();
    let wanted = BTreeSet::from([copy]);
    security::set_team_roles(&ctx, team, &wanted).await.unwrap();
    assert_eq!(security::roles_of(&ctx, model::tables::Team::TABLE, team).await.unwrap(), wanted);
    let (_, basic) = as_user(&w, "otto@example.com", &["Basic User"]).await;
    assert!(security::copy_role(&basic, from, "Mine", None).await.is_err());
});

story!(jobs_are_asked_for_by_who_may, |w| {
    let ctx = w.context().await;
    let id = upkeep::ask(&ctx, JobKind::Backup).await.unwrap();
    refused(upkeep::ask(&ctx, JobKind::Backup).await, "being made already");
    refused(upkeep::open_backup(&ctx, id).await, "not finished");
    let jobs = upkeep::jobs(&ctx, JobKind::Backup, 10).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].state, jobs[0].asked_by), (1, JobState::Waiting, Some(ctx.actor.reference())));
    upkeep::ask(&ctx, JobKind::ChangeKey).await.unwrap();
    let (_, auditor) = as_user(&w, "olga@example.com", &["Auditor"]).await;
    refused(upkeep::ask(&auditor, JobKind::Backup).await, "System Administrators alone");
    refused(upkeep::open_backup(&auditor, id).await, "System Administrators alone");
    refused(upkeep::ask(&auditor, JobKind::ChangeKey).await, "prvManageEncryptionKeys");
    refused(upkeep::encryption(&auditor).await, "prvManageEncryptionKeys");
    assert_eq!((audited(&w, "backup").await.len(), audited(&w, "key-rotation-begun").await.len()), (1, 1));
});

story!(a_backup_is_taken_away_and_forgotten, |w| {
    let ctx = w.context().await;
    let id = upkeep::ask(&ctx, JobKind::Backup).await.unwrap();
    // As the service does it.
    let (_, size) = w.store.backup_to_shelf("one.backup", |_, _| ()).await.unwrap();
    let done = Update::of::<Job>(id)
        .set(Job::C.state, JobState::Succeeded)
        .set(Job::C.file, "one.backup".to_owned())
        .set(Job::C.size, size as i64);
    let commit = model::Commit::new(model::Actor { user: ctx.actor.id }, ctx.now, vec![done.into()]);
    w.store.commit(&commit).await.unwrap();
    let backup = upkeep::open_backup(&ctx, id).await.unwrap();
    assert_eq!((backup.name.as_str(), backup.size), ("one.backup", size));
    upkeep::forget_backup(&ctx, id).await.unwrap();
    refused(upkeep::open_backup(&ctx, id).await, "not there any more");
    assert_eq!(upkeep::jobs(&ctx, JobKind::Backup, 9).await.unwrap()[0].file, "");
    assert_eq!((audited(&w, "backup-downloaded").await.len(), audited(&w, "backup-deleted").await.len()), (1, 1));
});

story!(a_key_that_is_none_is_refused_and_not_told_on, |w| {
    let ctx = w.context().await;
    let state = upkeep::encryption(&ctx).await.unwrap();
    assert!(state.is_active() && state.keys.len() == 1 && state.keys[0].sealed > 0);
    let keys = std::fs::read(w.data_dir().join("keys")).unwrap();
    refused(upkeep::activate_key(&ctx, &Secret::new("sesame-4711")).await, "That is no key");
    assert_eq!(std::fs::read(w.data_dir().join("keys")).unwrap(), keys);
    let rows = audited(&w, "key-activation").await;
    assert!(rows.len() == 1 && !rows[0].detail.contains("sesame"), "{rows:?}");
});

story!(how_long_things_are_kept_is_set_by_who_may, |w| {
    let ctx = w.context().await;
    assert_eq!(upkeep::retention(&ctx).await.unwrap(), Retention::default());
    let wanted = Retention { ledger: 90, alerts: 30, audit: 365 };
    upkeep::keep_for(&ctx, wanted).await.unwrap();
    assert_eq!(upkeep::retention(&ctx).await.unwrap(), wanted);
    refused(upkeep::keep_for(&ctx, Retention { audit: 29, ..wanted }).await, "30 days at least");
    refused(upkeep::keep_for(&ctx, Retention { ledger: -1, ..wanted }).await, "pr_ledgerretentiondays");
    let (_, customizer) = as_user(&w, "customizer@example.com", &["System Customizer"]).await;
    upkeep::keep_for(&customizer, Retention { ledger: 60, ..wanted }).await.unwrap();
    refused(upkeep::keep_for(&customizer, Retention { audit: 0, ..wanted }).await, "System Administrators alone");
    let (_, basic) = as_user(&w, "otto@example.com", &["Basic User"]).await;
    refused(upkeep::keep_for(&basic, wanted).await, "prvWriteOrganization");
});
