//! A scripted server for tests: what it must be told, and what it answers.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use crate::MailSink;

/// One line of the script: `C: ` what the client must send, `S: ` what it gets.
/// `S~ ` is sent without a line end. Both may contain `\r\n` for literals.
pub fn play(script: &str) -> (DuplexStream, JoinHandle<()>) {
    let lines: Vec<String> = script.lines().map(|l| l.trim_start().to_owned()).filter(|l| !l.is_empty()).collect();
    let (ours, mut theirs) = duplex(1 << 20);
    let task = tokio::spawn(async move {
        let mut unread = Vec::new();
        for line in lines {
            let (who, text) = line.split_at(3);
            let text = text.replace("\\r\\n", "\r\n").replace("\\n", "\n");
            match who {
                "C: " => expect(&mut theirs, &mut unread, &format!("{text}\r\n")).await,
                "C~ " => expect(&mut theirs, &mut unread, &text).await,
                "S: " => theirs.write_all(format!("{text}\r\n").as_bytes()).await.unwrap(),
                "S~ " => theirs.write_all(text.as_bytes()).await.unwrap(),
                other => panic!("unknown direction {other:?}"),
            }
        }
        assert!(unread.is_empty(), "the client said more: {}", String::from_utf8_lossy(&unread));
    });
    (ours, task)
}

async fn expect(stream: &mut DuplexStream, unread: &mut Vec<u8>, expected: &str) {
    while unread.len() < expected.len() {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await.unwrap() {
            0 => break,
            n => unread.extend_from_slice(&chunk[..n]),
        }
    }
    let told = unread.len().min(expected.len());
    let said: Vec<u8> = unread.drain(..told).collect();
    assert_eq!(String::from_utf8_lossy(&said), expected);
}

/// Keeps messages in memory.
#[derive(Debug, Default)]
pub struct Memory {
    pub finished: Vec<Vec<u8>>,
    pub running: Option<Vec<u8>>,
    pub abandoned: usize,
    /// Fails when a message grows beyond this.
    pub full_at: Option<usize>,
}

impl MailSink for Memory {
    fn begin(&mut self, _: u64) -> io::Result<()> {
        assert!(self.running.is_none(), "begin before the last one ended");
        self.running = Some(Vec::new());
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let running = self.running.as_mut().expect("write without begin");
        running.extend_from_slice(bytes);
        if self.full_at.is_some_and(|full| running.len() > full) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<usize> {
        self.finished.push(self.running.take().expect("finish without begin"));
        Ok(self.finished.len() - 1)
    }

    fn abandon(&mut self) {
        self.running.take().expect("abandon without begin");
        self.abandoned += 1;
    }
}
