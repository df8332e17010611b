//! A receiver of webhooks on loopback: keeps what it was told and answers as
//! it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One request.
#[derive(Debug, Clone)]
pub struct Told {
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Told {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

#[derive(Debug, Default)]
struct State {
    told: Vec<Told>,
    /// The status that is answered; 0: the connection is closed without one.
    status: u16,
}

/// Ends with the test.
pub struct Hook {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Hook {
    /// Answers `200` to everybody.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(Mutex::new(State { status: 200, ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Ok(Self { port, state })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn answer(&self, status: u16) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).status = status;
    }

    /// All that it was told so far, also what it refused.
    pub fn told(&self) -> Vec<Told> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).told.clone()
    }

    /// Waits until so many requests came: longer than a sender that was killed
    /// with an event in its hands keeps it from others.
    pub fn wait_for(&self, count: usize) -> Result<Vec<Told>> {
        let end = Instant::now() + Duration::from_secs(150);
        loop {
            let told = self.told();
            if told.len() >= count {
                return Ok(told);
            }
            if Instant::now() > end {
                bail!("{} requests came instead of {count}", told.len());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Ok(told) = read(&stream) else { return };
    let status = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.told.push(told);
        state.status
    };
    if status > 0 {
        // A sender that has gone away has its reasons.
        let _ = write!(stream, "HTTP/1.1 {status} So\r\nContent-Length: 4\r\nConnection: close\r\n\r\nseen");
    }
}

fn read(stream: &TcpStream) -> Result<Told> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).context("no request line")?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(Ok(0), |(_, value)| value.parse())?];
    reader.read_exact(&mut body)?;
    Ok(Told { target, headers, body })
}

/// HMAC-SHA256 in hexadecimal, after RFC 2104 and by nobody's library.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::digest([block.map(|b| b ^ 0x36).as_slice(), message].concat());
    let outer = Sha256::digest([block.map(|b| b ^ 0x5c).as_slice(), inner.as_slice()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}
