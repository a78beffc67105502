//! The quarantined records of a connection by the reason that they share.

use std::collections::HashMap;

use aam::db::quarantine_groups::{self as groups, GroupKey, Sample};
use aam::db::{Connection, custom_entities, mappings, payloads, stored_records};
use aam::ingest::COLLISION;
use axum::extract::State;
use chrono::{DateTime, Utc};
use mapping::fix::{Misfits, Present, propose, propose_key};
use mapping::reason::pattern;
use platform::extract::{Json, Path, Query};
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::entity::{Entities, EntityRef, Field};
use schema::mapping::{FieldMapping, Mapping};
use schema::quarantine::Fix;
use schema::source::ObjectKey;
use schema::{ConnectionId, Error, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::connections::{self, check_name};

/// So many records of a group are shown.
const EXAMPLES: usize = 3;
/// So many stored records a fix is tried on.
const STORED: i64 = 200;
/// So much of a payload is shown, in bytes.
const SHOWN: usize = 2000;
const LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only records of this object, such as `hubspot.account`.
    object: Option<String>,
    /// How many groups to describe, the largest first.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
}

/// The groups, the largest first.
#[derive(Serialize, ToSchema)]
struct QuarantineGroups {
    groups: Vec<QuarantineGroup>,
    /// How many groups there are; no more than 1,000 are counted.
    total: usize,
}

/// Records of one object that were quarantined for one reason.
#[derive(Serialize, ToSchema)]
struct QuarantineGroup {
    /// Its id, for `retry` and `discard`.
    group: Uuid,
    object: String,
    /// The canonical field that is wrong; null where the whole record is.
    field: Option<String>,
    /// The reason, with `…` for the values that it quotes and `#` for numbers of the record.
    reason: String,
    /// How many records it has; no more than 100,000 are counted, and 1,000,000 of all groups.
    records: i64,
    /// Whether it may have more than `records`.
    at_least: bool,
    /// When the first one came, and when one came last; of a large group, among 1,000 of its
    /// records.
    first_seen_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    /// Up to three of its records.
    examples: Vec<Example>,
    /// How the current mapping fills the field; null where it does not, or no field is wrong.
    mapping: Option<MappingLine>,
    /// What would let the records in, as far as up to 100 of them and 200 stored ones tell.
    fixes: Vec<Fix>,
}

/// One record of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = QuarantineExample)]
struct Example {
    id: Uuid,
    /// Its line in the file, from 1.
    line: Option<i64>,
    reason: String,
    /// The first 2,000 bytes of the record as it was received; null where it is larger than 8 KiB.
    payload: Option<String>,
}

/// How a mapping fills one canonical field.
#[derive(Serialize, ToSchema)]
struct MappingLine {
    /// The version of the object's mapping.
    version: i32,
    #[serde(flatten)]
    line: FieldMapping,
}

/// The quarantined records grouped by object, field and reason, each group with the line of the
/// mapping that is to blame and with what would let its records in.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/quarantine/groups", tag = "connect",
    operation_id = "quarantine.groups",
    params(("id" = ConnectionId, Path), Filter), security(("bearer" = ["read"])),
    responses((status = 200, body = QuarantineGroups)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    Query(filter): Query<Filter>,
) -> Result<Json<QuarantineGroups>> {
    let object = filter.object.as_deref();
    check_name("?object", object)?;
    let limit = filter.limit.unwrap_or(LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::invalid("?limit", format!("is not within 1 to {MAX_LIMIT}")).into());
    }
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let mut found = groups::list(&mut tx, caller.tenant, id, object).await?;
    found.sort_by(|a, b| {
        b.records
            .cmp(&a.records)
            .then_with(|| a.object.cmp(&b.object))
    });
    let total = found.len();
    let mut objects = Objects::new(caller.tenant, id);
    let mut described = Vec::with_capacity(limit.min(total));
    for group in found.into_iter().take(limit) {
        // Emptied since it was counted.
        if let Some(group) = objects.describe(&mut tx, group).await? {
            described.push(group);
        }
    }
    Ok(Json(QuarantineGroups {
        groups: described,
        total,
    }))
}

/// What is known of the objects that groups are of.
struct Objects {
    tenant: TenantId,
    connection: ConnectionId,
    known: HashMap<String, Option<Object>>,
}

