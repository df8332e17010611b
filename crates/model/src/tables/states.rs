//! Option sets that several tables share.

use crate::option_set;

option_set! {
    /// State of most tables.
    pub enum State: "statecode" { Active = 0 "Active", Inactive = 1 "Inactive" }
}
option_set! {
    /// Status of most tables.
    pub enum Status: "statuscode" { Active = 1 "Active" in 0, Inactive = 2 "Inactive" in 1 }
}
option_set! {
    /// `emailrouteraccessapproval` of users, queues and mailboxes.
    pub enum Approval: "emailrouteraccessapproval" {
        Empty = 0 "Empty",
        Approved = 1 "Approved",
        Pending = 2 "Pending Approval",
        Rejected = 3 "Rejected",
    }
}
option_set! {
    pub enum IncomingMethod: "incomingemaildeliverymethod" {
        None = 0 "None",
        Outlook = 1 "Microsoft Dynamics 365 for Outlook",
        ServerSide = 2 "Server-Side Synchronization or Email Router",
        ForwardMailbox = 3 "Forward Mailbox",
    }
}
option_set! {
    pub enum OutgoingMethod: "outgoingemaildeliverymethod" {
        None = 0 "None",
        Outlook = 1 "Microsoft Dynamics 365 for Outlook",
        ServerSide = 2 "Server-Side Synchronization or Email Router",
    }
}
option_set! {
    /// Appointments, contacts and tasks. Mind the numbering: None is 2 here.
    pub enum ActMethod: "actdeliverymethod" {
        Outlook = 0 "Microsoft Dynamics 365 for Outlook",
        ServerSide = 1 "Server-Side Synchronization",
        None = 2 "None",
    }
}
option_set! {
    /// Result of a configuration test.
    pub enum TestStatus: "mailboxteststatus" { NotRun = 0 "Not Run", Success = 1 "Success", Failure = 2 "Failure" }
}
option_set! {
    /// Which incoming email becomes an activity (users' and queues' filter).
    pub enum IncomingFilter: "incomingemailfilteringmethod" {
        All = 0 "All email messages",
        Responses = 1 "Email messages in response to Dynamics 365 email",
        LeadsContactsAccounts = 2 "Email messages from Dynamics 365 Leads, Contacts and Accounts",
        EmailEnabled = 3 "Email messages from Dynamics 365 records that are email enabled",
        None = 4 "No email messages",
    }
}
option_set! {
    pub enum Priority: "prioritycode" { Normal = 1 "Normal", Low = 0 "Low", High = 2 "High" }
}
option_set! {
    /// Of columns that have one option until somebody adds more.
    pub enum DefaultValue: "defaultvalue" { DefaultValue = 1 "Default Value" }
}
option_set! {
    pub enum ContactMethod: "preferredcontactmethodcode" {
        Any = 1 "Any",
        Email = 2 "Email",
        Phone = 3 "Phone",
        Fax = 4 "Fax",
        Mail = 5 "Mail",
    }
}
