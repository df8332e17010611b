//! People who look at pages: `w.administrator().await.open("/").await.sees("…")`.

use crate::browser::Browser;
use crate::world::{Answer, World};

const PASSWORD: &str = "correct horse battery";

/// Somebody who is signed in.
pub struct Person<'a> {
    browser: Browser<'a>,
    pub id: String,
    language: &'static str,
}

impl World {
    /// The administrator of `init`.
    pub async fn administrator(&self) -> Person<'_> {
        let id = self.read("/WhoAmI").await["UserId"].as_str().unwrap().to_owned();
        self.signed_in(crate::world::ADMIN, id).await
    }

    /// A new user with these roles, by name.
    pub async fn person(&self, address: &str, roles: &[&str]) -> Person<'_> {
        let (id, _) = self.user(address).await;
        for role in
            self.read(&format!("/systemusers({id})/systemuserroles_association")).await["value"].as_array().unwrap()
        {
            let role = role["roleid"].as_str().unwrap();
            self.delete(&format!("/systemusers({id})/systemuserroles_association({role})/$ref")).await.expect(204);
        }
        for name in roles {
            let found = self.read(&format!("/roles?$filter=name%20eq%20'{}'", name.replace(' ', "%20"))).await;
            let role = found["value"][0]["roleid"].as_str().unwrap_or_else(|| panic!("no role {name}"));
            let body =
                serde_json::json!({ "@odata.id": format!("http://crm.example.com/api/data/v9.2/roles({role})") });
            self.post(&format!("/systemusers({id})/systemuserroles_association/$ref"), body).await.expect(204);
        }
        self.signed_in(address, id).await
    }

    pub async fn customizer(&self) -> Person<'_> {
        self.person("customizer@example.com", &["System Customizer"]).await
    }

    /// An ordinary user.
    pub async fn salesperson(&self) -> Person<'_> {
        self.person("sally@example.com", &["Basic User"]).await
    }

    /// Somebody without any role.
    pub async fn nobody(&self) -> Person<'_> {
        self.person("nobody@example.com", &[]).await
    }

    async fn signed_in(&self, name: &str, id: String) -> Person<'_> {
        let ticket = actions::sign_in::reset::reset(&self.context().await, id.parse().unwrap(), false).await.unwrap();
        let mut browser = Browser::new(self);
        browser.post("/password", &[("ticket", &ticket), ("new", PASSWORD)]).await.expect(303);
        browser.sign_in(name, PASSWORD).await.expect(303);
        Person { browser, id, language: "en" }
    }
}

impl Person<'_> {
    pub fn reading(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// A page, of whatever status.
    pub async fn open(&mut self, path: &str) -> Answer {
        let ask = self.browser.ask(axum::http::Method::GET, path).header("accept-language", self.language);
        ask.await
    }

    /// The part of a page that its script asks for.
    pub async fn part(&mut self, path: &str) -> Answer {
        let ask = self.browser.ask(axum::http::Method::GET, path).header("accept-language", self.language);
        ask.header("hx-request", "true").await
    }

    /// Sends a form.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.browser.post(path, fields).await
    }

    /// Sends a form and looks at the page that it leads to.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.send(path, fields).await.expect(303);
        let to = answer.header("location").to_owned();
        self.open(&to).await.expect(200)
    }

    /// Sends a form with files: field, file name, bytes.
    pub async fn upload(&mut self, path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!("--BOUNDARY\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
            );
        }
        for (name, file, bytes) in files {
            let head = format!(
                "--BOUNDARY\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: text/plain\r\n\r\n"
            );
            body.extend(head.bytes().chain(bytes.iter().copied()).chain(*b"\r\n"));
        }
        body.extend(*b"--BOUNDARY--\r\n");
        let ask = self.browser.ask(axum::http::Method::POST, path).header("origin", "http://crm.example.com");
        ask.header("accept-language", self.language).raw("multipart/form-data; boundary=BOUNDARY", body).await
    }

    pub fn cookie(&mut self, name: &str, value: &str) {
        self.browser.cookies.insert(name.to_owned(), value.to_owned());
    }
}

impl Answer {
    /// The text that a person reads: without tags, spaces run together.
    pub fn words(&self) -> String {
        let (mut out, mut inside) = (String::new(), false);
        for c in self.text().chars() {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    out.push(' ');
                }
                c if !inside => out.push(c),
                _ => {}
            }
        }
        let plain = out.replace("&amp;", "&").replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\"");
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub fn sees(self, words: &str) -> Self {
        let text = self.words();
        assert!(text.contains(words), "expected '{words}' in: {text}");
        self
    }

    #[track_caller]
    pub fn sees_no(self, words: &str) -> Self {
        let text = self.words();
        assert!(!text.contains(words), "'{words}' in: {text}");
        self
    }
}
