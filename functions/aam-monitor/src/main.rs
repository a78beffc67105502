#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::main("aam-monitor", |platform| {
        Ok(aam_monitor::routes(platform.clone()))
    })
    .await
}
