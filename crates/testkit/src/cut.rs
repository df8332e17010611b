//! A proxy in front of a real server that breaks connections on request.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::runtime;

/// What goes wrong. A fault holds for new connections and counts bytes from
/// each connection's beginning; `Delay` and `Stall` also take hold of
/// connections that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: bytes pass.
    None,
    /// New connections are closed at once.
    Refuse,
    /// The connection is reset once this many bytes came from the server; the
    /// byte after them never reaches the client.
    CutAfterFromServer(u64),
    /// The connection is reset once this many bytes came from the client; the
    /// server sees exactly these.
    CutAfterFromClient(u64),
    /// The client's bytes reach the server, but after this many bytes of
    /// answers the client hears no more and is reset a moment later. What was
    /// asked has been done: the classic uncertain outcome.
    DeafAfterFromServer(u64),
    /// Every piece is held up this long, in both directions.
    Delay(Duration),
    /// Connections stay open and nothing passes.
    Stall,
}

/// A TCP proxy on a loopback port of its own.
pub struct CutProxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    /// Counts up when all open connections are to be reset.
    cut: watch::Sender<u64>,
    seen: Arc<Seen>,
    /// Where new connections go.
    server: Arc<Mutex<SocketAddr>>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    from_client: AtomicU64,
    from_server: AtomicU64,
    errors: Mutex<Vec<String>>,
}

impl CutProxy {
    /// Starts a proxy for the server on `port` of 127.0.0.1.
    pub fn start(port: u16) -> Result<Self> {
        Self::between((Ipv4Addr::LOCALHOST, 0).into(), (Ipv4Addr::LOCALHOST, port).into())
    }

    /// Passes connections that come to `listen` on to `server`.
    pub(crate) fn between(listen: SocketAddr, server: SocketAddr) -> Result<Self> {
        let runtime = runtime::background()?;
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (fault, faults) = watch::channel(Fault::None);
        let (cut, cuts) = watch::channel(0);
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let server = Arc::new(Mutex::new(server));
        let target = server.clone();
        let listener = {
            let _context = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let accepting = runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let connection = Connection { faults: faults.clone(), cuts: cuts.clone(), seen: shared.clone() };
                let server = *target.lock().unwrap_or_else(PoisonError::into_inner);
                tokio::spawn(connection.run(client, server));
            }
        });
        Ok(Self { address, fault, cut, seen, server, accepting })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// New connections go to another server on 127.0.0.1; open ones are reset.
    pub fn redirect(&self, port: u16) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = (Ipv4Addr::LOCALHOST, port).into();
        self.cut_all();
    }

    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Resets every open connection, now.
    pub fn cut_all(&self) {
        self.cut.send_modify(|count| *count += 1);
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// Bytes passed so far, from clients and from the server.
    pub fn bytes(&self) -> (u64, u64) {
        (self.seen.from_client.load(Ordering::Relaxed), self.seen.from_server.load(Ordering::Relaxed))
    }

    /// What went wrong between proxy and server without being asked for.
    pub fn errors(&self) -> Vec<String> {
        self.seen.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for CutProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut_all();
    }
}

struct Connection {
    faults: watch::Receiver<Fault>,
    cuts: watch::Receiver<u64>,
    seen: Arc<Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    FromClient,
    FromServer,
}

impl Connection {
    async fn run(mut self, mut client: TcpStream, server: SocketAddr) {
        let first = *self.faults.borrow();
        if first == Fault::Refuse {
            reset(&client);
            return;
        }
        self.cuts.mark_unchanged();
        let mut server = match TcpStream::connect(server).await {
            Ok(server) => server,
            Err(error) => {
                self.seen.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error.to_string());
                reset(&client);
                return;
            }
        };
        // Pieces go on as they came; holding them back is Delay's business.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ended = {
            let (client_read, client_write) = client.split();
            let (server_read, server_write) = server.split();
            let up = Pump { from: client_read, to: server_write, way: Direction::FromClient, first };
            let down = Pump { from: server_read, to: client_write, way: Direction::FromServer, first };
            // An orderly end of one side is passed on while the other goes on.
            let both = async {
                tokio::try_join!(up.run(self.faults.clone(), &self.seen), down.run(self.faults.clone(), &self.seen))
            };
            tokio::select! {
                ended = both => ended.map(|_| ()),
                _ = self.cuts.changed() => Err(Cut),
            }
        };
        if let Err(Cut) = ended {
            reset(&client);
            reset(&server);
        }
    }
}

struct Pump<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    way: Direction,
    /// The fault of the connection's beginning, which counts its bytes.
    first: Fault,
}

/// The connection is to be reset.
struct Cut;

impl Pump<'_> {
    async fn run(mut self, mut faults: watch::Receiver<Fault>, seen: &Seen) -> Result<(), Cut> {
        let mut left = self.budget();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = self.from.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                let _ = self.to.shutdown().await;
                return Ok(());
            }
            hold_up(&mut faults).await;
            let pass = left.map_or(count, |left| usize::try_from(left).unwrap_or(usize::MAX).min(count));
            let piece = buffer.get(..pass).unwrap_or_default();
            // Before the bytes: whoever has read them finds them counted.
            let counter = if self.way == Direction::FromClient { &seen.from_client } else { &seen.from_server };
            counter.fetch_add(pass as u64, Ordering::Relaxed);
            if self.to.write_all(piece).await.is_err() {
                return Err(Cut);
            }
            if let Some(left) = &mut left {
                *left -= pass as u64;
                if pass < count || *left == 0 {
                    return self.exhausted().await;
                }
            }
        }
    }

    fn budget(&self) -> Option<u64> {
        match (self.first, self.way) {
            (Fault::CutAfterFromServer(count) | Fault::DeafAfterFromServer(count), Direction::FromServer)
            | (Fault::CutAfterFromClient(count), Direction::FromClient) => Some(count),
            _ => None,
        }
    }

    async fn exhausted(mut self) -> Result<(), Cut> {
        if matches!(self.first, Fault::DeafAfterFromServer(_)) {
            // The server finishes what it was asked, unheard.
            let mut rest = vec![0; 4096];
            let silence = Duration::from_millis(500);
            while let Ok(Ok(1..)) = tokio::time::timeout(silence, self.from.read(&mut rest)).await {}
        } else {
            // A reset overtakes what still waits to be sent.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(Cut)
    }
}

/// Waits as long as the present fault demands.
async fn hold_up(faults: &mut watch::Receiver<Fault>) {
    loop {
        let fault = *faults.borrow_and_update();
        match fault {
            Fault::Delay(time) => return tokio::time::sleep(time).await,
            Fault::Stall => {
                if faults.changed().await.is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}

/// Makes the close that follows a reset instead of an orderly end.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}
