//! What stands around every page: where one is, where one can go.

use std::fmt::Display;

use actions::{Context, Wish, permitted};
use model::tables::{
    Account, Audit, BusinessUnit, Contact, Email, EmailServerProfile, Lead, Mailbox, Organization, Queue, Role,
    SystemUser, Team, TraceLog,
};
use model::{Entity, Timestamp, Words};

use crate::pages::kit::{Desk, Viewer, assets, icons};

/// A page of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Home,
    Activities,
    Queues,
    Contacts,
    Accounts,
    Leads,
    Unresolved,
    EmailSettings,
    Mailboxes,
    Profiles,
    Alerts,
    Monitoring,
    Users,
    Teams,
    Roles,
    Units,
    Tokens,
    Sessions,
    AuditLog,
    Data,
    Feedback,
    Options,
    Start,
    /// None of them: an error, a page of help.
    Nowhere,
}

/// What a page is called, where it is, and which keys lead there.
struct Entry {
    place: Place,
    label: &'static str,
    path: &'static str,
    keys: &'static str,
    needs: Wish,
}

const fn entry(place: Place, label: &'static str, path: &'static str, keys: &'static str, needs: Wish) -> Entry {
    Entry { place, label, path, keys, needs }
}

/// Groups of the navigation, as the reference product has them.
const WORK: &[Entry] = &[
    entry(Place::Home, "My Work", "/", "g h", Wish::Anyone),
    entry(Place::Activities, "Activities", "/work/activities", "g a", Wish::Read(Email::TABLE)),
    entry(Place::Queues, "Queues", "/work/queues", "g q", Wish::Read(Queue::TABLE)),
    entry(Place::Contacts, "Contacts", "/work/contacts", "g c", Wish::Read(Contact::TABLE)),
    entry(Place::Accounts, "Accounts", "/work/accounts", "g o", Wish::Read(Account::TABLE)),
    entry(Place::Leads, "Leads", "/work/leads", "g l", Wish::Read(Lead::TABLE)),
    entry(Place::Unresolved, "Unknown Addresses", "/work/unresolved", "g x", Wish::Read(Email::TABLE)),
];
const EMAIL: &[Entry] = &[
    entry(
        Place::EmailSettings,
        "Email Configuration Settings",
        "/settings/email",
        "g e",
        Wish::Write(Organization::TABLE),
    ),
    entry(Place::Mailboxes, "Mailboxes", "/settings/mailboxes", "g m", Wish::Read(Mailbox::TABLE)),
    entry(Place::Profiles, "Email Server Profiles", "/settings/profiles", "g p", Wish::Read(EmailServerProfile::TABLE)),
    entry(Place::Monitoring, "Monitoring", "/settings/monitoring", "g w", Wish::ReadAll(Mailbox::TABLE)),
    entry(Place::Alerts, "Alerts", "/settings/alerts", "g t", Wish::Read(TraceLog::TABLE)),
];
const SECURITY: &[Entry] = &[
    entry(Place::Users, "Users", "/settings/security/users", "g u", Wish::Write(SystemUser::TABLE)),
    entry(Place::Teams, "Teams", "/settings/security/teams", "", Wish::Write(Team::TABLE)),
    entry(Place::Roles, "Security Roles", "/settings/security/roles", "g r", Wish::Write(Role::TABLE)),
    entry(Place::Units, "Business Units", "/settings/security/units", "", Wish::Write(BusinessUnit::TABLE)),
    entry(Place::Tokens, "Tokens", "/settings/security/tokens", "", Wish::Special(actions::Special::ManageTokens)),
    entry(
        Place::Sessions,
        "Sessions",
        "/settings/security/sessions",
        "",
        Wish::Special(actions::Special::ManageTokens),
    ),
    entry(Place::AuditLog, "Audit", "/settings/security/audit", "", Wish::Read(Audit::TABLE)),
];
const DATA: &[Entry] = &[
    entry(Place::Data, "Data Management", "/settings/data", "g d", Wish::Write(Organization::TABLE)),
    entry(Place::Feedback, "Feedback", "/settings/feedback", "", Wish::Write(Organization::TABLE)),
];
const GROUPS: &[(&str, &[Entry])] =
    &[("Work", WORK), ("Email Configuration", EMAIL), ("Security", SECURITY), ("Data Management", DATA)];

/// A group of the navigation, as it is shown.
pub(crate) struct Group {
    pub label: String,
    pub entries: Vec<Shown>,
}

pub(crate) struct Shown {
    pub label: String,
    /// The path of its picture.
    pub icon: &'static str,
    pub path: &'static str,
    pub keys: &'static str,
    pub here: bool,
}

pub(crate) struct Frame {
    /// In the person's language.
    pub title: String,
    /// Their name, and the name they sign in with.
    pub person: String,
    pub account: String,
    pub groups: Vec<Group>,
    pub viewer: Viewer,
    /// The topic of `/help/{topic}`.
    pub help: &'static str,
    /// Something that was done, from `?done=`.
    pub done: String,
    /// What the page stands below: labels and addresses, the outermost first.
    pub trail: Vec<(String, String)>,
}

