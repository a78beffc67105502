//! Each tenant's data key: what it opens, and how it outlives the platform key that wraps it.

use platform::data_key::DataKey;
use platform::db;
use platform::secrets::Secrets;
use schema::TenantId;
use serde_json::{Value, json};
use tests::app::{TestApp, secrets};

async fn key(app: &TestApp, secrets: &Secrets, tenant: TenantId) -> platform::Result<DataKey> {
    let mut tx = db::begin(&app.platform.db, tenant).await?;
    let key = DataKey::of(&mut tx, secrets, tenant).await?;
    tx.commit().await?;
    Ok(key)
}

async fn wrapped(app: &TestApp, tenant: TenantId) -> Vec<u8> {
    sqlx::query_scalar("select wrapped from tenant_keys where tenant_id = $1")
        .bind(tenant)
        .fetch_one(&app.database().pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_tenant_s_key_opens_what_it_sealed_and_nothing_else() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.register("Ann Ltd").await, app.register("Bob Ltd").await);
    let key = async |tenant| key(&app, &app.platform.secrets, tenant).await;
    let sealed = key(ann.tenant)
        .await
        .unwrap()
        .seal("connection:1", b"secret");
    let (anns, bobs) = (
        key(ann.tenant).await.unwrap(),
        key(bob.tenant).await.unwrap(),
    );
    assert_eq!(anns.open("connection:1", &sealed).unwrap(), b"secret");
    assert!(anns.open("connection:2", &sealed).is_err());
    assert!(bobs.open("connection:1", &sealed).is_err());
    // Another tenant's row would not open.
    sqlx::query("update tenant_keys set wrapped = $1 where tenant_id = $2")
        .bind(wrapped(&app, ann.tenant).await)
        .bind(bob.tenant)
        .execute(&app.database().pool())
        .await
        .unwrap();
    assert!(key(bob.tenant).await.is_err());
}

/// The document of a platform after its keys of `before` were replaced by others, if it knows them
/// still.
fn rotated(before: Option<&Value>) -> Secrets {
    let other = json!({
        "platform": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "signing": "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
    });
    let mut document: Value = serde_json::from_str(secrets()).unwrap();
    document["keys"] = other;
    if let Some(before) = before {
        document["keys"]["previous"] = json!([before]);
    }
    Secrets::fixed(document.to_string().into())
}

#[tokio::test]
async fn a_tenant_s_key_moves_to_the_platform_s_new_key() {
    let app = TestApp::start().await;
    let tenant = app.register("Ann Ltd").await.tenant;
    let sealed = key(&app, &app.platform.secrets, tenant)
        .await
        .unwrap()
        .seal("connection:1", b"secret");
    let before = wrapped(&app, tenant).await;

    // A platform that never knew the old key opens nothing, and breaks nothing.
    assert!(key(&app, &rotated(None), tenant).await.is_err());
    assert_eq!(wrapped(&app, tenant).await, before);

    let document: Value = serde_json::from_str(secrets()).unwrap();
    let during = rotated(Some(&document["keys"]));
    let same = key(&app, &during, tenant).await.unwrap();
    assert_eq!(same.open("connection:1", &sealed).unwrap(), b"secret");
    let after = wrapped(&app, tenant).await;
    assert_ne!(after, before);

    // It is not wrapped anew each time, and the old key is not needed any more.
    key(&app, &during, tenant).await.unwrap();
    assert_eq!(wrapped(&app, tenant).await, after);
    let same = key(&app, &rotated(None), tenant).await.unwrap();
    assert_eq!(same.open("connection:1", &sealed).unwrap(), b"secret");
    assert!(key(&app, &app.platform.secrets, tenant).await.is_err());
}
