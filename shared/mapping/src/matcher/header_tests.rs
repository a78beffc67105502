//! The figures on the columns of real systems' exports: `fixtures/headers.txt`.
//!
//! The counts are exact, as the matcher is deterministic. One that falls is a loss; one that rises
//! is written down here.

use schema::source::SourceType;

use super::*;

struct Set {
    kept_aside: bool,
    entity: &'static str,
    object: ObjectSample,
    /// Pairs of source and target.
    truth: Vec<(&'static str, &'static str)>,
}

fn sets() -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::new();
    for line in include_str!("fixtures/headers.txt").lines() {
        if let Some(head) = line.strip_prefix("= ") {
            let words: Vec<_> = head.split(' ').collect();
            sets.push(Set {
                kept_aside: words[0] == "kept",
                entity: words[1],
                object: ObjectSample::default(),
                truth: Vec::new(),
            });
        } else if !line.is_empty() && !line.starts_with('#') {
            add(
                sets.last_mut().expect("a set begins before its columns"),
                line,
            );
        }
    }
    sets
}

fn add(set: &mut Set, line: &'static str) {
    let parts: Vec<_> = line.split(" | ").collect();
    let values = parts[2].split(';').map(str::trim);
    let samples: Vec<_> = values.clone().filter(|it| !it.is_empty()).collect();
    let rows = values.count() as u64;
    set.object.fields.push(FieldSample {
        path: parts[0].replace('.', r"\."),
        kind: Some(SourceType::Text),
        nulls: rows - samples.len() as u64,
        samples: samples.into_iter().map(str::to_owned).collect(),
        rows,
        ..FieldSample::default()
    });
    if parts[1] != "-" {
        set.truth.push((parts[0], parts[1]));
    }
}

#[derive(Debug, Default, PartialEq)]
struct Counts {
    sets: usize,
    entity_right: usize,
    keys: usize,
    key_right: usize,
    pairs: usize,
    best_right: usize,
    filled_in: usize,
    filled_in_right: usize,
}

fn count(kept_aside: bool) -> Counts {
    let mut counts = Counts::default();
    let entities = TargetEntity::canonical();
    for set in sets().iter().filter(|it| it.kept_aside == kept_aside) {
        let blind = propose(&set.object, &entities, None, &Memory::default());
        let told = match blind.entities[0].kind == set.entity {
            true => blind.clone(),
            false => propose(&set.object, &entities, Some(set.entity), &Memory::default()),
        };
        let right = |it: &FieldProposal| {
            let source = it.source.replace(r"\.", ".");
            set.truth.contains(&(&source, &it.target))
        };
        let filled_in = told
            .fields
            .iter()
            .filter(|it| it.decision == Decision::Review);
        counts.sets += 1;
        counts.entity_right += usize::from(blind.entities[0].kind == set.entity);
        // Of sets that have a column for the entity's id.
        let entity = schema::entity::find(set.entity).expect("it is canonical");
        let key = told.keys.first().map(|it| it.paths[0].replace(r"\.", "."));
        let is_key = |key: String| set.truth.contains(&(&*key, &*entity.key[0]));
        let has_key = set.truth.iter().any(|it| it.1 == entity.key[0]);
        counts.keys += usize::from(has_key);
        counts.key_right += usize::from(key.is_some_and(is_key));
        counts.pairs += set.truth.len();
        counts.best_right += told.fields.iter().filter(|it| right(it)).count();
        counts.filled_in += filled_in.clone().count();
        counts.filled_in_right += filled_in.filter(|it| right(it)).count();
        assert!(told.fields.iter().all(|it| it.decision != Decision::Auto));
    }
    counts
}

#[test]
fn exports_that_the_word_lists_were_extended_for() {
    let want = Counts {
        sets: 31,
        entity_right: 31,
        keys: 28,
        key_right: 28,
        pairs: 253,
        best_right: 253,
        filled_in: 247,
        filled_in_right: 246,
    };
    assert_eq!(count(false), want);
}

#[test]
fn exports_that_were_kept_aside() {
    let want = Counts {
        sets: 14,
        entity_right: 14,
        keys: 13,
        key_right: 13,
        pairs: 116,
        best_right: 116,
        filled_in: 114,
        filled_in_right: 111,
    };
    assert_eq!(count(true), want);
}
