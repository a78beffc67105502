//! What became of an upload, file by file.

use aam::ingest::{Run, Stream};
use aam::proposals::{Accepted, AcceptedField};
use schema::drift::DriftEvent;
use schema::drift::{Change, Severity};
use schema::run::{FirstRejection, RunOutcome};
use schema::{DriftId, Error, FieldError, JobId, Result, RunId};
use serde::{Serialize, Serializer};
use sources::delimited::Reader;
use utoipa::ToSchema;

use super::meaning::Meaning;

/// The result of an upload.
#[derive(Serialize, ToSchema)]
pub(crate) struct UploadReport {
    /// `failed` where no row of any file was accepted, `partial` where some rows were quarantined or
    /// some files could not be read.
    status: RunOutcome,
    files: Vec<FileReport>,
    total: Total,
}

/// The result of one file. Each row that was read is in one of the counts after `rows_read`.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileReport {
    file: String,
    /// `failed` where it cannot be read, or all its rows were quarantined.
    status: RunOutcome,
    /// The object that it belongs to: `system.entity`, else the stem of its name.
    object: Option<String>,
    /// What its rows become; null where no mapping says: they are kept as they came.
    entity: Option<String>,
    /// Where to read what the platform takes such an unmapped object for, and to accept it.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal: Option<String>,
    /// What to do for its rows to be in a view, where they are in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
    /// What was accepted with the upload, and how sure it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted: Vec<AcceptedField>,
    /// The job by which the rows follow what was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_job_id: Option<JobId>,
    /// What has to be answered before the proposal can be accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    questions: Vec<OpenQuestion>,
    system: Option<String>,
    /// The encoding that was detected.
    encoding: Option<&'static str>,
    /// The delimiter that was detected.
    delimiter: Option<char>,
    /// Where the file was not read literally, such as dropped empty cells, in sentences.
    warnings: Vec<String>,
    run_id: Option<RunId>,
    #[serde(flatten)]
    total: Total,
    /// The first row that was quarantined.
    first_rejection: Option<FirstRejection>,
    /// The drift that this file caused, if any.
    #[serde(serialize_with = "shown")]
    #[schema(value_type = Option<Drift>)]
    pub(super) drift: Option<DriftEvent>,
    /// Why the file failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Whether it could not be read.
    #[serde(skip)]
    is_refused: bool,
}

/// What has to be answered before a proposal can be accepted.
#[derive(Serialize, ToSchema)]
struct OpenQuestion {
    /// Where its answer goes in the acceptance.
    pointer: String,
    /// The question, and what can be answered.
    question: String,
}

/// Counts of rows.
#[derive(Default, Serialize, ToSchema)]
struct Total {
    rows_read: u64,
    written: u64,
    /// Already stored, with the same content.
    unchanged: u64,
    /// Older than what is stored.
    stale: u64,
    /// Quarantined with a reason.
    quarantined: u64,
    /// Of those quarantined: rows with the id of an earlier row of the file and other content.
    collisions: u64,
    /// Of those unchanged: rows that were in the file before, to the letter. They are one record.
    duplicates: u64,
    bytes: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FileDrift)]
struct Drift<'a> {
    id: DriftId,
    severity: Severity,
    changes: &'a [Change],
}

impl UploadReport {
    /// # Errors
    /// [`Error::Invalid`] where there is no file that could be read.
    pub(super) fn of(files: Vec<FileReport>) -> Result<UploadReport> {
        if files.is_empty() {
            let detail = "no file: send at least one part with a file name";
            return Err(Error::invalid("/files", detail));
        }
        if files.iter().all(|it| it.is_refused) {
            let errors = files.into_iter().enumerate().map(|(index, it)| FieldError {
                pointer: format!("/files/{index}"),
                detail: format!("{}: {}", it.file, it.error.unwrap_or_default()),
            });
            return Err(Error::Invalid(errors.collect()));
        }
        let mut total = Total::default();
        for file in &files {
            total.rows_read += file.total.rows_read;
            total.written += file.total.written;
            total.unchanged += file.total.unchanged;
            total.stale += file.total.stale;
            total.quarantined += file.total.quarantined;
            total.collisions += file.total.collisions;
            total.duplicates += file.total.duplicates;
            total.bytes += file.total.bytes;
        }
        let status = outcome(&files);
        Ok(UploadReport {
            status,
            files,
            total,
        })
    }
}

impl FileReport {
    pub(super) fn new(file: &str) -> FileReport {
        FileReport {
            file: file.to_owned(),
            status: RunOutcome::Success,
            object: None,
            entity: None,
            proposal: None,
            next_step: None,
            accepted: Vec::new(),
            replay_job_id: None,
            questions: Vec::new(),
            system: None,
            encoding: None,
            delimiter: None,
            warnings: Vec::new(),
            run_id: None,
            total: Total::default(),
            first_rejection: None,
            drift: None,
            error: None,
            is_refused: false,
        }
    }

    pub(super) fn refuse(self, error: String) -> FileReport {
        FileReport {
            status: RunOutcome::Failed,
            error: Some(error),
            is_refused: true,
            ..self
        }
    }

    pub(super) fn describe(&mut self, meaning: &Meaning, stream: &Stream, run: RunId) {
        self.object = Some(stream.object.name.clone());
        let entity = stream.plan.entity();
        self.entity = (!entity.is_unmapped()).then(|| entity.kind.to_string());
        self.system = Some(meaning.system.clone());
        self.run_id = Some(run);
        if entity.is_unmapped() {
            let (connection, object) = (stream.object.connection, &stream.object.name);
            let proposal = format!("/api/v1/dcl/proposals/{connection}/{object}");
            self.next_step = Some(format!(
                "the rows are stored and in no view yet, as nothing says what they are: read GET \
                 {proposal}, then POST {proposal}/accept, with an answer to each question"
            ));
            self.proposal = Some(proposal);
        }
    }

