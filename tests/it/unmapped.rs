//! Tables that look like no shipped mapping: kept, understood, mapped by a person, undone.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::fixtures::files::{form_field, multipart_form, send_form};
use tests::fixtures::jobs::run_all;
use tests::fixtures::own_data::{World, pairs};
use tests::fixtures::postgres_source::{set_up_postgres_source, sync};

/// As a CRM of another house exports its companies.
const COMPANIES: &str = "Record ID,Company name,Company owner,Industry,Phone Number\n\
    9001,Acme Steel,ann@example.com,Manufacturing,+49 30 1234\n\
    9002,Blue Sky Travel,ann@example.com,Tourism,+49 30 5678\n\
    9003,Cedar & Sons,bob@example.com,Law,+49 40 9012\n";

/// What the accepted file shows.
fn companies() -> Vec<(String, String)> {
    pairs(&[
        ("9001", "Acme Steel"),
        ("9002", "Blue Sky Travel"),
        ("9003", "Cedar & Sons"),
    ])
}

#[tokio::test]
async fn a_file_of_any_name_is_kept_understood_and_mapped() {
    let world = World::new().await;
    let file = world.upload("all companies (2).csv", COMPANIES).await;
    assert_eq!(file["written"], 3, "{file}");
    assert_eq!(
        (&file["entity"], &file["object"]),
        (&Value::Null, &json!("all_companies"))
    );
    assert_eq!(world.accounts().await, []);
    let object = world.object("all_companies").await;
    assert_eq!(
        (&object["state"], &object["records"]),
        (&json!("unmapped"), &json!(3))
    );

    let path = file["proposal"].as_str().unwrap();
    let proposal = world.get(path).await;
    assert_eq!(proposal["entity"], "account", "{proposal}");
    assert_eq!(proposal["questions"], json!([]), "{proposal}");
    assert_eq!(
        proposal["keys"][0]["fields"],
        json!(["Record ID"]),
        "{proposal}"
    );
    assert_eq!(proposal["records"].as_array().unwrap().len(), 3);

    let accepted = world.post(&format!("{path}/accept"), json!({})).await;
    assert_eq!(accepted["version"], 1, "{accepted}");
    assert_eq!(world.accounts().await, companies());
    let object = world.object("all_companies").await;
    assert_eq!(
        (&object["state"], &object["records"]),
        (&json!("mapped"), &json!(3))
    );

    // The next export of the family goes the same way.
    let next = COMPANIES.replace("Acme Steel", "Acme Iron");
    let file = world.upload("all companies (3).csv", &next).await;
    assert_eq!(
        (&file["entity"], &file["written"], &file["unchanged"]),
        (&json!("account"), &json!(1), &json!(2)),
        "{file}"
    );
    assert_eq!(world.accounts().await[0].1, "Acme Iron");
}

#[tokio::test]
async fn a_mapping_can_be_tried_changed_and_taken_back() {
    let world = World::new().await;
    let file = world.upload("crm.csv", COMPANIES).await;
    world
        .post(
            &format!("{}/accept", file["proposal"].as_str().unwrap()),
            json!({}),
        )
        .await;
    let path = world.mapping("crm");
    let mut mapping = world.get(&path).await["mapping"].clone();
    let fields = mapping["fields"].as_array_mut().unwrap();
    let name = fields.iter_mut().find(|it| it["target"] == "name").unwrap();
    name["transforms"] = json!([{ "kind": "upper" }]);

    let try_out = json!({ "mapping": mapping, "reason": "shout", "dry_run": true });
    let difference = world.post(&path, try_out).await["difference"].clone();
    assert_eq!(
        (&difference["records"], &difference["changed"]),
        (&json!(3), &json!(3)),
        "{difference}"
    );
    assert_eq!(difference["fields"][0]["field"], "name", "{difference}");
    assert_eq!(world.accounts().await, companies());

    let adopted = world
        .post(&path, json!({ "mapping": mapping, "reason": "shout" }))
        .await;
    assert_eq!(adopted["version"], 2, "{adopted}");
    assert_eq!(world.accounts().await[0].1, "ACME STEEL");
    let diff = world.get(&format!("{path}/diff?from=1&to=2")).await;
    assert_eq!(diff["fields"].as_array().unwrap().len(), 1, "{diff}");
    assert_eq!(diff["fields"][0]["target"], "name", "{diff}");

    // The same again is no new version.
    let again = world
        .post(&path, json!({ "mapping": mapping, "reason": "again" }))
        .await;
    assert_eq!(
        (&again["version"], &again["replay"]),
        (&json!(2), &Value::Null)
    );

    let back = json!({ "version": 1, "reason": "too loud" });
    let activated = world.post(&format!("{path}/activate"), back).await;
    assert_eq!(activated["version"], 3, "{activated}");
    assert_eq!(world.accounts().await, companies());
    let versions = world.get(&format!("{path}/versions")).await;
    assert_eq!(versions["total"], 3);
    assert_eq!(versions["versions"][0]["reason"], "too loud");
}

