//! The stack, from the template that is deployed to AWS.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Method;

use crate::aws::{Aws, elements};
use crate::wait::until;

const NAME: &str = "autonomos";
const BUCKET: &str = "bundles";

/// What was made.
pub(crate) struct Stack {
    outputs: HashMap<String, String>,
    resources: HashMap<String, String>,
}

impl Stack {
    /// Uploads the bundles, as `sam deploy` does, and makes the stack.
    pub(crate) async fn create(aws: &Aws, parameters: &[(&str, &str)]) -> Stack {
        let template = fs::read_to_string(root().join("infra/aws/template.yaml"))
            .expect("the template is there");
        upload(aws, &template).await;
        let mut query = call("CreateStack");
        let url = format!("https://s3.amazonaws.com/{BUCKET}/template.yaml");
        query.push(("TemplateURL".to_owned(), url));
        for (index, capability) in ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
            .iter()
            .enumerate()
        {
            let name = format!("Capabilities.member.{}", index + 1);
            query.push((name, (*capability).to_owned()));
        }
        for (index, (name, value)) in parameters.iter().enumerate() {
            let member = format!("Parameters.member.{}", index + 1);
            query.push((format!("{member}.ParameterKey"), (*name).to_owned()));
            query.push((format!("{member}.ParameterValue"), (*value).to_owned()));
        }
        send(aws, &query).await;
        let described = until("the stack", async || {
            let answer = send(aws, &call("DescribeStacks")).await;
            let status = elements(&answer, "StackStatus").concat();
            (!status.ends_with("_IN_PROGRESS")).then_some((status, answer))
        });
        let (status, description) = described.await;
        let events = send(aws, &call("DescribeStackEvents")).await;
        let reasons = elements(&events, "ResourceStatusReason");
        assert_eq!(status, "CREATE_COMPLETE", "{description} {reasons:#?}");
        let resources = send(aws, &call("DescribeStackResources")).await;
        Stack {
            outputs: pairs(&description, "OutputKey", "OutputValue"),
            resources: pairs(&resources, "LogicalResourceId", "PhysicalResourceId"),
        }
    }

    /// An output of the template.
    pub(crate) fn output(&self, name: &str) -> &str {
        let output = self.outputs.get(name);
        output.unwrap_or_else(|| panic!("the template has no output {name}"))
    }

    /// The physical id of a resource of the template.
    pub(crate) fn resource(&self, name: &str) -> &str {
        let id = self.resources.get(name);
        id.unwrap_or_else(|| panic!("the template made no {name}"))
    }
}

/// Puts the zips that the template names, and the template that names them there, into a bucket.
async fn upload(aws: &Aws, template: &str) {
    const BUNDLES: &str = "../../target/bundle/";
    aws.rest("s3", Method::PUT, &format!("/{BUCKET}"), "").await;
    for line in template.lines() {
        let Some((_, zip)) = line.split_once(BUNDLES) else {
            continue;
        };
        let path = root().join("target/bundle-test").join(zip.trim());
        let bytes = fs::read(&path)
            .unwrap_or_else(|err| panic!("{err}: {}; tests/run builds it", path.display()));
        let key = format!("/{BUCKET}/{}", zip.trim());
        aws.rest("s3", Method::PUT, &key, bytes).await;
    }
    let packaged = template.replace(BUNDLES, &format!("s3://{BUCKET}/"));
    let key = format!("/{BUCKET}/template.yaml");
    aws.rest("s3", Method::PUT, &key, packaged).await;
}

fn call(action: &str) -> Vec<(String, String)> {
    [
        ("Action", action),
        ("Version", "2010-05-15"),
        ("StackName", NAME),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

async fn send(aws: &Aws, query: &[(String, String)]) -> String {
    let query: Vec<_> = query
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    aws.query("cloudformation", &query).await
}

fn pairs(xml: &str, name: &str, value: &str) -> HashMap<String, String> {
    let members = elements(xml, "member").into_iter();
    let pair = |it| Some((*elements(it, name).first()?, *elements(it, value).first()?));
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    members.filter_map(pair).map(owned).collect()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