    /// What was proposed for the file is its mapping now.
    pub(super) fn accept(&mut self, accepted: Accepted) {
        self.entity = Some(accepted.mapping.entity);
        self.proposal = None;
        self.next_step = None;
        self.accepted = accepted.fields;
        self.replay_job_id = accepted.in_force.replay.map(|it| it.job_id());
    }

    /// What was proposed for the file cannot be accepted before that is answered.
    pub(super) fn ask(&mut self, open: &[FieldError]) {
        let question = |it: &FieldError| OpenQuestion {
            pointer: it.pointer.clone(),
            question: it.detail.clone(),
        };
        self.questions = open.iter().map(question).collect();
    }

    /// What `reader` found out about the file.
    pub(super) fn detected(&mut self, reader: &Reader) {
        let detected = reader.detected();
        self.encoding = detected.map(|it| it.encoding.name());
        self.delimiter = detected.map(|it| char::from(it.delimiter));
        self.warnings = reader.notes();
    }

    pub(super) fn count(&mut self, run: &Run, duplicates: u64) {
        let counts = run.counts;
        self.status = counts.outcome();
        self.error = run.error();
        self.first_rejection.clone_from(&run.first_rejection);
        self.total = Total {
            rows_read: counts.rows_read,
            written: counts.written,
            unchanged: counts.unchanged,
            stale: counts.stale,
            quarantined: counts.quarantined,
            collisions: counts.collisions,
            duplicates,
            bytes: run.bytes,
        };
    }
}

/// How an upload of these files ended.
fn outcome(files: &[FileReport]) -> RunOutcome {
    let all = |wanted| files.iter().all(|it| it.status == wanted);
    if all(RunOutcome::Success) {
        RunOutcome::Success
    } else if all(RunOutcome::Failed) {
        RunOutcome::Failed
    } else {
        RunOutcome::Partial
    }
}

fn shown<S: Serializer>(drift: &Option<DriftEvent>, serializer: S) -> Result<S::Ok, S::Error> {
    let drift = drift.as_ref().map(|it| Drift {
        id: it.id,
        severity: it.severity,
        changes: &it.changes,
    });
    drift.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use aam::ingest::{Counts, RunKind};
    use chrono::DateTime;

    use super::*;

    /// A file whose rows were written, or why it was refused.
    fn file(name: &str, rows: Result<u64, &str>) -> FileReport {
        let mut file = FileReport::new(name);
        match rows {
            Ok(rows) => {
                let counts = Counts {
                    rows_read: 2 * rows,
                    written: rows,
                    stale: rows,
                    ..Counts::default()
                };
                let run = Run::new(RunKind::Upload, DateTime::UNIX_EPOCH);
                let run = Run {
                    counts,
                    bytes: 10 * rows,
                    ..run
                };
                file.count(&run, 0);
                file
            }
            Err(reason) => file.refuse(reason.to_owned()),
        }
    }

    fn check(files: Vec<FileReport>, expected: &str) {
        let found = match UploadReport::of(files) {
            Ok(report) => serde_json::to_string(&report.total).unwrap(),
            Err(Error::Invalid(errors)) => {
                let errors = errors
                    .iter()
                    .map(|it| format!("{}: {}", it.pointer, it.detail));
                errors.collect::<Vec<_>>().join("; ")
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn an_upload_is_refused_where_none_of_its_files_can_be_read() {
        check(
            vec![],
            "/files: no file: send at least one part with a file name",
        );
        check(
            vec![file("a.csv", Err("it is empty")), file("b", Err("no kind"))],
            "/files/0: a.csv: it is empty; /files/1: b: no kind",
        );
    }

    #[test]
    fn the_total_has_the_rows_of_all_files() {
        check(
            vec![
                file("a.csv", Ok(3)),
                file("b.csv", Err("it is empty")),
                file("c.csv", Ok(4)),
            ],
            r#"{"rows_read":14,"written":7,"unchanged":0,"stale":7,"quarantined":0,"collisions":0,"duplicates":0,"bytes":70}"#,
        );
    }

    #[track_caller]
    fn check_outcome(files: Vec<FileReport>, expected: RunOutcome) {
        let report = UploadReport::of(files).unwrap();
        assert_eq!(report.status, expected);
    }

    #[test]
    fn an_upload_is_a_success_where_each_of_its_files_is_one() {
        let quarantined = |of: u64| {
            let counts = Counts {
                rows_read: of,
                written: of - 1,
                quarantined: 1,
                ..Counts::default()
            };
            let mut file = FileReport::new("q.csv");
            let run = Run {
                counts,
                ..Run::new(RunKind::Upload, DateTime::UNIX_EPOCH)
            };
            file.count(&run, 0);
            file
        };
        check_outcome(vec![file("a.csv", Ok(1))], RunOutcome::Success);
        check_outcome(vec![quarantined(2)], RunOutcome::Partial);
        check_outcome(vec![quarantined(1)], RunOutcome::Failed);
        let some = vec![file("a.csv", Ok(1)), quarantined(1)];
        check_outcome(some, RunOutcome::Partial);
        let none = vec![file("b", Err("no kind")), quarantined(1)];
        check_outcome(none, RunOutcome::Failed);
    }
}
