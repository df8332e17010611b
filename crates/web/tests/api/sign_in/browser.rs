//! A browser: keeps cookies, sends forms from our own pages.

use std::collections::BTreeMap;

use axum::http::Method;

use crate::world::{Answer, Ask, World};

pub struct Browser<'a> {
    world: &'a World,
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub fn new(world: &'a World) -> Self {
        Self { world, cookies: BTreeMap::new() }
    }

    pub fn ask(&self, method: Method, path: &str) -> Ask<'a> {
        let ask = self.world.ask(method, &format!("/{path}")).without("authorization");
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        if cookies.is_empty() { ask } else { ask.header("cookie", &cookies.join("; ")) }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let answer = self.ask(Method::GET, path).await;
        self.keep(answer)
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let ask = self.ask(Method::POST, path).header("origin", "http://crm.example.com");
        let answer = ask.raw("application/x-www-form-urlencoded", form(fields)).await;
        self.keep(answer)
    }

    pub fn keep(&mut self, answer: Answer) -> Answer {
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub async fn sign_in(&mut self, user: &str, password: &str) -> Answer {
        self.post("/signin", &[("user", user), ("password", password)]).await
    }

    pub fn session(&self) -> &str {
        &self.cookies["postroom"]
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    fields.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect::<Vec<_>>().join("&")
}
