//! Prepares an empty installation.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use model::tables::{AccessMode, BusinessUnit, Organization, SystemUser, UserSettings};
use model::{Actor, Change, Commit, Entity, Id, Query, Ref, Refusal, Secret, Value, words};
use rules::access::{Principal, roles};
use store::Store;

use crate::context::{Context, Origin, Random, Settings};
use crate::draft::Draft;
use crate::error::{ActionError, commit_failed};
use crate::{create, prepare, token, views, webhook};

/// The account under which the service itself writes.
const SYSTEM_NAME: &str = "SYSTEM";

/// Makes the organization with its signing key, the root business unit, the
/// SYSTEM account and the administrator with a mailbox, all in one
/// transaction; returns a bearer token of the administrator.
pub async fn init(store: &Store, admin: &str, now: Timestamp, random: &Random) -> Result<String, ActionError> {
    if !model::mail::is_address(admin) {
        let message = words!("'{0}' is not an email address; write it as name@example.com.", admin);
        return Err(Refusal::new(0x8004_4192, "InvalidEmailAddressFormat", message).into());
    }
    if store.count(&Query::of::<Organization>()).await? > 0 {
        return Err(Refusal::invalid(
            None,
            words!("This installation has been initialized already; nothing was changed."),
        )
        .into());
    }
    let id = || -> Result<_, ActionError> { Ok(model::id::random(now, random.bytes()?)) };
    let unit = BusinessUnit { name: domain(admin).to_owned(), ..BusinessUnit::blank(id()?) };
    let system = SystemUser {
        domain_name: SYSTEM_NAME.to_owned(),
        full_name: SYSTEM_NAME.to_owned(),
        last_name: SYSTEM_NAME.to_owned(),
        business_unit: Some(unit.reference()),
        access_mode: AccessMode::NonInteractive,
        ..SystemUser::blank(id()?)
    };
    let organization = Organization {
        name: domain(admin).to_owned(),
        system_user: Some(system.reference()),
        tracking_prefix: "CRM:".to_owned(),
        blocked_attachments: BLOCKED.to_owned(),
        ..Organization::blank(id()?)
    };
    let context = context(store, &system, now, random);
    let mut changes = vec![
        Change::Create(whole(unit.clone())),
        Change::Create(whole(system.clone())),
        Change::Create(whole(UserSettings { business_unit: system.business_unit, ..UserSettings::blank(system.id) })),
        Change::Create(signed(organization, random)?),
    ];
    changes.extend(webhook::messages());
    changes.extend(prepare::ready_roles(Some(unit.reference())));
    let administrator = id()?;
    for user in [system.id, administrator] {
        changes.push(Change::create(prepare::assignment(user, roles::SYSTEM_ADMINISTRATOR)));
    }
    changes.extend(first_user(&context, administrator, admin, unit.reference()).await?);
    changes.extend(views::all());
    let plain = URL_SAFE_NO_PAD.encode(random.bytes::<32>()?);
    changes.push(Change::create(token::token_row(id()?, administrator, "init", &plain)));
    let commit = Commit::new(Actor { user: system.id }, now, changes);
    store.commit(&commit).await.map_err(|e| commit_failed("organization", e))?;
    Ok(plain)
}

/// The service's own account may do everything, before any role is there.
fn context(store: &Store, system: &SystemUser, now: Timestamp, random: &Random) -> Context {
    let mut principal = Principal::new(system.id, SYSTEM_NAME);
    principal.make_administrator();
    Context {
        store: store.clone(),
        actor: system.clone(),
        principal: Arc::new(principal),
        behind: None,
        origin: Origin { door: "command line", ..Origin::default() },
        now,
        random: random.clone(),
        settings: Settings::default(),
    }
}

/// The administrator, with a mailbox.
async fn first_user(context: &Context, id: Id, address: &str, unit: Ref) -> Result<Vec<Change>, ActionError> {
    let mut made = create::plan(context, id, administrator_draft(address)).await?.changes;
    for change in &mut made {
        // The unit is made in this very commit, so the plan could not find it.
        if let Change::Create(record) = change
            && record.table == SystemUser::TABLE
        {
            record.put(SystemUser::C.business_unit, Some(unit));
        }
    }
    Ok(made)
}

/// Everything that runs when it is opened, as the reference product ships it.
const BLOCKED: &str = "ade;adp;app;asa;ashx;asmx;asp;bas;bat;cdx;cer;chm;class;cmd;com;config;cpl;crt;csh;dll;exe;fxp;hlp;hta;htr;htw;ida;idc;idq;inf;ins;isp;its;jar;js;jse;ksh;lnk;mad;maf;mag;mam;maq;mar;mas;mat;mau;mav;maw;mda;mdb;mde;mdt;mdw;mdz;msc;msh;msh1;msh1xml;msh2;msh2xml;mshxml;msi;msp;mst;ops;pcd;pif;prf;prg;printer;pst;reg;rem;scf;scr;sct;shb;shs;shtm;shtml;soap;stm;tmp;url;vb;vbe;vbs;vsmacros;vss;vst;vsw;ws;wsc;wsf;wsh;svg";

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

/// The row with the defaults of the columns that the struct does not have.
fn whole<E: Entity>(entity: E) -> model::Record {
    let mut record = model::Record::with_defaults(E::TABLE, entity.id());
    record.values.extend(entity.into_record().values);
    record
}

fn signed(organization: Organization, random: &Random) -> Result<model::Record, ActionError> {
    let mut record = whole(organization);
    let key = STANDARD.encode(random.bytes::<32>()?);
    record.set("pr_signingkey", Value::Secret(Secret::new(key)));
    record.values.remove("pr_issigningkeyset");
    Ok(record)
}

fn administrator_draft(address: &str) -> Draft {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    Draft::new(SystemUser::TABLE)
        .with(SystemUser::C.domain_name, address.to_owned())
        .with(SystemUser::C.address, address.to_owned())
        .with(SystemUser::C.last_name, local.chars().take(64).collect())
}
