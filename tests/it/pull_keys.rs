//! Pulling from a PostgreSQL by keys and cursors of every type, and with hostile names.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::fixtures::connections::CONNECTIONS;
use tests::fixtures::postgres_source::{new_postgres_connection, set_up_postgres_source, sync};
use tests::source::Source;

/// Types that can be in a primary key, each with two values.
const TYPES: &[[&str; 3]] = &[
    ["bigint", "1", "-9223372036854775808"],
    ["smallint", "1", "2"],
    ["bit(4)", "1010", "0101"],
    ["bit varying(9)", "1", "10"],
    ["boolean", "t", "f"],
    ["bytea", "\\x00ff", "\\x"],
    ["\"char\"", "a", "b"],
    ["char", "a", "b"],
    ["char(18)", "DE", "FR"],
    ["cidr", "10.0.0.0/8", "::/0"],
    ["inet", "10.0.0.1", "10.0.0.0/8"],
    ["date", "2024-01-15", "infinity"],
    ["date", "0044-03-15 BC", "5874897-12-31"],
    ["double precision", "0.1", "NaN"],
    ["double precision", "1e300", "-Infinity"],
    ["real", "0.1", "3.4e38"],
    ["numeric", "0.1", "123456789012345678901234567890.5"],
    ["numeric(9,3)", "0.1", "NaN"],
    ["interval", "1 mon 2 days 03:04:05.6", "-1 year"],
    ["jsonb", "{\"a\": [1, null]}", "\"x\""],
    ["macaddr", "08:00:2b:01:02:03", "08:00:2b:01:02:04"],
    [
        "macaddr8",
        "08:00:2b:01:02:03:04:05",
        "08:00:2b:01:02:03:04:06",
    ],
    ["money", "$1,234.50", "-$1.00"],
    ["name", "a b", "c"],
    ["oid", "4294967295", "1"],
    ["pg_lsn", "16/B374D848", "0/0"],
    ["text", "a\"b\\c,{d}", ""],
    ["text", "NULL", "null"],
    ["varchar(5)", "ä", "a b"],
    ["citext", "Aa", "b"],
    ["time", "10:00:00.5", "24:00:00"],
    ["timetz", "10:00:00+05:30", "10:00:00-08"],
    ["timestamp", "2024-01-15 10:00", "infinity"],
    ["timestamp(0)", "2024-01-15 10:00", "0044-03-15 10:00 BC"],
    ["timestamptz", "2024-01-15 10:00:00.123456Z", "-infinity"],
    [
        "timestamptz(3)",
        "2024-01-15 10:00:00.123Z",
        "294276-12-31 23:59Z",
    ],
    ["tsvector", "a:1 b", "c"],
    [
        "uuid",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12",
    ],
    ["xid8", "42", "43"],
    ["int[]", "{1,2}", "{}"],
    ["int[]", "[0:1]={3,4}", "{{1,2},{3,4}}"],
    ["text[]", "{\"a,b\",NULL,\"\\\"\"}", "{NULL}"],
    ["timestamptz[]", "{2024-01-15 10:00Z}", "{infinity}"],
    ["int4range", "[1,5)", "empty"],
    ["tstzrange", "[2024-01-15 10:00Z,)", "(,)"],
    ["int4multirange", "{[1,2),[5,6)}", "{}"],
    ["mood", "so so", "fine"],
    ["pair", "(1,\"a,b\")", "(,)"],
    ["country", "DE", "FR"],
    ["moment", "2024-01-15 10:00Z", "2024-01-15 11:00Z"],
    ["other.size", "small", "large"],
];

/// Types of people, some in a schema that nobody searches.
const OWN: &str = "
    create extension citext;
    create schema other;
    grant usage on schema other to source_reader;
    create type mood as enum ('so so', 'fine');
    create type pair as (n int, t text);
    create type other.size as enum ('small', 'large');
    create domain country_code as char(2) check (value ~ '^[A-Z]+$');
    create domain country as country_code;
    create domain moment_ as timestamptz(3);
    create domain moment as moment_ not null;
