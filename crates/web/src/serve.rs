//! The listener. A client that sends its header slowly, or many clients that
//! send nothing at all, cost no more than what is said here.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::peer::Peer;

mod door;
mod redirect;
mod tls;

pub use redirect::redirect_router;
pub use tls::{BadCertificate, Tls, TlsVersion};

/// How long a client may take to send the header of a request; also how long
/// a connection may stand idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to agree on keys.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Octets of a request's header section.
const LARGEST_HEADER: usize = 128 * 1024;
/// Connections at a time. More wait to be accepted.
const MOST_CONNECTIONS: usize = 2048;
/// How long requests that were begun may take to end when the server ends.
const GRACE: Duration = Duration::from_secs(30);
/// How long to wait when the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(200);
/// The first octet of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// Answers requests until `shutdown` ends; then those that were begun.
///
/// # Errors
/// None at present: a connection that fails concerns only its client.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    accept(listener, None, router, shutdown).await
}

/// The same over TLS alone; the certificate may be replaced meanwhile.
///
/// # Errors
/// As [`serve`].
pub async fn serve_tls(
    listener: TcpListener,
    tls: Arc<Tls>,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    accept(listener, Some(tls), router, shutdown).await
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let service = TowerToHyperService::new(router);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut shutdown => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "Bad: a connection could not be accepted");
                tokio::time::sleep(EXHAUSTED).await;
                continue;
            }
        };
        // Answers are small and wait for nothing.
        let _ = stream.set_nodelay(true);
        let peer = Peer { address: Some(address.ip()), secure: tls.is_some() };
        let (tls, service, watcher) = (tls.clone(), service.clone(), graceful.watcher());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, peer, service, watcher).await,
                Some(tls) => {
                    if let Some(stream) = handshake(&tls, stream).await {
                        converse(stream, peer, service, watcher).await;
                    }
                }
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("Bad: some requests had not ended when the server did");
    }
    Ok(())
}

/// Agrees on keys; whoever speaks plain HTTP is told so.
async fn handshake(tls: &Tls, mut stream: TcpStream) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    let agreed = tokio::time::timeout(HANDSHAKE_TIMEOUT, async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() && first[0] != HANDSHAKE {
            speak_plainly(&mut stream).await?;
            return Ok(None);
        }
        tls.acceptor().accept(stream).await.map(Some)
    });
    match agreed.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a client could not agree on keys");
            None
        }
        Err(_) => {
            tracing::debug!("a client took too long to agree on keys");
            None
        }
    }
}

/// 400 in the clear, for a client that came with `http:`.
async fn speak_plainly(stream: &mut TcpStream) -> io::Result<()> {
    const BODY: &str =
        r#"{"error":{"code":"0x80060888","message":"This port speaks TLS. Use https instead of http."}}"#;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nOData-Version: 4.0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // What was sent is read, or the client might see a reset before the answer.
    let mut rest = [0; 1024];
    let mut left = LARGEST_HEADER;
    while left > 0 {
        match stream.read(&mut rest).await? {
            0 => break,
            n => left = left.saturating_sub(n),
        }
    }
    Ok(())
}

async fn converse<S>(stream: S, peer: Peer, service: TowerToHyperService<Router>, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(LARGEST_HEADER)
        .serve_connection(TokioIo::new(stream), service_fn(|request| door::answer(service.clone(), peer, request)));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