impl Frame {
    /// The keys of the editor, with what they do.
    pub fn writing_keys(&self) -> Vec<(&'static str, &str)> {
        let texts = self.viewer.texts;
        vec![
            ("Ctrl + B", texts.text("Bold")),
            ("Ctrl + I", texts.text("Italic")),
            ("Ctrl + U", texts.text("Underline")),
            ("Ctrl + Shift + 8", texts.text("Bullets")),
            ("Ctrl + Shift + 9", texts.text("Numbering")),
            ("Ctrl + ]", texts.text("Quotation")),
            ("Ctrl + K", texts.text("Link")),
            ("Ctrl + \\", texts.text("Remove formatting")),
        ]
    }

    pub fn new(desk: &Desk, title: &str, place: Place) -> Self {
        let viewer = desk.viewer.clone();
        Self {
            title: viewer.texts.text(title).to_owned(),
            person: desk.current.user.full_name.clone(),
            account: desk.current.user.domain_name.clone(),
            groups: groups(&desk.ctx, &viewer, place),
            help: place.help(),
            done: done(desk),
            trail: trail(desk, title, place),
            viewer,
        }
    }

    /// A title that is not a text of ours: the name of a record.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Below the page of a record.
    #[must_use]
    pub fn under(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.trail.push((name.into(), path.into()));
        self
    }

    #[must_use]
    pub fn with_help(mut self, topic: &'static str) -> Self {
        self.help = topic;
        self
    }

    /// A text in the person's language.
    pub fn t<'a>(&'a self, english: &'a str) -> &'a str {
        self.viewer.texts.text(english)
    }

    /// With one value at `{0}`.
    pub fn t1(&self, english: &str, value: impl Display) -> String {
        self.viewer.texts.with(english, &[&value])
    }

    /// With two values, at `{0}` and `{1}`.
    pub fn t2(&self, english: &str, first: impl Display, second: impl Display) -> String {
        self.viewer.texts.with(english, &[&first, &second])
    }

    /// As [`Texts::counted`](super::Texts::counted).
    pub fn tn(&self, one: &str, many: &str, count: impl Display) -> String {
        self.viewer.texts.counted(one, many, &count)
    }

    /// A sentence of the rules, in the person's language.
    pub fn words(&self, words: &Words) -> String {
        self.viewer.words(words)
    }

    /// A sentence that was written down in English, in the person's language.
    pub fn said(&self, english: &str) -> String {
        self.viewer.said(english)
    }

    pub fn time(&self, time: &Timestamp) -> String {
        self.viewer.time(*time)
    }

    /// For the attribute `datetime`.
    pub fn iso(&self, time: &Timestamp) -> String {
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Where a style sheet or script is, in the version of this program.
    pub fn asset(&self, name: &str) -> String {
        assets::path(name)
    }

    pub fn lang(&self) -> &'static str {
        self.viewer.texts.code
    }
}

/// `?done=saved`: what the request before this one did. Only known words.
fn done(desk: &Desk) -> String {
    match desk.query.text("done") {
        "saved" => desk.t("Saved."),
        "deleted" => desk.t("Deleted."),
        "created" => desk.t("Created."),
        "sent" => desk.t("Handed over to be sent."),
        "later" => desk.t("It will be sent at the time that you set."),
        "discarded" => desk.t("Discarded."),
        "done" => desk.t("Done."),
        "begun" => desk.t("Begun. This page shows how far it is."),
        "due" => desk.t("Mail is received and sent now: the service begins within seconds."),
        _ => String::new(),
    }
}

/// The list that the page belongs to, where it is not that list itself.
fn trail(desk: &Desk, title: &str, place: Place) -> Vec<(String, String)> {
    let entry = GROUPS.iter().flat_map(|(_, entries)| *entries).find(|entry| entry.place == place);
    let above = entry.filter(|entry| entry.path != desk.path && entry.label != title && entry.place != Place::Home);
    // Who may not see the list is not sent there.
    let above = above.filter(|entry| permitted(&desk.ctx, entry.needs));
    above.map(|entry| (desk.t(entry.label), entry.path.to_owned())).into_iter().collect()
}

fn groups(ctx: &Context, viewer: &Viewer, place: Place) -> Vec<Group> {
    let shown = |e: &Entry| Shown {
        label: viewer.texts.text(e.label).to_owned(),
        icon: icons::path(e.place),
        path: e.path,
        keys: if viewer.keys { e.keys } else { "" },
        here: e.place == place,
    };
    let groups = GROUPS.iter().map(|(label, entries)| Group {
        label: viewer.texts.text(label).to_owned(),
        entries: entries.iter().filter(|e| permitted(ctx, e.needs)).map(shown).collect(),
    });
    groups.filter(|group| !group.entries.is_empty()).collect()
}

impl Place {
    /// The topic of its help.
    fn help(self) -> &'static str {
        match self {
            Self::Home => "work",
            Self::Activities | Self::Unresolved => "email",
            Self::Queues => "queues",
            Self::Contacts | Self::Accounts | Self::Leads => "people",
            Self::EmailSettings => "email-settings",
            Self::Mailboxes => "mailboxes",
            Self::Profiles => "profiles",
            Self::Alerts => "alerts",
            Self::Monitoring => "monitoring",
            Self::Users | Self::Teams | Self::Units | Self::Tokens | Self::Sessions => "security",
            Self::Roles => "roles",
            Self::AuditLog => "audit",
            Self::Data | Self::Feedback => "data",
            Self::Options => "options",
            Self::Start => "start",
            Self::Nowhere => "overview",
        }
    }
}
