#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::main("auth", |platform| Ok(auth::routes(platform.clone()))).await
}
