//! How people and services sign in: passwords, identities of other providers,
//! sessions, one-time tickets, the secrets of services and the keys that sign
//! their tokens. None of it is on the wire; what must not be read back is
//! hashed, and what must is sealed.

use jiff::Timestamp;

use crate::table;
use crate::table::{BLANK, Table, bigint, bytes, flag, int, lookup, memo, secret, text, time};
use crate::value::Ref;

table! {
    /// What a user signs in with here. Its id is the user's.
    pub struct Login, LoginColumns: Table {
        logical: "pr_login", set: "pr_logins", schema: "pr_Login", id: "pr_loginid", code: 10_020, on_wire: false, ..BLANK
    }; {
        /// Argon2id, in the notation of PHC strings; empty: no password.
        password: String = text("pr_passwordhash", "Password", 400),
        password_set_on: Option<Timestamp> = time("pr_passwordseton", "Password Set On"),
        /// Failures since the last success.
        failures: i64 = int("pr_failures", "Failures", 0, 1_000_000).or(0),
        failed_on: Option<Timestamp> = time("pr_failedon", "Last Failure"),
        /// The second step was confirmed and is asked for.
        totp_on: bool = flag("pr_istotpon", "Second Step"),
        /// The time step of the last code that was accepted: none is good twice.
        totp_step: i64 = bigint("pr_totpstep", "Last Time Step"),
        /// SHA-256 of the recovery codes that are left, in hex.
        recovery: String = memo("pr_recovery", "Recovery Codes"),
    } also {
        secret("pr_totpsecret", "Second Step's Key", 200, "pr_istotpset"),
        flag("pr_istotpset", "Second Step's Key Is Set").read(),
    }
}

table! {
    /// A user of an OpenID provider who is a user here.
    pub struct Identity, IdentityColumns: Table {
        logical: "pr_identity", set: "pr_identities", schema: "pr_Identity", id: "pr_identityid", code: 10_021, on_wire: false, ..BLANK
    }; {
        user: Option<Ref> = lookup("pr_systemuserid", "User", &["systemuser"]),
        issuer: String = text("pr_issuer", "Issuer", 500),
        subject: String = text("pr_subject", "Subject", 255),
        created_on: Option<Timestamp> = time("pr_createdon", "Created On"),
    } also {}
}

table! {
    /// A browser that is signed in.
    pub struct Session, SessionColumns: Table {
        logical: "pr_session", set: "pr_sessions", schema: "pr_Session", id: "pr_sessionid", code: 10_022, on_wire: false, ..BLANK
    }; {
        user: Option<Ref> = lookup("pr_systemuserid", "User", &["systemuser"]),
        /// SHA-256 of the cookie's 256 random bits.
        hash: Option<Vec<u8>> = bytes("pr_hash", "Hash"),
        created_on: Option<Timestamp> = time("pr_createdon", "Created On"),
        seen_on: Option<Timestamp> = time("pr_seenon", "Last Seen"),
        /// The end, however much it is used.
        expires_on: Option<Timestamp> = time("pr_expireson", "Expires On"),
        /// `password`, `password+code`, `password+recovery`, `openid`.
        method: String = text("pr_method", "Signed In With", 40),
        address: String = text("pr_address", "Remote Address", 64),
        agent: String = text("pr_agent", "User Agent", 300),
    } also {}
}

table! {
    /// Something that is good for one use and a short time: a password to be
    /// set, a second step that is waited for, a provider's answer to come.
    pub struct Ticket, TicketColumns: Table {
        logical: "pr_ticket", set: "pr_tickets", schema: "pr_Ticket", id: "pr_ticketid", code: 10_023, on_wire: false, ..BLANK
    }; {
        hash: Option<Vec<u8>> = bytes("pr_hash", "Hash"),
        kind: String = text("pr_kind", "Kind", 20),
        user: Option<Ref> = lookup("pr_systemuserid", "User", &["systemuser"]),
        created_on: Option<Timestamp> = time("pr_createdon", "Created On"),
        expires_on: Option<Timestamp> = time("pr_expireson", "Expires On"),
        detail: String = memo("pr_detail", "Detail"),
    } also {}
}

table! {
    /// A secret with which a service asks for tokens. Several may be good at a
    /// time, so that a new one can be handed out before the old one goes.
    pub struct ClientSecret, ClientSecretColumns: Table {
        logical: "pr_clientsecret", set: "pr_clientsecrets", schema: "pr_ClientSecret", id: "pr_clientsecretid", code: 10_024,
        on_wire: false, ..BLANK
    }; {
        user: Option<Ref> = lookup("pr_systemuserid", "User", &["systemuser"]),
        name: String = text("pr_name", "Name", 200),
        hash: Option<Vec<u8>> = bytes("pr_hash", "Hash"),
        created_on: Option<Timestamp> = time("pr_createdon", "Created On"),
        expires_on: Option<Timestamp> = time("pr_expireson", "Expires On"),
        last_used_on: Option<Timestamp> = time("pr_lastusedon", "Last Used On"),
    } also {}
}

table! {
    /// A key that signs access tokens (ES256). The private half is sealed.
    pub struct SigningKey, SigningKeyColumns: Table {
        logical: "pr_signingkey", set: "pr_signingkeys", schema: "pr_SigningKey", id: "pr_signingkeyid", code: 10_025,
        on_wire: false, ..BLANK
    }; {
        /// The uncompressed point.
        public: Option<Vec<u8>> = bytes("pr_public", "Public Key"),
        created_on: Option<Timestamp> = time("pr_createdon", "Created On"),
    } also {
        secret("pr_private", "Private Key", 2000, "pr_isprivateset"),
        flag("pr_isprivateset", "Private Key Is Set").read(),
    }
}
