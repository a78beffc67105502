//! A body that hands out one chunk at a time, and not too many of what must be held whole.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{BodyDataStream, Bytes};
use futures_util::Stream;

/// What may stand before the content of a part: a boundary and a few headers.
const MAX_HEAD: usize = 64 << 10;

/// Lets its reader breathe between chunks. The parser of multipart bodies reads for as long as
/// one is ready and keeps them all, which would be the whole file where the disk is slower than
/// the network.
pub(super) struct BoundedBody {
    chunks: BodyDataStream,
    gave: bool,
    allowance: HeaderBudget,
}

/// How many bytes the parser may still read before it must have come forward. It keeps the head
/// of a part until that is whole, which it never need be.
#[derive(Clone)]
pub(super) struct HeaderBudget(Arc<AtomicUsize>);

impl HeaderBudget {
    pub(super) fn new() -> HeaderBudget {
        HeaderBudget(Arc::new(AtomicUsize::new(MAX_HEAD)))
    }

    /// From here on the head of a part is read.
    pub(super) fn head(&self) {
        self.0.store(MAX_HEAD, Ordering::Relaxed);
    }

    /// From here on content is read, which nobody keeps.
    pub(super) fn content(&self) {
        self.0.store(usize::MAX, Ordering::Relaxed);
    }

    fn spend(&self, bytes: usize) {
        let left = self.0.load(Ordering::Relaxed).saturating_sub(bytes);
        self.0.store(left, Ordering::Relaxed);
    }

    fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl BoundedBody {
    pub(super) fn new(chunks: BodyDataStream, allowance: HeaderBudget) -> BoundedBody {
        BoundedBody {
            chunks,
            gave: false,
            allowance,
        }
    }
}

impl Stream for BoundedBody {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.allowance.is_spent() {
            let error = axum::Error::new("the head of a part is longer than 64 KiB");
            return Poll::Ready(Some(Err(error)));
        }
        let next = Pin::new(&mut self.chunks).poll_next(context);
        if let Poll::Ready(Some(Ok(chunk))) = &next {
            self.allowance.spend(chunk.len());
        }
        self.gave = matches!(next, Poll::Ready(Some(_)));
        next
    }
}
