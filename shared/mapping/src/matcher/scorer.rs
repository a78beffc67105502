//! Scorers: a row of numbers becomes a logit, and the logit can be booked to its columns.

use serde::Deserialize;

/// A scorer as the model's file has it.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ScorerFile {
    /// A weighted sum of the columns.
    Linear {
        base: f64,
        features: Vec<String>,
        weights: Vec<f64>,
    },
    /// A sum over decision trees: Friedman, "Greedy Function Approximation" (2001).
    Trees {
        base: f64,
        features: Vec<String>,
        trees: Vec<TreeFile>,
    },
}

/// A tree as five columns of equal length, one entry a node, the root first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TreeFile {
    /// The position of the feature that the node asks for; -1 at a leaf.
    split: Vec<i32>,
    /// The greatest value that goes to `low`.
    at: Vec<f64>,
    low: Vec<usize>,
    high: Vec<usize>,
    /// The mean outcome at the node: a leaf's is what the tree adds.
    value: Vec<f64>,
}

/// A scorer whose columns are found.
#[derive(Debug)]
pub(super) struct Scorer {
    base: f64,
    weights: Vec<(usize, f64)>,
    trees: Vec<Vec<Node>>,
}

/// Small, so that a tree stays in the fastest cache.
#[derive(Debug)]
struct Node {
    /// [`LEAF`] at a leaf.
    column: u16,
    low: u16,
    high: u16,
    at: f32,
    value: f64,
}

const LEAF: u16 = u16::MAX;

impl Scorer {
    /// Finds the columns by name; the error says what is wrong with the file.
    pub(super) fn new(
        file: ScorerFile,
        column: impl Fn(&str) -> Option<usize>,
    ) -> Result<Scorer, String> {
        let columns = |features: Vec<String>| -> Result<Vec<usize>, String> {
            let find = |it: &String| column(it).ok_or(format!("there is no feature {it}"));
            features.iter().map(find).collect()
        };
        match file {
            ScorerFile::Linear {
                base,
                features,
                weights,
            } => {
                let columns = columns(features)?;
                if columns.len() != weights.len() {
                    return Err("there is not one weight for each feature".to_owned());
                }
                Ok(Scorer {
                    base,
                    weights: columns.into_iter().zip(weights).collect(),
                    trees: Vec::new(),
                })
            }
            ScorerFile::Trees {
                base,
                features,
                trees,
            } => {
                let columns = columns(features)?;
                let trees = trees.into_iter().map(|it| it.nodes(&columns));
                Ok(Scorer {
                    base,
                    weights: Vec::new(),
                    trees: trees.collect::<Result<_, _>>()?,
                })
            }
        }
    }

    /// The logits of rows. Thresholds are compared in 32 bits, as they were learnt.
    pub(super) fn scores<'a>(&self, rows: impl Iterator<Item = &'a [f32]> + Clone) -> Vec<f64> {
        let weighted = |row: &[f32]| {
            let columns = self.weights.iter();
            self.base
                + columns
                    .map(|(at, it)| it * f64::from(row[*at]))
                    .sum::<f64>()
        };
        let mut scores: Vec<_> = rows.clone().map(weighted).collect();
        for tree in &self.trees {
            for (score, row) in scores.iter_mut().zip(rows.clone()) {
                let mut node = &tree[0];
                while node.column != LEAF {
                    node = &tree[node.next(row)];
                }
                *score += node.value;
            }
        }
        scores
    }

    /// Books the logit to the columns: the sum of all that is handed over, and the base that is
    /// returned, is the logit. In a tree, the change of value from a node to its child belongs to
    /// the column that the node asks for: Saabas, "Interpreting random forests" (2014).
    pub(super) fn explain(&self, row: &[f32], mut book: impl FnMut(usize, f64)) -> f64 {
        for (column, weight) in &self.weights {
            book(*column, weight * f64::from(row[*column]));
        }
        let mut base = self.base;
        for tree in &self.trees {
            let mut node = &tree[0];
            base += node.value;
            while node.column != LEAF {
                let child = &tree[node.next(row)];
                book(usize::from(node.column), child.value - node.value);
                node = child;
            }
        }
        base
    }
}

