//! What is promised of mappings: a dry run says what a replay does, a rollback restores what was, and
//! a fix that is accepted as it is proposed lets the records in.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use proptest::prelude::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest::{bool, collection, sample};
use serde_json::{Value, json};
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::run_all;
use tests::fixtures::own_data::World;

/// Rows of a table, each as JSON, by what tells it apart.
type Rows = BTreeMap<String, Value>;

async fn rows(world: &World, sql: &'static str) -> Rows {
    let rows: Vec<(String, Value)> = sqlx::query_as(sql)
        .fetch_all(world.app.owner())
        .await
        .unwrap();
    rows.into_iter().collect()
}

/// The accounts whole, but for the time at which they were written: a view tells by it what is
/// new, and a row that is written again is.
async fn stored_accounts(world: &World) -> Rows {
    rows(
        world,
        "select source_id, to_jsonb(t) - 'synced_at' from accounts t",
    )
    .await
}

/// What came from the source, without the platform's own notes: the mapping and the run that it
/// was last read with, when that was, and by which run's key it was told apart before it had
/// an id.
async fn stored_raw(world: &World) -> Rows {
    rows(
        world,
        "select source_id, to_jsonb(t) - array['mapping_version', 'run_id', 'received_at',
          'source_key'] from raw_records t",
    )
    .await
}

/// Sends a mapping of `x`, does what it started, and returns the answer.
async fn adopt(world: &World, fields: &Value, dry_run: bool) -> Value {
    let mapping = json!({ "entity": "account", "fields": fields });
    let body = json!({ "mapping": mapping, "reason": "r", "dry_run": dry_run });
    send(world, &world.mapping("x"), body).await
}

async fn send(world: &World, path: &str, body: Value) -> Value {
    let answer = world.app.post(path, &world.ann, body).await;
    assert!(answer.status.is_success(), "{path}: {answer}");
    run_all(&world.app).await;
    answer.json()
}

async fn quarantine_groups(world: &World) -> Value {
    let path = format!(
        "/api/v1/aam/connections/{}/quarantine/groups",
        world.connection
    );
    let answer = world.app.get(&path, &world.ann).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    answer.json()["groups"].clone()
}

async fn upload(world: &World, content: &str) {
    let files: [(&str, &[u8]); 1] = [("x.csv", content.as_bytes())];
    upload_files(&world.app, &world.ann, &files).await;
}

/// Which records have a name.
#[derive(PartialEq)]
enum Named {
    All,
    Most,
}

/// Records of every kind: with and without a value, with one that fits and one that does not. Each
/// has a name, or the seventh part has none.
fn file(named: Named) -> String {
    let dates = ["2024-01-31", "", "31/01/2024", "soon"];
    let words = ["Kunde", "Partner", ""];
    let row = |it: usize| {
        let name = if it % 7 == 6 && named == Named::Most {
            String::new()
        } else {
            format!("N{it}")
        };
        format!(
            "{it},K{it:03},{name},{},{},0{}/0{}/2024,rest\n",
            words[it % 3],
            dates[it % 4],
            it % 9 + 1,
            it * 5 % 9 + 1
        )
    };
    let rows: String = (0..60).map(row).collect();
    format!("id,code,name,art,when,seen,more\n{rows}")
}

/// Mappings of that file: other transforms, other fields, fewer, more, another key.
fn mappings() -> Vec<Value> {
    let id = json!({ "target": "account_id", "sources": ["id"] });
    let code = json!({ "target": "account_id", "sources": ["code"] });
    let name = json!({ "target": "name", "sources": ["name"] });
    let named = json!({ "target": "name", "sources": ["name", "code"] });
    let kind = |transforms: Value| json!({ "target": "type", "sources": ["art"], "transforms": transforms });
    let words = json!([
        { "kind": "enum", "values": { "kunde": "customer" }, "otherwise": "keep" },
        { "kind": "default", "value": "none" },
    ]);
    let iso = json!({ "target": "created_at", "sources": ["when"], "transforms": [
        { "kind": "nulls", "words": ["soon", "31/01/2024"] },
    ] });
    let both = json!({ "target": "created_at", "sources": ["when"], "transforms": [
        { "kind": "date", "formats": ["ISO", "DD/MM/YYYY"] },
    ] });
    let seen = |format: &str| {
        json!({ "target": "updated_at", "sources": ["seen"], "transforms": [
            { "kind": "date", "formats": [format] },
        ] })
    };
    let (day_first, month_first) = (seen("DD/MM/YYYY"), seen("MM/DD/YYYY"));
    vec![
        json!([id, name]),
        json!([id, name, kind(json!([])), month_first]),
        json!([id, named, kind(words.clone()), iso, day_first]),
        json!([id, named, kind(words), both, month_first]),
        json!([id, name, iso]),
        json!([code, named, kind(json!([{ "kind": "upper" }])), day_first]),
        json!([id, name, month_first]),
        json!([id, name]),
        json!([id, name, day_first]),
    ]
}

