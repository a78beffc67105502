//! This repository with one crate more, in which the copies stand.

use std::collections::BTreeSet;
use std::path::Path;

use structure_lint::check::{analyse, check_files, read, with_deep_stack};
use structure_lint::config::Config;
use structure_lint::files::SourceFiles;
use structure_lint::models::{Model, Models};
use structure_lint::rules::RULES;

use crate::written::Written;

pub(crate) const CRATE: &str = "zz-copies";

/// What rules say of which text.
pub(crate) type Findings = BTreeSet<(usize, &'static str, String)>;

/// Deeper than any module of this repository: of two models the upper one is the home.
const FOLDER: &str = "src/a/b/c/d";

pub(crate) struct Ground {
    files: SourceFiles,
    models: Models,
    config: Config,
}

impl Ground {
    pub(crate) fn of_this_repository() -> Ground {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let (mut files, config) = read(root).unwrap();
        let analysis = analyse(&files).unwrap();
        let models = Models::collect(&files, &analysis.workspace, &analysis.modules);
        let manifest = files.get("Cargo.toml").unwrap();
        let (before, after) = manifest.split_once("\"]").unwrap();
        assert!(before.contains("members = ["), "{before}");
        let with_crate = format!("{before}\", \"{CRATE}\"]{after}");
        files.set("Cargo.toml", with_crate);
        let packages = analysis.workspace.packages.iter();
        let uses = packages.map(|it| format!("{} = {{ path = \"../{}\" }}\n", it.name, it.dir));
        let uses: String = uses.collect();
        let package = format!("[package]\nname = \"{CRATE}\"\nedition = \"2024\"\n");
        let manifest = format!("{package}[dependencies]\n{uses}");
        files.set(&format!("{CRATE}/Cargo.toml"), manifest);
        Ground {
            files,
            models,
            config,
        }
    }

    /// Every struct that maps to the database or is a model of `[models] home`, with its path.
    pub(crate) fn homes(&self) -> Vec<(String, Written)> {
        let is_home = |it: &Model| {
            let home = &self.config.models.home;
            it.on_wire && self.config.covering(home, &it.from).is_some()
        };
        let structs = self.models.structs.iter();
        let meant = structs.filter(|it| it.fields.len() > 1 && (it.mapped || is_home(it)));
        let path = |it: &Model| format!("{}::{}", it.from.path, it.name);
        let written = meant.filter_map(|it| Some((path(it), Written::find(&self.files, it)?)));
        written.collect()
    }

    /// This repository's models, with the rules about them alone: the others cost most of the time.
    fn config(&self, api: &[&str]) -> Config {
        let others = RULES.iter().filter(|it| !it.code().starts_with("SL04"));
        let off: String = others
            .map(|it| format!("{} = \"off\"\n", it.code()))
            .collect();
        let home = self.config.models.home.iter();
        let home: Vec<&str> = home.map(|it| it.get_ref().as_str()).collect();
        Config::parse(&format!(
            "[rules]\n{off}[models]\nhome = {home:?}\napi = {api:?}\n"
        ))
        .unwrap()
    }

    /// The number of each text that a rule speaks of, with the code and what the finding leads to.
    /// `api` are the places of the declared API layer.
    pub(crate) fn findings(&self, api: &[&str], texts: &[String]) -> Findings {
        let mut files = self.files.clone();
        let declarations = (0..texts.len()).map(|at| format!("mod m{at};\n"));
        let above = ["lib.rs", "a.rs", "a/b.rs", "a/b/c.rs"].iter().zip('a'..);
        for (file, below) in above {
            files.set(&format!("{CRATE}/src/{file}"), format!("mod {below};\n"));
        }
        files.set(&format!("{CRATE}/{FOLDER}.rs"), declarations.collect());
        for (at, text) in texts.iter().enumerate() {
            files.set(&format!("{CRATE}/{FOLDER}/m{at}.rs"), text.clone());
        }
        let (config, today) = (self.config(api), "2026-11-22".parse().unwrap());
        let check = || check_files(&files, &config, today).unwrap();
        let report = with_deep_stack(0, check).unwrap();
        let number = |file: &str| {
            let name = file.strip_prefix(&format!("{CRATE}/{FOLDER}/m"))?;
            name.strip_suffix(".rs")?.parse().ok()
        };
        let all = report.diagnostics.iter();
        // What speaks of a copy from elsewhere would be missed below.
        assert!(all.clone().all(|it| !it.to.starts_with("zz_copies")));
        all.filter_map(|it| Some((number(&it.place.file)?, it.code, it.to.clone())))
            .collect()
    }
}
