//! An excuse covers its own finding, and never another one that breaks the same contract.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use structure_lint::check::{Report, check_files};
use structure_lint::config::Config;
use structure_lint::diagnostic::{Diagnostic, Place};
use structure_lint::files::SourceFiles;
use structure_lint::self_test::cases;

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

/// How one finding is excused.
#[derive(Debug, Clone, Copy)]
enum Excuse {
    Baseline,
    Except,
    Allow,
}

/// The findings of the rules about edges, shown or following from a shown one.
fn edges(report: &Report) -> impl Iterator<Item = &Diagnostic> {
    let all = report.diagnostics.iter().chain(&report.following);
    all.filter(|it| it.group.is_some())
}

fn checked(files: &SourceFiles) -> Report {
    let text = files.get("structure-lint.toml").unwrap_or_default();
    let mut config = Config::parse(text).unwrap();
    config.strict.get_or_insert(true);
    check_files(files, &config, "2026-11-22".parse().unwrap()).unwrap()
}

/// Whether an excuse that was made for `it` is one for `other`, too.
fn covers(excuse: Excuse, it: &Diagnostic, other: &Diagnostic) -> bool {
    let below = |path: &str, top: &str| path == top || path.starts_with(&format!("{top}::"));
    it.code == other.code
        && match excuse {
            Excuse::Baseline => it.origin == other.origin && it.to == other.to,
            Excuse::Except => below(&other.origin, &it.origin) && below(&other.to, &it.to),
            Excuse::Allow => {
                it.place.file == other.place.file && it.place.span.line == other.place.span.line
            }
        }
}

/// The workspace with these excuses written into it.
fn excused(files: &SourceFiles, excuses: &[(&Diagnostic, Excuse)], all: &Report) -> SourceFiles {
    let mut files = files.clone();
    let mut config = files
        .get("structure-lint.toml")
        .unwrap_or_default()
        .to_owned();
    let mut known = BTreeSet::new();
    let mut allowed: BTreeMap<(&str, u32), BTreeSet<&str>> = BTreeMap::new();
    for (it, excuse) in excuses {
        match excuse {
            Excuse::Baseline => {
                let same = edges(all)
                    .filter(|other| covers(*excuse, it, other))
                    .count();
                let (code, from, to) = (it.code, &it.origin, &it.to);
                known.insert(format!(
                    "{{\"rule\":\"{code}\",\"from\":\"{from}\",\"to\":\"{to}\",\"count\":{same}}}"
                ));
            }
            Excuse::Except => config += &except(it.code, &it.origin, &it.to),
            Excuse::Allow => {
                let line = (it.place.file.as_str(), it.place.span.line);
                allowed.entry(line).or_default().insert(it.code);
            }
        }
    }
    for ((file, line), codes) in allowed {
        let codes = codes.into_iter().collect::<Vec<_>>().join(", ");
        let sign = if file.ends_with(".toml") { "#" } else { "//" };
        let mut lines: Vec<String> = files
            .get(file)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        let line = &mut lines[line as usize - 1];
        let code = line.split(&format!("{sign}~ ")).next().unwrap();
        *line = format!("{code} {sign} structure-lint: allow({codes}) reason=\"known\"");
        files.set(file, lines.join("\n") + "\n");
    }
    let known = known.into_iter().collect::<Vec<_>>().join(",\n");
    files.set(
        "structure-lint.baseline.json",
        format!("{{\"version\": 1, \"findings\": [\n{known}\n]}}"),
    );
    files.set("structure-lint.toml", config);
    files
}

