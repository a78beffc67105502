//! An excuse covers its own finding, and never another one that breaks the same contract.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use structure_lint::check::check_files;
use structure_lint::config::Config;
use structure_lint::files::SourceFiles;

/// Each rule about edges, and a contract of it by which `a` may not use `x`.
const CONTRACTS: [(&str, &str); 7] = [
    (
        "SL010",
        "[[layers]]\nname = \"l\"\norder = [\"a\", \"x\"]\n",
    ),
    (
        "SL011",
        "[[independent]]\nname = \"i\"\nmembers = [\"a\", \"x\"]\n",
    ),
    ("SL012", "[[forbid]]\nfrom = [\"a\"]\nto = [\"x\"]\n"),
    ("SL013", "[[only]]\nfrom = [\"a\"]\nto = [\"serde\"]\n"),
    (
        "SL014",
        "[[protect]]\ntarget = [\"x\"]\nvisible-to = [\"x\"]\n",
    ),
    ("SL016", "[[facade]]\nof = [\"x\"]\n"),
    ("SL017", "[[confine]]\ncrate = \"x\"\nto = [\"x\"]\n"),
];

const ALLOW: &str = "// structure-lint: allow(RULE) reason=\"known\"";

/// The findings of a rule in `a/src/lib.rs`, as line and target.
fn found(code: &str, config: &str, baseline: &str, source: &str) -> Vec<String> {
    let source = source.replace("RULE", code);
    let known = format!("{{\"version\": 1, \"findings\": [\n{baseline}\n]}}");
    let files = SourceFiles::fixture(&format!(
        "//- structure-lint.toml\n{config}//- structure-lint.baseline.json\n{known}\n\
         //- a/src/lib.rs uses x, ext\n{source}\n//- x/src/lib.rs\npub mod deep {{ pub fn f() {{}} }}\n"
    ));
    let config = Config::parse(files.get("structure-lint.toml").unwrap()).unwrap();
    let report = check_files(&files, &config, "2026-11-22".parse().unwrap()).unwrap();
    let found = report.diagnostics.iter();
    found
        .filter(|it| it.code == code && it.place.file == "a/src/lib.rs")
        .map(|it| format!("{} {}", it.place.span.line, it.to))
        .collect()
}

fn except(code: &str, place: &str, to: &str) -> String {
    format!(
        "[[except]]\nrule = \"{code}\"\nin = [\"{place}\"]\nto = \"{to}\"\nreason = \"known\"\n"
    )
}

fn entry(code: &str, from: &str, to: &str) -> String {
    format!("{{\"rule\":\"{code}\",\"from\":\"{from}\",\"to\":\"{to}\",\"count\":1}}")
}

#[test]
fn an_excused_import_hides_no_path_through_it_whatever_excuses_it() {
    let path = "use m::*;\nfn f() { deep::f(); }";
    let plain = format!("mod m {{ pub(crate) use x::deep; }}\n{path}");
    let allowed = format!("mod m {{ pub(crate) use x::deep; }} {ALLOW}\n{path}");
    for (code, contract) in CONTRACTS {
        let excepted = format!("{contract}{}", except(code, "a::m", "x::deep"));
        let known = entry(code, "a::m", "x::deep");
        assert_eq!(found(code, contract, "", &plain), ["1 x::deep"], "{code}");
        assert_eq!(found(code, contract, "", &allowed), ["3 x::deep"], "{code}");
        assert_eq!(found(code, &excepted, "", &plain), ["3 x::deep"], "{code}");
        assert_eq!(
            found(code, contract, &known, &plain),
            ["3 x::deep"],
            "{code}"
        );
        let all = format!("{allowed} {ALLOW}");
        assert_eq!(found(code, contract, "", &all), [""; 0], "{code}");
    }
}

#[test]
fn an_excused_use_hides_no_path_through_an_import_that_breaks_nothing() {
    let config = "[[confine]]\ncrate = \"std::env\"\nto = [\"x\"]\n";
    let path = "use std as s;\nfn f() { s::env::var(\"X\"); }\nfn g() { std::env::vars(); }";
    let here = ["2 std::env::var"];
    let excepted = format!("{config}{}", except("SL017", "a", "std::env::vars"));
    let known = entry("SL017", "a", "std::env::vars");
    assert_eq!(found("SL017", config, "", path), ["3 std::env::vars"]);
    assert_eq!(found("SL017", config, "", &format!("{path} {ALLOW}")), here);
    assert_eq!(found("SL017", &excepted, "", path), here);
    assert_eq!(found("SL017", config, &known, path), here);
}

#[test]
fn an_excused_name_hides_no_other_name_of_the_same_use() {
    let contracts = [
        ("SL012", "[[forbid]]\nfrom = [\"a\"]\nto = [\"ext\"]\n"),
        ("SL013", "[[only]]\nfrom = [\"a\"]\nto = [\"x\"]\n"),
        ("SL017", "[[confine]]\ncrate = \"ext\"\nto = [\"x\"]\n"),
    ];
    let source = "use ext::{B, A};";
    for (code, contract) in contracts {
        let excepted = format!("{contract}{}", except(code, "a", "ext::B"));
        let known = entry(code, "a", "ext::B");
        assert_eq!(found(code, contract, "", source), ["1 ext::B"], "{code}");
        assert_eq!(found(code, &excepted, "", source), ["1 ext::A"], "{code}");
        assert_eq!(
            found(code, contract, &known, source),
            ["1 ext::A"],
            "{code}"
        );
    }
}

#[test]
fn an_allowed_line_of_a_use_hides_no_other_line_of_it() {
    let config = "[[confine]]\ncrate = \"std::env\"\nto = [\"x\"]\n";
    let source = format!("use std::{{\nenv::var, {ALLOW}\nenv::args,\n}};");
    assert_eq!(found("SL017", config, "", &source), ["3 std::env::args"]);
    let config = "[[confine]]\ncrate = \"x::deep\"\nto = [\"x\"]\n";
    let source = format!("use x::{{\ndeep::f, {ALLOW}\ndeep::g,\n}};");
    assert_eq!(found("SL017", config, "", &source), ["3 x::deep"]);
}
