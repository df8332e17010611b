//! The proxy that cuts and the server that follows a script do as told.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::talk::Talk;
use testkit::tls::Authority;
use testkit::{CutProxy, Fault, Misbehave, Step};

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    stream
}

/// What can be read before the end, and how it ended.
fn drain(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut all = Vec::new();
    let mut piece = [0; 1000];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return (all, None),
            Ok(count) => all.extend_from_slice(&piece[..count]),
            Err(error) => return (all, Some(error.kind())),
        }
    }
}

fn talkative() -> Misbehave {
    Misbehave::start(vec![vec![Step::line("0123456789"), Step::expect("done"), Step::line("ok"), Step::Silence]])
        .unwrap()
}

#[test]
fn bytes_pass_without_a_fault() {
    let server = talkative();
    let proxy = CutProxy::start(server.port()).unwrap();
    let mut talk = Talk::plain(proxy.port());
    talk.until("0123456789");
    talk.ask("done", "ok");
    assert_eq!((proxy.connections(), proxy.bytes()), (1, (6, 16)));
}

#[test]
fn a_connection_is_cut_after_bytes_from_the_server() {
    let server = talkative();
    let proxy = CutProxy::start(server.port()).unwrap();
    proxy.set(Fault::CutAfterFromServer(4));
    assert_eq!(drain(&mut connect(proxy.port())), (b"0123".to_vec(), Some(ErrorKind::ConnectionReset)));
    proxy.set(Fault::None);
    Talk::plain(proxy.port()).until("0123456789");
}

#[test]
fn a_connection_is_cut_after_bytes_from_the_client() {
    let server = talkative();
    let proxy = CutProxy::start(server.port()).unwrap();
    proxy.set(Fault::CutAfterFromClient(3));
    let mut stream = connect(proxy.port());
    stream.write_all(b"done\r\n").unwrap();
    let (heard, end) = drain(&mut stream);
    assert_eq!((heard, end), (b"0123456789\r\n".to_vec(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(proxy.bytes().0, 3);
    assert!(server.heard().is_empty());
}

#[test]
fn a_deaf_connection_still_does_what_was_asked() {
    let server = talkative();
    let proxy = CutProxy::start(server.port()).unwrap();
    proxy.set(Fault::DeafAfterFromServer(12));
    let mut stream = connect(proxy.port());
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(b"done\r\n").unwrap();
    assert_eq!(drain(&mut stream), (b"0123456789\r\n".to_vec(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(server.heard(), ["done"]);
}

#[test]
fn open_connections_can_be_cut_stalled_and_released() {
    let server = talkative();
    let proxy = CutProxy::start(server.port()).unwrap();
    let mut stream = connect(proxy.port());
    stream.read_exact(&mut [0; 12]).unwrap();
    proxy.set(Fault::Stall);
    stream.write_all(b"done\r\n").unwrap();
    assert_eq!(drain(&mut stream), (Vec::new(), Some(ErrorKind::WouldBlock)));
    proxy.set(Fault::None);
    stream.read_exact(&mut [0; 4]).unwrap();
    proxy.cut_all();
    assert_eq!(drain(&mut stream).1, Some(ErrorKind::ConnectionReset));
}

#[test]
fn delay_and_refusal() {
    let server = talkative();
    let proxy = CutProxy::start(server.port()).unwrap();
    proxy.set(Fault::Delay(Duration::from_millis(150)));
    let begin = Instant::now();
    connect(proxy.port()).read_exact(&mut [0; 12]).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(150));
    proxy.set(Fault::Refuse);
    assert!(drain(&mut connect(proxy.port())).0.is_empty());
}

#[test]
fn a_script_answers_with_the_tag_of_the_command() {
    let script = vec![
        Step::line("* OK hello"),
        Step::expect("LOGIN"),
        Step::line("{tag} OK in"),
        Step::expect("FETCH"),
        Step::half_literal("* 1 FETCH (BODY[] ", 100, b"only this"),
        Step::Close,
    ];
    let server = Misbehave::start(vec![script]).unwrap();
    let mut talk = Talk::plain(server.port());
    talk.until("* OK");
    talk.ask("x7 login a b", "x7 OK in");
    talk.send("x8 FETCH 1 BODY[]");
    assert_eq!(talk.line(), "* 1 FETCH (BODY[] {100}\r\n");
    assert_eq!(talk.line(), "only this");
    assert_eq!(talk.line(), "");
    assert_eq!(server.heard(), ["x7 login a b", "x8 FETCH 1 BODY[]"]);
}

#[test]
fn connections_follow_their_own_scripts() {
    let server = Misbehave::start(vec![vec![Step::line("one")], vec![Step::line("other")]]).unwrap();
    let lines: Vec<_> = (0..3).map(|_| Talk::plain(server.port()).line()).collect();
    assert_eq!(lines, ["one\r\n", "other\r\n", "other\r\n"]);
}

#[test]
fn scripts_go_on_inside_tls() {
    let authority = Authority::new().unwrap();
    let script = vec![
        Step::line("* OK"),
        Step::expect("STARTTLS"),
        Step::line("{tag} OK"),
        Step::StartTls,
        Step::line("* safe"),
    ];
    let server = Misbehave::start_with_starttls(vec![script], &authority).unwrap();
    let mut talk = Talk::starttls(server.port(), &authority.pem(), &[("", "* OK"), ("a STARTTLS", "a OK")]);
    assert_eq!(talk.line(), "* safe\r\n");
    let server = Misbehave::start_tls(vec![vec![Step::line("* implicit")]], &authority).unwrap();
    assert_eq!(Talk::tls(server.port(), &authority.pem()).line(), "* implicit\r\n");
}

#[test]
fn garbage_is_always_the_same_and_reset_is_a_reset() {
    let server =
        Misbehave::start(vec![vec![Step::Garbage(3000), Step::Wait(Duration::from_millis(50)), Step::Reset]]).unwrap();
    let one = drain(&mut connect(server.port()));
    assert_eq!((one.0.len(), one.1), (3000, Some(ErrorKind::ConnectionReset)));
    assert_eq!(drain(&mut connect(server.port())), one);
}
