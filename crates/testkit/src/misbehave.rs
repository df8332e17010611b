//! A server that follows a script, for the faults that real servers do not
//! produce on request.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::runtime;
use crate::tls::{Authority, acceptor};

/// One step of a script. `{tag}` in what is sent stands for the first word of
/// the line that [`Step::Expect`] matched last: the tag of an IMAP command.
#[derive(Debug, Clone)]
pub enum Step {
    /// Reads lines up to one that contains this text, in any case.
    Expect(String),
    /// Reads this many bytes: a literal, a message.
    ReadBytes(usize),
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one, with this pause after each.
    Trickle(Vec<u8>, Duration),
    /// Sends this many bytes of deterministic garbage.
    Garbage(usize),
    /// Waits.
    Wait(Duration),
    /// Upgrades to TLS, as after STARTTLS. The certificate comes from the
    /// authority given to [`Misbehave::start_tls`].
    StartTls,
    /// Ends the connection in an orderly way.
    Close,
    /// Ends the connection with a TCP reset.
    Reset,
    /// Stays connected and never says anything again.
    Silence,
}

impl Step {
    pub fn expect(text: &str) -> Self {
        Self::Expect(text.to_owned())
    }

    /// Sends a line; CRLF is added.
    pub fn line(text: &str) -> Self {
        Self::Send(format!("{text}\r\n").into_bytes())
    }

    pub fn send(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Send(bytes.into())
    }

    /// Announces a literal of `length` bytes after `prefix`, sends only
    /// `sent` of them; a `Close` or `Silence` makes the fault complete.
    pub fn half_literal(prefix: &str, length: usize, sent: &[u8]) -> Self {
        let mut bytes = format!("{prefix}{{{length}}}\r\n").into_bytes();
        bytes.extend_from_slice(sent);
        Self::Send(bytes)
    }
}

/// A scripted server on a loopback port of its own.
pub struct Misbehave {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Misbehave {
    /// The first connection follows the first script and so on; the last one
    /// serves all further connections. No script at all: every connection is
    /// closed at once.
    pub fn start(scripts: Vec<Vec<Step>>) -> Result<Self> {
        Self::serve(scripts, &Authority::new()?, false)
    }

    /// As [`Self::start`], with implicit TLS.
    pub fn start_tls(scripts: Vec<Vec<Step>>, authority: &Authority) -> Result<Self> {
        Self::serve(scripts, authority, true)
    }

    /// As [`Self::start`], with an authority for [`Step::StartTls`].
    pub fn start_with_starttls(scripts: Vec<Vec<Step>>, authority: &Authority) -> Result<Self> {
        Self::serve(scripts, authority, false)
    }

    fn serve(scripts: Vec<Vec<Step>>, authority: &Authority, implicit_tls: bool) -> Result<Self> {
        let runtime = runtime::background()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let acceptor = acceptor(&authority.for_localhost()?)?;
        let listener = {
            let _context = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let heard = Arc::new(Mutex::new(Vec::new()));
        let shared = heard.clone();
        let accepting = runtime.spawn(async move {
            let mut scripts = VecDeque::from(scripts);
            while let Ok((stream, _)) = listener.accept().await {
                let script = match scripts.len() {
                    0 => Vec::new(),
                    1 => scripts.front().cloned().unwrap_or_default(),
                    _ => scripts.pop_front().unwrap_or_default(),
                };
                let player = Player { heard: shared.clone(), acceptor: acceptor.clone(), tag: String::new() };
                tokio::spawn(player.play(stream, script, implicit_tls));
            }
        });
        Ok(Self { address, heard, accepting })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The lines that clients have sent, without their line ends.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Misbehave {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Player {
    heard: Arc<Mutex<Vec<String>>>,
    acceptor: tokio_rustls::TlsAcceptor,
    tag: String,
}

/// How a connection goes on after some steps.
enum Outcome {
    Closed,
    Reset,
    StartTls,
}

impl Player {
    async fn play(mut self, mut stream: TcpStream, script: Vec<Step>, implicit_tls: bool) {
        let mut steps = VecDeque::from(script);
        let outcome = if implicit_tls { Ok(Outcome::StartTls) } else { self.steps(&mut stream, &mut steps).await };
        match outcome {
            Ok(Outcome::StartTls) => {
                if let Ok(mut secure) = self.acceptor.clone().accept(stream).await {
                    let outcome = self.steps(&mut secure, &mut steps).await;
                    if let Ok(Outcome::Reset) = outcome {
                        let _ = secure.get_ref().0.set_zero_linger();
                    } else {
                        let _ = secure.shutdown().await;
                    }
                }
            }
            Ok(Outcome::Reset) => {
                let _ = stream.set_zero_linger();
            }
            // The client has gone away, or the script is over.
            Ok(Outcome::Closed) | Err(_) => {}
        }
    }

    async fn steps<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        steps: &mut VecDeque<Step>,
    ) -> std::io::Result<Outcome> {
        while let Some(step) = steps.pop_front() {
            match step {
                Step::Expect(text) => self.expect(stream, &text).await?,
                Step::ReadBytes(count) => {
                    stream.read_exact(&mut vec![0; count]).await?;
                }
                Step::Send(bytes) => {
                    stream.write_all(&self.tagged(&bytes)).await?;
                    stream.flush().await?;
                }
                Step::Trickle(bytes, pause) => {
                    for byte in self.tagged(&bytes) {
                        stream.write_all(&[byte]).await?;
                        stream.flush().await?;
                        tokio::time::sleep(pause).await;
                    }
                }
                Step::Garbage(count) => stream.write_all(&garbage(count)).await?,
                Step::Wait(time) => tokio::time::sleep(time).await,
                Step::StartTls => return Ok(Outcome::StartTls),
                Step::Close => return Ok(Outcome::Closed),
                Step::Reset => return Ok(Outcome::Reset),
                Step::Silence => {
                    // Listening is not answering: the client's end is noticed.
                    let mut ignored = vec![0; 4096];
                    while stream.read(&mut ignored).await? > 0 {}
                }
            }
        }
        Ok(Outcome::Closed)
    }

    async fn expect<S: AsyncRead + Unpin>(&mut self, stream: &mut S, text: &str) -> std::io::Result<()> {
        loop {
            let mut line = Vec::new();
            // Byte by byte, so that nothing after the line is taken: it may be
            // a literal, or the beginning of TLS.
            while !line.ends_with(b"\n") {
                line.push(stream.read_u8().await?);
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let found = line.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
            if found {
                self.tag = line.split(' ').next().unwrap_or_default().to_owned();
            }
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            if found {
                return Ok(());
            }
        }
    }

    /// Puts the tag where `{tag}` stands.
    fn tagged(&self, bytes: &[u8]) -> Vec<u8> {
        const MARK: &[u8] = b"{tag}";
        let mut rest = bytes;
        let mut all = Vec::with_capacity(bytes.len());
        while let Some(&first) = rest.first() {
            if let Some(after) = rest.strip_prefix(MARK) {
                all.extend_from_slice(self.tag.as_bytes());
                rest = after;
            } else {
                all.push(first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        all
    }
}

/// Always the same bytes, of every value.
fn garbage(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(count).collect()
}
