//! Pulling from a PostgreSQL: what is stored is how the source is, or the run says what is not.

use serde_json::{Value, json};
use tests::app::{Person, TestApp};
use tests::fixtures::connections::{CONNECTIONS, latest_run, list_quarantine};
use tests::fixtures::jobs::finish_job;
use tests::fixtures::json::pick;
use tests::fixtures::postgres_source::{set_up_postgres_source, sync};

/// Ids and names of the stored accounts, sorted: `1 a, 2 b`.
async fn stored(app: &TestApp) -> String {
    let rows: Vec<String> =
        sqlx::query_scalar("select account_id || ' ' || name from accounts order by 1")
            .fetch_all(&app.database().pool())
            .await
            .unwrap();
    rows.join(", ")
}

async fn quarantine(app: &TestApp, person: &Person, id: &str) -> Vec<String> {
    let records = list_quarantine(app, person, id).await;
    records.iter().map(|it| pick(it, "reason")).collect()
}

fn full() -> Value {
    json!({ "mode": "full" })
}

fn people() -> Value {
    json!([{ "table": "p", "entity": "account" }])
}

#[tokio::test]
async fn of_two_rows_with_one_id_the_second_is_quarantined() {
    let sql = "create table p (k int primary key, account_id text, name text);
        insert into p values (1, 'x', 'first'), (2, ' x ', 'second'), (3, 'y', 'third');";
    let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
    for _ in 0..2 {
        let done = sync(&app, &person, &id, full()).await;
        assert_eq!(done["status"], "success", "{done}");
        assert_eq!(done["result"]["collisions"], 1, "{done}");
        assert_eq!(done["result"]["quarantined"], 1, "{done}");
        assert_eq!(stored(&app).await, "x first, y third");
    }
    let run = latest_run(&app, &person, &id).await;
    assert_eq!(run["collisions"], 1, "{run}");
    let kept = quarantine(&app, &person, &id).await;
    assert_eq!(kept.len(), 1);
    assert!(
        kept[0].contains(r#"the row with the key ["1"]"#),
        "{kept:?}"
    );

    // Read again with the mapping, the second is still the second.
    let path = format!("{CONNECTIONS}/{id}/quarantine/replay");
    let replayed = app.post(&path, &person, json!({})).await;
    let replayed = finish_job(&app, &person, replayed).await;
    assert_eq!(replayed["status"], "failed", "{replayed}");
    assert_eq!(stored(&app).await, "x first, y third");

    source.run("delete from p where k = 1").await;
    let done = sync(&app, &person, &id, full()).await;
    assert_eq!(done["result"]["collisions"], 0, "{done}");
    assert_eq!(stored(&app).await, "x second, y third");
    assert!(quarantine(&app, &person, &id).await.is_empty());
}

#[tokio::test]
async fn a_row_whose_id_changes_takes_its_record_along() {
    let sql =
        "create table p (k int primary key, account_id text, name text, updated_at timestamptz);
        insert into p
        select n, 'a' || n, 'n' || n, '2026-01-01' from generate_series(1, 1200) n;";
    for mode in ["full", "incremental"] {
        let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
        sync(&app, &person, &id, full()).await;
        // Within one page, from page to page, and in a chain that ends with a new id.
        source
            .run(
                "update p set updated_at = now(), name = name || '!', account_id = case k
                   when 1 then 'a2' when 2 then 'a1'
                   when 3 then 'a1100' when 1100 then 'a3'
                   when 4 then 'a5' when 5 then 'a600' when 600 then 'new' end
                 where k in (1, 2, 3, 1100, 4, 5, 600)",
            )
            .await;
        let done = sync(&app, &person, &id, json!({ "mode": mode })).await;
        assert_eq!(done["status"], "success", "{done}");
        assert_eq!(done["result"]["collisions"], 0, "{done}");
        let all = stored(&app).await;
        let changed: Vec<_> = all.split(", ").filter(|it| it.ends_with('!')).collect();
        let expected = [
            "a1 n2!",
            "a1100 n3!",
            "a2 n1!",
            "a3 n1100!",
            "a5 n4!",
            "a600 n5!",
            "new n600!",
        ];
        assert_eq!(changed, expected, "{mode}");
        assert_eq!(all.split(", ").count(), 1200, "{mode}");
    }
}

#[tokio::test]
async fn a_quarantined_row_gets_its_id_when_another_row_gives_it_up() {
    let sql =
        "create table p (k int primary key, account_id text, name text, updated_at timestamptz);
        insert into p values (1, 'x', 'first', '2026-01-01'), (2, 'x', 'second', '2026-01-01'),
          (3, 'z', 'third', '2026-06-01');";
    let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
    sync(&app, &person, &id, full()).await;
    source
        .run("update p set account_id = 'y', updated_at = now() where k = 1")
        .await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(stored(&app).await, "x second, y first, z third");
    assert!(quarantine(&app, &person, &id).await.is_empty());
}

#[tokio::test]
async fn a_corrected_or_deleted_row_leaves_the_quarantine() {
    let sql = "create table p (k int primary key, account_id text, name text, created_at text);
        insert into p values (1, 'a', 'a', 'much'), (2, 'b', 'b', 'more'), (3, null, 'c', '2026-01-01'),
          (4, 'd', 'd', '2026-01-01');";
    let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
    sync(&app, &person, &id, full()).await;
    assert_eq!(quarantine(&app, &person, &id).await.len(), 3);
    // Another fault of the same row, a row that is gone, and one that got its id.
    source
        .run(
            "update p set created_at = 'very much' where k = 1;
             delete from p where k = 2;
             update p set account_id = 'c' where k = 3;",
        )
        .await;
    sync(&app, &person, &id, full()).await;
    assert_eq!(quarantine(&app, &person, &id).await.len(), 1);
    assert_eq!(stored(&app).await, "c c, d d");
}

#[tokio::test]
async fn a_full_sync_is_never_stale() {
    let sql = "create table p (account_id text primary key, name text, updated_at timestamptz);
        insert into p values ('1', 'a', now() - interval '1 hour');";
    let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
    sync(&app, &person, &id, full()).await;
    // As after a restore of yesterday's backup.
    source
        .run("update p set name = 'restored', updated_at = now() - interval '1 day'")
        .await;
    let done = sync(&app, &person, &id, full()).await;
    assert_eq!(done["result"]["written"], 1, "{done}");
    assert_eq!(stored(&app).await, "1 restored");
    let done = sync(&app, &person, &id, full()).await;
    assert_eq!(done["result"]["unchanged"], 1, "{done}");
}

#[tokio::test]
async fn nothing_is_deleted_where_row_level_security_hides_rows() {
    let sql = "create table p (account_id text primary key, name text);
        insert into p select n::text, 'n' from generate_series(1, 50) n;
        analyze p;";
    let counted = "select pg_stat_force_next_flush()";
    let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
    sync(&app, &person, &id, full()).await;
    source.run(counted).await;
    source.run("alter table p enable row level security").await;
    let done = sync(&app, &person, &id, full()).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(done["result"]["deleted"], 0, "{done}");
    let run = latest_run(&app, &person, &id).await;
    let warning = run["warning"].as_str().unwrap();
    assert!(warning.contains("row-level security"), "{warning}");

    // A policy that shows everything hides nothing.
    source
        .run("create policy all_rows on p using (true); delete from p where account_id = '1'")
        .await;
    source.run(counted).await;
    source.run("analyze p").await;
    let done = sync(&app, &person, &id, full()).await;
    assert_eq!(done["result"]["deleted"], 1, "{done}");
    let run = latest_run(&app, &person, &id).await;
    assert_eq!(run["warning"], Value::Null, "{run}");

    source.run("drop policy all_rows on p").await;
    let confirmed = json!({ "mode": "full", "confirm_deletes": true });
    let done = sync(&app, &person, &id, confirmed).await;
    assert_eq!(done["result"]["deleted"], 49, "{done}");
}

#[tokio::test]
async fn a_run_says_that_cursors_are_from_the_future() {
    let sql = "create table p (account_id text primary key, name text, updated_at timestamptz);
        insert into p values ('1', 'a', '2099-01-01'), ('2', 'b', '2024-01-01');";
    let (app, _source, person, id) = set_up_postgres_source(sql, people()).await;
    for mode in ["full", "incremental"] {
        sync(&app, &person, &id, json!({ "mode": mode })).await;
        let run = latest_run(&app, &person, &id).await;
        let warning = run["warning"].as_str().unwrap();
        assert!(
            warning.starts_with("rows whose cursor is later than"),
            "{warning}"
        );
    }
}

#[tokio::test]
async fn a_late_commit_arrives_within_the_lookback() {
    let at = |it: &str| format!("'2026-01-01 12:00Z'::timestamptz - interval '{it} minutes'");
    let [noon, at_1, at_4, at_6] = ["0", "1", "4", "6"].map(at);
    let [at_59, at_61] = ["59", "61"].map(at);
    let (bc, past) = ("'4713-01-01 BC'", "'-infinity'");
    let (least, low) = ("-9223372036854775808", "-9223372036854775800");
    // Type, the cursor of the row that is read first, of one that comes late and of one too late.
    let cases: [(&str, [&str; 3], Option<u32>); 9] = [
        ("timestamptz", [&noon, &at_4, &at_6], None),
        ("timestamptz", [&noon, &at_59, &at_61], Some(60)),
        ("timestamptz", [&noon, &noon, &at_1], Some(0)),
        ("bigint", ["5000", "4001", "3999"], None),
        ("bigint", ["5000", "4991", "4989"], Some(10)),
        ("timestamp", [bc, bc, "null"], None),
        ("date", [past, past, "null"], None),
        ("smallint", ["-32760", "-32768", "null"], None),
        ("bigint", [low, least, "null"], None),
    ];
    let (mut tables, mut late, mut objects) = (String::new(), String::new(), vec![]);
    let mut expected = vec![];
    for (number, (kind, [first, within, before], lookback)) in cases.iter().enumerate() {
        tables += &format!(
            "create table p{number} (account_id text primary key, name text, c {kind});
             insert into p{number} values ('{number}.1', 'first', {first});"
        );
        late += &format!(
            "insert into p{number} values
              ('{number}.2', 'within', {within}), ('{number}.3', 'before', {before});"
        );
        let table = format!("p{number}");
        let mut object = json!({ "table": table, "entity": "account", "cursor": "c" });
        if let Some(lookback) = lookback {
            object["lookback"] = json!(lookback);
        }
        objects.push(object);
        expected.push(format!("{number}.1 first, {number}.2 within"));
    }
    let (app, source, person, id) = set_up_postgres_source(&tables, json!(objects)).await;
    sync(&app, &person, &id, json!({})).await;
    source.run(&late).await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["result"]["written"], cases.len(), "{done}");
    assert_eq!(stored(&app).await, expected.join(", "), "{cases:?}");
}

