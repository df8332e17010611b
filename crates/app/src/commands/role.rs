//! `postroom role list|show|check|assign|remove`: who may do what, and why.

use actions::access::explain::{Explanation, explain};
use actions::{Draft, Precondition};
use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use model::tables::{Role as RoleRow, RolePrivilege, SystemUser, TeamRole, UserRole};
use model::{Entity, Filter, Query, Ref};
use rules::access::catalogue::{self, Privilege};
use rules::access::{Depth, Right, operation, roles};
use serde_json::{Value, json};

use super::{Common, find};
use crate::output::{self, Listing};
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Role {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All security roles and how many users and teams have them.
    List,
    /// What a role grants. ROLE: name or id.
    Show { role: String },
    /// Which roles a user has, what they allow, and what is missing for an
    /// operation. USER: address, user name or id.
    Check {
        user: String,
        /// An operation: "create mailbox", "test mailbox", "rotate key".
        #[arg(long = "for", value_name = "OPERATION", group = "what")]
        operation: Option<String>,
        /// A privilege by its name: prvReadContact.
        #[arg(long, value_name = "NAME", group = "what")]
        privilege: Option<String>,
        /// A table, with --right.
        #[arg(long, value_name = "TABLE", requires = "right", group = "what")]
        table: Option<String>,
        /// Create, Read, Write, Delete, Append, AppendTo, Assign or Share.
        #[arg(long, value_name = "RIGHT", requires = "table")]
        right: Option<String>,
    },
    /// Give a user a role.
    Assign { user: String, role: String },
    /// Take a role from a user.
    Remove { user: String, role: String },
}

impl Role {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let json = self.common.json;
        match self.verb {
            Verb::List => list(&session, json).await,
            Verb::Show { role } => show(&session, &role, json).await,
            Verb::Check { user, operation, privilege, table, right } => {
                let asked = match (operation, privilege, table, right) {
                    (Some(words), ..) | (None, Some(words), ..) => Some(words),
                    (None, None, Some(table), Some(right)) => Some(format!("{right} {table}")),
                    _ => None,
                };
                check(&session, &user, asked.as_deref(), json).await
            }
            Verb::Assign { user, role } => assign(&session, &user, &role).await,
            Verb::Remove { user, role } => remove(&session, &user, &role).await,
        }
    }
}

async fn list(session: &Session, json: bool) -> Result<()> {
    let mut listing =
        Listing::new(&[("id", "Id"), ("name", "Name"), ("ready", "Ready"), ("users", "Users"), ("teams", "Teams")]);
    let query = Query::of::<RoleRow>().order_by(RoleRow::C.name, false);
    for role in session.store.list::<RoleRow>(&query).await? {
        let this = Some(role.reference());
        let users = session.store.count(&Query::of::<UserRole>().filter(Filter::eq(UserRole::C.role, this))).await?;
        let teams = session.store.count(&Query::of::<TeamRole>().filter(Filter::eq(TeamRole::C.role, this))).await?;
        listing.rows.push(vec![
            json!(role.id.to_string()),
            json!(role.name),
            json!(role.is_managed),
            json!(users),
            json!(teams),
        ]);
    }
    listing.print(json);
    Ok(())
}

