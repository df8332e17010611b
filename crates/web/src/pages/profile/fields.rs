//! The fields of the form, section by section: only what matters for the
//! provider that was chosen.

use model::tables::{AuthenticationProtocol, CredentialRetrieval, EmailServerProfile};
use model::{Entity, Record, Refusal};

use super::draft;
use super::provider::Provider;
use crate::pages::kit::{Choice, Desk, Field, IN_CLEAR, Input};

pub(super) struct Section {
    /// Part of the headings' ids.
    pub key: &'static str,
    pub title: String,
    pub note: String,
    /// Shown when it is opened; open where something in it is wrong.
    pub folded: bool,
    pub open: bool,
    pub fields: Vec<Field>,
}

/// What fields are made from.
pub(super) struct Source<'a> {
    pub desk: &'a Desk,
    pub provider: Provider,
    /// The values, as stored or as typed.
    pub record: &'a Record,
    pub refusals: &'a [Refusal],
    /// Mailboxes whose test results an edit may take back.
    pub mailboxes: u64,
    pub writable: bool,
}

const GENERAL: &[&str] = &["name", "description"];
const INCOMING: &[&str] = &[
    "incomingserverlocation",
    "incomingportnumber",
    "incomingusessl",
    "incomingcredentialretrieval",
    "incomingusername",
    "incomingpassword",
    "incomingauthenticationprotocol",
];
const OUTGOING: &[&str] = &[
    "outgoingserverlocation",
    "outgoingportnumber",
    "outgoingusessl",
    "usesamesettingsforoutgoingconnections",
    "outgoingcredentialretrieval",
    "outgoingusername",
    "outgoingpassword",
    "outgoingauthenticationprotocol",
];
const ADVANCED: &[&str] = &[
    "processemailsreceivedafter",
    "minpollingintervalinminutes",
    "maxconcurrentconnections",
    "timeoutmailboxconnection",
    "timeoutmailboxconnectionafteramount",
    "pr_commandtimeout",
];
const EXCHANGE_INCOMING: &[&str] = &[
    "useautodiscover",
    "incomingserverlocation",
    "incomingusessl",
    "incomingcredentialretrieval",
    "incomingusername",
    "incomingpassword",
    "incominguseimpersonation",
];
const EXCHANGE_OUTGOING: &[&str] = &[
    "outgoingserverlocation",
    "outgoingusessl",
    "usesamesettingsforoutgoingconnections",
    "outgoingcredentialretrieval",
    "outgoingusername",
    "outgoingpassword",
    "outgoinguseimpersonation",
    "outgoingautograntdelegateaccess",
];

pub(super) fn sections(source: &Source<'_>) -> Vec<Section> {
    let desk = source.desk;
    let exchange = source.provider.is_exchange();
    let (incoming, outgoing) = if exchange { (EXCHANGE_INCOMING, EXCHANGE_OUTGOING) } else { (INCOMING, OUTGOING) };
    let resets = |english: &str| match source.mailboxes {
        0 => String::new(),
        mailboxes => desk.viewer.texts.with(english, &[&mailboxes]),
    };
    let section = |key, title: String, note: String, folded: bool, columns: &[&str]| {
        let fields: Vec<Field> = columns.iter().map(|column| field(source, column)).collect();
        let open = fields.iter().any(|field| !field.faults.is_empty());
        Section { key, title, note, folded, open, fields }
    };
    let texts = desk.viewer.texts;
    vec![
        section("general", desk.t("General"), String::new(), false, GENERAL),
        section(
            "incoming",
            desk.t("Incoming"),
            resets(
                texts.text("Changing this section returns the Incoming Email Status of its mailboxes ({0}) to Not Run: they have to be tested again."),
            ),
            false,
            incoming,
        ),
        section(
            "outgoing",
            desk.t("Outgoing"),
            resets(
                texts.text("Changing this section returns the Outgoing Email Status of its mailboxes ({0}) to Not Run: they have to be tested again."),
            ),
            false,
            outgoing,
        ),
        section("advanced", desk.t("Advanced"), String::new(), true, ADVANCED),
    ]
}

fn field(source: &Source<'_>, column: &str) -> Field {
    let desk = source.desk;
    let mut field = Field::of(desk.viewer.texts, EmailServerProfile::TABLE, column)
        .value(draft::shown(source.record, column, &desk.viewer.zone))
        .help(help(source, column))
        .refused(&source.desk.viewer, source.refusals);
    match column {
        "incomingcredentialretrieval" => field.choices = retrieval(source, true),
        "outgoingcredentialretrieval" => field.choices = retrieval(source, false),
        "incomingauthenticationprotocol" | "outgoingauthenticationprotocol" => field.choices = protocols(source),
        _ => {}
    }
    if field.input == Input::Password {
        field.autocomplete = "new-password";
    }
    if field.input == Input::Password && !desk.may_type_secrets() {
        field.blocked = desk.t(IN_CLEAR);
    }
    if !source.writable {
        field.blocked = desk.t("You may read this profile, but not change it.");
    }
    field
}

