//! `structure-lint.toml`: what may use what, and how loud each rule is.
//!
//! **Invariant:** an unknown key, a missing reason and a bad date are errors, never ignored.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use serde::de::{self, Deserializer};
use toml::Spanned;

use crate::date::Date;
use crate::diagnostic::{Level, Place, Span};
use crate::edges::Spot;
use crate::paths::Captures;
use crate::rules::Rule;
use crate::selector::Selector;

/// The name of the configuration file, at the root of the workspace.
pub const FILE_NAME: &str = "structure-lint.toml";

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    #[serde(skip)]
    text: String,
    /// Warnings fail the check too.
    #[serde(default)]
    pub deny_warnings: bool,
    /// Also what well-kept crates do not agree on. `None` is no.
    pub strict: Option<bool>,
    /// Rule code → level and options.
    #[serde(default)]
    pub rules: BTreeMap<Spanned<String>, RuleConfig>,
    /// Group name → selectors.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<Spanned<String>>>,
    #[serde(default)]
    pub layers: Vec<Layers>,
    #[serde(default)]
    pub independent: Vec<Independent>,
    #[serde(default)]
    pub forbid: Vec<Forbid>,
    #[serde(default)]
    pub confine: Vec<Confine>,
    #[serde(default)]
    pub only: Vec<Only>,
    #[serde(default)]
    pub protect: Vec<Protect>,
    #[serde(default)]
    pub acyclic: Vec<Acyclic>,
    #[serde(default)]
    pub facade: Vec<Facade>,
    #[serde(default)]
    pub models: ModelConfig,
    #[serde(default)]
    pub except: Vec<Except>,
}

/// `SL009 = "error"` or `SL050 = { level = "error", max = 400 }`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleConfig {
    pub level: Option<Level>,
    pub max: Option<u32>,
    /// For SL024: also what `[workspace.dependencies]` does not have yet.
    pub strict: bool,
}

/// SL010: an order of groups; each may use itself and what stands before it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    pub name: String,
    /// Lowest first.
    pub order: Vec<Spanned<String>>,
    /// The module whose children the layers are; without it, the workspace's packages.
    pub within: Option<Spanned<String>>,
    pub reason: Option<String>,
}

/// SL011: things that never use each other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Independent {
    pub name: String,
    pub members: Vec<Spanned<String>>,
    pub reason: Option<String>,
}

/// SL012: an edge that must not be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forbid {
    pub from: Vec<Spanned<String>>,
    pub to: Vec<Spanned<String>>,
    pub reason: Option<String>,
}

/// SL017: a crate (or a path of one) that may be named in some places only.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confine {
    #[serde(rename = "crate")]
    pub target: Spanned<String>,
    pub to: Vec<Spanned<String>>,
    pub reason: Option<String>,
}

/// SL013: places that use nothing but what is named (and themselves, and the standard library).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    pub from: Vec<Spanned<String>>,
    pub to: Vec<Spanned<String>>,
    pub reason: Option<String>,
}

/// SL014: a place that only some may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Protect {
    pub target: Vec<Spanned<String>>,
    pub visible_to: Vec<Spanned<String>>,
    pub reason: Option<String>,
}

/// SL015: things that never use each other in a circle. Groups never do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acyclic {
    pub name: String,
    pub members: Vec<Spanned<String>>,
    pub reason: Option<String>,
}

/// SL016: crates or modules whose inner modules are for themselves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facade {
    pub of: Vec<Spanned<String>>,
    /// Inner modules that everyone may name.
    #[serde(default)]
    pub open: Vec<Spanned<String>>,
    pub reason: Option<String>,
}

/// Where models and tables belong.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The only places that may define a model.
    #[serde(default)]
    pub home: Vec<Spanned<String>>,
    /// Table (`*` allowed) → the only place that writes it.
    #[serde(default)]
    pub owners: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Table (`*` allowed) → places beside its owner that may read it. Without an entry: SL044.
    #[serde(default)]
    pub readers: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    /// The layer whose structs stand for models on the way out, joined to them by `From`.
    #[serde(default)]
    pub api: Vec<Spanned<String>>,
}

