//! `cargo run -- demo`: the main job from end to end, over HTTP, with what happened in words.

mod client;
mod foreign;
mod report;
mod sample;

use std::path::Path;

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use client::Client;
use report::Report;
use sample::File;

use crate::start::{DEMO_EMAIL, DEMO_PASSWORD};

const VIEWS: [&str; 5] = [
    "accounts",
    "opportunities",
    "contacts",
    "aws_resources",
    "cost_reports",
];

/// Whether a platform answers at the address.
pub async fn is_running(base: &str) -> bool {
    Client::new(base.to_owned()).is_alive().await
}

/// What is to be shown.
pub struct Demo {
    files: Vec<File>,
    /// The later version of one of the files, where they are the sample.
    later: Option<File>,
}

impl Demo {
    /// With the sample, or with the user's own files where there is a directory.
    pub fn new(directory: Option<&Path>) -> anyhow::Result<Demo> {
        Ok(match directory {
            Some(directory) => Demo {
                files: read(directory)?,
                later: None,
            },
            None => Demo {
                files: sample::first(),
                later: Some(sample::second()),
            },
        })
    }

    /// Runs against the platform at `base`, as its demo tenant. Prints as it goes, or one JSON object
    /// at the end. What an earlier run has stored is replaced.
    ///
    /// # Errors
    /// The first step that did not do what it says.
    pub async fn run(&self, base: &str, as_json: bool) -> anyhow::Result<()> {
        let mut report = Report::new(as_json);
        let mut client = Client::new(base.to_owned());
        sign_in(&mut client, &mut report).await?;
        let connection = connect(&client, &mut report).await?;
        let mut results = ingest(&client, &mut report, &connection, &self.files).await?;
        let mut answers: &[(&str, &str)] = &[];
        if self.later.is_some() {
            results = foreign::upload(&client, &mut report, &connection).await?;
            answers = foreign::ANSWERS;
        }
        foreign::map(&client, &mut report, &results, answers).await?;
        let counts = count(&client, &mut report).await?;
        if self.later.is_some() {
            foreign::query(&client, &mut report).await?;
        }
        if counts["accounts"].as_u64() > Some(0) {
            query(&client, &mut report).await?;
            provenance(&client, &mut report).await?;
        }
        again(&client, &mut report, &connection, &self.files).await?;
        if let Some(later) = &self.later {
            drift(&client, &mut report, &connection, later).await?;
        }
        report.finish();
        Ok(())
    }
}

/// What to do next, with the rows that the demo has left at the platform of that address.
pub fn next_steps(base: &str) -> String {
    let login = json!({ "email": DEMO_EMAIL, "password": DEMO_PASSWORD });
    format!(
        "See the rows on {base}/docs: log in there as {DEMO_EMAIL} / {DEMO_PASSWORD}\n\
         \nOr ask for them here:\n\
         \n  T=\"authorization: Bearer $(curl -s {base}/api/v1/auth/login \\\
         \n    -H 'content-type: application/json' -d '{login}' \\\
         \n    | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')\"\
         \n  curl -gH \"$T\" '{base}/api/v1/dcl/views/accounts?name[ilike]=%25steel%25&sort=name'\
         \n  curl -gH \"$T\" '{base}/api/v1/dcl/views/opportunities?sort=-amount&limit=3'"
    )
}

/// The CSV and TSV files of a directory, by name.
fn read(directory: &Path) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    let entries = directory.read_dir().with_context(|| {
        format!(
            "reading {}: --dir takes a folder of CSV files",
            directory.display()
        )
    })?;
    for entry in entries {
        let path = entry?.path();
        let wanted = path
            .extension()
            .is_some_and(|it| it == "csv" || it == "tsv");
        if wanted {
            let content =
                std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            files.push(File { name, content });
        }
    }
    ensure!(
        !files.is_empty(),
        "{} has no CSV or TSV file: put some there, of any name",
        directory.display()
    );
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

async fn sign_in(client: &mut Client, report: &mut Report) -> anyhow::Result<()> {
    let login = json!({ "email": DEMO_EMAIL, "password": DEMO_PASSWORD });
    let session = client
        .post("/api/v1/auth/login", &login, StatusCode::OK)
        .await
        .context(
            "the demo login is not let in: where its password was changed or its tenant deleted, \
             `cargo run -- reset` makes it anew",
        )?;
    client.sign_in(&text(&session, "/access_token")?);
    let minutes = session["expires_in"].as_u64().unwrap_or_default() / 60;
    let said = format!("as {DEMO_EMAIL}, for {minutes} minutes");
    report.step("Log in", &said, "user", json!(DEMO_EMAIL));
    let me = client.get("/api/v1/auth/me", &[]).await?;
    report.note("tenant", me["tenant_id"].clone());
    Ok(())
}

