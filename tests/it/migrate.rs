//! The function that CloudFormation calls to bring the tables up to date.

use std::time::Duration;

use migrate::Answer;
use platform::db::roles::Class;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::postgres;

fn request(kind: &str) -> Value {
    let mut request = json!({
        "RequestType": kind,
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:migrate",
        "ResponseURL": "https://answers.example/one?signature=abc",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/autonomos/guid",
        "RequestId": "b1c2",
        "ResourceType": "Custom::Tables",
        "LogicalResourceId": "Tables",
        "ResourceProperties": { "ServiceToken": "arn", "Version": "2" },
    });
    if kind != "Create" {
        request["PhysicalResourceId"] = json!("tables");
        request["OldResourceProperties"] = json!({ "ServiceToken": "arn", "Version": "1" });
    }
    request
}

async fn tables_in(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_deployment_makes_the_tables_and_a_deletion_leaves_them() {
    let database = postgres::empty_database().await;
    let (pool, owner) = (database.pool(), database.options());
    let name = format!("deployed_{}", uuid::Uuid::now_v7().simple());
    let login = json!({ "username": name, "password": "a password of the deployment" });
    let logins = [(Class::Api, serde_json::from_value(login).unwrap())];
    let mut seen = Vec::new();
    for kind in ["Delete", "Create", "Update", "Delete"] {
        let event = serde_json::from_value(request(kind)).unwrap();
        let end = migrate::handle(&event, owner.clone().into(), &logins, TIME).await;
        let answer = Answer::new(&event, &end).unwrap();
        assert_eq!(answer.url, "https://answers.example/one?signature=abc");
        let body = serde_json::to_value(&answer.body).unwrap();
        assert_eq!(body["Status"], "SUCCESS", "{kind}: {body}");
        assert_eq!(body["PhysicalResourceId"], "tables");
        assert_eq!(body["RequestId"], "b1c2");
        seen.push(tables_in(&pool).await);
    }
    let [before, created, updated, deleted] = seen[..] else {
        panic!("four requests, {} answers", seen.len())
    };
    assert_eq!(before, 0);
    assert!(10 < created, "{created} tables");
    assert_eq!([updated, deleted], [created; 2]);
    // Where it is asked for one, only the password of the secret opens the door.
    let run = async |sql: String| {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await;
        done.unwrap();
    };
    let known = "exception when duplicate_object or unique_violation then null";
    let role = format!("do $$ begin create role passworded nologin; {known}; end $$");
    run(role).await;
    run(format!("grant passworded to {name}")).await;
    let login = owner.clone().username(&name);
    let right = login.clone().password("a password of the deployment");
    let mut conn = PgConnection::connect_with(&right).await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from connections")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(seen, 0);
    conn.close().await.unwrap();
    let wrong = PgConnection::connect_with(&login.password("another")).await;
    assert!(wrong.is_err());
    run(format!("drop role {name}")).await;
}

#[tokio::test]
async fn a_migration_that_cannot_be_done_is_answered_with_its_reason() {
    let database = postgres::empty_database().await;
    let options = (*database.pool().connect_options()).clone();
    let cases = [
        (options.clone().database("nowhere"), TIME, "does not exist"),
        (options, Duration::ZERO, "took longer than 0 s"),
    ];
    for (options, time, expected) in cases {
        let event = serde_json::from_value(request("Update")).unwrap();
        let end = migrate::handle(&event, options.into(), &[], time).await;
        let body = serde_json::to_value(Answer::new(&event, &end).unwrap().body).unwrap();
        assert_eq!(body["Status"], "FAILED", "{body}");
        let reason = body["Reason"].as_str().unwrap();
        assert!(reason.contains(expected), "{reason}");
    }
}

const TIME: Duration = Duration::from_secs(60);
