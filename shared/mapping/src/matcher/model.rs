//! The model: `data/model.json`, read once. `training/` makes it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schema::{Error, Result};
use serde::Deserialize;

use super::calibration::{Curve, Group};
use super::scorer::{Scorer, ScorerFile};
use super::{context, features};

static SHIPPED: LazyLock<Model> = LazyLock::new(|| {
    let model = Model::parse(include_str!("data/model.json"));
    model.expect("the shipped model is valid; a test reads it")
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Where it comes from, for a reader.
    #[serde(rename = "about")]
    _about: String,
    first: ScorerFile,
    second: ScorerFile,
    calibration: BTreeMap<String, Vec<(f64, f64)>>,
    pooled: Vec<(f64, f64)>,
    thresholds: BTreeMap<String, f64>,
}

/// Two scorers, the curves that turn their logit into a probability, and from which probability
/// on a decision of each group is right often enough.
#[derive(Debug)]
pub struct Model {
    /// By the features of a pair alone.
    pub(super) first: Scorer,
    /// By the first's logit, the rivals' and the features.
    pub(super) second: Scorer,
    curves: Vec<Curve>,
    pub(super) pooled: Curve,
    thresholds: Vec<f64>,
}

impl Model {
    /// The model that is part of the platform.
    pub fn shipped() -> &'static Model {
        &SHIPPED
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// `BadRequest` says what is wrong with it.
    pub fn parse(json: &str) -> Result<Model> {
        let bad = |it: String| Error::BadRequest(format!("the model cannot be used: {it}"));
        let file: File = serde_json::from_str(json).map_err(|it| bad(it.to_string()))?;
        let mut curves = Vec::new();
        let mut thresholds = Vec::new();
        for group in Group::all() {
            let name = group.name();
            let knots = file.calibration.get(&name);
            let knots = knots.ok_or_else(|| bad(format!("no calibration of {name}")))?;
            curves.push(Curve::new(knots.clone()).map_err(bad)?);
            let threshold = file.thresholds.get(&name);
            thresholds.push(*threshold.ok_or_else(|| bad(format!("no threshold of {name}")))?);
        }
        Ok(Model {
            first: Scorer::new(file.first, features::at).map_err(bad)?,
            second: Scorer::new(file.second, context::at).map_err(bad)?,
            curves,
            pooled: Curve::new(file.pooled).map_err(bad)?,
            thresholds,
        })
    }

    pub(super) fn curve(&self, group: Group) -> &Curve {
        &self.curves[group.index()]
    }

    /// The least probability from which on decisions of the group were right often enough.
    pub(super) fn threshold(&self, group: Group) -> f64 {
        self.thresholds[group.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_lacks_something_is_refused() {
        assert!(Model::shipped().threshold(Group::all()[0]) > 0.5);
        let refused = Model::parse("{}").unwrap_err().to_string();
        assert!(
            refused.starts_with("the model cannot be used: missing field"),
            "{refused}"
        );
    }
}
