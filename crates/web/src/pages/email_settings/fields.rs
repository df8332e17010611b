//! The settings, section by section, each with what it means and what
//! changing it affects. What the program does not do yet is not among them.

use model::tables::{EmailServerProfile, Organization};
use model::{Entity, Query, Record, Refusal};

use crate::pages::kit::{Choice, Desk, Fault, Field, Form, Input};
use crate::pages::mailbox::typed::Typed;

/// The columns on the form.
pub(super) const COLUMNS: &[&str] = &[
    "emailconnectionchannel",
    "defaultemailserverprofileid",
    "pr_defaultincomingmethod",
    "pr_defaultoutgoingmethod",
    "pr_defaultactmethod",
    "pr_createmailboxes",
    "requireapprovalforuseremail",
    "requireapprovalforqueueemail",
    "pr_requireprivilegetoselfapprove",
    "emailcorrelationenabled",
    "pr_usetrackingtokens",
    "trackingprefix",
    "ignoreinternalemail",
    "allowunresolvedpartiesonemailsend",
    "unresolveemailaddressifmultiplematch",
    "maxuploadfilesize",
    "blockedattachments",
    "generatealertsforerrors",
    "generatealertsforwarnings",
    "generatealertsforinformation",
    "notifymailboxownerofemailserverlevelalerts",
];

/// Is typed in kilobytes and kept in octets.
const LARGEST: &str = "maxuploadfilesize";

/// So many profiles are offered.
const MOST: usize = 500;

pub(super) struct Section {
    pub id: &'static str,
    pub title: String,
    pub about: String,
    pub fields: Vec<Field>,
}

/// What was typed in kilobytes, in octets. What is no number stays as it is.
pub(super) fn in_octets(mut form: Form) -> Form {
    if let Some(octets) = form.number(LARGEST).and_then(|kilobytes| kilobytes.checked_mul(1024)) {
        form.put(LARGEST, octets.to_string());
    }
    form
}

/// A value that is stored, as it is typed.
pub(super) fn as_typed(column: &str, value: &str) -> String {
    match value.parse::<i64>() {
        Ok(octets) if column == LARGEST => (octets / 1024).to_string(),
        _ => value.to_owned(),
    }
}

struct Maker<'a> {
    desk: &'a Desk,
    typed: &'a Typed<'a>,
    held: &'a Record,
    refusals: &'a [Refusal],
    may_write: bool,
}

pub(super) async fn sections(
    desk: &Desk,
    typed: &Typed<'_>,
    held: &Record,
    refusals: &[Refusal],
    may_write: bool,
) -> Result<Vec<Section>, Fault> {
    let maker = Maker { desk, typed, held, refusals, may_write };
    let profile = maker.profile().await?;
    Ok(vec![
        maker.processing(),
        maker.default_method(profile),
        maker.approval(),
        maker.tracking(),
        maker.recipients(),
        maker.attachments(),
        maker.alerts(),
    ])
}

