//! Compiled mappings, kept between requests and between the pages of a sync.
//!
//! **Invariant:** a plan is found by its tenant, its object and the very version it was compiled
//! from. Which version is current is asked of the database each time, so a new one is seen at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mapping::Plan;
use schema::source::ObjectKey;
use schema::{ConnectionId, TenantId};

use crate::db::mappings::MappingVersion;

/// Small enough to throw away: what is needed again compiles in microseconds.
const MAX_PLANS: usize = 256;

/// The plans of this process.
pub(super) static PLANS: PlanCache = PlanCache::new();

/// The plans of the objects that came lately.
pub(super) struct PlanCache(Mutex<BTreeMap<Key, (MappingVersion, Arc<Plan>)>>);

type Key = (TenantId, ConnectionId, String);

impl PlanCache {
    const fn new() -> PlanCache {
        PlanCache(Mutex::new(BTreeMap::new()))
    }

    /// The plan of that version.
    pub(super) fn get(
        &self,
        tenant: TenantId,
        object: ObjectKey<'_>,
        version: MappingVersion,
    ) -> Option<Arc<Plan>> {
        let plans = self.0.lock().expect("nothing panics while it is held");
        let (kept, plan) = plans.get(&key(tenant, object))?;
        (*kept == version).then(|| plan.clone())
    }

    /// Keeps a plan instead of the one before it.
    pub(super) fn put(
        &self,
        tenant: TenantId,
        object: ObjectKey<'_>,
        version: MappingVersion,
        plan: Arc<Plan>,
    ) {
        let mut plans = self.0.lock().expect("nothing panics while it is held");
        if MAX_PLANS <= plans.len() {
            plans.clear();
        }
        plans.insert(key(tenant, object), (version, plan));
    }
}

fn key(tenant: TenantId, object: ObjectKey<'_>) -> Key {
    (tenant, object.connection, object.name.to_owned())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mapping::shipped;
    use uuid::Uuid;

    use super::*;

    const OURS: TenantId = TenantId(Uuid::from_u128(1));
    const THEIRS: TenantId = TenantId(Uuid::from_u128(2));

    fn object(name: &str) -> ObjectKey<'_> {
        ObjectKey {
            connection: ConnectionId(Uuid::nil()),
            name,
        }
    }

    fn version(number: i32, second: i64) -> MappingVersion {
        MappingVersion {
            number,
            created_at: DateTime::from_timestamp(second, 0).unwrap(),
        }
    }

    fn plan() -> Arc<Plan> {
        Arc::new(Plan::compile(shipped::identity("account").unwrap()).unwrap())
    }

    #[test]
    fn a_plan_is_of_one_tenant_one_object_and_one_version() {
        let plans = PlanCache::new();
        plans.put(OURS, object("a"), version(1, 1), plan());
        let is_kept = |tenant, name, version| plans.get(tenant, object(name), version).is_some();
        assert!(is_kept(OURS, "a", version(1, 1)));
        assert!(!is_kept(THEIRS, "a", version(1, 1)));
        assert!(!is_kept(OURS, "b", version(1, 1)));
        assert!(!is_kept(OURS, "a", version(2, 1)));
        // The first version 1 was rolled back.
        assert!(!is_kept(OURS, "a", version(1, 2)));
        plans.put(OURS, object("a"), version(2, 3), plan());
        assert!(is_kept(OURS, "a", version(2, 3)));
        assert!(!is_kept(OURS, "a", version(1, 1)));
    }

    #[test]
    fn only_so_many_plans_are_kept() {
        let plans = PlanCache::new();
        let plan = plan();
        for number in 0..10 * MAX_PLANS {
            let name = number.to_string();
            plans.put(OURS, object(&name), version(1, 1), plan.clone());
            assert!(plans.get(OURS, object(&name), version(1, 1)).is_some());
        }
        assert!(Arc::strong_count(&plan) <= MAX_PLANS + 1);
    }
}
