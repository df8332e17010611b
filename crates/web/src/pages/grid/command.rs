//! What can be done with the rows of a list: buttons above it, a page that
//! asks first where something is taken away, and what is then done with each
//! row. Few rows are done at once; of many a command is made, which goes on
//! when the page is left.

use std::pin::Pin;
use std::sync::Arc;

use actions::Wish;
use actions::bulk::{self, Deed};
use axum::Router;
use axum::routing::post;

use crate::pages::grid::{Asked, Chosen, Confirm, Done, Selection, Spec, Warned, back, confirm, results, target};
use crate::pages::kit::{Desk, Fault, Form, Outcome, go};
use crate::state::AppState;

pub(crate) struct Command {
    pub label: &'static str,
    /// The form goes to `{base}/{action}`.
    pub action: &'static str,
    pub needs: Wish,
    /// Takes something away.
    pub danger: bool,
    /// What is done with each row. `None`: the area has a page of its own.
    deed: Option<fn(&Form) -> Deed>,
    /// What is asked before; empty: it is done at once.
    asks: &'static str,
    /// A tick on the page that asks, which is set unless it is taken away.
    tick: Option<(&'static str, &'static str)>,
    /// What it would mean for the rows.
    warns: Option<Warn>,
    /// A record that is chosen first.
    target: Option<&'static target::Target>,
}

/// Tells what a deed would mean for each of the rows.
pub(crate) type Warn = for<'a> fn(&'a Desk, Vec<Chosen>, &'a Deed) -> Warning<'a>;
pub(crate) type Warning<'a> = Pin<Box<dyn Future<Output = Result<Vec<Warned>, Fault>> + Send + 'a>>;

pub(crate) const fn command(label: &'static str, action: &'static str, needs: Wish) -> Command {
    Command { label, action, needs, danger: false, deed: None, asks: "", tick: None, warns: None, target: None }
}

impl Command {
    pub const fn does(self, deed: fn(&Form) -> Deed) -> Self {
        Self { deed: Some(deed), ..self }
    }

    pub const fn asks(self, text: &'static str) -> Self {
        Self { asks: text, ..self }
    }

    pub const fn ticks(self, name: &'static str, label: &'static str) -> Self {
        Self { tick: Some((name, label)), ..self }
    }

    pub const fn warns(self, warn: Warn) -> Self {
        Self { warns: Some(warn), ..self }
    }

    /// For what takes something away.
    pub const fn danger(self) -> Self {
        Self { danger: true, ..self }
    }

    /// Deletes the rows, after asking.
    pub const fn deletes(self, text: &'static str) -> Self {
        self.does(|_| Deed::Delete).asks(text).danger()
    }

    pub const fn gives(self, target: &'static target::Target) -> Self {
        Self { target: Some(target), ..self }
    }
}

/// The routes of the commands that are declared with what they do.
pub(super) fn routes(spec: &'static Spec) -> Router<Arc<AppState>> {
    let mut router = Router::new();
    for command in spec.commands {
        let at = format!("{}/{}", spec.base, command.action);
        if let Some(chosen) = command.target {
            router = router.merge(target::routes(spec, command, chosen));
        } else if let Some(deed) = command.deed {
            router = router.route(
                &at,
                post(move |desk: Desk, form: Form| async move { ask(&desk, spec, command, &form, deed(&form)).await }),
            );
            router = router.route(
                &format!("{at}/yes"),
                post(move |desk: Desk, form: Form| async move {
                    carry_out(&desk, spec, &form, command.label, deed(&form)).await
                }),
            );
        }
    }
    router
}

async fn ask(desk: &Desk, spec: &'static Spec, command: &'static Command, form: &Form, deed: Deed) -> Outcome {
    let selection = Selection::of(desk, spec, form).await?;
    if command.asks.is_empty() && selection.bulk.is_none() {
        return at_once(desk, spec, form, command.label, &selection, &deed).await;
    }
    let hidden = selection.hidden();
    let rows = match command.warns {
        Some(warn) => warn(desk, selection.rows, &deed).await?,
        None => selection.rows.into_iter().map(Warned::plain).collect(),
    };
    let asking = Confirm {
        title: command.label,
        text: desk.t(command.asks),
        button: command.label,
        action: format!("{}/yes", command.action),
        danger: command.danger,
        count: selection.count,
        rows,
        tick: command.tick.map(|(name, label)| (name, desk.t(label))),
        fields: hidden,
    };
    confirm(desk, spec, form, asking)
}

/// Does it with the rows that the form names. `title`: as the button said it.
pub(crate) async fn carry_out(desk: &Desk, spec: &'static Spec, form: &Form, title: &str, deed: Deed) -> Outcome {
    if let Some(id) = form.id("bulk") {
        let back = Asked::read(form).link(spec.base);
        bulk::begin(&desk.ctx, id, spec.table, title, &deed, &back).await?;
        return go(&format!("/work/commands/{id}"));
    }
    let selection = Selection::of(desk, spec, form).await?;
    at_once(desk, spec, form, title, &selection, &deed).await
}

/// What is done with each of a few rows, one after the other.
async fn at_once(
    desk: &Desk,
    spec: &'static Spec,
    form: &Form,
    title: &str,
    selection: &Selection,
    deed: &Deed,
) -> Outcome {
    if selection.bulk.is_some() {
        return Err(Fault::bad("These are too many rows to be done at once. Go back and confirm the command."));
    }
    let mut all = Vec::with_capacity(selection.rows.len());
    for row in &selection.rows {
        let result = deed.on(&desk.ctx, spec.table, row.id).await;
        all.push(Done::of(desk, row, result));
    }
    // Of an alert that was read nothing is left to be told.
    if matches!(deed, Deed::Dismiss) && all.iter().all(|d| d.refused.is_empty()) {
        return back(spec, form, "deleted");
    }
    let any = all.iter().any(|d| d.refused.is_empty());
    let now = desk.ctx.now;
    let follow = if any { follow(deed, now, now) } else { None };
    results(desk, spec, form, title, all, follow)
}

/// Where what the deed began goes on: its label and address. `from` and `to`:
/// when the deed was done.
pub(crate) fn follow(deed: &Deed, from: model::Timestamp, to: model::Timestamp) -> Option<(&'static str, String)> {
    let tests = matches!(deed, Deed::Test | Deed::ApplyDefaults { test: true });
    let (from, to) = (from.as_microsecond(), to.as_microsecond());
    tests.then(|| ("Follow the tests", format!("/settings/mailboxes/tests?from={from}&to={to}")))
}
