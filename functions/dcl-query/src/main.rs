#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::main("dcl-query", |platform| {
        Ok(dcl_query::routes(platform.clone()))
    })
    .await
}
