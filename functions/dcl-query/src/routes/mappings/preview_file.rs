//! The records of a file that is looked at before it is uploaded.

use std::collections::BTreeMap;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use platform::Result;
use schema::Error;
use serde_json::value::RawValue;
use sources::delimited::{Item, StreamError, StreamReader, file_name};
use sources::filesource::Config;
use utoipa::ToSchema;

use super::preview::{MAX_RECORDS, Preview};

/// The fields of the form that are no file.
const FIELDS: [&str; 3] = ["object", "system", "entity"];
/// Such a field has at most so many bytes.
const MAX_FIELD: usize = 256;

/// A file to look at.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it is read part by part; the document describes it"
)]
pub(super) struct PreviewForm {
    /// What its records would be called; what the file is called where it is left out.
    #[schema(example = "")]
    object: Option<String>,
    /// The system that it is of, such as `hubspot`.
    #[schema(example = "")]
    system: Option<String>,
    /// What its records are, where that is known.
    #[schema(example = "")]
    entity: Option<String>,
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Whether the body is a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|it| it.as_bytes());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    kind.starts_with(b"multipart/form-data")
}

/// The first records of the first file of the form.
///
/// # Errors
/// [`Error::Invalid`] where there is none, it cannot be read, or a field is unknown.
pub(super) async fn read(request: Request) -> Result<Preview> {
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|_| {
        Error::BadRequest("send content-type: multipart/form-data with a boundary".to_owned())
    })?;
    let mut preview = Preview {
        object: String::new(),
        system: "file".to_owned(),
        entity: None,
        answers: BTreeMap::new(),
        records: Vec::new(),
    };
    let mut family = None;
    while let Some(mut part) = form.next_field().await.map_err(broken)? {
        if let Some(name) = part.file_name().map(str::to_owned) {
            if family.is_none() {
                let family = family.insert(String::new());
                preview.records = records(&name, &mut part, family).await?;
            }
            continue;
        }
        let name = part.name().unwrap_or_default().to_owned();
        let text = text(&mut part).await?;
        match name.as_str() {
            "object" => preview.object = text,
            "system" => preview.system = text,
            "entity" => preview.entity = Some(text).filter(|it| !it.is_empty()),
            _ => {
                let known = FIELDS.join(", ");
                let detail = format!("the form has no such field: there are {known} and a file");
                return Err(Error::invalid(format!("/{name}"), detail).into());
            }
        }
    }
    let Some(family) = family else {
        let detail = "no file: send one part with a file name";
        return Err(Error::invalid("/file", detail).into());
    };
    if preview.records.is_empty() {
        let detail = "no row can be read: send a file with a line of names and at least one row";
        return Err(Error::invalid("/file", detail).into());
    }
    if preview.object.is_empty() {
        preview.object = family;
    }
    Ok(preview)
}

async fn text(part: &mut Field<'_>) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk[..chunk.len().min(MAX_FIELD)]);
        bytes.truncate(MAX_FIELD);
    }
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// The records of a file, and what it is called without what is another one in the next file.
async fn records(
    name: &str,
    part: &mut Field<'_>,
    family: &mut String,
) -> Result<Vec<Box<RawValue>>> {
    let lower = name.to_lowercase();
    let json = lower
        .rsplit_once('.')
        .filter(|it| ["json", "ndjson", "jsonl"].contains(&it.1));
    if let Some((stem, _)) = json {
        stem.clone_into(family);
        return of_json(part).await;
    }
    let (format, called) = file_name::family(name).map_err(unreadable)?;
    *family = called;
    let options = Config::default().options(format.delimiter());
    let mut rows = StreamReader::new(options, part);
    let mut records = Vec::new();
    while records.len() < MAX_RECORDS {
        let row = match rows.next().await.map_err(stopped)? {
            Some(Item::Row(row)) => row,
            Some(Item::Rejected(_)) => continue,
            None => break,
        };
        let mut json = Vec::new();
        row.write_json(&mut json);
        let json = String::from_utf8(json).map_err(|err| Error::Internal(err.into()))?;
        records.push(RawValue::from_string(json).map_err(|err| Error::Internal(err.into()))?);
    }
    Ok(records)
}

/// The records of a list, or of lines.
async fn of_json(part: &mut Field<'_>) -> Result<Vec<Box<RawValue>>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
    }
    let is_list = bytes.trim_ascii_start().starts_with(b"[");
    let mut records: Vec<Box<RawValue>> = if is_list {
        serde_json::from_slice(&bytes).map_err(no_json)?
    } else {
        let lines = serde_json::Deserializer::from_slice(&bytes).into_iter();
        let lines = lines.take(MAX_RECORDS);
        lines.collect::<Result<_, _>>().map_err(no_json)?
    };
    records.truncate(MAX_RECORDS);
    Ok(records)
}

fn no_json(error: serde_json::Error) -> Error {
    let detail = format!("is no list of JSON objects, nor one a line: {error}");
    Error::invalid("/file", detail)
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::invalid("/file", error.to_string())
}

fn stopped(error: StreamError<MultipartError>) -> Error {
    match error {
        StreamError::Chunk(error) => broken(error),
        StreamError::File(error) => unreadable(error),
    }
}

/// The client's fault, whatever it is: a body that is no multipart, too large, or broken off.
fn broken(error: MultipartError) -> Error {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::TooLarge("a file has at most 6 MB here: send its first lines".to_owned())
        }
        _ => Error::BadRequest(format!("the body is not multipart: {}", error.body_text())),
    }
}
