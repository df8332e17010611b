//! A real browser in the hands of a person: headless Chromium, told what to do
//! in the words of a story.
//!
//! Things are found as a person finds them, by what is written on them. Each
//! step waits for what it needs, for some seconds, and its failure says what
//! the page shows instead (and leaves a picture below `browser-failures/` of
//! the target directory).
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let browser = testkit::Browser::start("http://127.0.0.1:8420")?;
//! browser.sign_in("cora@crm.test", "a long enough secret")?;
//! browser.go("/settings/mailboxes")?;
//! browser.press("New Forward Mailbox")?;
//! browser.fill("Email Address", "collect@company.test")?;
//! browser.choose("Email Server Profile", "IMAP and SMTP")?;
//! browser.tick("Delete Emails after Processing")?;
//! browser.press("Save")?;
//! browser.see("collect@company.test")?;
//! // In a row, a section or a group that shows "Dora":
//! browser.press_in("Dora", "Approve Email")?;
//! browser.check()?; // axe-core, the console, requests to other hosts
//! # Ok(()) }
//! ```
//!
//! Stories live in `crates/app/tests/browser`, whose `world` gives a company
//! with servers, an installation, and people who can sign in. They run with
//! `cargo nextest run -p app --test browser --profile ci --retries 0 NAME`
//! after `scripts/setup browser`.

mod forms;
mod look;
mod press;

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::webdriver::{Driver, ELEMENT};
pub use look::{Request, Size, Violation};

/// How long a step waits for what it needs.
const PATIENCE: Duration = Duration::from_secs(15);
const FIND: &str = include_str!("browser/find.js");
const BESIDE: &str = include_str!("browser/beside.js");

/// One window of one person.
pub struct Browser {
    driver: Driver,
    base: String,
    patience: Cell<Duration>,
    requests: RefCell<Vec<Request>>,
    console: RefCell<Vec<String>>,
}

/// A key for [`Browser::keys`].
pub mod key {
    pub const TAB: &str = "\u{E004}";
    pub const ENTER: &str = "\u{E007}";
    pub const SHIFT: &str = "\u{E008}";
    pub const CONTROL: &str = "\u{E009}";
    pub const ALT: &str = "\u{E00A}";
    pub const ESCAPE: &str = "\u{E00C}";
    pub const SPACE: &str = "\u{E00D}";
    pub const UP: &str = "\u{E013}";
    pub const RIGHT: &str = "\u{E014}";
    pub const DOWN: &str = "\u{E015}";
    pub const F10: &str = "\u{E03A}";
}

impl Browser {
    /// `base`: the address that paths belong to.
    pub fn start(base: &str) -> Result<Self> {
        Ok(Self {
            driver: Driver::start()?,
            base: base.trim_end_matches('/').to_owned(),
            patience: Cell::new(PATIENCE),
            requests: RefCell::default(),
            console: RefCell::default(),
        })
    }

    /// The protocol itself, for what this language has no word for.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// How long the following steps wait.
    pub fn be_patient(&self, patience: Duration) {
        self.patience.set(patience);
    }

    /// Opens a page; `path` may be a whole address.
    pub fn go(&self, path: &str) -> Result<()> {
        let url = if path.contains("://") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.driver
            .command("POST", "url", Some(&json!({ "url": url })))
            .map(drop)
            .with_context(|| format!("going to {url}"))
    }

    pub fn reload(&self) -> Result<()> {
        self.driver.command("POST", "refresh", None).map(drop)
    }

    pub fn back(&self) -> Result<()> {
        self.driver.command("POST", "back", None).map(drop)
    }

    pub fn url(&self) -> Result<String> {
        Ok(self.driver.command("GET", "url", None)?.as_str().unwrap_or_default().to_owned())
    }

    /// The path and query of where the browser is.
    pub fn path(&self) -> Result<String> {
        let url = self.url()?;
        Ok(url.strip_prefix(&self.base).unwrap_or(&url).to_owned())
    }

    pub fn title(&self) -> Result<String> {
        Ok(self.driver.command("GET", "title", None)?.as_str().unwrap_or_default().to_owned())
    }

    /// What the page shows, as one line.
    pub fn text(&self) -> Result<String> {
        let text = self.driver.script("return document.body ? document.body.innerText : ''", &[])?;
        Ok(squash(text.as_str().unwrap_or_default()))
    }

