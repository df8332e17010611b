//! Leads: people who may become customers.

use crate::table::{BLANK, Child, Ownership, Table, choice, email, flag, key, lookup, memo, open_choice, text};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum LeadState: "lead_statecode" { Open = 0 "Open", Qualified = 1 "Qualified", Disqualified = 2 "Disqualified" }
}
option_set! {
    pub enum LeadStatus: "lead_statuscode" {
        New = 1 "New" in 0,
        Contacted = 2 "Contacted" in 0,
        Qualified = 3 "Qualified" in 1,
        Lost = 4 "Lost" in 2,
        CannotContact = 5 "Cannot Contact" in 2,
        NoLongerInterested = 6 "No Longer Interested" in 2,
        Canceled = 7 "Canceled" in 2,
    }
}

option_set! {
    pub enum OrderType: "lead_msdyn_ordertype" {
        ItemBased = 192_350_000 "Item based",
        WorkBased = 192_350_001 "Work based",
        ServiceMaintenanceBased = 690_970_002 "Service-Maintenance Based",
    }
}

table! {
    pub struct Lead, LeadColumns: Table {
        logical: "lead", set: "leads", schema: "Lead", id: "leadid", name: Some("fullname"), code: 4,
        ownership: Ownership::UserOrTeam,
        children: &[
            Child { nav: "Lead_Emails", table: "email", column: "regardingobjectid" },
            Child { nav: "Lead_ActivityPointers", table: "activitypointer", column: "regardingobjectid" },
        ],
        keys: &[key(&["emailaddress1"], "Email")],
        tracked: true, ..BLANK
    }; {
        first_name: String = text("firstname", "First Name", 50),
        last_name: String = text("lastname", "Last Name", 50).required(),
        full_name: String = text("fullname", "Name", 160).read(),
        subject: String = text("subject", "Topic", 300),
        owner: Option<Ref> = lookup("ownerid", "Owner", &["systemuser", "team"]),
        address1: String = email("emailaddress1", "Email", 100),
        address2: String = email("emailaddress2", "Email Address 2", 100),
        address3: String = email("emailaddress3", "Email Address 3", 100),
        do_not_email: bool = flag("donotemail", "Do not allow Emails"),
        state: LeadState = choice("statecode", "Status", LeadState::OPTIONS),
        status: LeadStatus = choice("statuscode", "Status Reason", LeadStatus::OPTIONS),
    } also {
        text("companyname", "Company Name", 100),
        memo("description", "Description"),
        text("jobtitle", "Job Title", 100),
        text("telephone1", "Business Phone", 50),
        text("mobilephone", "Mobile Phone", 20),
        text("websiteurl", "Website", 200),
        open_choice("msdyn_ordertype", "Order Type", OrderType::OPTIONS),
    }
}
