//! Rows from a stream of chunks, such as an upload.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::delimited::{Error, Header, Item, Options, Reader};

/// A [`Reader`] that fetches its own chunks.
pub struct StreamReader<S> {
    chunks: S,
    reader: Reader,
    ended: bool,
    /// Whether the next row is found, and not handed out.
    found: bool,
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
            found: false,
        }
    }

    /// The columns, before the first row is read; `None` for an empty file.
    pub async fn header(&mut self) -> Result<Option<&Header>, StreamError<E>> {
        self.find().await?;
        Ok(self.reader.header())
    }

    /// The next row, or `None` at the end of the file.
    pub async fn next(&mut self) -> Result<Option<Item<'_>>, StreamError<E>> {
        self.find().await?;
        self.found = false;
        Ok(self.reader.item())
    }

    /// Looks for the next row, unless it is found already.
    async fn find(&mut self) -> Result<(), StreamError<E>> {
        while !self.found {
            self.found = self.reader.advance()?;
            if self.found || self.ended {
                break;
            }
            match self.chunks.next().await {
                Some(chunk) => self.reader.push(&chunk.map_err(StreamError::Chunk)?),
                None => {
                    self.ended = true;
                    self.reader.finish();
                }
            }
        }
        Ok(())
    }

    /// What is known of the file by now: its header, encoding and delimiter.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}
