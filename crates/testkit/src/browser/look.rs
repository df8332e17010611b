//! What is to be seen of a page from outside: its requests, its console, what
//! axe-core finds, and how it is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{Browser, package};

/// A request that the page made.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub url: String,
    /// `Document`, `Stylesheet`, `Script`, `XHR`, `Image`, …
    pub kind: String,
    /// Bytes on the wire, headers included; zero when it came from the cache.
    pub bytes: u64,
}

/// What axe-core holds against a page.
#[derive(Debug, Clone)]
pub struct Violation {
    pub rule: String,
    pub impact: String,
    pub help: String,
    /// The elements and what is wrong with each.
    pub elements: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.rule, self.impact, self.help)?;
        self.elements.iter().take(4).try_for_each(|e| write!(f, "\n    {e}"))
    }
}

/// Of what size the window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Desktop,
    Wide,
    Phone,
}

impl Browser {
    /// Nothing serious by axe-core, nothing in the console, no other host asked.
    pub fn check(&self) -> Result<()> {
        let faults = self.axe()?.iter().map(|v| format!("axe: {v}")).collect();
        self.quiet(faults)
    }

    /// The same without axe-core.
    pub fn check_quiet(&self) -> Result<()> {
        self.quiet(Vec::new())
    }

    fn quiet(&self, mut faults: Vec<String>) -> Result<()> {
        faults.extend(self.console_errors()?.iter().map(|line| format!("console: {line}")));
        let foreign = self.network()?.into_iter().filter(|r| !self.is_own(&r.url));
        faults.extend(foreign.map(|r| format!("asks another host: {}", r.url)));
        if !faults.is_empty() {
            bail!("{}:\n{}", self.path()?, faults.join("\n"));
        }
        Ok(())
    }

    fn is_own(&self, url: &str) -> bool {
        url.starts_with(&self.base) || ["data:", "blob:", "about:", "chrome"].iter().any(|s| url.starts_with(s))
    }

    /// Puts axe-core into every page from the next one on, for who looks at
    /// many: that takes less than handing it to each.
    pub fn keep_axe(&self) -> Result<()> {
        let source = json!({ "source": format!("if (window.top === window) {{ {} }}", axe()?) });
        self.driver.devtools("Page.addScriptToEvaluateOnNewDocument", &source).map(drop)
    }

    /// What axe-core finds that is serious or critical.
    pub fn axe(&self) -> Result<Vec<Violation>> {
        let mut found = self.axe_all()?;
        found.retain(|v| v.impact == "serious" || v.impact == "critical");
        Ok(found)
    }

    /// Everything that axe-core finds.
    pub fn axe_all(&self) -> Result<Vec<Violation>> {
        if self.driver.script("return typeof window.axe", &[])? != "object" {
            self.driver.script(&axe()?, &[])?;
        }
        // A frame with a message runs no scripts, axe-core's neither: it would be waited for in vain.
        let run = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'], iframes: false, runOnly: \
            ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }) \
            .then(r => done(r.violations), e => done(String(e)))";
        let answer = self.driver.script_until_done(run, &[])?;
        let list = answer.as_array().with_context(|| format!("axe-core: {answer}"))?;
        Ok(list.iter().map(violation).collect())
    }

    fn take_events(&self) -> Result<()> {
        let mut requests = self.requests.borrow_mut();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for line in self.driver.log("performance")? {
            let event: Value = serde_json::from_str(line["message"].as_str().unwrap_or("{}"))?;
            let (method, about) = (&event["message"]["method"], &event["message"]["params"]);
            let id = about["requestId"].as_str().unwrap_or_default().to_owned();
            if method == "Network.requestWillBeSent" {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let url = text(&about["request"]["url"]);
                places.insert(id, requests.len());
                requests.push(Request { url, kind: text(&about["type"]), bytes: 0 });
            } else if method == "Network.loadingFinished"
                && let Some(request) = places.get(&id).and_then(|place| requests.get_mut(*place))
            {
                request.bytes = about["encodedDataLength"].as_f64().map_or(0, |b| b as u64);
            }
        }
        requests.retain(|r| !r.url.starts_with("chrome"));
        Ok(())
    }

    /// The requests of all pages so far, without those of sandboxed frames
    /// (see [`Self::outside`]).
    pub fn network(&self) -> Result<Vec<Request>> {
        self.take_events()?;
        Ok(self.requests.borrow().clone())
    }

    /// Forgets the requests so far.
    pub fn forget_network(&self) -> Result<()> {
        self.take_events()?;
        self.requests.borrow_mut().clear();
        Ok(())
    }

    /// Every host but this machine that the browser looked up or asked because
    /// of a page, be it by a sandboxed frame or a hint to connect early; from
    /// Chromium's own log of its network.
    pub fn outside(&self) -> Result<BTreeSet<String>> {
        self.write_out_net_log()?;
        let log = fs::read_to_string(self.driver.net_log())?;
        let mut found = BTreeSet::new();
        for line in log.lines() {
            let Ok(event) = serde_json::from_str::<Value>(line.trim_end_matches(',')) else { continue };
            for name in ["url", "host"] {
                let Some(text) = event["params"][name].as_str() else { continue };
                let host = text.split_once("://").map_or(text, |(_, rest)| rest);
                let host = host.split(['/', '?', '#']).next().unwrap_or(host);
                let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
                let here =
                    ["127.0.0.1", "localhost", "[::1]", "~notfound", ""].contains(&name) || text.starts_with("chrome");
                let browsers_own = BROWSERS_OWN.iter().any(|d| name == *d || name.ends_with(&format!(".{d}")));
                if !here && !browsers_own {
                    found.insert(text.to_owned());
                }
            }
        }
        Ok(found)
    }

