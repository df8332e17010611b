//! A site on loopback that serves files by HTTPS.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::runtime::background;
use crate::tls::{ServerCertificate, acceptor};

type Files = Arc<Mutex<BTreeMap<String, String>>>;

/// Ends with the test.
pub struct Site {
    port: u16,
    /// `host/path` → content.
    files: Files,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub async fn start(certificate: &ServerCertificate) -> Result<Self> {
        let acceptor = acceptor(certificate)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?.into_std()?;
        let port = listener.local_addr()?.port();
        let files = Files::default();
        let asked = Arc::default();
        let (shared, log) = (Arc::clone(&files), Arc::clone(&asked));
        background()?.spawn(async move {
            let Ok(listener) = TcpListener::from_std(listener) else { return };
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, files, asked) = (acceptor.clone(), Arc::clone(&shared), Arc::clone(&log));
                tokio::spawn(async move {
                    if let Ok(tls) = acceptor.accept(tcp).await {
                        // A client that goes away in the middle has its reasons.
                        let _ = serve(tls, &files, &asked).await;
                    }
                });
            }
        });
        Ok(Self { port, files, asked })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves `content` at `path` of `host`, whatever the query.
    pub fn put(&self, host: &str, path: &str, content: &str) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(format!("{host}{path}"), content.to_owned());
    }

    /// What was asked for: host, path and query.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve<S>(stream: S, files: &Files, asked: &Mutex<Vec<String>>) -> Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    let (mut target, mut host, mut line) = (String::new(), String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        if target.is_empty() {
            line.split(' ').nth(1).unwrap_or_default().clone_into(&mut target);
        } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("host:") {
            value.trim().split(':').next().unwrap_or_default().clone_into(&mut host);
        }
    }
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{host}{target}"));
    let path = target.split('?').next().unwrap_or_default();
    let found = files.lock().unwrap_or_else(PoisonError::into_inner).get(&format!("{host}{path}")).cloned();
    let (status, body) = found.map_or(("404 Not Found", "no".to_owned()), |body| ("200 OK", body));
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}
