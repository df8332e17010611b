//! Which views there are from the start.

use model::Entity;
use model::tables::{
    Account, ApiToken, Audit, BusinessUnit, Contact, Email, EmailServerProfile, FieldSecurityProfile, Lead,
    LedgerEntry, Mailbox, Queue, QueueItem, Role, ServiceEndpoint, SystemUser, Team, TraceLog,
};

use super::{Group, Ready};

const fn view(name: &'static str, conditions: &'static str) -> Ready {
    Ready { name, conditions, is_default: false, first_order: "", link: "" }
}

/// The one that the list opens with.
const fn default(name: &'static str, conditions: &'static str) -> Ready {
    Ready { is_default: true, ..view(name, conditions) }
}

const ACTIVE: &str = r#"<condition attribute="statecode" operator="eq" value="0" />"#;
const INACTIVE: &str = r#"<condition attribute="statecode" operator="eq" value="1" />"#;
const MINE: &str = r#"<condition attribute="ownerid" operator="eq-userid" />"#;
const MY_ACTIVE: &str = r#"<condition attribute="ownerid" operator="eq-userid" /><condition attribute="statecode" operator="eq" value="0" />"#;
const MY_OR_MY_TEAMS: &str = r#"<condition attribute="ownerid" operator="eq-useroruserteams" /><condition attribute="statecode" operator="eq" value="0" />"#;

const MAILBOX_COLUMNS: &[(&str, u16)] = &[
    ("name", 200),
    ("emailaddress", 220),
    ("regardingobjectid", 160),
    ("emailserverprofile", 160),
    ("emailrouteraccessapproval", 130),
    ("incomingemailstatus", 120),
    ("outgoingemailstatus", 120),
    ("ownerid", 150),
    ("statuscode", 100),
];

