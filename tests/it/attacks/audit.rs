//! Somebody wants the audit log to say something else than what was done.

use axum::http::StatusCode;
use platform::audit::{self, Entry, Signer, append};
use platform::db;
use platform::secrets::Secrets;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::app::{Person, TestApp};

async fn verdict(app: &TestApp, person: &Person) -> Value {
    let answer = app.get("/api/v1/admin/audit/verify", person).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    answer.json()
}

/// Runs SQL as a request does, within the tenant's lock, and says why it was refused.
async fn refusal(app: &TestApp, person: &Person, sql: &str) -> String {
    let mut tx = db::begin(&app.platform.db, person.tenant).await.unwrap();
    let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&mut *tx)
        .await;
    let refused = done.expect_err(sql).to_string();
    drop(tx);
    refused
}

fn entry(signer: Signer, action: &'static str) -> Entry {
    let what = (action, "object:1".to_owned());
    Entry::of(signer, "system".to_owned(), what, platform::now())
}

async fn owner(app: &TestApp, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(app.owner())
        .await;
    done.unwrap();
}

#[tokio::test]
async fn sql_appends_nothing_in_anybody_s_name() {
    let app = TestApp::start().await;
    let (ann, zoe) = (app.register("Ann Ltd").await, app.register("Zoe Ltd").await);
    let key = "(select key_id from audit_log order by seq limit 1)";
    for (tenant, signature) in [
        (ann.tenant, "null"),
        (ann.tenant, "sha256('x')"),
        (
            ann.tenant,
            "(select hash from audit_log order by seq limit 1)",
        ),
        (zoe.tenant, "sha256('x')"),
    ] {
        let sql = format!(
            "select append_audit('{tenant}', now(), 'user:{}', 'user.update', 'user:1', null, null,
              'trace', {key}, {signature})",
            ann.user
        );
        let refused = refusal(&app, &ann, &sql).await;
        assert!(
            refused.contains("the audit entry is not signed"),
            "{refused}"
        );
    }
    let sql = format!(
        "insert into audit_log (tenant_id, seq, at, actor, action, object, trace_id, hash)
        values ('{}', 2, now(), 'user:1', 'x', 'x', 'x', '')",
        ann.tenant
    );
    let refused = refusal(&app, &ann, &sql).await;
    assert!(refused.contains("permission denied"), "{refused}");
    for person in [&ann, &zoe] {
        assert_eq!(verdict(&app, person).await["rows"], 1);
    }
}

#[tokio::test]
async fn sql_moves_no_head_and_reads_no_key() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    for sql in [
        "update audit_heads set seq = 0",
        "insert into audit_heads table audit_heads",
        "delete from audit_heads",
        "select inner_block from audit_keys",
        "insert into audit_keys values ('x', 'x', 'x')",
        "select audit_mac(k, 'x') from audit_keys k",
    ] {
        let refused = refusal(&app, &ann, sql).await;
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn a_key_that_no_known_one_endorses_signs_nothing() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let blocks = "decode(repeat('36', 64), 'hex'), decode(repeat('5c', 64), 'hex')";
    let known = "(select key_id from audit_log order by seq limit 1)";
    for endorser in [known, "'mine'::bytea"] {
        let sql = format!("select introduce_audit_key('mine', {blocks}, {endorser}, sha256('x'))");
        let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
        let believed: bool = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert!(!believed, "{endorser}");
    }
    // Nor does a platform with other keys.
    let other = Secrets::fixed(auth::keys::generate().unwrap().into());
    let signer = Signer::of(&other).await.unwrap();
    let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
    let refused = append(&mut tx, ann.tenant, &entry(signer, "test")).await;
    assert!(refused.is_err());
    drop(tx);
    assert_eq!(verdict(&app, &ann).await["rows"], 1);
}

