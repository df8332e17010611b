//! Users. Disabled, never deleted.

use crate::id::Id;
use crate::table::{BLANK, Child, Link, Table, choice, email, flag, id, int, key, lookup, open_choice, text};
use crate::tables::states::{Approval, DefaultValue, IncomingMethod, OutgoingMethod};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum AccessMode: "systemuser_accessmode" {
        ReadWrite = 0 "Read-Write",
        Administrative = 1 "Administrative",
        Read = 2 "Read",
        Support = 3 "Support User",
        NonInteractive = 4 "Non-interactive",
        DelegatedAdmin = 5 "Delegated Admin",
    }
}

option_set! {
    pub enum PreferredAddress: "systemuser_preferredaddresscode" { Mailing = 1 "Mailing Address", Other = 2 "Other Address" }
}
option_set! {
    pub enum PreferredPhone: "systemuser_preferredphonecode" {
        Main = 1 "Main Phone",
        Other = 2 "Other Phone",
        Home = 3 "Home Phone",
        Mobile = 4 "Mobile Phone",
    }
}
option_set! {
    pub enum LicenseType: "systemuser_caltype" {
        Professional = 0 "Professional",
        Administrative = 1 "Administrative",
        Basic = 2 "Basic",
        DeviceProfessional = 3 "Device Professional",
        DeviceBasic = 4 "Device Basic",
        Essential = 5 "Essential",
        DeviceEssential = 6 "Device Essential",
        Enterprise = 7 "Enterprise",
        DeviceEnterprise = 8 "Device Enterprise",
        Sales = 9 "Sales",
        Service = 10 "Service",
        FieldService = 11 "Field Service",
        ProjectService = 12 "Project Service",
    }
}
option_set! {
    pub enum InvitationStatus: "systemuser_invitestatuscode" {
        NotSent = 0 "Invitation Not Sent",
        Invited = 1 "Invited",
        NearExpired = 2 "Invitation Near Expired",
        Expired = 3 "Invitation Expired",
        Accepted = 4 "Invitation Accepted",
        Rejected = 5 "Invitation Rejected",
        Revoked = 6 "Invitation Revoked",
    }
}

table! {
    pub struct SystemUser, SystemUserColumns: Table {
        logical: "systemuser", set: "systemusers", schema: "SystemUser",
        id: "systemuserid", name: Some("fullname"), code: 8,
        children: &[
            Child { nav: "mailbox_regarding_systemuser", table: "mailbox", column: "regardingobjectid" },
        ],
        links: &[
            Link { nav: "systemuserroles_association", through: "systemuserroles", here: "systemuserid", there: "roleid", table: "role" },
            Link { nav: "teammembership_association", through: "teammembership", here: "systemuserid", there: "teamid", table: "team" },
            Link { nav: "systemuserprofiles_association", through: "systemuserprofiles", here: "systemuserid", there: "fieldsecurityprofileid", table: "fieldsecurityprofile" },
        ],
        keys: &[
            key(&["domainname"], "User Name"),
            key(&["internalemailaddress"], "Primary Email"),
            key(&["azureactivedirectoryobjectid"], "Directory Object ID"),
        ], tracked: true, ..BLANK
    }; {
        domain_name: String = text("domainname", "User Name", 1024),
        first_name: String = text("firstname", "First Name", 256),
        last_name: String = text("lastname", "Last Name", 256),
        full_name: String = text("fullname", "Full Name", 200).read(),
        address: String = email("internalemailaddress", "Primary Email", 100),
        business_unit: Option<Ref> = lookup("businessunitid", "Business Unit", &["businessunit"]),
        is_disabled: bool = flag("isdisabled", "Status"),
        default_mailbox: Option<Ref> = lookup("defaultmailbox", "Mailbox", &["mailbox"]).read(),
        approval: Approval = choice("emailrouteraccessapproval", "Primary Email Status", Approval::OPTIONS),
        incoming: IncomingMethod = choice("incomingemaildeliverymethod", "Incoming Email Delivery Method", IncomingMethod::OPTIONS),
        outgoing: OutgoingMethod = choice("outgoingemaildeliverymethod", "Outgoing Email Delivery Method", OutgoingMethod::OPTIONS),
        access_mode: AccessMode = choice("accessmode", "Access Mode", AccessMode::OPTIONS),
        /// What stood in for the role System Administrator before there were
        /// roles. Still set: the role is to be given when the program starts.
        was_administrator: bool = flag("pr_isadministrator", "System Administrator").internal(),
        queue: Option<Ref> = lookup("queueid", "Default Queue", &["queue"]),
        directory_id: Option<Id> = id("azureactivedirectoryobjectid", "Directory Object ID"),
    } also {
        text("middlename", "Middle Name", 50),
        text("jobtitle", "Job Title", 100),
        text("title", "Title", 128),
        email("personalemailaddress", "Email 2", 100),
        email("mobilealertemail", "Mobile Alert Email", 100),
        text("mobilephone", "Mobile Phone", 64),
        text("address1_telephone1", "Main Phone", 64),
        lookup("parentsystemuserid", "Manager", &["systemuser"]),
        flag("isemailaddressapprovedbyo365admin", "Email Address O365 Admin Approval Status").read(),
        flag("isintegrationuser", "Integration user mode"),
        flag("islicensed", "User Licensed"),
        flag("setupuser", "Restricted Access Mode"),
        id("applicationid", "Application ID"),
        int("importsequencenumber", "Import Sequence Number", 0, 2_147_483_647),
        open_choice("preferredaddresscode", "Preferred Address", PreferredAddress::OPTIONS),
        open_choice("preferredemailcode", "Preferred Email", DefaultValue::OPTIONS),
        open_choice("preferredphonecode", "Preferred Phone", PreferredPhone::OPTIONS),
        choice("caltype", "License Type", LicenseType::OPTIONS),
        choice("invitestatuscode", "Invitation Status", InvitationStatus::OPTIONS),
        open_choice("address1_addresstypecode", "Address 1: Address Type", DefaultValue::OPTIONS),
        open_choice("address1_shippingmethodcode", "Address 1: Shipping Method", DefaultValue::OPTIONS),
        open_choice("address2_addresstypecode", "Address 2: Address Type", DefaultValue::OPTIONS),
        open_choice("address2_shippingmethodcode", "Address 2: Shipping Method", DefaultValue::OPTIONS),
        id("calendarid", "Calendar"),
        id("positionid", "Position"),
        flag("defaultfilterspopulated", "Default Filters Populated").read(),
    }
}