/// A stated exception.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Except {
    pub rule: Spanned<String>,
    /// Where the finding is.
    #[serde(rename = "in")]
    pub places: Vec<Spanned<String>>,
    /// What it leads to; without it, anything.
    pub to: Option<Spanned<String>>,
    pub reason: Spanned<String>,
    pub until: Option<Date>,
}

impl Config {
    /// Reads a configuration.
    pub fn parse(text: &str) -> Result<Config> {
        let mut config: Config = toml::from_str(text).map_err(|err| {
            let line = err
                .span()
                .map_or(1, |range| Span::of_bytes(text, range).line);
            anyhow!("{FILE_NAME}:{line}: {}", err.message().replace('\n', "; "))
        })?;
        config.text = text.to_owned();
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<()> {
        let known = |code: &Spanned<String>| {
            let found = crate::rules::find(code.get_ref()).is_some();
            if found {
                Ok(())
            } else {
                Err(self.error(
                    code,
                    format!("no rule has the code or the name `{}`", code.get_ref()),
                ))
            }
        };
        self.rules.keys().try_for_each(known)?;
        for except in &self.except {
            known(&except.rule)?;
            if except.reason.get_ref().trim().is_empty() {
                return Err(self.error(&except.reason, "an exception needs a reason".into()));
            }
        }
        for (index, layers) in self.layers.iter().enumerate() {
            if self.layers[..index].iter().any(|it| it.name == layers.name) {
                bail!("{FILE_NAME}: two layer orders are named `{}`", layers.name);
            }
        }
        Ok(())
    }

    fn error<T>(&self, at: &Spanned<T>, message: String) -> anyhow::Error {
        anyhow!("{FILE_NAME}:{}: {message}", self.place(at).span.line)
    }

    /// Where a value stands in the file.
    pub fn place<T>(&self, value: &Spanned<T>) -> Place {
        Place::new(FILE_NAME, Span::of_bytes(&self.text, value.span()))
    }

    /// Whether the rules of a house apply that not every house has.
    pub fn is_strict(&self) -> bool {
        self.strict == Some(true)
    }

    /// How loud a rule is here.
    pub fn level(&self, rule: &dyn Rule) -> Level {
        let usual = if self.is_strict() {
            rule.strict_level()
        } else {
            rule.level()
        };
        self.rule(rule.code()).level.unwrap_or(usual)
    }

    /// The options of a rule.
    pub fn rule(&self, code: &str) -> RuleConfig {
        let mut rules = self.rules.iter();
        let found = rules.find(|(key, _)| crate::rules::is_named(key.get_ref(), code));
        found.map(|(_, it)| *it).unwrap_or_default()
    }

    /// The selectors that a name stands for: a group's, or itself.
    pub fn selectors(&self, name: &str) -> Vec<Selector> {
        match self.groups.get(name) {
            Some(texts) => texts
                .iter()
                .map(|it| Selector::parse(it.get_ref()))
                .collect(),
            None => vec![Selector::parse(name)],
        }
    }

    /// The selectors that any of the names stands for.
    pub(crate) fn all_of(&self, names: &[Spanned<String>]) -> Vec<Selector> {
        names
            .iter()
            .flat_map(|it| self.selectors(it.get_ref()))
            .collect()
    }

    /// The part of the place that a name (group or selector) covers.
    pub fn covers(&self, name: &str, spot: &Spot) -> Option<String> {
        self.captures(name, spot, &mut Captures::new())
    }

    fn captures(&self, name: &str, spot: &Spot, caught: &mut Captures) -> Option<String> {
        self.selectors(name).iter().find_map(|it| {
            let mut attempt = caught.clone();
            let part = it.captures(spot, &mut attempt)?;
            *caught = attempt;
            Some(part)
        })
    }

    /// The first of the names that covers the place, and the part that it covers.
    pub fn covering<'a>(
        &self,
        names: &'a [Spanned<String>],
        spot: &Spot,
    ) -> Option<(&'a Spanned<String>, String)> {
        self.capturing(names, spot, &mut Captures::new())
    }