async fn show(session: &Session, role: &str, json: bool) -> Result<()> {
    let role = find::role(&session.store, role).await?;
    let mut granted: Vec<(&'static Privilege, Depth)> = Vec::new();
    if role.template == Some(roles::SYSTEM_ADMINISTRATOR) {
        granted.extend(catalogue::all().iter().map(|p| (p, p.deepest())));
    } else {
        let query = Query::of::<RolePrivilege>().filter(Filter::eq(RolePrivilege::C.role, Some(role.reference())));
        for row in session.store.list::<RolePrivilege>(&query).await? {
            let known = row.privilege.and_then(|p| catalogue::by_id(p.id));
            granted.extend(known.zip(Depth::from_mask(row.depth)));
        }
    }
    granted.sort_by_key(|(p, _)| (p.table.is_none(), p.table.map(|t| t.logical), p.right, p.name.as_str()));
    let mut listing = Listing::new(&[("privilege", "Privilege"), ("table", "Table"), ("depth", "Reaches")]);
    for (privilege, depth) in granted {
        let table = privilege.table.map(|t| t.logical);
        listing.rows.push(vec![json!(privilege.name), json!(table), json!(depth.label())]);
    }
    listing.print(json);
    Ok(())
}

async fn check(session: &Session, user: &str, asked: Option<&str>, json: bool) -> Result<()> {
    let user = find::user(&session.store, user).await?;
    let needs = match asked {
        Some(words) => operation::read(words).map_err(|message| anyhow!(message))?,
        None => Vec::new(),
    };
    let told = explain(&session.context().await?, user.id, &needs).await?;
    if json {
        output::line(&serde_json::to_string_pretty(&as_json(&told))?);
        return Ok(());
    }
    output::line(&format!("{} <{}>", told.user.full_name, told.user.domain_name));
    if told.user.is_disabled {
        output::line("The user is disabled and may do nothing.");
    }
    output::line("\nRoles");
    for role in &told.roles {
        let mut from: Vec<String> = role.teams.iter().map(|team| format!("by team {team}")).collect();
        if role.own {
            from.insert(0, "own".to_owned());
        }
        output::line(&format!("  {} ({})", role.name, from.join(", ")));
    }
    if told.roles.is_empty() {
        output::line("  none: nothing is allowed");
    }
    if needs.is_empty() {
        allowed(&told);
    } else {
        output::line(&format!("\n{}", asked.unwrap_or_default()));
        missing(&told);
    }
    Ok(())
}

/// Tables down, rights across.
fn allowed(told: &Explanation) {
    let mut columns = vec![("table", "Table")];
    columns.extend(Right::ALL.map(|right| (right.as_str(), right.as_str())));
    let mut listing = Listing::new(&columns);
    for row in &told.tables {
        let depths = Right::ALL.map(|right| json!(row.rights.get(&right).map(|depth| depth.as_str())));
        listing.rows.push(std::iter::once(json!(row.table.logical)).chain(depths).collect());
    }
    listing.print(false);
    output::line(
        "Basic: own rows and those of own teams. Local: the business unit's. Deep: with those below it. Global: all.",
    );
    let mut listing = Listing::new(&[("privilege", "Privilege"), ("what", "What"), ("depth", "Reaches")]);
    for (special, depth) in &told.specials {
        listing.rows.push(vec![json!(special.name()), json!(special.label()), json!(depth.as_str())]);
    }
    listing.print(false);
}

fn missing(told: &Explanation) {
    let mut listing =
        Listing::new(&[("privilege", "Takes"), ("held", "Reaches"), ("ready", "Ready roles that grant it")]);
    for need in &told.needed {
        let ready: Vec<String> =
            need.ready.iter().map(|(role, depth)| format!("{role} ({})", depth.as_str())).collect();
        let held = need.held.map_or("missing", Depth::as_str);
        listing.rows.push(vec![json!(need.privilege.name), json!(held), json!(ready.join(", "))]);
    }
    listing.print(false);
    if told.is_granted() {
        output::line("Allowed, as far as the roles reach.");
        return;
    }
    let would_do = told.would_do();
    if !would_do.is_empty() {
        output::line(&format!("Not allowed. One of these roles would do: {}.", would_do.join(", ")));
        output::line("Give one with: postroom role assign USER ROLE");
    } else {
        output::line("Not allowed.");
    }
    if !told.grantors.is_empty() {
        output::line(&format!("Who can give roles: {}.", told.grantors.join(", ")));
    }
}

fn as_json(told: &Explanation) -> Value {
    json!({
        "user": { "id": told.user.id.to_string(), "name": told.user.domain_name, "disabled": told.user.is_disabled },
        "administrator": told.administrator,
        "roles": told.roles.iter().map(|r| json!({
            "id": r.id.to_string(), "name": r.name, "own": r.own, "teams": r.teams,
        })).collect::<Vec<_>>(),
        "tables": told.tables.iter().map(|t| (t.table.logical.to_owned(), t.rights.iter().map(|(right, depth)| {
            (right.as_str().to_owned(), json!(depth.as_str()))
        }).collect())).collect::<serde_json::Map<String, Value>>(),
        "specials": told.specials.iter().map(|(special, depth)| {
            (special.name().to_owned(), json!(depth.as_str()))
        }).collect::<serde_json::Map<String, Value>>(),
        "needed": told.needed.iter().map(|n| json!({
            "privilege": n.privilege.name, "held": n.held.map(Depth::as_str),
            "readyRoles": n.ready.iter().map(|(role, depth)| {
                ((*role).to_owned(), json!(depth.as_str()))
            }).collect::<serde_json::Map<String, Value>>(),
        })).collect::<Vec<_>>(),
        "granted": told.is_granted(),
        "wouldDo": told.would_do(),
        "grantors": told.grantors,
    })
}

async fn assign(session: &Session, user: &str, role: &str) -> Result<()> {
    let user = find::user(&session.store, user).await?;
    let role = find::role(&session.store, role).await?;
    if pair(session, &user, &role).await?.is_some() {
        output::note(&format!("{} has the role {} already.", user.domain_name, role.name));
        return Ok(());
    }
    let draft = Draft::new(UserRole::TABLE)
        .with(UserRole::C.user, Some(Ref::new(SystemUser::TABLE.logical, user.id)))
        .with(UserRole::C.role, Some(role.reference()));
    actions::create(&session.context().await?, draft).await.context("cannot give the role")?;
    output::note(&format!("{} has the role {} now.", user.domain_name, role.name));
    Ok(())
}

async fn remove(session: &Session, user: &str, role: &str) -> Result<()> {
    let user = find::user(&session.store, user).await?;
    let role = find::role(&session.store, role).await?;
    let Some(pair) = pair(session, &user, &role).await? else {
        bail!(
            "{} was not given the role {}; it may come from a team: postroom role check",
            user.domain_name,
            role.name
        );
    };
    let context = session.context().await?;
    actions::delete(&context, UserRole::TABLE, pair.id, Precondition::Exists).await.context("cannot take the role")?;
    output::note(&format!("{} has the role {} no more.", user.domain_name, role.name));
    Ok(())
}

async fn pair(session: &Session, user: &SystemUser, role: &RoleRow) -> Result<Option<UserRole>> {
    let query = Query::of::<UserRole>()
        .filter(Filter::eq(UserRole::C.user, Some(user.reference())))
        .filter(Filter::eq(UserRole::C.role, Some(role.reference())))
        .limit(1);
    Ok(session.store.list::<UserRole>(&query).await?.pop())
}
