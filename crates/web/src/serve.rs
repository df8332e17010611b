//! The listener. A client that sends its header slowly, or many clients that
//! send nothing at all, cost no more than what is said here.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How long a client may take to send the header of a request; also how long
/// a connection may stand idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Octets of a request's header section.
const LARGEST_HEADER: usize = 128 * 1024;
/// Connections at a time. More wait to be accepted.
const MOST_CONNECTIONS: usize = 2048;
/// How long requests that were begun may take to end when the server ends.
const GRACE: Duration = Duration::from_secs(30);
/// How long to wait when the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// Answers requests until `shutdown` ends; then those that were begun.
///
/// # Errors
/// None at present: a connection that fails concerns only its client.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
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
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "Bad: a connection could not be accepted");
                tokio::time::sleep(EXHAUSTED).await;
                continue;
            }
        };
        // Answers are small and wait for nothing.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(LARGEST_HEADER)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
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
