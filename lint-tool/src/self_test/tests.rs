use super::*;

fn bad(config: &str) -> Vec<String> {
    let manifest = "//- c/Cargo.toml\n[package]\nname = \"c\"\n[package.metadata.structure-lint]\nvisible-to = [\"a\"]\n";
    let sources = "//- a/src/lib.rs\n//- b/src/lib.rs\nmod db {}\nmod web {}\n//- c/src/lib.rs\n";
    let files = SourceFiles::fixture(&format!("{manifest}{sources}"));
    let config = Config::parse(config).unwrap();
    let verdicts = run(&files, &config, "2026-11-22".parse().unwrap()).unwrap();
    assert!(verdicts.iter().any(|it| it.planted.contains("`c`")));
    let bad = verdicts.into_iter().filter(|it| !it.is_good());
    bad.map(|it| format!("{} {}", it.code, it.planted))
        .collect()
}

const CONTRACTS: &str = r#"
[[layers]]
name = "w"
order = ["a", "b"]
[[independent]]
name = "two"
members = ["a", "b"]
[[forbid]]
from = ["b"]
to = ["a"]
[[only]]
from = ["a"]
to = ["b"]
[[protect]]
target = ["b::db"]
visible-to = ["b"]
[[acyclic]]
name = "parts"
members = ["b::*"]
[[facade]]
of = ["b"]
[[confine]]
crate = "sqlx"
to = ["b::db"]
[models]
home = ["a"]
owners = { "acc*" = "b" }
readers = { accounts = ["a"] }
[[except]]
rule = "SL006"
in = ["a"]
reason = "for now"
until = "2027-01-01"
"#;

#[test]
fn a_contract_that_can_be_broken_fires() {
    assert_eq!(bad(CONTRACTS), [""; 0]);
}

#[test]
fn a_contract_that_nothing_can_break_is_silent() {
    let config = r#"
[[independent]]
name = "one"
members = ["a"]
[[forbid]]
from = ["gone"]
to = ["a"]
[[only]]
from = ["a"]
to = ["*"]
[[protect]]
target = ["a"]
visible-to = ["*"]
[[acyclic]]
name = "one"
members = ["b::db"]
[[facade]]
of = ["gone"]
[models]
home = ["gone"]
owners = { t = "*" }
[[except]]
rule = "SL006"
in = ["a"]
reason = "for ever"
until = "9999-12-31"
"#;
    assert_eq!(
        bad(config),
        [
            "SL011 `one` use each other",
            "SL012 `gone` uses `a`",
            "SL013 `a` uses more than its list",
            "SL014 `a` is seen by others",
            "SL015 `one` use each other in a circle",
            "SL016 past `gone`",
            "SL041 a model of `gone` is repeated elsewhere",
            "SL040 `t` of `*` is written elsewhere",
            "SL044 `t` of `*` is read elsewhere",
            "SL903 the exception to SL006 has ended",
        ]
    );
}

#[test]
fn a_case_that_is_judged_wrongly_is_shown() {
    let text = "//- src/lib.rs\n//= trap: nothing\nuse a::*;\n//= violation: marked\nuse a::*; //~ SL006\n";
    let verdicts: Vec<Verdict> = cases::read(text).iter().map(judge).collect();
    let rows = table(&verdicts);
    assert!(rows.contains("| - | `trap`: nothing | WRONG |"), "{rows}");
    assert!(
        rows.contains("| SL006 | `violation`: marked | as expected |"),
        "{rows}"
    );
}
