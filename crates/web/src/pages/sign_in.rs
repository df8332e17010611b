//! The pages of signing in and of one's own account.

use askama::Template;

use crate::pages::kit::{Frame, Texts};

/// How somebody signed in, in words.
pub(crate) fn way(method: &str) -> &str {
    match method {
        "password" => "Password",
        "password+code" => "Password and code",
        "password+recovery" => "Password and recovery code",
        "openid" => "The organization's sign-in",
        other => other,
    }
}

#[derive(Template)]
#[template(path = "signin.html")]
pub(crate) struct SignIn<'a> {
    pub texts: &'static Texts,
    pub local: bool,
    /// The name of the provider's button.
    pub provider: Option<&'a str>,
    pub name: &'a str,
    pub returning: &'a str,
    pub fault: &'a str,
    pub note: &'a str,
}

#[derive(Template)]
#[template(path = "code.html")]
pub(crate) struct Code<'a> {
    pub texts: &'static Texts,
    pub returning: &'a str,
    pub fault: &'a str,
}

/// A password that is set by a link.
#[derive(Template)]
#[template(path = "password.html")]
pub(crate) struct Password<'a> {
    pub texts: &'static Texts,
    /// What to do, in words.
    pub of: String,
    pub ticket: &'a str,
    pub name: &'a str,
    pub fault: &'a str,
    pub shortest: usize,
}

#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    pub texts: &'static Texts,
    pub title: &'a str,
    pub text: &'a str,
}

/// Leads to another server by itself.
#[derive(Template)]
#[template(path = "leave.html")]
pub(crate) struct Leave<'a> {
    pub texts: &'static Texts,
    pub url: &'a str,
    pub text: &'a str,
}

/// Something that is shown this once: a token, recovery codes, a key.
#[derive(Template)]
#[template(path = "shown.html")]
pub(crate) struct Shown<'a> {
    pub frame: Frame,
    pub text: &'a str,
    pub lines: Vec<&'a str>,
    pub link: Option<&'a str>,
    /// A code of the new key is asked for.
    pub confirm: bool,
    pub fault: &'a str,
}

pub(crate) struct SessionRow {
    pub id: String,
    pub current: bool,
    pub with: String,
    pub began: String,
    pub seen: String,
    pub address: String,
    pub agent: String,
}

pub(crate) struct IdentityRow {
    pub id: String,
    pub issuer: String,
    pub subject: String,
    pub began: String,
}

pub(crate) struct TokenRow {
    pub id: String,
    pub name: String,
    pub scopes: String,
    pub expires: String,
    pub used: String,
}

#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct Account<'a> {
    pub frame: Frame,
    pub name: &'a str,
    pub full_name: &'a str,
    pub has_password: bool,
    pub second_step: bool,
    pub codes_left: usize,
    pub sessions: Vec<SessionRow>,
    pub tokens: Vec<TokenRow>,
    /// The name of the provider's button.
    pub provider: Option<&'a str>,
    pub identities: Vec<IdentityRow>,
    pub fault: &'a str,
    pub note: &'a str,
    pub shortest: usize,
}
