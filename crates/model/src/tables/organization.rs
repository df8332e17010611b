//! The organization: one row, the settings that hold for everybody.

use jiff::Timestamp;

use crate::table::{BLANK, Table, choice, flag, int, lookup, memo, secret, text, time};
use crate::tables::states::{ActMethod, IncomingMethod, OutgoingMethod};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum EmailConnectionChannel: "organization_emailconnectionchannel" {
        ServerSide = 0 "Server-Side Synchronization",
        EmailRouter = 1 "Microsoft Dynamics 365 Email Router",
    }
}
option_set! {
    pub enum FullNameConvention: "organization_fullnameconventioncode" {
        LastFirst = 0 "Last Name, First Name",
        FirstLast = 1 "First Name",
        LastFirstMiddleInitial = 2 "Last Name, First Name, Middle Initial",
        FirstMiddleInitialLast = 3 "First Name, Middle Initial, Last Name",
        LastFirstMiddle = 4 "Last Name, First Name, Middle Name",
        FirstMiddleLast = 5 "First Name, Middle Name, Last Name",
        LastSpaceFirst = 6 "Last Name, space, First Name",
        LastNoSpaceFirst = 7 "Last Name, no space, First Name",
    }
}
option_set! {
    pub enum BackupSchedule: "pr_backupschedule" { Never = 0 "Never", Daily = 1 "Every day", Weekly = 2 "Every week" }
}
option_set! {
    /// As .NET counts them.
    pub enum BackupDay: "pr_backupday" {
        Sunday = 0 "Sunday",
        Monday = 1 "Monday",
        Tuesday = 2 "Tuesday",
        Wednesday = 3 "Wednesday",
        Thursday = 4 "Thursday",
        Friday = 5 "Friday",
        Saturday = 6 "Saturday",
    }
}

