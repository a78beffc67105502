//! A parameter that is out of range is refused before anything is made.

use serde_json::Value;

use super::TEMPLATE;

#[test]
fn each_parameter_is_bounded_and_says_what_is_allowed() {
    for (name, parameter) in TEMPLATE["Parameters"].as_object().unwrap() {
        let has = |property: &str| !parameter[property].is_null();
        let listed = has("AllowedValues");
        let bounded = match parameter["Type"].as_str().unwrap() {
            "Number" => has("MinValue") && has("MaxValue"),
            _ => has("AllowedPattern"),
        };
        assert!(listed || bounded, "{name} takes anything");
        // CloudFormation lists the allowed values by itself.
        let says = parameter["ConstraintDescription"].as_str();
        assert!(
            listed || says.is_some_and(|it| it.starts_with(name.as_str())),
            "{name} does not say what it takes"
        );
        assert!(has("Description"), "{name} does not say what it is");
        // One is asked for: alarms that nobody hears are none.
        let asked = name == "AlarmEmail";
        assert_eq!(has("Default"), !asked, "{name} and its default");
    }
}

#[test]
fn parameters_with_credentials_are_not_shown() {
    let parameters = TEMPLATE["Parameters"].as_object().unwrap();
    let hidden = parameters
        .iter()
        .filter(|(_, it)| it["NoEcho"] == Value::Bool(true));
    let mut hidden: Vec<_> = hidden.map(|(name, _)| name.as_str()).collect();
    hidden.sort_unstable();
    assert_eq!(hidden, ["DatabaseUrl", "OtlpHeaders", "RedisUrl"]);
}

#[test]
fn each_parameter_is_asked_for_in_a_group() {
    let groups = &TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let mut grouped: Vec<_> = groups
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|it| it["Parameters"].as_array().unwrap())
        .map(|it| it.as_str().unwrap())
        .collect();
    grouped.sort_unstable();
    let mut known: Vec<_> = TEMPLATE["Parameters"].as_object().unwrap().keys().collect();
    known.sort_unstable();
    assert_eq!(grouped, known);
}
