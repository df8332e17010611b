//! The Web API over TLS, its certificate replaced while requests run.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use testkit::postroom::{self, Postroom};
use testkit::tls::{Authority, ServerCertificate};

use crate::common::binary;

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// A client that trusts these authorities.
#[derive(Clone)]
struct Client {
    config: Arc<ClientConfig>,
    port: u16,
    token: String,
}

impl Client {
    fn new(server: &Postroom, authorities: &[&Authority]) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes())?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // A resumed session would show the certificate of the first.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { config: Arc::new(config), port: server.port(), token: server.token().to_owned() })
    }

    fn connect(&self) -> Result<Stream> {
        let tcp = TcpStream::connect(("127.0.0.1", self.port))?;
        tcp.set_read_timeout(Some(Duration::from_secs(20)))?;
        let name = ServerName::try_from("localhost")?;
        let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(&self.config), name)?, tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(BufReader::new(stream))
    }

    /// One request on an open connection: the header and the payload.
    fn ask(&self, stream: &mut Stream, path: &str) -> Result<(String, String)> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {}\r\n\r\n",
            self.port, self.token
        );
        stream.get_mut().write_all(request.as_bytes())?;
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                bail!("the connection ended after: {head}");
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            head += &line;
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok((head, String::from_utf8(body)?))
    }
}

/// The certificate that the connection was shown.
fn shown(stream: &Stream) -> Option<CertificateDer<'static>> {
    Some(stream.get_ref().conn.peer_certificates()?.first()?.clone().into_owned())
}

fn leaf(certificate: &ServerCertificate) -> Result<CertificateDer<'static>> {
    Ok(CertificateDer::from_pem_slice(certificate.chain_pem.as_bytes())?)
}

fn put(directory: &Path, certificate: &ServerCertificate) -> Result<()> {
    std::fs::write(directory.join("chain.pem"), &certificate.chain_pem)?;
    std::fs::write(directory.join("key.pem"), &certificate.key_pem)?;
    Ok(())
}

fn server(directory: &Path, more: &str) -> Result<Postroom> {
    let config =
        format!("[web]\ntls_certificate = \"{0}/chain.pem\"\ntls_key = \"{0}/key.pem\"\n{more}", directory.display());
    Postroom::start(binary(), postroom::Options { config, tls: true, ..postroom::Options::default() })
}

fn wait(what: &str, mut until: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !until()? {
        if began.elapsed() > Duration::from_secs(20) {
            bail!("waited in vain until {what}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

#[test]
fn a_certificate_is_replaced_while_requests_run() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (first, second) = (Authority::new()?, Authority::new()?);
    let (old, new) = (first.for_localhost()?, second.for_localhost()?);
    put(directory.path(), &old)?;
    let server = server(directory.path(), "")?;
    let client = Client::new(&server, &[&first, &second])?;

    let mut kept = client.connect()?;
    assert_eq!(shown(&kept), Some(leaf(&old)?));
    let (head, body) = client.ask(&mut kept, "/api/data/v9.2/WhoAmI")?;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}{body}");
    assert!(head.to_ascii_lowercase().contains("strict-transport-security: max-age="), "{head}");
    assert!(body.contains(&format!("https://localhost:{}/api/data/v9.2/$metadata", server.port())), "{body}");

    // Requests go on, each on a connection of its own and on one that stays.
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let busy: Vec<_> = (0..3)
        .map(|n| {
            let (client, stop, done) = (client.clone(), Arc::clone(&stop), Arc::clone(&done));
            std::thread::spawn(move || -> Result<()> {
                let mut stream = client.connect()?;
                while !stop.load(Ordering::Relaxed) {
                    if n > 0 {
                        stream = client.connect()?;
                    }
                    let (head, _) = client.ask(&mut stream, "/api/data/v9.2/mailboxes")?;
                    anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        })
        .collect();

    put(directory.path(), &new)?;
    let wanted = Some(leaf(&new)?);
    wait("the new certificate is shown", || Ok(shown(&client.connect()?) == wanted))?;
    // Who trusts the new authority alone gets in; the old connection still works.
    Client::new(&server, &[&second])?.connect()?;
    assert!(client.ask(&mut kept, "/healthz")?.0.starts_with("HTTP/1.1 200"));

    // A key of another certificate: the one in use stays, and the log says what to do.
    std::fs::write(directory.path().join("key.pem"), &old.key_pem)?;
    wait("the log tells of the bad pair", || Ok(server.log().contains("the new certificate cannot be used")))?;
    assert_eq!(shown(&client.connect()?), wanted);

    // SIGHUP takes up the next one at once.
    put(directory.path(), &old)?;
    let pid = server.pid().context("a process")?;
    assert!(Command::new("kill").args(["-HUP", &pid.to_string()]).status()?.success());
    let wanted = Some(leaf(&old)?);
    wait("the old certificate is shown again", || Ok(shown(&client.connect()?) == wanted))?;

    let before = done.load(Ordering::Relaxed);
    wait("requests still run", || Ok(done.load(Ordering::Relaxed) > before + 10))?;
    stop.store(true, Ordering::Relaxed);
    for thread in busy {
        thread.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
    }
    Ok(())
}

#[test]
fn plain_http_is_told_and_redirected() -> Result<()> {
    let directory = tempfile::tempdir()?;
    put(directory.path(), &Authority::new()?.for_localhost()?)?;
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let server = server(directory.path(), &format!("redirect_http = \"{free}\"\n"))?;
    let ask = |port: u16, path: &str| -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: crm.test:80\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let told = ask(server.port(), "/api/data/v9.2/")?;
    assert!(told.starts_with("HTTP/1.1 400") && told.contains("Use https"), "{told}");
    let sent = ask(free.port(), "/api/data/v9.2/mailboxes?$select=name")?.to_ascii_lowercase();
    let wanted = format!("location: https://crm.test:{}/api/data/v9.2/mailboxes?$select=name\r\n", server.port());
    assert!(sent.starts_with("http/1.1 308") && sent.contains(&wanted), "{sent}");
    Ok(())
}

#[test]
fn the_doctor_shows_when_the_certificate_ends() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let authority = Authority::new()?;
    put(directory.path(), &authority.for_localhost()?)?;
    let server = server(directory.path(), "")?;
    let good = server.cli(&["doctor"])?;
    assert!(good.contains("certificate is valid until 4096-01-01"), "{good}");
    put(directory.path(), &authority.expired()?)?;
    let output = server.run(&["doctor"])?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains("2002-01-01") && text.contains("Renew"), "{text}");
    std::fs::write(directory.path().join("key.pem"), "no key")?;
    let output = server.run(&["doctor"])?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains("contains no private key"), "{text}");
    Ok(())
}
