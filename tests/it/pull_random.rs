//! Pulling from random tables that change between syncs, with workers that are killed: after each
//! sync that succeeds, what is stored is how the source is, or the run says what is not.
//!
//! `PULL_CASES` is how many tables there are, `PULL_SEED` what they follow from.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::app::{Person, TestApp};
use tests::fixtures::connections::CONNECTIONS;
use tests::fixtures::jobs::end_leases;
use tests::fixtures::postgres_source::set_up_postgres_source;
use tests::source::Source;

/// So many tables are of one connection.
const TABLES: u64 = 25;
const SHARES: u64 = 4;

/// Types of keys, with the value for a number.
const KEYS: &[[&str; 2]] = &[
    ["bigint", "{n}"],
    ["smallint", "{n}"],
    ["text", "'k' || {n}"],
    ["text", "repeat('é', {n} % 3) || '\"\\,' || {n}"],
    ["char(9)", "'k' || {n}"],
    ["varchar(20)", "{n} || ' '"],
    ["short", "'k' || {n}"],
    ["uuid", "md5('x' || {n})::uuid"],
    [
        "timestamptz",
        "'2024-01-01Z'::timestamptz + {n} * interval '1 microsecond'",
    ],
    [
        "timestamp(3)",
        "'2024-01-01'::timestamp + {n} * interval '7 ms'",
    ],
    ["date", "'0002-03-15 BC'::date + {n}"],
    ["numeric", "{n} / 7.0"],
    ["double precision", "{n} / 3.0"],
    ["inet", "'10.0.0.0'::inet + {n}"],
    ["interval", "{n} * interval '1 hour 3.5 seconds'"],
    ["bytea", "decode(md5('' || {n}), 'hex')"],
    ["bit(14)", "{n}::int::bit(14)"],
    ["jsonb", "jsonb_build_object('n', {n}, 'x', null)"],
    ["int[]", "array[{n}, 1]"],
    ["int4range", "int4range({n}, {n} + 5)"],
    ["money", "{n}::numeric::money"],
    ["time", "'00:00'::time + {n} * interval '1 second'"],
    ["timetz", "'00:00+02'::timetz + {n} * interval '1 second'"],
    ["tsvector", "('a' || {n})::tsvector"],
    ["citext", "'Kk' || {n}"],
    ["pair", "row({n}, 'a,b')::pair"],
];

const NAMES: &[&str] = &[
    "k", "t", "key", "body", "a\"b", "select", "cursor", "found", "ключ", "given", "n", "$1",
];

/// Types of cursors, with the value of a row that changes now, and one from the future.
const CURSORS: &[[&str; 3]] = &[
    ["timestamptz", "clock_timestamp()", "'2099-01-01'"],
    ["timestamptz", "clock_timestamp()", "'infinity'"],
    [
        "timestamp",
        "clock_timestamp() at time zone 'UTC'",
        "'infinity'",
    ],
    ["moment", "clock_timestamp()", "'2099-01-01'"],
    [
        "date",
        "(clock_timestamp() at time zone 'UTC')::date",
        "'2099-01-01'",
    ],
    ["bigint", "nextval('changes')", "nextval('changes')"],
    ["integer", "nextval('changes')", "nextval('changes')"],
    ["smallint", "nextval('changes')", "nextval('changes')"],
];

const TYPES: &str = "
    create extension citext;
    create type pair as (n int, t text);
    create domain short_ as char(9);
    create domain short as short_;
    create domain moment_ as timestamptz(3);
    create domain moment as moment_;
    create sequence changes maxvalue 32000 cycle;
";

/// SplitMix64, by Steele, Lea and Flood: numbers that follow from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let it = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn of<'a, T: ?Sized>(&mut self, them: &[&'a T]) -> &'a T {
        them[self.below(them.len() as u64) as usize]
    }
}

/// One table, and how it came about.
struct Table {
    name: String,
    key: &'static [&'static str; 2],
    key_name: &'static str,
    cursor: Option<&'static [&'static str; 3]>,
    /// The next row's number.
    next: u64,
    /// Ids of rows, by number, at the last sync.
    ids: BTreeMap<i32, String>,
    /// Ids that rows had whose keys are gone since the last full sync: no other one sees that.
    gone: BTreeSet<String>,
    done: Vec<String>,
}

/// A row of the source.
#[derive(sqlx::FromRow)]
struct Row {
    number: i32,
    id: Option<String>,
    name: String,
    good: bool,
    seen: bool,
}

impl Table {
    fn new(name: String, random: &mut Random) -> Table {
        let key = &KEYS[random.below(KEYS.len() as u64) as usize];
        let cursor = random.below(CURSORS.len() as u64 + 2) as usize;
        Table {
            name,
            key,
            key_name: random.of(NAMES),
            cursor: CURSORS.get(cursor),
            next: 1,
            ids: BTreeMap::new(),
            gone: BTreeSet::new(),
            done: vec![],
        }
    }

