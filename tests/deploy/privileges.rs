//! What the functions' roles let them do.

use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_secretsmanager::{Client, Config};

use platform::aws::Transport;

use crate::deployment::Deployment;
use crate::ministack::variable;

pub(crate) async fn a_function_reads_its_own_secret_and_no_other(deployment: &Deployment) {
    let cases = [
        ("-auth", "AuthSecret", true),
        ("-auth", "DclQuerySecret", false),
        ("-dcl-query", "DclQuerySecret", true),
        ("-dcl-query", "AuthSecret", false),
        ("-event-ingest", "AuthSecret", false),
        ("-event-ingest", "ApiLoginSecret", true),
        ("-event-ingest", "WorkerLoginSecret", false),
    ];
    for (function, secret, allowed) in cases {
        let answer = read(deployment, function, secret).await;
        match &answer {
            Ok(()) => assert!(allowed, "{function} reads {secret}"),
            Err(error) => assert!(
                !allowed && error.contains("AccessDenied"),
                "{function} reads {secret}: {error}"
            ),
        }
    }
}

/// Reads a secret with the credentials that a running function has.
async fn read(deployment: &Deployment, function: &str, secret: &str) -> Result<(), String> {
    let processes = deployment.ministack.processes(function);
    let process = *processes
        .first()
        .unwrap_or_else(|| panic!("no {function} runs"));
    let get = |name| variable(process, name).unwrap_or_else(|| panic!("{function} has no {name}"));
    let credentials = Credentials::new(
        get("AWS_ACCESS_KEY_ID"),
        get("AWS_SECRET_ACCESS_KEY"),
        Some(get("AWS_SESSION_TOKEN")),
        None,
        "a function",
    );
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&deployment.ministack.endpoint)
        .region(Region::new(get("AWS_REGION")))
        .credentials_provider(credentials)
        .http_client(Transport::new().expect("certificate authorities"))
        .build();
    let call = Client::from_conf(config).get_secret_value();
    let answer = call.secret_id(deployment.stack.resource(secret)).send();
    match answer.await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{error:?}")),
    }
}
