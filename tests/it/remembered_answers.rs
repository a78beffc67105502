//! What a tenant said of a file, as evidence for its next one.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::fixtures::files::{form_field, multipart_form, send_form};
use tests::fixtures::own_data::World;
use tests::fixtures::proposals::{choice, field, proposal_of};

const DEALS: &str = "Deal ID,Deal Name,Deal Stage,Amount";

/// The same system's contacts, created on days that may also be months.
fn ambiguous(month: &str) -> String {
    let mut file = "Contact ID,First Name,Last Name,Email,Created On\n".to_owned();
    for day in 1..=6 {
        let id = format!("{month}{day}");
        file += &format!("c{id},Ann,Bee{id},ann{id}@example.org,0{day}/0{month}/2024\n");
    }
    file
}

#[tokio::test]
async fn what_a_person_refuses_is_not_filled_in_again() {
    let world = World::new().await;
    let file = "Account ID,Account Name,Branche\n1,Acme,Steel\n2,Blue,Law\n";
    world.upload("first.csv", file).await;
    let first = proposal_of("first");
    let refused = json!({"fields": {"industry": null}});
    world.post(&format!("{first}/accept"), refused).await;
    world.upload("second.csv", file).await;
    let second = world.get(&proposal_of("second")).await;
    let industry = field(&second, "industry");
    assert_eq!(industry["filled_in"], false, "{industry}");

    let unknown = json!({"entity": "account", "fields": {"name": "Account Nmae"}});
    let path = format!("{first}/reject");
    let answer = world.app.post(&path, &world.ann, unknown).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert_eq!(answer.json()["errors"][0]["pointer"], "/fields/name");
    let rejected = json!({"entity": "account", "fields": {"name": "Account Name"}});
    world.post(&format!("{first}/reject"), rejected).await;
    let second = world.get(&proposal_of("second")).await;
    let name = field(&second, "name");
    assert_eq!(name["filled_in"], false, "{name}");
    let against = name["reasons_against"].to_string();
    assert!(against.contains("You said"), "{against}");
}

#[tokio::test]
async fn how_a_column_was_read_is_remembered_for_the_next_file_of_the_system() {
    let world = World::new().await;
    let upload = async |object: &str, system: &str, file: &str| {
        let name = format!("{object}.csv");
        let file = multipart_form(&[(name.as_str(), file.as_bytes())]);
        let form = [form_field("system", system), file].concat();
        let answer = send_form(&world.app, &world.ann, form).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        world.get(&proposal_of(&format!("{system}.{object}"))).await
    };
    let asks = |proposal: &Value| proposal["questions"][0]["id"] == "format:Created On";
    let first = upload("people", "sugar", &ambiguous("3")).await;
    assert!(asks(&first), "{}", first["questions"]);
    let question = &first["questions"][0];
    let month_first = choice(question, "month first");
    let answers = json!({ "answers": { "format:Created On": month_first } });
    world
        .post(&format!("{}/accept", proposal_of("sugar.people")), answers)
        .await;

    let next = upload("leads", "sugar", &ambiguous("4")).await;
    assert_eq!(next["questions"], json!([]));
    let created = field(&next, "created_at");
    assert_eq!(
        created["transforms"][0]["formats"],
        json!(["MM/DD/YYYY"]),
        "{created}"
    );
    let note = created["note"].as_str().unwrap();
    assert!(
        note.contains("as you decided before: month first (MM/DD/YYYY)"),
        "{note}"
    );
    // A person may say otherwise, and another system's habits are its own.
    let day_first = choice(question, "day first");
    let answers = json!({ "answers": { "format:Created On": day_first } });
    world
        .post(&format!("{}/accept", proposal_of("sugar.leads")), answers)
        .await;
    let accounts = world.view("contacts?source_id=c41&select=created_at").await;
    assert_eq!(
        accounts[0]["created_at"], "2024-04-01T00:00:00Z",
        "{accounts:?}"
    );
    let other = upload("partners", "vtiger", &ambiguous("5")).await;
    assert!(asks(&other), "{}", other["questions"]);
}

#[tokio::test]
async fn what_was_decided_is_not_taken_where_another_answer_reads_as_much() {
    let world = World::new().await;
    let file = |dates: &[&str]| {
        let rows = dates.iter().enumerate();
        let rows = rows.map(|(at, it)| format!("R{at},D{at},Won,5,{it}\n"));
        format!("{DEALS},Close Date\n{}", rows.collect::<String>())
    };
    world
        .upload("first.csv", &file(&["01/02/2024", "03/04/2024"]))
        .await;
    let path = proposal_of("first");
    let asked = world.get(&path).await["questions"][0].clone();
    let answers = json!({"answers": {"format:Close Date": choice(&asked, "month first")}});
    world.post(&format!("{path}/accept"), answers).await;
    let mixed = [
        "01/02/2024",
        "02/02/2024",
        "03/02/2024",
        "25/04/2024",
        "04/25/2024",
    ];
    world.upload("second.csv", &file(&mixed)).await;
    let asked = world.get(&proposal_of("second")).await["questions"].clone();
    assert_eq!(asked[0]["id"], "format:Close Date", "{asked}");
}
