//! Contacts: people.

use crate::table::{
    BLANK, Child, Ownership, Table, choice, email, flag, id, key, lookup, memo, open_choice, text, time,
};
use crate::tables::states::{ContactMethod, DefaultValue, State, Status};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum Gender: "contact_gendercode" { Male = 1 "Male", Female = 2 "Female" }
}
option_set! {
    pub enum FamilyStatus: "contact_familystatuscode" {
        Single = 1 "Single",
        Married = 2 "Married",
        Divorced = 3 "Divorced",
        Widowed = 4 "Widowed",
    }
}
option_set! {
    pub enum AccountRole: "contact_accountrolecode" {
        DecisionMaker = 1 "Decision Maker",
        Employee = 2 "Employee",
        Influencer = 3 "Influencer",
    }
}
option_set! {
    pub enum AddressType: "contact_address1_addresstypecode" {
        BillTo = 1 "Bill To",
        ShipTo = 2 "Ship To",
        Primary = 3 "Primary",
        Other = 4 "Other",
    }
}
option_set! {
    pub enum FreightTerms: "contact_address1_freighttermscode" { Fob = 1 "FOB", NoCharge = 2 "No Charge" }
}
option_set! {
    pub enum ShippingMethod: "contact_address1_shippingmethodcode" {
        Airborne = 1 "Airborne",
        Dhl = 2 "DHL",
        FedEx = 3 "FedEx",
        Ups = 4 "UPS",
        PostalMail = 5 "Postal Mail",
        FullLoad = 6 "Full Load",
        WillCall = 7 "Will Call",
    }
}
option_set! {
    pub enum PaymentTerms: "contact_paymenttermscode" {
        Net30 = 1 "Net 30",
        TwoTenNet30 = 2 "2% 10, Net 30",
        Net45 = 3 "Net 45",
        Net60 = 4 "Net 60",
    }
}
option_set! {
    pub enum AppointmentDay: "contact_preferredappointmentdaycode" {
        Sunday = 0 "Sunday",
        Monday = 1 "Monday",
        Tuesday = 2 "Tuesday",
        Wednesday = 3 "Wednesday",
        Thursday = 4 "Thursday",
        Friday = 5 "Friday",
        Saturday = 6 "Saturday",
    }
}
option_set! {
    pub enum AppointmentTime: "contact_preferredappointmenttimecode" {
        Morning = 1 "Morning",
        Afternoon = 2 "Afternoon",
        Evening = 3 "Evening",
    }
}

table! {
    pub struct Contact, ContactColumns: Table {
        logical: "contact", set: "contacts", schema: "Contact", id: "contactid", name: Some("fullname"), code: 2,
        ownership: Ownership::UserOrTeam,
        children: &[
            Child { nav: "Contact_Emails", table: "email", column: "regardingobjectid" },
            Child { nav: "Contact_ActivityPointers", table: "activitypointer", column: "regardingobjectid" },
        ],
        keys: &[key(&["emailaddress1"], "Email")],
        tracked: true, ..BLANK
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
        open_choice("gendercode", "Gender", Gender::OPTIONS),
        open_choice("familystatuscode", "Marital Status", FamilyStatus::OPTIONS),
        open_choice("accountrolecode", "Role", AccountRole::OPTIONS),
        choice("preferredcontactmethodcode", "Preferred Method of Contact", ContactMethod::OPTIONS),
        open_choice("address1_addresstypecode", "Address 1: Address Type", AddressType::OPTIONS),
        open_choice("address1_freighttermscode", "Address 1: Freight Terms", FreightTerms::OPTIONS),
        open_choice("address1_shippingmethodcode", "Address 1: Shipping Method", ShippingMethod::OPTIONS),
        open_choice("address2_addresstypecode", "Address 2: Address Type", DefaultValue::OPTIONS),
        open_choice("address2_freighttermscode", "Address 2: Freight Terms", DefaultValue::OPTIONS),
        open_choice("address2_shippingmethodcode", "Address 2: Shipping Method", DefaultValue::OPTIONS),
        open_choice("address3_addresstypecode", "Address 3: Address Type", DefaultValue::OPTIONS),
        open_choice("address3_freighttermscode", "Address 3: Freight Terms", DefaultValue::OPTIONS),
        open_choice("address3_shippingmethodcode", "Address 3: Shipping Method", DefaultValue::OPTIONS),
        open_choice("customersizecode", "Customer Size", DefaultValue::OPTIONS),
        open_choice("customertypecode", "Relationship Type", DefaultValue::OPTIONS),
        open_choice("educationcode", "Education", DefaultValue::OPTIONS),
        open_choice("haschildrencode", "Has Children", DefaultValue::OPTIONS),
        open_choice("leadsourcecode", "Lead Source", DefaultValue::OPTIONS),
        open_choice("shippingmethodcode", "Shipping Method", DefaultValue::OPTIONS),
        open_choice("territorycode", "Territory", DefaultValue::OPTIONS),
        open_choice("paymenttermscode", "Payment Terms", PaymentTerms::OPTIONS),
        open_choice("preferredappointmentdaycode", "Preferred Day", AppointmentDay::OPTIONS),
        open_choice("preferredappointmenttimecode", "Preferred Time", AppointmentTime::OPTIONS),
        lookup("masterid", "Master ID", &["contact"]).read(),
        flag("merged", "Merged").read(),
        id("subscriptionid", "Subscription"),
    }
}
