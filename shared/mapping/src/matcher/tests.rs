//! Proposals from end to end.

use proptest::prelude::*;
use schema::source::SourceType;

use super::*;

fn object(name: &str, columns: &[(&str, &[&str])]) -> ObjectSample {
    let field = |(path, samples): &(&str, &[&str])| FieldSample {
        path: (*path).to_owned(),
        kind: Some(SourceType::Text),
        samples: samples.iter().map(|it| (*it).to_owned()).collect(),
        rows: samples.len() as u64,
        ..FieldSample::default()
    };
    ObjectSample {
        name: name.to_owned(),
        system: None,
        fields: columns.iter().map(field).collect(),
    }
}

fn hubspot_companies() -> ObjectSample {
    object(
        "hubspot-crm-exports-all-companies",
        &[
            ("Record ID", &["1001", "1002", "1003"]),
            ("Company name", &["Acme", "Globex", "Initech"]),
            ("Company owner", &["Ann Lee", "Bo Diaz", "Ann Lee"]),
            (
                "Create Date",
                &["2024-01-31 09:15", "2024-02-01 10:00", "2024-02-02 11:30"],
            ),
            ("Industry", &["SOFTWARE", "RETAIL", "SOFTWARE"]),
            ("Annual Revenue", &["1,200,000", "300,000", "45,000"]),
        ],
    )
}

fn pairs(proposal: &ObjectProposal, least: Decision) -> Vec<(&str, &str)> {
    let sure = proposal.fields.iter().filter(|it| it.decision >= least);
    sure.map(|it| (it.source.as_str(), it.target.as_str()))
        .collect()
}

#[test]
fn an_export_is_understood_and_left_to_a_person() {
    let object = hubspot_companies();
    let proposal = propose(
        &object,
        &TargetEntity::canonical(),
        None,
        &Memory::default(),
    );
    assert_eq!(proposal.entities[0].kind, "account");
    assert_eq!(proposal.keys[0].paths, ["Record ID"]);
    let got = pairs(&proposal, Decision::Review);
    let want = [
        ("Record ID", "account_id"),
        ("Company name", "name"),
        ("Industry", "industry"),
        ("Company owner", "owner_id"),
        ("Create Date", "created_at"),
    ];
    for pair in want {
        assert!(got.contains(&pair), "{pair:?} is not in {got:?}");
    }
    assert_eq!(pairs(&proposal, Decision::Auto), []);
}

#[test]
fn the_factors_of_a_proposal_are_named_and_finite() {
    let object = hubspot_companies();
    let proposal = propose(
        &object,
        &TargetEntity::canonical(),
        Some("account"),
        &Memory::default(),
    );
    assert_eq!(proposal.entities.len(), 1);
    for field in &proposal.fields {
        assert!(!field.factors.is_empty());
        assert!(
            field
                .factors
                .iter()
                .all(|it| it.logit.is_finite() && !it.evidence.is_empty())
        );
        assert!((0.0..=1.0).contains(&field.probability));
    }
    let none = propose(
        &object,
        &TargetEntity::canonical(),
        Some("ticket"),
        &Memory::default(),
    );
    assert_eq!((none.entities, none.fields), (vec![], vec![]));
}

#[test]
fn a_tenants_own_entity_is_a_target_like_any_other() {
    let target = |name: &str, alias: &str| Target {
        name: name.to_owned(),
        kind: Some(SourceType::Text),
        aliases: vec![alias.to_owned()],
        any_values: false,
    };
    let mut entities = TargetEntity::canonical();
    entities.push(TargetEntity {
        kind: "ticket".to_owned(),
        words: vec!["ticket".to_owned(), "case".to_owned()],
        fields: vec![
            target("ticket_id", "ticket number"),
            target("subject", "topic"),
            target("priority", "urgency"),
            target("severity", "impact"),
        ],
        key: vec!["ticket_id".to_owned()],
    });
    let object = object(
        "tickets",
        &[
            ("Ticket Number", &["T-1", "T-2"]),
            ("Subject", &["Printer on fire", "No network"]),
            ("Urgency", &["high", "low"]),
        ],
    );
    let proposal = propose(&object, &entities, None, &Memory::default());
    assert_eq!(proposal.entities[0].kind, "ticket");
    let got = pairs(&proposal, Decision::Review);
    assert!(got.contains(&("Urgency", "priority")), "{got:?}");
    assert!(got.contains(&("Subject", "subject")), "{got:?}");
}

#[test]
fn what_was_decided_before_counts() {
    let object = object("export", &[("Kürzel", &["a", "b"]), ("Ort", &["x", "y"])]);
    let probability = |memory: &Memory| {
        let proposal = propose(&object, &TargetEntity::canonical(), Some("account"), memory);
        let field = proposal.fields.iter().find(|it| it.target == "name");
        field
            .filter(|it| it.source == "Kürzel")
            .map_or(0.0, |it| it.probability)
    };
    let said = |verdict| {
        Memory::new([Remembered {
            system: "crm".to_owned(),
            transforms: vec![],
            source: "Kürzel".to_owned(),
            entity: "account".to_owned(),
            target: "name".to_owned(),
            verdict,
            count: 3,
        }])
    };
    let before = probability(&Memory::default());
    assert!(probability(&said(Verdict::Accepted)) > before + 0.3);
    assert!(probability(&said(Verdict::Rejected)) <= before);
}

