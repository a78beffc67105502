//! What AWS says of costs: files with many lines for one resource, which are written anew.

use serde_json::{Value, json};
use tests::fixtures::own_data::World;

const COLUMNS: &str = "identity/LineItemId,lineItem/UsageAccountId,lineItem/LineItemType,\
    lineItem/UsageStartDate,lineItem/ProductCode,lineItem/UsageType,lineItem/Operation,\
    lineItem/ResourceId,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedCost,\
    lineItem/LineItemDescription,product/region\n";

/// Three hours of one instance, the second at two rates, and the tax. AWS gives each line another
/// id in each delivery.
fn report(delivery: &str, cost: &str) -> String {
    let line = |kind: &str, hour: u8, rate: &str, cost: &str| {
        format!(
            "{delivery}{hour}{rate},111122223333,{kind},2026-06-01T0{hour}:00:00Z,AmazonEC2,\
             BoxUsage:t3.micro,RunInstances,i-0abc1234def567890,1,USD,{cost},{rate} per hour,us-east-1\n"
        )
    };
    let lines = [
        line("Usage", 0, "$0.01", "0.01"),
        line("Usage", 1, "$0.01", "0.005"),
        line("Usage", 1, "$0.02", cost),
        line("Usage", 2, "$0.01", "0.01"),
        line("Tax", 0, "VAT", "0.007"),
    ];
    format!("{COLUMNS}{}", lines.concat())
}

async fn costs(world: &World) -> Vec<String> {
    let page = world
        .get("/api/v1/dcl/views/cost_reports?sort=cost&limit=100")
        .await;
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|it| it["cost"].to_string()).collect()
}

async fn upload(world: &World, name: &str, file: &str) -> Value {
    let file = world.upload(name, file).await;
    if let Some(path) = file["proposal"].as_str() {
        world.post(&format!("{path}/accept"), json!({})).await;
    }
    file
}

#[tokio::test]
async fn each_line_of_a_cost_and_usage_report_is_a_record_and_a_month_written_anew_replaces_it() {
    let world = World::new().await;
    upload(&world, "cur-00001.csv", &report("a", "0.01")).await;
    assert_eq!(
        costs(&world).await,
        ["0.005", "0.007", "0.01", "0.01", "0.01"]
    );
    let again = upload(&world, "cur-00001.csv", &report("b", "0.03")).await;
    assert_eq!(again["quarantined"], 0, "{again}");
    assert_eq!(
        costs(&world).await,
        ["0.005", "0.007", "0.01", "0.01", "0.03"]
    );
    let hour = "/api/v1/dcl/views/cost_reports?period_start[gte]=2026-06-01T02:00:00Z";
    let page = world.get(hour).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page}");
}

#[tokio::test]
async fn a_table_of_cost_explorer_becomes_a_record_per_service_and_month() {
    let world = World::new().await;
    let file = "Service,\"S3($)\",\"EC2-Instances($)\",\"Total costs($)\"\n\
        Service total,3.5,0.25,3.75\n2026-06-01,1.5,,1.5\n2026-07-01,2,0.25,2.25\n";
    let file = upload(&world, "costs.csv", file).await;
    assert_eq!(
        (&file["rows_read"], &file["quarantined"]),
        (&json!(3), &json!(0)),
        "{file}"
    );
    assert_eq!(costs(&world).await, ["0.25", "1.5", "2"]);
}
