//! What a tenant has decided about the fields of its sources.

use chrono::{DateTime, Utc};
use mapping::matcher::{Memory, Remembered, Verdict};
use schema::TenantId;
use schema::mapping::Transform;
use sqlx::types::Json;

use super::{Connection, Result};

/// Decisions beyond the latest of this many are forgotten for proposals.
const MAX_DECISIONS: i64 = 20_000;

/// The tenant's decisions, as evidence.
pub async fn memory(conn: &mut Connection, tenant: TenantId) -> Result<Memory> {
    let rows = sqlx::query!(
        r#"
        select system, entity, source_field, target, accepted, rejected,
          transforms as "transforms: Json<Vec<Transform>>"
        from mapping_decisions
        where tenant_id = $1
        order by decided_at desc, entity, source_field, target, system
        limit $2
        "#,
        tenant as _,
        MAX_DECISIONS,
    )
    .fetch_all(conn)
    .await?;
    let remembered = rows.into_iter().flat_map(|it| {
        let transforms = it.transforms.map_or(vec![], |it| it.0);
        let of = |verdict, count: i32| Remembered {
            system: it.system.clone(),
            source: it.source_field.clone(),
            entity: it.entity.clone(),
            target: it.target.clone(),
            transforms: transforms.clone(),
            verdict,
            count: count.unsigned_abs(),
        };
        [
            of(Verdict::Accepted, it.accepted),
            of(Verdict::Rejected, it.rejected),
        ]
    });
    Ok(Memory::new(remembered.filter(|it| 0 < it.count)))
}

/// A decision about one pair of fields.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// The source field's path.
    pub source: &'a str,
    /// The canonical field.
    pub target: &'a str,
    /// Whether the source feeds it.
    pub accepted: bool,
    /// How it is read, where it does.
    pub transforms: &'a [Transform],
}

/// Remembers decisions about fields of records of that system and entity. One takes back what was
/// said to the contrary before.
pub async fn remember(
    conn: &mut Connection,
    tenant: TenantId,
    (system, entity): (&str, &str),
    decided: &[Decided<'_>],
    now: DateTime<Utc>,
) -> Result<()> {
    let sources: Vec<_> = decided.iter().map(|it| it.source).collect();
    let targets: Vec<_> = decided.iter().map(|it| it.target).collect();
    let accepted: Vec<_> = decided.iter().map(|it| it.accepted).collect();
    let transforms = decided.iter().map(|it| serde_json::json!(it.transforms));
    let transforms: Vec<_> = transforms.collect();
    sqlx::query!(
        r#"
        insert into mapping_decisions as kept
          (tenant_id, system, entity, source_field, target, accepted, rejected, decided_at,
            transforms)
        select distinct on (source_field, target) $1::uuid, $2::text, $3::text, source_field,
          target, accepted::integer, (not accepted)::integer, $4::timestamptz, transforms
        from unnest($5::text[], $6::text[], $7::boolean[], $8::jsonb[])
          as given(source_field, target, accepted, transforms)
        order by source_field, target, accepted desc
        on conflict (tenant_id, entity, source_field, target, system) do update set
          accepted = least((kept.accepted + excluded.accepted) * excluded.accepted, 1000),
          rejected = least((kept.rejected + excluded.rejected) * excluded.rejected, 1000),
          decided_at = excluded.decided_at,
          transforms = excluded.transforms
        "#,
        tenant as _,
        system,
        entity,
        now,
        sources as _,
        targets as _,
        &accepted,
        &transforms,
    )
    .execute(conn)
    .await?;
    Ok(())
}
