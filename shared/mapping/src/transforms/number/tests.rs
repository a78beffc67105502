use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::transforms::testing::{check_fault, check_for};

fn of(mut more: Value) -> Value {
    more["kind"] = "number".into();
    more
}

/// What fits, with what it is read as; everything else of `wrong` does not.
#[track_caller]
fn check(transform: Value, right: &[(&str, &str)], wrong: &[&str]) {
    check_for("amount", &of(transform.clone()), right);
    let number: Transform = serde_json::from_value(of(transform)).unwrap();
    let number = compile(&number).unwrap();
    for text in wrong {
        assert!(number.run(Cow::Borrowed(text)).is_err(), "{text:?}");
    }
}

#[test]
fn separators_are_the_declared_ones() {
    check(
        json!({"decimal": ".", "group": ","}),
        &[
            ("1,200,000.50", "1200000.50"),
            ("1234.5", "1234.5"),
            ("-1,234", "-1234"),
            ("−7", "-7"),
            ("+7", "7"),
            (".5", "0.5"),
            ("1.5E+3", "1500"),
            ("", "null"),
            ("  ", "null"),
        ],
        &[
            "1.200.000,50",
            "1,23",
            "1,2345",
            "12,34,567",
            ",123",
            "1,,234",
            "1,234,",
            "5.",
            "1-",
            "(1)",
            "1%",
            "€1",
            "--1",
            "+-1",
            "1 234",
            "e5",
            "1e",
            "٣",
            "1.5.5",
            "-",
            "1e+-5",
        ],
    );
    check(
        json!({"decimal": ",", "group": "."}),
        &[
            ("1.200.000,50", "1200000.50"),
            ("12,5", "12.5"),
            ("1,5e3", "1500"),
        ],
        &["1,200,000.50", "1.23", "1200.000,5"],
    );
    check(
        json!({"decimal": ",", "group": " "}),
        &[
            ("1 200 000,50", "1200000.50"),
            ("1\u{a0}200\u{202f}000,5", "1200000.5"),
        ],
        &["1.200,5", "1  200", "12 34"],
    );
    check(
        json!({"decimal": ".", "group": "'"}),
        &[("1'200'000.50", "1200000.50"), ("1’200", "1200")],
        &["1,200"],
    );
    check(
        json!({"decimal": ".", "group": ",", "grouping": "indian"}),
        &[
            ("12,34,567.89", "1234567.89"),
            ("1,234", "1234"),
            ("123", "123"),
        ],
        &["1,234,567", "123,456"],
    );
    check(json!({"decimal": "."}), &[("1200.5", "1200.5")], &["1,200"]);
}

#[test]
fn signs_are_the_declared_ones() {
    check(
        json!({"decimal": ",", "group": ".", "currency": ["€", "EUR", "US$", "$"]}),
        &[
            ("1.200,50 €", "1200.50"),
            ("EUR 1", "1"),
            ("eur1", "1"),
            ("-€ 5", "-5"),
            ("US$5", "5"),
            ("$-5", "-5"),
        ],
        &["5 CHF", "€5€", "€"],
    );
    check(
        json!({"decimal": ".", "percent": "fraction"}),
        &[("12.5 %", "0.125"), ("-3%", "-0.03"), ("%50", "0.50")],
        &["12.5", "5%%"],
    );
    check(
        json!({"decimal": ".", "percent": "as_is"}),
        &[("12.5 %", "12.5"), ("12.5", "12.5")],
        &[],
    );
    check(
        json!({"decimal": ".", "group": ",", "parentheses": true, "trailing_minus": true, "currency": ["$"]}),
        &[
            ("(1,234.5)", "-1234.5"),
            ("$(5)", "-5"),
            ("($5)", "-5"),
            ("5-", "-5"),
        ],
        &["(5", "5)", "-(5)", "(5-)", "((5))", ")5("],
    );
}

#[test]
fn a_reason_shows_how_the_mapping_has_it() {
    check_for(
        "amount",
        &of(json!({"decimal": ",", "group": "."})),
        &[(
            "1,200.5",
            r#""1,200.5" is not a number such as 1.234.567,89: correct it at the source, or the format in the mapping"#,
        )],
    );
}

