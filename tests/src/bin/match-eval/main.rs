//! Runs the field matcher over cases whose truth is known:
//! `cargo run --release -p tests --bin match-eval -- FILE [--predictions OUT] [--model FILE]
//! [--features OUT]`.
//!
//! A line of FILE is `{"id", "source": {"fields": [{"name", "type", "label"?, "samples": […]}]},
//! "target": {"fields": […]}, "truth": [[source, target], …]}`, optionally with `alt`, `nulls`,
//! `ask`, `task`, `family` and `entity_hint`; `"task": "values"`, or at least 20 distinct samples in
//! half of the fields of both sides, asks the ranker for values. `--predictions` writes `{"id", "pairs": [[source,
//! target, probability, margin, auto], …]}`; `--features` writes what the training program reads.

mod case;
mod score;
mod training;

use std::time::Instant;

use anyhow::{Context, bail};
use mapping::matcher::{Decision, Model, Ranked, answer_with, is_rich_in_values, rank_by_values};

use case::{Asked, Case};

/// What the matcher says of a case.
pub(crate) struct Answered {
    pub(crate) pairs: Vec<Pair>,
    /// All pairs that were compared as (source, target), the most probable first.
    pub(crate) ranked: Vec<(String, String)>,
}

/// One answer.
pub(crate) struct Pair {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) probability: f64,
    pub(crate) margin: f64,
    pub(crate) decision: Decision,
}

#[derive(Default)]
struct Options {
    file: Option<String>,
    predictions: Option<String>,
    features: Option<String>,
    model: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let options = options(std::env::args().skip(1))?;
    let file = options.file.context("name a file of cases")?;
    let cases = case::read(&file)?;
    let read;
    let model = match &options.model {
        Some(path) => {
            let json = std::fs::read_to_string(path);
            read = Model::parse(&json.with_context(|| format!("{path} cannot be read"))?)?;
            &read
        }
        None => Model::shipped(),
    };
    if let Some(path) = options.features {
        return training::write(&path, &cases, model);
    }
    let started = Instant::now();
    let answered: Vec<_> = cases.iter().map(|it| ask(it, model)).collect();
    let took = started.elapsed();
    if let Some(path) = options.predictions {
        write(&path, &cases, &answered)?;
    }
    let count = cases.len();
    let both: Vec<_> = cases.into_iter().zip(answered).collect();
    for (name, counts) in score::count(&both) {
        counts.print(&name);
    }
    println!("time: {:.3} s for {count} cases", took.as_secs_f64());
    Ok(())
}

fn options(mut words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options::default();
    while let Some(word) = words.next() {
        let place = match word.as_str() {
            "--predictions" => &mut options.predictions,
            "--features" => &mut options.features,
            "--model" => &mut options.model,
            _ if word.starts_with("--") => bail!("there is no option {word}"),
            _ if options.file.is_none() => {
                options.file = Some(word);
                continue;
            }
            _ => bail!("one file of cases is enough: {word}"),
        };
        *place = Some(
            words
                .next()
                .with_context(|| format!("{word} needs a file"))?,
        );
    }
    Ok(options)
}

fn ask(case: &Case, model: &Model) -> Answered {
    let asked = case.asked();
    if asked.by_values || is_rich_in_values(&asked.question()) {
        return by_values(&asked);
    }
    let matches = answer_with(&asked.question(), model);
    let source = |at: usize| asked.sources[at].name.clone();
    let target = |at: usize| asked.targets[at].name.clone();
    let mut ranked = Vec::new();
    for it in &matches {
        ranked.push((it.probability, it.source, it.target));
        let others = it.alternatives.iter();
        // What was chosen comes first for its target.
        ranked.extend(others.map(|other| {
            (
                other.probability.min(it.probability),
                other.source,
                it.target,
            )
        }));
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let pair = |it: &mapping::matcher::Match| Pair {
        source: source(it.source),
        target: target(it.target),
        probability: it.probability,
        margin: it.margin,
        decision: it.decision,
    };
    Answered {
        pairs: matches.iter().map(pair).collect(),
        ranked: ranked
            .iter()
            .map(|it| (source(it.1), target(it.2)))
            .collect(),
    }
}

/// Pairs that chose each other come before the others.
fn by_values(asked: &Asked) -> Answered {
    let ranked = rank_by_values(&asked.question());
    let names = |it: &Ranked| {
        let target = asked.targets[it.target].name.clone();
        (asked.sources[it.source].name.clone(), target)
    };
    let pair = |it: &Ranked| {
        let (source, target) = names(it);
        let score = if it.chosen { 1.0 + it.score } else { it.score };
        Pair {
            source,
            target,
            probability: score / 2.0,
            margin: 0.0,
            decision: Decision::Shown,
        }
    };
    Answered {
        pairs: ranked.iter().map(pair).collect(),
        ranked: ranked.iter().map(names).collect(),
    }
}

fn write(path: &str, cases: &[Case], answered: &[Answered]) -> anyhow::Result<()> {
    let mut text = String::new();
    for (case, answered) in cases.iter().zip(answered) {
        let pair = |it: &Pair| {
            let auto = it.decision == Decision::Auto;
            serde_json::json!([it.source, it.target, it.probability, it.margin, auto])
        };
        let pairs: Vec<_> = answered.pairs.iter().map(pair).collect();
        text += &serde_json::json!({ "id": case.id, "pairs": pairs }).to_string();
        text.push('\n');
    }
    std::fs::write(path, text).with_context(|| format!("{path} cannot be written"))
}
