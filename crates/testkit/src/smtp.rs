//! The least SMTP client that can play a customer's mail server.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Sends one message without TLS or AUTH. Line ends become CRLF, leading dots
/// are doubled. The error carries the server's reply.
pub fn send(server: SocketAddr, from: &str, to: &[String], message: &[u8]) -> Result<()> {
    let stream = TcpStream::connect(server).with_context(|| format!("connecting to {server}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    let mut session = Session { reader: BufReader::new(stream.try_clone()?), stream };
    session.expect('2')?;
    session.command("EHLO customer.localhost", '2')?;
    let parameters = if from.is_ascii() && to.iter().all(|to| to.is_ascii()) { "" } else { " SMTPUTF8" };
    session.command(&format!("MAIL FROM:<{from}> BODY=8BITMIME{parameters}"), '2')?;
    for to in to {
        session.command(&format!("RCPT TO:<{to}>"), '2')?;
    }
    session.command("DATA", '3')?;
    session.stream.write_all(&on_the_wire(message))?;
    session.expect('2')?;
    // The message is the server's now; how it says goodbye does not matter.
    let _ = session.command("QUIT", '2');
    Ok(())
}

struct Session {
    reader: BufReader<TcpStream>,
    stream: TcpStream,
}

impl Session {
    fn command(&mut self, line: &str, wanted: char) -> Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes())?;
        self.expect(wanted).with_context(|| format!("after {line}"))
    }

    /// Reads one reply, of any number of lines.
    fn expect(&mut self, wanted: char) -> Result<()> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                bail!("the server closed the connection");
            }
            if !line.starts_with(wanted) {
                bail!("the server said: {}", line.trim_end());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

/// A message with CRLF line ends, dots doubled, and the final dot.
fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::on_the_wire;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        assert_eq!(String::from_utf8(on_the_wire(message.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn line_ends_become_crlf() {
        check("a\nb\r\nc", "a\r\nb\r\nc\r\n.\r\n");
    }

    #[test]
    fn leading_dots_are_doubled() {
        check(".\n..a\nb.", "..\r\n...a\r\nb.\r\n.\r\n");
    }

    #[test]
    fn an_empty_message_is_only_the_dot() {
        check("", ".\r\n");
    }
}