    /// Signs in with a password and waits until that is done.
    pub fn sign_in(&self, name: &str, password: &str) -> Result<()> {
        self.go("/signin")?;
        self.fill("User name or email address", name)?;
        self.fill("Password", password)?;
        self.press("Sign in")?;
        self.wait("to be signed in", || Ok((!self.path()?.starts_with("/signin")).then_some(())))
    }

    /// Whether there is something to press, or a field, with this name now.
    pub fn has(&self, name: &str) -> Result<bool> {
        Ok(self.find("press", "", name)?.0.is_some() || self.find("field", "", name)?.0.is_some())
    }

    /// Waits until the page shows this text, in whatever letters.
    pub fn see(&self, text: &str) -> Result<()> {
        let wanted = squash(text).to_lowercase();
        self.wait(&format!("to see '{text}'"), || Ok(self.text()?.to_lowercase().contains(&wanted).then_some(())))
    }

    /// The same in the innermost row, section or group that shows `near`.
    pub fn see_in(&self, near: &str, text: &str) -> Result<()> {
        let what = format!("to see '{text}' beside '{near}'");
        self.wait(&what, || Ok((self.driver.script(BESIDE, &[near.into(), text.into()])? == true).then_some(())))
    }

    /// Waits until the page tells this: in a note of what was done or went
    /// wrong, not in any of its other words.
    pub fn told(&self, text: &str) -> Result<()> {
        let wanted = squash(text).to_lowercase();
        let notes = "return [...document.querySelectorAll('[role=status], [role=alert]')].map(e => e.innerText)";
        self.wait(&format!("to be told '{text}'"), || {
            let notes = self.driver.script(notes, &[])?;
            let mut notes = notes.as_array().into_iter().flatten().filter_map(Value::as_str);
            Ok(notes.any(|note| squash(note).to_lowercase().contains(&wanted)).then_some(()))
        })
    }

    /// Waits until the page does not (or no longer) show this text.
    pub fn not_see(&self, text: &str) -> Result<()> {
        let wanted = squash(text).to_lowercase();
        self.wait(&format!("'{text}' to go"), || Ok((!self.text()?.to_lowercase().contains(&wanted)).then_some(())))
    }

    /// Waits until the browser is at a page whose path begins so.
    pub fn at(&self, path: &str) -> Result<()> {
        self.wait(&format!("to be at {path}"), || Ok(self.path()?.starts_with(path).then_some(())))
    }

    /// Keys to whatever has the focus: text, or [`key`]s.
    pub fn keys(&self, keys: &str) -> Result<()> {
        let mut strokes = Vec::new();
        for c in keys.chars() {
            strokes.push(json!({ "type": "keyDown", "value": c.to_string() }));
            strokes.push(json!({ "type": "keyUp", "value": c.to_string() }));
        }
        self.strokes(&strokes)
    }

    /// A key together with one that is held, e.g. `chord(key::CONTROL, "s")`.
    pub fn chord(&self, held: &str, stroke: &str) -> Result<()> {
        self.strokes(&[
            json!({ "type": "keyDown", "value": held }),
            json!({ "type": "keyDown", "value": stroke }),
            json!({ "type": "keyUp", "value": stroke }),
            json!({ "type": "keyUp", "value": held }),
        ])
    }

    fn strokes(&self, strokes: &[Value]) -> Result<()> {
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.driver.command("POST", "actions", Some(&body)).map(drop)
    }

    /// The name of what has the focus (its label, text or `aria-label`).
    pub fn focus(&self) -> Result<String> {
        let script = "const e = document.activeElement; if (!e || e === document.body) return ''; \
            const by = e.getAttribute('aria-labelledby'); \
            return e.getAttribute('aria-label') || (by && document.getElementById(by.split(' ')[0])?.innerText) \
            || (e.labels && e.labels[0] && e.labels[0].innerText) || e.innerText || e.title || e.name || e.tagName";
        Ok(squash(self.driver.script(script, &[])?.as_str().unwrap_or_default()))
    }

