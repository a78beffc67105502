//! What the values and types of two fields have in common.

use schema::source::SourceType;

use crate::matcher::form::FieldForms;
use crate::matcher::implied::Implied;
use crate::matcher::profile::{Profile, overlap};

/// The features of two fields' values; zero where either has none.
#[derive(Default)]
pub(super) struct Values {
    has_vals: f64,
    fmt_cos: f64,
    len_diff: f64,
    cc_sim: f64,
    vjac: f64,
    num_q: f64,
    dist_d: f64,
    null_d: f64,
    aligned_eq: f64,
    aligned_on: f64,
    vtok: f64,
}

/// What the two names imply of each other's values.
pub(super) struct ImpliedFit {
    eq: f64,
    ok_s: f64,
    bad_s: f64,
    ok_t: f64,
    bad_t: f64,
}

impl Values {
    pub(super) fn columns(&self, implied: &ImpliedFit) -> [f64; 16] {
        [
            self.has_vals,
            self.fmt_cos,
            implied.eq,
            implied.ok_s,
            implied.bad_s,
            implied.ok_t,
            implied.bad_t,
            self.len_diff,
            self.cc_sim,
            self.vjac,
            self.vtok,
            self.num_q,
            self.dist_d,
            self.null_d,
            self.aligned_eq,
            self.aligned_on,
        ]
    }
}

/// Compares the values of two fields.
pub(super) fn of(source: &FieldForms, target: &FieldForms, aligned: bool) -> Values {
    let (Some(p), Some(q)) = (&source.profile, &target.profile) else {
        return Values::default();
    };
    let same_records = aligned && p.values.len() == q.values.len();
    let letters = p.letters.iter().zip(&q.letters);
    Values {
        has_vals: 1.0,
        fmt_cos: cosine_of_formats(p, q),
        len_diff: ((p.length + 1.0) / (q.length + 1.0)).ln().abs().min(3.0),
        cc_sim: 1.0 - 0.5 * letters.map(|(a, b)| (a - b).abs()).sum::<f64>(),
        vjac: overlap(&p.set, &q.set),
        num_q: likeness_of_medians(p, q),
        dist_d: (p.distinct - q.distinct).abs(),
        null_d: (p.nulls - q.nulls).abs(),
        aligned_eq: if same_records {
            equal_records(p, q)
        } else {
            0.0
        },
        aligned_on: f64::from(u8::from(same_records)),
        vtok: overlap(&p.words, &q.words),
    }
}

/// The cosine of the two histograms of formats.
pub(in crate::matcher) fn cosine_of_formats(p: &Profile, q: &Profile) -> f64 {
    let both = p.formats.iter().zip(&q.formats);
    both.map(|(a, b)| a * b).sum::<f64>() / (p.norm * q.norm)
}

/// 1 where the medians are equal, less the more their magnitudes differ.
pub(in crate::matcher) fn likeness_of_medians(p: &Profile, q: &Profile) -> f64 {
    let (Some(a), Some(b)) = (p.median, q.median) else {
        return 0.0;
    };
    let sign = if (a < 0.0) == (b < 0.0) { 1.0 } else { 0.3 };
    sign / (1.0 + (a.abs().ln_1p() - b.abs().ln_1p()).abs())
}

/// The share of records that have the same value in both. A constant column proves little.
fn equal_records(p: &Profile, q: &Profile) -> f64 {
    let both = p.values.iter().zip(&q.values);
    let share = both.filter(|(a, b)| a == b).count() as f64 / p.values.len() as f64;
    let constant = p.set.len() == 1 && p.values.len() > 1;
    if constant { share * 0.5 } else { share }
}

/// How well the types fit, and how badly.
pub(super) fn of_types(source: &FieldForms, target: &FieldForms) -> [f64; 2] {
    let (Some(a), Some(b)) = (source.kind.map(kind), target.kind.map(kind)) else {
        return [0.0, 0.0];
    };
    let numeric = |it: &FieldForms| it.profile.as_ref().is_some_and(|it| it.median.is_some());
    let either = |x: Kind, y: Kind| (a, b) == (x, y) || (a, b) == (y, x);
    if a == b {
        [1.0, 0.0]
    } else if either(Kind::Text, Kind::Date)
        || (a, b) == (Kind::Text, Kind::Number) && numeric(source)
        || (a, b) == (Kind::Number, Kind::Text) && numeric(target)
    {
        [0.5, 0.0]
    } else if either(Kind::Number, Kind::Date) {
        [0.0, 0.5]
    } else if either(Kind::Text, Kind::Number) {
        [0.0, 0.6]
    } else if either(Kind::Text, Kind::Boolean) {
        [0.0, 0.7]
    } else {
        [0.0, 1.0]
    }
}

/// Types as far as they are told apart here.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Number,
    Boolean,
    Date,
    List,
    Object,
}

fn kind(of: SourceType) -> Kind {
    match of {
        SourceType::Text => Kind::Text,
        SourceType::Integer | SourceType::Decimal => Kind::Number,
        SourceType::Boolean => Kind::Boolean,
        SourceType::Date | SourceType::Timestamp => Kind::Date,
        SourceType::Array => Kind::List,
        SourceType::Object => Kind::Object,
    }
}

/// Whether either field has the values that the other's name implies.
pub(super) fn of_implied(
    source: &FieldForms,
    target: &FieldForms,
    by_source: Option<Implied>,
    by_target: Option<Implied>,
) -> ImpliedFit {
    let fit = |of: &FieldForms, implied: Option<Implied>| {
        let share = of.profile.as_ref().zip(implied);
        let share = share.map(|(profile, implied)| profile.share(implied.formats()));
        share.map_or((0.0, 0.0), |it| (it, 1.0 - it))
    };
    let (ok_s, bad_s) = fit(source, by_target);
    let (ok_t, bad_t) = fit(target, by_source);
    let eq = match (by_source, by_target) {
        (Some(a), Some(b)) if a == b => 1.0,
        (Some(_), Some(_)) => -1.0,
        _ => 0.0,
    };
    ImpliedFit {
        eq,
        ok_s,
        bad_s,
        ok_t,
        bad_t,
    }
}
