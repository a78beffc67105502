//! What the words beside numbers mean: the unit of what is measured, a power of ten, or the side of
//! an account.
//!
//! **Invariant:** only one unit that is known, and that all numbers have, is dropped without a
//! question. Whatever else is dropped, multiplied or negated is an answer.

use schema::mapping::{Otherwise, Transform};

use crate::currency;

/// No column has numbers in more units.
pub(super) const MAX_WORDS: usize = 8;

/// What a word beside a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A unit of length, mass, time and the like.
    Unit,
    /// Powers of ten, the likeliest first.
    Powers(&'static [u8]),
    Credit,
    Debit,
    Unknown,
}

/// Units that stand beside the numbers of a table, in this spelling.
const UNITS: &str = "kg g mg t lb lbs oz km cm mm mi ft in yd l ml cl hl h hr hrs hour hours Std min mins \
    minutes s sec secs seconds ms d day days Tag Tage wk weeks months years Jahre kWh MWh GWh Wh kW \
    MW GW Hz kHz MHz GHz kB KB MB GB TB PB KiB MiB GiB TiB Mbps Gbps km2 m2 sqm sqft ha px pt";

/// Words for powers of ten. `m` is a metre, too, and `B` a byte: no number has one unasked.
const POWERS: [(&str, &[u8]); 12] = [
    ("k K tsd Tsd TSD thousand Tausend mille", &[3]),
    ("T", &[3, 12]),
    (
        "M m MM Mio mio MIO mn Mn mln Mln mil Mill million millions Millionen",
        &[6],
    ),
    ("B b bn Bn BN bln Mrd mrd MRD Md md mld Mld", &[9]),
    ("milliard milliards Milliarden miljard miliardi", &[9]),
    ("billion billions Billion", &[9, 12]),
    ("Bio bio tn trn Trn", &[12]),
    ("trillion trillions Trillion", &[12, 18]),
    ("lakh Lakh lac Lac", &[5]),
    ("crore crores Crore", &[7]),
    ("hundred", &[2]),
    ("万", &[4]),
];

fn is_in(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|it| it == word)
}

fn meaning(word: &str) -> Meaning {
    let powers = |word: &str| {
        let mut all = POWERS.iter();
        all.find(|it| is_in(it.0, word)).map(|it| it.1)
    };
    match word {
        "CR" | "Cr" | "cr" | "H" | "Haben" => return Meaning::Credit,
        "DR" | "Dr" | "dr" | "S" | "Soll" => return Meaning::Debit,
        _ => {}
    }
    if let Some((power, _)) = with_code(word) {
        return powers(power).map_or(Meaning::Unknown, Meaning::Powers);
    }
    match powers(word) {
        Some(powers) => Meaning::Powers(powers),
        None if is_in(UNITS, word) => Meaning::Unit,
        None => Meaning::Unknown,
    }
}

/// `TEUR` is `T` and `EUR`.
pub(super) fn with_code(word: &str) -> Option<(&str, &str)> {
    let at = word.len().checked_sub(3).filter(|it| *it > 0)?;
    let (power, code) = word.split_at_checked(at)?;
    let is_power = POWERS.iter().any(|it| is_in(it.0, power));
    (is_power && currency::is_code(code)).then_some((power, code))
}

/// Whether a word multiplies the number or says its sign: the column is one of plain amounts.
pub(super) fn is_of_amount(word: &str) -> bool {
    !matches!(meaning(word), Meaning::Unit | Meaning::Unknown)
}

pub(super) fn is_unknown(word: &str) -> bool {
    meaning(word) == Meaning::Unknown
}

/// One way to read the words of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct WordReading {
    /// The way in words.
    pub(super) answer: String,
    /// What makes a number of a number and a word.
    pub(super) steps: Vec<Transform>,
    /// Whether a step puts a minus behind the number.
    pub(super) negates: bool,
}

