//! What a user sees of how they sign in, and changes of it: the second step
//! and its recovery codes.

use model::tables::{Login, SystemUser};
use model::{Change, Entity, Refusal, Secret, Timestamp, Update, Value, words};
use serde_json::json;

use crate::error::ActionError;
use crate::sign_in::entrance::Entrance;
use crate::sign_in::password::{check_code, commit, confirm, wrong_code};
use crate::sign_in::session::Current;
use crate::sign_in::{base32, login, recovery, totp};
use crate::{audit, facts};

/// How a user signs in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overview {
    pub has_password: bool,
    pub password_set_on: Option<Timestamp>,
    pub second_step: bool,
    pub recovery_codes_left: usize,
}

pub async fn overview(e: &Entrance, user: &SystemUser) -> Result<Overview, ActionError> {
    let Some(login) = login::of(e, user).await? else { return Ok(Overview::default()) };
    Ok(Overview {
        has_password: !login.password.is_empty(),
        password_set_on: login.password_set_on,
        second_step: login.totp_on,
        recovery_codes_left: recovery::left(&login.recovery),
    })
}

/// What an authenticator program is given.
pub struct Enrolment {
    /// `otpauth://totp/…`
    pub uri: String,
    /// The same key for typing.
    pub key: String,
}

/// Makes a key for the second step; it counts when a code of it was shown.
pub async fn enrol(e: &Entrance, current: &Current, password: Secret) -> Result<Enrolment, ActionError> {
    let user = &current.user;
    let login = confirm(e, user, password).await?;
    if login.totp_on {
        return Err(Refusal::invalid(None, words!("The second step is on already. Switch it off first.")).into());
    }
    let key = e.random.bytes::<20>()?;
    let ctx = e.as_user(user.clone());
    let name = facts::organization(&ctx).await?.name;
    let issuer = if name.is_empty() { "Postroom".to_owned() } else { format!("Postroom {name}") };
    let mut update = Update::of::<Login>(user.id).set(Login::C.totp_step, 0);
    update.set.push((totp::COLUMN, Value::Secret(Secret::new(base32::encode(&key)))));
    commit(e, user, vec![update.into(), login::forgiven(&login)]).await?;
    Ok(Enrolment { uri: totp::uri(&issuer, &user.domain_name, &key), key: base32::encode(&key) })
}

/// Switches the second step on, and gives the recovery codes: the only time
/// they are shown.
pub async fn confirm_enrolment(e: &Entrance, current: &Current, code: &str) -> Result<Vec<String>, ActionError> {
    let user = &current.user;
    let Some(tried) = login::attempt(e, user).await? else { return Err(wrong_code().into()) };
    if tried.login.totp_on {
        return Err(Refusal::invalid(None, words!("The second step is on already.")).into());
    }
    let key = totp::key(&e.store, user.id).await?.unwrap_or_default();
    let accepted = if key.is_empty() { None } else { totp::accepted(&key, code, 0, e.now) };
    let Some(step) = accepted else {
        let message =
            words!("The code does not fit the key. Check the clock of the device, and enter the present code.");
        return Err(Refusal::invalid(Some("code"), message).into());
    };
    let (shown, stored) = recovery::new(&e.random)?;
    let update = Update::of::<Login>(user.id)
        .set(Login::C.totp_on, true)
        .set(Login::C.totp_step, step)
        .set(Login::C.recovery, stored);
    commit(e, user, vec![update.into(), login::forgiven(&tried.login), noted(e, user, "second-step-on")?]).await?;
    Ok(shown)
}

/// Switches the second step off; the password and a code are asked for.
pub async fn leave(e: &Entrance, current: &Current, password: Secret, code: &str) -> Result<(), ActionError> {
    let user = &current.user;
    let login = confirm(e, user, password).await?;
    if !login.totp_on {
        return Err(Refusal::invalid(None, words!("The second step is not on.")).into());
    }
    if check_code(e, &login, code).await?.is_none() {
        login::failed(e, Some(user), None, "code").await?;
        return Err(wrong_code().into());
    }
    let changes = vec![without_second_step(user), login::forgiven(&login), noted(e, user, "second-step-off")?];
    commit(e, user, changes).await
}

/// New recovery codes; the old ones are good no more.
pub async fn new_recovery_codes(e: &Entrance, current: &Current, password: Secret) -> Result<Vec<String>, ActionError> {
    let user = &current.user;
    let login = confirm(e, user, password).await?;
    if !login.totp_on {
        return Err(Refusal::invalid(None, words!("Recovery codes belong to the second step, which is not on.")).into());
    }
    let (shown, stored) = recovery::new(&e.random)?;
    let update = Update::of::<Login>(user.id).set(Login::C.recovery, stored);
    commit(e, user, vec![update.into(), login::forgiven(&login), noted(e, user, "recovery-codes")?]).await?;
    Ok(shown)
}

pub(super) fn without_second_step(user: &SystemUser) -> Change {
    let mut update = Update::of::<Login>(user.id)
        .set(Login::C.totp_on, false)
        .set(Login::C.totp_step, 0)
        .set(Login::C.recovery, String::new());
    update.set.push((totp::COLUMN, Value::Null));
    update.into()
}

fn noted(e: &Entrance, user: &SystemUser, verb: &str) -> Result<Change, ActionError> {
    audit::told(&e.as_user(user.clone()), verb, SystemUser::TABLE, user.id, json!({}))
}
