//! An email with what hangs from it, as far as the reader may see.

use actions::{ActionError, Context};
use model::tables::{ActivityParty, Attachment, Email, Participation};
use model::{Entity, Filter, Id, Query, Ref, Table};

use crate::pages::kit::Fault;

pub(super) struct Loaded {
    pub email: Email,
    pub version: Option<i64>,
    pub parties: Vec<ActivityParty>,
    /// In their order.
    pub attachments: Vec<Attachment>,
}

pub(super) async fn load(ctx: &Context, id: Id) -> Result<Loaded, Fault> {
    let row = actions::read(ctx, Email::TABLE, id, Vec::new()).await?;
    let email = Email::from_record(&row).map_err(ActionError::from)?;
    Ok(Loaded {
        parties: parties(ctx, id).await?,
        attachments: attachments(ctx, id).await?,
        version: row.get("versionnumber").as_int(),
        email,
    })
}

pub(super) async fn parties(ctx: &Context, email: Id) -> Result<Vec<ActivityParty>, Fault> {
    let query = Query::of::<ActivityParty>()
        .filter(Filter::eq(ActivityParty::C.activity, Some(Ref::new(Email::TABLE.logical, email))))
        .order_by(ActivityParty::C.participation, false)
        .order_by(ActivityParty::C.number, false);
    rows(ctx, query).await
}

pub(super) async fn attachments(ctx: &Context, email: Id) -> Result<Vec<Attachment>, Fault> {
    let query = Query::of::<Attachment>()
        .filter(Filter::eq(Attachment::C.object, Some(Ref::new(Email::TABLE.logical, email))))
        .order_by(Attachment::C.number, false);
    rows(ctx, query).await
}

/// The rows of a query that the reader may see.
pub(super) async fn rows<E: Entity>(ctx: &Context, query: Query) -> Result<Vec<E>, Fault> {
    let rows = actions::list(ctx, query).await?;
    Ok(rows.iter().map(E::from_record).collect::<Result<_, _>>().map_err(ActionError::from)?)
}

/// The same, where not being allowed to see any is as good as there being none.
pub(super) async fn rows_or_none<E: Entity>(ctx: &Context, query: Query) -> Result<Vec<E>, Fault> {
    match rows(ctx, query).await {
        Err(fault) if !fault.refusals.is_empty() => Ok(Vec::new()),
        other => other,
    }
}

/// What a record is called; `None` where the reader may not see it.
pub(super) async fn name_of(ctx: &Context, target: Ref) -> Result<Option<String>, Fault> {
    let Some(table) = model::tables::by_logical_name(target.table) else { return Ok(None) };
    let Some(column) = table.name else { return Ok(None) };
    match actions::read(ctx, table, target.id, vec![column]).await {
        Ok(row) => Ok(Some(row.get(column).as_text().filter(|n| !n.is_empty()).unwrap_or("–").to_owned())),
        Err(ActionError::Refused(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// What a table's rows are called: `Contact`.
pub(super) fn kind_of(table: &'static Table) -> &'static str {
    match table.logical {
        "contact" => "Contact",
        "account" => "Account",
        "lead" => "Lead",
        "systemuser" => "User",
        "queue" => "Queue",
        "team" => "Team",
        "mailbox" => "Mailbox",
        _ => table.schema,
    }
}

impl Loaded {
    pub fn of_kind(&self, kind: Participation) -> impl Iterator<Item = &ActivityParty> {
        self.parties.iter().filter(move |p| p.participation == kind)
    }

    pub fn sender(&self) -> Option<&ActivityParty> {
        self.of_kind(Participation::Sender).next()
    }
}