impl Node {
    fn next(&self, row: &[f32]) -> usize {
        let low = row[usize::from(self.column)] <= self.at;
        usize::from(if low { self.low } else { self.high })
    }
}

impl TreeFile {
    fn nodes(self, columns: &[usize]) -> Result<Vec<Node>, String> {
        let length = self.split.len();
        let lengths = [
            self.at.len(),
            self.low.len(),
            self.high.len(),
            self.value.len(),
        ];
        if length == 0 || lengths != [length; 4] {
            return Err("a tree's columns are not of one length".to_owned());
        }
        (0..length).map(|it| self.node(it, columns)).collect()
    }

    fn node(&self, at: usize, columns: &[usize]) -> Result<Node, String> {
        let value = self.value[at];
        if self.split[at] < 0 {
            return Ok(Node {
                column: LEAF,
                low: 0,
                high: 0,
                at: 0.0,
                value,
            });
        }
        let column = usize::try_from(self.split[at]).ok();
        let column = column.and_then(|it| u16::try_from(*columns.get(it)?).ok());
        // Children come after their parent, so every walk ends.
        let ahead = |it: usize| {
            let leads = it > at && it < self.split.len();
            u16::try_from(it).ok().filter(|_| leads)
        };
        match (column, ahead(self.low[at]), ahead(self.high[at])) {
            (Some(column), Some(low), Some(high)) => Ok(Node {
                column,
                low,
                high,
                at: self.at[at] as f32,
                value,
            }),
            _ => Err("a tree's node leads nowhere".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scorer(json: &str) -> Result<Scorer, String> {
        let file = serde_json::from_str(json).unwrap();
        Scorer::new(file, |name| ["a", "b"].iter().position(|it| *it == name))
    }

    const TREES: &str = r#"{"kind": "trees", "base": 1.0, "features": ["b", "a"], "trees": [
        {"split": [0, -1, 1, -1, -1], "at": [0.5, 0, 2, 0, 0], "low": [1, 0, 3, 0, 0],
         "high": [2, 0, 4, 0, 0], "value": [0.1, -1, 0.5, 0.25, 4]}]}"#;

    #[test]
    fn a_tree_is_walked_to_its_leaf() {
        let scorer = scorer(TREES).unwrap();
        let rows: [&[f32]; 3] = [&[0.0, 0.5], &[2.0, 0.6], &[2.1, 0.6]];
        assert_eq!(scorer.scores(rows.into_iter()), [0.0, 1.25, 5.0]);
    }

    #[test]
    fn the_parts_of_an_explanation_add_up_to_the_logit() {
        let linear = r#"{"kind": "linear", "base": -1, "features": ["a", "b"], "weights": [2, 3]}"#;
        for json in [TREES, linear] {
            let scorer = scorer(json).unwrap();
            for row in [[0.0, 0.0], [1.0, 0.7], [3.0, 9.0]] {
                let mut sum = 0.0;
                let base = scorer.explain(&row, |_, part| sum += part);
                let score = scorer.scores([&row[..]].into_iter())[0];
                assert!((base + sum - score).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_broken_file_is_refused() {
        let cases = [
            (
                r#"{"kind":"linear","base":0,"features":["c"],"weights":[1]}"#,
                "there is no feature c",
            ),
            (
                r#"{"kind":"linear","base":0,"features":["a"],"weights":[]}"#,
                "there is not one weight for each feature",
            ),
            (
                r#"{"kind":"trees","base":0,"features":["a"],"trees":[{"split":[0],"at":[0],"low":[0],"high":[0],"value":[0]}]}"#,
                "a tree's node leads nowhere",
            ),
            (
                r#"{"kind":"trees","base":0,"features":["a"],"trees":[{"split":[],"at":[],"low":[],"high":[],"value":[]}]}"#,
                "a tree's columns are not of one length",
            ),
        ];
        for (json, want) in cases {
            assert_eq!(scorer(json).unwrap_err(), want);
        }
    }
}
