//! Postroom, asked over HTTP/1.1 connections that stay open. The client is as
//! small as can be: it shares the processors with the service.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::world::{World, email};
use super::{Plan, Work};

/// How long each request took.
pub fn run(world: &World, plan: &Plan, work: Work) -> Result<Vec<Duration>> {
    let (port, token) = (world.postroom.port(), world.postroom.token());
    let end = Instant::now() + Duration::from_secs_f64(plan.seconds);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..plan.connections)
            .map(|client| scope.spawn(move || one(port, token, &world.mailbox, work, client, end)))
            .collect();
        let mut all = Vec::new();
        for client in clients {
            let Ok(times) = client.join() else { bail!("a client of the benchmark ended badly") };
            all.extend(times?);
        }
        Ok(all)
    })
}

fn one(port: u16, token: &str, mailbox: &str, work: Work, client: usize, end: Instant) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(port)?;
    let head = |method: &str, path: &str, length: usize| {
        format!(
            "{method} /api/data/v9.2/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
             Accept: application/json\r\nOData-Version: 4.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut times = Vec::new();
    let mut n = client;
    while Instant::now() < end {
        let (request, expected) = match work {
            Work::ReadMailbox => (head("GET", &format!("mailboxes({mailbox})"), 0), 200),
            Work::ListEmails => (head("GET", "emails?$top=50&$expand=email_activity_parties", 0), 200),
            Work::CreateEmail => {
                n += 1;
                let body = email(n).to_string();
                (head("POST", "emails", body.len()) + &body, 204)
            }
        };
        let began = Instant::now();
        let status = connection.ask(request.as_bytes())?;
        times.push(began.elapsed());
        ensure!(status == expected, "{}: {status}: {}", work.name(), String::from_utf8_lossy(&connection.buffer));
    }
    Ok(times)
}

struct Connection {
    stream: TcpStream,
    /// The last answer.
    buffer: Vec<u8>,
}

impl Connection {
    fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends a request and reads the whole answer.
    fn ask(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let mut chunk = [0; 64 * 1024];
        let mut whole = None;
        loop {
            let read = self.stream.read(&mut chunk)?;
            ensure!(read > 0, "the connection was closed");
            self.buffer.extend_from_slice(&chunk[..read]);
            if whole.is_none()
                && let Some(head) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n")
            {
                whole = Some(head + 4 + length(&self.buffer[..head])?);
            }
            if whole.is_some_and(|whole| self.buffer.len() >= whole) {
                break;
            }
        }
        let status = self.buffer.get(9..12).and_then(|s| std::str::from_utf8(s).ok()?.parse().ok());
        status.context("no status")
    }
}

/// Octets of the payload.
fn length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?.to_ascii_lowercase();
    ensure!(!head.contains("\r\ntransfer-encoding:"), "the benchmark's client reads no chunks");
    let Some((_, rest)) = head.split_once("\r\ncontent-length:") else { return Ok(0) };
    Ok(rest.lines().next().unwrap_or_default().trim().parse()?)
}
