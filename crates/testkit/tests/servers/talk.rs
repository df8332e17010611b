//! A line-based conversation with a server, with or without TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

pub struct Talk {
    stream: BufReader<Box<dyn Stream>>,
}

fn connect(port: u16) -> TcpStream {
    connect_to(Ipv4Addr::LOCALHOST, port)
}

fn connect_to(address: Ipv4Addr, port: u16) -> TcpStream {
    let stream = TcpStream::connect((address, port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

impl Talk {
    pub fn plain(port: u16) -> Self {
        Self { stream: BufReader::new(Box::new(connect(port))) }
    }

    pub fn plain_at(address: Ipv4Addr, port: u16) -> Self {
        Self { stream: BufReader::new(Box::new(connect_to(address, port))) }
    }

    pub fn tls(port: u16, ca_pem: &str) -> Self {
        Self { stream: BufReader::new(Box::new(tls(connect(port), ca_pem))) }
    }

    /// Sends each command (none where it is empty) and reads up to the answer,
    /// then starts TLS.
    pub fn starttls(port: u16, ca_pem: &str, steps: &[(&str, &str)]) -> Self {
        let tcp = connect(port);
        let mut plain = Self { stream: BufReader::new(Box::new(tcp.try_clone().unwrap())) };
        for (command, wanted) in steps {
            if !command.is_empty() {
                plain.send(command);
            }
            plain.until(wanted);
        }
        Self { stream: BufReader::new(Box::new(tls(tcp, ca_pem))) }
    }

    pub fn send(&mut self, line: &str) {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.stream.get_mut().flush().unwrap();
    }

    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).unwrap();
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Reads lines up to one that starts with `wanted`; all of them.
    pub fn until(&mut self, wanted: &str) -> String {
        let mut all = String::new();
        loop {
            let line = self.line();
            all += &line;
            if line.starts_with(wanted) {
                return all;
            }
            assert!(!line.is_empty(), "the connection ended before {wanted:?}: {all}");
        }
    }

    /// Sends a line and reads up to the answer.
    pub fn ask(&mut self, line: &str, wanted: &str) -> String {
        self.send(line);
        self.until(wanted)
    }
}

fn tls(tcp: TcpStream, ca_pem: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), tcp);
    if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
        panic!("TLS: {error}");
    }
    stream
}
