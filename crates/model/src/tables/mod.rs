//! The tables, one file each.

use crate::record::Entity;
use crate::table::Table;

mod account;
mod activity;
mod activity_party;
mod api_token;
mod attachment;
mod audit;
mod bulk;
mod business_unit;
mod contact;
mod delivery;
mod email;
mod email_server_profile;
mod event;
mod field_security;
mod folder;
mod help_feedback;
mod inquiry;
mod job;
mod lead;
mod ledger_entry;
mod mailbox;
mod node;
mod organization;
mod queue;
mod queue_item;
mod role;
mod sdk_message;
mod server;
mod service_endpoint;
mod settlement;
mod sharing;
mod sign_in;
mod states;
mod system_user;
mod team;
mod test_step;
mod trace_log;
mod user_settings;
mod view;
mod work_item;

pub use account::*;
pub use activity::*;
pub use activity_party::*;
pub use api_token::*;
pub use attachment::*;
pub use audit::*;
pub use bulk::*;
pub use business_unit::*;
pub use contact::*;
pub use delivery::*;
pub use email::*;
pub use email_server_profile::*;
pub use event::*;
pub use field_security::*;
pub use folder::*;
pub use help_feedback::*;
pub use inquiry::*;
pub use job::*;
pub use lead::*;
pub use ledger_entry::*;
pub use mailbox::*;
pub use node::*;
pub use organization::*;
pub use queue::*;
pub use queue_item::*;
pub use role::*;
pub use sdk_message::*;
pub use server::*;
pub use service_endpoint::*;
pub use settlement::*;
pub use sharing::*;
pub use sign_in::*;
pub use states::*;
pub use system_user::*;
pub use team::*;
pub use test_step::*;
pub use trace_log::*;
pub use user_settings::*;
pub use view::*;
pub use work_item::*;

/// Every table that has rows, in an order in which a row's parents come before it.
pub static ALL: &[&Table] = &[
    Organization::TABLE,
    BusinessUnit::TABLE,
    SystemUser::TABLE,
    UserSettings::TABLE,
    Team::TABLE,
    TeamMembership::TABLE,
    Role::TABLE,
    Privilege::TABLE,
    RolePrivilege::TABLE,
    UserRole::TABLE,
    TeamRole::TABLE,
    FieldSecurityProfile::TABLE,
    FieldPermission::TABLE,
    UserProfile::TABLE,
    TeamProfile::TABLE,
    EmailServerProfile::TABLE,
    Queue::TABLE,
    Mailbox::TABLE,
    Account::TABLE,
    Contact::TABLE,
    Lead::TABLE,
    Email::TABLE,
    ActivityParty::TABLE,
    Attachment::TABLE,
    QueueItem::TABLE,
    SavedQuery::TABLE,
    UserQuery::TABLE,
    Sharing::TABLE,
    ServiceEndpoint::TABLE,
    SdkMessage::TABLE,
    SdkMessageFilter::TABLE,
    ProcessingStep::TABLE,
    Event::TABLE,
    TraceLog::TABLE,
    LedgerEntry::TABLE,
    WorkItem::TABLE,
    Folder::TABLE,
    Settlement::TABLE,
    TestStep::TABLE,
    Delivery::TABLE,
    Server::TABLE,
    Inquiry::TABLE,
    ApiToken::TABLE,
    Login::TABLE,
    Identity::TABLE,
    Session::TABLE,
    Ticket::TABLE,
    ClientSecret::TABLE,
    SigningKey::TABLE,
    Audit::TABLE,
    Job::TABLE,
    BulkCommand::TABLE,
    BulkRow::TABLE,
    Node::TABLE,
    NodeConnection::TABLE,
    HelpFeedback::TABLE,
];

/// The table with this logical name.
pub fn by_logical_name(name: &str) -> Option<&'static Table> {
    ALL.iter().copied().chain([ACTIVITY]).find(|t| t.logical == name)
}

/// The table with this entity set name.
pub fn by_set_name(name: &str) -> Option<&'static Table> {
    on_wire().find(|t| t.set == name)
}

/// The tables that the Web API shows.
pub fn on_wire() -> impl Iterator<Item = &'static Table> {
    ALL.iter().copied().chain([ACTIVITY]).filter(|t| t.on_wire)
}

/// The tables whose rows are activities.
pub fn activities() -> impl Iterator<Item = &'static Table> {
    ALL.iter().copied().filter(|t| t.activity)
}
