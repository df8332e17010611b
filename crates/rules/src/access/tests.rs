//! Who may and who may not.

use std::sync::LazyLock;

use model::tables;

use super::*;
use Right::{Append, AppendTo, Assign, Create, Delete, Read, Share, Write};

/// root ─ sales ─ north, root ─ service
const ROOT: Id = Id::from_u128(10);
const SALES: Id = Id::from_u128(11);
const NORTH: Id = Id::from_u128(12);
const SERVICE: Id = Id::from_u128(13);
const TEAM: Id = Id::from_u128(20);

const ANN: Id = Id::from_u128(1);
const BOB: Id = Id::from_u128(2);

static TREE: LazyLock<Tree> =
    LazyLock::new(|| Tree::from([(ROOT, None), (SALES, Some(ROOT)), (NORTH, Some(SALES)), (SERVICE, Some(ROOT))]));

fn ann() -> Principal {
    Principal {
        unit: Some(SALES),
        subtree: below(&TREE, SALES),
        teams: BTreeMap::from([(TEAM, Some(SERVICE))]),
        roles: BTreeSet::from([Id::from_u128(99)]),
        ..Principal::new(ANN, "ann")
    }
}

fn holding(role: Id) -> Principal {
    let mut ann = ann();
    for (name, depth) in roles::by_template(role).unwrap().privileges() {
        ann.grant(&name, depth, Some(SALES), &TREE);
    }
    ann
}

fn with(name: &str, depth: Depth) -> Principal {
    let mut ann = ann();
    ann.grant(name, depth, Some(SALES), &TREE);
    ann
}

fn table(name: &str) -> &'static Table {
    tables::by_logical_name(name).unwrap()
}

/// Whose rows: `own`, `team`, or `unit` of somebody else, `shared` to read.
fn row(whose: &str) -> RowFacts {
    let user = |id| Some(Ref::new("systemuser", id));
    match whose {
        "own" => RowFacts { owner: user(ANN), unit: Some(SALES), shares: vec![] },
        "team" => RowFacts { owner: Some(Ref::new("team", TEAM)), unit: Some(SERVICE), shares: vec![] },
        "same" => RowFacts { owner: user(BOB), unit: Some(SALES), shares: vec![] },
        "child" => RowFacts { owner: user(BOB), unit: Some(NORTH), shares: vec![] },
        "other" => RowFacts { owner: user(BOB), unit: Some(SERVICE), shares: vec![] },
        "above" => RowFacts { owner: user(BOB), unit: Some(ROOT), shares: vec![] },
        "shared" => RowFacts { shares: vec![(Ref::new("systemuser", ANN), 1)], ..row("other") },
        "team shared" => RowFacts { shares: vec![(Ref::new("team", TEAM), 3)], ..row("other") },
        "nobody" => RowFacts::default(),
        _ => panic!("{whose}"),
    }
}

#[track_caller]
fn reaches(depth: Depth, whose: &str, expected: bool) {
    let found = may(&with("prvReadAccount", depth), Read, table("account"), &row(whose)).is_ok();
    assert_eq!(found, expected, "{depth:?} {whose}");
}

#[test]
fn basic_reaches() {
    reaches(Depth::Basic, "own", true);
    reaches(Depth::Basic, "team", true);
    reaches(Depth::Basic, "same", false);
    reaches(Depth::Basic, "child", false);
    reaches(Depth::Basic, "other", false);
    reaches(Depth::Basic, "shared", true);
    reaches(Depth::Basic, "team shared", true);
    reaches(Depth::Basic, "nobody", false);
}

#[test]
fn local_reaches() {
    reaches(Depth::Local, "own", true);
    reaches(Depth::Local, "team", true);
    reaches(Depth::Local, "same", true);
    reaches(Depth::Local, "child", false);
    reaches(Depth::Local, "above", false);
    reaches(Depth::Local, "other", false);
    reaches(Depth::Local, "shared", true);
}

#[test]
fn deep_reaches() {
    reaches(Depth::Deep, "same", true);
    reaches(Depth::Deep, "child", true);
    reaches(Depth::Deep, "above", false);
    reaches(Depth::Deep, "other", false);
    reaches(Depth::Deep, "nobody", false);
}