/// Deletes the connection of an earlier run, with its records.
async fn clear(client: &Client, name: &str) -> anyhow::Result<()> {
    let path = "/api/v1/aam/connections";
    let list = client.get(path, &[("limit", "1000")]).await?;
    let mut all = list["connections"].as_array().into_iter().flatten();
    if let Some(old) = all.find(|it| it["name"] == name) {
        let id = text(old, "/id")?;
        client.delete(&format!("{path}/{id}")).await?;
    }
    Ok(())
}

async fn connect(client: &Client, report: &mut Report) -> anyhow::Result<String> {
    const NAME: &str = "Demo files";
    clear(client, NAME).await?;
    let new = json!({ "name": NAME, "source_type": "filesource", "connector_config": {} });
    let connection = client
        .post("/api/v1/aam/connections", &new, StatusCode::CREATED)
        .await?;
    ensure!(
        connection["status"] == "ACTIVE",
        "the connection is {}",
        connection["status"]
    );
    let id = text(&connection, "/id")?;
    report.step(
        "Create a FileSource connection",
        &format!("{id}, ACTIVE"),
        "connection",
        json!(id),
    );
    Ok(id)
}

async fn ingest(
    client: &Client,
    report: &mut Report,
    connection: &str,
    files: &[File],
) -> anyhow::Result<Vec<Value>> {
    let answer = client.upload(connection, files).await?;
    let results = answer["files"]
        .as_array()
        .context("the upload names no files")?;
    ensure!(
        results.len() == files.len(),
        "{} of {} files",
        results.len(),
        files.len()
    );
    let total = accounted(&answer)?;
    report.step(
        "Upload and ingest",
        &format!(
            "{}: {} files, {} rows read: {} written, {} unchanged, {} quarantined",
            answer["status"].as_str().unwrap_or_default(),
            files.len(),
            total["rows_read"],
            total["written"],
            total["unchanged"],
            total["quarantined"],
        ),
        "ingest",
        answer.clone(),
    );
    for file in results {
        report.row(&format!(
            "{:<34} {:>4} rows {:>4} written {:>3} quarantined{}",
            file["file"].as_str().unwrap_or_default(),
            file["rows_read"],
            file["written"],
            file["quarantined"],
            file["error"]
                .as_str()
                .map(|it| format!("  {it}"))
                .unwrap_or_default(),
        ));
    }
    ensure!(
        answer["status"] != "failed",
        "no row of any file was accepted: {}",
        results[0]["error"].as_str().unwrap_or_default()
    );
    let waits = total["quarantined"].as_u64().unwrap_or_default();
    quarantine(client, report, connection, waits).await?;
    Ok(results.clone())
}

async fn quarantine(
    client: &Client,
    report: &mut Report,
    connection: &str,
    expected: u64,
) -> anyhow::Result<()> {
    let path = format!("/api/v1/aam/connections/{connection}/quarantine");
    let quarantine = client.get(&path, &[("limit", "1000")]).await?;
    let waiting = quarantine["records"]
        .as_array()
        .context("the quarantine lists no records")?;
    // The same bad row twice waits once.
    ensure!(
        waiting.is_empty() == (expected == 0),
        "{expected} rows were quarantined but {} are in quarantine",
        waiting.len()
    );
    report.note("quarantine", json!(waiting));
    for record in waiting {
        report.row(&format!(
            "quarantined: {} line {}: {}{}",
            record["object"].as_str().unwrap_or_default(),
            record["line"],
            record["field"]
                .as_str()
                .map(|it| format!("{it}: "))
                .unwrap_or_default(),
            record["reason"].as_str().unwrap_or_default(),
        ));
    }
    Ok(())
}

/// The totals of an upload, after proving that they account for each row.
fn accounted(answer: &Value) -> anyhow::Result<&Value> {
    let total = &answer["total"];
    let count = |name: &str| {
        total[name]
            .as_u64()
            .with_context(|| format!("no count of {name}"))
    };
    let ended = count("written")? + count("unchanged")? + count("stale")? + count("quarantined")?;
    let read = count("rows_read")?;
    ensure!(
        read == ended,
        "{read} rows were read, {ended} are accounted for"
    );
    Ok(total)
}

async fn count(client: &Client, report: &mut Report) -> anyhow::Result<Value> {
    let mut counts = json!({});
    for view in VIEWS {
        let page = client
            .get(&format!("/api/v1/dcl/views/{view}"), &[("limit", "1")])
            .await?;
        counts[view] = page["meta"]["total"].clone();
    }
    let list: Vec<_> = VIEWS
        .iter()
        .map(|it| format!("{} {it}", counts[it]))
        .collect();
    report.step(
        "Count the entities",
        &list.join(", "),
        "counts",
        counts.clone(),
    );
    Ok(counts)
}