table! {
    pub struct Organization, OrganizationColumns: Table {
        logical: "organization", set: "organizations", schema: "Organization",
        id: "organizationid", name: Some("name"), code: 1019, ..BLANK
    }; {
        name: String = text("name", "Organization Name", 160).required(),
        /// Approval switches: an unapproved address blocks both directions.
        require_user_approval: bool = flag("requireapprovalforuseremail", "Process emails only for approved users").yes(),
        require_queue_approval: bool = flag("requireapprovalforqueueemail", "Process emails only for approved queues").yes(),
        /// `RequirePrivilegeToSelfApproveEmailAddress` of the reference product's OrgDB settings.
        require_privilege_for_own: bool = flag("pr_requireprivilegetoselfapprove", "Require the approval privilege for one's own address"),
        default_profile: Option<Ref> = lookup("defaultemailserverprofileid", "Email Server Profile", &["emailserverprofile"]),
        /// The methods of new users' and queues' mailboxes. Dataverse packs
        /// them into the XML of `defaultemailsettings`; here they are columns.
        default_incoming: IncomingMethod = choice("pr_defaultincomingmethod", "Default Incoming Email", IncomingMethod::OPTIONS).or(2),
        default_outgoing: OutgoingMethod = choice("pr_defaultoutgoingmethod", "Default Outgoing Email", OutgoingMethod::OPTIONS).or(2),
        default_act: ActMethod = choice("pr_defaultactmethod", "Default Appointments, Contacts, and Tasks", ActMethod::OPTIONS).or(2),
        create_mailboxes: bool = flag("pr_createmailboxes", "Create mailboxes with users and queues").yes(),
        correlation: bool = flag("emailcorrelationenabled", "Use correlation to track email conversations").yes(),
        tracking_tokens: bool = flag("pr_usetrackingtokens", "Use tracking tokens").yes(),
        /// The current prefix first, then earlier ones, separated by `;`.
        tracking_prefix: String = text("trackingprefix", "Tracking Token Prefix", 256),
        ignore_internal: bool = flag("ignoreinternalemail", "Ignore email sent between CRM users"),
        unresolve_if_multiple: bool = flag("unresolveemailaddressifmultiplematch", "Leave ambiguous recipients unresolved"),
        allow_unresolved_on_send: bool = flag("allowunresolvedpartiesonemailsend", "Allow messages with unresolved email recipients to be sent"),
        max_upload: i64 = int("maxuploadfilesize", "Maximum file size for attachments (bytes)", 0, 134_217_728).or(5_242_880),
        blocked_attachments: String = memo("blockedattachments", "Blocked Attachments"),
        alert_errors: bool = flag("generatealertsforerrors", "Alerts for errors").yes(),
        alert_warnings: bool = flag("generatealertsforwarnings", "Alerts for warnings"),
        alert_information: bool = flag("generatealertsforinformation", "Alerts for information").yes(),
        notify_owner: bool = flag("notifymailboxownerofemailserverlevelalerts", "Notify mailbox owner"),
        channel: EmailConnectionChannel = choice("emailconnectionchannel", "Process Email Using", EmailConnectionChannel::OPTIONS),
        full_name: FullNameConvention = choice("fullnameconventioncode", "Full Name Format", FullNameConvention::OPTIONS).or(1),
        /// How long deleted rows are remembered for those who follow changes.
        tracking_days: i64 = int("expirechangetrackingindays", "Days to Keep Change Tracking", 0, 365).or(30),
        /// After so long the ledger forgets what a message was about; 0: never.
        ledger_days: i64 = int("pr_ledgerretentiondays", "Days to Keep Details in the Ledger", 0, 36_500).or(0),
        /// After so long alerts that nobody touched go; 0: never.
        alert_days: i64 = int("pr_alertretentiondays", "Days to Keep Alerts", 0, 36_500).or(0),
        /// After so long rows of the audit trail go; 0: never. See `rules::retention`.
        audit_days: i64 = int("pr_auditretentiondays", "Days to Keep the Audit Trail", 0, 36_500).or(0),
        backup_schedule: BackupSchedule = choice("pr_backupschedule", "Scheduled Backups", BackupSchedule::OPTIONS),
        backup_hour: i64 = int("pr_backuphour", "Backup Hour", 0, 23).or(2),
        /// Of a weekly one.
        backup_day: BackupDay = choice("pr_backupday", "Backup Day", BackupDay::OPTIONS),
        /// The zone in which the hour is meant, as in [`crate::time_zone`]; UTC.
        backup_zone: i64 = int("pr_backuptimezonecode", "Backup Time Zone", 0, 100_000).or(92),
        /// So many of those that the schedule made are kept.
        backup_keep: i64 = int("pr_backupkeep", "Backups to Keep", 1, 365).or(7),
        /// When the schedule was last changed: it does not mean what was before.
        backup_since: Option<Timestamp> = time("pr_backupsince", "Backups Scheduled Since").read(),
        /// The machine's own account: creates what arrives.
        system_user: Option<Ref> = lookup("pr_systemuserid", "System Account", &["systemuser"]).read(),
    } also {
        // Signs tracking tokens and our Message-IDs; base64 of 32 random bytes, sealed.
        secret("pr_signingkey", "Signing Key", 100, "pr_issigningkeyset").internal(),
        flag("pr_issigningkeyset", "Signing Key Set").read(),
        memo("defaultemailsettings", "Default Email Settings"),
        flag("enablesmartmatching", "Use smart matching"),
        text("hashfilterkeywords", "Hash Filter Keywords", 4000),
        int("hashmaxcount", "Maximum Hash Count", 0, 1000).or(20),
        int("hashdeltasubjectcount", "Hash Delta Subject Count", 0, 1000).or(0),
        int("hashminaddresscount", "Minimum Recipients", 0, 1000).or(2),
        int("trackingtokenidbase", "Base Tracking Number", 0, 2_147_483_647).or(0),
        int("trackingtokeniddigits", "Digits for User Numbers", 1, 10).or(3),
        int("maximumtrackingnumber", "Maximum Tracking Number", 0, 999_999_999).or(999),
        int("nexttrackingnumber", "Next Tracking Number", 0, 999_999_999).or(1),
        flag("rendersecureiframeforemail", "Use secure frames to restrict email message content").yes(),
        flag("resolvesimilarunresolvedemailaddress", "Apply same email address to all unresolved matches").yes(),
        flag("isfolderbasedtrackingenabled", "Use folder-level tracking").yes(),
        int("maxfolderbasedtrackingmappings", "Maximum Folder Tracking Rules", 0, 100).or(25),
        int("languagecode", "Language", 0, 65_535).or(1033).read(),
        int("localeid", "Locale", 0, 65_535).or(1033),
        flag("allowautounsubscribe", "Allow Automatic Unsubscribe"),
        flag("allowoutlookscheduledsyncs", "Allow Scheduled Synchronization").yes(),
        text("defaultcountrycode", "Default Country/Region Code", 30),
        int("emailsendpollingperiod", "Email Send Polling Frequency", 0, 2_147_483_647),
        time("fiscalcalendarstart", "Fiscal Calendar Start"),
        int("futureexpansionwindow", "Future Expansion Window", 1, 140),
        int("pastexpansionwindow", "Past Expansion Window", 1, 120),
        flag("globalappendurlparametersenabled", "Append URL Parameters").yes(),
        int("incomingemailexchangeemailretrievalbatchsize", "Exchange Email Retrieval Batch Size", 0, 2_147_483_647),
        flag("isappointmentattachmentsyncenabled", "Synchronize Appointment Attachments"),
        flag("isassignedtaskssyncenabled", "Synchronize Assigned Tasks"),
        flag("isautodatacaptureenabled", "Auto Capture"),
        flag("iscontactmailingaddresssyncenabled", "Synchronize Mailing Address Only for Contacts"),
        flag("isemailserverprofilecontentfilteringenabled", "Email Server Profile Content Filtering"),
        flag("ismailboxforcedunlockingenabled", "Mailbox Forced Unlocking"),
        flag("ismailboxinactivebackoffenabled", "Mailbox Inactive Back-off"),
        flag("isresourcebookingexchangesyncenabled", "Synchronize Resource Bookings with Outlook"),
        int("mailboxintermittentissueminrange", "Lower Threshold for Mailbox Intermittent Issue", 0, 2_147_483_647),
        int("mailboxpermanentissueminrange", "Lower Threshold for Mailbox Permanent Issue", 0, 2_147_483_647),
        int("maxappointmentdurationdays", "Maximum Appointment Duration (Days)", 0, 2_147_483_647),
        int("maxverboseloggingmailbox", "Maximum Mailboxes for Verbose Logging", 0, 2_147_483_647).read(),
        int("maxverboseloggingsynccycles", "Maximum Sync Cycles for Verbose Logging", 0, 2_147_483_647).read(),
        int("minoutlooksyncinterval", "Minimum Synchronization Interval", 0, 2_147_483_647),
        int("recurrencedefaultnumberofoccurrences", "Recurrence Default Number of Occurrences", 1, 999),
        int("recurrenceexpansionjobbatchinterval", "Recurrence Expansion Job Batch Interval", 0, 2_147_483_647),
        int("recurrenceexpansionjobbatchsize", "Recurrence Expansion On Demand Job Batch Size", 0, 2_147_483_647),
        int("recurrenceexpansionsynchcreatemax", "Recurrence Expansion Synchronous Create Maximum", 1, 1000),
        int("tagmaxaggressivecycles", "Maximum Aggressive Tagging Cycles", 0, 2_147_483_647),
        int("tagpollingperiod", "Tag Polling Frequency", 0, 2_147_483_647),
    }
}
