//! Filling in forms.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{Browser, element, key};
use crate::webdriver::ELEMENT;

/// Lets go of what is held.
const RELEASE: &str = "\u{E000}";
const BACKSPACE: &str = "\u{E003}";

impl Browser {
    /// Writes into the field with this label, in place of what it held.
    pub fn fill(&self, label: &str, value: &str) -> Result<()> {
        self.fill_in("", label, value)
    }

    /// The same in a row, section or group that shows `near`.
    pub fn fill_in(&self, near: &str, label: &str, value: &str) -> Result<()> {
        self.on("field", near, label, |field| {
            let kind = self.driver.script("return arguments[0].type || ''", &[element(field)])?;
            if ["date", "datetime-local", "time", "color", "range"].iter().any(|k| kind == *k) {
                // How one types into these depends on the language.
                let set = "const [e, v] = arguments; e.value = v; \
                    for (const n of ['input', 'change']) e.dispatchEvent(new Event(n, { bubbles: true }));";
                return self.driver.script(set, &[element(field), value.into()]).map(drop);
            }
            if self.driver.script("return arguments[0].isContentEditable", &[element(field)])? == true {
                // An editor keeps its paragraphs: what it holds is typed over.
                let all = format!("{}a{RELEASE}", key::CONTROL);
                let text = if value.is_empty() { format!("{all}{BACKSPACE}") } else { format!("{all}{value}") };
                return self.element_command(field, "value", &json!({ "text": text }));
            }
            self.element_command(field, "clear", &json!({}))?;
            if value.is_empty() { Ok(()) } else { self.element_command(field, "value", &json!({ "text": value })) }
        })
    }

    /// What the field with this label holds; of a selection, what is shown.
    pub fn value(&self, label: &str) -> Result<String> {
        self.on("field", "", label, |field| {
            let get = "const e = arguments[0]; return e.tagName === 'SELECT' ? [...e.selectedOptions].map(o => o.text.trim()).join(', ') \
                : e.type === 'checkbox' ? String(e.checked) : e.isContentEditable ? e.innerText : e.value";
            Ok(self.driver.script(get, &[element(field)])?.as_str().unwrap_or_default().to_owned())
        })
    }

    /// Whether the field with this label can be changed.
    pub fn can_change(&self, label: &str) -> Result<bool> {
        self.on("field", "", label, |field| {
            let get = "const e = arguments[0]; return !(e.matches(':disabled') || e.readOnly || e.getAttribute('aria-disabled') === 'true')";
            Ok(self.driver.script(get, &[element(field)])? == true)
        })
    }

    /// Chooses an option of the selection, or of the group of radio buttons,
    /// with this label.
    pub fn choose(&self, label: &str, option: &str) -> Result<()> {
        let is_select = "return arguments[0].tagName === 'SELECT'";
        let (field, _) = self.find("field", "", label)?;
        let select = match &field {
            Some(field) => self.driver.script(is_select, &[element(field)])? == true,
            None => false,
        };
        if !select && self.find("field", label, option)?.0.is_some() {
            return self.on("field", label, option, |radio| self.tick_element(radio, true));
        }
        self.on("field", "", label, |field| {
            let find = "const [e, wanted] = arguments; const all = [...(e.options || [])]; const text = o => o.text.replace(/\\s+/g, ' ').trim(); \
                return [all.find(o => text(o) === wanted) || all.find(o => text(o).startsWith(wanted)) || null, all.map(text)]";
            let found = self.driver.script(find, &[element(field), option.into()])?;
            let Some(target) = found[0][ELEMENT].as_str() else { bail!("'{label}' has no option '{option}' but {}", found[1]) };
            self.element_command(target, "click", &json!({}))?;
            // One that is locked, or that was exchanged meanwhile, has not changed.
            let lost = "const o = arguments[0]; return o.isConnected && !o.selected";
            if self.driver.script(lost, &[element(target)]).is_ok_and(|lost| lost == true) {
                bail!("'{option}' cannot be chosen now");
            }
            Ok(())
        })
    }

    pub fn tick(&self, label: &str) -> Result<()> {
        self.on("field", "", label, |field| self.tick_element(field, true))
    }

    pub fn untick(&self, label: &str) -> Result<()> {
        self.on("field", "", label, |field| self.tick_element(field, false))
    }

    /// Ticks the first box in the row that shows `near`.
    pub fn tick_row(&self, near: &str) -> Result<()> {
        let find = "const near = arguments[0]; for (const row of document.querySelectorAll('tr, li')) { \
            const box = row.querySelector('input[type=checkbox]'); if (box && row.innerText.includes(near)) return box; } return null";
        let what = format!("a box to tick beside '{near}'");
        self.wait(&what, || {
            let found = self.driver.script(find, &[near.into()])?;
            let Some(field) = found[ELEMENT].as_str() else { return Ok(None) };
            self.tick_element(field, true).map(Some)
        })
    }

    fn tick_element(&self, field: &str, wanted: bool) -> Result<()> {
        let now = self.driver.script("return arguments[0].checked", &[element(field)])? == true;
        if now == wanted {
            return Ok(());
        }
        // A box may be drawn by its label alone.
        if self.element_command(field, "click", &json!({})).is_err() {
            let label = self.driver.script("return (arguments[0].labels || [])[0] || null", &[element(field)])?;
            let label = label[ELEMENT].as_str().context("a box that cannot be ticked and has no label")?;
            self.element_command(label, "click", &json!({}))?;
        }
        Ok(())
    }

    /// Hands a file to the field with this label.
    pub fn set_file(&self, label: &str, file: &Path) -> Result<()> {
        let path = file.display().to_string();
        self.on("field", "", label, |field| self.element_command(field, "value", &json!({ "text": path })))
    }
}
