//! The database's disk is full: that is said, nothing that was acknowledged is lost, and it goes on
//! by itself once there is space again.

use axum::http::StatusCode;
use platform::db::{self, roles};
use serde_json::json;
use tests::app::{Answer, Person, Setup, TestApp};
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::files::upload_to;
use tests::postgres::empty_database;
use tests::small_disk::SmallDisk;

const READY: &str = "/health/ready";
/// Of a file, a few hundred kilobytes.
const ROWS: usize = 2000;

async fn start(disk: &SmallDisk) -> TestApp {
    let owner = disk.options();
    let mut conn = roles::connect(&owner).await.unwrap();
    db::migrate(&mut conn).await.unwrap();
    let key: platform::secrets::Document = serde_json::from_str(tests::app::secrets()).unwrap();
    let login = roles::admit_local(&mut conn, owner, key.keys.platform.current());
    let login = login.await.unwrap();
    TestApp::over(empty_database().await, login, Setup::default()).await
}

async fn upload(app: &TestApp, (person, connection): (&Person, &str), part: usize) -> Answer {
    let rows = (0..ROWS).map(|it| format!("A-{part}-{it},Company {it} of part {part},Software\n"));
    let file = "account_id,name,industry\n".to_owned() + &rows.collect::<String>();
    let files = [("accounts_crm.csv", file.as_bytes())];
    upload_to(app, person, connection, &files).await
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing() {
    let Some(disk) = SmallDisk::start().await else {
        eprintln!("not tested: this machine allows no user namespaces");
        return;
    };
    let app = start(&disk).await;
    let ann = app.register("Ann Ltd").await;
    let connection = connect_filesource(&app, &ann, json!({})).await;
    let place = (&ann, connection.as_str());
    assert_eq!(upload(&app, place, 0).await.status, StatusCode::OK);
    let ready = app.get(READY, None).await;
    assert_eq!(ready.status, StatusCode::OK, "{ready}");

    disk.fill().unwrap();
    let mut acknowledged = vec![0];
    let refused = loop {
        let part = acknowledged.len();
        let answer = upload(&app, place, part).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        acknowledged.push(part);
        assert!(part < 50, "the disk takes everything");
        disk.fill().unwrap();
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused}");
    disk.fill().unwrap();
    let ready = app.get(READY, None).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{ready}");

    disk.free().unwrap();
    while app.get(READY, None).await.status != StatusCode::OK {}
    for part in acknowledged {
        let again = upload(&app, place, part).await.json();
        assert_eq!(again["total"]["unchanged"], ROWS, "part {part}: {again}");
    }
    let rest = upload(&app, place, 99).await;
    assert_eq!(rest.json()["total"]["written"], ROWS, "{rest}");
}
