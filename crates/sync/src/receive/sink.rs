//! Takes the bytes of a batch as they come off the wire: into the blob store
//! and, at the same time, into what the parser needs of them.

use std::io;

use connectors::MailSink;
use formats::mime::{Limits, Skeleton};
use model::mail::{BlobId, Mail};
use store::BlobWriter;

/// Up to this size a message is kept whole for parsing; larger ones are
/// reduced to their skeleton while they stream by.
pub(super) const WHOLE: u64 = 1024 * 1024;

/// What is kept of one message for the parser.
pub(crate) enum Content {
    Whole(Vec<u8>),
    Reduced(Box<Skeleton>),
}

impl Content {
    pub fn parse(self) -> Mail {
        match self {
            Self::Whole(bytes) => formats::mime::read(&bytes),
            Self::Reduced(skeleton) => skeleton.finish(),
        }
    }
}

/// One message that came in whole.
pub(crate) struct Taken {
    pub blob: BlobId,
    pub content: Content,
}

/// The sink of one batch.
pub(crate) struct BatchSink {
    pub writer: BlobWriter,
    pub taken: Vec<Taken>,
    current: Option<Content>,
}

impl BatchSink {
    pub fn new(writer: BlobWriter) -> Self {
        Self { writer, taken: Vec::new(), current: None }
    }
}

impl MailSink for BatchSink {
    fn begin(&mut self, size: u64) -> io::Result<()> {
        self.writer.begin(size).map_err(io::Error::other)?;
        let capacity = usize::try_from(size.min(WHOLE)).unwrap_or(0);
        self.current = Some(if size <= WHOLE {
            Content::Whole(Vec::with_capacity(capacity))
        } else {
            Content::Reduced(Box::new(Skeleton::new(Limits::default())))
        });
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write(bytes).map_err(io::Error::other)?;
        match &mut self.current {
            // The announced size may be wrong: what grows too large is reduced after all.
            Some(Content::Whole(kept)) if kept.len() + bytes.len() > 2 * WHOLE as usize => {
                let mut skeleton = Skeleton::new(Limits::default());
                skeleton.push(kept);
                skeleton.push(bytes);
                self.current = Some(Content::Reduced(Box::new(skeleton)));
            }
            Some(Content::Whole(kept)) => kept.extend_from_slice(bytes),
            Some(Content::Reduced(skeleton)) => skeleton.push(bytes),
            None => return Err(io::Error::other("bytes before the message began")),
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<usize> {
        let written = self.writer.finish().map_err(io::Error::other)?;
        let content = self.current.take().ok_or_else(|| io::Error::other("the message never began"))?;
        self.taken.push(Taken { blob: written.id, content });
        Ok(self.taken.len() - 1)
    }

    fn abandon(&mut self) {
        // What cannot be cut off now is found to be incomplete when the segment is read.
        let _ = self.writer.abandon();
        self.current = None;
    }
}
