//! Recall of the model rules on this repository: copies of each of its mapped structs, with edits alone
//! and in pairs, are found in another crate; what only looks like a copy stays silent.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod edits;
mod ground;
mod silent;
mod written;

use std::fmt::Write as _;

use edits::EDITS;
use ground::Ground;
use written::Written;

/// A copy with the edits that made it.
struct Mutant<'a> {
    home: &'a str,
    fields: usize,
    edits: String,
    text: Written,
}

/// Copies of one struct: unchanged, with each edit, and with each pair of edits.
fn mutants<'a>(home: &'a str, written: &Written) -> Vec<Mutant<'a>> {
    let mut all = Vec::new();
    let mut add = |edits: String, text| {
        all.push(Mutant {
            home,
            fields: written.columns.len(),
            edits,
            text,
        })
    };
    add("no edit".into(), written.clone());
    for (index, (one, edit)) in EDITS.iter().enumerate() {
        let mut text = written.clone();
        edit(&mut text);
        add((*one).to_owned(), text.clone());
        for (other, second) in &EDITS[index + 1..] {
            let mut text = text.clone();
            second(&mut text);
            add(format!("{one} and {other}"), text);
        }
    }
    all
}

/// How many of some copies a rule speaks of.
fn recall<'a>(mutants: impl Iterator<Item = (&'a Mutant<'a>, bool)>) -> (usize, usize, f64) {
    let found: Vec<bool> = mutants.map(|(_, found)| found).collect();
    let count = found.iter().filter(|it| **it).count();
    (count, found.len(), count as f64 / found.len() as f64)
}

#[test]
fn edited_copies_of_every_mapped_struct_are_found() {
    let ground = Ground::of_this_repository();
    let homes = ground.homes();
    assert!(homes.len() > 30, "{} structs", homes.len());
    let mutants: Vec<Mutant> = homes
        .iter()
        .flat_map(|(home, it)| mutants(home, it))
        .collect();
    let texts: Vec<String> = mutants.iter().map(|it| it.text.text()).collect();
    let findings = ground.findings(&[], &texts);
    let is_found = |at: usize, home: &str| {
        let is_it = |code| findings.contains(&(at, code, home.to_owned()));
        is_it("SL041") || is_it("SL042")
    };
    let found = mutants.iter().enumerate();
    let found = found.map(|(at, it)| (it, is_found(at, it.home)));
    let large = recall(found.clone().filter(|(it, _)| it.fields >= 5));
    let small = recall(found.clone().filter(|(it, _)| it.fields < 5));
    println!(
        "recall over {} structs: {}/{} = {:.4} of five or more fields, {}/{} = {:.4} of fewer",
        homes.len(),
        large.0,
        large.1,
        large.2,
        small.0,
        small.1,
        small.2
    );
    let mut missed = String::new();
    for (it, _) in found.filter(|(it, found)| !found && it.fields >= 5) {
        let _ = writeln!(missed, "{} of {} fields: {}", it.home, it.fields, it.edits);
    }
    assert!(large.2 >= 0.98, "missed:\n{missed}");
}

#[test]
fn what_only_looks_like_a_copy_of_a_mapped_struct_is_silent() {
    let ground = Ground::of_this_repository();
    let homes = ground.homes();
    let kinds = silent::KINDS.iter();
    let texts = |(home, it): &(String, Written)| {
        let texts = kinds.clone().map(|kind| kind(home, it));
        texts.collect::<Vec<_>>()
    };
    let texts: Vec<String> = homes.iter().flat_map(texts).collect();
    let shown = |it: &(usize, &str, String)| format!("{} {}:\n{}", it.1, it.2, texts[it.0]);
    let wrong: Vec<String> = ground.findings(&[], &texts).iter().map(shown).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_conversion_makes_a_copy_silent_in_the_api_layer_alone() {
    let ground = Ground::of_this_repository();
    let homes = ground.homes();
    let joined = homes.iter().map(|(home, it)| silent::joined(home, it));
    let joined: Vec<String> = joined.collect();
    // Another struct of the same shape may be near: only what `From` names is joined.
    let own = |api: &[&str]| {
        let findings = ground.findings(api, &joined).into_iter();
        findings
            .filter(|(at, _, to)| *to == homes[*at].0)
            .collect::<Vec<_>>()
    };
    assert_eq!(own(&[ground::CRATE]), []);
    assert!(own(&[]).len() > 10);
}
