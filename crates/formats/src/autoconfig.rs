//! The file in which a domain says where its mail servers are: Mozilla's
//! `clientConfig`, version 1.1. What is not understood is passed over.

use model::discovery::{Protection, Protocol, Published, PublishedServer};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Octets that are looked at.
const LONGEST: usize = 256 * 1024;
/// Elements inside one another; the format needs five.
const DEEPEST: usize = 32;
/// Servers that are taken from one file.
const MOST: usize = 20;

/// Reads the file for one address. The flaws say what was passed over.
pub fn read(bytes: &[u8], address: &str) -> (Published, Vec<String>) {
    let mut file = File { address, ..File::default() };
    let text = String::from_utf8_lossy(bytes.get(..LONGEST).unwrap_or(bytes));
    if bytes.len() > LONGEST {
        file.flaws.push(format!("only the first {LONGEST} bytes were read"));
    }
    let mut reader = Reader::from_str(&text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) if file.path.len() < DEEPEST => file.open(&start),
            Ok(Event::Empty(start)) if file.path.len() < DEEPEST => {
                file.open(&start);
                file.close();
            }
            Ok(Event::End(_)) => file.close(),
            Ok(Event::Text(text)) => file.text.push_str(&text.xml10_content()),
            Ok(Event::CData(text)) => file.text.push_str(&text.xml10_content()),
            Ok(Event::GeneralRef(entity)) => {
                let known = match entity.xml10_content().as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => continue,
                };
                file.text.push(known);
            }
            Ok(Event::Eof) => break,
            Ok(Event::Start(_) | Event::Empty(_)) => {
                file.flaws.push("its elements are nested too deeply".to_owned());
                break;
            }
            Ok(_) => {}
            Err(error) => {
                file.flaws.push(format!("it is not well-formed ({error})"));
                break;
            }
        }
    }
    if !file.is_one {
        file.flaws.push("it is no mail settings file (clientConfig)".to_owned());
    }
    (Published { provider: file.provider, servers: file.servers }, file.flaws)
}

#[derive(Default)]
struct File<'a> {
    address: &'a str,
    /// The names of the elements that are open.
    path: Vec<String>,
    text: String,
    is_one: bool,
    provider: String,
    /// The server whose element is open.
    server: Option<Draft>,
    servers: Vec<PublishedServer>,
    flaws: Vec<String>,
}

#[derive(Default)]
struct Draft {
    kind: String,
    host: String,
    port: String,
    socket: String,
    user: String,
    authentication: Vec<String>,
}

impl File<'_> {
    fn open(&mut self, start: &BytesStart<'_>) {
        let name = start.local_name().as_ref().to_owned();
        self.text.clear();
        if self.path.is_empty() && name == "clientConfig" {
            self.is_one = true;
        }
        if self.path.last().is_some_and(|parent| parent == "emailProvider")
            && (name == "incomingServer" || name == "outgoingServer")
        {
            let kind = start.attributes().flatten().find(|a| a.key.local_name().as_ref() == "type");
            let kind = kind.map(|a| a.value.trim().to_ascii_lowercase()).unwrap_or_default();
            self.server = Some(Draft { kind, ..Draft::default() });
        }
        self.path.push(name);
    }

    fn close(&mut self) {
        let Some(name) = self.path.pop() else { return };
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        let filled_in = || address_in(self.address, text);
        match (&mut self.server, name.as_str()) {
            (Some(_), "incomingServer" | "outgoingServer") => self.finish(),
            (Some(server), "hostname") => server.host = filled_in(),
            (Some(server), "port") => server.port = text.to_owned(),
            (Some(server), "socketType") => server.socket = text.to_owned(),
            (Some(server), "username") => server.user = filled_in(),
            (Some(server), "authentication") => server.authentication.push(text.to_owned()),
            (None, "displayName") if self.path.last().is_some_and(|p| p == "emailProvider") => {
                self.provider = text.chars().take(100).collect();
            }
            _ => {}
        }
    }

    fn finish(&mut self) {
        let Some(server) = self.server.take() else { return };
        if self.servers.len() >= MOST {
            return;
        }
        let protocol = match server.kind.as_str() {
            "imap" => Protocol::Imap,
            "pop3" => Protocol::Pop3,
            "smtp" => Protocol::Smtp,
            other => {
                let other: String = other.chars().take(40).collect();
                self.flaws.push(format!("it names a server of the type '{other}', which is not spoken here"));
                return;
            }
        };
        let port = server.port.parse::<u16>().ok().filter(|p| *p > 0);
        let (Some(port), true) = (port, is_host(&server.host)) else {
            self.flaws.push(format!("it names a server for {} without a host or a port", protocol.as_str()));
            return;
        };
        let protection = match server.socket.to_ascii_uppercase().as_str() {
            "SSL" | "TLS" => Some(Protection::Tls),
            "STARTTLS" => Some(Protection::StartTls),
            _ => None,
        };
        let ways = &server.authentication;
        let only_oauth = !ways.is_empty() && ways.iter().all(|way| way.eq_ignore_ascii_case("OAuth2"));
        self.servers.push(PublishedServer {
            protocol,
            host: server.host.to_ascii_lowercase(),
            port,
            protection,
            user: server.user.chars().take(250).collect(),
            only_oauth,
        });
    }
}

/// Fills in the placeholders of the format.
fn address_in(address: &str, text: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    text.replace("%EMAILADDRESS%", address).replace("%EMAILLOCALPART%", local).replace("%EMAILDOMAIN%", domain)
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'))
}

#[cfg(test)]
mod tests;
