//! The demo, as somebody sees it who runs it for the first time.

use serde_json::Value;

use crate::installation::{Client, Installation, complaint};

#[test]
fn the_demo_starts_a_platform_of_its_own_and_ends_it() {
    let place = Installation::new();
    let output = place.run(&["demo", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["tenant"], "00000000-0000-0000-0000-000000000002");
    assert_eq!(figures["ingest"]["total"]["rows_read"], 21);
    assert_eq!(figures["ingest"]["total"]["written"], 20);
    assert_eq!(figures["ingest"]["total"]["quarantined"], 1);
    assert_eq!(figures["quarantine"][0]["field"], "amount");
    assert_eq!(figures["exports"]["total"]["written"], 7);
    assert_eq!(figures["proposals"][0]["entity"], "account");
    assert_eq!(figures["together"].as_array().unwrap().len(), 2);
    assert_eq!(figures["counts"]["accounts"], 13);
    assert_eq!(figures["again"]["unchanged"], 20);
    assert_eq!(figures["drift"]["severity"], "high");
}

#[test]
fn a_demo_without_files_says_what_it_takes() {
    let place = Installation::new();
    std::fs::create_dir_all(&place.dev).unwrap();
    let empty = place.dev.join("empty");
    std::fs::create_dir(&empty).unwrap();
    let output = place.run(&["demo", "--dir", empty.to_str().unwrap()]);
    let said = complaint(output);
    assert!(
        said.contains("has no CSV or TSV file: put some there"),
        "{said}"
    );
}

#[tokio::test]
async fn its_rows_are_there_for_who_signs_in_as_the_demo() {
    let place = Installation::new();
    // By itself, then beside a platform, which replaces the rows.
    let first = place.run(&["demo"]);
    let process = place.start();
    let second = place.run(&["demo"]);
    let client = Client::sign_in(&process.base).await;
    for output in [first, second] {
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("{}/docs", process.base)), "{said}");
        let (_, queries) = said.split_once("Or ask for them here:").unwrap();
        let views = format!("'{}", process.base);
        let queries: Vec<_> = queries
            .split(&*views)
            .skip(1)
            .map(|it| it.split('\'').next().unwrap())
            .collect();
        assert_eq!(queries.len(), 2, "{said}");
        for query in queries {
            let page = client.get(query).await;
            assert!(!page["data"].as_array().unwrap().is_empty(), "{page}");
        }
    }
    let view = client.get("/api/v1/dcl/views/accounts?limit=1").await;
    assert_eq!(view["meta"]["total"], 13, "{view}");
    let list = client.get("/api/v1/aam/connections").await;
    assert_eq!(list["total"], 1, "{list}");
}

#[tokio::test]
async fn who_changed_the_demo_login_is_told_why_the_demo_ends() {
    let place = Installation::new();
    let process = place.start();
    let client = Client::sign_in(&process.base).await;
    let change = serde_json::json!({
        "current_password": local::start::DEMO_PASSWORD,
        "new_password": "umbrella lantern 4411 fjord",
    });
    let path = format!("{}/api/v1/auth/password", process.base);
    let request = client.http.post(path).bearer_auth(&client.token);
    let answer = request.json(&change).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    let said = complaint(place.run(&["demo"]));
    assert!(said.contains("the demo login is not let in"), "{said}");
}
