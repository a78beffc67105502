//! A worker that may contact any host: it works off what is queued and says in bytes how much
//! memory that took at most. A process of its own can be measured, and may die.

use platform::{Config, Platform};
use schema::EgressPolicy;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut config = Config::from_env()?;
    config.egress = EgressPolicy::Any;
    let platform = Platform::new(config)?;
    while aam_connect::worker::step(&platform).await? {}
    println!("{}", tests::peak_memory(std::process::id()));
    Ok(())
}
