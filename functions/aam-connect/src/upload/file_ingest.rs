//! One file in batches: rows are gathered until a batch is full, then written together.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aam::inference::Column;
use aam::ingest::{Item, Op, Passage, Stream, UnreadRecord};
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use platform::audit::{self, Entry};
use platform::{Result, db, metrics};
use schema::run::FirstRejection;
use schema::source::{SourceType, SourceTypes, child_path};
use serde_json::json;
use sources::delimited::{
    BadRow, ColumnType, Doubt, Header, Item as Read, Options, Profile, Row, Separators,
    StreamError, StreamReader,
};

use super::{FileReport, Stop, Upload, broken, unopened};
use crate::connection::audit_object;
use crate::db::connections::source;

/// A batch is full with this many rows or bytes, whichever comes first.
const ROWS: usize = 500;
const BYTES: usize = 4 << 20;

type Chunks<'a> = BoxStream<'a, Result<Bytes, MultipartError>>;

/// A file of a request's body.
pub(super) struct UploadedFile<'a> {
    rows: StreamReader<Chunks<'a>>,
    /// How much of it came.
    bytes: Arc<AtomicU64>,
}

impl<'a> UploadedFile<'a> {
    pub(super) fn new(options: Options, part: &'a mut Field<'_>) -> UploadedFile<'a> {
        let bytes = Arc::new(AtomicU64::new(0));
        let count = bytes.clone();
        let chunks = part.inspect_ok(move |it| {
            count.fetch_add(it.len() as u64, Ordering::Relaxed);
        });
        UploadedFile {
            rows: StreamReader::new(options, chunks.boxed()),
            bytes,
        }
    }

    /// Its columns; none where it is empty.
    pub(super) async fn header(&mut self) -> Result<Option<&Header>, Stop> {
        self.rows.header().await.map_err(stop)
    }
}

/// One file on its way in.
pub(super) struct FileIngest<'a> {
    upload: &'a Upload,
    passage: Passage,
    /// The rows that wait, as JSON, one behind the other.
    text: Vec<u8>,
    rows: Vec<Waiting>,
    separators: Option<Separators>,
    /// Rows that could not even be read.
    rejected: Vec<BadRow>,
    rejected_bytes: usize,
}

/// A row that waits.
struct Waiting {
    line: u64,
    /// Its place in the text of all.
    place: Range<usize>,
    /// Numbers that can be read in two ways, and the row as it is set aside for them.
    doubts: Option<(Vec<Doubt>, BadRow)>,
}

