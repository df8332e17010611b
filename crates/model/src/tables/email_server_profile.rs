//! Email server profiles: where the servers are and how to talk to them.

use jiff::Timestamp;

use crate::table::{
    BLANK, Child, Ownership, Table, bigint, choice, email, flag, id, int, key, lookup, memo, open_choice, secret, text,
    time,
};
use crate::tables::states::{State, Status};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum ServerType: "emailserverprofile_servertype" {
        ImapSmtp = 4 "IMAP/SMTP",
        Exchange = 0 "Exchange Server",
        Pop3Smtp = 1 "Other (POP3/SMTP)",
        ExchangeHybrid = 2 "Exchange Server (Hybrid)",
        ExchangeOnline = 3 "Exchange Online (Hybrid)",
    }
}
option_set! {
    pub enum AuthenticationProtocol: "emailserverprofile_authenticationprotocol" {
        AutoDetect = 0 "Auto Detect",
        Negotiate = 1 "Negotiate",
        Ntlm = 2 "NTLM",
        Basic = 3 "Basic",
        OAuth = 4 "OAuth",
    }
}
option_set! {
    /// Authenticate Using.
    pub enum CredentialRetrieval: "emailserverprofile_credentialretrieval" {
        UserOrQueue = 0 "Credentials Specified by a User or Queue",
        Profile = 1 "Credentials Specified in Email Server Profile",
        ServerToServer = 2 "Server to Server Authentication",
        WindowsIntegrated = 3 "Windows Integrated Authentication",
        Anonymous = 4 "Without Credentials (Anonymous)",
        GmailOAuth = 5 "Gmail OAuth",
        HybridModern = 6 "Exchange Hybrid Modern Auth (HMA)",
        DirectoryOAuth = 7 "Azure Active Directory OAuth",
    }
}
option_set! {
    pub enum ExchangeVersion: "emailserverprofile_exchangeversion" {
        Exchange2007 = 0 "Exchange 2007",
        Exchange2007Sp1 = 1 "Exchange 2007 SP1",
        Exchange2010 = 2 "Exchange 2010",
        Exchange2010Sp1 = 3 "Exchange 2010 SP1",
        Exchange2010Sp2 = 4 "Exchange 2010 SP2",
        Exchange2013 = 5 "Exchange 2013",
    }
}
option_set! {
    pub enum TestExecution: "emailserverprofile_lasttestexecutionstatus" {
        Failure = 0 "Failure",
        Success = 1 "Success",
        Warning = 2 "Warning",
    }
}

option_set! {
    pub enum TestOutcome: "emailserverprofile_lasttestvalidationstatus" { Failure = 0 "Failure", Success = 1 "Success" }
}

