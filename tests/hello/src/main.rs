//! The least that a function behind API Gateway can be: what the functions' start is compared with.

use lambda_http::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(async |_| Ok::<_, Error>("hello"))).await
}