/// The ways to read these words, of which there are some; several are a question. `some_bare` says
/// that there are numbers without any.
pub(super) fn readings(words: &[String], some_bare: bool) -> Vec<WordReading> {
    let has = |is: fn(Meaning) -> bool| words.iter().any(|it| is(meaning(it)));
    let alone = reading(words, "the numbers alone, without", |_| Some(String::new()));
    if let ([only], false) = (words, some_bare)
        && meaning(only) == Meaning::Unit
    {
        return vec![alone];
    }
    let mut readings = Vec::new();
    if has(|it| matches!(it, Meaning::Powers(_))) {
        let first = multiplied(words, |it| it.first());
        let last = multiplied(words, |it| it.last());
        let differs = last.steps != first.steps;
        readings.push(first);
        readings.extend(differs.then_some(last));
    }
    if has(|it| matches!(it, Meaning::Credit | Meaning::Debit)) {
        readings.push(negated(words, Meaning::Debit));
        readings.push(negated(words, Meaning::Credit));
    }
    readings.push(alone);
    let units = words.iter().filter(|it| !is_of_amount(it));
    if words.len() > 1 || some_bare {
        readings.extend(units.map(|it| only(it)));
    }
    if some_bare || readings.len() == 1 {
        readings.push(WordReading {
            answer: "only numbers that stand alone: one with a word beside it does not fit"
                .to_owned(),
            ..WordReading::default()
        });
    }
    readings
}

/// What becomes of the number before each word: nothing else, unless something is put behind it.
fn reading(words: &[String], answer: &str, behind: impl Fn(&str) -> Option<String>) -> WordReading {
    let steps = words.iter().map(|word| {
        let behind = behind(word).unwrap_or_default();
        step(word, &behind, Otherwise::Keep)
    });
    let listed: Vec<_> = words.iter().map(|it| format!("`{it}`")).collect();
    WordReading {
        answer: format!("{answer} {}", listed.join(", ")),
        steps: steps.collect(),
        negates: false,
    }
}

fn multiplied(
    words: &[String],
    power: impl Fn(&'static [u8]) -> Option<&'static u8>,
) -> WordReading {
    let power_of = |word: &str| match meaning(word) {
        Meaning::Powers(powers) => power(powers),
        _ => None,
    };
    let named = words
        .iter()
        .filter_map(|word| Some(format!("`{word}` is times {}", times(*power_of(word)?))));
    let answer = named.collect::<Vec<_>>().join(", ");
    let read = reading(words, "", |word| Some(format!("e{}", power_of(word)?)));
    WordReading { answer, ..read }
}

/// `1,000,000`.
fn times(power: u8) -> String {
    let digits = format!("1{}", "0".repeat(power.into()));
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// One side of the account is below zero.
fn negated(words: &[String], side: Meaning) -> WordReading {
    let of = |side: Meaning| {
        let words = words.iter().filter(move |it| meaning(it) == side);
        words.map(|it| format!("`{it}`")).collect::<Vec<_>>()
    };
    let other = match side {
        Meaning::Debit => Meaning::Credit,
        _ => Meaning::Debit,
    };
    let said = [(of(side), "below zero"), (of(other), "above zero")];
    let said = said.into_iter().filter(|it| !it.0.is_empty());
    let answer = said.map(|(words, is)| format!("{} is {is}", words.join(", ")));
    let answer = answer.collect::<Vec<_>>().join(", ");
    let read = reading(words, "", |word| {
        (meaning(word) == side).then(|| "-".to_owned())
    });
    WordReading {
        answer,
        negates: true,
        ..read
    }
}

fn only(word: &str) -> WordReading {
    WordReading {
        answer: format!("only those in `{word}`"),
        steps: vec![step(word, "", Otherwise::Reject)],
        negates: false,
    }
}

/// Puts something behind the number in the place of the word.
fn step(word: &str, behind: &str, otherwise: Otherwise) -> Transform {
    let (word, code) = with_code(word).unwrap_or((word, ""));
    let (word, code, kept) = match code {
        "" => (regex::escape(word), String::new(), ""),
        code => (regex::escape(word), format!("({code})"), " ${2}"),
    };
    Transform::Regex {
        pattern: format!(r"(\d)\s*{word}{code}\b\.?"),
        group: None,
        replace: Some(format!("${{1}}{behind}{kept}")),
        otherwise,
    }
}