#[tokio::test]
async fn another_key_of_the_config_is_no_other_row() {
    let sql =
        "create table p (a int primary key, b text not null unique, account_id text, name text);
        insert into p select n, 'b' || n, 'i' || n, 'n' from generate_series(1, 700) n;
        insert into p values (701, 'b701', null, 'no id');";
    let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
    sync(&app, &person, &id, full()).await;
    let objects = json!([{ "table": "p", "entity": "account", "key": ["b"] }]);
    let config = json!({ "connector_config": source.config(objects) });
    let patched = app
        .patch(&format!("{CONNECTIONS}/{id}"), &person, config)
        .await;
    assert!(patched.status.is_success(), "{patched}");
    source.run("delete from p where a in (1, 701)").await;
    let done = sync(&app, &person, &id, full()).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(done["result"]["unchanged"], 699, "{done}");
    assert_eq!(done["result"]["collisions"], 0, "{done}");
    assert_eq!(done["result"]["deleted"], 1, "{done}");
    assert!(quarantine(&app, &person, &id).await.is_empty());
}

/// Whatever the statistics of a source leave out.
#[tokio::test]
async fn nothing_is_deleted_below_views_and_in_trees_of_tables() {
    let some = "(account_id::int <= 40)";
    let tables = [
        "create table p (account_id text primary key, name text);
         create table p_rows () inherits (p);
         insert into p select n::text, 'n' from generate_series(1, 20) n;
         insert into p_rows select n::text, 'n' from generate_series(21, 60) n;",
        "create table p (account_id int primary key, name text) partition by range (account_id);
         create table p_rows partition of p default;
         insert into p select n, 'n' from generate_series(1, 60) n;",
    ];
    for table in tables {
        let (app, source, person, id) = set_up_postgres_source(table, people()).await;
        source.run("select pg_stat_force_next_flush()").await;
        sync(&app, &person, &id, full()).await;
        source
            .run(&format!(
                "alter table p enable row level security; create policy few on p using {some};"
            ))
            .await;
        let done = sync(&app, &person, &id, full()).await;
        assert_eq!(done["result"]["deleted"], 0, "{table}: {done}");
        assert_eq!(done["result"]["rows_read"], 40, "{table}: {done}");
    }
    let sql = "create table t (account_id text primary key, name text);
        insert into t select n::text, 'n' from generate_series(1, 60) n;
        create view p with (security_invoker = true) as select * from t;";
    let objects = json!([{ "table": "p", "entity": "account", "key": ["account_id"] }]);
    let (app, source, person, id) = set_up_postgres_source(sql, objects).await;
    sync(&app, &person, &id, full()).await;
    source
        .run(&format!(
            "alter table t enable row level security; create policy few on t using {some};"
        ))
        .await;
    let done = sync(&app, &person, &id, full()).await;
    assert_eq!(done["result"]["deleted"], 0, "{done}");
    let run = latest_run(&app, &person, &id).await;
    assert!(
        run["warning"]
            .as_str()
            .unwrap()
            .contains("row-level security"),
        "{run}"
    );
}

