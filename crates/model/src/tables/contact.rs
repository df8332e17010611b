//! Contacts: people.

use crate::table;
use crate::table::{BLANK, Child, Ownership, Table, choice, email, flag, int, lookup, memo, text, time};
use crate::tables::states::{State, Status};
use crate::value::Ref;

table! {
    pub struct Contact, ContactColumns: Table {
        logical: "contact", set: "contacts", schema: "Contact", id: "contactid", name: Some("fullname"), code: 2,
        ownership: Ownership::UserOrTeam,
        children: &[Child { nav: "Contact_Emails", table: "email", column: "regardingobjectid" }],
        ..BLANK
    }; {
        first_name: String = text("firstname", "First Name", 50),
        middle_name: String = text("middlename", "Middle Name", 50),
        last_name: String = text("lastname", "Last Name", 50),
        full_name: String = text("fullname", "Full Name", 160).read(),
        owner: Option<Ref> = lookup("ownerid", "Owner", &["systemuser", "team"]),
        company: Option<Ref> = lookup("parentcustomerid", "Company Name", &["account", "contact"]),
        address1: String = email("emailaddress1", "Email", 100),
        address2: String = email("emailaddress2", "Email Address 2", 100),
        address3: String = email("emailaddress3", "Email Address 3", 100),
        do_not_email: bool = flag("donotemail", "Do not allow Emails"),
        state: State = choice("statecode", "Status", State::OPTIONS),
        status: Status = choice("statuscode", "Status Reason", Status::OPTIONS),
    } also {
        memo("description", "Description"),
        text("jobtitle", "Job Title", 100),
        text("salutation", "Salutation", 100),
        text("suffix", "Suffix", 10),
        text("nickname", "Nickname", 100),
        text("department", "Department", 100),
        text("company", "Company Phone", 50),
        text("assistantname", "Assistant", 100),
        text("managername", "Manager", 100),
        text("spousesname", "Spouse/Partner Name", 100),
        text("governmentid", "Government", 50),
        text("telephone1", "Business Phone", 50),
        text("telephone2", "Home Phone", 50),
        text("telephone3", "Telephone 3", 50),
        text("mobilephone", "Mobile Phone", 50),
        text("fax", "Fax", 50),
        text("websiteurl", "Website", 200),
        text("address1_line1", "Address 1: Street 1", 250),
        text("address1_city", "Address 1: City", 80),
        text("address1_postalcode", "Address 1: ZIP/Postal Code", 20),
        text("address1_stateorprovince", "Address 1: State/Province", 50),
        text("address1_country", "Address 1: Country/Region", 80),
        time("birthdate", "Birthday"),
        time("anniversary", "Anniversary"),
        flag("donotbulkemail", "Do not allow Bulk Emails"),
        flag("donotphone", "Do not allow Phone Calls"),
        flag("followemail", "Follow Email Activity").yes(),
        int("gendercode", "Gender", 1, 2),
        int("familystatuscode", "Marital Status", 1, 4),
        int("accountrolecode", "Role", 1, 3),
        int("preferredcontactmethodcode", "Preferred Method of Contact", 1, 5).or(1),
    }
}