    /// Chromium writes its log in batches of some events: another tab makes more.
    fn write_out_net_log(&self) -> Result<()> {
        let here = self.driver.command("GET", "window", None)?;
        let tab = self.driver.command("POST", "window/new", Some(&json!({ "type": "tab" })))?;
        self.driver.command("POST", "window", Some(&json!({ "handle": tab["handle"] })))?;
        for n in 0..4 {
            self.go(&format!("/healthz?write-out={n}"))?;
        }
        self.driver.command("DELETE", "window", None)?;
        self.driver.command("POST", "window", Some(&json!({ "handle": here })))?;
        Ok(())
    }

    /// Errors in the console so far (what a server refused is not one).
    pub fn console_errors(&self) -> Result<Vec<String>> {
        let mut console = self.console.borrow_mut();
        for line in self.driver.log("browser")? {
            let text = line["message"].as_str().unwrap_or_default();
            let refused = line["source"] == "network" && text.contains("the server responded with a status of");
            if line["level"] == "SEVERE" && !refused {
                console.push(text.to_owned());
            }
        }
        Ok(console.clone())
    }

    /// Forgets the console's errors so far.
    pub fn forget_console(&self) -> Result<()> {
        self.console_errors()?;
        self.console.borrow_mut().clear();
        Ok(())
    }

    /// How the person's system wants pages: dark or light.
    pub fn dark(&self, dark: bool) -> Result<()> {
        let value = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.driver.devtools("Emulation.setEmulatedMedia", &features).map(drop)
    }

    pub fn size(&self, size: Size) -> Result<()> {
        let (width, height, mobile) = match size {
            Size::Desktop => (1280, 900, false),
            Size::Wide => (1920, 1080, false),
            Size::Phone => (390, 844, true),
        };
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.driver.devtools("Emulation.setDeviceMetricsOverride", &metrics)?;
        self.driver.devtools("Emulation.setTouchEmulationEnabled", &json!({ "enabled": mobile })).map(drop)
    }

    /// Whether pages may run scripts, from the next page on.
    pub fn scripts(&self, on: bool) -> Result<()> {
        self.driver.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": !on })).map(drop)
    }

    /// In which zone the person is, e.g. `Europe/Berlin`.
    pub fn time_zone(&self, zone: &str) -> Result<()> {
        self.driver.devtools("Emulation.setTimezoneOverride", &json!({ "timezoneId": zone })).map(drop)
    }

    /// What makes the page wider than the window, so that one has to scroll
    /// sideways; nothing where it fits.
    pub fn overflowing(&self) -> Result<Vec<String>> {
        let script = "const root = document.scrollingElement, wide = root.clientWidth + 1; \
            if (root.scrollWidth <= wide) return []; \
            const kept = e => { for (let p = e.parentElement; p && p !== root; p = p.parentElement) \
                if (getComputedStyle(p).overflowX !== 'visible') return true; return false }; \
            const all = [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > wide && !kept(e)); \
            return ['to ' + root.scrollWidth, ...all.filter(e => !all.some(o => o !== e && e.contains(o))).slice(0, 4).map(e => e.outerHTML.slice(0, 160))]";
        let found = self.driver.script(script, &[])?;
        Ok(found.as_array().into_iter().flatten().filter_map(|e| e.as_str().map(str::to_owned)).collect())
    }

    pub fn overflows(&self) -> Result<bool> {
        Ok(!self.overflowing()?.is_empty())
    }

    /// The cookies as a request would carry them.
    pub fn cookies(&self) -> Result<String> {
        let list = self.driver.command("GET", "cookie", None)?;
        let list = list.as_array().context("no cookies")?;
        let pair = |c: &Value| Some(format!("{}={}", c["name"].as_str()?, c["value"].as_str()?));
        Ok(list.iter().filter_map(pair).collect::<Vec<_>>().join("; "))
    }
}

fn axe() -> Result<String> {
    Ok(fs::read_to_string(package("axe-core")?.join("axe.min.js"))?)
}

/// Whom Chromium asks of its own accord, pages or none.
const BROWSERS_OWN: [&str; 5] = ["google.com", "googleapis.com", "gvt1.com", "gstatic.com", "duckduckgo.com"];

fn violation(value: &Value) -> Violation {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let nodes = value["nodes"].as_array().cloned().unwrap_or_default();
    let describe = |node: &Value| {
        let html: String = node["html"].as_str().unwrap_or_default().chars().take(300).collect();
        format!("{html} — {}", node["failureSummary"].as_str().unwrap_or_default().replace('\n', " "))
    };
    Violation {
        rule: text("id"),
        impact: text("impact"),
        help: text("help"),
        elements: nodes.iter().map(describe).collect(),
    }
}