#[test]
fn separators_must_not_contradict_each_other() {
    check_fault(
        &of(json!({"decimal": ".", "group": "."})),
        "/group: is what stands before the fraction: one of them must be another",
    );
    check_fault(
        &of(json!({"decimal": ";"})),
        "/decimal: is neither `.` nor `,`",
    );
    check_fault(
        &of(json!({"decimal": ".", "group": "_"})),
        "/group: is none of `,`, `.`, `'` and a space",
    );
    check_fault(
        &of(json!({"decimal": ".", "currency": ["€", "1"]})),
        "/currency/1: is not the sign or the code of a currency, such as `€` or `EUR`",
    );
}

#[derive(Debug, Clone)]
struct Form {
    decimal: &'static str,
    group: Option<&'static str>,
    grouping: Grouping,
    percent: Percent,
    currency: Option<&'static str>,
    parentheses: bool,
    trailing_minus: bool,
}

impl Form {
    fn transform(&self) -> Transform {
        Transform::Number {
            decimal: self.decimal.to_owned(),
            group: self.group.map(str::to_owned),
            grouping: self.grouping,
            percent: self.percent,
            currency: self.currency.map(str::to_owned).into_iter().collect(),
            parentheses: self.parentheses,
            trailing_minus: self.trailing_minus,
        }
    }
}

fn any_format() -> impl Strategy<Value = Form> {
    let separators = prop::sample::select(vec![
        (".", None),
        (".", Some(",")),
        (".", Some("'")),
        (".", Some(" ")),
        (",", None),
        (",", Some(".")),
        (",", Some("\u{a0}")),
    ]);
    let grouping = prop::sample::select(vec![Grouping::Thousands, Grouping::Indian]);
    let percent = prop::sample::select(vec![Percent::Reject, Percent::Fraction, Percent::AsIs]);
    (separators, grouping, percent, any::<[bool; 3]>()).prop_map(
        |((decimal, group), grouping, percent, [currency, parentheses, trailing])| Form {
            decimal,
            group,
            grouping,
            percent,
            currency: currency.then_some("€"),
            parentheses,
            trailing_minus: trailing,
        },
    )
}

/// A number as somebody writes it in that format.
fn written(format: &Form, number: i64, scale: usize) -> String {
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let mut text = grouped(whole, format);
    if scale > 0 {
        text = format!("{text}{}{fraction}", format.decimal);
    }
    if format.percent == Percent::Fraction {
        text.push_str(" %");
    }
    if let Some(sign) = format.currency {
        text = format!("{text} {sign}");
    }
    match number < 0 {
        false => text,
        true if format.parentheses => format!("({text})"),
        true if format.trailing_minus => format!("{text}-"),
        true => format!("-{text}"),
    }
}

fn grouped(whole: &str, format: &Form) -> String {
    let Some(group) = format.group else {
        return whole.to_owned();
    };
    let size = match format.grouping {
        Grouping::Thousands => 3,
        Grouping::Indian => 2,
    };
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left >= 3 && (left - 3).is_multiple_of(size) {
            text.push_str(group);
        }
        text.push(digit);
    }
    text
}

proptest! {
    #[test]
    fn a_number_that_is_written_in_a_format_reads_as_itself(
        format in any_format(),
        number in any::<i64>(),
        scale in 0..18_usize,
    ) {
        let text = written(&format, number, scale);
        let want = Decimal::new(number.into(), scale).unwrap();
        let want = match format.percent {
            Percent::Fraction => want.checked_mul("0.01".parse().unwrap()).unwrap(),
            _ => want,
        };
        let number = compile(&format.transform()).unwrap();
        prop_assert_eq!(number.run(Cow::Borrowed(&text)), Ok(Cell::Decimal(want)), "{}", text);
    }

    #[test]
    fn any_text_is_a_number_or_has_a_reason(format in any_format(), text in r"[-−+()%€ 0-9.,'eE\u{a0}]{0,20}") {
        let _ = compile(&format.transform()).unwrap().run(Cow::Borrowed(&text));
    }
}
