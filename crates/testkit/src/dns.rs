//! A name server on loopback that knows what a test tells it: A, MX and SRV
//! over UDP and TCP, by RFC 1035 and nobody's library.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

/// What a name has. Names are absolute, without the final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    A(Ipv4Addr),
    Mx { preference: u16, host: String },
    Srv { priority: u16, weight: u16, port: u16, host: String },
}

#[derive(Debug, Default)]
struct State {
    zone: BTreeMap<String, Vec<Record>>,
    /// What was asked for, as `TYPE name`.
    asked: Vec<String>,
    silent: bool,
}

/// Ends with the test.
pub struct Dns {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Dns {
    /// Knows nothing yet: every name does not exist.
    pub fn start() -> Result<Self> {
        let (udp, tcp) = same_port()?;
        let address = udp.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || datagrams(&udp, &shared));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in tcp.incoming().flatten() {
                // A client that goes away in the middle has its reasons.
                let _ = conversation(stream, &shared);
            }
        });
        Ok(Self { address, state })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn add(&self, name: &str, record: Record) {
        self.state().zone.entry(name.to_ascii_lowercase()).or_default().push(record);
    }

    /// Answers nobody from now on.
    pub fn fall_silent(&self) {
        self.state().silent = true;
    }

    pub fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// UDP and TCP have ports of their own; a name server has both at one number.
fn same_port() -> Result<(UdpSocket, TcpListener)> {
    for _ in 0..100 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        if let Ok(tcp) = TcpListener::bind(udp.local_addr()?) {
            return Ok((udp, tcp));
        }
    }
    anyhow::bail!("no port that is free for UDP and TCP was found in 100 tries")
}

fn datagrams(socket: &UdpSocket, state: &Mutex<State>) {
    let mut buffer = [0; 4096];
    while let Ok((size, from)) = socket.recv_from(&mut buffer) {
        if let Some(answer) = answer(&buffer[..size], state) {
            // Datagrams may be lost.
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn conversation(mut stream: TcpStream, state: &Mutex<State>) -> Result<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut question)?;
    let answer = answer(&question, state).context("nothing to say")?;
    stream.write_all(&u16::try_from(answer.len())?.to_be_bytes())?;
    stream.write_all(&answer)?;
    Ok(())
}

const A: u16 = 1;
const MX: u16 = 15;
const SRV: u16 = 33;

fn answer(question: &[u8], state: &Mutex<State>) -> Option<Vec<u8>> {
    let (name, end) = read_name(question, 12)?;
    let kind = u16::from_be_bytes([*question.get(end)?, *question.get(end + 1)?]);
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let word = match kind {
        A => "A".to_owned(),
        MX => "MX".to_owned(),
        SRV => "SRV".to_owned(),
        other => other.to_string(),
    };
    state.asked.push(format!("{word} {name}"));
    if state.silent {
        return None;
    }
    let known = state.zone.get(&name);
    let records: Vec<(u16, Vec<u8>)> = known.into_iter().flatten().map(data).filter(|(k, _)| *k == kind).collect();
    let mut out = question.get(..2)?.to_vec();
    // A final answer of somebody who is in charge; 3: there is no such name.
    out.extend([0x85, if known.is_some() { 0x80 } else { 0x83 }, 0, 1]);
    out.extend(u16::try_from(records.len()).ok()?.to_be_bytes());
    out.extend([0, 0, 0, 0]);
    out.extend(question.get(12..end + 4)?);
    for (kind, data) in records {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        out.extend(data);
    }
    Some(out)
}

fn data(record: &Record) -> (u16, Vec<u8>) {
    match record {
        Record::A(address) => (A, address.octets().to_vec()),
        Record::Mx { preference, host } => (MX, [preference.to_be_bytes().to_vec(), write_name(host)].concat()),
        Record::Srv { priority, weight, port, host } => {
            let numbers = [priority, weight, port].map(|n| n.to_be_bytes()).concat();
            (SRV, [numbers, write_name(host)].concat())
        }
    }
}

fn read_name(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(bytes.get(at..at + length)?).to_ascii_lowercase());
        at += length;
    }
}

/// The root is the empty name.
fn write_name(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len()).unwrap_or(63));
        out.extend(label.bytes().take(63));
    }
    out.push(0);
    out
}
