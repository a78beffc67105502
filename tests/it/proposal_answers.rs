//! What is proposed for tables of other houses, and what a person's answers make of it.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::fixtures::files::{MULTIPART, multipart_form};
use tests::fixtures::json::each;
use tests::fixtures::own_data::World;
use tests::fixtures::proposals::{field, proposal_of};

/// The source of each field that is filled in.
fn filled_in(proposal: &Value) -> Vec<(String, String)> {
    let fields = proposal["fields"].as_array().unwrap().iter();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    fields
        .filter(|it| it["filled_in"] == true)
        .map(|it| (text(&it["target"]), text(&it["source"])))
        .collect()
}

/// As a Dutch CRM exports its contacts.
fn contacts() -> String {
    let mut file = "Relatienummer;Voornaam;Achternaam;E-mail;Telefoon;Aangemaakt op\n".to_owned();
    for (at, first) in ["Jan", "Piet", "Sanne", "Fleur", "Daan"].iter().enumerate() {
        file += &format!(
            "R-10{at};{first};Bakker{at};{first}@voorbeeld.example;+31 6 1234567{at};{}-10-2022 14:2{at}\n",
            14 + at
        );
    }
    file
}

#[tokio::test]
async fn a_file_is_taken_for_the_same_before_and_after_it_is_uploaded() {
    let world = World::with_file("klanten.csv", &contacts()).await;
    let form = Body::from(multipart_form(&[("klanten.csv", contacts().as_bytes())]));
    let path = "/api/v1/dcl/mappings/preview";
    let (app, ann) = (&world.app, Some(&world.ann));
    let preview = app.send(Method::POST, path, ann, form, &[MULTIPART]).await;
    assert_eq!(preview.status, StatusCode::OK, "{preview}");
    let preview = preview.json();
    let proposal = world.get(&proposal_of("klanten")).await;
    assert_eq!(preview["entity"], "contact", "{preview}");
    for part in ["entities", "keys", "questions", "mapping"] {
        assert_eq!(preview[part], proposal[part], "{part}");
    }
    assert_eq!(filled_in(&preview), filled_in(&proposal));
}

#[tokio::test]
async fn dates_of_another_form_are_filled_in_and_nothing_is_said_against_them() {
    let world = World::with_file("klanten.csv", &contacts()).await;
    let proposal = world.get(&proposal_of("klanten")).await;
    let created = field(&proposal, "created_at");
    assert_eq!(created["source"], "Aangemaakt op", "{created}");
    assert_eq!(created["filled_in"], true, "{created}");
    assert_eq!(created["reasons_against"], json!([]));
}

#[tokio::test]
async fn a_column_that_mixes_two_forms_somewhere_in_a_long_file_is_a_question() {
    let world = World::new().await;
    let mut file = "Contact ID,First Name,Last Name,Email,Created\n".to_owned();
    for at in 0..3_000 {
        let date = match at % 1_000 {
            500 => "04/25/2024".to_owned(),
            day => format!("{:02}/03/2024", 1 + day % 28),
        };
        file += &format!("{at},F{at},L{at},a{at}@example.com,{date}\n");
    }
    world.upload("people.csv", &file).await;
    let proposal = world.get(&proposal_of("people")).await;
    let asked = proposal["questions"].as_array().unwrap();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["id"], "format:Created");
}

#[tokio::test]
async fn records_with_different_keys_of_several_fields_stay_apart() {
    let world = World::new().await;
    let file = "A,B,Company name\n1:2,3,x\n1,2:3,y\n,Q,p\nQ,,q\n";
    world.upload("companies.csv", file).await;
    let answer =
        json!({"entity": "account", "key": ["A", "B"], "fields": {"name": "Company name"}});
    let path = proposal_of("companies");
    world.post(&format!("{path}/accept"), answer).await;
    let names: Vec<_> = world.accounts().await.into_iter().map(|it| it.1).collect();
    assert_eq!(names.len(), 4, "{names:?}");
}

