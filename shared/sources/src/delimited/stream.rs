//! Rows from a stream of chunks, such as an upload.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::delimited::{Error, Item, Options, Reader};

/// A [`Reader`] that fetches its own chunks.
pub struct StreamReader<S> {
    chunks: S,
    reader: Reader,
    ended: bool,
}

/// Why no more rows come: of the stream, or of the file.
#[derive(Debug, thiserror::Error)]
pub enum StreamError<E> {
    #[error("the upload was interrupted, send the file again")]
    Chunk(#[source] E),
    #[error(transparent)]
    File(#[from] Error),
}

impl<S, E> StreamReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    pub fn new(options: Options, chunks: S) -> Self {
        Self {
            chunks,
            reader: Reader::new(options),
            ended: false,
        }
    }

    /// The next row, or `None` at the end of the file.
    pub async fn next(&mut self) -> Result<Option<Item<'_>>, StreamError<E>> {
        while !self.reader.advance()? {
            if self.ended {
                return Ok(None);
            }
            match self.chunks.next().await {
                Some(chunk) => self.reader.push(&chunk.map_err(StreamError::Chunk)?),
                None => {
                    self.ended = true;
                    self.reader.finish();
                }
            }
        }
        Ok(self.reader.item())
    }

    /// What is known of the file by now: its header, encoding and delimiter.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}
