//! Whether records can come over a connection.

use std::time::Instant;

use axum::extract::State;
use chrono::{DateTime, Utc};
use platform::audit::{self, Entry};
use platform::extract::{Json, Path};
use platform::{Ingester, Platform, Result, Routes, db, routes};
use schema::{ConnectionId, TenantId};
use serde::Serialize;
use serde_json::json;
use sources::{SourceError, SourceErrorKind};
use utoipa::ToSchema;

use crate::connection::source::Source;
use crate::connection::{NOT_FOUND, audit_object};
use crate::db::connections::{self, Complaints, ConnectionStatus};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(check))
}

/// The result of a check.
#[derive(Serialize, ToSchema)]
struct Health {
    connection_id: ConnectionId,
    status: Condition,
    response_time_ms: f64,
    error_message: Option<String>,
    error_class: Option<SourceErrorKind>,
    checked_at: DateTime<Utc>,
    /// The connection's status after the check.
    connection_status: ConnectionStatus,
}

#[derive(Serialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectionCondition)]
enum Condition {
    Healthy,
    Degraded,
    Down,
}

/// Checks a connection: whether its source can be reached, its latest run, and open drifts.
#[utoipa::path(post, path = "/api/v1/aam/connections/{id}/health-check", tag = "connect",
    operation_id = "connections.check",
    params(("id" = ConnectionId, Path)), security(("bearer" = ["ingest"])),
    responses((status = 200, body = Health)))]
async fn check(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Path(id): Path<ConnectionId>,
) -> Result<Json<Health>> {
    let start = Instant::now();
    let checked_at = platform::now();
    let error = Box::pin(ask(&platform, caller.tenant, id)).await?;
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let mut connection = connections::lock(&mut tx, caller.tenant, id)
        .await?
        .ok_or(NOT_FOUND)?;
    let (status, error_message, error_class, becomes) = match error {
        Some(error) => down(error),
        None => judge(connections::complaints(&mut tx, caller.tenant, id).await?),
    };
    let before = std::mem::replace(&mut connection.status, becomes);
    connection.last_health_check = Some(checked_at);
    connections::update(&mut tx, caller.tenant, &connection).await?;
    if before != becomes {
        let entry = Entry::new(&caller, "connection.health-check", audit_object(id))
            .before(json!({ "status": before }))
            .after(json!({ "status": becomes }));
        audit::append(&mut tx, caller.tenant, &entry).await?;
    }
    tx.commit().await?;
    Ok(Json(Health {
        connection_id: id,
        status,
        response_time_ms: start.elapsed().as_secs_f64() * 1e3,
        error_message,
        error_class,
        checked_at,
        connection_status: becomes,
    }))
}

/// The first thing that is wrong with the source. Nothing is held meanwhile.
async fn ask(
    platform: &Platform,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Option<SourceError>> {
    let mut tx = db::begin(&platform.db, tenant).await?;
    let Some(source) = Source::find(&mut tx, tenant, id).await? else {
        return Ok(None);
    };
    let config = source.config_with_secrets(platform, &mut tx).await?;
    tx.commit().await?;
    let checked = source.check(platform, config).await;
    Ok(checked.err().and_then(|it| it.into_iter().next()))
}

fn down(error: SourceError) -> Verdict {
    (
        Condition::Down,
        Some(error.message),
        Some(error.kind),
        ConnectionStatus::Failed,
    )
}

type Verdict = (
    Condition,
    Option<String>,
    Option<SourceErrorKind>,
    ConnectionStatus,
);

fn judge(found: Complaints) -> Verdict {
    if 0 < found.critical_drifts {
        let message = format!(
            "{} open drifts quarantine records: see GET /api/v1/aam/drift",
            found.critical_drifts
        );
        let class = Some(SourceErrorKind::Schema);
        return (
            Condition::Degraded,
            Some(message),
            class,
            ConnectionStatus::Drifted,
        );
    }
    match found.failed_run {
        Some(error) => {
            let message = format!("the latest run failed: {error}");
            (
                Condition::Degraded,
                Some(message),
                None,
                ConnectionStatus::Healing,
            )
        }
        None => (Condition::Healthy, None, None, ConnectionStatus::Active),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(critical_drifts: i64, failed_run: Option<&str>, expected: &str) {
        let (condition, message, class, becomes) = judge(Complaints {
            failed_run: failed_run.map(str::to_owned),
            critical_drifts,
        });
        let found = json!([condition, becomes, class, message]);
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn drifts_that_quarantine_records_weigh_more_than_a_failed_run() {
        check(0, None, r#"["healthy","ACTIVE",null,null]"#);
        let failed = r#"["degraded","HEALING",null,"the latest run failed: no disk"]"#;
        check(0, Some("no disk"), failed);
        let drifted = r#"["degraded","DRIFTED","schema","2 open drifts quarantine records: see GET /api/v1/aam/drift"]"#;
        check(2, None, drifted);
        check(2, Some("no disk"), drifted);
    }
}
