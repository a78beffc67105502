//! Views: pages, filters, orders, cursors, totals, freshness.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use sqlx::PgPool;
use tests::app::{Answer, Person, TestApp};
use tests::fixtures::connections::insert_connection;
use uuid::Uuid;

const ACCOUNTS: &str = "/api/v1/dcl/views/accounts";
const OPPORTUNITIES: &str = "/api/v1/dcl/views/opportunities";

/// An organisation with one connection, whose records come by SQL.
struct Fixture {
    app: TestApp,
    person: Person,
    connection: Uuid,
    owner: PgPool,
}

impl Fixture {
    async fn start() -> Fixture {
        let app = TestApp::start().await;
        let person = app.register("Acme").await;
        let owner = app.database().pool();
        let connection = insert_connection(&owner, &person, "crm").await;
        Fixture {
            app,
            person,
            connection,
            owner,
        }
    }

    /// Opportunities from JSON objects; the columns that are not null must be there.
    async fn opportunities(&self, records: &[Value]) {
        for (index, record) in records.iter().enumerate() {
            let id = format!("{index:05}");
            sqlx::query(
                r#"
                insert into opportunities
                  (tenant_id, connection_id, object, source_id, source_system, opportunity_id,
                   name, stage, amount, close_date, extras, synced_at)
                select $1, $2, 'crm.opportunity', $3, 'crm', $3, it.name, it.stage, it.amount,
                  it.close_date, coalesce(it.extras, '{}'), '2026-01-01T00:00:00.000001Z'
                from jsonb_to_record($4) as it (
                  name text, stage text, amount numeric, close_date timestamptz, extras jsonb
                )
                "#,
            )
            .bind(self.person.tenant)
            .bind(self.connection)
            .bind(id)
            .bind(record)
            .execute(&self.owner)
            .await
            .unwrap();
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(path, &self.person).await
    }

    /// The ids that a list shows.
    async fn ids(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("{OPPORTUNITIES}?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {answer}");
        ids(&answer.json())
    }

    /// Every id, page by page.
    async fn walk(&self, query: &str) -> Vec<String> {
        let mut seen = vec![];
        let mut cursor = String::new();
        loop {
            let path = format!("{OPPORTUNITIES}?{query}{cursor}");
            let answer = self.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {answer}");
            let page = answer.json();
            seen.extend(ids(&page));
            let Some(next) = page["meta"]["next_cursor"].as_str() else {
                return seen;
            };
            cursor = format!("&cursor={next}");
        }
    }
}

fn ids(page: &Value) -> Vec<String> {
    let records = page["data"].as_array().unwrap();
    records
        .iter()
        .map(|it| it["source_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_record_is_shown_as_its_entity_declares_it() {
    let fixture = Fixture::start().await;
    let record = json!({
        "name": "A \"deal\"\n\u{1F600}", "amount": "12345678901234567890.10",
        "close_date": "2026-02-03T04:05:06+01:00", "extras": {"x": [1, {"y": null}]},
    });
    // As text: JSON numbers of a test are floats.
    fixture.opportunities(&[record]).await;
    let answer = fixture.get(OPPORTUNITIES).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let expected = [
        r#"{"success":true,"data":[{"opportunity_id":"00000","account_id":null,"#,
        r#""name":"A \"deal\"\n😀","stage":null,"amount":12345678901234567890.10,"#,
        r#""currency":null,"close_date":"2026-02-03T03:05:06Z","owner_id":null,"#,
        r#""probability":null,"created_at":null,"updated_at":null,"#,
        r#""extras":{"x": [1, {"y": null}]},"source_system":"crm","#,
        &format!(r#""source_connection_id":"{}","#, fixture.connection),
        r#""source_object":"crm.opportunity","source_id":"00000","#,
        r#""synced_at":"2026-01-01T00:00:00.000001Z"}],"#,
        r#""meta":{"total":1,"limit":100,"offset":0,"count":1,"next_cursor":null,"#,
        r#""freshness":[]}}"#,
    ];
    assert_eq!(text, expected.concat());
}

#[tokio::test]
async fn filters_and_orders_select_what_they_say() {
    let fixture = Fixture::start().await;
    fixture
        .opportunities(&[
            json!({"name": "alpha", "stage": "won", "amount": 10, "close_date": "2026-01-01T00:00:00Z"}),
            json!({"name": "beta", "stage": "lost", "amount": 9.5}),
            json!({"name": "Gamma, 50%", "stage": "won"}),
            json!({"name": "it's; drop table opportunities --", "amount": 100}),
        ])
        .await;
    let cases: [(&str, &[u8]); 30] = [
        ("", &[0, 1, 2, 3]),
        ("stage=won", &[0, 2]),
        ("stage[eq]=won&amount=10.00", &[0]),
        ("stage[ne]=won", &[1, 3]),
        ("stage[null]=true", &[3]),
        ("stage[null]=false&limit=2", &[0, 1]),
        ("amount[gt]=9.5", &[0, 3]),
        ("amount[gte]=9.5&amount[lt]=100", &[0, 1]),
        ("amount[lte]=9.5", &[1]),
        ("amount[in]=10,100.0,7", &[0, 3]),
        ("name[in]=alpha,Gamma\\,%2050%25", &[0, 2]),
        ("name[like]=%25eta", &[1]),
        ("name[like]=GAMMA%25", &[]),
        ("name[ilike]=GAMMA%25", &[2]),
        ("name[like]=%2550\\%25", &[2]),
        ("name=it's;+drop+table+opportunities+--", &[3]),
        ("name=%27%20or%201=1%20--", &[]),
        ("close_date[gte]=2026-01-01", &[0]),
        ("close_date=2026-01-01T01:00:00%2B01:00", &[0]),
        ("source_system=crm&limit=1&offset=3", &[3]),
        ("source_id[gt]=00001", &[2, 3]),
        ("source_object=other", &[]),
        ("sort=amount", &[1, 0, 3, 2]),
        ("sort=-amount", &[3, 0, 1, 2]),
        ("sort=-name", &[3, 1, 0, 2]),
        ("sort=stage,-name", &[1, 0, 2, 3]),
        ("sort=-stage,amount", &[0, 2, 1, 3]),
        ("sort=-source_id", &[3, 2, 1, 0]),
        ("sort=-close_date,-source_id", &[0, 3, 2, 1]),
        ("synced_at[lt]=2026-01-01T00:00:00.000001Z", &[]),
    ];
    for (query, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|it| format!("{it:05}")).collect();
        assert_eq!(fixture.ids(query).await, expected, "{query}");
    }
    let connection = fixture.connection;
    let query = format!("source_connection_id={connection}&select=source_id");
    assert_eq!(fixture.ids(&query).await.len(), 4);
}

#[tokio::test]
async fn a_wrong_parameter_is_refused_by_its_name() {
    let fixture = Fixture::start().await;
    fixture.opportunities(&[json!({"name": "a"})]).await;
    let cases = [
        ("limit=0", "?limit"),
        ("limit=1001", "?limit"),
        ("limit=99999999999999999999", "?limit"),
        ("limit=ten", "?limit"),
        ("limit=1&limit=2", "?limit"),
        ("offset=-1", "?offset"),
        ("offset=1000001", "?offset"),
        ("offset=1&cursor=x", "?offset"),
        ("cursor=x", "?cursor"),
        ("cursor=", "?cursor"),
        ("sort=", "?sort"),
        ("sort=nothing", "?sort"),
        ("sort=extras", "?sort"),
        ("sort=name,-name", "?sort"),
        ("sort=name%20desc", "?sort"),
        ("select=", "?select"),
        ("select=name,tenant_id", "?select"),
        ("select=name,name", "?select"),
        ("tenant_id=x", "?tenant_id"),
        ("connection_id=x", "?connection_id"),
        ("extras=x", "?extras"),
        ("nothing=x", "?nothing"),
        ("name[gt=x", "?name[gt"),
        ("name[]=x", "?name[]"),
        ("name[like]=x\\", "?name[like]"),
        ("amount[like]=1", "?amount[like]"),
        ("name[null]=maybe", "?name[null]"),
        ("amount[gt]=ten", "?amount[gt]"),
        ("amount=NaN", "?amount"),
        ("amount=1e5", "?amount"),
        ("amount[in]=1,,2", "?amount[in]"),
        ("close_date=yesterday", "?close_date"),
        ("close_date=0000-01-01", "?close_date"),
        ("close_date=infinity", "?close_date"),
        ("source_connection_id=crm", "?source_connection_id"),
        ("name=%00", "?name"),
        ("name=%FF", "?name"),
        ("name=%F", "?name"),
        ("name=%zz", "?name"),
        ("%00=x", "?\0"),
    ];
    for (query, pointer) in cases {
        let answer = fixture.get(&format!("{OPPORTUNITIES}?{query}")).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{query}: {answer}"
        );
        assert_eq!(
            answer.json()["errors"][0]["pointer"],
            pointer,
            "{query}: {answer}"
        );
    }
    let answer = fixture.get("/api/v1/dcl/views/users").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_cursor_opens_only_the_list_that_it_was_made_for() {
    let fixture = Fixture::start().await;
    let records: Vec<_> = (0..5)
        .map(|it| json!({"name": "a", "amount": it}))
        .collect();
    fixture.opportunities(&records).await;
    let first = fixture
        .get(&format!("{OPPORTUNITIES}?limit=2&sort=-amount&name=a"))
        .await
        .json();
    let cursor = first["meta"]["next_cursor"].as_str().unwrap();
    assert_eq!(first["meta"]["total"], 5);

    let with = |query: &str| format!("{OPPORTUNITIES}?cursor={cursor}&{query}");
    let good = fixture.get(&with("name=a&limit=3&sort=-amount")).await;
    assert_eq!(ids(&good.json()), ["00002", "00001", "00000"], "{good}");
    assert_eq!(good.json()["meta"]["total"], 5);

    let other = fixture.app.register("Other").await;
    let stolen = with("name=a&sort=-amount");
    let mut answers = vec![fixture.app.get(&stolen, &other).await];
    for query in ["name=a&sort=amount", "sort=-amount", "name=b&sort=-amount"] {
        answers.push(fixture.get(&with(query)).await);
    }
    let contacts = stolen
        .replace("opportunities", "accounts")
        .replace("amount", "name");
    answers.push(fixture.get(&contacts).await);
    let mut bent = cursor.to_owned();
    let last = if bent.ends_with('A') { 'B' } else { 'A' };
    bent.pop();
    bent.push(last);
    answers.push(
        fixture
            .get(&format!(
                "{OPPORTUNITIES}?sort=-amount&name=a&cursor={bent}"
            ))
            .await,
    );
    for answer in answers {
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        assert_eq!(answer.json()["errors"][0]["pointer"], "?cursor");
    }
}

#[tokio::test]
async fn another_tenants_records_do_not_exist() {
    let fixture = Fixture::start().await;
    fixture.opportunities(&[json!({"name": "a"})]).await;
    let other = fixture.app.register("Other").await;
    let answer = fixture.app.get(OPPORTUNITIES, &other).await.json();
    assert_eq!(answer["data"], json!([]));
    assert_eq!(answer["meta"]["total"], 0);
}

#[tokio::test]
async fn a_page_that_the_client_has_is_not_sent_again() {
    let fixture = Fixture::start().await;
    fixture.opportunities(&[json!({"name": "a"})]).await;
    let first = fixture.get(OPPORTUNITIES).await;
    let tag = first.header("etag").unwrap();
    let again = |tag: String| {
        let fixture = &fixture;
        async move {
            let headers = [("if-none-match", tag.as_str())];
            fixture
                .app
                .send(
                    Method::GET,
                    OPPORTUNITIES,
                    Some(&fixture.person),
                    Body::empty(),
                    &headers,
                )
                .await
        }
    };
    let same = again(format!("\"other\", {tag}")).await;
    assert_eq!(
        (same.status, same.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    assert_eq!(same.header("etag"), Some(tag));
    assert_eq!(again("\"other\"".to_owned()).await.status, StatusCode::OK);
    sqlx::query("update opportunities set name = 'b'")
        .execute(&fixture.owner)
        .await
        .unwrap();
    assert_eq!(again(tag.to_owned()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn freshness_tells_what_each_source_waits_for() {
    let fixture = Fixture::start().await;
    let (tenant, crm) = (fixture.person.tenant, fixture.connection);
    let erp = insert_connection(&fixture.owner, &fixture.person, "erp").await;
    for (connection, object, entity) in [
        (crm, "crm.account", "account"),
        (crm, "crm.contact", "contact"),
        (erp, "erp.account", "account"),
    ] {
        sqlx::query(
            r#"
            insert into source_objects (tenant_id, connection_id, object, system, entity)
            values ($1, $2, $3, 'x', $4)
            "#,
        )
        .bind(tenant)
        .bind(connection)
        .bind(object)
        .bind(entity)
        .execute(&fixture.owner)
        .await
        .unwrap();
    }
    for (object, status, started, finished) in [
        (
            "crm.account",
            "success",
            "2026-01-01T00:00:00Z",
            Some("2026-01-01T00:01:00Z"),
        ),
        (
            "crm.account",
            "success",
            "2026-01-02T00:00:00Z",
            Some("2026-01-02T00:01:00Z"),
        ),
        (
            "crm.account",
            "failed",
            "2026-01-03T00:00:00Z",
            Some("2026-01-03T00:01:00Z"),
        ),
        ("crm.account", "running", "2026-01-04T00:00:00Z", None),
        (
            "crm.contact",
            "success",
            "2026-01-05T00:00:00Z",
            Some("2026-01-05T00:01:00Z"),
        ),
    ] {
        sqlx::query(
            r#"
            insert into runs
              (tenant_id, id, connection_id, object, kind, status, started_at, finished_at)
            values ($1, $2, $3, $4, 'events', $5, $6::text::timestamptz, $7::text::timestamptz)
            "#,
        )
        .bind(tenant)
        .bind(Uuid::now_v7())
        .bind(crm)
        .bind(object)
        .bind(status)
        .bind(started)
        .bind(finished)
        .execute(&fixture.owner)
        .await
        .unwrap();
    }
    for (index, status) in ["open", "repaired", "open"].into_iter().enumerate() {
        sqlx::query(
            r#"
            insert into drift_events
              (tenant_id, id, connection_id, object, from_version, to_version, changes, severity,
               status, created_at)
            values ($1, $2, $3, 'crm.account', $4, $4 + 1, '[]', 'low', $5, now())
            "#,
        )
        .bind(tenant)
        .bind(Uuid::now_v7())
        .bind(crm)
        .bind(i32::try_from(index).unwrap())
        .bind(status)
        .execute(&fixture.owner)
        .await
        .unwrap();
    }
    sqlx::query(
        r#"
        insert into quarantined_records
          (tenant_id, connection_id, object, content_hash, id, run_id, reason, payload,
           created_at, last_seen_at)
        values ($1, $2, 'crm.account', '\x00', $3, $3, 'bad', '{}', now(), now())
        "#,
    )
    .bind(tenant)
    .bind(crm)
    .bind(Uuid::now_v7())
    .execute(&fixture.owner)
    .await
    .unwrap();

    let page = fixture.get(ACCOUNTS).await.json();
    let expected = json!([
        {
            "source": "crm", "connection_id": crm, "last_sync": "2026-01-02T00:01:00Z",
            "drift_open": 2, "quarantined": 1, "stale": false,
        },
        {
            "source": "erp", "connection_id": erp, "last_sync": null,
            "drift_open": 0, "quarantined": 0, "stale": false,
        },
    ]);
    assert_eq!(page["meta"]["freshness"], expected);
}

/// A value out of few, so that there are ties, or none.
fn few(values: Vec<Value>) -> impl Strategy<Value = Value> {
    proptest::option::weighted(0.8, proptest::sample::select(values))
        .prop_map(|it| it.unwrap_or(Value::Null))
}

fn record() -> impl Strategy<Value = Value> {
    let name = proptest::sample::select(vec!["a", "B", "ä", ""]);
    let stage = few(vec![json!("won"), json!("lost"), json!("")]);
    let amount = few(vec![
        json!("1"),
        json!("1.5"),
        json!("-3"),
        json!("9"),
        json!("10"),
    ]);
    let close = few(vec![
        json!("2026-01-01T00:00:00Z"),
        json!("2026-01-01T00:00:00.000001Z"),
    ]);
    (name, stage, amount, close).prop_map(|(name, stage, amount, close)| {
        json!({"name": name, "stage": stage, "amount": amount, "close_date": close})
    })
}

fn order() -> impl Strategy<Value = String> {
    let fields = vec![
        "name",
        "stage",
        "amount",
        "close_date",
        "source_id",
        "synced_at",
    ];
    proptest::sample::subsequence(fields, 1..4)
        .prop_shuffle()
        .prop_flat_map(|fields| {
            proptest::collection::vec(any::<bool>(), fields.len()).prop_map(move |down| {
                let names = fields.iter().zip(down);
                let names: Vec<_> = names
                    .map(|(it, down)| format!("{}{it}", if down { "-" } else { "" }))
                    .collect();
                names.join(",")
            })
        })
}

#[tokio::test]
async fn paging_by_cursor_visits_each_record_once_in_order() {
    let fixture = Fixture::start().await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut draw = |strategy: BoxedStrategy<(Vec<Value>, String, usize)>| {
        let tree = strategy.new_tree(&mut runner);
        proptest::strategy::ValueTree::current(&tree.expect("nothing is filtered out"))
    };
    for _ in 0..40 {
        let records = proptest::collection::vec(record(), 0..25);
        let (records, order, limit) = draw((records, order(), 1..8_usize).boxed());
        sqlx::query("delete from opportunities")
            .execute(&fixture.owner)
            .await
            .unwrap();
        fixture.opportunities(&records).await;
        let whole = fixture.ids(&format!("sort={order}&limit=1000")).await;
        assert_eq!(whole.len(), records.len());
        let select = "select=source_id";
        let walked = fixture
            .walk(&format!("sort={order}&limit={limit}&{select}"))
            .await;
        assert_eq!(walked, whole, "sort={order}&limit={limit}: {records:?}");
    }
}

#[tokio::test]
async fn a_record_tells_where_each_field_came_from() {
    let fixture = Fixture::start().await;
    fixture.opportunities(&[json!({"name": "Big deal"})]).await;
    let (tenant, connection) = (fixture.person.tenant, fixture.connection);
    let run = Uuid::now_v7();
    let mapping = json!({"entity": "opportunity", "fields": [
        {"target": "name", "sources": ["Deal.Name", "Title"], "transforms": [{"kind": "trim"}]},
        {"target": "amount", "sources": ["Amount"]},
    ]});
    for statement in [
        "insert into source_objects (tenant_id, connection_id, object, system, entity)
         select $1, $2, 'crm.opportunity', 'crm', 'opportunity' where $3 is not null and $4 is not null",
        "insert into mappings
           (tenant_id, connection_id, object, version, document, author, reason, created_at)
         select $1, $2, 'crm.opportunity', 3, $4, 'test', 'test', now() where $3 is not null",
        "insert into runs
           (tenant_id, id, connection_id, object, kind, file, status, started_at)
         select $1, $3, $2, 'crm.opportunity', 'upload', 'deals.csv', 'success',
           '2026-01-01T00:00:00Z' where $4 is not null",
        r#"insert into raw_records
           (tenant_id, connection_id, object, source_id, payload, content_hash, mapping_version,
            run_id, received_at)
         select $1, $2, 'crm.opportunity', '00000', '{"Deal": {"Name": " Big deal"}, "Amount": 1.50}',
           '\x0aff', 3, $3, '2026-01-01T00:00:01Z' where $4 is not null"#,
    ] {
        sqlx::query(statement)
            .bind(tenant)
            .bind(connection)
            .bind(run)
            .bind(&mapping)
            .execute(&fixture.owner)
            .await
            .unwrap();
    }
    let of = |query: &str| format!("{OPPORTUNITIES}/record?connection_id={connection}&{query}");
    let path = of("object=crm.opportunity&source_id=00000");
    let answer = fixture.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    assert!(
        answer.to_string().contains(r#""raw":{"Amount":1.50}"#),
        "{answer}"
    );
    let answer = answer.json();
    assert_eq!(answer["data"]["name"], "Big deal");
    let expected = json!({
        "connection": {"id": connection, "name": "crm", "source_type": "events"},
        "object": "crm.opportunity", "source_id": "00000",
        "run": {
            "id": run, "kind": "upload", "file": "deals.csv",
            "started_at": "2026-01-01T00:00:00Z",
        },
        "received_at": "2026-01-01T00:00:01Z", "source_version": null,
        "content_hash": "0aff", "mapping_version": 3,
        "fields": [
            {
                "field": "name", "sources": ["Deal.Name", "Title"],
                "transforms": [{"kind": "trim"}], "raw": {"Deal.Name": " Big deal"},
            },
            {"field": "amount", "sources": ["Amount"], "transforms": [], "raw": {"Amount": 1.5}},
        ],
        "payload": {"Deal": {"Name": " Big deal"}, "Amount": 1.5},
    });
    assert_eq!(answer["provenance"], expected);

    let other = fixture.app.register("Other").await;
    let absent = of("object=crm.opportunity&source_id=1");
    for (path, person, status) in [
        (path.as_str(), &other, StatusCode::NOT_FOUND),
        (absent.as_str(), &fixture.person, StatusCode::NOT_FOUND),
        (
            &of("object=%00&source_id=1"),
            &fixture.person,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            &of("object=crm.opportunity"),
            &fixture.person,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let answer = fixture.app.get(path, person).await;
        assert_eq!(answer.status, status, "{path}: {answer}");
    }
}

/// Values at the ends of what can be stored, some of them twice and one absent.
fn extremes() -> Vec<Value> {
    let tiny = format!("0.{}1", "0".repeat(37));
    let nines = "9".repeat(38);
    let amounts = [
        tiny.as_str(),
        &format!("-{tiny}"),
        &nines,
        &format!("-{nines}"),
        &format!("0.{nines}"),
        &format!("{}.9", &nines[1..]),
        "0",
        "1.50",
        "1.5",
    ];
    let names = ["a,b", "a\\", "\\", "\"", "'", "a\u{1}b", "%_", " ", "é"];
    let dates = [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "1969-12-31T23:59:59.000001Z",
    ];
    let mut records: Vec<_> = (0..9)
        .map(|it| {
            json!({ "name": names[it], "amount": amounts[it], "close_date": dates[it % 3],
                "stage": names[8 - it] })
        })
        .collect();
    records.push(json!({ "name": "", "stage": "" }));
    records
}

#[tokio::test]
async fn the_cursors_and_filters_of_every_value_are_read_again() {
    let fixture = Fixture::start().await;
    let records = extremes();
    fixture.opportunities(&records).await;
    for sort in [
        "amount",
        "name",
        "close_date",
        "stage",
        "name,amount",
        "stage,-close_date",
    ] {
        for sign in ["", "-"] {
            let mut seen = fixture.walk(&format!("sort={sign}{sort}&limit=1")).await;
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), records.len(), "{sign}{sort}");
        }
    }
    for (index, record) in records.iter().enumerate() {
        let id = format!("{index:05}");
        for (field, value) in record.as_object().unwrap() {
            let escaped = value
                .as_str()
                .unwrap()
                .replace('\\', "\\\\")
                .replace(',', "\\,");
            let plain = [(field.as_str(), value.as_str().unwrap())];
            let listed = [(format!("{field}[in]"), escaped)];
            for query in [encode(&plain), encode(&listed)] {
                let found = fixture.ids(&query).await;
                assert!(found.contains(&id), "{query}: {found:?}");
            }
        }
    }
    let refused = fixture
        .get(&format!("{OPPORTUNITIES}?name[in]=a,b%5C"))
        .await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused}"
    );
}

fn encode<K: AsRef<str>, V: AsRef<str>>(pairs: &[(K, V)]) -> String {
    let each = |text: &str| -> String {
        let byte = |it: u8| format!("%{it:02X}");
        text.bytes().map(byte).collect()
    };
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", key.as_ref(), each(value.as_ref())))
        .collect();
    pairs.join("&")
}
