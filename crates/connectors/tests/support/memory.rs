//! A sink for tests.

use std::io;

use connectors::MailSink;

/// Keeps messages in memory.
#[derive(Debug, Default)]
pub struct Memory {
    pub finished: Vec<Vec<u8>>,
    pub running: Option<Vec<u8>>,
}

impl MailSink for Memory {
    fn begin(&mut self, _: u64) -> io::Result<()> {
        assert!(self.running.is_none(), "begin before the last one ended");
        self.running = Some(Vec::new());
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.running.as_mut().expect("write without begin").extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<usize> {
        self.finished.push(self.running.take().expect("finish without begin"));
        Ok(self.finished.len() - 1)
    }

    fn abandon(&mut self) {
        self.running.take().expect("abandon without begin");
    }
}
