//! Giving records of a list to another user or to a team.

use actions::bulk::Deed;
use model::tables::{SystemUser, Team};
use model::{Entity, Value};

use crate::pages::grid::Target;

pub(crate) static OWNER: Target = Target {
    heading: "These records go to somebody else",
    search: "Search users and teams",
    tables: &[SystemUser::TABLE, Team::TABLE],
    missing: "Choose to whom the records go.",
    deed: |owner| Deed::set("ownerid", Value::Ref(owner)),
};
