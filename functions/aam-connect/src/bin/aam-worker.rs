#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::consume("aam-worker", |platform, _| {
        let worker = aam_connect::consumer(platform.clone());
        Ok((Default::default(), worker))
    })
    .await
}