    /// As [`Config::covering`]; each `{name}` stands for what it is known as, or becomes known.
    pub(crate) fn capturing<'a>(
        &self,
        names: &'a [Spanned<String>],
        spot: &Spot,
        caught: &mut Captures,
    ) -> Option<(&'a Spanned<String>, String)> {
        names
            .iter()
            .find_map(|it| Some((it, self.captures(it.get_ref(), spot, caught)?)))
    }

    /// The groups alone, so that what is said is said of one contract.
    pub(crate) fn without_contracts(&self) -> Config {
        Config {
            text: self.text.clone(),
            groups: self.groups.clone(),
            ..Config::default()
        }
    }

    /// Every selector text with its place, groups' members in place of groups' names.
    pub fn all_selectors(&self) -> Vec<&Spanned<String>> {
        let mut all: Vec<&Spanned<String>> = self.groups.values().flatten().collect();
        all.extend(
            self.layers
                .iter()
                .flat_map(|it| it.order.iter().chain(&it.within)),
        );
        all.extend(self.independent.iter().flat_map(|it| &it.members));
        all.extend(
            self.forbid
                .iter()
                .flat_map(|it| it.from.iter().chain(&it.to)),
        );
        all.extend(self.confine.iter().flat_map(|it| &it.to));
        all.extend(self.only.iter().flat_map(|it| it.from.iter().chain(&it.to)));
        let protected = self.protect.iter();
        all.extend(protected.flat_map(|it| it.target.iter().chain(&it.visible_to)));
        all.extend(self.acyclic.iter().flat_map(|it| &it.members));
        all.extend(
            self.facade
                .iter()
                .flat_map(|it| it.of.iter().chain(&it.open)),
        );
        all.extend(self.except.iter().flat_map(|it| &it.places));
        let models = &self.models;
        all.extend(models.home.iter().chain(models.owners.values()));
        all.extend(models.api.iter().chain(models.readers.values().flatten()));
        all.retain(|it| !self.groups.contains_key(it.get_ref()));
        all
    }
}

impl<'de> Deserialize<'de> for RuleConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RuleConfig, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = RuleConfig;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("`off`, `warn`, `error` or a table with `level`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RuleConfig, E> {
                let level = Level::deserialize(de::value::StrDeserializer::new(text))?;
                Ok(RuleConfig {
                    level: Some(level),
                    ..RuleConfig::default()
                })
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RuleConfig, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Options {
                    level: Option<Level>,
                    max: Option<u32>,
                    #[serde(default)]
                    strict: bool,
                }
                let it = Options::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(RuleConfig {
                    level: it.level,
                    max: it.max,
                    strict: it.strict,
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let got = Config::parse(text).map_or_else(|err| err.to_string(), |_| "fine".into());
        assert!(got.contains(expected), "{text}\n{got}");
    }

    #[test]
    fn what_is_not_understood_is_an_error_with_its_line() {
        check(
            "[[independent]]\nname = \"x\"\nmembers = [\"a\", \"b\"]\n",
            "fine",
        );
        check(
            "deny-warnings = true\nlayer = 1\n",
            "structure-lint.toml:2: unknown field `layer`",
        );
        check(
            "[rules]\nSL999 = \"off\"\n",
            "structure-lint.toml:2: no rule has the code or the name `SL999`",
        );
        check(
            "[rules]\nSL009 = \"loud\"\n",
            "structure-lint.toml:2: unknown variant `loud`",
        );
        check("[rules]\nSL050 = { maxx = 3 }\n", "unknown field `maxx`");
        check(
            "[[except]]\nrule = \"SL017\"\nin = [\"a\"]\n",
            "missing field `reason`",
        );
        check(
            "[[except]]\nrule = \"SL017\"\nin = [\"a\"]\nreason = \" \"\n",
            "needs a reason",
        );
        check(
            "[[except]]\nrule = \"SL017\"\nin = [\"a\"]\nreason = \"x\"\nuntil = \"soon\"\n",
            "year-month-day",
        );
    }

    #[test]
    fn a_rule_has_a_code_and_a_name() {
        let config = Config::parse("[rules]\npath-module = \"off\"\nsl002 = \"warn\"").unwrap();
        assert_eq!(config.rule("SL001").level, Some(Level::Off));
        assert_eq!(config.rule("SL002").level, Some(Level::Warn));
        let err = Config::parse("[rules]\npath-modul = \"off\"").unwrap_err();
        assert_eq!(
            err.to_string(),
            "structure-lint.toml:2: no rule has the code or the name `path-modul`"
        );
    }
}