#[tokio::test]
async fn another_id_moves_the_records_and_none_is_lost() {
    let world = World::new().await;
    // The names are unique, and so are the numbers: one's number is another's name.
    let file = "number,name\n1,2\n2,3\n3,1\n";
    world.upload("swap.csv", file).await;
    let mapping = |id: &str, name: &str| {
        json!({ "reason": "by hand", "mapping": { "entity": "account", "fields": [
            { "target": "account_id", "sources": [id] },
            { "target": "name", "sources": [name] },
        ] } })
    };
    let path = world.mapping("swap");
    world.post(&path, mapping("number", "name")).await;
    assert_eq!(
        world.accounts().await,
        pairs(&[("1", "2"), ("2", "3"), ("3", "1")])
    );
    world.post(&path, mapping("name", "number")).await;
    assert_eq!(
        world.accounts().await,
        pairs(&[("1", "3"), ("2", "1"), ("3", "2")])
    );
    assert_eq!(world.object("swap").await["records"], 3);
    // To another entity, and to none.
    let contact = json!({ "reason": "people", "mapping": { "entity": "contact", "fields": [
        { "target": "contact_id", "sources": ["number"] },
    ] } });
    world.post(&path, contact).await;
    assert_eq!(world.accounts().await, []);
    let contacts = world.get("/api/v1/dcl/views/contacts").await;
    assert_eq!(contacts["meta"]["total"], 3);
    let deleted = world.app.delete(&path, &world.ann).await;
    assert_eq!(deleted.status, StatusCode::CREATED, "{deleted}");
    run_all(&world.app).await;
    let object = world.object("swap").await;
    assert_eq!(
        (&object["state"], &object["records"]),
        (&json!("unmapped"), &json!(3))
    );
    world
        .post(
            &format!("{path}/activate"),
            json!({ "version": 2, "reason": "back" }),
        )
        .await;
    assert_eq!(
        world.accounts().await,
        pairs(&[("1", "3"), ("2", "1"), ("3", "2")])
    );
}

#[tokio::test]
async fn rows_with_one_id_wait_in_quarantine_and_a_later_export_wins() {
    let world = World::new().await;
    world
        .upload("a.csv", "id,name\n1,One\n1,Other\n2,Two\n")
        .await;
    world.upload("a.csv", "id,name\n2,Second\n").await;
    let path = world.mapping("a");
    let mapping = json!({ "reason": "by hand", "mapping": { "entity": "account", "fields": [
        { "target": "account_id", "sources": ["id"] },
        { "target": "name", "sources": ["name"] },
    ] } });
    world.post(&path, mapping).await;
    let accounts = world.accounts().await;
    assert_eq!(accounts.len(), 2, "{accounts:?}");
    assert_eq!(accounts[1], ("2".to_owned(), "Second".to_owned()));
    let object = world.object("a").await;
    assert_eq!(object["quarantined"], 1, "{object}");
}

