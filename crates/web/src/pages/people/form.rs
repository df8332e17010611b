//! The fields of a customer's form: what stands there, what was typed, what
//! was refused.

use actions::Draft;
use model::table::Kind as ColumnKind;
use model::{Record, Refusal, Value};

use crate::pages::kit::{Desk, Fault, Field, Form, Input};
use crate::pages::people::kinds::Kind;
use crate::pages::people::lookup;

/// Fields under a heading.
pub(super) struct Part {
    pub title: String,
    pub text: String,
    pub fields: Vec<Field>,
}

/// The form's parts. `typed`: what was sent, where it is shown again.
pub(super) async fn parts(
    desk: &Desk,
    kind: &Kind,
    row: Option<&Record>,
    typed: Option<&Form>,
    refusals: &[Refusal],
) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    for section in kind.sections {
        let mut fields = Vec::new();
        for column in section.columns {
            fields.push(field(desk, kind, row, typed, column).await?.refused(&desk.viewer, refusals));
        }
        let text = if section.text.is_empty() { String::new() } else { desk.t(section.text) };
        parts.push(Part { title: desk.t(section.title), text, fields });
    }
    Ok(parts)
}

async fn field(
    desk: &Desk,
    kind: &Kind,
    row: Option<&Record>,
    typed: Option<&Form>,
    column: &'static str,
) -> Result<Field, Fault> {
    let table = kind.table();
    let mut field = Field::of(desk.viewer.texts, table, column);
    if let Some((_, targets)) = lookup::targets(table, column) {
        field.input = Input::Line;
        let whose = if targets.contains(&"account") { "The name of an account." } else { "The name of a contact." };
        field.help = desk.t(whose);
    }
    if let Some(form) = typed {
        let value =
            if field.input == Input::Tick { form.ticked(column).then_some("1") } else { Some(form.text(column)) };
        return Ok(field.value(value.unwrap_or("")));
    }
    let standing = match row {
        Some(row) => row.get(column).clone(),
        None => table.columns.iter().find(|c| c.name == column).map_or(Value::Null, |c| c.default_value()),
    };
    Ok(match standing {
        Value::Bool(yes) => field.ticked(yes),
        Value::Int(n) => field.value(n.to_string()),
        Value::Text(text) => field.value(text),
        Value::Ref(_) => match row {
            Some(row) => field.value(lookup::shown(desk, row, column).await?),
            None => field,
        },
        _ => field,
    })
}

/// What the form wants the row to be. What cannot be understood is among the
/// draft's faults.
pub(super) async fn draft(desk: &Desk, kind: &Kind, row: Option<&Record>, form: &Form) -> Result<Draft, Fault> {
    let table = kind.table();
    let mut draft = Draft::new(table);
    for column in kind.columns().filter(|c| form.has(c)) {
        let Some(declared) = table.columns.iter().find(|c| c.name == column) else { continue };
        let value = match declared.kind {
            ColumnKind::Bool => Value::Bool(form.ticked(column)),
            ColumnKind::Choice(_) | ColumnKind::Int { .. } => form.number(column).map_or(Value::Null, Value::Int),
            ColumnKind::Lookup(targets) => match lookup::read(desk, row, (column, targets), form.text(column)).await? {
                Ok(value) => value,
                Err(refusal) => {
                    draft.faults.push(refusal);
                    continue;
                }
            },
            ColumnKind::Text { .. } | ColumnKind::Email { .. } | ColumnKind::Memo => {
                let text = form.text(column).replace("\r\n", "\n").trim().to_owned();
                if text.is_empty() { Value::Null } else { Value::Text(text) }
            }
            _ => continue,
        };
        draft.values.insert(column, value);
    }
    Ok(draft)
}
