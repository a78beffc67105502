//! From a new organisation to the view of its records.

use axum::http::StatusCode;
use serde_json::json;
use tests::app::{PASSWORD, Person};

use crate::Deployment;

const ACCOUNTS: &str = "/api/v1/dcl/views/accounts";

/// Connects the organisation's files; gives the connection's id.
pub(crate) async fn connect(deployment: &Deployment, person: &Person) -> String {
    let new = json!({ "name": "Files", "source_type": "FileSource", "connector_config": {} });
    let answer = deployment
        .api
        .post("/api/v1/aam/connections", person.token.as_str(), new)
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn a_file_is_connected_uploaded_and_queried(deployment: &Deployment) {
    let api = &deployment.api;
    let person = api.register("Journey Ltd").await;
    let credentials = json!({ "email": person.email, "password": PASSWORD });
    let session = api.post("/api/v1/auth/login", None, credentials).await;
    assert_eq!(session.status, StatusCode::OK, "{session}");
    let token = session.json()["access_token"].as_str().unwrap().to_owned();

    connect(deployment, &person).await;
    let file = ("accounts_crm.csv", "account_id,name\n1,One\n2,Two\n");
    let uploaded = api.upload(&token, (file.0, file.1.to_owned())).await;
    assert_eq!(uploaded.status, StatusCode::OK, "{uploaded}");
    assert_eq!(uploaded.json()["total"]["written"], 2, "{uploaded}");

    let view = api
        .get(&format!("{ACCOUNTS}?sort=name"), token.as_str())
        .await;
    assert_eq!(view.status, StatusCode::OK, "{view}");
    let names: Vec<_> = view.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(names, ["One", "Two"]);
}

pub(crate) async fn another_tenant_finds_nothing(deployment: &Deployment) {
    let api = &deployment.api;
    let (owner, other) = (
        api.register("Owner Ltd").await,
        api.register("Other Ltd").await,
    );
    let connection = connect(deployment, &owner).await;
    let path = format!("/api/v1/aam/connections/{connection}");
    let answers = [(&owner, StatusCode::OK), (&other, StatusCode::NOT_FOUND)];
    for (person, expected) in answers {
        let answer = api.get(&path, person.token.as_str()).await;
        assert_eq!(answer.status, expected, "{answer}");
    }
    let nobody = api.get(&path, None).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{nobody}");
}
