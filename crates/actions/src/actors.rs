//! Users in whose name the command line acts.

use model::query::Compare;
use model::tables::{Organization, SystemUser};
use model::{Filter, Query, Value};
use store::Store;

use crate::error::ActionError;

/// The SYSTEM account: an administrator.
pub async fn system(store: &Store) -> Result<SystemUser, ActionError> {
    let organization = store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    let system = organization.and_then(|o| o.system_user);
    let user = match system {
        Some(system) => store.load::<SystemUser>(system.id).await?,
        None => None,
    };
    user.ok_or_else(|| ActionError::Internal("there is no organization yet; run `postroom init`".to_owned()))
}

/// The user with this address, or else this user name; both without regard to case.
pub async fn by_address(store: &Store, address: &str) -> Result<Option<SystemUser>, ActionError> {
    let is =
        |column: &'static str| Filter::Compare(column.into(), Compare::Equal, Value::Text(address.trim().to_owned()));
    for column in [SystemUser::C.address.name, SystemUser::C.domain_name.name] {
        let found = store.list::<SystemUser>(&Query::of::<SystemUser>().filter(is(column)).limit(1)).await?.pop();
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
