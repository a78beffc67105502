//! Whether records can come over a connection.

use std::time::Instant;

use axum::extract::State;
use chrono::{DateTime, Utc};
use platform::audit::{self, Entry};
use platform::extract::{Json, Path};
use platform::{Ingester, Platform, Result, Routes, db, routes};
use schema::run::{FirstRejection, RunOutcome};
use schema::{ConnectionId, TenantId};
use serde::Serialize;
use serde_json::json;
use sources::{SourceError, SourceErrorKind};
use utoipa::ToSchema;

use crate::connection::source::Source;
use crate::connection::{NOT_FOUND, audit_object};
use crate::db::connections::{self, Complaints, ConnectionStatus, Rejection};

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
    /// The first record that an object's latest run quarantined, where that is what is wrong.
    first_rejection: Option<FirstRejection>,
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

/// Checks a connection: whether its source can be reached, its latest runs, and open drifts.
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
    let verdict = match error {
        Some(error) => down(error),
        None => judge(connections::complaints(&mut tx, caller.tenant, id).await?),
    };
    let becomes = verdict.becomes;
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
        status: verdict.condition,
        response_time_ms: start.elapsed().as_secs_f64() * 1e3,
        error_message: verdict.message,
        error_class: verdict.class,
        checked_at,
        first_rejection: verdict.first_rejection,
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

/// What a check comes to.
struct Verdict {
    condition: Condition,
    message: Option<String>,
    class: Option<SourceErrorKind>,
    first_rejection: Option<FirstRejection>,
    becomes: ConnectionStatus,
}

fn down(error: SourceError) -> Verdict {
    Verdict {
        condition: Condition::Down,
        message: Some(error.message),
        class: Some(error.kind),
        first_rejection: None,
        becomes: ConnectionStatus::Failed,
    }
}

fn judge(found: Complaints) -> Verdict {
    let degraded = |message: String, becomes| Verdict {
        condition: Condition::Degraded,
        message: Some(message),
        class: None,
        first_rejection: None,
        becomes,
    };
    if 0 < found.critical_drifts {
        let message = format!(
            "{} open drifts quarantine records: see GET /api/v1/aam/drift",
            found.critical_drifts
        );
        return Verdict {
            class: Some(SourceErrorKind::Schema),
            ..degraded(message, ConnectionStatus::Drifted)
        };
    }
    if let Some(rejection) = found.rejection {
        return rejected(rejection);
    }
    match found.failed_run {
        Some(error) => degraded(
            format!("the latest run failed: {error}"),
            ConnectionStatus::Healing,
        ),
        None => Verdict {
            condition: Condition::Healthy,
            message: None,
            class: None,
            first_rejection: None,
            becomes: ConnectionStatus::Active,
        },
    }
}

/// Where some records came, the connection works.
fn rejected(found: Rejection) -> Verdict {
    let (reason, becomes) = match found.status {
        RunOutcome::Failed => {
            let quarantined = found.quarantined.unsigned_abs();
            (found.first.explain(quarantined), ConnectionStatus::Healing)
        }
        RunOutcome::Success | RunOutcome::Partial => {
            let (of, first) = (found.rows_read, &found.first);
            let field = first.field.as_ref().map(|it| format!("{it}: "));
            let reason = format!(
                "{} of {of} records were quarantined, the first because {}{}",
                found.quarantined,
                field.unwrap_or_default(),
                first.reason
            );
            (reason, ConnectionStatus::Active)
        }
    };
    Verdict {
        condition: Condition::Degraded,
        message: Some(format!("the latest run of {}: {reason}", found.object)),
        class: Some(SourceErrorKind::Schema),
        first_rejection: Some(found.first),
        becomes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        critical_drifts: i64,
        failed_run: Option<&str>,
        rejection: Option<RunOutcome>,
        expected: &str,
    ) {
        let verdict = judge(Complaints {
            failed_run: failed_run.map(str::to_owned),
            rejection: rejection.map(|status| Rejection {
                object: "crm.account".to_owned(),
                status,
                rows_read: 3,
                quarantined: 2,
                first: FirstRejection {
                    field: Some("name".to_owned()),
                    reason: "missing".to_owned(),
                    expected_fields: vec![],
                    present_fields: vec![],
                },
            }),
            critical_drifts,
        });
        let Verdict {
            condition,
            becomes,
            class,
            message,
            ..
        } = verdict;
        let found = json!([condition, becomes, class, message]);
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn drifts_that_quarantine_records_weigh_more_than_a_failed_run() {
        check(0, None, None, r#"["healthy","ACTIVE",null,null]"#);
        let failed = r#"["degraded","HEALING",null,"the latest run failed: no disk"]"#;
        check(0, Some("no disk"), None, failed);
        let drifted = r#"["degraded","DRIFTED","schema","2 open drifts quarantine records: see GET /api/v1/aam/drift"]"#;
        check(2, None, None, drifted);
        check(2, Some("no disk"), Some(RunOutcome::Failed), drifted);
    }

    #[test]
    fn a_connection_whose_records_are_quarantined_is_not_healthy() {
        let some = r#"["degraded","ACTIVE","schema","the latest run of crm.account: 2 of 3 records were quarantined, the first because name: missing"]"#;
        check(0, None, Some(RunOutcome::Partial), some);
        let all = r#"["degraded","HEALING","schema","the latest run of crm.account: none of the 2 records fits, the first because name: missing; correct the source or the mapping, then retry what is quarantined"]"#;
        check(0, Some("no disk"), Some(RunOutcome::Failed), all);
    }
}
