//! The deployment: the template that goes to AWS, with the programs that go there, on an AWS of
//! this machine.
//!
//! All steps share one stack, as making it takes longer than most of them.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod aws;
mod gateway;
mod journey;
mod ministack;
mod stack;
mod wait;

use aws::Aws;
use gateway::Gateway;
use ministack::MiniStack;
use stack::Stack;
use tests::postgres::{TestDatabase, database};

/// What the steps find.
struct Deployment {
    aws: Aws,
    stack: Stack,
    api: Gateway,
    ministack: MiniStack,
    database: TestDatabase,
}

impl Deployment {
    async fn start() -> Deployment {
        let (ministack, database) = (MiniStack::start().await.unwrap(), database().await);
        let aws = Aws::new(&ministack.endpoint);
        let url = database.url();
        let parameters = [("Architecture", "x86_64"), ("DatabaseUrl", url.as_str())];
        let stack = Stack::create(&aws, &parameters).await;
        let api = Gateway::new(&ministack.endpoint, stack.output("ApiUrl"));
        Deployment {
            aws,
            stack,
            api,
            ministack,
            database,
        }
    }
}

macro_rules! steps {
    ($deployment:ident: $($step:path),* $(,)?) => {
        $(
            eprintln!("step {}", stringify!($step));
            $step(&$deployment).await;
        )*
    };
}

#[tokio::test]
async fn the_template_deploys_what_works() {
    let deployment = Deployment::start().await;
    steps! { deployment:
        journey::a_file_is_connected_uploaded_and_queried,
        journey::another_tenant_finds_nothing,
    }
}
