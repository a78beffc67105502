//! What tells one record from another: counted over all that is stored, asked where nothing says it,
//! and never two rows as one record.

use axum::http::StatusCode;
use serde_json::{Value, json};

use tests::fixtures::own_data::{World, pairs};

/// Uploads the file and returns its proposal's path.
async fn proposed(world: &World, name: &str, content: &str) -> String {
    let file = world.upload(name, content).await;
    file["proposal"].as_str().unwrap().to_owned()
}

/// The pointers of what is asked before a proposal can be accepted.
async fn asked(world: &World, proposal: &str, said: Value) -> Vec<String> {
    let path = format!("{proposal}/accept");
    let answer = world.app.post(&path, &world.ann, said).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let pointer = |it: Value| it["pointer"].as_str().unwrap().to_owned();
    errors.into_iter().map(pointer).collect()
}

async fn map_accounts(world: &World, object: &str, id: &str) {
    let mapping = json!({ "reason": "by hand", "mapping": { "entity": "account", "fields": [
        { "target": "account_id", "sources": [id] },
        { "target": "name", "sources": ["name"] },
    ] } });
    world.post(&world.mapping(object), mapping).await;
}

/// Names of all accounts, by id.
async fn all(world: &World) -> Vec<(String, String)> {
    let page = world.get("/api/v1/dcl/views/accounts?limit=1000").await;
    let rows = page["data"].as_array().unwrap().iter();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    rows.map(|it| (text(it, "account_id"), text(it, "name")))
        .collect()
}

/// By its fields, how often a candidate repeats and how often it is empty.
fn faults(proposal: &Value) -> Vec<(String, u64, u64)> {
    let keys = proposal["keys"].as_array().unwrap().iter();
    let names = |it: &Value| {
        let fields = it["fields"].as_array().unwrap().iter();
        fields
            .map(|it| it.as_str().unwrap())
            .collect::<Vec<_>>()
            .join("+")
    };
    let count = |it: &Value, what: &str| it[what].as_u64().unwrap();
    keys.map(|it| (names(it), count(it, "collisions"), count(it, "empty")))
        .collect()
}

fn owned(of: &[(&str, u64, u64)]) -> Vec<(String, u64, u64)> {
    of.iter().map(|it| (it.0.to_owned(), it.1, it.2)).collect()
}

#[tokio::test]
async fn keys_are_counted_over_all_rows_and_a_name_is_never_taken_unasked() {
    let world = World::new().await;
    // 3,000 rows, far more than the sample; 200 share an id and 100 have none.
    let row = |it: u32| {
        let id = match it {
            0..100 => String::new(),
            100..2800 => it.to_string(),
            _ => (it - 1000).to_string(),
        };
        format!("{id},Company {it},Sector {}\n", it % 7)
    };
    let rows: String = (0..3000).map(row).collect();
    let path = proposed(
        &world,
        "crm.csv",
        &format!("Account ID,Company name,Industry\n{rows}"),
    )
    .await;
    let proposal = world.get(&format!("{path}?entity=account")).await;
    assert_eq!(
        faults(&proposal),
        owned(&[("Account ID", 200, 100), ("Company name", 0, 0)]),
        "{}",
        proposal["keys"]
    );
    assert_eq!(proposal["keys"][0]["records"], 3000);
    let said = json!({ "entity": "account" });
    assert_eq!(asked(&world, &path, said).await, ["/answers/key"]);
}

#[tokio::test]
async fn two_fields_together_are_a_candidate_where_none_is_one_alone() {
    let world = World::new().await;
    let rows: String = (0..1500)
        .map(|it| format!("{},{},x\n", it / 3, it % 3))
        .collect();
    let path = proposed(&world, "lines.csv", &format!("Order ID,Line,City\n{rows}")).await;
    let proposal = world.get(&format!("{path}?entity=account")).await;
    let first = &faults(&proposal)[0];
    assert_eq!(*first, ("Order ID+Line".to_owned(), 0, 0), "{proposal}");
}

