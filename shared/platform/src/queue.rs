//! Background work: jobs are rows, the queue only wakes a worker.

use schema::{JobId, TenantId};

/// One job to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// Whose job.
    pub tenant: TenantId,
    /// Which job.
    pub job: JobId,
}
