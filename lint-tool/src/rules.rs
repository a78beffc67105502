//! The registry: one file and one line here for each rule.

mod alias_of_root;
mod allowed_only;
mod confined;
mod cycle;
mod drift;
mod duplicate_model;
pub(crate) mod edge_report;
mod empty_selector;
mod escaping_include;
mod escaping_path;
mod extern_crate;
mod facade;
mod forbidden;
mod glob_import;
mod ignore_without_reason;
mod include_source;
mod independence;
mod layers;
pub(crate) mod likeness;
mod long_file;
mod long_function;
mod module_file;
mod name_clash;
mod near_duplicate;
mod orphan_file;
mod own_repository;
mod path_module;
mod protected;
mod self_super;
mod stale_baseline;
mod stray_member;
mod super_chain;
mod table_owner;
mod table_reader;
mod unassigned;
mod uninherited;
mod uninherited_package;
mod unparsable;
pub(crate) mod unresolved;
mod unused_ignore;
mod unused_member;

use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};

/// One thing that a structure must not do.
pub trait Rule: Sync {
    /// `SL001`
    fn code(&self) -> &'static str;
    /// Reads after "allow": `path-module`.
    fn name(&self) -> &'static str;
    /// The level without a configuration: what nearly every maintainer would fix.
    fn level(&self) -> Level;
    /// The level where the configuration says `strict = true`.
    fn strict_level(&self) -> Level {
        self.level()
    }
    /// What, why, bad, good. Each example is run as a test.
    fn explain(&self) -> &'static str;
    /// Adds what it finds. The meta rules about ignores are checked after all others, in `ignores`.
    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>);
}

/// Every rule, by code.
pub const RULES: &[&dyn Rule] = &[
    &path_module::PathModule,
    &include_source::IncludeSource,
    &extern_crate::ExternCrate,
    &self_super::SelfSuper,
    &super_chain::SuperChain,
    &glob_import::GlobImport,
    &alias_of_root::AliasOfRoot,
    &escaping_include::EscapingInclude,
    &orphan_file::OrphanFile,
    &layers::LayerOrder,
    &independence::Independence,
    &forbidden::Forbidden,
    &allowed_only::AllowedOnly,
    &protected::Protected,
    &cycle::Cycle,
    &facade::PastFacade,
    &confined::Confined,
    &unassigned::Unassigned,
    &escaping_path::EscapingPath,
    &stray_member::StrayMember,
    &own_repository::OwnRepository,
    &unused_member::UnusedMember,
    &uninherited::Uninherited,
    &name_clash::NameClash,
    &uninherited_package::UninheritedPackage,
    &table_owner::TableOwner,
    &duplicate_model::DuplicateModel,
    &near_duplicate::NearDuplicate,
    &drift::Drift,
    &table_reader::TableReader,
    &long_file::LongFile,
    &long_function::LongFunction,
    &unparsable::Unparsable,
    &module_file::ModuleFile,
    &unused_ignore::UnusedIgnore,
    &ignore_without_reason::IgnoreWithoutReason,
    &empty_selector::EmptySelector,
    &stale_baseline::StaleBaseline,
    &unresolved::Unresolved,
];

/// The rule with this code or name.
pub fn find(code: &str) -> Option<&'static dyn Rule> {
    let is_it = |it: &&&dyn Rule| it.code().eq_ignore_ascii_case(code) || it.name() == code;
    RULES.iter().find(is_it).copied()
}

/// Whether a text names the rule with this code: by the code, or by the rule's name.
pub(crate) fn is_named(text: &str, code: &str) -> bool {
    text == code || find(text).is_some_and(|it| it.code() == code)
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::config::Config;
    use crate::files::SourceFiles;

    /// The findings of one rule on a fixture, as `file:line:column message`.
    pub(crate) fn findings(code: &str, fixture: &str) -> Vec<String> {
        let files = SourceFiles::fixture(fixture);
        let text = files.get(crate::config::FILE_NAME).unwrap_or_default();
        let mut config = Config::parse(text).unwrap();
        // A rule is tested at its strictest, unless the test says otherwise.
        config.strict.get_or_insert(true);
        let report =
            crate::check::check_files(&files, &config, "2026-11-22".parse().unwrap()).unwrap();
        let of_rule = report.diagnostics.iter().filter(|it| it.code == code);
        of_rule
            .map(|it| {
                let span = it.place.span;
                format!(
                    "{}:{}:{} {}",
                    it.place.file, span.line, span.column, it.message
                )
            })
            .collect()
    }

    /// Compares the findings of one rule with what is expected, one a line.
    pub(crate) fn check(code: &str, fixture: &str, expected: &str) {
        let expected: Vec<&str> = expected
            .lines()
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .collect();
        assert_eq!(findings(code, fixture), expected, "{fixture}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
        let open = format!("```{kind}\n");
        text.split(open.as_str())
            .skip(1)
            .filter_map(|it| it.split("```").next())
            .collect()
    }

    #[test]
    fn every_rule_has_its_own_code_name_and_file() {
        let codes: Vec<&str> = RULES.iter().map(|it| it.code()).collect();
        assert!(
            codes.is_sorted() && codes.windows(2).all(|it| it[0] != it[1]),
            "{codes:?}"
        );
        for rule in RULES {
            let file = format!("src/rules/{}.rs", rule.name().replace('-', "_"));
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                text.contains(rule.code()),
                "{} is not in {file}",
                rule.code()
            );
        }
    }

    #[test]
    fn every_example_shows_what_it_says() {
        for rule in RULES {
            let (bad, good) = (
                examples(rule.explain(), "bad"),
                examples(rule.explain(), "good"),
            );
            assert!(
                !bad.is_empty() && !good.is_empty(),
                "{} lacks an example",
                rule.code()
            );
            for example in bad {
                let found = testing::findings(rule.code(), example);
                assert!(
                    !found.is_empty(),
                    "{} is silent on:\n{example}",
                    rule.code()
                );
            }
            for example in good {
                assert_eq!(
                    testing::findings(rule.code(), example),
                    [""; 0],
                    "{}\n{example}",
                    rule.code()
                );
            }
        }
    }
}