/// Field by field: changed, emptied, filled.
type Counts = BTreeMap<String, [u64; 3]>;

/// What differs between what was stored and what is, as a dry run counts it.
fn counted(before: &Rows, after: &Rows) -> (Counts, [u64; 4]) {
    let mut counts = Counts::new();
    let [mut unchanged, mut changed, mut gained] = [0; 3];
    let fields = [
        "account_id",
        "name",
        "type",
        "industry",
        "owner_id",
        "status",
        "created_at",
        "updated_at",
        "external_ids",
    ];
    for (id, new) in after {
        let old = before.get(id);
        let mut differs = false;
        for field in fields {
            let was = old.map_or(&Value::Null, |it| &it[field]);
            let kind = match (was, &new[field]) {
                (was, is) if was == is => continue,
                (Value::Null, _) => 2,
                (_, Value::Null) => 1,
                _ => 0,
            };
            differs = true;
            counts.entry(field.to_owned()).or_default()[kind] += 1;
        }
        match (old, differs) {
            (None, _) => gained += 1,
            (Some(_), true) => changed += 1,
            (Some(_), false) => unchanged += 1,
        }
    }
    let lost = before.keys().filter(|it| !after.contains_key(*it)).count() as u64;
    (counts, [unchanged, changed, gained, lost])
}

/// By `code`, which no mapping loses: another key gives the records other ids.
fn by_code(rows: &Rows, raw: &Rows) -> Rows {
    let code = |id: &String| {
        let payload: Value = serde_json::from_str(raw[id]["payload"].as_str().unwrap()).unwrap();
        payload["code"].as_str().unwrap().to_owned()
    };
    rows.iter()
        .map(|(id, row)| (code(id), row.clone()))
        .collect()
}

#[tokio::test]
async fn a_dry_run_says_what_the_replay_does() {
    let world = World::with_file("x.csv", &file(Named::All)).await;
    let mut mappings = mappings();
    // The one that loses records comes last.
    let losing = mappings.remove(3);
    mappings.push(losing);
    for fields in mappings {
        let before = by_code(&stored_accounts(&world).await, &stored_raw(&world).await);
        let dry = adopt(&world, &fields, true).await["difference"].clone();
        assert_eq!(
            by_code(&stored_accounts(&world).await, &stored_raw(&world).await),
            before,
            "a dry run changes nothing"
        );
        adopt(&world, &fields, false).await;
        let after = by_code(&stored_accounts(&world).await, &stored_raw(&world).await);
        let (counts, totals) = counted(&before, &after);
        let number = |it: &Value| it.as_u64().unwrap();
        let told = dry["fields"].as_array().unwrap().iter().map(|it| {
            let of = ["changed", "emptied", "filled"].map(|kind| number(&it[kind]));
            (it["field"].as_str().unwrap().to_owned(), of)
        });
        assert_eq!(told.collect::<Counts>(), counts, "{fields}");
        let told = ["unchanged", "changed", "gained", "lost"].map(|it| number(&dry[it]));
        assert_eq!(told, totals, "{fields}");
        assert_eq!(
            (&dry["records"], &dry["stored"], &dry["complete"]),
            (&json!(60), &json!(60), &json!(true))
        );
    }
}

#[tokio::test]
async fn a_rollback_restores_every_column_and_raw_is_never_changed() {
    let world = World::with_file("x.csv", &file(Named::Most)).await;
    let payloads = |raw: &Rows| -> BTreeSet<String> {
        raw.values().map(|it| it["payload"].to_string()).collect()
    };
    let came = payloads(&stored_raw(&world).await);
    let mappings = mappings();
    adopt(&world, &mappings[2], false).await;
    let (accounts, raw) = (stored_accounts(&world).await, stored_raw(&world).await);
    assert!(!accounts.is_empty());
    for fields in &mappings {
        adopt(&world, fields, false).await;
        assert_eq!(payloads(&stored_raw(&world).await), came);
    }
    let back = json!({ "version": 1, "reason": "back" });
    send(&world, &format!("{}/activate", world.mapping("x")), back).await;
    assert_eq!(stored_accounts(&world).await, accounts);
    assert_eq!(stored_raw(&world).await, raw);
}

