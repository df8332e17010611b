//! An answer that is made while it is sent: it need not fit into memory, and
//! whoever makes it waits for whoever reads it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::pages::kit::Fault;

/// Parts that may wait to be sent.
const WAITING: usize = 4;

struct Flow(Receiver<io::Result<Bytes>>);

impl HttpBody for Flow {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.0.poll_recv(context).map(|part| part.map(|bytes| bytes.map(Frame::data)))
    }
}

/// A file to be kept under this name, and where its parts go. Where a part is
/// an error the connection ends, so that nobody takes half a file for whole.
pub(crate) fn file(
    name: &str,
    kind: &'static str,
    size: Option<u64>,
) -> Result<(Sender<io::Result<Bytes>>, Response), Fault> {
    let (parts, flow) = mpsc::channel(WAITING);
    let mut response = Response::new(Body::new(Flow(flow)));
    crate::pages::guard(&mut response);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    headers.insert(header::CONTENT_DISPOSITION, disposition.map_err(|_| Fault::bad("A file cannot have this name."))?);
    if let Some(size) = size {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    }
    Ok((parts, response))
}
