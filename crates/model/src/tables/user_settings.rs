//! A user's personal options. One row per user, with the user's id.

use crate::table::{BLANK, Table, choice, flag, int, lookup, memo, text, time};
use crate::tables::states::IncomingFilter;
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum Theme: "pr_theme" { System = 0 "As the device has it", Light = 1 "Light", Dark = 2 "Dark" }
}

table! {
    pub struct UserSettings, UserSettingsColumns: Table {
        logical: "usersettings", set: "usersettingscollection", schema: "UserSettings",
        id: "systemuserid", code: 150, ..BLANK
    }; {
        filter: IncomingFilter = choice("incomingemailfilteringmethod", "Track", IncomingFilter::OPTIONS).or(1),
        send_as_allowed: bool = flag("issendasallowed", "Allow other users to send email on your behalf"),
        auto_create_contact: i64 = int("autocreatecontactonpromote", "Automatically create records", 0, 2).or(0),
        /// What stands under the emails that the user writes: plain text.
        signature: String = memo("pr_signature", "Signature"),
        business_unit: Option<Ref> = lookup("businessunitid", "Business Unit", &["businessunit"]).read(),
        theme: Theme = choice("pr_theme", "Appearance", Theme::OPTIONS),
        language: Option<i64> = int("uilanguageid", "Language", 0, 2_147_483_647),
        time_zone: Option<i64> = int("timezonecode", "Time Zone", -1, 2_147_483_647),
    } also {
        int("paginglimit", "Records per Page", 1, 250).or(50),
        // Which views lists open with: `mailbox 0190…`, a line each.
        memo("pr_defaultviews", "Default Views"),
        int("timezonebias", "Time Zone Bias", -1500, 1500),
        int("localeid", "Locale", 0, 2_147_483_647),
        int("nexttrackingnumber", "Next Tracking Number", 0, 999_999_999),
        int("trackingtokenid", "Tracking Token", 0, 2_147_483_647),
        int("addressbooksyncinterval", "Address Book Sync Interval", 0, 2_147_483_647),
        int("offlinesyncinterval", "Offline Sync Interval", 0, 2_147_483_647),
        int("outlooksyncinterval", "Outlook Sync Interval", 0, 2_147_483_647),
        flag("ignoreunsolicitedemail", "Ignore Unsolicited Email"),
        flag("synccontactcompany", "Synchronize Contact's Company").yes(),
        flag("isautodatacaptureenabled", "Auto Data Capture"),
        flag("usecrmformforappointment", "CRM Form for Appointments"),
        flag("usecrmformforcontact", "CRM Form for Contacts"),
        flag("usecrmformforemail", "CRM Form for Emails"),
        flag("usecrmformfortask", "CRM Form for Tasks"),
        time("lastalertsviewedtime", "Alerts Last Viewed"),
        text("workdaystarttime", "Workday Start Time", 5),
        text("workdaystoptime", "Workday Stop Time", 5),
        // Moved to the mailbox; nothing is ever stored here.
        text("emailusername", "User Name (on the mailbox)", 200).read(),
        text("emailpassword", "Password (on the mailbox)", 200).read(),
        flag("allowemailcredentials", "Allow Credentials (on the mailbox)").read(),
        flag("isresourcebookingexchangesyncenabled", "Synchronize Resource Bookings with Outlook"),
    }
}