struct Object {
    entities: Entities,
    entity: EntityRef,
    /// Some of its records: what is proposed must leave them as they are.
    stored: Vec<String>,
    mapping: Option<(i32, Mapping)>,
}

impl Objects {
    fn new(tenant: TenantId, connection: ConnectionId) -> Objects {
        Objects {
            tenant,
            connection,
            known: HashMap::new(),
        }
    }

    async fn describe(
        &mut self,
        conn: &mut Connection,
        group: groups::Group,
    ) -> aam::db::Result<Option<QuarantineGroup>> {
        self.learn(conn, &group.object).await?;
        let key = GroupKey {
            object: ObjectKey {
                connection: self.connection,
                name: &group.object,
            },
            group: group.group_id,
        };
        let samples = groups::sample(conn, self.tenant, key).await?;
        let seen = groups::find_seen(conn, self.tenant, key).await?;
        let (Some(first), Some((first_seen_at, last_seen_at))) = (samples.first(), seen) else {
            return Ok(None);
        };
        let object = self.known.get(&group.object).and_then(Option::as_ref);
        let field = object.and_then(|it| it.entity.field(group.field.as_deref()?));
        let line = object.and_then(|it| it.line(&field?.name));
        let fixes = object.map(|it| it.fixes(field, &samples));
        Ok(Some(QuarantineGroup {
            group: group.group_id,
            field: field.map(|it| it.name.to_string()),
            reason: pattern(&first.reason),
            records: group.records,
            at_least: group.at_least,
            first_seen_at,
            last_seen_at,
            examples: samples.iter().take(EXAMPLES).map(Example::of).collect(),
            mapping: line,
            fixes: fixes.unwrap_or_default(),
            object: group.object,
        }))
    }

    /// Looks an object up, once.
    async fn learn(&mut self, conn: &mut Connection, name: &str) -> aam::db::Result<()> {
        if self.known.contains_key(name) {
            return Ok(());
        }
        let (tenant, connection) = (self.tenant, self.connection);
        let wanted = (Some(name), None, None);
        let stored = stored_records::find_object(conn, tenant, connection, "", wanted).await?;
        let key = ObjectKey { connection, name };
        let current = mappings::current(conn, tenant, key).await?;
        let entities = custom_entities::entities(conn, tenant).await?;
        let entity = stored.and_then(|it| entities.find(&it.entity));
        let stored = payloads::sample(conn, tenant, key, STORED).await?;
        let object = entity.map(|entity| Object {
            entities,
            entity,
            stored,
            mapping: current.map(|(version, mapping)| (version.number, mapping)),
        });
        self.known.insert(name.to_owned(), object);
        Ok(())
    }
}

impl Object {
    fn line(&self, target: &str) -> Option<MappingLine> {
        let (version, mapping) = self.mapping.as_ref()?;
        let line = mapping.fields.iter().find(|it| it.target == target)?;
        Some(MappingLine {
            version: *version,
            line: line.clone(),
        })
    }

    fn fixes(&self, field: Option<&Field>, samples: &[Sample]) -> Vec<Fix> {
        let Some((_, mapping)) = &self.mapping else {
            return vec![];
        };
        let present = Present {
            entities: &self.entities,
            mapping,
            stored: &self.stored,
        };
        let payloads = samples.iter().filter_map(|it| it.payload.as_deref());
        let payloads: Vec<_> = payloads.collect();
        let reasons = samples.iter().map(|it| it.reason.as_str());
        let Some(field) = field else {
            let mut reasons = reasons;
            return match reasons.all(|it| it.ends_with(COLLISION)) {
                true => propose_key(&self.entity, present, &payloads),
                false => vec![],
            };
        };
        let misfits = Misfits {
            field,
            reasons: reasons.collect(),
            payloads,
        };
        propose(&self.entity, present, &misfits)
    }
}

impl Example {
    fn of(sample: &Sample) -> Example {
        let shown = |it: &String| it[..it.floor_char_boundary(SHOWN)].to_owned();
        Example {
            id: sample.id,
            line: sample.line,
            reason: sample.reason.clone(),
            payload: sample.payload.as_ref().map(shown),
        }
    }
}