    fn object(&self, random: &mut Random) -> Value {
        let mut object = json!({ "table": self.name, "entity": "account" });
        if random.below(3) == 0 {
            object["key"] = json!([self.key_name, "part"]);
        }
        if self.cursor.is_some() {
            object["cursor"] = json!("changed");
        }
        object
    }

    fn create(&self) -> String {
        let cursor = self.cursor.map_or("text", |it| it[0]);
        format!(
            "create table {} ({key} {}, part int, rn int, account_id text, name text, \
             created_at text, changed {cursor}, primary key (part, {key}));",
            self.name,
            self.key[0],
            key = self.quoted_key(),
        )
    }

    fn quoted_key(&self) -> String {
        format!("\"{}\"", self.key_name.replace('"', "\"\""))
    }

    fn key_of(&self, n: &str) -> String {
        self.key[1].replace("{n}", n)
    }

    fn now(&self) -> &'static str {
        self.cursor.map_or("null", |it| it[1])
    }

    /// Rows, some with no id, an id with blanks, or an id of another row.
    fn insert(&mut self, rows: u64, random: &mut Random) -> String {
        let (first, salt) = (self.next, random.below(1000));
        self.next += rows;
        format!(
            "insert into {} select {}, rn % 3, rn, case (rn * 7919 + {salt}) % 41
               when 0 then null when 1 then ' a' || rn || ' ' when 2 then 'a' || rn - 1
               when 3 then 'a' || rn / 2 else 'a' || rn end,
             'n' || rn, case when (rn + {salt}) % 53 = 0 then 'no time' end, {}
             from generate_series({first}, {}) rn",
            self.name,
            self.key_of("rn"),
            self.now(),
            first + rows - 1,
        )
    }

    /// Something that happens to some of the rows.
    fn change(&mut self, random: &mut Random) -> String {
        let (every, rest) = (random.of(&[&2, &5, &17, &97]), random.below(97));
        let some = format!("(rn + {rest}) % {every} = 0");
        let update = |what: &str| {
            let (table, now) = (&self.name, self.now());
            format!("update {table} set {what}, changed = {now} where {some}")
        };
        match random.below(10) {
            0 => format!("delete from {} where {some}", self.name),
            1 => {
                let rows = random.below(60);
                self.insert(rows, random)
            }
            2 => update("account_id = 'a' || (rn # 1), name = name || 's'"),
            3 => update(&format!("account_id = 'a' || {} - rn", self.next)),
            4 => update(&format!(
                "account_id = 'b' || rn % {}",
                3 + random.below(90)
            )),
            5 => {
                let key = self.key_of("(rn + 5000)");
                update(&format!("{} = {key}, rn = rn + 5000", self.quoted_key()))
            }
            6 => update("created_at = case when created_at is null then 'no time' end"),
            7 => format!("update {} set changed = null where {some}", self.name),
            8 => {
                let future = self.cursor.map_or("null", |it| it[2]);
                format!("update {} set changed = {future} where {some}", self.name)
            }
            _ => update("name = name || '!'"),
        }
    }

    fn fail(&self, seed: u64, what: &str) -> ! {
        panic!(
            "seed {seed}: {what}\n{}\n{}",
            self.create(),
            self.done.join(";\n")
        );
    }
}

/// What a group of tables is tried with.
struct Trial {
    app: TestApp,
    source: Source,
    person: Person,
    id: String,
    random: Random,
    seed: u64,
}

async fn trial(seed: u64) {
    let mut random = Random(seed);
    let name = |n| format!("t{n}");
    let mut tables: Vec<_> = (0..TABLES)
        .map(|n| Table::new(name(n), &mut random))
        .collect();
    let objects: Vec<_> = tables.iter().map(|it| it.object(&mut random)).collect();
    let creates: String = tables.iter().map(Table::create).collect();
    let sql = format!("{TYPES}{creates}");
    let (app, source, person, id) = set_up_postgres_source(&sql, objects.into()).await;
    let mut trial = Trial {
        app,
        source,
        person,
        id,
        random,
        seed,
    };
    let rounds = 2 + trial.random.below(2);
    for round in 0..rounds {
        for table in &mut tables {
            trial.change(table, round).await;
        }
        let full = round == 0 || trial.random.below(2) == 0;
        let done = trial.sync(full).await;
        for table in &mut tables {
            trial.check(table, full, &done).await;
        }
    }
}

impl Trial {
    async fn change(&mut self, table: &mut Table, round: u64) {
        let random = &mut self.random;
        let few = [&0, &1, &2, &5, &12, &30, &30, &60, &60, &100];
        let many = [&499, &500, &501, &1100];
        let sizes: &[&u64] = if random.below(6) == 0 { &many } else { &few };
        let changes: Vec<_> = match round {
            0 => vec![table.insert(*random.of(sizes), random)],
            _ => (0..random.below(4)).map(|_| table.change(random)).collect(),
        };
        for change in changes {
            table.done.push(change.clone());
            if change.starts_with("delete") || change.contains("rn = rn +") {
                let gone = format!("{change} returning rn % 5000, trim(account_id)");
                let gone: Vec<(i32, Option<String>)> = sqlx::query_as(AssertSqlSafe(gone))
                    .fetch_all(self.source.pool())
                    .await
                    .unwrap();
                for (number, id) in gone {
                    let before = table.ids.get(&number).cloned();
                    table.gone.extend(id.into_iter().chain(before));
                }
            } else {
                self.source.run(&change).await;
            }
        }
    }

