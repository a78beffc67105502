//! The stream of an object's records: where they come from, and how they are read.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use mapping::{Plan, shipped};
use schema::source::ObjectRef;
use schema::{TenantId, entity};
use serde::de::IgnoredAny;

use super::plan_cache::PLANS;
use crate::db::mappings::MappingVersion;
use crate::db::{self, Connection, custom_entities, mappings, source_objects};
use crate::mappings::{current_or_shipped, shipped_fits};

/// Where records come from and what they become.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Whose records they are.
    pub tenant: TenantId,
    /// What they are records of.
    pub object: ObjectRef,
    /// How they are read.
    pub plan: Arc<Plan>,
    /// The version of the mapping that the plan was compiled from; 0 where there is none.
    pub mapping_version: i32,
}

/// Why a stream cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// The object's current mapping cannot be compiled.
    #[error("mapping {version} of {object} is invalid: {error}")]
    Mapping {
        /// The mapping's version.
        version: i32,
        /// The object's name.
        object: String,
        /// What is wrong with it.
        error: schema::Error,
    },
}

impl Stream {
    /// The object's stream, with its mapping as of now. Where it has none yet, the object is
    /// registered; one whose entity is known begins with the shipped mapping as its version 1, the
    /// others stay unmapped.
    pub async fn open(
        conn: &mut Connection,
        tenant: TenantId,
        object: &ObjectRef,
        now: DateTime<Utc>,
    ) -> Result<Stream, OpenError> {
        source_objects::lock_mapping(conn, tenant, object.key()).await?;
        let current = mappings::find_version(conn, tenant, object.key()).await?;
        if current.is_none() && is_unmapped(conn, tenant, object).await? {
            return Stream::open_unmapped(conn, tenant, object).await;
        }
        Stream::open_mapped(conn, tenant, (object, current, None), now).await
    }

    async fn open_mapped(
        conn: &mut Connection,
        tenant: TenantId,
        (object, current, columns): (&ObjectRef, Option<MappingVersion>, Option<&[String]>),
        now: DateTime<Utc>,
    ) -> Result<Stream, OpenError> {
        let kept = current.and_then(|it| Some((it, PLANS.get(tenant, object.key(), it)?)));
        let (version, plan) = match kept {
            Some(kept) => kept,
            None => {
                let (version, mapping) =
                    current_or_shipped(conn, tenant, (object, columns), now).await?;
                let entities = custom_entities::entities(conn, tenant).await?;
                let plan =
                    Plan::compile_for(&entities, &mapping).map_err(|error| OpenError::Mapping {
                        version: version.number,
                        object: object.name.clone(),
                        error,
                    })?;
                let plan = Arc::new(plan);
                PLANS.put(tenant, object.key(), version, plan.clone());
                (version, plan)
            }
        };
        Ok(Stream {
            tenant,
            object: ObjectRef {
                entity: plan.entity().clone(),
                ..object.clone()
            },
            plan,
            mapping_version: version.number,
        })
    }

    /// The stream of an object with these columns; none where they are not known. Where it has no
    /// mapping yet, and the shipped one asks for columns that it does not have, it stays unmapped.
    pub async fn open_with_columns(
        conn: &mut Connection,
        tenant: TenantId,
        object: &ObjectRef,
        columns: Option<&[String]>,
        now: DateTime<Utc>,
    ) -> Result<Stream, OpenError> {
        source_objects::lock_mapping(conn, tenant, object.key()).await?;
        let current = mappings::find_version(conn, tenant, object.key()).await?;
        let fits =
            !object.entity.is_unmapped() && columns.is_none_or(|it| shipped_fits(object, it));
        match current.is_none() && !fits {
            true => Stream::open_unmapped(conn, tenant, object).await,
            false => Stream::open_mapped(conn, tenant, (object, current, columns), now).await,
        }
    }

    /// The stream of an object of which these events came. Where it has no mapping yet, none is shipped
    /// for its system, and none of the events has the canonical names of its id, it stays unmapped.
    pub async fn open_for_events(
        conn: &mut Connection,
        tenant: TenantId,
        (object, events): (&ObjectRef, &[&[u8]]),
        now: DateTime<Utc>,
    ) -> Result<Stream, OpenError> {
        if is_readable(object, events) {
            return Stream::open(conn, tenant, object, now).await;
        }
        source_objects::lock_mapping(conn, tenant, object.key()).await?;
        match mappings::find_version(conn, tenant, object.key()).await? {
            None => Stream::open_unmapped(conn, tenant, object).await,
            current => Stream::open_mapped(conn, tenant, (object, current, None), now).await,
        }
    }

    /// The stream of an object that has no mapping: its records are kept as they come.
    pub async fn open_unmapped(
        conn: &mut Connection,
        tenant: TenantId,
        object: &ObjectRef,
    ) -> Result<Stream, OpenError> {
        static UNMAPPED: LazyLock<Arc<Plan>> = LazyLock::new(|| Arc::new(Plan::unmapped()));
        let object = ObjectRef {
            entity: entity::UNMAPPED.into(),
            ..object.clone()
        };
        source_objects::insert_once(conn, tenant, &object).await?;
        Ok(Stream {
            tenant,
            object,
            plan: UNMAPPED.clone(),
            mapping_version: 0,
        })
    }
}

/// Whether a shipped mapping reads such events: one of their system, or they have the canonical names
/// of an id.
fn is_readable(object: &ObjectRef, events: &[&[u8]]) -> bool {
    let kind = &object.entity.kind;
    if object.entity.is_unmapped() || object.is_canonical() {
        return true;
    }
    let has_id = |payload: &&[u8]| {
        let fields = serde_json::from_slice::<BTreeMap<&str, IgnoredAny>>(payload);
        fields.is_ok_and(|it| object.entity.key.iter().all(|key| it.contains_key(&**key)))
    };
    shipped::find(&object.system, kind).is_some() || events.iter().any(has_id)
}

/// Whether an object without a mapping stays without one: nobody says what it is, or what was said
/// did not fit it.
async fn is_unmapped(
    conn: &mut Connection,
    tenant: TenantId,
    object: &ObjectRef,
) -> db::Result<bool> {
    if object.entity.is_unmapped() {
        return Ok(true);
    }
    let known = source_objects::find(conn, tenant, object.key()).await?;
    Ok(known.is_some_and(|it| it.entity == entity::UNMAPPED.kind))
}
