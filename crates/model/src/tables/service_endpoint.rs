//! Receivers of events: service endpoints, of which we serve the webhooks.

use crate::table::{BLANK, Child, Table, choice, flag, memo, secret, text};
use crate::{option_set, table};

option_set! {
    pub enum EndpointContract: "serviceendpoint_contract" {
        Webhook = 8 "Webhook",
        OneWay = 1 "One Way",
        Queue = 2 "Queue",
        Rest = 3 "Rest",
        TwoWay = 4 "Two Way",
        Topic = 5 "Topic",
        PersistentQueue = 6 "Queue (Persistent)",
        EventHub = 7 "Event Hub",
        ManagedDataLake = 9 "Managed Data Lake",
        ContainerStorage = 10 "Container Storage",
    }
}
option_set! {
    /// How the receiver knows that it is us.
    pub enum EndpointAuth: "serviceendpoint_authtype" {
        WebhookKey = 4 "Webhook Key",
        HttpHeader = 5 "Http Header",
        HttpQueryString = 6 "Http Query String",
        Acs = 1 "ACS",
        SasKey = 2 "SAS Key",
        SasToken = 3 "SAS Token",
        ConnectionString = 7 "Connection String",
        AccessKey = 8 "Access Key",
    }
}
option_set! {
    pub enum MessageFormat: "serviceendpoint_messageformat" { Json = 2 "Json", BinaryXml = 1 "Binary XML", TextXml = 3 "Text XML" }
}

table! {
    pub struct ServiceEndpoint, ServiceEndpointColumns: Table {
        logical: "serviceendpoint", set: "serviceendpoints", schema: "ServiceEndpoint", id: "serviceendpointid",
        name: Some("name"), code: 4618,
        children: &[
            Child { nav: "serviceendpoint_sdkmessageprocessingstep", table: "sdkmessageprocessingstep", column: "eventhandler" },
            Child { nav: "pr_serviceendpoint_events", table: "pr_event", column: "pr_serviceendpointid" },
        ], ..BLANK
    }; {
        name: String = text("name", "Name", 160).required(),
        contract: EndpointContract = choice("contract", "Contract", EndpointContract::OPTIONS),
        url: String = text("url", "Url", 1024).required(),
        auth: EndpointAuth = choice("authtype", "Auth Type", EndpointAuth::OPTIONS),
        format: MessageFormat = choice("messageformat", "Format", MessageFormat::OPTIONS),
        auth_value_set: bool = flag("isauthvalueset", "Auth Value Set").read(),
        signing_set: bool = flag("pr_issigningsecretset", "Signing Secret Set").read(),
        /// `No`: what happens is kept for it, and delivered once it is enabled.
        enabled: bool = flag("pr_enabled", "Enabled").yes(),
    } also {
        memo("description", "Description"),
        // A key, or headers or query parameters as `<settings><setting name="" value="" /></settings>`.
        secret("authvalue", "Auth Value", 2000, "isauthvalueset"),
        // What deliveries are signed with (HMAC-SHA256).
        secret("pr_signingsecret", "Signing Secret", 500, "pr_issigningsecretset"),
    }
}
