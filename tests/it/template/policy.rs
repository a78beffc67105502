//! Least privilege, everything encrypted, nothing kept for ever.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{TEMPLATE, all, functions, resources, target, targets, walk};

/// Each statement of a policy, wherever it stands, with the resource it belongs to.
fn statements() -> Vec<(&'static str, &'static Value, &'static Value)> {
    let mut found = vec![];
    for (id, resource) in resources() {
        walk(resource, &mut |it| {
            if !it["Effect"].is_null() {
                found.push((id, resource, it));
            }
        });
    }
    found
}

/// One or many.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => vec![],
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

fn has_star(value: &Value) -> bool {
    let mut star = false;
    walk(value, &mut |it| {
        star |= it.as_str().is_some_and(|it| it.contains('*'));
    });
    star
}

#[test]
fn no_statement_allows_a_family_of_actions() {
    assert!(20 < statements().len(), "the statements are not found");
    for (id, _, statement) in statements() {
        for action in list(&statement["Action"]) {
            assert!(!has_star(action), "{id} allows {action}");
        }
        assert!(statement["NotAction"].is_null(), "{id} allows all but some");
        assert!(
            statement["NotResource"].is_null(),
            "{id} allows it on all but some"
        );
    }
}

#[test]
fn no_statement_reaches_every_resource_without_a_reason() {
    for (id, resource, statement) in statements() {
        let wide = list(&statement["Resource"]).into_iter().any(has_star);
        let reason = resource["Metadata"]["WildcardReason"].as_str();
        assert!(
            !wide || reason.is_some_and(|it| 20 < it.len()),
            "{id} reaches `*` and gives no Metadata.WildcardReason"
        );
        let one = list(&statement["Resource"]).len() <= 1;
        assert!(one, "{id} reaches several resources with one statement");
    }
}

#[test]
fn only_services_may_take_on_a_role() {
    for (id, role) in all("AWS::IAM::Role") {
        let trust = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"];
        for statement in list(trust) {
            assert!(statement["Principal"]["Service"].is_string(), "{id}");
            assert_eq!(statement["Action"], "sts:AssumeRole", "{id}");
        }
    }
}

/// How each type of resource that keeps something is encrypted, and those that keep nothing.
/// A type that is new to the template is refused until it is here.
fn encrypted(kind: &str, properties: &Value) -> Option<bool> {
    let has = |name: &str| !properties[name].is_null();
    let is = |name: &str| properties[name] == Value::Bool(true);
    Some(match kind {
        "AWS::SQS::Queue" => is("SqsManagedSseEnabled"),
        "AWS::SNS::Topic" => has("KmsMasterKeyId"),
        "AWS::Logs::LogGroup" | "AWS::SecretsManager::Secret" => has("KmsKeyId"),
        "AWS::ElastiCache::ServerlessCache" => has("KmsKeyId"),
        "AWS::RDS::DBCluster" => is("StorageEncrypted") && has("KmsKeyId"),
        "AWS::RDS::DBInstance" => has("PerformanceInsightsKMSKeyId"),
        "AWS::RDS::DBProxy" => is("RequireTLS"),
        "AWS::KMS::Key" => is("EnableKeyRotation"),
        "AWS::Serverless::Function" => {
            !TEMPLATE["Globals"]["Function"]["KmsKeyArn"].is_null() && !has("KmsKeyArn")
        }
        kind if KEEPS_NOTHING.iter().any(|it| kind.starts_with(it)) => true,
        _ => return None,
    })
}

const KEEPS_NOTHING: &[&str] = &[
    "AWS::ApiGatewayV2::",
    "AWS::CloudWatch::",
    "AWS::EC2::",
    "AWS::IAM::",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::RDS::DBProxyTargetGroup",
    "AWS::RDS::DBSubnetGroup",
    "AWS::SNS::Subscription",
    "AWS::Scheduler::Schedule",
    "Custom::Tables",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::SecretTargetAttachment",
];

#[test]
fn everything_that_is_kept_is_encrypted() {
    for (id, resource) in resources() {
        let kind = resource["Type"].as_str().unwrap();
        let encrypted = encrypted(kind, &resource["Properties"]);
        let encrypted = encrypted.unwrap_or_else(|| panic!("does {kind} keep something?"));
        assert!(encrypted, "{id} is not encrypted");
    }
}

#[test]
fn every_log_ends() {
    for (id, group) in all("AWS::Logs::LogGroup") {
        let days = &group["Properties"]["RetentionInDays"];
        assert_eq!(days["Ref"], "LogRetentionDays", "{id}");
    }
}

#[test]
fn each_function_has_a_role_and_a_log_of_its_own() {
    let mut roles = BTreeMap::new();
    let mut logs = BTreeSet::new();
    for (name, function) in functions() {
        let role = target(&function.properties["Role"]).unwrap();
        if let Some(other) = roles.insert(role, name) {
            panic!("{name} and {other} share {role}");
        }
        let log = target(&function.properties["LoggingConfig"]["LogGroup"]).unwrap();
        assert!(logs.insert(log), "{name} writes to another's {log}");
        let role = &TEMPLATE["Resources"][role];
        assert!(targets(role).contains(&log), "{name} may not write {log}");
    }
}

#[test]
fn only_auth_reads_the_signing_key() {
    let mut readers = BTreeSet::new();
    for (name, function) in functions() {
        let role = target(&function.properties["Role"]).unwrap();
        let named = [
            targets(function.properties),
            targets(&TEMPLATE["Resources"][role]),
        ];
        if named.concat().contains(&"AuthSecret") {
            readers.insert(name);
        }
    }
    assert_eq!(readers, BTreeSet::from(["auth", "auth-rotate"]));
    // What many roles share names no secret.
    for (id, policy) in all("AWS::IAM::ManagedPolicy") {
        let secret = targets(policy)
            .into_iter()
            .find(|it| it.ends_with("Secret"));
        assert_eq!(secret, None, "{id}");
    }
}