";

fn tables() -> (String, Value) {
    let (mut sql, mut objects) = (OWN.to_owned(), Vec::new());
    for (n, [kind, one, other]) in TYPES.iter().enumerate() {
        let (one, other) = (one.replace('\'', "''"), other.replace('\'', "''"));
        sql += &format!(
            "create table k{n} (account_id text, k {kind}, name text, primary key (k, account_id));
             insert into k{n} values ('1', '{one}', 'a'), ('2', '{other}', 'b');"
        );
        objects.push(json!({ "table": format!("k{n}"), "entity": "account" }));
    }
    (sql, objects.into())
}

#[tokio::test]
async fn keys_of_every_type_are_found_again() {
    let (sql, objects) = tables();
    let (app, source, person, id) = set_up_postgres_source(&sql, objects).await;
    let all = 2 * TYPES.len();
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(done["result"]["written"], all, "{done}");
    assert_eq!(done["result"]["deleted"], 0, "{done}");
    let gone: String = (0..TYPES.len())
        .map(|n| format!("delete from k{n} where account_id = '2';"))
        .collect();
    source.run(&gone).await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(done["result"]["unchanged"], TYPES.len(), "{done}");
    assert_eq!(done["result"]["deleted"], TYPES.len(), "{done}");
}

/// Every key type is gone on after, page by page.
#[tokio::test]
async fn pages_go_on_in_the_order_of_the_keys_own_type() {
    let sql = format!(
        "{OWN}
         create table c (account_id text, k citext, name text, primary key (k, account_id));
         insert into c select n::text, chr(64 + n % 2 * 32 + n % 26), 'x' from generate_series(1, 1100) n;
         create table d (account_id text, k country, name text, primary key (k, account_id));
         insert into d select n::text, chr(65 + n % 26) || 'A', 'x' from generate_series(1, 1100) n;
         create table e (account_id text, k pair, name text, primary key (k, account_id));
         insert into e select n::text, row(n % 7, 'a')::pair, 'x' from generate_series(1, 1100) n;"
    );
    let table = |it: &str| json!({ "table": it, "entity": "account" });
    let objects = json!([table("c"), table("d"), table("e")]);
    let (app, _source, person, id) = set_up_postgres_source(&sql, objects).await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(done["result"]["written"], 3300, "{done}");
    assert_eq!(done["result"]["rows_read"], 3300, "{done}");
    assert_eq!(done["result"]["deleted"], 0, "{done}");
}

