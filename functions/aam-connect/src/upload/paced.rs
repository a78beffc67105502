//! A stream that hands out one chunk at a time.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;

/// Lets its reader breathe between chunks. The parser of multipart bodies reads for as long as
/// one is ready and keeps them all, which would be the whole file where the disk is slower than
/// the network.
pub(super) struct Paced<S> {
    chunks: S,
    gave: bool,
}

impl<S> Paced<S> {
    pub(super) fn new(chunks: S) -> Paced<S> {
        Paced {
            chunks,
            gave: false,
        }
    }
}

impl<S: Stream + Unpin> Stream for Paced<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = Pin::new(&mut self.chunks).poll_next(context);
        self.gave = matches!(next, Poll::Ready(Some(_)));
        next
    }
}