async fn query(client: &Client, report: &mut Report) -> anyhow::Result<()> {
    let query = [
        ("name[ilike]", "%r%"),
        ("sort", "-updated_at,name"),
        ("limit", "5"),
    ];
    let page = client.get("/api/v1/dcl/views/accounts", &query).await?;
    let rows = page["data"].as_array().context("the view has no data")?;
    for row in rows {
        let name = text(row, "/name")?.to_lowercase();
        ensure!(name.contains('r'), "the filter let `{name}` through");
    }
    let said = "name like %r%, latest change first";
    report.step("Query the unified accounts", said, "query", json!(rows));
    for row in rows {
        report.row(&format!(
            "{:<28} {:<14} {:<12} {}",
            row["name"].as_str().unwrap_or_default(),
            row["industry"].as_str().unwrap_or("-"),
            row["source_system"].as_str().unwrap_or_default(),
            row["updated_at"].as_str().unwrap_or("-"),
        ));
    }
    Ok(())
}

async fn provenance(client: &Client, report: &mut Report) -> anyhow::Result<()> {
    let page = client
        .get("/api/v1/dcl/views/accounts", &[("limit", "1")])
        .await?;
    let row = &page["data"][0];
    let (connection, object, id) = (
        text(row, "/source_connection_id")?,
        text(row, "/source_object")?,
        text(row, "/source_id")?,
    );
    let query = [
        ("connection_id", &*connection),
        ("object", &*object),
        ("source_id", &*id),
    ];
    let record = client
        .get("/api/v1/dcl/views/accounts/record", &query)
        .await?;
    let fields = record["provenance"]["fields"]
        .as_array()
        .context("no provenance of fields")?;
    let name = text(row, "/name")?;
    let said = format!(
        "{name}: {object} {id}, mapping version {}",
        record["provenance"]["mapping_version"]
    );
    report.step(
        "Show where a record comes from",
        &said,
        "provenance",
        record.clone(),
    );
    for field in fields {
        report.row(&format!(
            "{:<12} <- {:<20} {}",
            field["field"].as_str().unwrap_or_default(),
            field["sources"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(", "),
            field["raw"],
        ));
    }
    Ok(())
}

async fn again(
    client: &Client,
    report: &mut Report,
    connection: &str,
    files: &[File],
) -> anyhow::Result<()> {
    let answer = client.upload(connection, files).await?;
    let total = accounted(&answer)?;
    ensure!(
        total["written"] == 0,
        "{} rows were written a second time",
        total["written"]
    );
    let said = format!(
        "{} unchanged, {} written",
        total["unchanged"], total["written"]
    );
    report.step("Upload the same files again", &said, "again", total.clone());
    Ok(())
}

async fn drift(
    client: &Client,
    report: &mut Report,
    connection: &str,
    later: &File,
) -> anyhow::Result<()> {
    let answer = client
        .upload(connection, std::slice::from_ref(later))
        .await?;
    accounted(&answer)?;
    let query = [("connection_id", connection), ("status", "open")];
    let found = client.get("/api/v1/aam/drift", &query).await?;
    let events = found["drift_events"]
        .as_array()
        .context("no list of drifts")?;
    let [event] = &events[..] else {
        anyhow::bail!("{} drifts instead of one", events.len())
    };
    let changes = event["changes"]
        .as_array()
        .context("a drift without changes")?;
    let seen: Vec<_> = changes
        .iter()
        .map(|it| {
            (
                it["kind"].as_str().unwrap_or_default(),
                it["path"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let renamed =
        seen.contains(&("removed", "hs_industry")) && seen.contains(&("added", "industry_segment"));
    ensure!(renamed, "the renamed column was not found in {seen:?}");
    let said = format!(
        "version {} -> {} of {}, severity {}",
        event["from_version"],
        event["to_version"],
        event["object"].as_str().unwrap_or_default(),
        event["severity"].as_str().unwrap_or_default(),
    );
    report.step(
        "Upload a version with a renamed column",
        &said,
        "drift",
        event.clone(),
    );
    for change in changes {
        report.row(&format!(
            "{:<10} {:<20} {}",
            change["kind"].as_str().unwrap_or_default(),
            change["path"].as_str().unwrap_or_default(),
            change["severity"].as_str().unwrap_or_default(),
        ));
    }
    Ok(())
}

fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("the answer has no {pointer}: {value}"))
}
