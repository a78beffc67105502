//! How much a tenant may store, and whether there is room for more.

use std::str::FromStr;

use schema::{Error, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{Connection, storage_usage};
use crate::{Platform, Result};

/// What a tenant may store that has no quota of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StorageQuota {
    /// Bytes of payloads.
    pub bytes: u64,
    /// Raw and quarantined records.
    pub records: u64,
}

impl Default for StorageQuota {
    fn default() -> StorageQuota {
        StorageQuota {
            bytes: 20_000_000_000,
            records: 20_000_000,
        }
    }
}

/// A text that is no quota.
#[derive(Debug)]
pub struct NoStorageQuota;

impl std::fmt::Display for NoStorageQuota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes and records, such as 20000000000/20000000")
    }
}

impl std::error::Error for NoStorageQuota {}

impl FromStr for StorageQuota {
    type Err = NoStorageQuota;

    fn from_str(text: &str) -> Result<StorageQuota, NoStorageQuota> {
        let (bytes, records) = text.split_once('/').ok_or(NoStorageQuota)?;
        Ok(StorageQuota {
            bytes: bytes.parse().map_err(|_| NoStorageQuota)?,
            records: records.parse().map_err(|_| NoStorageQuota)?,
        })
    }
}

/// What is stored of what may be: payloads of raw and of quarantined records.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Storage {
    /// Bytes of payloads.
    pub bytes: Share,
    /// How many records.
    pub records: Share,
}

/// A part of a quota.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = StorageShare)]
pub struct Share {
    used: u64,
    limit: u64,
}

impl Share {
    fn new(used: i64, own: Option<i64>, limit: u64) -> Share {
        Share {
            used: u64::try_from(used).unwrap_or(0),
            limit: own.and_then(|it| u64::try_from(it).ok()).unwrap_or(limit),
        }
    }

    fn is_exceeded(self) -> bool {
        self.limit < self.used
    }
}

/// What the tenant has stored, the transaction's own writes included.
pub async fn find(platform: &Platform, conn: &mut Connection, tenant: TenantId) -> Result<Storage> {
    let found = storage_usage::find(conn, tenant).await?;
    let quota = platform.storage;
    Ok(Storage {
        bytes: Share::new(found.bytes, found.max_bytes, quota.bytes),
        records: Share::new(found.records, found.max_records, quota.records),
    })
}

/// Looks whether there is room for what the transaction wrote: ask when it has added something, and
/// roll it back where there is none. Transactions that run at once may exceed the quota together, by
/// what they write.
///
/// # Errors
/// [`Error::StorageFull`] where the tenant has more than it may.
pub async fn check(platform: &Platform, conn: &mut Connection, tenant: TenantId) -> Result<()> {
    let Storage { bytes, records } = find(platform, conn, tenant).await?;
    let (what, limit) = match (records.is_exceeded(), bytes.is_exceeded()) {
        (false, false) => return Ok(()),
        (true, _) => ("records", records.limit),
        (false, true) => ("bytes", bytes.limit),
    };
    let detail = format!(
        "the organisation's storage of {limit} {what} is full: delete connections that are not \
         needed, or ask for a larger quota, then send this again"
    );
    Err(Error::StorageFull(detail).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_bytes_and_records() {
        let read = |it: &str| it.parse::<StorageQuota>().ok();
        let expected = StorageQuota {
            bytes: 1000,
            records: 20,
        };
        assert_eq!(read("1000/20"), Some(expected));
        for wrong in ["", "1000", "1000/", "/20", "1 GB/20", "-1/20", "1/2/3"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
