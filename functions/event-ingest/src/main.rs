#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::main("event-ingest", |platform| {
        Ok(event_ingest::routes(platform.clone()))
    })
    .await
}
