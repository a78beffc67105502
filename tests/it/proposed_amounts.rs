//! What is proposed for amounts: their magnitudes, signs and currencies.

use serde_json::{Value, json};
use tests::fixtures::own_data::World;
use tests::fixtures::proposals::{choice, proposal_of};

const DEALS: &str = "Deal ID,Deal Name,Deal Stage,Amount";

#[tokio::test]
async fn a_currency_is_never_invented() {
    let world = World::new().await;
    let head = "Opportunity ID,Opportunity Name,Stage,Amount,Amount Currency,Close Date\n";
    let rows = "1,A,Won,10.50,EUR,2024-01-31\n2,B,Won,20.50,,2024-02-29\n";
    world.upload("deals.csv", &format!("{head}{rows}")).await;
    world
        .post(&format!("{}/accept", proposal_of("deals")), json!({}))
        .await;
    let rows = world.view("opportunities?sort=name").await;
    let currencies: Vec<_> = rows.iter().map(|it| &it["currency"]).collect();
    assert_eq!(currencies, [&json!("EUR"), &Value::Null]);
}

#[tokio::test]
async fn the_sign_on_the_amounts_is_their_currency() {
    let world = World::new().await;
    let head = "Deal ID;Deal Name;Deal Stage;Amount\n";
    let rows = "1;A;Won;1.500,00 €\n2;B;Lost;20,50 €\n3;C;Won;7,00 €\n";
    world.upload("deals.csv", &format!("{head}{rows}")).await;
    let path = proposal_of("deals");
    world.post(&format!("{path}/accept"), json!({})).await;
    let rows = world.view("opportunities?sort=name").await;
    assert!(
        rows.iter().all(|it| it["currency"] == "EUR") && rows.len() == 3,
        "{rows:?}"
    );
}

#[tokio::test]
async fn magnitudes_are_asked_and_multiplied_exactly() {
    let world = World::new().await;
    let file = format!("{DEALS}\n1,A,Won,1.2M\n2,B,Won,500k\n3,C,Won,7\n");
    world.upload("deals.csv", &file).await;
    let path = proposal_of("deals");
    let asked = world.get(&path).await["questions"][0].clone();
    assert_eq!(asked["id"], "format:Amount", "{asked}");
    let times = choice(&asked, "`M` is times 1,000,000");
    let answers = json!({"answers": {"format:Amount": times}});
    world.post(&format!("{path}/accept"), answers).await;
    let rows = world.view("opportunities?sort=name").await;
    let amounts: Vec<_> = rows.iter().map(|it| it["amount"].to_string()).collect();
    assert_eq!(amounts, ["1200000", "500000", "7"]);
}

#[tokio::test]
async fn the_sign_on_one_amount_is_not_the_currency_of_the_others() {
    let world = World::new().await;
    let file = format!("{DEALS}\n1,A,Won,€5.00\n2,B,Won,6.00\n3,C,Won,7.00\n");
    world.upload("deals.csv", &file).await;
    let path = proposal_of("deals");
    let asked = world.get(&path).await["questions"].clone();
    assert_eq!(asked[0]["id"], "currency", "{asked}");
    let answers = json!({"answers": {"currency": "none"}});
    world.post(&format!("{path}/accept"), answers).await;
    let rows = world.view("opportunities?sort=name").await;
    let currencies: Vec<_> = rows.iter().map(|it| &it["currency"]).collect();
    assert_eq!(currencies, [&json!("EUR"), &Value::Null, &Value::Null]);
}

#[tokio::test]
async fn a_sign_that_contradicts_the_column_is_asked() {
    let world = World::new().await;
    let file = format!("{DEALS},Currency\n1,A,Won,€5.00,USD\n2,B,Won,€6.00,EUR\n");
    world.upload("deals.csv", &file).await;
    let path = proposal_of("deals");
    let asked = world.get(&path).await["questions"].clone();
    assert_eq!(asked[0]["id"], "currency", "{asked}");
    let answers = json!({"answers": {"currency": "sign"}});
    world.post(&format!("{path}/accept"), answers).await;
    let rows = world.view("opportunities?sort=name").await;
    assert!(rows.iter().all(|it| it["currency"] == "EUR"), "{rows:?}");
}

#[tokio::test]
async fn each_amount_keeps_its_own_currency() {
    let world = World::new().await;
    let file = format!("{DEALS}\n1,A,Won,€ 5.00\n2,B,Won,$7.50\n3,C,Won,£ 9.00\n");
    world.upload("deals.csv", &file).await;
    let path = proposal_of("deals");
    let asked = world.get(&path).await["questions"][0].clone();
    let all = choice(&asked, "each in the currency of its own sign");
    let answers = json!({"answers": {"format:Amount": all}});
    world.post(&format!("{path}/accept"), answers).await;
    let rows = world.view("opportunities?sort=name").await;
    let currencies: Vec<_> = rows.iter().map(|it| &it["currency"]).collect();
    assert_eq!(currencies, [&json!("EUR"), &Value::Null, &json!("GBP")]);
}