#[test]
fn a_renamed_field_is_found_and_a_removed_one_is_not() {
    let columns: &[(&str, &[&str])] = &[
        (
            "customer_email",
            &["ann@a.example", "bo@b.example", "cy@c.example"],
        ),
        ("signup_date", &["2024-01-01", "2024-01-02", "2024-01-03"]),
    ];
    let lost = object("users", columns).fields;
    let columns: &[(&str, &[&str])] = &[
        (
            "email_address",
            &["ann@a.example", "bo@b.example", "cy@c.example"],
        ),
        ("shoe_size", &["41", "43", "38"]),
    ];
    let added = object("users", columns).fields;
    let words = ["user".to_owned()];
    let repairs = repair(&lost, &added, &words, Aligned::Yes, &Memory::default());
    let email = repairs
        .iter()
        .find(|it| it.target == "customer_email")
        .unwrap();
    assert_eq!(email.source, "email_address");
    assert!(email.decision >= Decision::Review);
    let date = repairs
        .iter()
        .find(|it| it.target == "signup_date")
        .unwrap();
    assert_eq!(date.decision, Decision::Shown);
}

#[test]
fn a_lost_field_with_two_plausible_successors_is_left_to_a_person() {
    let times: &[&str] = &["2024-01-31T09:15:00Z", "2024-02-01T10:00:00Z"];
    let lost = object("orders", &[("created_at", times)]).fields;
    let one = object("orders", &[("created_time", times)]).fields;
    let two = object(
        "orders",
        &[("created_time", times), ("created_local", times)],
    )
    .fields;
    let decision = |added: &[FieldSample]| {
        let repairs = repair(&lost, added, &[], Aligned::No, &Memory::default());
        (repairs[0].decision, repairs[0].vetoes.clone())
    };
    assert_eq!(decision(&one), (Decision::Auto, vec![]));
    let veto = "`created_local` may be its successor as well. Choose between the two.";
    assert_eq!(decision(&two), (Decision::Review, vec![veto.to_owned()]));
}

#[test]
fn the_same_question_has_the_same_answer() {
    let object = hubspot_companies();
    let ask = || {
        propose(
            &object,
            &TargetEntity::canonical(),
            None,
            &Memory::default(),
        )
    };
    assert_eq!(ask(), ask());
}

#[test]
fn names_of_any_script_empty_or_twice_are_no_reason_to_fail() {
    let columns: &[(&str, &[&str])] = &[
        ("", &[]),
        ("", &["1"]),
        ("名前", &["山田"]),
        ("名前", &["鈴木"]),
        ("البريد", &["a@b.example"]),
        ("🙂🙂", &["\u{0}\u{ffff}"]),
        ("e\u{301}\u{301}\u{301}mail", &[""]),
        (r"a\.b", &["x"]),
        ("...[][]", &["x"]),
    ];
    let object = object("", columns);
    let proposal = propose(
        &object,
        &TargetEntity::canonical(),
        None,
        &Memory::default(),
    );
    assert_eq!(proposal.entities.len(), 5);
    let repairs = repair(
        &object.fields,
        &object.fields,
        &[],
        Aligned::No,
        &Memory::default(),
    );
    // Which of two equal names is meant cannot be known.
    let twice = |it: &&FieldProposal| it.target == "名前" || it.target.is_empty();
    assert!(
        repairs
            .iter()
            .filter(twice)
            .all(|it| it.decision != Decision::Auto)
    );
    let nothing = propose(&ObjectSample::default(), &[], None, &Memory::default());
    assert_eq!(nothing.fields, []);
}

#[test]
fn a_thousand_equal_names_take_no_longer_than_others() {
    let field = |name: &str| Field {
        name: name.to_owned(),
        ..Field::default()
    };
    let sources = vec![field("name"); 1_000];
    let mut targets = vec![field("name"); 1_000];
    targets.push(field("имя"));
    let question = Question {
        task: Task::Mapping,
        sources: &sources,
        targets: &targets,
        entity_words: &[],
    };
    let matches = answer(&question);
    // Only what shares a name is looked at, and of that a part.
    assert!(!matches.is_empty() && matches.len() <= 1_000);
    assert!(matches.iter().all(|it| it.decision != Decision::Auto));
}

fn any_field() -> impl Strategy<Value = Field> {
    let name = prop_oneof![
        "[a-z]{1,3}_(id|name|date)",
        "(Created|Erstellt|Fecha)( [A-Z][a-z]{0,4})?",
        any::<String>(),
    ];
    let value = prop_oneof![
        "-?[0-9]{1,30}",
        "20[0-9]{2}-[0-9]{2}-[0-9]{2}",
        any::<String>()
    ];
    let kind = proptest::option::of(proptest::sample::select(&SourceType::ALL[..]));
    let values = proptest::collection::vec(value, 0..5);
    (name, kind, values, 0u64..9, 0u64..9).prop_map(|(name, kind, samples, rows, nulls)| Field {
        name,
        kind,
        samples,
        rows,
        nulls,
        ..Field::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_fields_have_an_answer_that_keeps_the_rules(
        sources in proptest::collection::vec(any_field(), 0..20),
        targets in proptest::collection::vec(any_field(), 0..6),
        task in 0..3,
    ) {
        let question = Question {
            task: [Task::Mapping, Task::Canonical, Task::Drift { aligned: true }][task as usize],
            sources: &sources,
            targets: &targets,
            entity_words: &[],
        };
        let matches = answer(&question);
        let mut used = std::collections::BTreeSet::new();
        for it in &matches {
            prop_assert!(it.source < sources.len() && it.target < targets.len());
            prop_assert!((0.0..=1.0).contains(&it.probability));
            let once = used.insert(it.source) || question.task != Task::Canonical;
            prop_assert!(once, "a source is taken twice");
            if it.decision == Decision::Auto {
                prop_assert!(it.probability >= 0.85 && it.margin >= 0.15 && it.vetoes.is_empty());
                prop_assert!(question.task != Task::Canonical);
            }
        }
        prop_assert_eq!(answer(&question), matches);
    }
}