pub(super) static GROUPS: &[Group] = &[
    Group {
        release: 1,
        table: Mailbox::TABLE,
        columns: MAILBOX_COLUMNS,
        order: ("name", false),
        views: &[
            default("My Active Mailboxes", MY_ACTIVE),
            view("Active Mailboxes", ACTIVE),
            view("Inactive Mailboxes", INACTIVE),
            view(
                "Mailboxes Pending Approval",
                r#"<condition attribute="emailrouteraccessapproval" operator="eq" value="2" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view(
                "Rejected Mailboxes",
                r#"<condition attribute="emailrouteraccessapproval" operator="eq" value="3" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view(
                "Active Mailboxes Not Tested",
                r#"<condition attribute="mailboxstatus" operator="eq" value="0" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view(
                "Mailboxes with Failed Tests",
                r#"<filter type="or"><condition attribute="mailboxstatus" operator="eq" value="2" /><condition attribute="incomingemailstatus" operator="eq" value="2" /><condition attribute="outgoingemailstatus" operator="eq" value="2" /></filter><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view(
                "Mailboxes Disabled for Email",
                r#"<condition attribute="enabledforincomingemail" operator="eq" value="0" /><condition attribute="enabledforoutgoingemail" operator="eq" value="0" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view("Forward Mailboxes", r#"<condition attribute="isforwardmailbox" operator="eq" value="1" />"#),
            view(
                "Mailboxes Without Profile",
                r#"<condition attribute="emailserverprofile" operator="null" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
        ],
    },
    Group {
        release: 1,
        table: EmailServerProfile::TABLE,
        columns: &[("name", 260), ("servertype", 200), ("ownerid", 180), ("statuscode", 120)],
        order: ("name", false),
        views: &[default("Active Email Server Profiles", ACTIVE), view("Inactive Email Server Profiles", INACTIVE)],
    },
    Group {
        release: 2,
        table: Mailbox::TABLE,
        columns: MAILBOX_COLUMNS,
        order: ("name", false),
        views: &[Ready {
            first_order: r#"<order entityname="profile" attribute="name" descending="false" />"#,
            link: r#"<link-entity name="emailserverprofile" from="emailserverprofileid" to="emailserverprofile" alias="profile" link-type="outer" />"#,
            ..view("Active Mailboxes by Server Profile", ACTIVE)
        }],
    },
    Group {
        release: 2,
        table: TraceLog::TABLE,
        columns: &[
            ("level", 110),
            ("text", 480),
            ("regardingobjectid", 180),
            ("pr_occurrences", 110),
            ("modifiedon", 150),
        ],
        order: ("modifiedon", true),
        views: &[
            default("All Alerts", ""),
            view("Errors", r#"<condition attribute="level" operator="eq" value="3" />"#),
            view("Warnings", r#"<condition attribute="level" operator="eq" value="2" />"#),
            view("Information", r#"<condition attribute="level" operator="eq" value="1" />"#),
            view("My Alerts", r#"<condition attribute="regardingobjectownerid" operator="eq-userid" />"#),
        ],
    },
    Group {
        release: 2,
        table: Queue::TABLE,
        columns: &[
            ("name", 220),
            ("emailaddress", 220),
            ("queueviewtype", 100),
            ("incomingemailfilteringmethod", 240),
            ("emailrouteraccessapproval", 140),
            ("ownerid", 160),
        ],
        order: ("name", false),
        views: &[
            default("Active Queues", ACTIVE),
            view("My Queues", MY_OR_MY_TEAMS),
            view(
                "Public Queues",
                r#"<condition attribute="queueviewtype" operator="eq" value="0" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view(
                "Private Queues",
                r#"<condition attribute="queueviewtype" operator="eq" value="1" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view("Inactive Queues", INACTIVE),
        ],
    },
    Group {
        release: 2,
        table: QueueItem::TABLE,
        columns: &[("title", 320), ("sender", 200), ("queueid", 160), ("workerid", 160), ("enteredon", 150)],
        order: ("enteredon", true),
        views: &[
            default("All Items", ACTIVE),
            view(
                "Items I Am Working On",
                r#"<condition attribute="workerid" operator="eq-userid" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view(
                "Items Available to Work On",
                r#"<condition attribute="workerid" operator="null" /><condition attribute="statecode" operator="eq" value="0" />"#,
            ),
            view("Completed Items", INACTIVE),
        ],
    },
    Group {
        release: 2,
        table: Email::TABLE,
        columns: &[
            ("subject", 320),
            ("sender", 190),
            ("torecipients", 190),
            ("regardingobjectid", 160),
            ("statuscode", 120),
            ("sortdate", 150),
        ],
        order: ("sortdate", true),
        views: &[
            default("My Activities", MINE),
            view(
                "My Received Emails",
                r#"<condition attribute="ownerid" operator="eq-userid" /><condition attribute="statuscode" operator="eq" value="4" />"#,
            ),
            view(
                "My Sent Emails",
                r#"<condition attribute="ownerid" operator="eq-userid" /><condition attribute="statuscode" operator="eq" value="3" />"#,
            ),
            view(
                "My Draft Emails",
                r#"<condition attribute="ownerid" operator="eq-userid" /><condition attribute="statuscode" operator="eq" value="1" />"#,
            ),
            view("My Teams' Emails", r#"<condition attribute="ownerid" operator="eq-userteams" />"#),
            view("All Emails", ""),
            view("Received Emails", r#"<condition attribute="statuscode" operator="eq" value="4" />"#),
            view("Sent Emails", r#"<condition attribute="statuscode" operator="eq" value="3" />"#),
            view(
                "Emails Pending Send",
                r#"<condition attribute="statuscode" operator="in"><value>6</value><value>7</value></condition>"#,
            ),
            view("Failed Emails", r#"<condition attribute="statuscode" operator="eq" value="8" />"#),
        ],
    },
    Group {
        release: 2,
        table: Contact::TABLE,
        columns: &[
            ("fullname", 220),
            ("emailaddress1", 220),
            ("parentcustomerid", 180),
            ("telephone1", 140),
            ("ownerid", 160),
        ],
        order: ("fullname", false),
        views: &[
            default("My Active Contacts", MY_ACTIVE),
            view("Active Contacts", ACTIVE),
            view("Inactive Contacts", INACTIVE),
        ],
    },
    Group {
        release: 2,
        table: Account::TABLE,
        columns: &[
            ("name", 240),
            ("emailaddress1", 220),
            ("telephone1", 140),
            ("primarycontactid", 180),
            ("ownerid", 160),
        ],
        order: ("name", false),
        views: &[
            default("My Active Accounts", MY_ACTIVE),
            view("Active Accounts", ACTIVE),
            view("Inactive Accounts", INACTIVE),
        ],
    },
    Group {
        release: 2,
        table: Lead::TABLE,
        columns: &[
            ("fullname", 200),
            ("subject", 240),
            ("companyname", 180),
            ("emailaddress1", 200),
            ("statuscode", 120),
            ("ownerid", 160),
        ],
        order: ("fullname", false),
        views: &[
            default("My Open Leads", MY_ACTIVE),
            view("Open Leads", ACTIVE),
            view(
                "Closed Leads",
                r#"<condition attribute="statecode" operator="in"><value>1</value><value>2</value></condition>"#,
            ),
            view("All Leads", ""),
        ],
    },
    Group {
        release: 2,
        table: SystemUser::TABLE,
        columns: &[
            ("fullname", 200),
            ("domainname", 220),
            ("internalemailaddress", 220),
            ("businessunitid", 160),
            ("emailrouteraccessapproval", 140),
            ("accessmode", 140),
        ],
        order: ("fullname", false),
        views: &[
            default("Enabled Users", r#"<condition attribute="isdisabled" operator="eq" value="0" />"#),
            view("Disabled Users", r#"<condition attribute="isdisabled" operator="eq" value="1" />"#),
            view(
                "Users Pending Email Approval",
                r#"<condition attribute="emailrouteraccessapproval" operator="eq" value="2" /><condition attribute="isdisabled" operator="eq" value="0" />"#,
            ),
        ],
    },
    Group {
        release: 2,
        table: Team::TABLE,
        columns: &[("name", 240), ("businessunitid", 200), ("teamtype", 140), ("administratorid", 200)],
        order: ("name", false),
        views: &[
            default("All Teams", ""),
            view("Owner Teams", r#"<condition attribute="teamtype" operator="eq" value="0" />"#),
        ],
    },
    Group {
        release: 2,
        table: Role::TABLE,
        columns: &[("name", 240), ("businessunitid", 200), ("ismanaged", 120), ("description", 400)],
        order: ("name", false),
        views: &[
            default("All Roles", ""),
            view("Own Roles", r#"<condition attribute="ismanaged" operator="eq" value="0" />"#),
        ],
    },
    Group {
        release: 2,
        table: BusinessUnit::TABLE,
        columns: &[("name", 240), ("parentbusinessunitid", 220), ("emailaddress", 200), ("isdisabled", 120)],
        order: ("name", false),
        views: &[
            default("Active Business Units", r#"<condition attribute="isdisabled" operator="eq" value="0" />"#),
            view("Inactive Business Units", r#"<condition attribute="isdisabled" operator="eq" value="1" />"#),
        ],
    },
    Group {
        release: 2,
        table: FieldSecurityProfile::TABLE,
        columns: &[("name", 260), ("description", 400)],
        order: ("name", false),
        views: &[default("All Field Security Profiles", "")],
    },
    Group {
        release: 2,
        table: ApiToken::TABLE,
        columns: &[
            ("pr_name", 220),
            ("pr_systemuserid", 200),
            ("pr_scopes", 200),
            ("pr_expireson", 150),
            ("pr_lastusedon", 150),
        ],
        order: ("pr_name", false),
        views: &[
            default("All Tokens", ""),
            view("My Tokens", r#"<condition attribute="pr_systemuserid" operator="eq-userid" />"#),
        ],
    },
    Group {
        release: 2,
        table: ServiceEndpoint::TABLE,
        columns: &[("name", 240), ("url", 360)],
        order: ("name", false),
        views: &[default("All Webhooks", "")],
    },
    Group {
        release: 2,
        table: Audit::TABLE,
        columns: &[
            ("pr_at", 150),
            ("pr_systemuserid", 180),
            ("pr_action", 120),
            ("pr_table", 150),
            ("pr_door", 110),
            ("pr_remoteaddress", 150),
        ],
        order: ("pr_at", true),
        views: &[
            default("All Entries", ""),
            view("My Entries", r#"<condition attribute="pr_systemuserid" operator="eq-userid" />"#),
            view("Sign-Ins", r#"<condition attribute="pr_door" operator="eq" value="sign-in" />"#),
            view(
                "Approvals and Tests",
                r#"<condition attribute="pr_action" operator="in"><value>approve</value><value>reject</value><value>test</value></condition>"#,
            ),
            view("Deletions", r#"<condition attribute="pr_action" operator="eq" value="delete" />"#),
        ],
    },
    Group {
        release: 2,
        table: LedgerEntry::TABLE,
        columns: &[
            ("pr_subject", 300),
            ("pr_from", 200),
            ("pr_disposition", 200),
            ("pr_mailboxid", 180),
            ("pr_activityid", 200),
            ("pr_seenon", 150),
        ],
        order: ("pr_seenon", true),
        views: &[
            default("All Messages", ""),
            view("Tracked Messages", r#"<condition attribute="pr_disposition" operator="eq" value="1" />"#),
            view(
                "Messages Not Tracked",
                r#"<condition attribute="pr_disposition" operator="in"><value>3</value><value>4</value><value>5</value><value>6</value></condition>"#,
            ),
            view(
                "Failed Messages",
                r#"<condition attribute="pr_disposition" operator="in"><value>0</value><value>9</value><value>10</value></condition>"#,
            ),
            view("Nobody's Mail", r#"<condition attribute="pr_disposition" operator="eq" value="8" />"#),
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_default_a_table_and_no_name_twice() {
        let mut names = BTreeSet::new();
        let mut defaults = BTreeSet::new();
        for group in GROUPS {
            for view in group.views {
                assert!(names.insert((group.table.logical, view.name)), "{}", view.name);
                assert!(!view.is_default || defaults.insert(group.table.logical), "{}", view.name);
            }
        }
        let tables: BTreeSet<&str> = GROUPS.iter().map(|g| g.table.logical).collect();
        assert_eq!(tables, defaults);
    }

    #[test]
    fn columns_are_there() {
        for group in GROUPS {
            for name in group.columns.iter().map(|(name, _)| *name).chain([group.order.0]) {
                assert!(group.table.column(name).is_some(), "{} of {}", name, group.table.logical);
            }
        }
    }
}
