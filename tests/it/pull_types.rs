//! Pulling from a PostgreSQL: what a value of each of its types becomes, in extras and in canonical
//! fields, and how it comes out again.

use serde_json::{Value, json};
use tests::fixtures::postgres_source::{set_up_postgres_source, sync};

/// Types, a value as its text, and what comes out as JSON.
const EXTRAS: &[[&str; 3]] = &[
    ["smallint", "-32768", "-32768"],
    ["integer", "2147483647", "2147483647"],
    ["bigint", "9223372036854775807", "9223372036854775807"],
    [
        "numeric",
        "12345678901234567890.1234567890",
        "12345678901234567890.1234567890",
    ],
    ["numeric(10,2)", "1.5", "1.50"],
    ["numeric", "NaN", r#""NaN""#],
    ["numeric", "-Infinity", r#""-Infinity""#],
    ["real", "0.1", "0.1"],
    [
        "double precision",
        "0.30000000000000004",
        "0.30000000000000004",
    ],
    ["double precision", "Infinity", r#""Infinity""#],
    ["money", "1234.5", r#""$1,234.50""#],
    ["text", "a\"b\\c\u{1F600}\n", r#""a\"b\\c😀\n""#],
    ["text", "", r#""""#],
    ["varchar(5)", "ä ", r#""ä ""#],
    ["char(5)", "ab", r#""ab   ""#],
    ["\"char\"", "x", r#""x""#],
    ["name", "n", r#""n""#],
    ["citext", "Aa", r#""Aa""#],
    ["bytea", "\\x00ff", r#""\\x00ff""#],
    ["boolean", "t", "true"],
    ["date", "2024-02-29", r#""2024-02-29""#],
    ["date", "infinity", r#""infinity""#],
    ["date", "0044-03-15 BC", r#""0044-03-15 BC""#],
    ["time", "24:00", r#""24:00:00""#],
    ["timetz", "10:00:00.5+05:30", r#""10:00:00.5+05:30""#],
    [
        "timestamp",
        "2024-01-15 10:00:00.123456",
        r#""2024-01-15T10:00:00.123456""#,
    ],
    [
        "timestamptz",
        "2024-01-15 10:00+02",
        r#""2024-01-15T08:00:00+00:00""#,
    ],
    [
        "timestamptz(0)",
        "2024-01-15 10:00:00.6Z",
        r#""2024-01-15T10:00:01+00:00""#,
    ],
    ["timestamptz", "-infinity", r#""-infinity""#],
    [
        "interval",
        "1 mon 2 days 03:04:05.6",
        r#""1 mon 2 days 03:04:05.6""#,
    ],
    [
        "uuid",
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        r#""a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11""#,
    ],
    ["inet", "10.0.0.1/8", r#""10.0.0.1/8""#],
    ["cidr", "::/0", r#""::/0""#],
    ["macaddr", "08-00-2b-01-02-03", r#""08:00:2b:01:02:03""#],
    [
        "macaddr8",
        "08:00:2b:01:02:03:04:05",
        r#""08:00:2b:01:02:03:04:05""#,
    ],
    ["bit(4)", "1010", r#""1010""#],
    ["bit varying", "", r#""""#],
    [
        "json",
        r#"{"b": 1, "a": [null]}"#,
        r#"{"a": [null], "b": 1}"#,
    ],
    ["json", "null", "null"],
    ["jsonb", r#""x""#, r#""x""#],
    ["jsonb", "1.10", "1.10"],
    ["point", "1,2.5", r#""(1,2.5)""#],
    ["line", "{1,2,3}", r#""{1,2,3}""#],
    ["lseg", "(1,2),(3,4)", r#""[(1,2),(3,4)]""#],
    ["box", "(1,2),(3,4)", r#""(3,4),(1,2)""#],
    ["path", "[(1,2),(3,4)]", r#""[(1,2),(3,4)]""#],
    ["polygon", "((1,2),(3,4))", r#""((1,2),(3,4))""#],
    ["circle", "<(1,2),3>", r#""<(1,2),3>""#],
    ["int[]", "{1,NULL}", "[1, null]"],
    ["int[]", "[0:1]={3,4}", "[3, 4]"],
    [
        "text[]",
        "{{a,\"b,c\"},{NULL,\"\"}}",
        r#"[["a", "b,c"], [null, ""]]"#,
    ],
    [
        "timestamptz[]",
        "{2024-01-15 10:00Z}",
        r#"["2024-01-15T10:00:00+00:00"]"#,
    ],
    ["mood", "so so", r#""so so""#],
    ["mood[]", "{fine}", r#"["fine"]"#],
    ["pair", "(1,\"a,b\")", r#"{"n": 1, "t": "a,b"}"#],
    [
        "moment",
        "2024-01-15 10:00:00.1234Z",
        r#""2024-01-15T10:00:00.123+00:00""#,
    ],
    ["int4range", "[1,5]", r#""[1,6)""#],
    [
        "tstzrange",
        "[2024-01-15 10:00Z,)",
        r#""[\"2024-01-15 10:00:00+00\",)""#,
    ],
    ["int4multirange", "{[1,2),[5,6)}", r#""{[1,2),[5,6)}""#],
    ["tsvector", "b:1 a", r#""'a' 'b':1""#],
    ["tsquery", "a&b", r#""'a' & 'b'""#],
    ["oid", "4294967295", r#""4294967295""#],
    ["xid8", "42", r#""42""#],
    ["pg_lsn", "16/B374D848", r#""16/B374D848""#],
    ["jsonpath", "$.a", r#""$.\"a\"""#],
    ["regclass", "pg_class", r#""pg_class""#],
];

/// Types, a value as its text, and what it is as an account's name; nothing where it is quarantined.
const NAMES: &[(&str, &str, Option<&str>)] = &[
    ("text", " a b ", Some("a b")),
    ("char(5)", "ab", Some("ab")),
    ("citext", "Aa", Some("Aa")),
    ("integer", "-7", Some("-7")),
    ("bigint", "9223372036854775807", Some("9223372036854775807")),
    ("numeric", "1.50", Some("1.50")),
    ("boolean", "t", Some("true")),
    (
        "uuid",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ),
    ("mood", "so so", Some("so so")),
    ("date", "2024-01-15", Some("2024-01-15")),
    ("inet", "10.0.0.1", Some("10.0.0.1")),
    ("json", r#""x""#, Some("x")),
    ("json", r#"{"a": 1}"#, None),
    ("int[]", "{1}", None),
    ("pair", "(1,a)", None),
];

/// Types, a value as its text, and what it is as an opportunity's amount.
const AMOUNTS: &[(&str, &str, Option<&str>)] = &[
    ("integer", "7", Some("7")),
    ("bigint", "9223372036854775807", Some("9223372036854775807")),
    (
        "numeric(38,10)",
        "1234567890123456789012345678.0123456789",
        Some("1234567890123456789012345678.0123456789"),
    ),
    ("real", "0.1", Some("0.1")),
    ("double precision", "1e15", Some("1000000000000000")),
    ("text", "1200.50", Some("1200.50")),
    ("numeric", "NaN", None),
    ("double precision", "Infinity", None),
    ("boolean", "t", None),
    ("text", "much", None),
];

/// Types, a value as its text, and what it is as an account's `created_at`.
const TIMES: &[(&str, &str, Option<&str>)] = &[
    (
        "timestamptz",
        "2024-01-15 10:00:00.123456+02",
        Some("2024-01-15T08:00:00.123456Z"),
    ),
    (
        "timestamp",
        "2024-01-15 10:00",
        Some("2024-01-15T10:00:00Z"),
    ),
    ("date", "2024-01-15", Some("2024-01-15T00:00:00Z")),
    (
        "text",
        "2024-01-15T10:00:00+05:30",
        Some("2024-01-15T04:30:00Z"),
    ),
    ("timestamptz", "infinity", None),
    ("date", "0044-03-15 BC", None),
    ("time", "10:00", None),
    ("interval", "1 day", None),
];

const OWN: &str = "
    create extension citext;
    create type mood as enum ('so so', 'fine');
    create type pair as (n int, t text);
    create domain moment_ as timestamptz(3);
    create domain moment as moment_ not null;
";

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[tokio::test]
async fn unmapped_columns_become_extras_unchanged() {
    let mut columns = String::new();
    let mut values = String::new();
    for (n, [kind, value, _]) in EXTRAS.iter().enumerate() {
        columns += &format!(", c{n} {kind}");
        values += &format!(", {}::text::{kind}", quoted(value));
    }
    let nullable = columns.replace(" moment", " moment_");
    let sql = format!(
        "{OWN}
         create table a (account_id text primary key, name text{columns});
         insert into a select 'full', 'n'{values};
         create table b (account_id text primary key, name text{nullable});
         insert into b values ('empty', 'n');"
    );
    let object = |it| json!({ "table": it, "entity": "account" });
    let (app, _source, person, id) =
        set_up_postgres_source(&sql, json!([object("a"), object("b")])).await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["result"]["written"], 2, "{done}");
    let view = "/api/v1/dcl/views/accounts?sort=account_id";
    let view = app.get(view, &person).await;
    let text = String::from_utf8(view.body.to_vec()).unwrap();
    let [empty, full] = [0, 1].map(|it| view.json()["data"][it]["extras"].clone());
    for (n, [kind, value, expected]) in EXTRAS.iter().enumerate() {
        let column = format!("c{n}");
        // To the letter, as a parser may round a number.
        let whole = format!("\"{column}\": {expected}");
        let there = text.contains(&whole);
        assert!(
            there,
            "{kind} {value}: {} and not {expected}",
            full[&column]
        );
        assert_eq!(empty.get(&column), Some(&Value::Null), "{kind}");
    }
}

/// One table of `entity` for each value, which is in `column`.
async fn check(entity: &str, column: &str, table: &[(&str, &str, Option<&str>)]) {
    let (mut sql, mut objects) = (OWN.to_owned(), Vec::new());
    for (n, (kind, value, _)) in table.iter().enumerate() {
        let name = if column == "name" {
            ""
        } else {
            "name text default 'n',"
        };
        sql += &format!(
            "create table t{n} ({entity}_id text primary key, {name} {column} {kind});
             insert into t{n} ({entity}_id, {column}) values ('{n:03}', {}::text::{kind});",
            quoted(value)
        );
        objects.push(json!({ "table": format!("t{n}"), "entity": entity }));
    }
    let (app, _source, person, id) = set_up_postgres_source(&sql, objects.into()).await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["status"], "success", "{done}");
    let plural = format!("{}s", entity.replace('y', "ie"));
    let view = format!("/api/v1/dcl/views/{plural}?limit=100");
    let view = app.get(&view, &person).await;
    let text = String::from_utf8(view.body.to_vec()).unwrap();
    let stored = view.json()["data"].as_array().unwrap().len();
    assert_eq!(
        stored,
        table.iter().filter(|it| it.2.is_some()).count(),
        "{text}"
    );
    for (n, (kind, value, expected)) in table.iter().enumerate() {
        let id = format!("\"{entity}_id\":\"{n:03}\"");
        let record = text.split_once(&id).map(|it| it.1);
        assert_eq!(record.is_some(), expected.is_some(), "{kind} {value}");
        let (Some(record), Some(expected)) = (record, expected) else {
            continue;
        };
        let record = record.split("\"extras\"").next().unwrap();
        let found = record.contains(&format!("\"{column}\":{expected}"))
            || record.contains(&format!("\"{column}\":\"{expected}\""));
        assert!(found, "{kind} {value}: {record}");
    }
}

#[tokio::test]
async fn a_value_of_each_type_becomes_a_text() {
    check("account", "name", NAMES).await;
}

#[tokio::test]
async fn a_value_of_each_type_becomes_a_number() {
    check("opportunity", "amount", AMOUNTS).await;
}

#[tokio::test]
async fn a_value_of_each_type_becomes_a_time() {
    check("account", "created_at", TIMES).await;
}
