//! Pages of a view: requests through the router against the statement that a page needs.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use futures_util::future::join_all;
use tests::app::{Person, TestApp};
use uuid::Uuid;

use crate::report::{Report, median};

const VIEW: &str = "/api/v1/dcl/views/accounts";
const CLIENTS: usize = 16;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

/// What the route sends to PostgreSQL, less what it keeps between requests.
const STATEMENT: &str = r#"
select account_id, external_ids, name, type, industry, owner_id, status, created_at, updated_at,
  extras::text, source_system, connection_id, object, source_id, synced_at
from accounts
where tenant_id = $1
order by accounts.connection_id, accounts.object, accounts.source_id
limit 101
"#;

/// Pages of 100 of 100,000 accounts, and the same statement on the same pool.
pub(crate) fn page() -> anyhow::Result<()> {
    block_on(measure_page("view-page", 100_000))
}

/// The same of 1,000, 10,000 and 100,000 accounts.
pub(crate) fn growth() -> anyhow::Result<()> {
    for accounts in [1_000, 10_000, 100_000] {
        block_on(measure_page(&format!("view-page-of-{accounts}"), accounts))?;
    }
    Ok(())
}

async fn measure_page(name: &str, accounts: i32) -> anyhow::Result<()> {
    let (app, person) = start(accounts).await;
    let (mut routed, mut plain) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        routed.push(rate(async || request(&app, &person, VIEW).await.0).await);
        plain.push(rate(async || statement(&app, &person).await).await);
    }
    let (routed, plain) = (median(routed), median(plain));
    Report {
        name,
        value: routed,
        unit: "requests/s",
        reference: "the same SQL on the same pool",
        reference_value: plain,
        ratio: routed / plain,
        n: ROUNDS,
        data: &format!("pages of 100 of {accounts} accounts, 16 clients"),
    }
    .print()
}

/// A page behind nine tenths of 100,000 accounts, and the first one.
pub(crate) fn deep() -> anyhow::Result<()> {
    block_on(async {
        let (app, person) = start(100_000).await;
        let cursor = cursor_behind(&app, &person, 90_000).await;
        let path = format!("{VIEW}?cursor={cursor}");
        let (mut first, mut deep) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            first.push(time(async || request(&app, &person, VIEW).await.0).await);
            deep.push(time(async || request(&app, &person, &path).await.0).await);
        }
        let (first, deep) = (median(first), median(deep));
        Report {
            name: "view-deep",
            value: deep,
            unit: "ms",
            reference: "first page; ratio of times",
            reference_value: first,
            ratio: deep / first,
            n: ROUNDS,
            data: "page of 100 behind 90,000 of 100,000 accounts",
        }
        .print()
    })
}

fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(future)
}

async fn start(accounts: i32) -> (TestApp, Person) {
    let app = TestApp::start().await;
    let person = app.register("Bench").await;
    let owner = app.database().pool();
    sqlx::query(
        r#"
        insert into accounts
          (tenant_id, connection_id, object, source_id, source_system, account_id, external_ids,
           name, type, industry, owner_id, status, created_at, updated_at, extras, synced_at)
        select $1, $2, 'crm.account', it.id, 'crm', it.id, array[it.id], 'Company ' || it.id,
          'Customer', case when n % 3 > 0 then 'Software' end, 'owner-' || n % 50, 'active',
          now() - n * interval '1 minute', now() - n * interval '1 second',
          jsonb_build_object('Website', 'https://' || n || '.example', 'Phone', '+49 89 ' || n),
          now()
        from (select n, 'A-' || lpad(n::text, 9, '0') id from generate_series(1, $3) n) it
        "#,
    )
    .bind(person.tenant)
    .bind(Uuid::now_v7())
    .bind(accounts)
    .execute(&owner)
    .await
    .expect("the table takes them");
    sqlx::query("vacuum analyze accounts")
        .execute(&owner)
        .await
        .expect("the owner may");
    (app, person)
}

async fn request(app: &TestApp, person: &Person, path: &str) -> (usize, tests::app::Answer) {
    let answer = app.get(path, person).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    (answer.body.len(), answer)
}

async fn statement(app: &TestApp, person: &Person) -> usize {
    let mut tx = platform::db::read(&app.platform.db, person.tenant)
        .await
        .expect("the database is there");
    let rows = sqlx::query(STATEMENT)
        .bind(person.tenant)
        .fetch_all(&mut *tx)
        .await
        .expect("the statement is right");
    rows.len()
}

async fn cursor_behind(app: &TestApp, person: &Person, records: usize) -> String {
    let mut cursor = String::new();
    for _ in 0..records / 1000 {
        let path = format!("{VIEW}?limit=1000&select=source_id{cursor}");
        let page = request(app, person, &path).await.1.json();
        let next = page["meta"]["next_cursor"].as_str().expect("more follow");
        cursor = format!("&cursor={next}");
    }
    cursor.split_off("&cursor=".len())
}

/// Calls a second, of all clients together.
async fn rate(call: impl AsyncFn() -> usize) -> f64 {
    let start = Instant::now();
    let clients = (0..CLIENTS).map(|_| async {
        let mut calls = 0_u32;
        while start.elapsed() < ROUND {
            std::hint::black_box(call().await);
            calls += 1;
        }
        calls
    });
    let calls: u32 = join_all(clients).await.into_iter().sum();
    f64::from(calls) / start.elapsed().as_secs_f64()
}

/// Milliseconds of one call, the median of many.
async fn time(call: impl AsyncFn() -> usize) -> f64 {
    let mut times = vec![];
    let start = Instant::now();
    while start.elapsed() < ROUND {
        let begin = Instant::now();
        std::hint::black_box(call().await);
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    median(times)
}
