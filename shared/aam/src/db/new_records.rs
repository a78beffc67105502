//! Records of which nothing is stored, raw and canonical.

use schema::TenantId;
use schema::entity::Entity;
use schema::source::ObjectRef;
use sqlx::Connection as _;

use super::raw_records::{NewRaw, RawBatch};
use super::{Connection, Result, canonical, raw_records};
use mapping::Record;

/// Stores them, or nothing where one of them is stored by now; says which. Plain inserts take a
/// third less time than upserts, which look each row up first. Give the records sorted by id, each
/// id once, in both forms.
pub async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    (object, entity): (&ObjectRef, &Entity),
    (batch, raw, records): (&RawBatch<'_>, &[NewRaw<'_>], &[(&str, &Record<'_>)]),
) -> Result<bool> {
    // A savepoint: what the transaction did before stays.
    let mut tx = conn.begin().await?;
    let inserted = async {
        raw_records::insert(&mut tx, tenant, batch, raw).await?;
        canonical::insert(&mut tx, tenant, (object, entity), records, batch.now).await
    };
    match inserted.await {
        Ok(()) => {
            tx.commit().await?;
            Ok(true)
        }
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            tx.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