impl<'a> FileIngest<'a> {
    pub(super) fn new(upload: &'a Upload, passage: Passage) -> FileIngest<'a> {
        FileIngest {
            upload,
            passage,
            text: Vec::new(),
            rows: Vec::new(),
            separators: None,
            rejected: Vec::new(),
            rejected_bytes: 0,
        }
    }

    pub(super) fn passage(&self) -> &Passage {
        &self.passage
    }

    /// Reads the file to its end, writing each full batch.
    pub(super) async fn read(
        &mut self,
        file: &mut UploadedFile<'_>,
        report: &mut FileReport,
    ) -> Result<(), Stop> {
        let mut profile = None;
        loop {
            let next = file.rows.next().await.map_err(stop)?;
            self.passage.run.bytes = file.bytes.load(Ordering::Relaxed);
            match next {
                Some(Read::Row(row)) => {
                    if profile.is_none() {
                        check(row.header())?;
                    }
                    profile
                        .get_or_insert_with(|| Profile::new(row.header()))
                        .observe(&row);
                    self.gather(&row);
                }
                Some(Read::Rejected(rejected)) => {
                    self.rejected_bytes += rejected.raw.len();
                    self.rejected.push(rejected);
                }
                None => break,
            }
            if self.is_full() {
                self.flush().await?;
            }
        }
        let reader = file.rows.reader();
        report.detected(reader);
        let Some(header) = reader.header() else {
            let error = "the file is empty: its first line names the columns";
            return Err(Stop::File(error.to_owned()));
        };
        check(header)?;
        self.flush().await?;
        self.name_columns(header);
        self.observe(header, &profile.unwrap_or_else(|| Profile::new(header)));
        Ok(())
    }

    fn gather(&mut self, row: &Row<'_>) {
        let plan = &self.passage.stream.plan;
        let separators = self.separators.get_or_insert_with(|| {
            Separators::new(row.header(), |it| plan.is_number(&child_path("", it)))
        });
        let doubts = separators.observe(row);
        let start = self.text.len();
        row.write_json(&mut self.text);
        let doubts = (!doubts.is_empty()).then(|| {
            let rejected = row.rejected(String::new());
            self.rejected_bytes += rejected.raw.len();
            (doubts, rejected)
        });
        self.rows.push(Waiting {
            line: row.line(),
            place: start..self.text.len(),
            doubts,
        });
    }

    /// Sets aside the rows whose numbers are written otherwise than others of their column.
    fn part(&mut self) -> Result<(), Stop> {
        let Some(separators) = &mut self.separators else {
            return Ok(());
        };
        separators.check().map_err(Stop::File)?;
        let rejected = &mut self.rejected;
        self.rows.retain_mut(|row| {
            let Some((doubts, mut as_rejected)) = row.doubts.take() else {
                return true;
            };
            let Err(reason) = separators.take(&doubts) else {
                return true;
            };
            as_rejected.reason = reason;
            rejected.push(as_rejected);
            false
        });
        Ok(())
    }

    /// Notes that the run is over and what the file's columns say about its object.
    pub(super) async fn finish(&mut self, report: &mut FileReport) -> Result<(), Stop> {
        let now = platform::now();
        let Passage { stream, run, .. } = &self.passage;
        let mut tx = self.upload.begin().await?;
        self.passage.advance(&mut tx).await?;
        report.drift = self.passage.finish(&mut tx, now).await?;
        source::settle_status(&mut tx, stream.tenant, stream.object.connection).await?;
        let place = audit_object(stream.object.connection);
        let entry = Entry::new(&self.upload.caller, "file.upload", place).after(json!({
            "run": run.id,
            "file": run.file,
            "object": stream.object.name,
            "counts": run.counts,
            "drift": report.drift.as_ref().map(|it| it.id),
        }));
        audit::append(&mut tx, stream.tenant, &entry).await?;
        tx.commit().await?;
        metrics::count("DriftOpened", usize::from(report.drift.is_some()));
        Ok(())
    }

    fn is_full(&self) -> bool {
        ROWS <= self.rows.len()
            || ROWS <= self.rejected.len()
            || BYTES <= self.text.len() + self.rejected_bytes
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        self.part()?;
        self.write().await?;
        // Apart from the rows: there every writer takes its locks in one order.
        self.set_aside().await?;
        self.rejected_bytes = 0;
        Ok(())
    }

    /// The mapping may be another one by now: what is written here is read by the one in force.
    async fn renew_stream(&mut self, conn: &mut db::Connection) -> Result<(), Stop> {
        let stream = &self.passage.stream;
        let now = platform::now();
        let opened = Stream::open(conn, stream.tenant, &stream.object, now).await;
        self.passage.stream = opened.map_err(unopened)?;
        Ok(())
    }

    async fn write(&mut self) -> Result<(), Stop> {
        if self.rows.is_empty() {
            self.text.clear();
            return Ok(());
        }
        let now = platform::now();
        let mut tx = self.upload.begin().await?;
        self.renew_stream(&mut tx).await?;
        let items: Vec<_> = self
            .rows
            .iter()
            .map(|it| Item {
                payload: &self.text[it.place.clone()],
                line: Some(it.line),
                occurred_at: None,
                origin: None,
                op: Op::Upsert,
                source_id: None,
                source_key: None,
            })
            .collect();
        let before = self.passage.run.counts.added();
        self.passage.write(&mut tx, &items, now).await?;
        if before < self.passage.run.counts.added() {
            self.upload.check_storage(&mut tx).await?;
        }
        self.passage.advance(&mut tx).await?;
        tx.commit().await?;
        self.rows.clear();
        self.text.clear();
        Ok(())
    }

    /// Keeps the rows that could not be read.
    async fn set_aside(&mut self) -> Result<(), Stop> {
        if self.rejected.is_empty() {
            return Ok(());
        }
        let now = platform::now();
        let records: Vec<_> = self
            .rejected
            .iter()
            .map(|it| UnreadRecord {
                payload: &it.raw,
                reason: &it.reason,
                line: Some(it.line),
                source_id: None,
                source_key: None,
            })
            .collect();
        let mut tx = self.upload.begin().await?;
        self.passage.quarantine(&mut tx, &records, now).await?;
        self.upload.check_storage(&mut tx).await?;
        self.passage.advance(&mut tx).await?;
        tx.commit().await?;
        self.rejected.clear();
        Ok(())
    }

    /// A row that could not be cut into cells does not tell the columns of its file.
    fn name_columns(&mut self, header: &Header) {
        if let Some(first) = &mut self.passage.run.first_rejection
            && first.present_fields.is_empty()
        {
            let names = header.names().iter().take(FirstRejection::MAX_FIELDS);
            first.present_fields = names.cloned().collect();
        }
    }

    fn observe(&mut self, header: &Header, profile: &Profile) {
        let named = header.names().len() - header.nameless();
        let columns: Vec<_> = header
            .names()
            .iter()
            .zip(&profile.columns)
            .enumerate()
            .filter(|(index, (_, seen))| *index < named || seen.empty < seen.seen)
            .map(|(_, it)| it)
            .map(|(name, seen)| Column {
                name,
                types: types(seen.kind),
                present: seen.seen - seen.empty,
            })
            .collect();
        let rows = profile.columns.first().map_or(0, |it| it.seen);
        self.passage.observe_columns(&columns, rows);
    }
}

/// PostgreSQL stores no NUL, and a name without it would be another name.
fn check(header: &Header) -> Result<(), Stop> {
    match header.names().iter().position(|it| it.contains('\0')) {
        None => Ok(()),
        Some(at) => Err(Stop::File(format!(
            "the name of column {} has a NUL",
            at + 1
        ))),
    }
}

fn stop(error: StreamError<MultipartError>) -> Stop {
    match error {
        StreamError::Chunk(error) => Stop::Request(broken(error)),
        StreamError::File(error) => Stop::File(error.to_string()),
    }
}

fn types(kind: ColumnType) -> SourceTypes {
    SourceTypes::of(match kind {
        ColumnType::Empty => return SourceTypes::NONE,
        ColumnType::Boolean => SourceType::Boolean,
        ColumnType::Integer => SourceType::Integer,
        ColumnType::Decimal => SourceType::Decimal,
        ColumnType::Date => SourceType::Date,
        ColumnType::Timestamp => SourceType::Timestamp,
        ColumnType::Text => SourceType::Text,
    })
}
