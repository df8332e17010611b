//! Bearer tokens of the Web API: only their hash is kept.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Table, bytes, lookup, text, time};
use crate::value::Ref;

table! {
    pub struct ApiToken, ApiTokenColumns: Table {
        logical: "pr_apitoken", set: "pr_apitokens", schema: "pr_ApiToken", id: "pr_apitokenid", name: Some("pr_name"),
        code: 10_007, ..BLANK
    }; {
        name: String = text("pr_name", "Name", 200).required(),
        user: Option<Ref> = lookup("pr_systemuserid", "User", &["systemuser"]).on_create(),
        /// SHA-256 of the token. The token has 256 random bits, so a plain hash is enough.
        hash: Option<Vec<u8>> = bytes("pr_hash", "Hash"),
        expires_on: Option<Timestamp> = time("pr_expireson", "Expires On").on_create(),
        last_used_on: Option<Timestamp> = time("pr_lastusedon", "Last Used On").read(),
        /// What of its user's rights it may use: words, see `rules::scopes`. Empty: all.
        scopes: String = text("pr_scopes", "Scopes", 500).on_create(),
    } also {}
}
