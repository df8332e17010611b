//! What the customers write: real MIME, as their programs would send it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A message and whom the customer's server hands it in for.
pub struct Letter {
    pub from: &'static str,
    pub to: Vec<&'static str>,
    pub subject: &'static str,
    pub raw: Vec<u8>,
}

/// One red pixel.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 0x0c, b'I', b'D', b'A', b'T', 8, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0, 0,
    3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

fn head(from: &str, to: &str, subject: &str, id: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@customers.test>\r\n\
         Date: Mon, 23 Nov 2026 09:15:00 +0100\r\nMIME-Version: 1.0\r\n"
    )
}

fn crlf(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

pub fn plain(to: &'static str) -> Letter {
    let head = head("Kim Park <kim@customers.test>", to, "Opening hours", "plain.1");
    let raw = format!("{head}Content-Type: text/plain; charset=utf-8\n\nGood morning,\nare you open on Friday?\nKim\n");
    Letter { from: "kim@customers.test", to: vec![to], subject: "Opening hours", raw: crlf(&raw) }
}

pub fn html_with_picture(to: &'static str) -> Letter {
    let head = head("Lena Ruiz <lena@customers.test>", to, "Our new logo", "html.1");
    let picture = STANDARD.encode(PNG);
    let raw = format!(
        "{head}Content-Type: multipart/related; boundary=rel\n\n--rel\n\
         Content-Type: multipart/alternative; boundary=alt\n\n--alt\nContent-Type: text/plain\n\nSee the picture.\n\
         --alt\nContent-Type: text/html; charset=utf-8\n\n<p>Look: <img src=\"cid:logo@customers.test\"></p>\n--alt--\n\
         --rel\nContent-Type: image/png; name=logo.png\nContent-ID: <logo@customers.test>\n\
         Content-Disposition: inline; filename=logo.png\nContent-Transfer-Encoding: base64\n\n{picture}\n--rel--\n"
    );
    Letter { from: "lena@customers.test", to: vec![to], subject: "Our new logo", raw: crlf(&raw) }
}

pub fn attachments(to: &'static str) -> Letter {
    let head = head("Kim Park <kim@customers.test>", to, "Broken invoice", "attachments.1");
    let pdf = STANDARD.encode("%PDF-1.4 not really an invoice");
    let raw = format!(
        "{head}Content-Type: multipart/mixed; boundary=mix\n\n--mix\nContent-Type: text/plain\n\nThe total is wrong.\n\
         --mix\nContent-Type: application/pdf\nContent-Disposition: attachment; filename*=UTF-8''Rechnung%20M%C3%A4rz.pdf\n\
         Content-Transfer-Encoding: base64\n\n{pdf}\n--mix\nContent-Type: text/csv; name=lines.csv\n\
         Content-Disposition: attachment; filename=lines.csv\n\nitem;price\nink;12\n--mix--\n"
    );
    Letter { from: "kim@customers.test", to: vec![to], subject: "Broken invoice", raw: crlf(&raw) }
}

pub fn non_latin(to: &'static str) -> Letter {
    // 「見積もりのお願い」, in ISO-2022-JP as Japanese mailers still write it.
    let subject = "=?ISO-2022-JP?B?GyRCOCtAUSRiJGokTiQqNGokJBsoQg==?=";
    let head = head("=?UTF-8?B?5bGx55Sw5aSq6YOO?= <yamada@customers.test>", to, subject, "japanese.1");
    let body = STANDARD.encode("お世話になっております。見積もりをお願いします。\n");
    let raw = format!("{head}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{body}\n");
    Letter { from: "yamada@customers.test", to: vec![to], subject: "見積もりのお願い", raw: crlf(&raw) }
}

/// One message for two mailboxes.
pub fn to_both(one: &'static str, other: &'static str) -> Letter {
    let head = head("Lena Ruiz <lena@customers.test>", &format!("{one}, {other}"), "Meeting on Monday", "both.1");
    let raw = format!("{head}\nShall we meet at ten?\n");
    Letter { from: "lena@customers.test", to: vec![one, other], subject: "Meeting on Monday", raw: crlf(&raw) }
}

pub fn for_the_forwarded(to: &'static str) -> Letter {
    let head = head("Kim Park <kim@customers.test>", to, "Please call me", "forwarded.1");
    let raw = format!("{head}\nMy number has not changed.\nKim\n");
    Letter { from: "kim@customers.test", to: vec![to], subject: "Please call me", raw: crlf(&raw) }
}

/// Somebody writes to the collection box itself.
pub fn nobodys(to: &'static str) -> Letter {
    let head = head("Lost Soul <lost@elsewhere.test>", to, "Who reads this?", "nobody.1");
    let raw = format!("{head}\nI found this address somewhere.\n");
    Letter { from: "lost@elsewhere.test", to: vec![to], subject: "Who reads this?", raw: crlf(&raw) }
}

/// The customer's question that becomes a conversation.
pub fn question(to: &'static str) -> Letter {
    let head = head("Kim Park <kim@customers.test>", to, "The printer is on fire", "question.1");
    let raw = format!("{head}\nWhat shall we do?\nKim\n");
    Letter { from: "kim@customers.test", to: vec![to], subject: "The printer is on fire", raw: crlf(&raw) }
}

/// The customer answers what came back, as a mail program does: subject with
/// `Re:`, In-Reply-To and References from the message that is answered.
pub fn reply(to: &'static str, subject: &str, answered: &str) -> Letter {
    let head = head("Kim Park <kim@customers.test>", to, &format!("Re: {subject}"), "reply.1");
    let raw = format!(
        "{head}In-Reply-To: {answered}\nReferences: <question.1@customers.test> {answered}\n\nThank you, it is out.\n> Use the extinguisher.\n"
    );
    Letter { from: "kim@customers.test", to: vec![to], subject: "Re: The printer is on fire", raw: crlf(&raw) }
}