#[test]
fn global_reaches() {
    for whose in ["own", "team", "same", "child", "other", "above", "shared", "nobody"] {
        reaches(Depth::Global, whose, true);
    }
}

#[test]
fn sharing_gives_only_what_is_shared() {
    let ann = holding(roles::BASIC_USER);
    assert!(may(&ann, Write, table("account"), &row("shared")).is_err());
    assert!(may(&ann, Write, table("account"), &row("team shared")).is_ok());
    assert!(may(&ann, Delete, table("account"), &row("team shared")).is_err());
}

#[test]
fn sharing_needs_the_privilege() {
    let nobody = with("prvReadContact", Depth::Basic);
    assert!(may(&nobody, Read, table("account"), &row("shared")).is_err());
}

#[test]
fn a_teams_role_reaches_from_the_teams_unit() {
    let mut ann = ann();
    ann.grant("prvReadAccount", Depth::Local, Some(SERVICE), &TREE);
    assert!(may(&ann, Read, table("account"), &row("other")).is_ok());
    assert!(may(&ann, Read, table("account"), &row("same")).is_err());
    ann.grant("prvReadAccount", Depth::Local, Some(SALES), &TREE);
    assert!(may(&ann, Read, table("account"), &row("same")).is_ok());
    assert!(may(&ann, Read, table("account"), &row("other")).is_ok());
}

/// One cell: a ready role, a right, a table, whose row.
#[track_caller]
fn check(role: Id, right: Right, name: &str, whose: &str, expected: bool) {
    let found = may(&holding(role), right, table(name), &row(whose));
    assert_eq!(found.is_ok(), expected, "{right:?} {name} {whose}: {found:?}");
}

#[test]
fn basic_user_and_mailboxes() {
    check(roles::BASIC_USER, Read, "mailbox", "own", true);
    check(roles::BASIC_USER, Write, "mailbox", "own", true);
    check(roles::BASIC_USER, Append, "mailbox", "own", true);
    check(roles::BASIC_USER, Create, "mailbox", "own", false);
    check(roles::BASIC_USER, Delete, "mailbox", "own", false);
    check(roles::BASIC_USER, Assign, "mailbox", "own", false);
    check(roles::BASIC_USER, Share, "mailbox", "own", false);
    check(roles::BASIC_USER, AppendTo, "mailbox", "own", false);
    check(roles::BASIC_USER, Read, "mailbox", "same", false);
    check(roles::BASIC_USER, Write, "mailbox", "other", false);
}

#[test]
fn basic_user_and_others() {
    check(roles::BASIC_USER, Read, "emailserverprofile", "other", true);
    check(roles::BASIC_USER, Write, "emailserverprofile", "own", false);
    check(roles::BASIC_USER, Read, "queue", "own", true);
    check(roles::BASIC_USER, Read, "queue", "other", false);
    check(roles::BASIC_USER, Read, "organization", "nobody", true);
    check(roles::BASIC_USER, Write, "organization", "nobody", false);
    check(roles::BASIC_USER, Read, "systemuser", "other", true);
    check(roles::BASIC_USER, Write, "systemuser", "own", false);
    check(roles::BASIC_USER, Append, "systemuser", "same", true);
    check(roles::BASIC_USER, Append, "systemuser", "other", false);
    check(roles::BASIC_USER, Write, "usersettings", "own", true);
    check(roles::BASIC_USER, Read, "role", "same", true);
    check(roles::BASIC_USER, Read, "role", "above", false);
    check(roles::BASIC_USER, Read, "tracelog", "own", true);
    check(roles::BASIC_USER, Read, "tracelog", "same", false);
    check(roles::BASIC_USER, Read, "tracelog", "nobody", false);
}

