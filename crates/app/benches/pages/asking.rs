//! A browser without a screen: one connection, one session.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testkit::postroom::{ADMINISTRATOR, Postroom};

const PASSWORD: &str = "four words and a half";

pub struct Browser {
    stream: TcpStream,
    port: u16,
    cookie: String,
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Browser {
    /// As the administrator.
    pub fn sign_in(postroom: &Postroom) -> Result<Self> {
        postroom.set_password(ADMINISTRATOR, PASSWORD)?;
        let stream = TcpStream::connect(("127.0.0.1", postroom.port()))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut browser = Self { stream, port: postroom.port(), cookie: String::new() };
        let form = format!("user={}&password={}", ADMINISTRATOR.replace('@', "%40"), PASSWORD.replace(' ', "+"));
        let answer = browser.ask("POST", "/signin", &form)?;
        ensure!(answer.status == 303, "signing in: {}: {}", answer.status, answer.body);
        let cookie = answer.head.lines().find_map(|l| l.strip_prefix("set-cookie: "));
        let cookie = cookie.and_then(|c| c.split(';').next()).context("no cookie")?;
        cookie.clone_into(&mut browser.cookie);
        Ok(browser)
    }

    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, "")
    }

    fn ask(&mut self, method: &str, path: &str, form: &str) -> Result<Answer> {
        let port = self.port;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nCookie: {}\r\n\
             Accept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.cookie,
            form.len()
        );
        self.stream.write_all(request.as_bytes())?;
        let mut buffer = Vec::new();
        let mut chunk = [0; 64 * 1024];
        loop {
            let read = self.stream.read(&mut chunk)?;
            ensure!(read > 0, "the connection was closed");
            buffer.extend_from_slice(&chunk[..read]);
            let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            ensure!(!head.contains("\r\ntransfer-encoding:"), "the benchmark's client reads no chunks");
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
            let length: usize = length.map_or(Ok(0), |l| l.trim().parse())?;
            if buffer.len() >= end + 4 + length {
                let status = head.get(9..12).and_then(|s| s.parse().ok()).context("no status")?;
                // A cookie's value is case-sensitive.
                let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
                return Ok(Answer { status, head, body: String::from_utf8_lossy(&buffer[end + 4..]).into_owned() });
            }
        }
    }
}