fn help(source: &Source<'_>, column: &str) -> String {
    let desk = source.desk;
    let stored = |flag: &str| source.record.get(flag).as_bool() == Some(true);
    let exchange = source.provider.is_exchange();
    match column {
        "incomingserverlocation" | "outgoingserverlocation" if exchange => {
            desk.t("The address of Exchange Web Services: https://host/EWS/Exchange.asmx")
        }
        "incomingserverlocation" => desk.t("The host name alone, like imap.example.com"),
        "outgoingserverlocation" => desk.t("The host name alone, like smtp.example.com"),
        "incomingportnumber" if source.provider == Provider::Pop3 => desk.t("Empty: 995, or 110 without SSL"),
        "incomingportnumber" => desk.t("Empty: 993, or 143 without SSL"),
        "outgoingportnumber" => desk.t("Empty: 587"),
        "incomingusessl" | "outgoingusessl" if !exchange => desk.t(
            "TLS from the start or by STARTTLS, as the port and the server want it. The certificate is always checked.",
        ),
        "incomingpassword" if stored("isincomingpasswordset") => {
            desk.t("A password is stored. Leave this empty to keep it.")
        }
        "outgoingpassword" if stored("isoutgoingpasswordset") => {
            desk.t("A password is stored. Leave this empty to keep it.")
        }
        "usesamesettingsforoutgoingconnections" => {
            desk.t("Who logs in for incoming email logs in for outgoing email too.")
        }
        "processemailsreceivedafter" => desk.t("Older messages are left alone. Empty: all that is there is read."),
        "minpollingintervalinminutes" => {
            desk.t("0: as often as is sensible. A mailbox in which nothing happens is asked less often.")
        }
        "maxconcurrentconnections" => desk.t("For each user name that logs in."),
        _ => String::new(),
    }
}

/// Authenticate Using: what this kind of server has, and why it has no more.
fn retrieval(source: &Source<'_>, incoming: bool) -> Vec<Choice> {
    let desk = source.desk;
    let pop3 = source.provider == Provider::Pop3 && incoming;
    let now = draft::shown(
        source.record,
        if incoming { "incomingcredentialretrieval" } else { "outgoingcredentialretrieval" },
        &desk.viewer.zone,
    );
    let offered: &[CredentialRetrieval] = match source.provider {
        Provider::Imap | Provider::Pop3 => {
            &[CredentialRetrieval::UserOrQueue, CredentialRetrieval::Profile, CredentialRetrieval::Anonymous]
        }
        Provider::Gmail => {
            &[CredentialRetrieval::UserOrQueue, CredentialRetrieval::Profile, CredentialRetrieval::GmailOAuth]
        }
        Provider::ExchangeServer => {
            &[CredentialRetrieval::UserOrQueue, CredentialRetrieval::Profile, CredentialRetrieval::WindowsIntegrated]
        }
        Provider::ExchangeOnline => {
            &[CredentialRetrieval::ServerToServer, CredentialRetrieval::UserOrQueue, CredentialRetrieval::Profile]
        }
    };
    let mut shown: Vec<CredentialRetrieval> = offered.to_vec();
    let held = now.parse().ok().and_then(CredentialRetrieval::from_number);
    shown.extend(held.filter(|held| !offered.contains(held)));
    let choice = |way: CredentialRetrieval| {
        let mut choice = Choice::new(way.number().to_string(), desk.viewer.texts.text(way.label()));
        if pop3 && way != CredentialRetrieval::UserOrQueue {
            choice.blocked = desk.t("POP3: each mailbox brings its own credentials");
        } else if incoming && way == CredentialRetrieval::Anonymous {
            choice.blocked = desk.t("a mailbox cannot be read without credentials");
        }
        choice
    };
    shown.into_iter().map(choice).collect()
}

fn protocols(source: &Source<'_>) -> Vec<Choice> {
    let ways: &[AuthenticationProtocol] = if source.provider.is_exchange() {
        AuthenticationProtocol::ALL
    } else {
        &[AuthenticationProtocol::AutoDetect, AuthenticationProtocol::Basic, AuthenticationProtocol::OAuth]
    };
    let texts = source.desk.viewer.texts;
    ways.iter().map(|way| Choice::new(way.number().to_string(), texts.text(way.label()))).collect()
}

/// What the test of the connection needs besides the profile.
pub(super) fn trial(desk: &Desk, address: &str, refusals: &[Refusal]) -> Vec<Field> {
    let mut user = Field::new("user", desk.t("User name for the test"), Input::Line)
        .value(address)
        .refused(&desk.viewer, refusals);
    user.longest = 250;
    let mut password =
        Field::new("password", desk.t("Password for the test"), Input::Password).refused(&desk.viewer, refusals);
    password.longest = 250;
    password.autocomplete = "new-password";
    if !desk.may_type_secrets() {
        password.blocked = desk.t(IN_CLEAR);
    }
    vec![user, password]
}
