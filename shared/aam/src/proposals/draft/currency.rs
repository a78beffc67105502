//! The currency of amounts, where it stands beside them as a sign or a code.
//!
//! **Invariant:** a record has the currency of its own column or of its own sign; that of another
//! record only if a person says so.

use std::collections::{BTreeMap, BTreeSet};

use mapping::currency;
use mapping::fix::text_at;
use schema::mapping::{FieldMapping, Otherwise, Transform};
use serde_json::Value;

use super::Draft;
use crate::proposals::Question;
use crate::proposals::questions::{choice, plain};

/// The question that asks for the currency of amounts.
const CURRENCY: &str = "currency";

/// A column of amounts with signs of currencies.
struct Signed {
    source: String,
    signs: Vec<String>,
    codes: BTreeSet<String>,
}

/// A sampled amount: the code of its sign, and what the column of currencies has.
struct Amount {
    sign: Option<String>,
    column: Option<String>,
}

impl Draft<'_> {
    /// The currency by the signs on the amounts: where there is no column for it, and where that is
    /// empty. Where the two disagree, or some amounts have no sign, it is asked.
    pub(super) fn fill_currency(&mut self) {
        let entity = self.entity.clone();
        let Some(field) = entity.field("currency") else {
            return;
        };
        if self.answers.fields.contains_key(&*field.name) {
            return;
        }
        let Some(signed) = self.signed_amounts(&field.name) else {
            return;
        };
        let column = self.filled.get(&*field.name);
        let column = column.map(|it| it.sources.clone()).unwrap_or_default();
        let amounts = self.amounts(&signed, column.first());
        match &*column {
            [] => self.fill_by_sign(&field.name, &signed, &amounts),
            [only] => self.fill_beside(&field.name, &signed, (only, &amounts)),
            _ => {}
        }
    }

    /// The column whose amounts have signs that say a currency; of several, one whose currency is
    /// that of all of them.
    fn signed_amounts(&self, currency: &str) -> Option<Signed> {
        let amounts = self.filled.values().filter(|it| it.target != currency);
        let signed = amounts.filter_map(|it| {
            let signs: Vec<_> = it.transforms.iter().flat_map(signs).cloned().collect();
            let codes: BTreeSet<_> = signs
                .iter()
                .filter_map(|it| currency::code_of(it))
                .collect();
            let source = it.sources.first().filter(|_| !codes.is_empty())?.clone();
            Some(Signed {
                source,
                signs,
                codes,
            })
        });
        let mut signed: Vec<_> = signed.collect();
        let agree = signed.windows(2).all(|it| it[0].codes == it[1].codes);
        let is_one = signed.len() == 1 || agree && signed.first()?.codes.len() == 1;
        is_one.then(|| signed.swap_remove(0))
    }

    fn amounts(&self, signed: &Signed, column: Option<&String>) -> Vec<Amount> {
        let records = self.unmapped.records.iter();
        let records = records.filter_map(|it| serde_json::from_str::<Value>(it).ok());
        let amount = |record: &Value| {
            let text = text_at(record, &signed.source)?.to_uppercase();
            let has = |it: &&String| text.contains(&it.to_uppercase());
            let sign = signed.signs.iter().filter(has).max_by_key(|it| it.len());
            let column = column.and_then(|it| text_at(record, it));
            text.contains(|it: char| it.is_ascii_digit())
                .then(|| Amount {
                    sign: sign.map(|it| currency::code_of(it).unwrap_or_else(|| it.clone())),
                    column: column
                        .map(|it| it.trim().to_uppercase())
                        .filter(|it| !it.is_empty()),
                })
        };
        records.filter_map(|it| amount(&it)).collect()
    }

    fn fill_by_sign(&mut self, target: &str, signed: &Signed, amounts: &[Amount]) {
        let mut row = by_sign(target, signed);
        let bare = amounts.iter().filter(|it| it.sign.is_none()).count();
        if bare > 0 {
            self.asked.insert(CURRENCY.to_owned());
            let said = self.answers.choices.get(CURRENCY);
            match said {
                Some(said) if said == "none" => {}
                Some(said) if signed.codes.contains(said) => {
                    row.transforms.push(Transform::Default {
                        value: said.clone(),
                    });
                }
                _ => self.ask(of_bare(signed, bare, amounts.len())),
            }
        }
        self.filled.insert(target.to_owned(), row);
    }

    fn fill_beside(
        &mut self,
        target: &str,
        signed: &Signed,
        (column, amounts): (&String, &[Amount]),
    ) {
        let other = |it: &&Amount| match (&it.sign, &it.column) {
            (Some(sign), Some(column)) => sign != column,
            _ => false,
        };
        let differing = amounts.iter().filter(other).count();
        let mut takes_sign = false;
        if differing > 0 {
            self.asked.insert(CURRENCY.to_owned());
            match self.answers.choices.get(CURRENCY).map(String::as_str) {
                Some("sign") => takes_sign = true,
                Some("column") => {}
                _ => self.ask(of_two(&signed.source, column, (differing, amounts.len()))),
            }
        }
        let fills_up = |it: &Amount| it.column.is_none() && it.sign.is_some();
        if takes_sign {
            self.filled
                .insert(target.to_owned(), by_sign(target, signed));
        } else if amounts.iter().any(fills_up) {
            let row = column_or_sign(target, column, signed);
            self.filled.insert(target.to_owned(), row);
        }
    }
}

