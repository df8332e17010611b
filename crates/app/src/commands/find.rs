//! Finds records by what people call them: id, address or name.

use anyhow::{Result, bail};
use model::tables::{EmailServerProfile, Mailbox, Role, ServiceEndpoint, SystemUser};
use model::{Col, Entity, Filter, Id, Query};
use store::Store;

pub async fn user(store: &Store, text: &str) -> Result<SystemUser> {
    one(store, text, &[SystemUser::C.address, SystemUser::C.domain_name, SystemUser::C.full_name], "user").await
}

pub async fn mailbox(store: &Store, text: &str) -> Result<Mailbox> {
    one(store, text, &[Mailbox::C.address, Mailbox::C.name], "mailbox").await
}

pub async fn profile(store: &Store, text: &str) -> Result<EmailServerProfile> {
    one(store, text, &[EmailServerProfile::C.name], "email server profile").await
}

pub async fn role(store: &Store, text: &str) -> Result<Role> {
    one(store, text, &[Role::C.name], "role").await
}

pub async fn endpoint(store: &Store, text: &str) -> Result<ServiceEndpoint> {
    one(store, text, &[ServiceEndpoint::C.name], "webhook").await
}

/// By id, else by the first of the columns that exactly one row has.
async fn one<E: Entity>(store: &Store, text: &str, columns: &[Col<String>], what: &str) -> Result<E> {
    if let Ok(id) = text.parse::<Id>() {
        return match store.load::<E>(id).await? {
            Some(found) => Ok(found),
            None => bail!("there is no {what} with the id {id}"),
        };
    }
    for column in columns {
        let query = Query::of::<E>().filter(Filter::eq(*column, text.to_owned())).limit(2);
        let mut found = store.list::<E>(&query).await?;
        match found.len() {
            0 => {}
            1 => return Ok(found.remove(0)),
            _ => bail!("several {what} records are called '{text}'; give the id (see the list command with --json)"),
        }
    }
    bail!("there is no {what} '{text}'; the list command shows all")
}
