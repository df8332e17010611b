//! Picking, releasing and removing items; what is refused is told beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use actions::{ActionError, queue};
use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use model::Id;

use crate::pages::kit::{Desk, Fault, Form, Outcome, go};
use crate::pages::queues::one::{self, View};
use crate::state::AppState;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Pick { remove: bool },
    Release,
    Remove,
}

pub(super) fn routes() -> Router<Arc<AppState>> {
    let on = |verb: Verb| {
        post(move |desk: Desk, Path(id): Path<String>, form: Form| async move {
            let id = id.parse().map_err(|_| Fault::absent())?;
            work(&desk, id, verb, &form).await
        })
    };
    Router::new()
        .route("/work/queues/{id}/pick", on(Verb::Pick { remove: false }))
        .route("/work/queues/{id}/pick-remove", on(Verb::Pick { remove: true }))
        .route("/work/queues/{id}/release", on(Verb::Release))
        .route("/work/queues/{id}/remove", on(Verb::Remove))
}

async fn work(desk: &Desk, queue: Id, verb: Verb, form: &Form) -> Outcome {
    let mut refused = BTreeMap::new();
    let items = form.ids("id");
    for item in &items {
        let done = match verb {
            Verb::Pick { remove } => queue::pick(&desk.ctx, *item, desk.ctx.actor.id, remove).await,
            Verb::Release => queue::release(&desk.ctx, *item).await,
            Verb::Remove => queue::remove(&desk.ctx, *item).await,
        };
        note(desk, &mut refused, *item, done)?;
    }
    // Who picks an email while they read it goes on reading it.
    if let (Verb::Pick { remove: false }, Some(email)) = (verb, form.id("email"))
        && refused.is_empty()
    {
        return go(&format!("/work/emails/{email}?as=read&done=done"));
    }
    finish(desk, queue, form, items.len(), refused).await
}

/// Keeps what was refused; anything else is a fault of the whole request.
pub(super) fn note(
    desk: &Desk,
    refused: &mut BTreeMap<Id, String>,
    item: Id,
    done: Result<(), ActionError>,
) -> Result<(), Fault> {
    if let Err(error) = done {
        let refusals = Fault::refusals(error)?;
        let text: Vec<String> = refusals.iter().map(|r| desk.words(&r.message)).collect();
        refused.insert(item, text.join(" "));
    }
    Ok(())
}

/// Back to the queue, where everything was done; else the queue with the reasons.
pub(super) async fn finish(
    desk: &Desk,
    queue: Id,
    form: &Form,
    asked: usize,
    refused: BTreeMap<Id, String>,
) -> Outcome {
    let view = View::read(form);
    if asked == 0 {
        let nothing = BTreeMap::from([(Id::nil(), String::new())]);
        return one::render(desk, queue, &view, nothing, desk.t("No item is selected. Tick at least one.")).await;
    }
    if refused.is_empty() {
        return go(&view.link(queue, "done"));
    }
    let texts = desk.viewer.texts;
    let mut summary = texts.with("{0} done, {1} refused", &[&(asked - refused.len()), &refused.len()]);
    // An item that is no longer on the page has no place for its reason.
    if let Some(reason) = refused.values().next() {
        summary = format!("{summary}: {reason}");
    }
    one::render(desk, queue, &view, refused, summary).await
}
