//! What to look up before deciding about a batch.

use model::facts::MailKeys;
use model::mail::address_key;
use model::{Address, Id, Mail};

use super::Arrival;
use crate::{forward, matching, routing, token};

pub(super) fn keys(arrivals: &[Arrival], mailbox: Id, prefixes: &[String]) -> MailKeys {
    let mut prefixes: Vec<&str> = prefixes.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).collect();
    if prefixes.is_empty() {
        prefixes.push(token::DEFAULT_PREFIX);
    }
    let mut keys = MailKeys { mailbox, ..MailKeys::default() };
    for arrival in arrivals {
        add(&mut keys, &arrival.mail, &prefixes);
        // A forward mailbox's messages matter for what they enclose.
        arrival.mail.enclosed.iter().for_each(|e| add(&mut keys, &e.mail, &prefixes));
    }
    keys
}

fn add(keys: &mut MailKeys, mail: &Mail, prefixes: &[&str]) {
    keys.addresses.extend(routing::recipients(mail));
    keys.addresses.extend(mail.from.iter().chain(&mail.sender).map(Address::key).filter(|k| !k.is_empty()));
    keys.addresses.extend(forward::forwarders(mail).iter().map(|a| address_key(a)));
    let own = matching::own_id(mail);
    if !own.is_empty() {
        keys.message_ids.insert(own);
    }
    keys.message_ids.extend(matching::answered(mail).map(matching::id_key).filter(|id| !id.is_empty()));
    keys.fingerprints.insert(mail.fingerprint);
    keys.duplicate_keys.insert(matching::duplicate_key(mail));
    keys.tokens.extend(token::find(&mail.subject, prefixes));
    keys.conversations.extend(matching::conversation_hash(mail));
}
