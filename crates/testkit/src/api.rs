//! A plain client of the Web API, as a customer's program would be.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use uuid::Uuid;

/// Speaks to one server in the name of one token.
#[derive(Clone)]
pub struct Api {
    agent: ureq::Agent,
    base: String,
    token: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// `OData-EntityId`.
    pub entity_id: Option<String>,
    pub etag: Option<String>,
    pub body: Value,
}

impl Answer {
    /// The id in `OData-EntityId`.
    pub fn id(&self) -> Result<Uuid> {
        let text = self.entity_id.as_deref().with_context(|| format!("no OData-EntityId in {self:?}"))?;
        let inner = text.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        Ok(inner.with_context(|| format!("no id in '{text}'"))?.parse()?)
    }

    /// The error's code, e.g. `0x8005E211`.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// Percent-encodes what no URL may hold (RFC 3986); what is encoded already stays.
fn legal(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

impl Api {
    /// `base`: e.g. `http://127.0.0.1:8420`.
    pub fn new(base: &str, token: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        Self { agent, base: base.to_owned(), token: token.to_owned() }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else if path.starts_with('/') {
            format!("{}{path}", self.base)
        } else {
            format!("{}/api/data/v9.2/{}", self.base, legal(path))
        }
    }

    /// Any request; `path` relative to `/api/data/v9.2/` unless it begins with `/` or `http`.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Result<Answer> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept", "application/json")
            .header("OData-Version", "4.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body.to_string())?;
                self.agent.run(request)?
            }
            None => self.agent.run(request.body(())?)?,
        };
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (entity_id, etag) = (header("OData-EntityId"), header("ETag"));
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(256 * 1024 * 1024).read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, entity_id, etag, body })
    }

    fn expect(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let answer = self.request(method, path, body, &[])?;
        if answer.status >= 400 {
            bail!("{method} {path}: {} {}", answer.status, answer.body);
        }
        Ok(answer)
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        Ok(self.expect("GET", path, None)?.body)
    }

    /// All rows of a set, following the pages.
    pub fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let mut page = self.get(&path)?;
            rows.append(page["value"].as_array_mut().with_context(|| format!("GET {path}: no value"))?);
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        Ok(rows)
    }

    pub fn create(&self, set: &str, body: &Value) -> Result<Uuid> {
        self.expect("POST", set, Some(body))?.id()
    }

    pub fn update(&self, path: &str, body: &Value) -> Result<()> {
        self.expect("PATCH", path, Some(body)).map(drop)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        Ok(self.expect("POST", path, Some(body))?.body)
    }

    pub fn delete(&self, path: &str) -> Result<()> {
        self.expect("DELETE", path, None).map(drop)
    }

    /// The mailbox of a user or queue.
    pub fn mailbox_of(&self, owner: Uuid) -> Result<Value> {
        let rows = self.list(&format!("mailboxes?$filter=_regardingobjectid_value eq {owner}"))?;
        rows.into_iter().next().with_context(|| format!("{owner} has no mailbox"))
    }

    /// Test & Enable, and waits for its end. Gives back the mailbox.
    pub fn test_and_enable(&self, mailbox: Uuid) -> Result<Value> {
        let path = format!("mailboxes({mailbox})");
        self.update(&path, &json!({ "testemailconfigurationscheduled": true }))?;
        self.wait_for(Duration::from_secs(120), &format!("the test of mailbox {mailbox} to end"), || {
            let row = self.get(&path)?;
            Ok((row["testemailconfigurationscheduled"] == false).then_some(row))
        })
    }

    /// Asks again and again until there is an answer.
    pub fn wait_for<T>(&self, most: Duration, what: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = ask()? {
                return Ok(found);
            }
            if began.elapsed() > most {
                bail!("waited {most:?} in vain for {what}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