#[tokio::test]
async fn a_proposed_format_and_words_let_their_records_in_as_they_are() {
    let world = World::with_file("x.csv", "id,name,when,art\n1,A,2024-02-01,Kunde\n").await;
    let words =
        json!([{ "kind": "enum", "values": { "Kunde": "customer" }, "otherwise": "reject" }]);
    let mut fields = json!([
        { "target": "account_id", "sources": ["id"] },
        { "target": "name", "sources": ["name"] },
        { "target": "type", "sources": ["art"], "transforms": words },
        { "target": "created_at", "sources": ["when"] },
    ]);
    adopt(&world, &fields, false).await;
    upload(
        &world,
        "id,name,when,art\n2,B,31/01/2024,Kunde\n3,C,2024-02-02,Partner\n4,D,15/01/2024,Kunde\n",
    )
    .await;
    let groups = quarantine_groups(&world).await;
    assert_eq!(groups.as_array().unwrap().len(), 2, "{groups}");
    for group in groups.as_array().unwrap() {
        let entry = &group["fixes"][0]["entry"];
        let mut entries = fields.as_array_mut().unwrap().iter_mut();
        let present = entries.find(|it| it["target"] == entry["target"]).unwrap();
        *present = entry.clone();
    }
    adopt(&world, &fields, false).await;
    assert_eq!(quarantine_groups(&world).await, json!([]));
    let accounts = stored_accounts(&world).await;
    let of = |id: &str| {
        (
            accounts[id]["type"].clone(),
            accounts[id]["created_at"].clone(),
        )
    };
    let at = |day: &str| json!(format!("{day}T00:00:00+00:00"));
    assert_eq!(of("1"), (json!("customer"), at("2024-02-01")));
    assert_eq!(of("2"), (json!("customer"), at("2024-01-31")));
    assert_eq!(of("3"), (json!("Partner"), at("2024-02-02")));
}

#[tokio::test]
async fn rows_that_collide_are_told_apart_by_another_key() {
    let file = "no,id,name\n11,1,One\n12,1,Other\n13,2,Two\n";
    let world = World::with_file("x.csv", file).await;
    let fields = |key: &str| {
        json!([
            { "target": "account_id", "sources": [key] },
            { "target": "name", "sources": ["name"] },
        ])
    };
    adopt(&world, &fields("id"), false).await;
    let groups = quarantine_groups(&world).await;
    let fix = &groups[0]["fixes"][0];
    assert_eq!(
        (&fix["kind"], &fix["candidates"][0]),
        (&json!("use_key"), &json!("no")),
        "{groups}"
    );
    adopt(&world, &fields("no"), false).await;
    assert_eq!(quarantine_groups(&world).await, json!([]));
    assert_eq!(stored_accounts(&world).await.len(), 3);
}

#[tokio::test]
async fn a_version_that_the_mapping_no_longer_reads_holds_no_later_file_back() {
    let file = |name: &str, seen: &str| format!("id,name,seen,year\n1,{name},{seen},2031\n");
    let world = World::with_file("x.csv", &file("One", "2024-02-01")).await;
    let fields = |seen: Option<&str>| {
        let mut fields = vec![
            json!({ "target": "account_id", "sources": ["id"] }),
            json!({ "target": "name", "sources": ["name"] }),
        ];
        fields.extend(seen.map(|it| json!({ "target": "updated_at", "sources": [it] })));
        json!(fields)
    };
    let mut later = (1..=9).map(|day| (format!("N{day}"), format!("2024-03-0{day}")));
    // The versions are none, as in the file, in the future, none again and as in the file again.
    for seen in [None, Some("seen"), Some("year"), None, Some("seen")] {
        adopt(&world, &fields(seen), false).await;
        if seen == Some("year") {
            continue;
        }
        let (name, seen) = later.next().unwrap();
        let told = world.upload("x.csv", &file(&name, &seen)).await;
        assert_eq!(
            (&told["written"], &told["stale"]),
            (&json!(1), &json!(0)),
            "{told}"
        );
        assert_eq!(stored_accounts(&world).await["1"]["name"], json!(name));
    }
}

