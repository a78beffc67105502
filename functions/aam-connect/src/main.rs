#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::main("aam-connect", |platform| {
        Ok(aam_connect::routes(platform.clone()))
    })
    .await
}
