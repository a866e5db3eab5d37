//! A connection whose end is heard a moment late.
//!
//! A process may answer and exit at once. Then its last request and the end of its connection arrive together,
//! and hyper, which takes the end of a busy connection for a client that gave up, would drop the request
//! half-read. (hyper's `half_close` would not do: a `next` whose client is gone would then go on waiting, and
//! take an event into nowhere.) So the end is held back for a few polls, in which the request is dealt with.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Polls: one to pass on the body, one to see that it is complete, one to spare.
const HELD_BACK_MAX: u32 = 3;

/// A connection of a sandbox's process.
pub(crate) struct Patient {
    stream: TcpStream,
    held_back: u32,
}

impl Patient {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, held_back: 0 }
    }
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        let ended = matches!(&polled, Poll::Ready(Ok(())) if buffer.filled().len() == before);
        if ended && this.held_back < HELD_BACK_MAX {
            this.held_back += 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        polled
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
