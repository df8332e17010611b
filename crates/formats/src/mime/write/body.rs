//! Bodies of leaf parts: quoted-printable for text, base64 for the rest.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::outgoing::OutgoingAttachment;

use super::header::Header;
use crate::mime::names;

/// Encoded lines, without their end (RFC 2045, sections 6.7 and 6.8).
const WIDTH: usize = 76;

pub fn text(mime_type: &str, text: &str, out: &mut Vec<u8>) {
    let mut header = Header::default();
    header.plain("Content-Type", &format!("{mime_type}; charset=utf-8"));
    header.plain("Content-Transfer-Encoding", "quoted-printable");
    out.extend_from_slice(&header.finish());
    out.extend_from_slice(b"\r\n");
    quoted_printable(text, out);
}

pub fn file(attachment: &OutgoingAttachment, inline: bool, out: &mut Vec<u8>) {
    let given = attachment.mime_type.trim().to_ascii_lowercase();
    // A message or multipart must not be base64, and a broken type helps nobody.
    let mime_type = if is_type(&given) && !given.starts_with("multipart/") && !given.starts_with("message/") {
        given.as_str()
    } else {
        "application/octet-stream"
    };
    let name = names::safe(Some(&attachment.name), mime_type, None);
    let mut header = Header::default();
    header.parameter("Content-Type", mime_type, "name", &name);
    header.plain("Content-Transfer-Encoding", "base64");
    if let Some(id) = attachment.content_id.as_deref() {
        let id: String = id.chars().filter(|c| c.is_ascii_graphic() && !"<>".contains(*c)).take(200).collect();
        header.plain("Content-ID", &format!("<{id}>"));
    }
    header.parameter("Content-Disposition", if inline { "inline" } else { "attachment" }, "filename", &name);
    out.extend_from_slice(&header.finish());
    out.extend_from_slice(b"\r\n");
    base64(&attachment.bytes, out);
}

fn is_type(text: &str) -> bool {
    let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    text.len() <= 100 && text.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
}

/// Lines of 76 letters; none after the last.
fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() / 57 * 78 + 80);
    let mut line = [0_u8; WIDTH];
    for (n, chunk) in bytes.chunks(57).enumerate() {
        if n > 0 {
            out.extend_from_slice(b"\r\n");
        }
        // 57 bytes fill the line exactly, so the slice is never too small.
        let length = STANDARD.encode_slice(chunk, &mut line).unwrap_or(0);
        out.extend_from_slice(&line[..length]);
    }
}

/// Line ends of any kind become CRLF; everything that some transport may
/// change is escaped.
fn quoted_printable(text: &str, out: &mut Vec<u8>) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            out.extend_from_slice(b"\r\n");
        }
        quoted_line(line.as_bytes(), out);
    }
}

fn quoted_line(line: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (n, &byte) in line.iter().enumerate() {
        let last = n + 1 == line.len();
        let plain = match byte {
            b' ' | b'\t' => !last,
            // A dot or `From ` at the start of a line is changed by some.
            b'.' => column > 0,
            b'F' => column > 0 || !line[n..].starts_with(b"From "),
            b'=' => false,
            33..=126 => true,
            _ => false,
        };
        let width = if plain { 1 } else { 3 };
        // One column is for the soft line break, unless the line ends here.
        if column + width > WIDTH - usize::from(!last) {
            out.extend_from_slice(b"=\r\n");
            column = 0;
            // At the start of a line other rules hold.
            if matches!(byte, b'.' | b'F') {
                out.extend_from_slice(format!("={byte:02X}").as_bytes());
                column = 3;
                continue;
            }
        }
        if plain {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        column += width;
    }
}
