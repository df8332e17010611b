//! Views that people keep: what they look at, under a name.

use actions::{Draft, Precondition};
use formats::fetchxml::layout;
use model::tables::UserQuery;
use model::{Entity, Id, Value};

use crate::pages::grid::{Asked, Question, Spec};
use crate::pages::kit::{Desk, Fault, Form, Outcome, go};

/// `do`: `save` as a new view, `update` or `rename` or `delete` one's own,
/// `open` the list with this view from now on.
pub(super) async fn keep(desk: &Desk, spec: &'static Spec, form: &Form) -> Outcome {
    let asked = Asked::read(form);
    let done = match form.text("do") {
        "save" => save(desk, spec, &asked, form).await?,
        "update" => update(desk, spec, &asked).await?,
        "rename" => rename(desk, &asked, form).await?,
        "open" => {
            let view = own(&asked)?;
            actions::views::set_default(&desk.ctx, spec.table, view).await?;
            view
        }
        "delete" => {
            actions::delete(&desk.ctx, UserQuery::TABLE, own(&asked)?, Precondition::Exists).await?;
            return go(&Asked::default().link_with(spec.base, &[("done", "deleted")]));
        }
        _ => return Err(Fault::bad("The form does not say what to do.")),
    };
    go(&Asked { view: Some(done), ..Asked::default() }.link_with(spec.base, &[("done", "saved")]))
}

fn own(asked: &Asked) -> Result<Id, Fault> {
    asked.view.ok_or_else(|| Fault::bad("The form does not say which view."))
}

fn name(form: &Form) -> Result<String, Fault> {
    form.get("name").map(str::to_owned).ok_or_else(|| Fault::bad("A view needs a name."))
}

async fn save(desk: &Desk, spec: &'static Spec, asked: &Asked, form: &Form) -> Result<Id, Fault> {
    let draft = written(desk, spec, asked)
        .await?
        .with(UserQuery::C.name, name(form)?)
        .with(UserQuery::C.table, spec.table.logical.to_owned());
    Ok(actions::create(&desk.ctx, draft).await?)
}

async fn update(desk: &Desk, spec: &'static Spec, asked: &Asked) -> Result<Id, Fault> {
    let id = own(asked)?;
    let draft = written(desk, spec, asked).await?;
    Ok(actions::update(&desk.ctx, id, draft, Precondition::Exists).await?.id)
}

async fn rename(desk: &Desk, asked: &Asked, form: &Form) -> Result<Id, Fault> {
    let draft = Draft::new(UserQuery::TABLE).with(UserQuery::C.name, name(form)?);
    Ok(actions::update(&desk.ctx, own(asked)?, draft, Precondition::Exists).await?.id)
}

/// The query and the columns, as they are looked at.
async fn written(desk: &Desk, spec: &'static Spec, asked: &Asked) -> Result<Draft, Fault> {
    let question = Question::of(desk, spec, &asked.first()).await?;
    let layout = layout::write(spec.table, &question.cells);
    Ok(Draft::new(UserQuery::TABLE).with(UserQuery::C.fetch, question.xml).set("layoutxml", Value::Text(layout)))
}
