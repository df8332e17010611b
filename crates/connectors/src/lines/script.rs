//! A server that follows a script, for the tests of line-based protocols.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

/// Plays the server's part. Each line of the script is one of
/// - `S: text`: send the line (`\r`, `\n` and `\x..` may be written out),
/// - `R: text`: the same without a line end,
/// - `C: text`: expect exactly this line,
/// - `B: text`: expect exactly these octets,
/// - `cut`: close the connection,
/// - `hang`: say nothing any more until the client gives up.
///
/// At the end of the script the client must have nothing more to say. Blank lines are skipped.
pub(crate) fn play(script: &str) -> (DuplexStream, JoinHandle<()>) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let script = script.to_owned();
    let server = tokio::spawn(follow(theirs, script));
    (ours, server)
}

async fn follow(mut stream: DuplexStream, script: String) {
    for line in script.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        let (verb, text) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        let text = unescape(text);
        match verb {
            "S" => stream.write_all(&[text.as_slice(), b"\r\n"].concat()).await.unwrap(),
            "R" => stream.write_all(&text).await.unwrap(),
            "C" => expect(&mut stream, &[text.as_slice(), b"\r\n"].concat(), line).await,
            "B" => expect(&mut stream, &text, line).await,
            "cut" => return,
            "hang" => {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                return;
            }
            other => panic!("no such verb: {other}"),
        }
    }
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(String::from_utf8_lossy(&rest), "", "the client said more than the script");
}

async fn expect(stream: &mut DuplexStream, bytes: &[u8], line: &str) {
    let mut got = vec![0; bytes.len()];
    let mut filled = 0;
    while filled < got.len() {
        let octets = stream.read(&mut got[filled..]).await.unwrap();
        let so_far = String::from_utf8_lossy(&got[..filled]);
        assert!(octets > 0, "the client hung up before '{line}', after '{so_far}'");
        filled += octets;
        assert_eq!(String::from_utf8_lossy(&got[..filled]), String::from_utf8_lossy(&bytes[..filled]), "at '{line}'");
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after.first()) {
            (b'\\', Some(b'r')) => out.push(b'\r'),
            (b'\\', Some(b'n')) => out.push(b'\n'),
            (b'\\', Some(b'x')) => {
                out.push(u8::from_str_radix(std::str::from_utf8(&after[1..3]).unwrap(), 16).unwrap());
                rest = &after[2..];
            }
            _ => {
                out.push(octet);
                continue;
            }
        }
        rest = &rest[1..];
    }
    out
}
