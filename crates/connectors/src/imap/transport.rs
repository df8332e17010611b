//! The stream below the protocol, compressed or not (RFC 4978).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_compression::tokio::bufread::DeflateDecoder;
use async_compression::tokio::write::DeflateEncoder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, BufReader, Chain, ReadBuf, ReadHalf, WriteHalf};

pub enum Transport<S> {
    Plain(S),
    Deflate(Box<Deflate<S>>),
    /// Only for the moment in which one becomes the other.
    Gone,
}

/// What was read too early, then what the stream brings.
type Compressed<S> = Chain<io::Cursor<Vec<u8>>, ReadHalf<S>>;

pub struct Deflate<S> {
    reader: DeflateDecoder<BufReader<Compressed<S>>>,
    writer: DeflateEncoder<WriteHalf<S>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport<S> {
    /// `unread` came with the server's last words in plain and is compressed already.
    pub fn start_deflate(&mut self, unread: Vec<u8>) {
        let plain = std::mem::replace(self, Self::Gone);
        *self = match plain {
            Self::Plain(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                let reader = BufReader::with_capacity(32 * 1024, io::Cursor::new(unread).chain(reader));
                let (reader, writer) = (DeflateDecoder::new(reader), DeflateEncoder::new(writer));
                Self::Deflate(Box::new(Deflate { reader, writer }))
            }
            other => other,
        };
    }

    pub fn plain(&self) -> Option<&S> {
        match self {
            Self::Plain(stream) => Some(stream),
            _ => None,
        }
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Transport<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Deflate(s) => Pin::new(&mut s.reader).poll_read(cx, buf),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Transport<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Deflate(s) => Pin::new(&mut s.writer).poll_write(cx, buf),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Deflate(s) => Pin::new(&mut s.writer).poll_flush(cx),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Deflate(s) => Pin::new(&mut s.writer).poll_shutdown(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}
