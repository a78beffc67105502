//! From an item to something that the database takes, or the reason why not.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, SubsecRound, Utc};
use schema::RunId;

use super::{Item, Op};
use mapping::fix::MAX_TEXT;
use mapping::{Cell, Plan, Record, RecordError};

/// B-tree entries end near 2,700 bytes, and a source id shares its entry with the object's name.
const MAX_ID: usize = 1024;
/// A reason quotes what the source sent.
const MAX_REASON: usize = 1024;

/// An item that can be stored.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) source_id: String,
    pub(super) source_key: Option<&'a str>,
    pub(super) payload: &'a str,
    pub(super) content_hash: [u8; 32],
    pub(super) line: Option<u64>,
    pub(super) version: Option<DateTime<Utc>>,
    pub(super) occurred_at: Option<DateTime<Utc>>,
    pub(super) origin: Option<RunId>,
    /// None for a delete.
    pub(super) record: Option<Record<'a>>,
}

/// How the reason of a record ends that is another row's.
pub const COLLISION: &str = "two rows cannot be one record";

/// An item that is kept aside.
#[derive(Debug)]
pub(super) struct QuarantinedItem<'a> {
    pub(super) payload: Cow<'a, str>,
    pub(super) content_hash: [u8; 32],
    pub(super) line: Option<u64>,
    /// Where it can be read.
    pub(super) source_id: Option<String>,
    pub(super) source_key: Option<&'a str>,
    pub(super) version: Option<DateTime<Utc>>,
    pub(super) occurred_at: Option<DateTime<Utc>>,
    pub(super) origin: Option<RunId>,
    pub(super) deleted: bool,
    pub(super) reject: RecordError,
    /// Whether it could be read, but its record is another row's.
    pub(super) collides: bool,
}

impl<'a> Prepared<'a> {
    /// It as one that is kept aside, as its record is that of the row with another key.
    pub(super) fn collide(self, holder: &str) -> QuarantinedItem<'a> {
        let holder = holder.find('[').map_or(holder, |it| &holder[it..]);
        let reason = format!(
            "its id `{}` is also that of the row with the key {holder}: {COLLISION}",
            self.source_id
        );
        self.reject(reason)
    }

    /// It as one that is kept aside, as its record is that of an earlier row of its file.
    pub(super) fn collide_in_file(self) -> QuarantinedItem<'a> {
        let reason = collision_in_file(&self.source_id);
        self.reject(reason)
    }

    fn reject(self, reason: String) -> QuarantinedItem<'a> {
        QuarantinedItem {
            payload: Cow::Borrowed(self.payload),
            content_hash: self.content_hash,
            line: self.line,
            source_id: Some(self.source_id),
            source_key: self.source_key,
            version: self.version,
            occurred_at: self.occurred_at,
            origin: self.origin,
            deleted: self.record.is_none(),
            reject: whole(storable(&reason, MAX_REASON)),
            collides: true,
        }
    }
}

/// Why a row is kept aside whose record an earlier row of its file has.
pub(crate) fn collision_in_file(source_id: &str) -> String {
    let reason = format!(
        "its id `{source_id}` is also that of an earlier row of the file with other content: \
         {COLLISION}"
    );
    storable(&reason, MAX_REASON)
}

/// An item that was read.
pub(super) type Read<'a> = Result<Prepared<'a>, Box<QuarantinedItem<'a>>>;

/// Reads an item, whose [`hash`] is given.
pub(super) fn prepare<'a>(plan: &'a Plan, item: &Item<'a>, content_hash: [u8; 32]) -> Read<'a> {
    read(plan, item, content_hash).map_err(|mut reject| {
        reject.reason = storable(&reject.reason, MAX_REASON);
        reject.field = reject.field.map(|it| storable(&it, MAX_REASON));
        let (source_id, version) = identify(plan, item).unzip();
        Box::new(QuarantinedItem {
            payload: storable_payload(item.payload),
            content_hash,
            line: item.line,
            source_id,
            source_key: item.source_key,
            version: version.flatten(),
            occurred_at: occurred_at(item),
            origin: item.origin,
            deleted: item.op == Op::Delete,
            reject,
            collides: false,
        })
    })
}

/// Which record was rejected, and which version of it.
fn identify(plan: &Plan, item: &Item<'_>) -> Option<(String, Option<DateTime<Utc>>)> {
    let payload = std::str::from_utf8(item.payload).ok();
    let read = payload.and_then(|it| plan.identify(it));
    let (read, version) = read.unzip();
    let id = item.source_id.map(str::to_owned).or(read)?;
    check_id(&id).ok()?;
    Some((id, version.flatten().or(occurred_at(item))))
}

