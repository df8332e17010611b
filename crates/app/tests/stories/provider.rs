//! Signing in at a real OpenID provider (`oidc-provider` for Node.js), by the
//! forms that a browser would send.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use testkit::{Postroom, postroom};

use crate::clients::full_run;
use crate::common::binary;

/// Where `scripts/setup clients` puts it: beside the program's own directory.
#[expect(clippy::print_stdout, reason = "whoever runs the tests should see what was left out")]
fn packages() -> Result<Option<PathBuf>> {
    let target = binary().parent().and_then(Path::parent).context("the program is in no target directory")?;
    let place = target.join("clients/oidc");
    if place.join("node_modules/oidc-provider").exists() {
        return Ok(Some(place));
    }
    if full_run() {
        bail!("{} has no oidc-provider: scripts/setup clients", place.display());
    }
    println!("skipped: {} has no oidc-provider; scripts/setup clients installs it", place.display());
    Ok(None)
}

/// The provider's process; it ends with the test.
struct Provider {
    process: Child,
    // It ends when nobody takes what it says.
    said: BufReader<ChildStdout>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Provider {
    fn start(place: &Path, port: u16, postroom: &str) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/clients/provider.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .arg(place)
            .arg(port.to_string())
            .arg(format!("{postroom}/signin/oidc"))
            .arg(format!("{postroom}/signin?out=1"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("node cannot be started")?;
        let said = child.stdout.take().context("no output")?;
        let mut this = Self { process: child, said: BufReader::new(said) };
        let mut line = String::new();
        this.said.read_line(&mut line)?;
        ensure!(line.trim() == "ready", "the provider says {line}");
        Ok(this)
    }
}

struct Page {
    status: u16,
    url: String,
    head: String,
    body: String,
}

/// Keeps the cookies of each server, follows redirects and fills in forms.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    fn once(&mut self, url: &str, form: Option<&str>) -> Result<Page> {
        let rest = url.strip_prefix("http://").with_context(|| format!("{url} is no address of this story"))?;
        let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
        let cookies: Vec<String> =
            self.cookies.iter().filter(|((s, _), _)| s == server).map(|((_, n), v)| format!("{n}={v}")).collect();
        let mut request =
            format!("{} /{path} HTTP/1.1\r\nHost: {server}\r\n", if form.is_some() { "POST" } else { "GET" });
        request += &format!("Connection: close\r\nAccept: text/html\r\nOrigin: http://{server}\r\n");
        if !cookies.is_empty() {
            request += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        let form_text = form.unwrap_or("");
        if form.is_some() {
            request +=
                &format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", form_text.len());
        }
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(format!("{request}\r\n{form_text}").as_bytes())?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").context("no answer")?;
        for line in head.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            if name.eq_ignore_ascii_case("set-cookie") {
                let (name, value) = value.split(';').next().and_then(|c| c.split_once('=')).context("a cookie")?;
                let key = (server.to_owned(), name.trim().to_owned());
                if value.is_empty() {
                    self.cookies.remove(&key)
                } else {
                    self.cookies.insert(key, value.to_owned())
                };
            }
        }
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no status")?;
        Ok(Page { status, url: url.to_owned(), head: head.to_owned(), body: body.to_owned() })
    }

    fn visit(&mut self, url: &str, form: Option<&str>) -> Result<Page> {
        let mut page = self.once(url, form)?;
        for _ in 0..15 {
            if !matches!(page.status, 302 | 303) {
                return Ok(page);
            }
            let to = page.header("location").context("a redirect to nowhere")?;
            let to = absolute(&page.url, &to);
            page = self.once(&to, None)?;
        }
        bail!("too many redirects at {}", page.url)
    }

    /// Sends the first form of a page with these fields besides the hidden ones.
    fn submit(&mut self, page: &Page, fields: &str) -> Result<Page> {
        let form =
            page.body.split("<form").nth(1).with_context(|| format!("no form at {}: {}", page.url, page.body))?;
        let form = form.split("</form>").next().unwrap_or(form);
        let action = attribute(form, "action").unwrap_or_default();
        let mut all: Vec<String> = Vec::new();
        for input in form.split("<input").skip(1).filter(|i| i.contains("type=\"hidden\"")) {
            let (name, value) = (attribute(input, "name"), attribute(input, "value"));
            all.push(format!("{}={}", name.unwrap_or_default(), value.unwrap_or_default()));
        }
        if !fields.is_empty() {
            all.push(fields.to_owned());
        }
        self.visit(&absolute(&page.url, &action), Some(&all.join("&")))
    }

