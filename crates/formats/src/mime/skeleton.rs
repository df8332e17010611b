//! The reader's engine: lines in, a tree of parts out, in bounded memory.
//!
//! [`super::read`] is this engine given everything at once, so a message read
//! from a stream in whatever chunks gives exactly the same value. Kept are the
//! header sections and the decoded texts that may be the body; all other
//! parts are decoded as they pass, counted, and let go. An enclosed message,
//! transfer-encoded or not, is read by an engine of its own while its bytes
//! pass through this one.

use model::mail::Mail;

use super::lines::Lines;
use super::tree::Tree;

/// What reading may cost. The default is right for everybody but tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting, multiparts and messages together.
    pub depth: usize,
    /// Parts in all, enclosed messages' included.
    pub parts: usize,
    /// Decoded octets of one body text.
    pub text: usize,
    /// Octets of one header section.
    pub header: usize,
    /// Octets kept in all.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 30, parts: 2_000, text: 5 << 20, header: 1 << 20, kept: 16 << 20 }
    }
}

/// Reads a message from chunks: `push` them all, then `finish`.
#[derive(Debug)]
pub struct Skeleton {
    lines: Lines,
    tree: Tree,
}

impl Skeleton {
    pub fn new(limits: Limits) -> Self {
        Self::nested(limits, 0)
    }

    pub(super) fn nested(limits: Limits, base_depth: usize) -> Self {
        Self { lines: Lines::default(), tree: Tree::new(limits, base_depth) }
    }

    pub fn push(&mut self, chunk: &[u8]) {
        let tree = &mut self.tree;
        tree.size += chunk.len() as u64;
        tree.nulls = tree.nulls || memchr::memchr(0, chunk).is_some();
        self.lines.push(chunk, |line| tree.line(line));
    }

    pub fn finish(mut self) -> Mail {
        self.close();
        super::assemble::mail(self.tree, &[])
    }

    /// No more bytes will come.
    pub(super) fn close(&mut self) {
        let tree = &mut self.tree;
        self.lines.finish(|line| tree.line(line));
        tree.end();
    }

    /// What is left of the octets to keep, and how many parts there were.
    pub(super) fn spent(&self) -> (usize, usize) {
        (self.tree.limits.kept, self.tree.count())
    }

    pub(super) fn into_tree(self) -> Tree {
        self.tree
    }
}