#[tokio::test]
async fn a_column_is_named_as_it_stands_in_the_file() {
    let world = World::new().await;
    let file = "Kd.-Nr.;Firma\nK1;Alpha GmbH\nK2;Beta AG\n";
    world.upload("kunden.csv", file).await;
    let answer = json!({"entity": "account", "key": ["Kd.-Nr."], "fields": {"name": "Firma"}});
    let path = proposal_of("kunden");
    world.post(&format!("{path}/accept"), answer).await;
    let ids: Vec<_> = world.accounts().await.into_iter().map(|it| it.0).collect();
    assert_eq!(ids, ["K1", "K2"]);
}

#[tokio::test]
async fn the_type_of_a_field_decides_how_its_numbers_are_read() {
    let world = World::new().await;
    let employees = json!({"name": "employees", "type": "integer", "description": "Employees."});
    world.post("/api/v1/dcl/fields/account", employees).await;
    let file = "Account ID,Account Name,Employees\n1,Acme,2.743\n2,Blue,3.016\n";
    world.upload("firms.csv", file).await;
    let path = proposal_of("firms");
    let proposal = world.get(&path).await;
    assert_eq!(proposal["questions"], json!([]), "{proposal}");
    world.post(&format!("{path}/accept"), json!({})).await;
    let rows = world.view("accounts?sort=name").await;
    let employees: Vec<_> = rows.iter().map(|it| &it["employees"]).collect();
    assert_eq!(employees, [2_743, 3_016]);
}

#[tokio::test]
async fn lines_that_share_their_key_are_asked_for_what_tells_them_apart() {
    let world = World::new().await;
    let mut file = "Service,Region,Usage Type,Resource ID,Cost,Line\n".to_owned();
    for at in 0..6 {
        file += &format!("S3,eu-west-1,Storage,bucket-{},0.{at},L{at}\n", at % 2);
    }
    world.upload("spend.csv", &file).await;
    let path = format!("{}?entity=cost_report", proposal_of("spend"));
    let proposal = world.get(&path).await;
    assert_eq!(each(&proposal["questions"], "id"), "field:period_start key");
    let asked = &proposal["questions"][1];
    assert!(
        asked["question"]
            .to_string()
            .contains("4 of 6 sampled records"),
        "{asked}"
    );
    let answer = json!({"entity": "cost_report", "key": ["Line"]});
    let path = format!("{}/accept", proposal_of("spend"));
    world.post(&path, answer).await;
    assert_eq!(world.view("cost_reports").await.len(), 6);
}

#[tokio::test]
async fn costs_of_the_next_month_take_no_line_of_this_one_s_place() {
    let world = World::new().await;
    let file = |month: u8, cost: u8| {
        format!(
            "Guid;Tag;Service;Region;Usage Type;Cost\n1;2024-0{month}-01;VM;EU;D2;{cost}\n\
             2;2024-0{month}-02;Blob;EU;GB;{cost}\n"
        )
    };
    world.upload("azure_2024-05.csv", &file(5, 10)).await;
    let path = proposal_of("azure");
    let proposal = world.get(&format!("{path}?entity=cost_report")).await;
    assert_eq!(
        each(&proposal["questions"], "id"),
        "field:period_start",
        "{proposal}"
    );
    let answers = json!({ "field:period_start": "Tag" });
    let accept = json!({ "entity": "cost_report", "answers": answers });
    world.post(&format!("{path}/accept"), accept).await;
    world.upload("azure_2024-06.csv", &file(6, 20)).await;
    let costs = world.view("cost_reports?sort=cost").await;
    let costs: Vec<_> = costs
        .iter()
        .map(|it| it["cost"].as_f64().unwrap())
        .collect();
    assert_eq!(costs, [10.0, 10.0, 20.0, 20.0]);
}

#[tokio::test]
async fn what_was_said_of_an_object_is_taken_back_with_null() {
    let world = World::with_file("klanten.csv", &contacts()).await;
    let path = format!(
        "/api/v1/aam/connections/{}/objects/klanten",
        world.connection
    );
    let said =
        json!({"entity": "contact", "key": ["E-mail"], "freshness": {"max_age_minutes": 60}});
    let said = world.send(Method::PUT, &path, said).await.json();
    assert_eq!(said["said_key"], json!(["E-mail"]), "{said}");
    let back = json!({"entity": null, "key": null, "freshness": null});
    let back = world.send(Method::PUT, &path, back).await.json();
    for part in ["said_entity", "said_key", "max_age_minutes"] {
        assert_eq!(back[part], Value::Null, "{part}: {back}");
    }
    let twice = json!({"key": ["E-mail", "E-mail"]});
    let twice = world.send(Method::PUT, &path, twice).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(twice.json()["errors"][0]["pointer"], "/key/1");
}

