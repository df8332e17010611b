//! A field for formatted text: a text area, which the page's script makes an
//! editor of. In a template: `{{ editor|safe }}`.

use askama::Template;
use formats::html::Own;

use crate::pages::kit::{Form, Texts};

#[derive(Template)]
#[template(path = "kit/editor.html")]
pub(crate) struct Editor {
    texts: &'static Texts,
    name: &'static str,
    label: String,
    help: String,
    /// What the text area shows.
    text: String,
    /// What the editor begins with; empty where the text is plain.
    formatted: String,
    pub faults: Vec<String>,
    /// Who opens the page begins to write here.
    pub focused: bool,
}

impl Editor {
    pub fn new(texts: &'static Texts, name: &'static str, label: String, own: &Own) -> Self {
        Self {
            texts,
            name,
            label,
            help: String::new(),
            text: own.text(),
            formatted: match own {
                Own::Formatted(html) => html.clone(),
                Own::Plain(_) => String::new(),
            },
            faults: Vec::new(),
            focused: false,
        }
    }

    #[must_use]
    pub fn help(mut self, help: String) -> Self {
        self.help = help;
        self
    }

    /// What somebody wrote in it.
    pub fn written(form: &Form, name: &str) -> Own {
        let text = form.text(name).replace("\r\n", "\n");
        if form.text(&format!("{name}-format")) == "html" { Own::formatted(&text) } else { Own::Plain(text) }
    }

    fn t<'a>(&'a self, english: &'a str) -> &'a str {
        self.texts.text(english)
    }

    /// The ids of what describes it.
    fn described(&self) -> String {
        let parts = [
            ("help", !self.help.is_empty()),
            ("plain", !self.formatted.is_empty()),
            ("fault", !self.faults.is_empty()),
        ];
        let ids: Vec<_> = parts.iter().filter(|(_, there)| *there).map(|(p, _)| format!("{}-{p}", self.name)).collect();
        ids.join(" ")
    }
}
