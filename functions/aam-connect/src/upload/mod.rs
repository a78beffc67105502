//! Files from a request's body into the database, as they arrive.
//!
//! **Invariant:** memory does not grow with a file. A batch of rows and the run's counts of it are
//! one transaction, so that a kill at any point loses and doubles nothing: what was committed is
//! counted, and sent again it is unchanged.

mod body;
mod file_ingest;
mod meaning;
mod report;

use aam::db::custom_entities;
use aam::db::runs::{self, RunKind};
use aam::db::source_objects;
use aam::ingest::{OpenError, Passage, Run, Stream};
use aam::proposals::{self, Answers};
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use chrono::TimeDelta;
use platform::{Caller, Platform, Problem, Result, db, storage};
use schema::entity::Entities;
use schema::{ConnectionId, Error, Scope};
use sources::filesource::Config;

use crate::connection::NOT_FOUND;
use body::{BoundedBody, HeaderBudget};
use file_ingest::{FileIngest, UploadedFile};
use meaning::{Hints, Meaning};
pub(crate) use report::{FileReport, UploadReport};

/// A function ends after 15 minutes at the latest, and its runs with it.
const MAX_RUN: TimeDelta = TimeDelta::minutes(16);

/// Each file has its place in the answer, however small it is.
const MAX_FILES: usize = 1000;

/// What the files of one request share.
pub(crate) struct Upload {
    pub(crate) platform: Platform,
    pub(crate) caller: Caller,
    pub(crate) connection: ConnectionId,
    pub(crate) config: Config,
}

/// Why a file ends before its end.
enum Stop {
    /// It cannot be read; its neighbours can.
    File(String),
    /// The request cannot go on.
    Request(Problem),
}

impl<E> From<E> for Stop
where
    Problem: From<E>,
{
    fn from(error: E) -> Stop {
        Stop::Request(error.into())
    }
}

/// The body of a request as the parts that it has.
pub(crate) struct Parts {
    multipart: Multipart,
    allowance: HeaderBudget,
}

impl Parts {
    /// # Errors
    /// [`Error::BadRequest`] where the headers say that the body has no parts.
    pub(crate) async fn of(request: Request) -> Result<Parts> {
        let (head, body) = request.into_parts();
        let allowance = HeaderBudget::new();
        let body = Body::from_stream(BoundedBody::new(body.into_data_stream(), allowance.clone()));
        let parts = Multipart::from_request(Request::from_parts(head, body), &()).await;
        let multipart = parts.map_err(|_| {
            Error::BadRequest("send content-type: multipart/form-data with a boundary".to_owned())
        })?;
        Ok(Parts {
            multipart,
            allowance,
        })
    }

    /// The next part. Read the one before to its end.
    async fn next(&mut self) -> Result<Option<Field<'_>>> {
        self.allowance.head();
        let part = self.multipart.next_field().await.map_err(broken)?;
        self.allowance.content();
        Ok(part)
    }
}

impl Upload {
    /// Takes every file of the body; parts without a file name say what the files after them are.
    pub(crate) async fn take(self, mut body: Parts) -> Result<UploadReport> {
        let mut files = Vec::new();
        let mut hints = Hints::new(self.entities().await?);
        let is_admin = self.caller.scopes.contains(&Scope::Admin);
        while let Some(mut part) = body.next().await? {
            if let Some(name) = part.file_name() {
                if files.len() == MAX_FILES {
                    let detail =
                        format!("at most {MAX_FILES} files: send the others in another request");
                    return Err(Error::TooLarge(detail).into());
                }
                let name = name.to_owned();
                files.push(self.file(name, &hints, &mut part).await?);
            } else if let Some(field) = part.name().map(str::to_owned) {
                hints.read(&field, &mut part).await?;
                if hints.accept && !is_admin {
                    let detail = "only an admin accepts a mapping: leave `accept` out";
                    return Err(Error::Forbidden(detail).into());
                }
            }
            while part.chunk().await.map_err(broken)?.is_some() {}
        }
        Ok(UploadReport::of(files)?)
    }

    async fn file(&self, name: String, hints: &Hints, part: &mut Field<'_>) -> Result<FileReport> {
        let mut report = FileReport::new(&name);
        let meaning = match Meaning::of(&name, hints) {
            Ok(meaning) => meaning,
            Err(error) => return Ok(report.refuse(error.to_string())),
        };
        let options = self.config.options(meaning.format.delimiter());
        let mut file = UploadedFile::new(options, part);
        let head = match file.header().await {
            Ok(header) => Ok(header.map(|it| it.names().to_vec())),
            Err(Stop::Request(problem)) => return Err(problem),
            Err(Stop::File(error)) => Err(error),
        };
        let columns = head.as_ref().ok().and_then(|it| it.as_deref());
        let passage = match self.open(&meaning, name, columns).await {
            Ok(passage) => passage,
            Err(Stop::File(error)) => return Ok(report.refuse(error)),
            Err(Stop::Request(problem)) => return Err(problem),
        };
        let id = passage.run.id;
        report.describe(&meaning, &passage.stream, id);
        let mut ingest = FileIngest::new(self, passage);
        let read = match head {
            Ok(_) => ingest.read(&mut file, &mut report).await,
            Err(error) => Err(Stop::File(error)),
        };
        let ended = match read {
            Ok(()) => ingest.finish(&mut report).await,
            Err(stop) => Err(stop),
        };
        let passage = ingest.passage();
        report.count(&passage.run, passage.repeated());
        match ended {
            Ok(()) => {
                if hints.accept && ingest.passage().stream.plan.is_unmapped() {
                    self.accept(&meaning, ingest.passage(), &mut report).await?;
                }
                Ok(report)
            }
            Err(Stop::File(error)) => {
                self.fail(ingest.passage(), &error).await?;
                Ok(report.refuse(error))
            }
            Err(Stop::Request(problem)) => {
                // The client may be gone, but whoever looks at the run shall know.
                if let Err(error) = self.fail(ingest.passage(), &reason(&problem)).await {
                    tracing::error!(?error, run = %id, "a failed run is still marked as running");
                }
                Err(problem)
            }
        }
    }