    /// A picture of the window, or of the whole page.
    pub fn screenshot(&self, file: &Path, whole: bool) -> Result<()> {
        let parameters = json!({ "format": "png", "captureBeyondViewport": whole, "optimizeForSpeed": false });
        let mut parameters = parameters;
        if whole {
            let metrics = self.driver.devtools("Page.getLayoutMetrics", &json!({}))?;
            let size = &metrics["cssContentSize"];
            parameters["clip"] =
                json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        }
        let answer = self.driver.devtools("Page.captureScreenshot", &parameters)?;
        let data = answer["data"].as_str().context("no picture")?;
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory)?;
        }
        Ok(fs::write(file, base64::engine::general_purpose::STANDARD.decode(data)?)?)
    }

    /// Goes on inside the frame with this title; [`Self::leave_frame`] comes back.
    pub fn enter_frame(&self, title: &str) -> Result<()> {
        let find = "return [...document.querySelectorAll('iframe')].find(f => f.title.includes(arguments[0])) || null";
        self.wait(&format!("a frame with the title '{title}'"), || {
            let frame = self.driver.script(find, &[title.into()])?;
            if frame.is_null() {
                return Ok(None);
            }
            self.driver.command("POST", "frame", Some(&json!({ "id": frame }))).map(|_| Some(()))
        })
    }

    pub fn leave_frame(&self) -> Result<()> {
        self.driver.command("POST", "frame", Some(&json!({ "id": null }))).map(drop)
    }

    /// Asks again and again until there is an answer; errors on the way, as
    /// they happen while a page changes, only count at the end.
    pub fn wait<T>(&self, what: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let began = Instant::now();
        loop {
            let error = match ask() {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => None,
                Err(error) => Some(error),
            };
            if began.elapsed() > self.patience.get() {
                let why = error.map(|e| format!(": {e:#}")).unwrap_or_default();
                bail!("waited in vain {what}{why}\n{}", self.state());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn find(&self, kind: &str, near: &str, name: &str) -> Result<(Option<String>, Value)> {
        let mut found = self.driver.script(FIND, &[kind.into(), name.into(), near.into()])?;
        Ok((found[0][ELEMENT].as_str().map(str::to_owned), found[1].take()))
    }

    fn on<T>(&self, kind: &str, near: &str, name: &str, act: impl Fn(&str) -> Result<T>) -> Result<T> {
        let mut others = Value::Null;
        let beside = if near.is_empty() { String::new() } else { format!(" beside '{near}'") };
        let what = if kind == "field" { "for a field" } else { "for something to press" };
        self.rest();
        self.wait(&format!("{what} '{name}'{beside}"), || {
            let (found, all) = self.find(kind, near, name)?;
            others = all;
            found.map(|id| act(&id)).transpose()
        })
        .with_context(|| format!("there is: {others}"))
    }

    fn element_command(&self, id: &str, command: &str, body: &Value) -> Result<()> {
        self.driver.command("POST", &format!("element/{id}/{command}"), Some(body)).map(drop)
    }

    /// What the page is and shows, for a failure's words.
    fn state(&self) -> String {
        let picture = self.failure_picture();
        let text = self.text().unwrap_or_else(|e| format!("({e:#})"));
        let text: String = text.chars().take(3000).collect();
        let (url, title) = (self.url().unwrap_or_default(), self.title().unwrap_or_default());
        let picture = picture.map(|p| format!("\npicture: {}", p.display())).unwrap_or_default();
        format!("at {url} ({title}) the page says:\n{text}{picture}")
    }

    fn failure_picture(&self) -> Option<PathBuf> {
        let name = std::thread::current().name().unwrap_or("story").replace("::", "-");
        let file = target().ok()?.join("browser-failures").join(format!("{name}.png"));
        self.screenshot(&file, false).ok().map(|()| file)
    }
}

/// The target directory of the running test, where `scripts/setup` puts clients.
///
/// Cargo puts its `CACHEDIR.TAG` only into a directory that it made itself, and
/// the set-up may have been there first: so the shape of the path decides.
pub fn target() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let deps = program.ancestors().find(|a| a.ends_with("deps"));
    let target = deps.and_then(Path::parent).and_then(Path::parent);
    Ok(target.with_context(|| format!("{} is in no target directory", program.display()))?.to_owned())
}

fn element(id: &str) -> Value {
    json!({ ELEMENT: id })
}

fn squash(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A package that `scripts/setup browser` installed.
pub(crate) fn package(name: &str) -> Result<PathBuf> {
    let place = target()?.join("clients/browser/node_modules").join(name);
    ensure!(place.exists(), "{} is not there: scripts/setup browser installs it", place.display());
    Ok(place)
}
