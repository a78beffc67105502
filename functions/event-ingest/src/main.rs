#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::consume("event-ingest", |platform, _| {
        let routes = event_ingest::routes(platform.clone());
        Ok((routes, event_ingest::messages(platform.clone())))
    })
    .await
}