table! {
    pub struct EmailServerProfile, EmailServerProfileColumns: Table {
        logical: "emailserverprofile", set: "emailserverprofiles", schema: "EmailServerProfile",
        id: "emailserverprofileid", name: Some("name"), code: 9605, ownership: Ownership::UserOrTeam,
        children: &[
            Child { nav: "emailserverprofile_mailbox", table: "mailbox", column: "emailserverprofile" },
            Child { nav: "tracelog_EmailServerProfile", table: "tracelog", column: "regardingobjectid" },
        ],
        keys: &[key(&["name"], "Name")], tracked: true, ..BLANK
    }; {
        name: String = text("name", "Name", 100).required(),
        owner: Option<Ref> = lookup("ownerid", "Owner", &["systemuser", "team"]),
        server_type: ServerType = choice("servertype", "Email Server Type", ServerType::OPTIONS).required(),
        auto_discover: bool = flag("useautodiscover", "Auto Discover Server Location"),
        incoming_location: String = text("incomingserverlocation", "Incoming Server Location", 2084),
        outgoing_location: String = text("outgoingserverlocation", "Outgoing Server Location", 2084),
        incoming_port: Option<i64> = int("incomingportnumber", "Incoming Port", 0, 65_536),
        outgoing_port: Option<i64> = int("outgoingportnumber", "Outgoing Port", 0, 65_536),
        incoming_ssl: bool = flag("incomingusessl", "Use SSL for Incoming Connection").yes(),
        outgoing_ssl: bool = flag("outgoingusessl", "Use SSL for Outgoing Connection").yes(),
        incoming_protocol: AuthenticationProtocol = choice("incomingauthenticationprotocol", "Incoming Authentication Protocol", AuthenticationProtocol::OPTIONS),
        outgoing_protocol: AuthenticationProtocol = choice("outgoingauthenticationprotocol", "Outgoing Authentication Protocol", AuthenticationProtocol::OPTIONS),
        incoming_credentials: CredentialRetrieval = choice("incomingcredentialretrieval", "Incoming: Authenticate Using", CredentialRetrieval::OPTIONS),
        outgoing_credentials: CredentialRetrieval = choice("outgoingcredentialretrieval", "Outgoing: Authenticate Using", CredentialRetrieval::OPTIONS),
        incoming_user: String = text("incomingusername", "Incoming User Name", 250),
        outgoing_user: String = text("outgoingusername", "Outgoing User Name", 250),
        incoming_password_set: bool = flag("isincomingpasswordset", "Incoming Password Set").read(),
        outgoing_password_set: bool = flag("isoutgoingpasswordset", "Outgoing Password Set").read(),
        incoming_impersonation: bool = flag("incominguseimpersonation", "Use Impersonation for Incoming"),
        outgoing_impersonation: bool = flag("outgoinguseimpersonation", "Use Impersonation for Outgoing"),
        delegate_access: bool = flag("outgoingautograntdelegateaccess", "Auto Grant Delegate Access for Outgoing Email"),
        same_outgoing: bool = flag("usesamesettingsforoutgoingconnections", "Use Same Settings for Outgoing").yes(),
        process_after: Option<Timestamp> = time("processemailsreceivedafter", "Process Emails Received After"),
        /// 0: as often as is sensible.
        polling_minutes: i64 = int("minpollingintervalinminutes", "Minimum Polling Interval In Minutes", 0, 1440).or(0),
        max_connections: i64 = int("maxconcurrentconnections", "Maximum Concurrent Connections", 1, 300).or(10),
        limit_connect_time: bool = flag("timeoutmailboxconnection", "Timeout Mailbox Connection").yes(),
        /// Milliseconds for opening a connection, TLS included.
        connect_timeout: i64 = int("timeoutmailboxconnectionafteramount", "Timeout Mailbox Connection After This Amount of Milliseconds", 0, 100_000).or(30_000),
        /// Milliseconds that a server may take to answer one command.
        command_timeout: i64 = int("pr_commandtimeout", "Timeout Command After This Amount of Milliseconds", 1_000, 3_600_000).or(120_000),
        move_undelivered: bool = flag("moveundeliveredemails", "Move Failed Emails to Undeliverable Folder"),
        send_alert: bool = flag("sendemailalert", "Send an alert email to the owner reporting on major events"),
        owner_address: String = email("owneremailaddress", "Owner Email Address", 100),
        state: State = choice("statecode", "Status", State::OPTIONS),
        status: Status = choice("statuscode", "Status Reason", Status::OPTIONS),
    } also {
        secret("incomingpassword", "Incoming Password", 250, "isincomingpasswordset"),
        secret("outgoingpassword", "Outgoing Password", 250, "isoutgoingpasswordset"),
        secret("oauthclientsecret", "OAuth Client Secret", 1024, "isoauthclientsecretset"),
        flag("isoauthclientsecretset", "OAuth Client Secret Set").read(),
        text("oauthclientid", "OAuth Client ID", 1024),
        text("aadresourceid", "Directory Resource ID", 1024),
        memo("description", "Description"),
        text("emailservertypename", "Email Server Type Name", 250).read(),
        text("defaultserverlocation", "Default Server Location", 2084),
        text("encodingcodepage", "Encoding Code Page", 100),
        open_choice("exchangeversion", "Exchange Version", ExchangeVersion::OPTIONS),
        flag("usedefaulttenantid", "Use Default Tenant ID").yes(),
        text("exchangeonlinetenantid", "Exchange Online Tenant ID", 36),
        open_choice("lasttestexecutionstatus", "Last Test Execution Status", TestExecution::OPTIONS),
        time("lastteststarttime", "Last Test Start Time"),
        memo("lasttestrequest", "Last Test Request"),
        memo("lasttestresponse", "Last Test Response"),
        memo("lastcrmmessage", "Last CRM Message"),
        open_choice("lasttestvalidationstatus", "Last Test Validation Status", TestOutcome::OPTIONS),
        open_choice("lastauthorizationstatus", "Last Authorization Status", TestOutcome::OPTIONS),
        bigint("lasttesttotalexecutiontime", "Last Test Total Execution Time"),
        id("keyvaultreferenceid", "Key Vault Reference"),
        id("managedidentityid", "Managed Identity"),
        id("incomingpartnerapplication", "Incoming Partner Application").read(),
        id("outgoingpartnerapplication", "Outgoing Partner Application").read(),
    }
}
