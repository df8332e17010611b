//! A WebDriver client (W3C WebDriver is JSON over HTTP) for ChromeDriver,
//! which it starts on a port of its own and ends with itself.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::ports::Port;
use crate::process::{Supervised, run};

/// The key under which the protocol hands over elements.
pub const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The same type on every machine.
const FONTS: &str = r#"<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<alias binding="same"><family>system-ui</family><prefer><family>Liberation Sans</family></prefer></alias>
<alias binding="same"><family>sans-serif</family><prefer><family>Liberation Sans</family></prefer></alias>
<alias binding="same"><family>monospace</family><prefer><family>Liberation Mono</family></prefer></alias>
</fontconfig>
"#;

/// One headless Chromium with one session. Dropping it ends both.
pub struct Driver {
    agent: ureq::Agent,
    session: String,
    ended: Cell<bool>,
    _process: Supervised,
    directory: tempfile::TempDir,
    _port: Port,
}

impl Driver {
    pub fn start() -> Result<Self> {
        for program in ["/usr/bin/chromium", "/usr/bin/chromedriver"] {
            if !Path::new(program).exists() {
                bail!("{program} is not there: scripts/setup browser installs it");
            }
        }
        let directory = tempfile::Builder::new().prefix("postroom-browser-").tempdir()?;
        fs::create_dir_all(directory.path().join("config/fontconfig"))?;
        fs::write(directory.path().join("config/fontconfig/fonts.conf"), FONTS)?;
        let port = Port::reserve()?;
        let place = directory.path().display();
        let command = [
            "/usr/bin/env".to_owned(),
            // What a killed Chromium leaves behind goes with the directory.
            format!("TMPDIR={place}"),
            format!("XDG_CONFIG_HOME={place}/config"),
            "TZ=UTC".to_owned(),
            "/usr/bin/chromedriver".to_owned(),
            format!("--port={}", port.number()),
        ];
        let log = directory.path().join("chromedriver.log");
        let mut process = Supervised::start(&command, "TERM", directory.path(), &log)?;
        process.wait_for_ports(&[port.address()])?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .new_agent();
        let base = format!("http://127.0.0.1:{}", port.number());
        let capabilities = capabilities(directory.path())?;
        let made = ask(&agent, "POST", &format!("{base}/session"), Some(&capabilities))?;
        let id = made["sessionId"].as_str().context("no session")?;
        let session = format!("{base}/session/{id}");
        let this = Self { agent, session, ended: Cell::new(false), _process: process, directory, _port: port };
        this.command("POST", "timeouts", Some(&json!({ "script": 60_000, "pageLoad": 60_000, "implicit": 0 })))?;
        Ok(this)
    }

    /// Any command of the session; `path` without a slash before it.
    pub fn command(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = if path.is_empty() { self.session.clone() } else { format!("{}/{path}", self.session) };
        ask(&self.agent, method, &url, body)
    }

    /// Runs a script in the page, as a function's body, and gives back what it
    /// returns. The page's Content-Security-Policy does not hold for it.
    pub fn script(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.command("POST", "execute/sync", Some(&json!({ "script": script, "args": arguments })))
    }

    /// The same for a script that calls its last argument when it is done.
    pub fn script_until_done(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.command("POST", "execute/async", Some(&json!({ "script": script, "args": arguments })))
    }

    /// A command of Chrome's DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.command("POST", "goog/cdp/execute", Some(&json!({ "cmd": command, "params": parameters })))
    }

    /// The lines of `browser` (the console) or `performance` (the DevTools
    /// events) since the last time they were asked for.
    pub fn log(&self, kind: &str) -> Result<Vec<Value>> {
        let lines = self.command("POST", "se/log", Some(&json!({ "type": kind })))?;
        lines.as_array().cloned().context("no lines")
    }

    /// Where Chromium writes down every request it makes, whoever asked for it.
    pub fn net_log(&self) -> PathBuf {
        self.directory.path().join("net.json")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.ended.replace(true) {
            let _ = self.command("DELETE", "", None);
        }
    }
}

/// What the session is to be: a Chromium that does nothing by itself.
fn capabilities(directory: &Path) -> Result<Value> {
    let place = directory.display();
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--disable-dev-shm-usage".into(),
        "--disable-gpu".into(),
        "--disable-breakpad".into(),
        "--disable-component-update".into(),
        "--disable-quic".into(),
        "--no-first-run".into(),
        "--hide-scrollbars".into(),
        "--force-color-profile=srgb".into(),
        "--lang=en-US".into(),
        "--window-size=1280,900".into(),
        "--disable-features=OptimizationHints,Translate,MediaRouter,AutofillServerCommunication".into(),
        // Nothing but this machine can be reached, and what tries shows in the log.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost".into(),
        format!("--user-data-dir={place}/profile"),
        format!("--log-net-log={place}/net.json"),
        format!("--disk-cache-dir={place}/cache"),
    ];
    // Its sandbox refuses to work for root.
    if run(std::process::Command::new("id").arg("-u"))?.trim_ascii() == b"0" {
        arguments.push("--no-sandbox".into());
    }
    Ok(json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "unhandledPromptBehavior": "ignore",
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "goog:chromeOptions": {
            "binary": "/usr/bin/chromium",
            "args": arguments,
            "prefs": {
                "session.restore_on_startup": 4,
                "session.startup_urls": ["about:blank"],
                "homepage": "about:blank",
                "credentials_enable_service": false,
                "profile.password_manager_leak_detection": false,
                "search.suggest_enabled": false,
                "download.default_directory": format!("{place}/downloads"),
                "download.prompt_for_download": false,
            },
        },
    } } }))
}

fn ask(agent: &ureq::Agent, method: &str, url: &str, body: Option<&Value>) -> Result<Value> {
    let request = ureq::http::Request::builder().method(method).uri(url);
    let mut response = match (body, method) {
        (Some(body), _) => agent.run(request.header("Content-Type", "application/json").body(body.to_string())?)?,
        (None, "POST") => agent.run(request.header("Content-Type", "application/json").body("{}".to_owned())?)?,
        (None, _) => agent.run(request.body(())?)?,
    };
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(256 * 1024 * 1024).read_to_string()?;
    let mut answer: Value = serde_json::from_str(&text).with_context(|| format!("{method} {url}: {text}"))?;
    let value = answer["value"].take();
    if status >= 400 {
        let said = value["message"].as_str().unwrap_or(&text);
        bail!("{}: {}", value["error"].as_str().unwrap_or("error"), said.split("\nStacktrace").next().unwrap_or(said));
    }
    Ok(value)
}