#[tokio::test]
async fn a_new_platform_key_goes_on_with_the_chain_of_the_old_one() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let mut document: Value = serde_json::from_str(app.secrets_text()).unwrap();
    let new: Value = serde_json::from_str(&auth::keys::generate().unwrap()).unwrap();
    document["keys"] = json!({
        "platform": new["keys"]["platform"], "signing": new["keys"]["signing"],
        "previous": [document["keys"]],
    });
    let signer = Signer::of(&Secrets::fixed(document.to_string().into())).await;
    let signer = signer.unwrap();
    let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
    let rotated = entry(signer.clone(), "test");
    append(&mut tx, ann.tenant, &rotated).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db::read(&app.platform.db, ann.tenant).await.unwrap();
    let verdict = audit::verify(&mut tx, ann.tenant, &signer).await.unwrap();
    assert!(verdict.intact && verdict.rows == 2, "{verdict:?}");
}

/// The hash of a row, as it was made before there were keys, behind the one with the hash `last`.
const UNKEYED: &str = "
    create function part(part bytea) returns bytea language sql as
      'select int8send(length(part)::bigint) || part';
    create function part(part text) returns bytea language sql as
      'select part(convert_to(coalesce(part, ''''), ''UTF8''))';
    create function unkeyed(r audit_log, last bytea) returns bytea language sql as 'select sha256(
      part(last) || part(uuid_send(r.tenant_id)) || part(int8send(r.seq))
      || part(int8send((extract(epoch from r.at) * 1000000)::bigint)) || part(r.actor)
      || part(r.action) || part(r.object) || part(r.before::text) || part(r.after::text)
      || part(r.trace_id))';
";

#[tokio::test]
async fn who_owns_the_tables_and_has_no_key_makes_no_row_that_holds() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let forged = "
        insert into audit_log (tenant_id, seq, at, actor, action, object, trace_id, hash)
        select tenant_id, 2, at, 'user:1', action, object, trace_id, hash from audit_log;
        update audit_log r set hash = unkeyed(r, hash) where seq = 2;
        update audit_heads h set seq = 2, hash = l.hash from audit_log l where l.seq = 2";
    owner(&app, &format!("{UNKEYED} {forged}")).await;
    let found = verdict(&app, &ann).await;
    assert_eq!(found, json!({ "intact": false, "rows": 1, "broken_at": 2 }));
}

#[tokio::test]
async fn a_chain_from_before_there_were_keys_goes_on_with_one() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    // Its first row as it would have been then.
    let before = "
        update audit_log r
        set key_id = null, hash = unkeyed(r, decode(repeat('00', 32), 'hex'));
        update audit_heads h set hash = l.hash from audit_log l";
    owner(&app, &format!("{UNKEYED} {before}")).await;
    assert_eq!(verdict(&app, &ann).await["intact"], true);
    let signer = Signer::of(&app.platform.secrets).await.unwrap();
    let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
    append(&mut tx, ann.tenant, &entry(signer, "test"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let found = verdict(&app, &ann).await;
    assert_eq!(
        found,
        json!({ "intact": true, "rows": 2, "broken_at": null })
    );
}

#[tokio::test]
async fn the_heads_that_moved_are_noted_outside() {
    let app = TestApp::start().await;
    let (ann, zoe) = (app.register("Ann Ltd").await, app.register("Zoe Ltd").await);
    let lately = "update audit_heads set moved_at = now() - interval '3 hours' where tenant_id";
    owner(&app, &format!("{lately} = '{}'", zoe.tenant)).await;
    let anchors = audit::anchor(&app.platform.db).await.unwrap();
    let (seq, hash): (i64, Vec<u8>) =
        sqlx::query_as("select seq, hash from audit_log where tenant_id = $1")
            .bind(ann.tenant)
            .fetch_one(app.owner())
            .await
            .unwrap();
    let noted: Vec<_> = anchors
        .into_iter()
        .map(|it| (it.tenant, it.seq, it.hash))
        .collect();
    assert_eq!(noted, [(ann.tenant, seq, hash)]);
}
