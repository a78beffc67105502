#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::main("auth", |platform| auth::routes(platform.clone())).await
}