impl Maker<'_> {
    fn t(&self, text: &str) -> String {
        self.desk.t(text)
    }

    fn field(&self, column: &'static str, help: String) -> Field {
        let field = Field::of(self.desk.viewer.texts, Organization::TABLE, column)
            .value(self.typed.value(Some(self.held), column))
            .refused(&self.desk.viewer, self.refusals)
            .help(help);
        if self.may_write {
            return field;
        }
        field.blocked(self.t("Only who may write the organization can change this."))
    }

    fn section(&self, id: &'static str, title: String, about: String, fields: Vec<Field>) -> Section {
        let _ = self;
        Section { id, title, about, fields }
    }

    fn processing(&self) -> Section {
        let channel = self.field(
            "emailconnectionchannel",
            self.t(
                "With Email Router nothing is received, sent or tested here. What waits goes on when this is set back.",
            ),
        );
        self.section(
            "processing",
            self.t("Email processing"),
            self.t("Affects every mailbox, from its next run on."),
            vec![channel],
        )
    }

    fn default_method(&self, profile: Field) -> Section {
        let create = self.field("pr_createmailboxes", self.t("Each new user and queue gets a mailbox of its own."));
        let incoming = self
            .field("pr_defaultincomingmethod", self.t("How new mailboxes receive. For queues, Outlook becomes None."));
        let outgoing =
            self.field("pr_defaultoutgoingmethod", self.t("How new mailboxes send. For queues, Outlook becomes None."));
        let act = self.field(
            "pr_defaultactmethod",
            self.t("Only an Exchange server has these; with another profile, and for queues, it becomes None."),
        );
        self.section(
            "method",
            self.t("Default synchronization method"),
            self.t("Affects the mailboxes of users and queues that are made from now on. Existing ones keep what they have until somebody applies the default email settings to them."),
            vec![create, profile, incoming, outgoing, act],
        )
    }

    fn approval(&self) -> Section {
        let users = self.field(
            "requireapprovalforuseremail",
            self.t("Mail of a user whose address is not approved is neither received nor sent."),
        );
        let queues = self.field(
            "requireapprovalforqueueemail",
            self.t("Mail of a queue whose address is not approved is neither received nor sent."),
        );
        let own = self.field(
            "pr_requireprivilegetoselfapprove",
            self.t("Otherwise users may approve the address of their own mailbox."),
        );
        self.section(
            "approval",
            self.t("Approval of email addresses"),
            self.t("Affects every mailbox that is not approved, within minutes. For forward mailboxes either switch holds."),
            vec![users, queues, own],
        )
    }

    fn tracking(&self) -> Section {
        let correlation = self.field(
            "emailcorrelationenabled",
            self.t("Replies are recognized by their In-Reply-To and References. Without it, users who track responses only get none."),
        );
        let tokens = self.field(
            "pr_usetrackingtokens",
            self.t("A token in the subject recognizes replies of programs that forget what they reply to."),
        );
        let prefix = self.field(
            "trackingprefix",
            self.t("What tokens begin with. Put a new prefix first and keep the old ones behind it, separated by semicolons: replies with old tokens are recognized as well."),
        );
        let internal = self.field(
            "ignoreinternalemail",
            self.t("Email from one user to another is then tracked once and not as two activities. Queues receive it all the same."),
        );
        self.section(
            "tracking",
            self.t("Email tracking"),
            self.t("Affects messages that are received and sent from now on; what is tracked stays as it is."),
            vec![correlation, tokens, prefix, internal],
        )
    }

    fn recipients(&self) -> Section {
        let unresolved = self.field(
            "allowunresolvedpartiesonemailsend",
            self.t("Email may be sent to addresses that belong to no record."),
        );
        let ambiguous = self.field(
            "unresolveemailaddressifmultiplematch",
            self.t("An address that several records have is then not tied to any of them."),
        );
        self.section(
            "recipients",
            self.t("Recipients without a record"),
            self.t("Affects messages that are received and sent from now on."),
            vec![unresolved, ambiguous],
        )
    }

    fn attachments(&self) -> Section {
        let mut largest = self.field(LARGEST, self.t("From 0 to 131,072 kilobytes. Larger attachments are refused when sending, and left out of what is received."));
        largest.label = self.t("Maximum file size for attachments (KB)");
        largest.min = "0".to_owned();
        largest.max = "131072".to_owned();
        largest.value = as_typed(LARGEST, &largest.value);
        let mut blocked = self.field(
            "blockedattachments",
            self.t("Endings of file names, separated by semicolons. Such attachments are neither sent nor kept."),
        );
        blocked.input = Input::Lines;
        self.section(
            "attachments",
            self.t("Attachments"),
            self.t("Affects messages and attachments from now on; what is stored stays."),
            vec![largest, blocked],
        )
    }

    fn alerts(&self) -> Section {
        let errors =
            self.field("generatealertsforerrors", self.t("What somebody has to mend, such as a wrong password."));
        let warnings = self.field(
            "generatealertsforwarnings",
            self.t("What passes by itself, such as a server that is down for a while."),
        );
        let information =
            self.field("generatealertsforinformation", self.t("What went well, such as a test that passed."));
        let owner = self.field(
            "notifymailboxownerofemailserverlevelalerts",
            self.t("Owners of mailboxes are told of faults of the server as well; otherwise only the owner of the profile is."),
        );
        self.section(
            "alerts",
            self.t("Alerts"),
            self.t("Affects alerts from now on; those that are there stay."),
            vec![errors, warnings, information, owner],
        )
    }

    async fn profile(&self) -> Result<Field, Fault> {
        let mut field = self.field(
            "defaultemailserverprofileid",
            self.t("The server profile of new mailboxes whose method is server-side synchronization."),
        );
        field.input = Input::Select;
        let mut choices = vec![Choice::new("", self.t("(none)"))];
        let mut query = Query::of::<EmailServerProfile>().order_by(EmailServerProfile::C.name, false).limit(MOST);
        query.select = vec![EmailServerProfile::C.name.name];
        let rows = match actions::list(&self.desk.ctx, query).await {
            Ok(rows) => rows,
            Err(error) if Fault::is_refusal(&error) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        choices.extend(rows.iter().map(|row| {
            let name = row.get(EmailServerProfile::C.name.name).as_text().unwrap_or_default();
            Choice::new(row.id.to_string(), name)
        }));
        if !choices.iter().any(|choice| choice.value == field.value) {
            choices.push(Choice::new(field.value.clone(), self.t("(a profile that you may not see)")));
        }
        field.choices = choices;
        Ok(field)
    }
}
