//! Which events there are, and who is told of which.

use crate::table::{BLANK, Child, Table, choice, flag, int, lookup, memo, text};
use crate::value::Ref;
use crate::{option_set, table};

option_set! {
    pub enum StepStage: "sdkmessageprocessingstep_stage" {
        PostOperation = 40 "Post-operation",
        PreValidation = 10 "Pre-validation",
        PreOperation = 20 "Pre-operation",
        MainOperation = 30 "Main Operation",
    }
}
option_set! {
    pub enum StepMode: "sdkmessageprocessingstep_mode" { Asynchronous = 1 "Asynchronous", Synchronous = 0 "Synchronous" }
}
option_set! {
    pub enum StepState: "sdkmessageprocessingstep_statecode" { Enabled = 0 "Enabled", Disabled = 1 "Disabled" }
}
option_set! {
    pub enum StepStatus: "sdkmessageprocessingstep_statuscode" {
        Enabled = 1 "Enabled" in 0,
        Disabled = 2 "Disabled" in 1,
    }
}
option_set! {
    pub enum StepDeployment: "sdkmessageprocessingstep_supporteddeployment" {
        ServerOnly = 0 "Server Only",
        ClientOnly = 1 "Microsoft Dynamics 365 Client for Outlook Only",
        Both = 2 "Both",
    }
}

table! {
    /// Create, Update, Delete: made by the program.
    pub struct SdkMessage, SdkMessageColumns: Table {
        logical: "sdkmessage", set: "sdkmessages", schema: "SdkMessage", id: "sdkmessageid", name: Some("name"), code: 4606,
        children: &[
            Child { nav: "sdkmessageid_sdkmessagefilter", table: "sdkmessagefilter", column: "sdkmessageid" },
            Child { nav: "sdkmessageid_sdkmessageprocessingstep", table: "sdkmessageprocessingstep", column: "sdkmessageid" },
        ], ..BLANK
    }; {
        name: String = text("name", "SDK Message Name", 256).read(),
    } also {
        text("categoryname", "Category Name", 25).read(),
        flag("isactive", "Is Active").yes().read(),
        flag("isprivate", "Is Private").read(),
        int("availability", "Availability", 0, 255).or(0).read(),
    }
}

table! {
    /// A message on a table: made by the program.
    pub struct SdkMessageFilter, SdkMessageFilterColumns: Table {
        logical: "sdkmessagefilter", set: "sdkmessagefilters", schema: "SdkMessageFilter", id: "sdkmessagefilterid",
        name: Some("name"), code: 4607,
        children: &[
            Child { nav: "sdkmessagefilterid_sdkmessageprocessingstep", table: "sdkmessageprocessingstep", column: "sdkmessagefilterid" },
        ], ..BLANK
    }; {
        name: String = text("name", "Name", 256).read(),
        message: Option<Ref> = lookup("sdkmessageid", "SDK Message ID", &["sdkmessage"]).read(),
        /// Logical name of the table.
        table: String = text("primaryobjecttypecode", "Primary Object Type Code", 64).read(),
    } also {
        text("secondaryobjecttypecode", "Secondary Object Type Code", 64).read(),
        flag("iscustomprocessingstepallowed", "Custom Processing Step Allowed").yes().read(),
        flag("isvisible", "Visible").yes().read(),
        int("availability", "Availability", 0, 255).or(0).read(),
    }
}

table! {
    /// A subscription: this message on this table is told to that endpoint.
    pub struct ProcessingStep, ProcessingStepColumns: Table {
        logical: "sdkmessageprocessingstep", set: "sdkmessageprocessingsteps", schema: "SdkMessageProcessingStep",
        id: "sdkmessageprocessingstepid", name: Some("name"), code: 4608, ..BLANK
    }; {
        name: String = text("name", "Name", 256).required(),
        handler: Option<Ref> = lookup("eventhandler", "Event Handler", &["serviceendpoint"]).required(),
        message: Option<Ref> = lookup("sdkmessageid", "SDK Message", &["sdkmessage"]).required(),
        /// Empty: the message on every table.
        filter: Option<Ref> = lookup("sdkmessagefilterid", "SdkMessage Filter", &["sdkmessagefilter"]),
        /// Columns, separated by commas; an update of none of them is not told. Empty: all.
        attributes: String = memo("filteringattributes", "Filtering Attributes"),
        stage: StepStage = choice("stage", "Execution Stage", StepStage::OPTIONS),
        mode: StepMode = choice("mode", "Execution Mode", StepMode::OPTIONS),
        state: StepState = choice("statecode", "Status", StepState::OPTIONS),
        status: StepStatus = choice("statuscode", "Status Reason", StepStatus::OPTIONS),
        /// Columns of the row that go along as they stand when it is told, separated by commas; `*`: all.
        image: String = memo("pr_postimageattributes", "Post Image Attributes"),
    } also {
        text("description", "Description", 256),
        int("rank", "Execution Order", 0, 2_147_483_647).or(1),
        choice("supporteddeployment", "Deployment", StepDeployment::OPTIONS),
        flag("asyncautodelete", "Asynchronous Automatic Delete"),
        memo("configuration", "Configuration"),
        lookup("impersonatinguserid", "Impersonating User", &["systemuser"]),
    }
}