#[tokio::test]
async fn a_changed_row_in_a_later_file_is_no_collision() {
    let world = World::new().await;
    world
        .upload("a.csv", "Record ID,Company name\n1,One\n2,Two\n")
        .await;
    let path = proposed(&world, "a.csv", "Record ID,Company name\n1,Uno\n2,Two\n").await;
    let proposal = world.get(&format!("{path}?entity=account")).await;
    let keys = faults(&proposal);
    assert!(keys.contains(&("Record ID".to_owned(), 0, 0)), "{keys:?}");
}

#[tokio::test]
async fn rows_without_any_key_are_kept_by_their_content_when_somebody_says_so() {
    let world = World::new().await;
    let path = proposed(
        &world,
        "x.csv",
        "First,City\nAnn,Rome\nBob,Oslo\nAnn,Oslo\n",
    )
    .await;
    let said = json!({ "entity": "account", "fields": { "name": "First" },
        "answers": { "key": "none" } });
    let accepted = world.post(&format!("{path}/accept"), said).await;
    let id = &accepted["mapping"]["fields"][0];
    assert_eq!(
        id["transforms"],
        json!([{ "kind": "content_hash" }]),
        "{id}"
    );
    let accounts = world.accounts().await;
    let names: Vec<_> = accounts.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(accounts.len(), 3, "{accounts:?}");
    assert_eq!(names.iter().filter(|it| **it == "Ann").count(), 2);
    assert!(accounts.iter().all(|it| it.0.starts_with("sha256:")));
    // The same file is the same, and a changed row is another record.
    let again = world
        .upload("x.csv", "First,City\nAnn,Rome\nBob,Bergen\n")
        .await;
    assert_eq!(
        (&again["written"], &again["unchanged"]),
        (&json!(1), &json!(1)),
        "{again}"
    );
    assert_eq!(world.accounts().await.len(), 4);
}

#[tokio::test]
async fn of_two_rows_of_a_file_with_one_id_the_second_waits() {
    let world = World::new().await;
    world.upload("a.csv", "id,name\n1,One\n2,Two\n").await;
    map_accounts(&world, "a", "id").await;
    // Far apart, so that they come in two batches; the first of id 1 is stored already.
    let many: String = (10..600).map(|it| format!("{it},N{it}\n")).collect();
    let file = format!("id,name\n3,C\n1,One\n{many}3,D\n1,Uno\n3,C\n1,One\n5,E\n5,F\n5,E\n");
    let report = world.upload("a.csv", &file).await;
    let count = |what: &str| report[what].as_u64().unwrap();
    assert_eq!(count("quarantined"), 3, "{report}");
    assert_eq!(count("collisions"), 3, "{report}");
    assert_eq!(count("duplicates"), 3, "{report}");
    assert_eq!(count("written"), 590 + 2, "{report}");
    let accounts = all(&world).await;
    for (id, name) in [("1", "One"), ("3", "C"), ("5", "E")] {
        assert!(accounts.contains(&pairs(&[(id, name)])[0]), "{id}");
    }
    // Whatever is mapped again, they stay where they are.
    let retry = format!(
        "/api/v1/aam/connections/{}/quarantine/retry",
        world.connection
    );
    world.post(&retry, json!({ "object": "a" })).await;
    world.upload("a.csv", &file).await;
    world.post(&retry, json!({ "object": "a" })).await;
    assert_eq!(all(&world).await, accounts);
    assert_eq!(world.object("a").await["quarantined"], 3);
    // A later file is a later version.
    let report = world.upload("a.csv", "id,name\n3,D\n").await;
    assert_eq!(report["written"], 1, "{report}");
    assert!(all(&world).await.contains(&pairs(&[("3", "D")])[0]));
    assert_eq!(world.object("a").await["quarantined"], 2);
}