#[test]
fn a_function_reads_its_own_secret_and_its_login_role_s_only() {
    for (name, function) in functions() {
        let logins = match name {
            "auth-rotate" => continue,
            "migrate" => &[
                "DatabaseSecret",
                "AuthLoginSecret",
                "ApiLoginSecret",
                "WorkerLoginSecret",
            ][..],
            "auth" => &["AuthLoginSecret"],
            "aam-worker" => &["WorkerLoginSecret"],
            _ => &["ApiLoginSecret"],
        };
        // Only migrate has none.
        let own = &function.properties["Environment"]["Variables"]["SECRET_ID"];
        let expected = target(own).into_iter().chain(logins.iter().copied());
        let role = target(&function.properties["Role"]).unwrap();
        let mut readable = targets(&TEMPLATE["Resources"][role]);
        readable.retain(|it| it.ends_with("Secret"));
        readable.dedup();
        assert_eq!(readable, expected.collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn no_function_but_migrate_knows_the_owner_of_the_tables() {
    let everywhere = &TEMPLATE["Globals"]["Function"]["Environment"]["Variables"];
    assert!(everywhere["DATABASE_SECRET_ID"].is_null());
    // Of the owner's address only what comes after the `@`.
    let address = everywhere["DATABASE_URL"]["Fn::If"][2].to_string();
    let after = r#"{"Fn::Select":[1,{"Fn::Split":["@",{"Fn::Sub":"${DatabaseUrl}@"}]}]}"#;
    let address = address.replacen(after, "", 1);
    assert!(!address.contains("DatabaseUrl"), "{address}");
    for (name, function) in functions() {
        let own = &function.properties["Environment"]["Variables"];
        let login = target(&own["DATABASE_SECRET_ID"]);
        match name {
            "migrate" => assert_eq!(own["DATABASE_URL"]["Fn::If"][2]["Ref"], "DatabaseUrl"),
            "auth-rotate" => assert_eq!(login, None),
            _ => {
                let login = login.unwrap_or_else(|| panic!("{name} signs in as nobody"));
                assert!(login.ends_with("LoginSecret"), "{name} signs in by {login}");
                assert!(own["DATABASE_URL"].is_null(), "{name}");
            }
        }
    }
}

#[test]
fn a_secret_may_be_read_at_each_of_its_stages() {
    let mut readers = 0;
    for (id, _, statement) in statements() {
        let mut actions = list(&statement["Action"]).into_iter();
        if actions.any(|it| it == "secretsmanager:GetSecretValue") {
            readers += 1;
            let stage = statement["Condition"].to_string();
            assert!(!stage.contains("VersionStage"), "{id}: AWSPENDING too");
        }
    }
    assert!(functions().len() < readers, "the statements are not found");
}

#[test]
fn each_queue_has_an_end_for_what_cannot_be_done_and_somebody_who_is_told() {
    let mut dead = BTreeSet::new();
    for (id, queue) in all("AWS::SQS::Queue") {
        let redrive = &queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"];
        match target(redrive) {
            Some(end) => drop(dead.insert(end)),
            None => assert!(id.ends_with("DeadLetters"), "{id} retries for ever"),
        }
    }
    let alarms: Vec<_> = all("AWS::CloudWatch::Alarm")
        .flat_map(|(_, it)| targets(it))
        .collect();
    for end in dead.into_iter().chain(["AsyncDeadLetters"]) {
        assert!(alarms.contains(&end), "nobody is told of {end}");
    }
}

#[test]
fn every_alarm_tells_somebody_and_each_function_has_one() {
    let mut watched = BTreeSet::new();
    for (id, alarm) in all("AWS::CloudWatch::Alarm") {
        let actions = &alarm["Properties"]["AlarmActions"];
        assert_eq!(target(&actions[0]), Some("Alarms"), "{id}");
        watched.extend(targets(alarm));
    }
    for (name, function) in functions() {
        // Where migrate fails, so does the deployment.
        let told = name == "migrate" || watched.contains(function.id);
        assert!(told, "nobody watches {name}");
    }
}

#[test]
fn the_dashboard_is_json_and_shows_what_is_there() {
    for (id, dashboard) in all("AWS::CloudWatch::Dashboard") {
        let body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"].as_str();
        let body = body.unwrap();
        let parsed: Value = serde_json::from_str(body).unwrap();
        assert!(parsed["widgets"].is_array(), "{id}");
        for reference in body.split("${").skip(1) {
            let name = reference.split(['.', '}']).next().unwrap();
            let known = name.starts_with("AWS::") || !TEMPLATE["Resources"][name].is_null();
            assert!(known, "{id} shows {name}");
        }
    }
}

#[test]
fn the_functions_change_after_the_tables() {
    for (name, function) in functions() {
        let after = &TEMPLATE["Resources"][function.id]["DependsOn"];
        let before = name == "migrate";
        assert!(before || after == "Tables", "{name} may change before");
    }
    let properties = &TEMPLATE["Resources"]["Tables"]["Properties"];
    assert_eq!(target(&properties["ServiceToken"]), Some("Migrate"));
    assert_eq!(target(&properties["Version"]), Some("Migrate.Version"));
}

#[test]
fn a_batch_fails_by_message() {
    for (id, source) in all("AWS::Lambda::EventSourceMapping") {
        let types = &source["Properties"]["FunctionResponseTypes"];
        assert_eq!(types[0], "ReportBatchItemFailures", "{id}");
    }
}