/// What tells findings of one workspace apart, whatever is excused in it.
type Identity = (&'static str, Place, String, String, String);

fn identity(it: &Diagnostic) -> Identity {
    let violation = it.group.as_ref().map(|it| it.violation.clone());
    let (origin, to) = (it.origin.clone(), it.to.clone());
    (
        it.code,
        it.place.clone(),
        origin,
        to,
        violation.unwrap_or_default(),
    )
}

/// One thing said in many ways: on lines of their own and together, by imports, in modules and tests.
const DENSE: &str = "//- a/src/lib.rs uses x, ext
mod m { pub(crate) use x::deep; pub(crate) use x; }
mod n;
use m::*;
use std as s;
use ext::{B, A};
fn f() { deep::f(); deep::f(); x::deep::f(); }
fn g() { deep::f(); s::env::var(\"X\"); }
fn h() { m::x::deep::f(); s::env::vars(); x::deep::f(); }
fn i() { crate::n::inner::f(); crate::n::again::f(); ext::B; }
#[cfg(test)] mod tests {
    use super::*;
    fn f() { x::deep::f(); deep::f(); super::n::inner::f(); }
}
//- a/src/n.rs
pub(crate) use x::deep as inner;
pub(crate) use inner as again;
pub(crate) use ext::*;
fn f() { inner::f(); again::f(); crate::deep::f(); }
//- x/src/lib.rs
pub mod deep { pub fn f() {} }
";

/// The cases with findings about edges, and nothing excused; and a dense workspace for each contract.
static CASES: LazyLock<Vec<(String, SourceFiles, Report)>> = LazyLock::new(|| {
    let all = cases::all().into_iter().map(|it| (it.name, it.files));
    let plain = all.filter(|(_, it)| !it.has("structure-lint.baseline.json"));
    let environment = ("SL017", "[[confine]]\ncrate = \"std::env\"\nto = [\"x\"]\n");
    let contracts = CONTRACTS.into_iter().chain([environment]);
    let dense = contracts.map(|(code, contract)| {
        let config = format!("//- structure-lint.toml\n{contract}");
        (code.to_owned(), SourceFiles::fixture(&(config + DENSE)))
    });
    let checked = plain.chain(dense).map(|(name, files)| {
        let report = checked(&files);
        (name, files, report)
    });
    let found: Vec<_> = checked
        .filter(|(_, _, it)| edges(it).next().is_some())
        .collect();
    assert!(found.len() > 50, "{}", found.len());
    found
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_each_case_an_excuse_takes_its_own_findings_and_no_other(
        chosen in prop::collection::vec(0u8..6, 64),
    ) {
        for (name, files, report) in CASES.iter() {
            let choice = |(it, by): (_, &u8)| Some((it, match by {
                0 => Excuse::Baseline,
                1 => Excuse::Except,
                2 => Excuse::Allow,
                _ => return None,
            }));
            let excuses: Vec<_> = edges(report).zip(&chosen).filter_map(choice).collect();
            let after = checked(&excused(files, &excuses, report));
            let is_covered = |it: &&Diagnostic| excuses.iter().any(|(by, how)| covers(*how, by, it));
            let expected: BTreeSet<Identity> =
                edges(report).filter(|it| !is_covered(it)).map(identity).collect();
            let left: BTreeSet<Identity> = edges(&after).map(identity).collect();
            prop_assert_eq!(&left, &expected, "{} with {:?}", name, excuses);
            let shown: BTreeSet<_> = after.diagnostics.iter().filter_map(|it| {
                Some((it.code, &it.place.file, &it.group.as_ref()?.violation))
            }).collect();
            for it in &after.following {
                let violation = &it.group.as_ref().unwrap().violation;
                let is_shown = shown.contains(&(it.code, &it.place.file, violation));
                prop_assert!(is_shown, "{}: nothing stands for {:?}", name, it);
            }
        }
    }
}

#[test]
fn an_excused_line_hides_no_more_than_a_removed_one() {
    // Without an import or a manifest's line other names would mean something else.
    let is_body = |files: &SourceFiles, file: &str, line: u32| {
        let mut lines = files.get(file).unwrap().lines();
        lines
            .nth(line as usize - 1)
            .unwrap()
            .trim_start()
            .starts_with("fn ")
    };
    for (name, files, report) in CASES.iter().filter(|(it, ..)| it.starts_with("SL")) {
        let mut lines: BTreeSet<_> = edges(report)
            .map(|it| (&it.place.file, it.place.span.line))
            .collect();
        lines.retain(|(file, line)| is_body(files, file, *line));
        assert!(!lines.is_empty(), "{name}");
        for (file, line) in lines {
            let here = |it: &&Diagnostic| it.place.file == *file && it.place.span.line == line;
            let excuses: Vec<_> = edges(report)
                .filter(here)
                .map(|it| (it, Excuse::Allow))
                .collect();
            let excused = checked(&excused(files, &excuses, report));
            let mut removed = files.clone();
            let text = removed.get(file).unwrap();
            let is_kept = |at: &usize| *at != line as usize - 1;
            let lines = text
                .lines()
                .enumerate()
                .map(|(at, it)| if is_kept(&at) { it } else { "" });
            let without = lines.collect::<Vec<_>>().join("\n");
            removed.set(file, without);
            let left: BTreeSet<Identity> = edges(&excused).map(identity).collect();
            let removed: BTreeSet<Identity> = edges(&checked(&removed)).map(identity).collect();
            let hidden: Vec<_> = removed.difference(&left).collect();
            assert!(hidden.is_empty(), "{name} {file}:{line} hides {hidden:?}");
        }
    }
}
