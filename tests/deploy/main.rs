//! The deployment: the template that goes to AWS, with the programs that go there, on an AWS of
//! this machine.
//!
//! All steps of [`the_template_deploys_what_works`] share one stack, as making it takes longer than
//! most of them.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod aws;
mod deployment;
mod events;
mod gateway;
mod jobs;
mod journey;
mod ministack;
mod privileges;
mod queue;
mod signing;
mod stack;
mod wait;
mod watch;

use deployment::Deployment;

macro_rules! steps {
    ($deployment:ident: $($step:path),* $(,)?) => {
        $(
            let begin = std::time::Instant::now();
            $step(&$deployment).await;
            eprintln!("{:6.1?} {}", begin.elapsed(), stringify!($step));
        )*
    };
}

#[tokio::test]
async fn the_template_deploys_what_works() {
    let deployment = Deployment::start().await;
    steps! { deployment:
        journey::a_file_is_connected_uploaded_and_queried,
        journey::another_tenant_finds_nothing,
        events::events_of_the_queue_reach_the_views,
        events::a_poison_message_ends_alone_with_the_dead_letters,
        events::a_batch_whose_function_is_killed_takes_effect_once,
        jobs::a_job_is_announced_and_worked_on,
        jobs::the_sweep_takes_up_a_job_whose_worker_was_killed,
        privileges::a_function_reads_its_own_secret_and_no_other,
        signing::no_request_fails_while_the_signing_key_rotates,
    }
}
