//! Who takes part in an email: rows made from what a request says, with the
//! name and the address that the record they point to has.

use model::tables::{ActivityParty, Participation};
use model::{Change, Entity, Id, Record, Ref, Refusal, Value, words};

use crate::access;
use crate::context::Context;
use crate::draft::Draft;
use crate::error::ActionError;
use crate::plan::Plan;
use crate::validate;

/// The e-mail columns of the tables whose rows can be parties, best first.
pub(crate) fn email_columns(table: &str) -> &'static [&'static str] {
    match table {
        "systemuser" => &["internalemailaddress"],
        "queue" | "team" => &["emailaddress"],
        _ => &["emailaddress1", "emailaddress2", "emailaddress3"],
    }
}

/// The parties that the drafts describe. Faults go to the plan's.
pub(crate) async fn of_drafts(plan: &mut Plan<'_>, drafts: Vec<Draft>) -> Result<Vec<ActivityParty>, ActionError> {
    let mut parties: Vec<ActivityParty> = Vec::new();
    let email = plan.after.id;
    for draft in drafts {
        let id = plan.ctx.new_id()?;
        let mut row = Plan::new(plan.ctx, None, Record::with_defaults(ActivityParty::TABLE, id), draft);
        row.refuse_children();
        if !row.given.contains(ActivityParty::C.participation.name) && row.faults.is_empty() {
            row.fault(Refusal::invalid(
                Some(ActivityParty::C.participation.name),
                words!("Every party needs its participationtypemask: 1 sender, 2 to, 3 cc, 4 bcc."),
            ));
        }
        if !row.faults.is_empty() {
            plan.faults.append(&mut row.faults);
            continue;
        }
        let mut party = ActivityParty::from_record(&row.after)?;
        party.activity = Some(Ref::new("email", email));
        match resolve(plan.ctx, &mut party).await? {
            Ok(()) => {
                let kind = party.participation;
                party.number = parties.iter().filter(|p| p.participation == kind).count().try_into().unwrap_or(0);
                parties.push(party);
            }
            Err(fault) => plan.fault(fault),
        }
    }
    only_one_sender(plan, &parties);
    Ok(parties)
}

fn only_one_sender(plan: &mut Plan<'_>, parties: &[ActivityParty]) {
    if parties.iter().filter(|p| p.participation == Participation::Sender).count() > 1 {
        plan.fault(Refusal::new(
            0x8004_0B01,
            "InvalidSender",
            words!("An email has one sender. Leave one party with mask 1."),
        ));
    }
}

/// Completes name, address and column from the record that the party points to.
async fn resolve(ctx: &Context, party: &mut ActivityParty) -> Result<Result<(), Refusal>, ActionError> {
    party.address = party.address.trim().to_owned();
    if !party.address.is_empty() && !model::mail::is_address(&party.address) {
        let message =
            words!("'{0}' is not an email address; write it as name@example.com.", validate::excerpt(&party.address));
        return Ok(Err(Refusal::new(0x8004_4192, "InvalidEmailAddressFormat", message).at("addressused")));
    }
    let Some(target) = party.party else {
        if party.address.is_empty() {
            let message =
                words!("A party is either a record (partyid_contact@odata.bind, …) or an address (addressused).");
            return Ok(Err(Refusal::invalid(Some("addressused"), message)));
        }
        party.name =
            if party.unresolved_name.is_empty() { party.address.clone() } else { party.unresolved_name.clone() };
        return Ok(Ok(()));
    };
    let Some(table) = model::tables::by_logical_name(target.table) else {
        return Ok(Err(Refusal::does_not_exist(target.table, target.id)));
    };
    // Who may not read the record is not told its name and address.
    let record = match access::seen(ctx, table, target.id).await {
        Ok(record) => record,
        Err(ActionError::Refused(refusals)) => {
            let refusal = refusals.0.into_iter().next();
            return Ok(Err(refusal.unwrap_or_else(|| Refusal::does_not_exist(target.table, target.id))));
        }
        Err(error) => return Err(error),
    };
    party.name = table.name.and_then(|n| record.get(n).as_text()).unwrap_or("").chars().take(400).collect();
    let addresses: Vec<&str> =
        email_columns(target.table).iter().map(|c| record.get(c).as_text().unwrap_or("")).collect();
    let chosen = if party.address.is_empty() {
        addresses.iter().position(|a| !a.is_empty())
    } else {
        let key = model::mail::address_key(&party.address);
        addresses.iter().position(|a| model::mail::address_key(a) == key)
    };
    if let Some(index) = chosen {
        party.column_number = i64::try_from(index + 1).ok();
        if party.address.is_empty() {
            addresses[index].clone_into(&mut party.address);
        }
    }
    Ok(Ok(()))
}

/// The parties that stood are gone, those given stand in their place.
pub(crate) fn replaced(standing: &[ActivityParty], new: &[ActivityParty]) -> Vec<Change> {
    let mut changes: Vec<Change> = standing.iter().map(|p| Change::delete::<ActivityParty>(p.id)).collect();
    changes.extend(new.iter().cloned().map(Change::create));
    changes
}

/// The columns of the email that repeat its parties as text.
pub(crate) fn summarize(record: &mut Record, parties: &[ActivityParty]) {
    use model::tables::Email;
    let sender = parties.iter().find(|p| p.participation == Participation::Sender);
    let cut = |text: &str, max: usize| text.chars().take(max).collect::<String>();
    record.put(Email::C.sender, sender.map(|p| cut(&p.address, 250)).unwrap_or_default());
    let sender_record = sender.and_then(|p| p.party).filter(|p| p.table != "team");
    record.put(Email::C.email_sender, sender_record);
    let to: Vec<&str> = parties
        .iter()
        .filter(|p| p.participation == Participation::To)
        .map(|p| p.address.as_str())
        .filter(|a| !a.is_empty())
        .collect();
    record.set(Email::C.to_recipients.name, Value::Text(cut(&to.join(";"), 500)));
}

/// All parties of an email, in order.
pub(crate) async fn of_email(ctx: &Context, email: Id) -> Result<Vec<ActivityParty>, ActionError> {
    let query = model::Query::of::<ActivityParty>()
        .filter(model::Filter::eq(ActivityParty::C.activity, Some(Ref::new("email", email))))
        .order_by(ActivityParty::C.participation, false)
        .order_by(ActivityParty::C.number, false);
    Ok(ctx.store.list::<ActivityParty>(&query).await?)
}
