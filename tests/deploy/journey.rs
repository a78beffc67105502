//! From signing in to the view of one's records.

use axum::http::StatusCode;
use serde_json::json;
use tests::app::PASSWORD;

use crate::deployment::Deployment;

pub(crate) async fn a_file_is_connected_uploaded_and_queried(deployment: &Deployment) {
    let api = &deployment.api;
    let credentials = json!({ "email": deployment.person.email, "password": PASSWORD });
    let session = api.post("/api/v1/auth/login", None, credentials).await;
    assert_eq!(session.status, StatusCode::OK, "{session}");
    let token = session.json()["access_token"].as_str().unwrap().to_owned();

    let content = "account_id,name\n1,One\n2,Two\n".to_owned();
    let uploaded = api.upload(&token, ("accounts_crm.csv", content)).await;
    assert_eq!(uploaded.status, StatusCode::OK, "{uploaded}");
    assert_eq!(uploaded.json()["total"]["written"], 2, "{uploaded}");

    let path = "/api/v1/dcl/views/accounts?sort=name";
    let view = api.get(path, token.as_str()).await;
    assert_eq!(view.status, StatusCode::OK, "{view}");
    let rows = view.json()["data"].take();
    let rows = rows.as_array().unwrap().iter();
    assert_eq!(
        rows.map(|it| &it["name"]).collect::<Vec<_>>(),
        ["One", "Two"]
    );

    let event = json!({
        "source": { "system": "crm", "connection_id": deployment.connection },
        "entity": "account",
        "op": "upsert",
        "data": { "account_id": "2", "name": "Two and a half" },
    });
    let taken = api.post("/api/v1/events", token.as_str(), event).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken}");
    assert_eq!(taken.json()["accepted"], 1, "{taken}");
    let view = api.get(path, token.as_str()).await.json();
    assert_eq!(view["data"][1]["name"], "Two and a half", "{view}");
}

pub(crate) async fn another_tenant_finds_nothing(deployment: &Deployment) {
    let api = &deployment.api;
    let other = api.register("Other Ltd").await;
    let path = format!("/api/v1/aam/connections/{}", deployment.connection);
    let answers = [
        (Some(deployment.person.token.as_str()), StatusCode::OK),
        (Some(other.token.as_str()), StatusCode::NOT_FOUND),
        (None, StatusCode::UNAUTHORIZED),
    ];
    for (token, expected) in answers {
        let answer = api.get(&path, token).await;
        assert_eq!(answer.status, expected, "{answer}");
    }
    let view = api
        .get("/api/v1/dcl/views/accounts", other.token.as_str())
        .await;
    assert_eq!(view.json()["meta"]["total"], 0, "{view}");
}
