//! Exports that no shipped mapping knows: kept as they are, understood, and queried with the others.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::client::Client;
use super::report::Report;
use super::sample::File;
use super::text;

/// How long a replay of a few rows may take.
const PATIENCE: u32 = 240;
const PAUSE: Duration = Duration::from_millis(250);

/// Uploads two exports as they are. Every row must be kept.
pub(super) async fn upload(
    client: &Client,
    report: &mut Report,
    connection: &str,
) -> anyhow::Result<Vec<Value>> {
    let answer = client.upload(connection, &files()).await?;
    let total = &answer["total"];
    ensure!(
        total["written"] == total["rows_read"],
        "{} of {} rows were kept",
        total["written"],
        total["rows_read"]
    );
    let results = answer["files"]
        .as_array()
        .context("the upload names no files")?;
    let said = format!(
        "{} files, {} rows kept as they are",
        results.len(),
        total["written"]
    );
    report.step(
        "Upload exports as they are",
        &said,
        "exports",
        answer.clone(),
    );
    Ok(results.clone())
}

/// Shows what the platform takes each unmapped file for, and accepts what leaves nothing open.
/// `answers` are given where a question is asked. Says how many objects were mapped.
pub(super) async fn map(
    client: &Client,
    report: &mut Report,
    files: &[Value],
    answers: &[(&str, &str)],
) -> anyhow::Result<usize> {
    let unmapped: Vec<_> = files
        .iter()
        .filter(|it| it["proposal"].is_string())
        .collect();
    if unmapped.is_empty() {
        return Ok(0);
    }
    let said = format!(
        "{} files have headers that no mapping knows",
        unmapped.len()
    );
    let mut shown = Vec::new();
    let mut mapped = 0;
    report.step(
        "Understand foreign files",
        &said,
        "foreign",
        json!(unmapped.len()),
    );
    for file in unmapped {
        let path = text(file, "/proposal")?;
        let proposal = client.get(&path, &[]).await?;
        describe(report, file, &proposal);
        mapped += usize::from(accept(client, report, &path, &proposal, answers).await?);
        shown.push(proposal);
    }
    report.note("proposals", json!(shown));
    Ok(mapped)
}

fn describe(report: &mut Report, file: &Value, proposal: &Value) {
    let name = file["file"].as_str().unwrap_or_default();
    let likely = &proposal["entities"][0];
    let mut questions = proposal["questions"].as_array().into_iter().flatten();
    let id = match questions.any(|it| it["id"] == "key") {
        true => "not known".to_owned(),
        false => list(&proposal["keys"][0]["fields"]),
    };
    report.row(&format!(
        "{name}: {} ({}), id {id}",
        proposal["entity"].as_str().unwrap_or("unknown"),
        percent(&likely["probability"]),
    ));
    let fields = proposal["fields"].as_array().into_iter().flatten();
    for field in fields.filter(|it| it["filled_in"] == true) {
        report.row(&format!(
            "  {:<14} <- {:<22} {:>6}  {}",
            field["target"].as_str().unwrap_or_default(),
            field["source"].as_str().unwrap_or_default(),
            percent(&field["probability"]),
            transforms(&field["transforms"]),
        ));
    }
}

/// Accepts the proposal, with the answers that are known. A question that stays open is shown.
async fn accept(
    client: &Client,
    report: &mut Report,
    path: &str,
    proposal: &Value,
    answers: &[(&str, &str)],
) -> anyhow::Result<bool> {
    let mut said = json!({});
    for question in proposal["questions"].as_array().into_iter().flatten() {
        let id = question["id"].as_str().unwrap_or_default();
        report.row(&format!(
            "  asked: {}",
            question["question"].as_str().unwrap_or_default()
        ));
        for choice in question["choices"].as_array().into_iter().flatten() {
            report.row(&format!(
                "    {}: {}",
                choice["id"].as_str().unwrap_or_default(),
                choice["meaning"].as_str().unwrap_or_default(),
            ));
        }
        let Some((_, answer)) = answers.iter().find(|it| it.0 == id) else {
            report.row(&format!("  open: answer it with POST {path}/accept"));
            return Ok(false);
        };
        report.row(&format!("  answered: {answer}"));
        said[id] = json!(answer);
    }
    let accepted = client
        .post(
            &format!("{path}/accept"),
            &json!({ "answers": said }),
            StatusCode::CREATED,
        )
        .await?;
    let job = text(&accepted, "/replay/job_id")?;
    finish(client, &job).await?;
    Ok(true)
}

/// Waits until what is stored has followed the mapping.
async fn finish(client: &Client, job: &str) -> anyhow::Result<()> {
    for _ in 0..PATIENCE {
        let task = client.get(&format!("/api/v1/tasks/{job}"), &[]).await?;
        match task["status"].as_str().context("a task has no status")? {
            "success" => return Ok(()),
            "queued" | "in_progress" => tokio::time::sleep(PAUSE).await,
            status => bail!("the replay is {status}: {}", task["error"]),
        }
    }
    bail!("the replay {job} takes longer than a minute: see GET /api/v1/tasks/{job}")
}

/// Asks for the accounts of all systems together.
pub(super) async fn query(client: &Client, report: &mut Report) -> anyhow::Result<()> {
    let query = [
        ("industry[ilike]", "%steel%"),
        ("sort", "name"),
        ("limit", "10"),
    ];
    let page = client.get("/api/v1/dcl/views/accounts", &query).await?;
    let rows = page["data"].as_array().context("the view has no data")?;
    let objects: std::collections::BTreeSet<_> = rows
        .iter()
        .filter_map(|it| it["source_object"].as_str())
        .collect();
    ensure!(1 < objects.len(), "the accounts are of {objects:?} alone");
    let said = format!(
        "industry like %steel%: {} accounts of {} objects",
        rows.len(),
        objects.len()
    );
    report.step("Query them together", &said, "together", json!(rows));
    for row in rows {
        report.row(&format!(
            "{:<28} {:<16} {:<34} {}",
            row["name"].as_str().unwrap_or_default(),
            row["industry"].as_str().unwrap_or("-"),
            row["source_object"].as_str().unwrap_or_default(),
            row["created_at"].as_str().unwrap_or("-"),
        ));
    }
    Ok(())
}

/// The files of the sample.
fn files() -> Vec<File> {
    let file = |name: &str, content: &[u8]| File {
        name: name.to_owned(),
        content: content.to_vec(),
    };
    vec![
        file(
            "crm-exports-all-companies-2024-05-02.csv",
            include_bytes!("sample/crm-exports-all-companies-2024-05-02.csv"),
        ),
        file("Kunden.csv", include_bytes!("sample/Kunden.csv")),
    ]
}

/// What a person answers of them: the export of companies writes the month first.
pub(super) const ANSWERS: &[(&str, &str)] = &[("format:Create Date", "2")];

fn percent(value: &Value) -> String {
    format!("{:.1} %", 100.0 * value.as_f64().unwrap_or_default())
}

fn list(value: &Value) -> String {
    let words = value.as_array().into_iter().flatten();
    words
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join(" + ")
}

fn transforms(value: &Value) -> String {
    let all = value.as_array().into_iter().flatten();
    let shown = all.filter(|it| it["kind"] != "trim").map(Value::to_string);
    shown.collect::<Vec<_>>().join(" ")
}
