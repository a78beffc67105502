//! What another mapping would change, record by record, without writing anything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mapping::Plan;
use schema::source::ObjectKey;
use schema::{Error, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

mod comparison;

use crate::db::Connection;
use crate::db::stored_records::{self, Slice};
use comparison::Comparison;

/// Records are compared up to this many: an answer has to come within the time of one request.
pub const MAX_RECORDS: u64 = 100_000;
/// A comparison takes this long at most: it holds a connection to the database meanwhile.
pub const MAX_TIME: Duration = Duration::from_secs(10);
/// Stored records are counted up to this many.
const MAX_COUNTED: i64 = 1_000_000;
/// How many examples each count has.
const MAX_EXAMPLES: usize = 10;
/// An example shows this much of a value, in characters.
const MAX_SHOWN: usize = 200;

/// How the records of an object would differ under another mapping.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Difference {
    /// How many stored records were mapped both ways: at most 100,000, and as many as ten seconds
    /// suffice for. One that is stored, and in another form in quarantine, counts as two; deletes that
    /// are in quarantine do not count.
    pub records: u64,
    /// How many are stored, those in quarantine included; no more than 1,000,000 are counted.
    pub stored: u64,
    /// Whether there may be more than `stored`.
    pub stored_at_least: bool,
    /// Whether all that are stored were mapped both ways; some of them, in no particular order,
    /// otherwise.
    pub complete: bool,
    /// Records that would be just the same.
    pub unchanged: u64,
    /// Records that would differ in some field.
    pub changed: u64,
    /// Records that are in quarantine by the present mapping, or unmapped, and would come in.
    pub gained: u64,
    /// Records that would be quarantined, as the other mapping cannot read them.
    pub lost: u64,
    /// Records that neither mapping can read.
    pub unreadable: u64,
    /// Rows that would be quarantined as an earlier row of their file has their id.
    pub collisions: u64,
    /// Rows that would be older versions of other rows' records.
    pub stale: u64,
    /// Field by field, those that differ in some record.
    pub fields: Vec<FieldDifference>,
    /// Why records would be quarantined: the first ten.
    pub failures: Vec<FailureExample>,
}

/// How one field would differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldDifference {
    /// The canonical field.
    pub field: String,
    /// In how many records it has another value.
    pub changed: u64,
    /// In how many it has a value now and none then.
    pub emptied: u64,
    /// In how many it has none now and a value then.
    pub filled: u64,
    /// The first ten that differ.
    pub examples: Vec<FieldExample>,
}

/// One record in which a field would differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldExample {
    /// The record's id under the other mapping.
    pub source_id: String,
    /// The value now; null where there is none.
    pub before: Option<String>,
    /// The value then; null where there would be none.
    pub after: Option<String>,
}

/// One record that would be quarantined.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureExample {
    /// Where it is stored.
    pub source_id: String,
    /// The canonical field that is wrong; null where the whole record is.
    pub field: Option<String>,
    /// An error, as `application/problem+json`.
    pub reason: String,
}

/// Compares two mappings over what is stored of an object, both the records and what is in
/// quarantine, until that moment at the latest.
pub async fn compare(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    plans: (Plan, Plan),
    until: Instant,
) -> platform::Result<Difference> {
    let (stored, stored_at_least) =
        stored_records::count_some(conn, tenant, object, MAX_COUNTED).await?;
    let mut comparison = Comparison::default();
    let plans = Arc::new(plans);
    let mut complete = true;
    'all: for quarantined in [false, true] {
        let mut place = String::new();
        loop {
            let slice = Slice {
                object,
                after: &place,
            };
            let records = match quarantined {
                false => stored_records::list_raw(conn, tenant, slice, None).await?,
                true => stored_records::list_quarantined(conn, tenant, slice).await?,
            };
            let Some(last) = records.last() else { break };
            place.clone_from(&last.place);
            let plans = Arc::clone(&plans);
            // It takes a processor, which other requests need meanwhile.
            let work = tokio::task::spawn_blocking(move || {
                let seen_all = comparison.add_all((&plans.0, &plans.1), &records, until);
                (comparison, seen_all)
            });
            (comparison, complete) = work.await.map_err(|err| Error::Internal(err.into()))?;
            if !complete {
                break 'all;
            }
        }
    }
    Ok(Difference {
        stored,
        stored_at_least,
        complete,
        ..comparison.end()
    })
}