#[tokio::test]
async fn an_open_question_is_asked_and_answered() {
    let world = World::new().await;
    let file = world.upload("x.csv", "foo,bar\n1,a\n2,b\n").await;
    let path = format!("{}/accept", file["proposal"].as_str().unwrap());
    let asked = world
        .app
        .post(&path, &world.ann, json!({ "entity": "account" }))
        .await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{asked}");
    let errors = asked.json()["errors"].clone();
    assert_eq!(errors[0]["pointer"], "/answers/key", "{errors}");
    assert_eq!(errors[1]["pointer"], "/answers/field:name", "{errors}");
    let said = json!({ "entity": "account", "key": ["foo"], "answers": { "field:name": "bar" } });
    world.post(&path, said).await;
    assert_eq!(world.accounts().await, pairs(&[("1", "a"), ("2", "b")]));
    // It is remembered.
    let file = world.upload("y.csv", "foo,bar\n3,c\n").await;
    let again = world
        .get(&format!(
            "{}?entity=account",
            file["proposal"].as_str().unwrap()
        ))
        .await;
    assert_eq!(again["questions"], json!([]), "{again}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_pointer() {
    let world = World::new().await;
    let file = world.upload("x.csv", "foo,bar\n1,a\n").await;
    let proposal = file["proposal"].as_str().unwrap().to_owned();
    let accept = format!("{proposal}/accept");
    let mapping = world.mapping("x");
    let field = |target: &str| json!({ "target": target, "sources": ["foo"] });
    let of = |fields: Vec<Value>| json!({ "reason": "r", "mapping": { "entity": "account", "fields": fields } });
    let table = [
        (&accept, json!({ "entity": "lead" }), "/entity"),
        (
            &accept,
            json!({ "entity": "account", "answers": { "nope": "1" } }),
            "/answers/nope",
        ),
        (
            &accept,
            json!({ "entity": "account", "key": ["nope"] }),
            "/key/0",
        ),
        (
            &accept,
            json!({ "entity": "account", "fields": { "nope": "foo" } }),
            "/fields/nope",
        ),
        (
            &accept,
            json!({ "entity": "account", "fields": { "name": "nope" } }),
            "/fields/name",
        ),
        (
            &mapping,
            of(vec![field("account_id"), field("name"), field("name")]),
            "/mapping/fields/2/target",
        ),
        (&mapping, of(vec![field("account_id")]), "/mapping/fields"),
        (
            &mapping,
            json!({ "reason": " ", "mapping": { "entity": "account", "fields": [] } }),
            "/reason",
        ),
        (
            &mapping,
            json!({ "reason": "r", "mapping": { "entity": "lead", "fields": [] } }),
            "/mapping/entity",
        ),
    ];
    for (path, body, pointer) in table {
        let answer = world.app.post(path, &world.ann, body.clone()).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{body}: {answer}"
        );
        let errors = answer.json()["errors"].clone();
        let pointers: Vec<_> = errors
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["pointer"].clone())
            .collect();
        assert!(pointers.contains(&json!(pointer)), "{body}: {errors}");
    }
    let missing = world.app.get(&world.mapping("nope"), &world.ann).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND, "{missing}");
}

#[tokio::test]
async fn a_table_of_any_columns_is_kept_in_step_and_mapped_when_somebody_says() {
    let sql = "create table kunden (nr int primary key, firma text, branche text);
        insert into kunden values (1, 'Stahl AG', 'Stahl'), (2, 'Brot GmbH', 'Lebensmittel');";
    for object in [
        json!({ "table": "kunden" }),
        json!({ "table": "kunden", "entity": "account" }),
    ] {
        let (app, source, ann, connection) = set_up_postgres_source(sql, json!([object])).await;
        let world = World {
            app,
            ann,
            connection,
        };
        let done = sync(&world.app, &world.ann, &world.connection, json!({})).await;
        assert_eq!(done["status"], "success", "{done}");
        let object = world.object("public.kunden").await;
        assert_eq!(
            (&object["state"], &object["records"]),
            (&json!("unmapped"), &json!(2)),
            "{object}"
        );
        // What changes at the source changes here, mapped or not.
        source
            .run("update kunden set firma = 'Stahl SE' where nr = 1; delete from kunden where nr = 2")
            .await;
        let full = json!({ "mode": "full" });
        sync(&world.app, &world.ann, &world.connection, full.clone()).await;
        let object = world.object("public.kunden").await;
        assert_eq!(object["records"], 1, "{object}");

        let accept = format!("{}/accept", object["proposal"].as_str().unwrap());
        world.post(&accept, json!({ "entity": "account" })).await;
        assert_eq!(world.accounts().await, pairs(&[("1", "Stahl SE")]));
        source
            .run("insert into kunden values (3, 'Holz KG', 'Holz')")
            .await;
        sync(&world.app, &world.ann, &world.connection, full.clone()).await;
        assert_eq!(
            world.accounts().await,
            pairs(&[("1", "Stahl SE"), ("3", "Holz KG")])
        );
        source.run("delete from kunden where nr = 1").await;
        sync(&world.app, &world.ann, &world.connection, full).await;
        assert_eq!(world.accounts().await, pairs(&[("3", "Holz KG")]));
        assert_eq!(world.object("public.kunden").await["records"], 1);
    }
}

