//! What people say about the help. Everybody who is signed in may; who may
//! read it is a matter of privileges, as with every table.

use model::tables::HelpFeedback;
use model::{Change, Commit, Entity, Refusal, words};

use crate::context::Context;
use crate::error::{ActionError, commit_failed};

/// Characters of a comment.
pub const LONGEST: usize = 4000;

/// "Did you find the information that you need?"
pub struct Said {
    /// A topic that there is; the caller has looked.
    pub topic: String,
    pub found: bool,
    pub comment: String,
    pub language: String,
}

/// Keeps it, with who said it and when.
///
/// # Errors
/// 0x80044331 for a comment that is too long.
pub async fn give(ctx: &Context, said: Said) -> Result<(), ActionError> {
    let length = said.comment.chars().count();
    if length > LONGEST {
        let message = words!("The comment has {0} characters. Shorten it to {1}.", length, LONGEST);
        return Err(Refusal::new(0x8004_4331, "StringLengthExceeded", message).at("pr_comment").into());
    }
    let row = HelpFeedback {
        topic: said.topic,
        found: said.found,
        comment: said.comment.trim().to_owned(),
        language: said.language,
        ..HelpFeedback::blank(ctx.new_id()?)
    };
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::create(row)]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(HelpFeedback::TABLE.logical, e))?;
    Ok(())
}
