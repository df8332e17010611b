//! What there is help about, in each language.

pub(super) struct Topic {
    /// As in `/help/mailboxes`.
    pub name: &'static str,
    pub title: &'static str,
    english: &'static str,
    german: &'static str,
}

impl Topic {
    pub fn text(&self, language: &str) -> &'static str {
        if language == "de" { self.german } else { self.english }
    }
}

macro_rules! topics {
    ($($name:literal $title:literal),+ $(,)?) => {
        &[$(Topic {
            name: $name,
            title: $title,
            english: include_str!(concat!("../../../help/en/", $name, ".html")),
            german: include_str!(concat!("../../../help/de/", $name, ".html")),
        }),+]
    };
}

pub(super) const ALL: &[Topic] = topics![
    "overview" "How Postroom works",
    "start" "First steps",
    "mailboxes" "Mailboxes",
    "mailbox" "Create forward mailboxes or edit mailboxes",
    "forwarding" "Collecting mail by a forward mailbox",
    "approval" "Approving email addresses",
    "test-results" "Test results and what to do",
    "profiles" "Email Server Profiles",
    "email-settings" "Email Configuration Settings",
    "alerts" "Alerts",
    "monitoring" "Monitoring",
    "ledger" "What became of my message?",
    "work" "My Work",
    "email" "Email",
    "queues" "Queues",
    "people" "Contacts, accounts and leads",
    "options" "Personal options",
    "security" "Users, teams and sign-in",
    "roles" "Security roles",
    "audit" "Audit",
    "data" "Data management",
];

pub(super) fn find(name: &str) -> Option<&'static Topic> {
    ALL.iter().find(|topic| topic.name == name)
}
