//! What people said about the help: whether it had what they looked for.

use crate::table;
use crate::table::{BLANK, Table, flag, memo, text};

table! {
    pub struct HelpFeedback, HelpFeedbackColumns: Table {
        logical: "pr_helpfeedback", set: "pr_helpfeedbacks", schema: "pr_HelpFeedback", id: "pr_helpfeedbackid",
        name: Some("pr_topic"), code: 10_051, ..BLANK
    }; {
        /// As in `/help/mailboxes`.
        topic: String = text("pr_topic", "Topic", 100).required().on_create(),
        /// "Did you find the information that you need?"
        found: bool = flag("pr_found", "Found").on_create(),
        /// What was missing.
        comment: String = memo("pr_comment", "Comment").on_create(),
        language: String = text("pr_language", "Language", 10).on_create(),
    } also {}
}