#[tokio::test]
async fn an_upload_accepts_what_is_proposed_where_it_says_so() {
    let world = World::new().await;
    let form = |accept: &str, file: &str| {
        let files: [(&str, &[u8]); 1] = [("crm.csv", file.as_bytes())];
        let mut body = form_field("accept", accept);
        body.extend(multipart_form(&files));
        body
    };
    let wrong = send_form(&world.app, &world.ann, form("maybe", COMPANIES)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    // A column that nothing decides stays a question.
    let open = "Record ID,Company name,Create Date\n1,One,02/03/2024\n2,Two,05/01/2024\n";
    let files: [(&str, &[u8]); 1] = [("open.csv", open.as_bytes())];
    let mut body = form_field("accept", "true");
    body.extend(multipart_form(&files));
    let asked = send_form(&world.app, &world.ann, body).await.json();
    let file = &asked["files"][0];
    assert_eq!(file["entity"], Value::Null, "{file}");
    assert_eq!(
        file["questions"][0]["pointer"], "/answers/format:Create Date",
        "{file}"
    );

    let answer = send_form(&world.app, &world.ann, form("true", COMPANIES)).await;
    run_all(&world.app).await;
    let file = answer.json()["files"][0].clone();
    assert_eq!(file["entity"], "account", "{file}");
    assert!(file["replay_job_id"].is_string(), "{file}");
    assert_eq!(world.accounts().await, companies());
    let id = &file["accepted"][0];
    assert_eq!(
        (&id["target"], &id["sources"]),
        (&json!("account_id"), &json!(["Record ID"]))
    );
    assert!(id["probability"].as_f64().unwrap() > 0.9, "{id}");
}

#[tokio::test]
async fn what_does_not_fit_leaves_the_view_and_comes_back() {
    let world = World::new().await;
    let rows: String = (0..30).map(|it| format!("{it},N{it}\n")).collect();
    let file = format!("id,name\n{rows}");
    world.upload("x.csv", &file).await;
    let mapping = |values: Value| {
        json!({ "reason": "by hand", "mapping": { "entity": "account", "fields": [
            { "target": "account_id", "sources": ["id"] },
            { "target": "name", "sources": ["name"], "transforms": values },
        ] } })
    };
    let counts = async || {
        let object = world.object("x").await;
        let view = world.accounts().await.len();
        json!([object["records"], object["quarantined"], view])
    };
    let path = world.mapping("x");
    world.post(&path, mapping(json!([]))).await;
    assert_eq!(counts().await, json!([30, 0, 30]));
    let values = json!([{ "kind": "regex", "pattern": "^N1?[0-9]$" }]);
    world.post(&path, mapping(values)).await;
    assert_eq!(counts().await, json!([20, 10, 20]));
    let back = json!({ "version": 1, "reason": "back" });
    world.post(&format!("{path}/activate"), back.clone()).await;
    assert_eq!(counts().await, json!([30, 0, 30]));
    // Without a mapping the same file is the same.
    world.app.delete(&path, &world.ann).await;
    run_all(&world.app).await;
    let again = world.upload("x.csv", &file).await;
    assert_eq!(
        (&again["written"], &again["unchanged"]),
        (&json!(0), &json!(30))
    );
    assert_eq!(counts().await, json!([30, 0, 0]));
    world.post(&format!("{path}/activate"), back).await;
    assert_eq!(counts().await, json!([30, 0, 30]));
}

#[tokio::test]
async fn only_an_object_without_a_mapping_can_be_ignored() {
    let world = World::new().await;
    let file = world.upload("crm.csv", COMPANIES).await;
    let path = format!("/api/v1/aam/connections/{}/objects/crm", world.connection);
    let ignore = async |ignored: bool| {
        let body = Body::from(json!({ "ignored": ignored }).to_string());
        let json = [("content-type", "application/json")];
        let (app, ann) = (&world.app, Some(&world.ann));
        app.send(Method::PUT, &path, ann, body, &json).await
    };
    assert_eq!(ignore(true).await.json()["state"], "ignored");
    assert_eq!(ignore(false).await.json()["state"], "unmapped");
    let accept = format!("{}/accept", file["proposal"].as_str().unwrap());
    world.post(&accept, json!({})).await;
    let refused = ignore(true).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused}");
    assert_eq!(world.object("crm").await["state"], "mapped");
}