#[tokio::test]
async fn rows_without_a_key_wait_until_somebody_says_what_they_are() {
    let file = "id,name,total\n1,One,3\n,Sum,7\n2,Two,4\n,Rest,\n";
    let world = World::with_file("x.csv", file).await;
    let name = json!({ "target": "name", "sources": ["name"] });
    let id = json!({ "target": "account_id", "sources": ["id"] });
    adopt(&world, &json!([id, name]), false).await;
    assert_eq!(stored_accounts(&world).await.len(), 2);
    let groups = quarantine_groups(&world).await;
    let fix = &groups[0]["fixes"][0];
    let told = (&groups[0]["field"], &groups[0]["records"], &fix["kind"]);
    assert_eq!(
        told,
        (&json!("account_id"), &json!(2), &json!("key_by_content")),
        "{groups}"
    );
    // As it is proposed, it lets all of them in and changes no other.
    let before = stored_accounts(&world).await;
    adopt(&world, &json!([fix["entry"], name]), false).await;
    assert_eq!(quarantine_groups(&world).await, json!([]));
    let after = stored_accounts(&world).await;
    assert_eq!(after.len(), 4);
    for (id, account) in before {
        assert_eq!(after[&id]["name"], account["name"]);
    }
}

/// A file of random rows: with and without a key, with values that fit and that do not, each of
/// another day.
fn random_file() -> impl Strategy<Value = String> {
    let text = |(index, (id, code, name, date)): (usize, (usize, u8, usize, usize))| {
        let id = ["", "a", "b", "c", "d"][id];
        let name = ["", "x", "y", "z"][name];
        let date = ["", "2024-01-31", "31/01/2024", "soon"][date];
        format!(
            "{id},{code},{name},{date},2024-02-{:02}\n",
            index * 7 % 11 + 1
        )
    };
    let rows = collection::vec((0..5_usize, 0..4_u8, 0..4_usize, 0..4_usize), 1..12);
    rows.prop_map(move |rows| {
        let rows: String = rows.into_iter().enumerate().map(text).collect();
        format!("id,code,name,when,seen\n{rows}")
    })
}

fn random_mapping() -> impl Strategy<Value = Value> {
    let entry = |target: &str, source: &str| json!({ "target": target, "sources": [source] });
    let key = sample::select(vec!["id", "code", "name"]);
    let name = sample::select(vec!["name", "code"]);
    (key, name, bool::ANY, bool::ANY).prop_map(move |(key, name, when, seen)| {
        let mut fields = vec![entry("account_id", key), entry("name", name)];
        fields.extend(when.then(|| entry("created_at", "when")));
        fields.extend(seen.then(|| entry("updated_at", "seen")));
        json!(fields)
    })
}

#[tokio::test]
async fn a_dry_run_counts_what_the_replay_counts() {
    let given = (random_file(), collection::vec(random_mapping(), 3));
    let mut runner = TestRunner::deterministic();
    for _ in 0..12 {
        let (file, mappings) = given.new_tree(&mut runner).unwrap().current();
        let world = World::with_file("x.csv", &file).await;
        for fields in &mappings {
            let shown = stored_accounts(&world).await.len() as u64;
            let dry = adopt(&world, fields, true).await["difference"].clone();
            let adopted = adopt(&world, fields, false).await;
            let Some(job) = adopted["replay"]["job_id"].as_str() else {
                continue;
            };
            let ran = world.get(&format!("/api/v1/tasks/{job}")).await["result"].clone();
            let of = |counts: &Value, names: &[&str]| -> u64 {
                names.iter().map(|it| counts[*it].as_u64().unwrap()).sum()
            };
            let records = stored_accounts(&world).await.len() as u64;
            assert_eq!(
                of(&dry, &["gained", "changed", "unchanged"]),
                records,
                "{dry}"
            );
            // A job has no result where all records were quarantined.
            if ran.is_null() {
                assert_eq!(records, 0, "{file}{fields}");
                continue;
            }
            let told = [
                of(&dry, &["records"]),
                of(&dry, &["collisions"]),
                of(&dry, &["lost", "unreadable", "collisions"]),
                of(&dry, &["gained", "changed", "unchanged", "stale"]),
            ];
            let did = [
                of(&ran, &["rows_read"]),
                of(&ran, &["collisions"]),
                of(&ran, &["quarantined"]),
                of(&ran, &["written", "unchanged", "stale"]),
            ];
            assert_eq!(told, did, "{file}{mappings:?}\n{fields}\n{dry}\n{ran}");
            assert!(of(&dry, &["changed", "unchanged"]) <= shown, "{dry}");
        }
    }
}