#[tokio::test]
async fn what_a_sync_brings_does_not_make_its_deletions_look_few() {
    let sql = "create table p (account_id text primary key, name text);
        insert into p select n::text, 'n' from generate_series(1, 200) n;";
    let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
    sync(&app, &person, &id, full()).await;
    source
        .run("update p set account_id = 'x' || account_id")
        .await;
    let done = sync(&app, &person, &id, full()).await;
    assert_eq!(done["status"], "failed", "{done}");
    let error = done["error"].as_str().unwrap();
    assert!(error.contains("200 of 200 stored records"), "{error}");
}

#[tokio::test]
async fn a_run_says_that_it_left_rows_out_whose_cursor_is_null() {
    let sql = "create table p (account_id text primary key, name text, updated_at timestamptz);
        insert into p values ('1', 'a', null), ('2', 'b', '2024-01-01');";
    let (app, source, person, id) = set_up_postgres_source(sql, people()).await;
    for (mode, expected) in [
        ("full", None),
        ("incremental", Some("`updated_at` is null")),
    ] {
        sync(&app, &person, &id, json!({ "mode": mode })).await;
        let run = latest_run(&app, &person, &id).await;
        let warning = run["warning"].as_str();
        assert_eq!(warning.is_some(), expected.is_some(), "{run}");
        assert!(
            warning
                .unwrap_or_default()
                .contains(expected.unwrap_or_default()),
            "{run}"
        );
    }
    source.run("update p set updated_at = now()").await;
    sync(&app, &person, &id, json!({})).await;
    let run = latest_run(&app, &person, &id).await;
    assert_eq!(run["warning"], Value::Null, "{run}");
}
