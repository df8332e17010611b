//! A field of a form with its label, help, reason why it cannot be set, and
//! what was refused about it. In a template: `{{ field|safe }}`.

use askama::Template;
use model::table::{Column, Kind};
use model::{Refusal, Table};

use crate::pages::kit::{Texts, Viewer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Line,
    Email,
    Number,
    Password,
    Lines,
    Tick,
    Select,
    Radio,
    /// Date and time in the viewer's zone: `2026-11-24T11:47`.
    Time,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub value: String,
    pub label: String,
    /// Why it cannot be chosen; empty where it can.
    pub blocked: String,
    /// Of the label, where it is not that of the page: `de`.
    pub lang: &'static str,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), blocked: String::new(), lang: "" }
    }

    /// With a label in a language of its own.
    #[must_use]
    pub fn in_language(mut self, code: &'static str) -> Self {
        self.lang = code;
        self
    }
}

#[derive(Template, Debug, Clone)]
#[template(path = "kit/field.html")]
pub(crate) struct Field {
    /// Of the form, usually the column's logical name; also the element's id.
    pub name: String,
    pub label: String,
    pub input: Input,
    pub value: String,
    pub choices: Vec<Choice>,
    pub required: bool,
    /// A sentence below the label.
    pub help: String,
    /// Why it cannot be set; then it is disabled, and this stands beside it.
    pub blocked: String,
    pub faults: Vec<String>,
    /// Characters; 0 for no limit.
    pub longest: usize,
    pub min: String,
    pub max: String,
    /// As HTML has them: `username`, `off`.
    pub autocomplete: &'static str,
}

impl Field {
    pub fn new(name: impl Into<String>, label: impl Into<String>, input: Input) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            input,
            value: String::new(),
            choices: Vec::new(),
            required: false,
            help: String::new(),
            blocked: String::new(),
            faults: Vec::new(),
            longest: 0,
            min: String::new(),
            max: String::new(),
            autocomplete: "off",
        }
    }

    /// For a column, with its label, limits and choices.
    pub fn of(texts: &Texts, table: &'static Table, column: &str) -> Self {
        let Some(column) = table.columns.iter().find(|c| c.name == column) else {
            return Self::new(column, column, Input::Line);
        };
        let mut field = Self::new(column.name, texts.text(column.label), input(column));
        field.required = column.required;
        match column.kind {
            Kind::Text { max } | Kind::Email { max } | Kind::Secret { max, .. } => field.longest = max,
            Kind::Int { min, max } => (field.min, field.max) = (min.to_string(), max.to_string()),
            Kind::Choice(set) => {
                let choice = |o: &model::OptionValue| Choice::new(o.value.to_string(), texts.text(o.label));
                field.choices = set.options.iter().map(choice).collect();
            }
            _ => {}
        }
        field
    }

    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    #[must_use]
    pub fn ticked(mut self, yes: bool) -> Self {
        self.value = if yes { "1" } else { "" }.to_owned();
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    #[must_use]
    pub fn blocked(mut self, why: impl Into<String>) -> Self {
        self.blocked = why.into();
        self
    }

    #[must_use]
    pub fn choices(mut self, choices: Vec<Choice>) -> Self {
        self.choices = choices;
        self
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Takes what was refused about this field.
    #[must_use]
    pub fn refused(mut self, viewer: &Viewer, refusals: &[Refusal]) -> Self {
        let mine = refusals.iter().filter(|r| r.field == Some(self.name.as_str()));
        self.faults.extend(mine.map(|r| viewer.words(&r.message)));
        self
    }

    /// The ids of what describes it, for `aria-describedby`.
    fn described(&self) -> String {
        let parts =
            [("help", !self.help.is_empty()), ("why", !self.blocked.is_empty()), ("fault", !self.faults.is_empty())];
        let ids: Vec<_> = parts.iter().filter(|(_, there)| *there).map(|(p, _)| format!("{}-{p}", self.name)).collect();
        ids.join(" ")
    }

    /// The attributes that say how it stands. Nothing in them is typed by people.
    fn state(&self) -> String {
        let mut attributes = String::new();
        if self.required && self.blocked.is_empty() {
            attributes.push_str(" required");
        }
        if !self.blocked.is_empty() {
            attributes.push_str(" disabled");
        }
        if !self.faults.is_empty() {
            attributes.push_str(" aria-invalid=\"true\"");
        }
        let described = self.described();
        if !described.is_empty() {
            attributes.push_str(&format!(" aria-describedby=\"{described}\""));
        }
        attributes
    }

    fn is(&self, input: Input) -> bool {
        self.input == input
    }

    fn kind(&self) -> &'static str {
        match self.input {
            Input::Email => "email",
            Input::Number => "number",
            Input::Password => "password",
            Input::Time => "datetime-local",
            _ => "text",
        }
    }
}

fn input(column: &Column) -> Input {
    match column.kind {
        Kind::Bool => Input::Tick,
        Kind::Int { .. } | Kind::BigInt => Input::Number,
        Kind::Email { .. } => Input::Email,
        Kind::Memo => Input::Lines,
        Kind::Choice(_) | Kind::Lookup(_) => Input::Select,
        Kind::Time => Input::Time,
        Kind::Secret { .. } => Input::Password,
        _ => Input::Line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Entity as _;
    use model::tables::Mailbox;

    fn field(name: &str) -> Field {
        Field::of(crate::pages::kit::texts::english(), Mailbox::TABLE, name)
    }

    fn viewer() -> Viewer {
        let texts = crate::pages::kit::texts::english();
        Viewer { texts, zone: jiff::tz::TimeZone::UTC, theme: "", keys: true, rows: 50 }
    }

    #[track_caller]
    fn shows(field: &Field, expected: &[&str]) {
        let html = field.render().unwrap();
        for part in expected {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn a_line_with_its_limit() {
        shows(&field("name").value("a\"b"), &["maxlength=\"200\"", "required", "for=\"name\"", "value=\"a&#34;b\""]);
    }
    #[test]
    fn a_choice_that_stands() {
        shows(&field("incomingemaildeliverymethod").value("2"), &["<option value=\"2\" selected"]);
    }
    #[test]
    fn why_it_cannot_be_set() {
        shows(&field("name").blocked("Because."), &["disabled", "id=\"name-why\"", "aria-describedby=\"name-why\""]);
    }
    #[test]
    fn what_was_refused() {
        let refused =
            [Refusal::invalid(Some("name"), model::words!("No.")), Refusal::invalid(None, model::words!("Other."))];
        let field = field("name").refused(&viewer(), &refused);
        shows(&field, &["aria-invalid=\"true\"", "id=\"name-fault\"", "No."]);
        assert!(!field.render().unwrap().contains("Other."));
    }
    #[test]
    fn a_secret_is_never_filled_in() {
        let html = field("password").value("secret").render().unwrap();
        assert!(!html.contains("secret"), "{html}");
    }
}