#[test]
fn children_follow_their_parents() {
    for child in ["activityparty", "activitymimeattachment"] {
        check(roles::BASIC_USER, Read, child, "own", true);
        check(roles::BASIC_USER, Delete, child, "own", true);
        check(roles::BASIC_USER, Read, child, "other", false);
    }
    check(roles::BASIC_USER, Read, "pr_ledgerentry", "own", true);
    check(roles::BASIC_USER, Read, "pr_ledgerentry", "other", false);
    check(roles::BASIC_USER, Read, "queueitem", "own", true);
    check(roles::BASIC_USER, Write, "queueitem", "own", true);
    check(roles::BASIC_USER, Write, "queueitem", "same", false);
    check(roles::BASIC_USER, Write, "queue", "own", false);
    check(roles::BASIC_USER, Read, "systemuserroles", "other", true);
    check(roles::BASIC_USER, Create, "systemuserroles", "own", false);
    check(roles::AUDITOR, Read, "roleprivileges", "other", true);
    check(roles::AUDITOR, Write, "roleprivileges", "other", false);
}

#[test]
fn customizer_and_administrator_manage_mailboxes() {
    for role in [roles::SYSTEM_CUSTOMIZER, roles::SYSTEM_ADMINISTRATOR, roles::MAILBOX_ADMINISTRATOR] {
        for name in ["mailbox", "emailserverprofile", "queue"] {
            for right in Right::ALL {
                check(role, right, name, "other", true);
            }
        }
        assert!(holding(role).special_covers(Special::TestMailbox, &row("other")));
    }
}

#[test]
fn customizer_sees_no_emails_of_others() {
    check(roles::SYSTEM_CUSTOMIZER, Read, "email", "own", true);
    check(roles::SYSTEM_CUSTOMIZER, Read, "email", "same", false);
    check(roles::MAILBOX_ADMINISTRATOR, Read, "email", "own", false);
}

#[test]
fn queue_member_and_integration() {
    check(roles::QUEUE_MEMBER, Read, "queueitem", "same", true);
    check(roles::QUEUE_MEMBER, Write, "queueitem", "same", true);
    check(roles::QUEUE_MEMBER, Read, "queueitem", "other", false);
    check(roles::INTEGRATION, Write, "contact", "other", true);
    check(roles::INTEGRATION, Write, "mailbox", "own", false);
    check(roles::INTEGRATION, Write, "systemuser", "own", false);
}

#[test]
fn the_auditor_reads_all_and_changes_nothing() {
    for table in tables::on_wire() {
        check(roles::AUDITOR, Read, table.logical, "other", table.logical != "pr_event");
        for right in [Create, Write, Delete, Append, AppendTo, Assign, Share] {
            check(roles::AUDITOR, right, table.logical, "own", false);
        }
    }
    let auditor = holding(roles::AUDITOR);
    assert!(!fields::may_read_content(&auditor, &row("own")));
    assert!(!fields::may(&auditor, Read, table("mailbox"), "username", &row("own")));
    assert!(auditor.has(Special::ReadAudit));
}

#[test]
fn an_administrator_may_everything() {
    let mut admin = ann();
    admin.make_administrator();
    for table in tables::on_wire() {
        for right in catalogue::rights(anchor::subject(Read, table).1) {
            assert!(may(&admin, *right, table, &row("other")).is_ok(), "{right:?} {}", table.logical);
        }
    }
    for special in Special::ALL {
        assert!(admin.may_special(special).is_ok());
    }
}

#[test]
fn the_ready_administrator_role_lists_every_privilege() {
    let admin = roles::by_template(roles::SYSTEM_ADMINISTRATOR).unwrap();
    assert_eq!(admin.privileges().len(), catalogue::all().len());
    assert!(admin.privilege_rows().is_empty());
}

#[track_caller]
fn code(principal: &Principal, right: Right, name: &str, expected: u32) -> String {
    let refusal = may(principal, right, table(name), &row("other")).unwrap_err();
    assert_eq!(refusal.code, expected, "{refusal}");
    refusal.message.to_string()
}

#[test]
fn the_refusal_names_privilege_and_depth() {
    let missing = code(&holding(roles::BASIC_USER), Create, "mailbox", 0x8004_0220);
    assert!(missing.contains("ann") && missing.contains("prvCreateMailbox"), "{missing}");
    let short = code(&holding(roles::BASIC_USER), Write, "mailbox", 0x8004_0220);
    assert!(short.contains("prvWriteMailbox") && short.contains("Global") && short.contains("Basic"), "{short}");
    let same = may(&holding(roles::BASIC_USER), Write, table("mailbox"), &row("same")).unwrap_err().message;
    assert!(same.to_string().contains("at depth Local"), "{same}");
    let child = may(&holding(roles::BASIC_USER), Write, table("mailbox"), &row("child")).unwrap_err().message;
    assert!(child.to_string().contains("at depth Deep"), "{child}");
}