    /// Signs in at the provider as this account and consents.
    fn sign_in(&mut self, start: &str, account: &str) -> Result<Page> {
        let login = self.visit(start, None)?;
        ensure!(login.body.contains("name=\"login\""), "no form to sign in with at {}: {}", login.url, login.body);
        let consent = self.submit(&login, &format!("login={account}&password=x"))?;
        self.submit(&consent, "")
    }
}

impl Page {
    fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned()).next()
    }
}

fn absolute(base: &str, to: &str) -> String {
    if to.starts_with("http") {
        return to.to_owned();
    }
    let server = base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    format!("{server}{to}")
}

fn attribute(element: &str, name: &str) -> Option<String> {
    let (_, rest) = element.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next()?.replace("&amp;", "&").replace("&#38;", "&"))
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[test]
fn people_sign_in_at_a_real_provider() -> Result<()> {
    let Some(place) = packages()? else { return Ok(()) };
    let port = free_port()?;
    let config = format!(
        "allow_insecure = true\n[sign_in]\nissuer = \"http://127.0.0.1:{port}\"\nclient_id = \"postroom\"\n\
         client_secret = \"a secret: of the story\"\nscopes = [\"openid\", \"email\", \"profile\", \"groups\"]\n\
         groups_claim = \"groups\"\n[sign_in.roles]\nsales = \"Mailbox Administrator\"\n"
    );
    let postroom = Postroom::start(binary(), postroom::Options { config, ..postroom::Options::default() })?;
    let api = postroom.api();
    let role = api.get("roles?$select=name&$filter=name%20eq%20'Mailbox%20Administrator'")?;
    ensure!(role["value"].as_array().is_some_and(|r| r.len() == 1), "the role of the story is there: {role}");
    let ann = api.create(
        "systemusers",
        &json!({
            "internalemailaddress": "ann@crm.test", "domainname": "ann@crm.test", "lastname": "Ann",
        }),
    )?;
    api.create(
        "systemusers",
        &json!({
            "internalemailaddress": "mallory@crm.test", "domainname": "mallory@crm.test", "lastname": "Mallory",
        }),
    )?;
    // Before the provider runs, the doctor says so.
    let doctor = postroom.run(&["doctor"])?;
    ensure!(!doctor.status.success() && String::from_utf8_lossy(&doctor.stdout).contains("identity provider"));
    let _provider = Provider::start(&place, port, &postroom.base())?;
    let doctor = postroom.run(&["doctor"])?;
    ensure!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));

    let start = format!("{}/signin/openid?return=%2Faccount", postroom.base());
    let mut browser = Browser::default();
    let page = browser.sign_in(&start, "ann")?;
    ensure!(page.status == 200 && page.body.contains("ann@crm.test"), "{}: {}", page.url, page.body);
    ensure!(page.url == format!("{}/account", postroom.base()), "{}", page.url);
    let roles = api.get(&format!(
        "systemuserrolescollection?$expand=roleid($select=name)&$filter=_systemuserid_value%20eq%20{ann}"
    ))?;
    ensure!(roles.to_string().contains("Mailbox Administrator"), "{roles}");
    // The second time nobody asks.
    let again = browser.visit(&start, None)?;
    ensure!(again.status == 200 && again.body.contains("ann@crm.test"), "{}", again.body);

    // Who is not known, and whose address is not verified, is told so.
    let stranger = Browser::default().sign_in(&start, "stranger")?;
    ensure!(stranger.status == 401 && stranger.body.contains("no user stranger@crm.test"), "{}", stranger.body);
    let mallory = Browser::default().sign_in(&start, "mallory")?;
    ensure!(mallory.status == 401 && mallory.body.contains("has not verified"), "{}", mallory.body);
    let admin = Browser::default().sign_in(&start, "admin")?;
    ensure!(admin.status == 401 && admin.body.contains("System Administrator"), "{}", admin.body);

    // Signing out leads to the provider's own page.
    let out = browser.visit(&format!("{}/signout", postroom.base()), Some(""))?;
    let next = out.body.split("<a class=\"button\"").nth(1).and_then(|link| attribute(link, "href"));
    let next = next.with_context(|| format!("no way on: {}", out.body))?;
    let asks = browser.visit(&next, None)?;
    ensure!(asks.status == 200 && asks.url.starts_with(&format!("http://127.0.0.1:{port}/")), "{}", asks.url);
    let home = browser.visit(&format!("{}/account", postroom.base()), None)?;
    ensure!(home.url.contains("/signin"), "still signed in: {}", home.url);
    ensure!(!postroom.log().contains("a secret: of the story"));
    Ok(())
}