    /// A sync whose workers are killed now and then.
    async fn sync(&mut self, full: bool) -> Value {
        let mode = if full { "full" } else { "incremental" };
        let body = json!({ "mode": mode, "confirm_deletes": true });
        let path = format!("{CONNECTIONS}/{}/sync", self.id);
        let answer = self.app.post(&path, &self.person, body).await;
        let job = answer.json()["job_id"].as_str().unwrap().to_owned();
        for _ in 0..self.random.below(3) {
            let polls = self.random.below(1500);
            let step = Box::pin(aam_connect::worker::step(&self.app.platform));
            if killed_after(step, polls).await {
                end_leases(&self.app).await;
            }
        }
        while Box::pin(aam_connect::worker::step(&self.app.platform))
            .await
            .unwrap()
        {
            end_leases(&self.app).await;
        }
        let done = self
            .app
            .get(&format!("/api/v1/tasks/{job}"), &self.person)
            .await;
        done.json()
    }

    async fn check(&self, table: &mut Table, full: bool, done: &Value) {
        if done["status"] != "success" {
            table.fail(self.seed, &done.to_string());
        }
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(format!(
            "select rn % 5000 number, trim(account_id) id, name, created_at is null good, changed is not null seen
             from {}",
            table.name
        )))
        .fetch_all(self.source.pool())
        .await
        .unwrap();
        let object = format!("public.{}", table.name);
        let stored: Vec<(String, String)> = sqlx::query_as(
            "select source_id, name from accounts where object = $1 and connection_id = $2::uuid",
        )
        .bind(&object)
        .bind(&self.id)
        .fetch_all(self.app.owner())
        .await
        .unwrap();
        let stored: BTreeMap<_, _> = stored.into_iter().collect();
        let mut of: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &rows {
            of.entry(row.id.as_deref().unwrap_or_default())
                .or_default()
                .push(row);
        }
        let mut settled = 0;
        for (id, rows) in of.iter().filter(|it| !it.0.is_empty()) {
            let found = stored.get(*id);
            let right = rows.iter().any(|it| it.good && Some(&it.name) == found);
            settled += usize::from(right);
            let sure = rows
                .iter()
                .all(|it| it.good && (full || it.seen && table.cursor.is_some()));
            let sure = sure && (full || !table.gone.contains(*id));
            if sure && !right {
                table.fail(self.seed, &format!("`{id}` is stored as {found:?}"));
            }
        }
        if full || table.cursor.is_none() {
            if let Some(id) = stored.keys().find(|it| !of.contains_key(it.as_str())) {
                table.fail(self.seed, &format!("`{id}` is still stored"));
            }
            let aside: i64 = sqlx::query_scalar(
                "select count(*) from quarantined_records
                 where object = $1 and connection_id = $2::uuid",
            )
            .bind(&object)
            .bind(&self.id)
            .fetch_one(self.app.owner())
            .await
            .unwrap();
            if aside as usize != rows.len() - settled {
                let rest = rows.len() - settled;
                table.fail(
                    self.seed,
                    &format!("{aside} in quarantine instead of {rest}"),
                );
            }
            table.gone.clear();
        }
        let ids = rows
            .iter()
            .filter_map(|it| Some((it.number, it.id.clone()?)));
        table.ids = ids.collect();
    }
}

/// Ends a future after so many polls, as if its process were killed. Says whether it had to.
async fn killed_after<F: Future + Unpin>(mut future: F, polls: u64) -> bool {
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(true);
        }
        left -= 1;
        std::pin::Pin::new(&mut future).poll(cx).map(|_| false)
    })
    .await
}

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |it| {
        it.parse().unwrap_or_else(|_| panic!("{name}: a number"))
    })
}

/// A share of the cases, so that the shares run side by side.
async fn share(number_of: u64) {
    let (cases, seed) = (number("PULL_CASES", 2000), number("PULL_SEED", 1));
    for trial in 0..cases.div_ceil(TABLES) {
        if trial % SHARES == number_of {
            Box::pin(self::trial(seed + trial)).await;
        }
    }
}

#[tokio::test]
async fn stored_records_equal_random_source_tables_1() {
    share(0).await;
}

#[tokio::test]
async fn stored_records_equal_random_source_tables_2() {
    share(1).await;
}

#[tokio::test]
async fn stored_records_equal_random_source_tables_3() {
    share(2).await;
}

#[tokio::test]
async fn stored_records_equal_random_source_tables_4() {
    share(3).await;
}