#[tokio::test]
async fn an_export_of_a_known_system_is_proposed_as_its_vendor_means_it() {
    let world = World::new().await;
    let deals = "Deal - ID,Deal - Title,deal - value ,Deal - Stage,Deal - Owner,Deal - Organization,\
                 Deal - Deal created\n\
                 11,Pilot,1200,Qualified,Ann Lee,Acme,2024-01-31 09:15:00\n\
                 12,Rollout,300,Proposal Made,Bo Diaz,Globex,2024-02-13 10:20:00\n";
    let file = world.upload("liste.csv", deals).await;
    assert_eq!(file["entity"], Value::Null, "{file}");
    let path = file["proposal"].as_str().unwrap();
    let proposal = world.get(path).await;
    let shape = json!({ "system": "pipedrive", "name": "export" });
    assert_eq!(proposal["shape"], shape, "{proposal}");
    let fields = proposal["mapping"]["fields"].as_array().unwrap();
    let pairs: Vec<_> = fields
        .iter()
        .map(|it| format!("{} {}", it["target"].as_str().unwrap(), it["sources"]))
        .collect();
    let expected = [
        r#"opportunity_id ["Deal - ID"]"#,
        r#"name ["Deal - Title"]"#,
        r#"stage ["Deal - Stage"]"#,
        r#"amount ["deal - value"]"#,
        r#"created_at ["Deal - Deal created"]"#,
    ];
    // A name is no id: neither the organisation's nor the owner's.
    assert_eq!(pairs, expected, "{proposal}");

    // A person may say that it is something else.
    let other = world.get(&format!("{path}?entity=account")).await;
    assert_eq!(other["shape"], Value::Null, "{other}");
    world.post(&format!("{path}/accept"), json!({})).await;
    let deals = world.get("/api/v1/dcl/views/opportunities").await;
    assert_eq!(deals["meta"]["total"], 2, "{deals}");
}

#[tokio::test]
async fn an_export_of_the_ec2_console_becomes_resources() {
    let world = World::new().await;
    let csv = "Name,Instance ID,Instance state,Instance type,Availability Zone\n\
        web-1,i-0abc1234def567890,Running,t3.micro,eu-central-1a\n\
        web-2,i-0abc1234def567891,Stopped,m7g.large,us-west-2-lax-1a\n";
    world.upload("instances.csv", csv).await;
    let proposal = format!("/api/v1/dcl/proposals/{}/instances", world.connection);
    let shape = &world.get(&proposal).await["shape"];
    assert_eq!(*shape, json!({"system": "aws", "name": "export.ec2"}));
    world.post(&format!("{proposal}/accept"), json!({})).await;
    let page = world
        .get("/api/v1/dcl/views/aws_resources?sort=resource_id")
        .await;
    let seen = page["data"].as_array().unwrap().iter().map(|it| {
        let fields = ["resource_id", "resource_type", "region", "instance_type"];
        fields
            .map(|field| it[field].as_str().unwrap_or("-").to_owned())
            .join(" ")
    });
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            "i-0abc1234def567890 EC2 eu-central-1 t3.micro",
            "i-0abc1234def567891 EC2 us-west-2 m7g.large",
        ]
    );
}