#[test]
fn nobody_without_roles() {
    let nobody = Principal { roles: BTreeSet::new(), ..ann() };
    code(&nobody, Read, "account", 0x8004_2F09);
}

#[test]
fn a_disabled_administrator_may_nothing() {
    let mut admin = Principal { disabled: true, ..ann() };
    admin.make_administrator();
    code(&admin, Read, "account", 0x8004_0225);
    assert!(admin.may_special(Special::ReadAudit).is_err());
}

#[test]
fn access_mode_read() {
    let reader = Principal { access_mode: AccessMode::Read, ..holding(roles::INTEGRATION) };
    assert!(may(&reader, Read, table("account"), &row("other")).is_ok());
    code(&reader, Write, "account", 0x8004_0220);
}

#[test]
fn access_mode_administrative() {
    let admin = Principal { access_mode: AccessMode::Administrative, ..holding(roles::INTEGRATION) };
    code(&admin, Read, "account", 0x8004_0220);
    assert!(may(&admin, Read, table("mailbox"), &row("other")).is_ok());
}

#[test]
fn scopes_take_away() {
    let scopes = |read_only, tables: Option<&[&str]>| {
        let tables = tables.map(|t| t.iter().map(|n| (*n).to_owned()).collect());
        Principal { scopes: Some(Scopes { read_only, tables }), ..holding(roles::INTEGRATION) }
    };
    assert!(may(&scopes(true, None), Read, table("account"), &row("other")).is_ok());
    code(&scopes(true, None), Write, "account", 0x8004_0220);
    assert!(scopes(true, None).may_special(Special::SendAsUser).is_err());
    assert!(may(&scopes(false, Some(&["account"])), Write, table("account"), &row("other")).is_ok());
    code(&scopes(false, Some(&["account"])), Read, "contact", 0x8004_0220);
}

#[test]
fn both_who_act() {
    let mut admin = Principal::new(BOB, "bob");
    admin.make_administrator();
    let both = impersonation::acting_for(&holding(roles::BASIC_USER), &admin);
    assert_eq!((both.user, both.behind), (ANN, Some(BOB)));
    assert!(may(&both, Write, table("account"), &row("own")).is_ok());
    assert!(may(&both, Write, table("account"), &row("same")).is_err());
    let both = impersonation::acting_for(&admin, &holding(roles::BASIC_USER));
    assert!(!both.administrator);
    assert!(may(&both, Create, table("mailbox"), &row("own")).is_err());
    assert!(may(&both, Write, table("account"), &row("own")).is_err(), "ann's rows are not bob's");
}

#[test]
fn acting_reaches_no_further_than_either() {
    let local = with("prvReadAccount", Depth::Local);
    let deep = with("prvReadAccount", Depth::Deep);
    let basic = with("prvReadAccount", Depth::Basic);
    let global = with("prvReadAccount", Depth::Global);
    let reads = |user: &Principal, behind: &Principal, whose| {
        may(&impersonation::acting_for(user, behind), Read, table("account"), &row(whose)).is_ok()
    };
    assert!(reads(&deep, &local, "same") && !reads(&deep, &local, "child"));
    assert!(reads(&global, &deep, "child") && !reads(&global, &deep, "other"));
    assert!(reads(&global, &basic, "own") && !reads(&global, &basic, "same"));
    assert!(reads(&local, &global, "same") && !reads(&local, &global, "child"));
    assert!(!reads(&with("prvReadContact", Depth::Global), &global, "own"));
}

