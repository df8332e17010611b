//! The three tables of customers: how their pages are called and what stands
//! on their forms.

use actions::Wish;
use model::tables::{Account, Contact, Lead, LeadState, State};
use model::{Entity, Record, Table};

use crate::pages::grid::{Command, Link, Row, Spec, command};
use crate::pages::kit::Place;

/// A table of customers on pages.
pub(super) struct Kind {
    pub spec: Spec,
    pub sections: &'static [Section],
    /// The title of the form for a new row.
    pub new: &'static str,
    /// The words for taking a row out of use and back, and the states.
    pub off: (&'static str, i64),
    pub on: (&'static str, i64),
    /// What taking it out of use means.
    pub off_means: &'static str,
}

/// Fields that belong together.
pub(super) struct Section {
    pub title: &'static str,
    /// A sentence below the title; may be empty.
    pub text: &'static str,
    pub columns: &'static [&'static str],
}

const fn section(title: &'static str, columns: &'static [&'static str]) -> Section {
    Section { title, text: "", columns }
}

const ADDRESSES: Section = Section {
    title: "Email addresses",
    text: "Emails from and to each of these addresses belong to this record.",
    columns: &["emailaddress1", "emailaddress2", "emailaddress3"],
};

impl Kind {
    pub fn table(&self) -> &'static Table {
        self.spec.table
    }

    /// `/work/contacts/{id}`
    pub fn path(&self, id: model::Id) -> String {
        format!("{}/{id}", self.spec.base)
    }

    pub fn is_active(&self, row: &Record) -> bool {
        row.get("statecode").as_int() == Some(self.on.1)
    }

    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.sections.iter().flat_map(|s| s.columns.iter().copied())
    }
}

const fn commands(table: &'static Table, off: &'static str, on: &'static str) -> [Command; 4] {
    [
        command("Assign", "assign", Wish::Assign(table)),
        command(on, "activate", Wish::Write(table)),
        command(off, "deactivate", Wish::Write(table)),
        Command { danger: true, ..command("Delete", "delete", Wish::Delete(table)) },
    ]
}

static CONTACT: Kind = Kind {
    spec: Spec {
        table: Contact::TABLE,
        title: "Contacts",
        place: Place::Contacts,
        base: "/work/contacts",
        row: Row::Below("/work/contacts/"),
        links: &[Link { label: "New", path: "/work/contacts/new", needs: Wish::Create(Contact::TABLE), key: "c" }],
        commands: &CONTACT_COMMANDS,
        filters: &[],
        empty: "A contact is a person. Their emails find them by their addresses. Create the first one with “New”.",
    },
    sections: &[
        section(
            "General",
            &["firstname", "lastname", "jobtitle", "parentcustomerid", "telephone1", "mobilephone", "description"],
        ),
        ADDRESSES,
        section("Contact Preferences", &["preferredcontactmethodcode", "donotemail", "donotbulkemail", "donotphone"]),
        section(
            "Details",
            &[
                "salutation",
                "department",
                "websiteurl",
                "address1_line1",
                "address1_postalcode",
                "address1_city",
                "address1_stateorprovince",
                "address1_country",
            ],
        ),
    ],
    new: "New Contact",
    off: ("Deactivate", State::Inactive.number()),
    on: ("Activate", State::Active.number()),
    off_means: "New emails no longer belong to inactive contacts; what was tracked stays.",
};
static CONTACT_COMMANDS: [Command; 4] = commands(Contact::TABLE, "Deactivate", "Activate");

static ACCOUNT: Kind = Kind {
    spec: Spec {
        table: Account::TABLE,
        title: "Accounts",
        place: Place::Accounts,
        base: "/work/accounts",
        row: Row::Below("/work/accounts/"),
        links: &[Link { label: "New", path: "/work/accounts/new", needs: Wish::Create(Account::TABLE), key: "c" }],
        commands: &ACCOUNT_COMMANDS,
        filters: &[],
        empty: "An account is a company. Create the first one with “New”.",
    },
    sections: &[
        section(
            "General",
            &[
                "name",
                "accountnumber",
                "telephone1",
                "websiteurl",
                "parentaccountid",
                "primarycontactid",
                "description",
            ],
        ),
        ADDRESSES,
        section("Contact Preferences", &["preferredcontactmethodcode", "donotemail", "donotbulkemail"]),
    ],
    new: "New Account",
    off: ("Deactivate", State::Inactive.number()),
    on: ("Activate", State::Active.number()),
    off_means: "New emails no longer belong to inactive accounts; what was tracked stays.",
};
static ACCOUNT_COMMANDS: [Command; 4] = commands(Account::TABLE, "Deactivate", "Activate");

static LEAD: Kind = Kind {
    spec: Spec {
        table: Lead::TABLE,
        title: "Leads",
        place: Place::Leads,
        base: "/work/leads",
        row: Row::Below("/work/leads/"),
        links: &[Link { label: "New", path: "/work/leads/new", needs: Wish::Create(Lead::TABLE), key: "c" }],
        commands: &LEAD_COMMANDS,
        filters: &[],
        empty: "A lead is somebody who may become a customer. Create the first one with “New”.",
    },
    sections: &[
        section(
            "General",
            &[
                "subject",
                "firstname",
                "lastname",
                "companyname",
                "jobtitle",
                "telephone1",
                "mobilephone",
                "websiteurl",
                "description",
            ],
        ),
        ADDRESSES,
        section("Contact Preferences", &["donotemail"]),
    ],
    new: "New Lead",
    off: ("Disqualify", LeadState::Disqualified.number()),
    on: ("Reactivate", LeadState::Open.number()),
    off_means: "New emails no longer belong to disqualified leads; what was tracked stays.",
};
static LEAD_COMMANDS: [Command; 4] = commands(Lead::TABLE, "Disqualify", "Reactivate");

pub(super) static ALL: [&Kind; 3] = [&CONTACT, &ACCOUNT, &LEAD];
