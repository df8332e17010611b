//! Backups by a schedule: on which days, at which hour, how many are kept.

use actions::{Draft, upkeep};
use model::tables::Organization;
use model::{Entity, Refusal, Timestamp, Value, time_zone, words};

use super::encryption::refused;
use super::{PATH, Refused};
use crate::pages::kit::{Choice, Desk, Fault, Field, Form, Input, Outcome, go};
use crate::pages::options::zones;

pub(super) struct Schedule {
    pub fields: Vec<Field>,
    pub next: Option<Timestamp>,
    pub place: String,
}

const WHEN: &str = Organization::C.backup_schedule.name;
const HOUR: &str = Organization::C.backup_hour.name;
const DAY: &str = Organization::C.backup_day.name;
const ZONE: &str = Organization::C.backup_zone.name;
const KEEP: &str = Organization::C.backup_keep.name;

pub(super) async fn load(desk: &Desk, wrong: &Refused) -> Result<Schedule, Fault> {
    let set = upkeep::schedule(&desk.ctx).await?;
    let organization = &set.organization;
    let field = |name: &'static str, value: i64| {
        Field::of(desk.viewer.texts, Organization::TABLE, name)
            .value(value.to_string())
            .refused(&desk.viewer, &wrong.refusals)
    };
    let hours = (0..24).map(|hour| Choice::new(hour.to_string(), format!("{hour:02}:00"))).collect();
    // Before it was ever set: the zone of who sets it.
    let zone = match organization.backup_since {
        None => desk.viewer.zone.iana_name().and_then(time_zone::by_name).map_or(organization.backup_zone, |z| z.code),
        Some(_) => organization.backup_zone,
    };
    let kept = desk.t("So many of those that the schedule made; older ones are deleted when a new one succeeded. What somebody made by hand stays until they delete it.");
    Ok(Schedule {
        fields: vec![
            field(WHEN, organization.backup_schedule.number()),
            field(DAY, organization.backup_day.number()).help(desk.t("Of backups that are made every week.")),
            one_of(field(HOUR, organization.backup_hour), hours),
            one_of(field(ZONE, zone), zones(desk)),
            field(KEEP, organization.backup_keep).help(kept),
        ],
        next: set.next,
        place: set.place.display().to_string(),
    })
}

/// A number that is chosen, not typed.
fn one_of(field: Field, choices: Vec<Choice>) -> Field {
    Field { input: Input::Select, ..field }.choices(choices)
}

/// `POST /settings/data/schedule`
pub(super) async fn save(desk: Desk, form: Form) -> Outcome {
    let mut draft = Draft::new(Organization::TABLE);
    for name in [WHEN, DAY, HOUR, ZONE, KEEP].into_iter().filter(|name| form.has(name)) {
        match form.number(name) {
            Some(number) => {
                draft.values.insert(name, Value::Int(number));
            }
            None => draft.faults.push(Refusal::invalid(Some(name), words!("Enter a number."))),
        }
    }
    match upkeep::set_schedule(&desk.ctx, draft).await {
        Ok(()) => go(&format!("{PATH}?done=saved#schedule")),
        Err(error) => refused(&desk, Fault::from(error)).await,
    }
}