#[test]
fn credentials() {
    let user = holding(roles::BASIC_USER);
    assert!(fields::may(&user, Write, table("mailbox"), "password", &row("own")));
    assert!(!fields::may(&user, Write, table("mailbox"), "password", &row("same")));
    let mut profiled = ann();
    let allowed = FieldRights { read: true, create: false, update: false };
    profiled.fields.insert(("mailbox".to_owned(), "username".to_owned()), allowed);
    assert!(fields::may(&profiled, Read, table("mailbox"), "username", &row("other")));
    assert!(!fields::may(&profiled, Write, table("mailbox"), "username", &row("other")));
    assert!(!fields::may(&profiled, Read, table("mailbox"), "password", &row("other")));
}

#[test]
fn every_secured_column_is_declared() {
    for (name, column) in fields::secured() {
        assert!(table(name).column(column).is_some(), "{name}.{column}");
    }
}

#[test]
fn names_are_unique_and_ids_stable() {
    let names: BTreeSet<&str> = catalogue::all().iter().map(|p| p.name.as_str()).collect();
    let ids: BTreeSet<Id> = catalogue::all().iter().map(catalogue::Privilege::id).collect();
    assert_eq!((names.len(), ids.len()), (catalogue::all().len(), catalogue::all().len()));
    assert!(names.contains("prvReadMailbox") && names.contains("prvAppendToEmailServerProfile"));
    assert!(names.contains("prvAssignRole") && !names.contains("prvShareRole"));
    assert!(!names.contains("prvReadActivityParty"));
    assert_eq!(catalogue::by_id(catalogue::named("prvReadMailbox").unwrap().id()).unwrap().name, "prvReadMailbox");
}

#[test]
fn depths_follow_the_owner() {
    let depths = |name: &str| catalogue::named(name).unwrap().depths.len();
    assert_eq!(depths("prvReadMailbox"), 4);
    assert_eq!(depths("prvReadOrganization"), 1);
    assert_eq!(depths("prvReadSystemUser"), 4);
    assert_eq!(depths("prvReadAudit"), 1);
}

#[test]
fn masks() {
    assert_eq!(Depth::ALL.map(Depth::mask), [1, 2, 4, 8]);
    assert_eq!(Depth::from_mask(8), Some(Depth::Global));
    assert_eq!(Depth::from_mask(3), Some(Depth::Local));
    assert_eq!(Depth::from_mask(0), None);
    let bits: i64 = Right::ALL.iter().map(|r| r.bit()).sum();
    assert_eq!(bits, 852_023);
}

#[test]
fn a_circle_of_units_ends() {
    let tree = Tree::from([(ROOT, Some(SALES)), (SALES, Some(ROOT))]);
    assert_eq!(below(&tree, ROOT), BTreeSet::from([ROOT, SALES]));
}

#[test]
fn a_reader_exercises_no_special_privilege_that_writes() {
    let mut reader = holding(roles::MAILBOX_ADMINISTRATOR);
    assert!(reader.has(Special::ApproveEmailAddresses) && reader.special_covers(Special::TestMailbox, &row("own")));
    reader.access_mode = AccessMode::Read;
    assert!(!reader.has(Special::ApproveEmailAddresses) && !reader.special_covers(Special::TestMailbox, &row("own")));
    assert!(reader.has(Special::ReadOthersAlerts));
    let both = impersonation::acting_for(&holding(roles::INTEGRATION), &reader);
    assert!(may(&both, Write, table("account"), &row("own")).is_err());
}

#[test]
fn the_keys_of_somebody_else() {
    let stronger = |own: &Principal, other: &Principal| impersonation::no_stronger(own, other, true).err();
    let mut admin = Principal::new(BOB, "bob");
    admin.make_administrator();
    let global = Principal { user: BOB, ..with("prvReadAccount", Depth::Global) };
    let basic = with("prvReadAccount", Depth::Basic);
    assert_eq!(stronger(&admin, &basic), None);
    assert_eq!(stronger(&basic, &admin), Some("System Administrator"));
    assert_eq!(stronger(&global, &basic), None);
    assert_eq!(stronger(&basic, &global), Some("prvReadAccount"));
    let peer = Principal { user: BOB, ..with("prvReadAccount", Depth::Basic) };
    assert_eq!(stronger(&peer, &basic), Some("prvReadAccount"));
    assert_eq!(impersonation::no_stronger(&peer, &basic, false), Ok(()));
}