#[tokio::test]
async fn of_two_versions_of_a_record_in_one_file_the_later_one_counts() {
    let world = World::new().await;
    world
        .upload("a.csv", "id,name,at\n9,Nine,2024-01-01\n")
        .await;
    let mapping = json!({ "reason": "by hand", "mapping": { "entity": "account", "fields": [
        { "target": "account_id", "sources": ["id"] },
        { "target": "name", "sources": ["name"] },
        { "target": "updated_at", "sources": ["at"] },
    ] } });
    world.post(&world.mapping("a"), mapping).await;
    let file = "id,name,at\n1,New,2024-02-02\n1,Old,2024-02-01\n1,Newest,2024-02-03\n\
        1,Rival,2024-02-03\n";
    let report = world.upload("a.csv", file).await;
    assert_eq!(
        (&report["stale"], &report["collisions"]),
        (&json!(1), &json!(1)),
        "{report}"
    );
    assert!(
        world
            .accounts()
            .await
            .contains(&pairs(&[("1", "Newest")])[0])
    );
}

#[tokio::test]
async fn identical_rows_are_one_record_and_the_answer_says_so() {
    let world = World::new().await;
    let file = "First,City\nAnn,Rome\nAnn,Rome\nBob,Oslo\nAnn,Rome\n";
    let report = world.upload("x.csv", file).await;
    assert_eq!(
        (&report["written"], &report["duplicates"]),
        (&json!(2), &json!(2)),
        "{report}"
    );
    let again = world.upload("x.csv", file).await;
    assert_eq!(
        (&again["unchanged"], &again["duplicates"]),
        (&json!(4), &json!(2)),
        "{again}"
    );
}

#[tokio::test]
async fn a_row_without_its_id_is_kept_and_counted() {
    let world = World::new().await;
    world.upload("a.csv", "id,name\n1,One\n,None\n").await;
    map_accounts(&world, "a", "id").await;
    let object = world.object("a").await;
    assert_eq!(
        (&object["records"], &object["quarantined"]),
        (&json!(1), &json!(1)),
        "{object}"
    );
    let groups = format!(
        "/api/v1/aam/connections/{}/quarantine/groups",
        world.connection
    );
    let groups = world.get(&groups).await;
    assert_eq!(groups["groups"][0]["field"], "account_id", "{groups}");
}

#[tokio::test]
async fn what_a_tiny_or_empty_table_is_of_is_asked() {
    let world = World::new().await;
    for (name, content) in [
        ("one.csv", "name\nx\n"),
        ("amounts.csv", "Betrag\n1\n2\n3\n"),
        ("kokyaku.csv", "顧客番号,会社名\n1,山田\n2,鈴木\n"),
        ("umala.csv", "الرقم,الاسم\n1,أحمد\n2,سارة\n"),
    ] {
        let path = proposed(&world, name, content).await;
        let proposal = world.get(&path).await;
        let best = &proposal["entities"][0]["probability"];
        if best.as_f64().unwrap() < 0.5 {
            assert_eq!(proposal["entity"], Value::Null, "{name}: {proposal}");
            assert_eq!(asked(&world, &path, json!({})).await[0], "/answers/entity");
        }
        for field in proposal["fields"].as_array().unwrap() {
            let sure = 0.3 <= field["probability"].as_f64().unwrap();
            assert!(
                sure || field["filled_in"] == json!(false),
                "{name}: {field}"
            );
        }
    }
    let path = proposed(&world, "one.csv", "name\nx\n").await;
    assert_eq!(world.get(&path).await["entity"], Value::Null);
    // Said as an answer, it leads to the next questions.
    let said = json!({ "answers": { "entity": "account" } });
    assert_eq!(asked(&world, &path, said).await[0], "/answers/key");
    let wrong = json!({ "answers": { "entity": "lead" } });
    assert_eq!(asked(&world, &path, wrong).await, ["/answers/entity"]);

    let report = world.upload("void.csv", "a,b,c\n,,\n,,\n").await;
    assert_eq!(report["rows_read"], 2, "{report}");
    let path = report["proposal"].as_str().unwrap();
    let said = json!({ "entity": "account" });
    let asked = asked(&world, path, said.clone()).await;
    assert_eq!(asked, ["/answers/key", "/answers/field:name"]);
    let accept = format!("{path}/accept");
    let answer = world.app.post(&accept, &world.ann, said).await.json();
    let detail = answer["errors"][1]["detail"].as_str().unwrap();
    assert!(
        detail.contains("No sampled record has any value"),
        "{detail}"
    );
}
