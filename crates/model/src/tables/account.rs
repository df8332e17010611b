//! Accounts: companies.

use crate::table::{
    AlternateKey, BLANK, Child, Ownership, Table, choice, email, flag, key, lookup, memo, open_choice, text,
};
use crate::tables::states::{ContactMethod, State, Status};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum AccountCategory: "account_accountcategorycode" { PreferredCustomer = 1 "Preferred Customer", Standard = 2 "Standard" }
}
option_set! {
    pub enum TravelCharge: "account_msdyn_travelchargetype" {
        Hourly = 690_970_000 "Hourly",
        Mileage = 690_970_001 "Mileage",
        Fixed = 690_970_002 "Fixed",
        None = 690_970_003 "None",
    }
}

table! {
    pub struct Account, AccountColumns: Table {
        logical: "account", set: "accounts", schema: "Account", id: "accountid", name: Some("name"), code: 1,
        ownership: Ownership::UserOrTeam,
        children: &[
            Child { nav: "contact_customer_accounts", table: "contact", column: "parentcustomerid" },
            Child { nav: "Account_Emails", table: "email", column: "regardingobjectid" },
            Child { nav: "Account_ActivityPointers", table: "activitypointer", column: "regardingobjectid" },
        ],
        keys: &[
            key(&["name"], "Account Name"),
            key(&["accountnumber"], "Account Number"),
            key(&["emailaddress1"], "Email"),
            AlternateKey { name: "nameandnumber", label: "Name and Number", columns: &["name", "accountnumber"] },
        ], tracked: true, ..BLANK
    }; {
        name: String = text("name", "Account Name", 160).required(),
        owner: Option<Ref> = lookup("ownerid", "Owner", &["systemuser", "team"]),
        address1: String = email("emailaddress1", "Email", 100),
        address2: String = email("emailaddress2", "Email Address 2", 100),
        address3: String = email("emailaddress3", "Email Address 3", 100),
        do_not_email: bool = flag("donotemail", "Do not allow Emails"),
        state: State = choice("statecode", "Status", State::OPTIONS),
        status: Status = choice("statuscode", "Status Reason", Status::OPTIONS),
    } also {
        text("accountnumber", "Account Number", 20),
        memo("description", "Description"),
        flag("donotbulkemail", "Do not allow Bulk Emails"),
        flag("followemail", "Follow Email Activity").yes(),
        lookup("parentaccountid", "Parent Account", &["account"]),
        lookup("primarycontactid", "Primary Contact", &["contact"]),
        open_choice("accountcategorycode", "Category", AccountCategory::OPTIONS),
        choice("preferredcontactmethodcode", "Preferred Method of Contact", ContactMethod::OPTIONS),
        text("telephone1", "Main Phone", 50),
        text("websiteurl", "Website", 200),
        open_choice("msdyn_travelchargetype", "Travel Charge Type", TravelCharge::OPTIONS),
    }
}