    /// The tenant's entities.
    async fn entities(&self) -> Result<Entities> {
        let mut tx = db::read(&self.platform.db, self.caller.tenant).await?;
        Ok(custom_entities::entities(&mut tx, self.caller.tenant).await?)
    }

    /// Registers the file's object and notes that its run begins.
    async fn open(
        &self,
        meaning: &Meaning,
        name: String,
        columns: Option<&[String]>,
    ) -> Result<Passage, Stop> {
        let now = platform::now();
        let (tenant, connection) = (self.caller.tenant, self.connection);
        let object = meaning.object(connection);
        let mut tx = self.begin().await?;
        let abandoned = (RunKind::Upload, now - MAX_RUN);
        runs::fail_abandoned(&mut tx, tenant, connection, abandoned, now).await?;
        let stream = Stream::open_with_columns(&mut tx, tenant, &object, columns, now)
            .await
            .map_err(unopened)?;
        if stream.plan.is_unmapped() {
            source_objects::say(&mut tx, tenant, object.key(), meaning.said()).await?;
        }
        let run = Run {
            file: Some(name),
            ..Run::new(RunKind::Upload, now)
        };
        let passage = Passage::new(stream, run);
        passage.begin(&mut tx).await?;
        tx.commit().await?;
        Ok(passage)
    }

    /// Makes what is proposed for the file its mapping. A question that is open stays open, and the
    /// report has it.
    async fn accept(
        &self,
        meaning: &Meaning,
        passage: &Passage,
        report: &mut FileReport,
    ) -> Result<()> {
        let object = passage.stream.object.key();
        let answers = Answers {
            entity: (!meaning.entity.is_unmapped()).then(|| meaning.entity.kind.to_string()),
            ..Answers::default()
        };
        let reason = "accepted with the upload";
        let mut tx = self.begin().await?;
        let accepted = proposals::accept(&mut tx, &self.caller, object, &answers, reason).await;
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(problem) => match problem.error() {
                Error::Invalid(open) => {
                    report.ask(open);
                    return Ok(());
                }
                _ => return Err(problem),
            },
        };
        tx.commit().await?;
        if let Some(job) = &accepted.in_force.replay {
            job.announce(&self.platform).await;
        }
        report.accept(accepted);
        Ok(())
    }

    async fn fail(&self, passage: &Passage, error: &str) -> Result<()> {
        let mut tx = db::begin(&self.platform.db, self.caller.tenant).await?;
        passage.fail(&mut tx, error, platform::now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Looks whether there is room for what the transaction has added.
    async fn check_storage(&self, tx: &mut db::Connection) -> Result<()> {
        storage::check(&self.platform, tx, self.caller.tenant).await
    }

    /// A transaction in which the connection stays.
    async fn begin(&self) -> Result<db::Transaction> {
        let mut tx = db::begin(&self.platform.db, self.caller.tenant).await?;
        let ids = [self.connection];
        let held = aam::db::connections::lock_for_ingest(&mut tx, self.caller.tenant, &ids).await?;
        if held.is_empty() {
            return Err(NOT_FOUND.into());
        }
        Ok(tx)
    }
}

/// A file whose mapping is broken cannot be read; its neighbours may have others.
fn unopened(error: OpenError) -> Stop {
    match error {
        OpenError::Database(error) => error.into(),
        error @ OpenError::Mapping { .. } => Stop::File(error.to_string()),
    }
}

/// Why a run ended with the request, for whoever looks at it later.
fn reason(problem: &Problem) -> String {
    match problem.error() {
        // Of the body: see `broken`.
        Error::BadRequest(_) => "the upload was interrupted, send the file again".to_owned(),
        Error::Internal(_) => "an internal error: its cause is in the log".to_owned(),
        error => error.to_string(),
    }
}

/// The client's fault, whatever it is: a body that is no multipart, too large, or broken off.
fn broken(error: MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::TooLarge("the files are larger than this route takes".to_owned()).into()
        }
        _ => Error::BadRequest(format!("the body is not multipart: {}", error.body_text())).into(),
    }
}