#[tokio::test]
async fn each_item_of_a_list_is_one_of_its_words() {
    let world = World::new().await;
    let labels = json!({"name": "labels", "type": "text_list", "enum": ["a", "b"]});
    world.post("/api/v1/dcl/fields/account", labels).await;
    world
        .upload("firms.csv", "Id,Nm,Labels\n1,Acme,a\n2,Blue,zzz\n")
        .await;
    let row = |target: &str, source: &str| json!({"target": target, "sources": [source]});
    let rows = [
        row("account_id", "Id"),
        row("name", "Nm"),
        row("labels", "Labels"),
    ];
    let mapping = json!({"entity": "account", "fields": rows});
    world.map("firms", mapping).await;
    assert_eq!(world.accounts().await.len(), 1);
    let entities = world.get("/api/v1/dcl/entities").await;
    let entities = entities["entities"].as_array().unwrap();
    let account = entities
        .iter()
        .find(|it| it["kind"] == "account" || it["name"] == "account");
    let schema = &account.unwrap()["schema"]["properties"]["labels"];
    assert_eq!(schema["items"]["enum"], json!(["a", "b"]), "{schema}");
}

const DEALS: &str = "Deal ID,Deal Name,Deal Stage,Amount";

#[tokio::test]
async fn a_few_odd_values_do_not_drop_a_column_and_what_is_dropped_is_said() {
    let world = World::new().await;
    let mut file = format!("{DEALS},Close Date\n");
    for at in 0..60 {
        let date = match at {
            7 => "0000-00-00",
            9 => "soon",
            _ => "2024-01-31",
        };
        file += &format!("{at},Deal {at},Won,{at}.5,{date}\n");
    }
    world.upload("deals.csv", &file).await;
    let path = proposal_of("deals");
    let accepted = world.post(&format!("{path}/accept"), json!({})).await;
    assert_eq!(accepted["left_out"], json!([]), "{accepted}");
    let rows = world.view("opportunities?limit=100").await;
    let dated = rows.iter().filter(|it| !it["close_date"].is_null());
    assert_eq!((rows.len(), dated.count()), (59, 58));

    let odd = file.replace("2024-01-31\n1", "soon\n1");
    world.upload("others.csv", &odd).await;
    let path = proposal_of("others");
    let accepted = world.post(&format!("{path}/accept"), json!({})).await;
    assert_eq!(
        accepted["left_out"][0]["target"], "close_date",
        "{accepted}"
    );
    assert_eq!(
        accepted["left_out"][0]["source"], "Close Date",
        "{accepted}"
    );
}

#[tokio::test]
async fn what_is_open_is_refused_with_its_choices_which_are_names() {
    let world = World::new().await;
    let file = "Foo,Bar,Company name\n1,7,x\n2,8,y\n";
    world.upload("firms.csv", file).await;
    let path = format!("{}/accept", proposal_of("firms"));
    let open = json!({"entity": "account", "fields": {"name": "Company name"}});
    let open = world.app.post(&path, &world.ann, open).await;
    assert_eq!(open.status, StatusCode::UNPROCESSABLE_ENTITY, "{open}");
    let detail = open.json()["errors"][0]["detail"].to_string();
    for part in ["What tells one record", "`Bar` (Bar. ", "`none` (No field"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    let answer = json!({"entity": "account", "fields": {"name": "Company name"},
        "answers": {"key": "Bar"}});
    world.post(&path, answer).await;
    let ids: Vec<_> = world.accounts().await.into_iter().map(|it| it.0).collect();
    assert_eq!(ids, ["7", "8"]);
    let proposal = world.get("/api/v1/dcl/proposals/Files/Firms").await;
    assert_eq!(proposal["object"], "firms");
}
