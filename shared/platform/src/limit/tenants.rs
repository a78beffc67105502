//! Quotas that a tenant has instead of the platform's.

use std::time::Duration;

use schema::TenantId;

use super::{Class, Quota};
use crate::db::{self, tenant_limits};

/// After this long a change counts.
const TTL: Duration = Duration::from_secs(60);
const MAX_TENANTS: u64 = 10_000;

/// The tenants' own quotas, read when they are asked for.
#[derive(Clone)]
pub(super) struct Tenants {
    db: db::Pool,
    read: moka::future::Cache<TenantId, Own>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Own {
    reads: Option<Quota>,
    writes: Option<Quota>,
}

impl Tenants {
    pub(super) fn new(db: db::Pool) -> Tenants {
        let read = moka::future::Cache::builder()
            .max_capacity(MAX_TENANTS)
            .time_to_live(TTL)
            .build();
        Tenants { db, read }
    }

    /// The tenant's own quota, if it has one. The platform's holds where it cannot be read.
    pub(super) async fn quota(&self, class: Class, tenant: TenantId) -> Option<Quota> {
        let own = self
            .read
            .get_with(tenant, Box::pin(self.load(tenant)))
            .await;
        match class {
            Class::Read => own.reads,
            Class::Write => own.writes,
            Class::SignIn | Class::SignInAddress | Class::SignInAccount => None,
        }
    }

    async fn load(&self, tenant: TenantId) -> Own {
        match self.find(tenant).await {
            Ok(own) => own,
            Err(error) => {
                tracing::warn!(error = ?error, "a tenant's own limits cannot be read");
                Own::default()
            }
        }
    }

    async fn find(&self, tenant: TenantId) -> crate::Result<Own> {
        let mut tx = db::read(&self.db, tenant).await?;
        let found = tenant_limits::find(&mut tx, tenant).await?;
        let quota = |it: Option<String>| it.and_then(|it| it.parse().ok());
        Ok(Own {
            reads: quota(found.reads),
            writes: quota(found.writes),
        })
    }
}
