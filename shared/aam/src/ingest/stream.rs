//! The stream of an object's records: where they come from, and how they are read.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use mapping::Plan;
use schema::TenantId;
use schema::source::ObjectRef;

use super::plan_cache::PLANS;
use crate::db::{self, Connection, mappings};
use crate::mappings::current_or_shipped;

/// Where records come from and what they become.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Whose records they are.
    pub tenant: TenantId,
    /// What they are records of.
    pub object: ObjectRef,
    /// How they are read.
    pub plan: Arc<Plan>,
    /// The version of the mapping that the plan was compiled from.
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
    /// registered and the shipped mapping becomes its version 1.
    pub async fn open(
        conn: &mut Connection,
        tenant: TenantId,
        object: &ObjectRef,
        now: DateTime<Utc>,
    ) -> Result<Stream, OpenError> {
        let current = mappings::find_version(conn, tenant, object.key()).await?;
        let kept = current.and_then(|it| Some((it, PLANS.get(tenant, object.key(), it)?)));
        let (version, plan) = match kept {
            Some(kept) => kept,
            None => {
                let (version, mapping) = current_or_shipped(conn, tenant, object, now).await?;
                let plan = Plan::compile(&mapping).map_err(|error| OpenError::Mapping {
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
            object: object.clone(),
            plan,
            mapping_version: version.number,
        })
    }
}