/// Each amount's own currency.
fn by_sign(target: &str, signed: &Signed) -> FieldMapping {
    FieldMapping {
        target: target.to_owned(),
        sources: vec![signed.source.clone()],
        transforms: vec![
            Transform::Regex {
                pattern: currency::pattern(&signed.signs),
                group: Some("0".to_owned()),
                replace: None,
                otherwise: Otherwise::Null,
            },
            Transform::Upper {},
            codes(signed, Otherwise::Null),
        ],
    }
}

/// What the column has; where it is empty, the sign.
fn column_or_sign(target: &str, column: &str, signed: &Signed) -> FieldMapping {
    FieldMapping {
        target: target.to_owned(),
        sources: vec![column.to_owned(), signed.source.clone()],
        transforms: vec![
            Transform::Coalesce { nulls: vec![] },
            Transform::Regex {
                pattern: r"[\d\s.,'’()+−-]+".to_owned(),
                group: None,
                replace: Some(String::new()),
                otherwise: Otherwise::Keep,
            },
            Transform::Upper {},
            codes(signed, Otherwise::Keep),
        ],
    }
}

fn codes(signed: &Signed, otherwise: Otherwise) -> Transform {
    let pair = |it: &String| Some((it.to_uppercase(), currency::code_of(it)?));
    let table: BTreeMap<_, _> = signed.signs.iter().filter_map(pair).collect();
    Transform::Lookup { table, otherwise }
}

fn of_bare(signed: &Signed, bare: usize, all: usize) -> Question {
    let same = signed.codes.iter().map(|it| {
        let meaning = format!("Amounts without a sign are in {it}, too.");
        choice(it, &meaning)
    });
    let none = choice("none", "It is not known: their currency stays empty.");
    Question {
        id: CURRENCY.to_owned(),
        question: format!(
            "`{}`: {bare} of {all} sampled amounts have no sign of a currency. Which is theirs?",
            plain(&signed.source)
        ),
        choices: same.chain([none]).collect(),
    }
}

fn of_two(amount: &str, column: &str, (differing, all): (usize, usize)) -> Question {
    let (amount, column) = (plain(amount), plain(column));
    Question {
        id: CURRENCY.to_owned(),
        question: format!(
            "The sign on `{amount}` is of another currency than `{column}` says in {differing} of \
             {all} sampled records. Which is right?"
        ),
        choices: vec![
            choice("column", &format!("The currency is what `{column}` says.")),
            choice(
                "sign",
                &format!("The currency is that of the sign on `{amount}`."),
            ),
        ],
    }
}

/// The signs of currencies that a step reads.
fn signs(step: &Transform) -> &[String] {
    match step {
        Transform::Number { currency, .. } => currency,
        _ => &[],
    }
}
