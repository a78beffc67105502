//! Compiled mappings, kept between requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aam::db::Connection;
use aam::ingest::{Stream, ensure_object};
use aam::mappings::{Object, current_or_shipped};
use chrono::{DateTime, Utc};
use mapping::Plan;
use platform::Result;
use schema::{ConnectionId, Error, TenantId};

use crate::event::{Event, Format};

/// Small enough to throw away: what is needed again compiles in microseconds.
const MAX_PLANS: usize = 256;

type Key = (TenantId, ConnectionId, String);

/// The plans of the objects that came lately, each with its mapping's version.
#[derive(Default)]
pub(crate) struct Plans(Mutex<HashMap<Key, (i32, Arc<Plan>)>>);

impl Plans {
    /// The stream of the event's object, with its mapping as of now.
    pub(crate) async fn stream(
        &self,
        conn: &mut Connection,
        tenant: TenantId,
        event: &Event<'_>,
        now: DateTime<Utc>,
    ) -> Result<Stream> {
        let object = event.object();
        let connection = event.connection;
        let version = aam::db::mappings::find_version(conn, tenant, connection, &object).await?;
        let key = (tenant, connection, object);
        let kept = self.get(&key).filter(|it| Some(it.0) == version);
        let (mapping_version, plan) = match kept {
            Some(kept) => kept,
            None => self.load(conn, &key, event, now).await?,
        };
        Ok(Stream {
            tenant,
            connection,
            object: key.2,
            system: event.system.clone().into_owned(),
            plan,
            mapping_version,
        })
    }

    async fn load(
        &self,
        conn: &mut Connection,
        key: &Key,
        event: &Event<'_>,
        now: DateTime<Utc>,
    ) -> Result<(i32, Arc<Plan>)> {
        let (tenant, connection, name) = key;
        let entity = event.entity.kind;
        ensure_object(conn, *tenant, *connection, name, (&event.system, entity)).await?;
        let object = Object {
            connection: *connection,
            name,
            // No system ships a mapping under this name, so it is the identity.
            system: match event.format {
                Format::Source => &event.system,
                Format::Canonical => "canonical",
            },
            entity,
        };
        let (version, mapping) = current_or_shipped(conn, *tenant, &object, now)
            .await?
            .expect("each entity has an identity mapping");
        let plan = Plan::compile(&mapping).map_err(|err| Error::Internal(err.into()))?;
        let loaded = (version, Arc::new(plan));
        self.put(key.clone(), loaded.clone());
        Ok(loaded)
    }

    fn get(&self, key: &Key) -> Option<(i32, Arc<Plan>)> {
        let plans = self.0.lock().expect("nothing panics while it is held");
        plans.get(key).cloned()
    }

    fn put(&self, key: Key, loaded: (i32, Arc<Plan>)) {
        let mut plans = self.0.lock().expect("nothing panics while it is held");
        if MAX_PLANS <= plans.len() {
            plans.clear();
        }
        plans.insert(key, loaded);
    }
}