pub(super) fn occurred_at(item: &Item<'_>) -> Option<DateTime<Utc>> {
    item.occurred_at.map(|it| it.trunc_subsecs(6))
}

fn read<'a>(
    plan: &'a Plan,
    item: &Item<'a>,
    content_hash: [u8; 32],
) -> Result<Prepared<'a>, RecordError> {
    let payload = std::str::from_utf8(item.payload)
        .map_err(|err| whole(format!("not UTF-8 from byte {}", err.valid_up_to())))?;
    check_nul(payload)?;
    let occurred_at = occurred_at(item);
    let (source_id, version, record) = match item.op {
        Op::Upsert => {
            let record = plan.canonicalise(payload)?;
            check_texts(&record)?;
            let version = record.version().or(occurred_at);
            let id = match plan.is_unmapped() {
                true => unmapped_id(item.source_key, &content_hash),
                false => record.source_id().into_owned(),
            };
            (id, version, Some(record))
        }
        Op::Delete => (deleted_id(plan, item, payload)?, occurred_at, None),
    };
    check_id(&source_id)?;
    Ok(Prepared {
        source_id,
        source_key: item.source_key,
        payload,
        content_hash,
        line: item.line,
        version,
        occurred_at,
        origin: item.origin,
        record,
    })
}

/// The record of a payload, where it can be stored.
pub(crate) fn read_record<'a>(plan: &'a Plan, payload: &'a str) -> Result<Record<'a>, RecordError> {
    check_nul(payload)?;
    let record = plan.canonicalise(payload)?;
    check_texts(&record)?;
    check_id(&record.source_id())?;
    Ok(record)
}

fn check_nul(payload: &str) -> Result<(), RecordError> {
    match payload.contains('\0') {
        true => Err(whole("contains NUL, which cannot be stored".to_owned())),
        false => Ok(()),
    }
}

fn deleted_id(plan: &Plan, item: &Item<'_>, payload: &str) -> Result<String, RecordError> {
    match item.source_id {
        Some(id) => Ok(id.to_owned()),
        None => plan.source_id(payload),
    }
}

/// The id of a record that no mapping gives one: of its row's key where its source tells rows
/// apart, else of its content. SHA-256 in hexadecimal, behind a word that says of what.
/// [`stored_records::reset`](crate::db::stored_records::reset) has the same rule.
fn unmapped_id(source_key: Option<&str>, content_hash: &[u8; 32]) -> String {
    match source_key {
        Some(key) => format!("row:{}", hex(digest(&SHA256, key.as_bytes()).as_ref())),
        None => format!("content:{}", hex(content_hash)),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

/// The same payload deletes and creates: two contents.
pub(super) fn hash(item: &Item<'_>) -> [u8; 32] {
    match item.op {
        Op::Upsert => content_hash(item.payload),
        Op::Delete => content_hash(&[b"deleted", item.payload].concat()),
    }
}

/// The hash of a record's payload, by which the same one is known.
pub(crate) fn content_hash(payload: &[u8]) -> [u8; 32] {
    let digest = digest(&SHA256, payload);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub(super) fn check_id(id: &str) -> Result<(), RecordError> {
    let fault = match id {
        "" => "is empty",
        id if MAX_ID < id.len() => "is longer than 1 KiB",
        id if id.contains('\0') => "contains NUL, which cannot be stored",
        _ => return Ok(()),
    };
    Err(whole(format!("the record's id {fault}")))
}

fn check_texts(record: &Record<'_>) -> Result<(), RecordError> {
    for (field, cell) in record.entity.fields.iter().zip(&record.cells) {
        if matches!(cell, Cell::Text(text) if MAX_TEXT < text.len()) {
            return Err(RecordError {
                field: Some(field.name.to_string()),
                reason: "is longer than 2 KiB".to_owned(),
            });
        }
    }
    Ok(())
}

fn whole(reason: String) -> RecordError {
    RecordError {
        field: None,
        reason,
    }
}

/// PostgreSQL's text is UTF-8 without NUL.
pub(super) fn storable_payload(payload: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(payload);
    if text.contains('\0') {
        return Cow::Owned(text.replace('\0', "\u{fffd}"));
    }
    text
}

fn storable(text: &str, longest: usize) -> String {
    let end = text.floor_char_boundary(longest);
    text[..end].replace('\0', "\u{fffd}")
}
