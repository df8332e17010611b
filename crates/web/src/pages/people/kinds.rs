//! The three tables of customers: how their pages are called and what stands
//! on their forms.

use actions::Wish;
use actions::bulk::Deed;
use model::tables::{Account, Contact, Lead, LeadState, State};
use model::{Entity, Record, Table, Value};

use crate::pages::grid::{Command, Link, Row, Spec, command};
use crate::pages::kit::{Form, Place};
use crate::pages::people::OWNER;

/// A table of customers on pages.
pub(super) struct Kind {
    pub spec: Spec,
    pub sections: &'static [Section],
    /// The title of the form for a new row.
    pub new: &'static str,
    /// The words for taking a row out of use and back.
    pub off: &'static str,
    pub on: &'static str,
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
        row.get("statecode").as_int() == Some(State::Active.number())
    }

    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.sections.iter().flat_map(|s| s.columns.iter().copied())
    }
}

/// A button's word and what it does.
type Switch = (&'static str, fn(&Form) -> Deed);

const fn commands(table: &'static Table, off: Switch, off_means: &'static str, on: Switch) -> [Command; 4] {
    [
        command("Assign", "assign", Wish::Assign(table)).gives(&OWNER),
        command(on.0, "activate", Wish::Write(table)).does(on.1),
        command(off.0, "deactivate", Wish::Write(table)).does(off.1).asks(off_means),
        command("Delete", "delete", Wish::Delete(table))
            .deletes("These records are deleted for good. Their emails stay, with the addresses that stand in them."),
    ]
}

fn state(number: i64) -> Deed {
    Deed::set("statecode", Value::Int(number))
}

const OFF: Switch = ("Deactivate", |_| state(State::Inactive.number()));
const ON: Switch = ("Activate", |_| state(State::Active.number()));
const DISQUALIFY: Switch = ("Disqualify", |_| state(LeadState::Disqualified.number()));
const REACTIVATE: Switch = ("Reactivate", |_| state(LeadState::Open.number()));

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
    off: OFF.0,
    on: ON.0,
};
static CONTACT_COMMANDS: [Command; 4] =
    commands(Contact::TABLE, OFF, "New emails no longer belong to inactive contacts; what was tracked stays.", ON);

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
    off: OFF.0,
    on: ON.0,
};
static ACCOUNT_COMMANDS: [Command; 4] =
    commands(Account::TABLE, OFF, "New emails no longer belong to inactive accounts; what was tracked stays.", ON);

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
    off: DISQUALIFY.0,
    on: REACTIVATE.0,
};
static LEAD_COMMANDS: [Command; 4] = commands(
    Lead::TABLE,
    DISQUALIFY,
    "New emails no longer belong to disqualified leads; what was tracked stays.",
    REACTIVATE,
);

pub(super) static ALL: [&Kind; 3] = [&CONTACT, &ACCOUNT, &LEAD];