#[tokio::test]
async fn a_column_may_have_any_name() {
    let names = [
        "t", "k", "body", "cursor", "key", "n", "next", "sized", "found", "given", "before",
        "reached", "a\"b", "to_json", "select",
    ];
    let (mut sql, mut objects) = (String::new(), Vec::new());
    for (n, name) in names.iter().enumerate() {
        let name = name.replace('"', "\"\"");
        sql += &format!(
            "create table n{n} (account_id text primary key, name text, \"{name}\" jsonb, updated_at timestamptz);
             insert into n{n} values ('1', 'right', '{{\"account_id\": \"99\", \"name\": \"WRONG\"}}', '2026-01-01');
             create table m{n} (account_id text, name text, \"{name}\" text, primary key (\"{name}\", account_id));
             insert into m{n} values ('1', 'right', 'x');"
        );
        objects.push(json!({ "table": format!("n{n}"), "entity": "account" }));
        objects.push(json!({ "table": format!("m{n}"), "entity": "account" }));
    }
    let (app, _source, person, id) = set_up_postgres_source(&sql, objects.into()).await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(done["result"]["written"], 2 * names.len(), "{done}");
    assert_eq!(done["result"]["deleted"], 0, "{done}");
    let wrong: i64 = sqlx::query_scalar("select count(*) from accounts where name <> 'right'")
        .fetch_one(&app.database().pool())
        .await
        .unwrap();
    assert_eq!(wrong, 0);
}

#[tokio::test]
async fn a_cursor_from_the_future_hides_nothing() {
    let kinds = [
        ("timestamptz", "2099-01-01"),
        ("timestamptz", "infinity"),
        ("timestamp", "2099-01-01"),
        ("date", "infinity"),
    ];
    for (kind, future) in kinds {
        let sql = format!(
            "create table f (account_id text primary key, name text, updated_at {kind});
             insert into f values ('1', 'a', '2024-01-01'), ('2', 'b', '{future}');"
        );
        let objects = json!([{ "table": "f", "entity": "account" }]);
        let (app, source, person, id) = set_up_postgres_source(&sql, objects).await;
        sync(&app, &person, &id, json!({})).await;
        source
            .run(
                "insert into f values ('3', 'new', now() at time zone 'UTC');
                 update f set name = 'a2', updated_at = now() at time zone 'UTC'
                 where account_id = '1';",
            )
            .await;
        let done = sync(&app, &person, &id, json!({})).await;
        assert_eq!(done["result"]["written"], 2, "{kind} {future}: {done}");
        source
            .run("update f set name = 'b corrected', updated_at = now() at time zone 'UTC' where account_id = '2'")
            .await;
        let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
        assert_eq!(done["result"]["written"], 1, "{kind} {future}: {done}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_type_is_read_from_the_start() {
    let sql = "create table g (account_id text primary key, name text, seq timestamptz);
        insert into g values ('1', 'a', now());";
    let objects = json!([{ "table": "g", "entity": "account", "cursor": "seq" }]);
    let (app, source, person, id) = set_up_postgres_source(sql, objects).await;
    sync(&app, &person, &id, json!({})).await;
    source
        .run(
            "alter table g drop column seq; alter table g add seq bigint default 1;
             insert into g values ('2', 'b', 2);",
        )
        .await;
    for rows in [2, 2] {
        let done = sync(&app, &person, &id, json!({})).await;
        assert_eq!(done["status"], "success", "{done}");
        assert_eq!(done["result"]["rows_read"], rows, "{done}");
    }
}

#[tokio::test]
async fn a_key_that_tells_no_rows_apart_is_refused_when_it_is_named() {
    let sql = "
        create table h (account_id text, name text, region text);
        insert into h values ('1', 'a', null), ('2', 'b', 'eu');
        create table s (account_id text primary key, name text, grp int);
        insert into s select n::text, 'n', n / 400 from generate_series(1, 1100) n;
        create table v (account_id text, name text);
        insert into v values ('1', 'a'), ('2', 'b');";
    let (app, source) = (TestApp::start().await, Source::start(sql).await);
    let person = app.register("Keys Ltd").await;
    let object =
        |table: &str, key: &[&str]| json!({ "table": table, "entity": "account", "key": key });
    let objects = json!([
        object("v", &["account_id"]),
        object("h", &["region", "account_id"]),
        object("s", &["grp"]),
    ]);
    let refused = app
        .post(
            CONNECTIONS,
            &person,
            new_postgres_connection(&source.config(objects)),
        )
        .await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused}"
    );
    let errors = refused.json()["errors"].clone();
    let errors: Vec<_> = errors.as_array().unwrap().iter().collect();
    let pointers = [
        "/connector_config/objects/1/key",
        "/connector_config/objects/2/key",
    ];
    assert_eq!(
        errors
            .iter()
            .map(|it| it["pointer"].as_str().unwrap())
            .collect::<Vec<_>>(),
        pointers
    );
    assert!(
        errors[0]["detail"]
            .as_str()
            .unwrap()
            .contains("`public.h` has NULLs"),
        "{refused}"
    );
    assert!(
        errors[1]["detail"]
            .as_str()
            .unwrap()
            .contains("shared by several rows"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_key_that_comes_to_have_nulls_is_refused_by_its_name() {
    let sql = "create table h (account_id text, name text, region text);
        insert into h values ('1', 'a', 'us'), ('2', 'b', 'eu');";
    let objects = json!([{ "table": "h", "entity": "account", "key": ["region", "account_id"] }]);
    let (app, source, person, id) = set_up_postgres_source(sql, objects).await;
    source
        .run("update h set region = null where account_id = '1'")
        .await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["status"], "failed", "{done}");
    let error = done["error"].as_str().unwrap();
    assert!(
        error.contains("`region` of `public.h` has NULLs"),
        "{error}"
    );
}

#[tokio::test]
async fn a_key_that_rows_come_to_share_is_refused_also_between_two_pages() {
    for group in ["grp / 400", "case when grp = 501 then 500 else grp end"] {
        let sql = "create table s (account_id text primary key, name text, grp int);
             insert into s select n::text, 'n', n from generate_series(1, 1100) n;";
        let objects = json!([{ "table": "s", "entity": "account", "key": ["grp"] }]);
        let (app, source, person, id) = set_up_postgres_source(sql, objects).await;
        source.run(&format!("update s set grp = {group}")).await;
        let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
        assert_eq!(done["status"], "failed", "{done}");
        let error = done["error"].as_str().unwrap();
        assert!(error.contains("share the same key"), "{error}");
    }
}

#[tokio::test]
async fn most_records_are_deleted_only_when_that_is_confirmed() {
    let sql = "create table l (account_id text primary key, name text);
        insert into l select n::text, 'n' from generate_series(1, 1000) n;";
    let objects = json!([{ "table": "l", "entity": "account" }]);
    let (app, source, person, id) = set_up_postgres_source(sql, objects).await;
    sync(&app, &person, &id, json!({ "mode": "full" })).await;
    source
        .run("delete from l where account_id::int <= 501")
        .await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["status"], "failed", "{done}");
    let error = done["error"].as_str().unwrap();
    assert!(error.contains("501 of 1000 stored records"), "{error}");
    assert!(error.contains("confirm_deletes"), "{error}");
    let view = "/api/v1/dcl/views/accounts?limit=1";
    let view = app.get(view, &person).await.json();
    assert_eq!(view["meta"]["total"], 1000, "{view}");

    let confirmed = json!({ "mode": "full", "confirm_deletes": true });
    let done = sync(&app, &person, &id, confirmed).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(done["result"]["deleted"], 501, "{done}");

    source
        .run("delete from l where account_id::int <= 700")
        .await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["result"]["deleted"], 199, "{done}");
}

#[tokio::test]
async fn a_cursor_that_is_the_time_now_is_refused() {
    for now in ["now()", "clock_timestamp()", "now()::timestamp"] {
        let sql = "create table r (account_id text primary key, name text, changed timestamptz);
             insert into r select n::text, 'n', now() from generate_series(1, 1100) n;
             create view v as select account_id, name, changed from r;";
        let object = json!({ "table": "v", "entity": "account", "key": ["account_id"], "cursor": "changed" });
        let (app, source, person, id) = set_up_postgres_source(sql, json!([object])).await;
        source
            .run(&format!(
                "drop view v; create view v as select account_id, name, {now} changed from r"
            ))
            .await;
        let config = json!({ "connector_config": source.config(json!([object])) });
        let refused = app
            .patch(&format!("{CONNECTIONS}/{id}"), &person, config)
            .await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{now}: {refused}"
        );
        let pointer = &refused.json()["errors"][0]["pointer"];
        assert_eq!(pointer, "/connector_config/objects/0/cursor", "{now}");
        let done = sync(&app, &person, &id, json!({})).await;
        assert_eq!(done["status"], "failed", "{now}: {done}");
        let error = done["error"].as_str().unwrap();
        assert!(
            error.contains("`changed` of `public.v` is the time now"),
            "{error}"
        );
    }
}
