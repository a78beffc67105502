//! Columns as sources have them, and what is made of them.

mod dates;
mod numbers;

use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;
use schema::format::{FormatKind, QuestionKind};
use serde_json::json;

use super::{answers::becomes, *};

fn format_of(name: &str, values: &[&str]) -> ColumnFormat {
    let mut column = ColumnProfile::new(name);
    values.iter().for_each(|it| column.observe(it));
    column.finish()
}

/// The kind, the transforms as JSON, and the questions with the number of their choices.
fn summary(format: &ColumnFormat) -> String {
    let mut parts = vec![serde_json::to_value(format.kind).unwrap()];
    parts.extend(format.transforms.iter().map(|it| json!(it)));
    let mut texts: Vec<_> = parts.iter().map(ToString::to_string).collect();
    for question in &format.questions {
        texts.push(format!("{:?} of {}", question.kind, question.choices.len()));
    }
    texts.join(" ").replace('"', "")
}

#[track_caller]
fn check(name: &str, values: &[&str], want: &str) {
    assert_eq!(summary(&format_of(name, values)), want, "{name} {values:?}");
}

/// The summary of a column of dates in these formats.
fn dates(kind: &str, formats: &str) -> String {
    format!("{kind} {{formats:[{formats}],kind:date}}")
}

/// What each choice of the only question makes of the values.
fn choices_of(values: &[&str]) -> Vec<Vec<Option<String>>> {
    let format = format_of("x", values);
    assert_eq!(format.questions.len(), 1, "{values:?}: {format:?}");
    let read = |it: &schema::format::FormatChoice| {
        let values = values.iter();
        values.map(|value| becomes(&it.transforms, value)).collect()
    };
    format.questions[0].choices.iter().map(read).collect()
}

#[track_caller]
fn check_choice(values: &[&str], at: usize, want: &[&str]) {
    let choices = choices_of(values);
    let got: Vec<_> = choices[at]
        .iter()
        .map(|it| it.as_deref().unwrap_or("-"))
        .collect();
    assert_eq!(got, want, "{values:?}: {choices:?}");
}

/// A way to write a day, and whether others write the same text for another day.

#[test]
fn booleans_are_words_or_marks() {
    let of = |yes: &str, no: &str| format!("boolean {{false:[{no}],kind:boolean,true:[{yes}]}}");
    check("x", &["yes", "No", "YES"], &of("yes", "no"));
    check("x", &["ja", "nein"], &of("ja", "nein"));
    check(
        "x",
        &["Y", "N", "N/A"],
        "boolean {kind:nulls,words:[N/A]} {false:[n],kind:boolean,true:[y]}",
    );
    check("x", &["0", "1", "1"], &of("1", "0"));
    check("x", &["0", "1", "2"], "integer");
    check(
        "x",
        &["x", "", "x"],
        "boolean {blank:false,false:[],kind:boolean,true:[x]}",
    );
    check("x", &["TRUE", "FALSE"], &of("true", "false"));
}

#[test]
fn words_for_no_value_are_a_declared_list() {
    let format = format_of("x", &["5", "N/A", "-", "7", "unknown"]);
    assert_eq!(
        summary(&format),
        "integer {kind:nulls,words:[-,N/A,unknown]}"
    );
    assert_eq!(
        (format.values, format.nulls, format.misfits.count),
        (5, 3, 0)
    );
    check(
        "x",
        &["Smith", "Null", "None", "N/A"],
        "text {kind:nulls,words:[N/A]}",
    );
    check("x", &["N/A", "#N/A"], "empty {kind:nulls,words:[#N/A,N/A]}");
}

#[test]
fn numbers_of_no_country_beside_others_are_asked_for_their_country() {
    let values = ["030 1234567", "+49 30 7654321"];
    let format = format_of("Phone", &values);
    assert_eq!(format.kind, FormatKind::Phone);
    let choices = choices_of(&values.map(|it| it));
    let read = |it: &Option<String>| it.clone().unwrap();
    assert_eq!(
        choices[0].iter().map(read).collect::<Vec<_>>(),
        ["030 1234567", "+49307654321"]
    );
    assert_eq!(
        choices[1].iter().map(read).collect::<Vec<_>>(),
        ["+49301234567", "+49307654321"]
    );
    let amounts = format_of(
        "x",
        &["100000", "200000", "300000", "400000", "+49 30 7654321"],
    );
    assert_eq!(amounts.kind, FormatKind::Integer);
}

#[test]
fn texts_with_commas_are_asked_for_where_lists_are_wanted() {
    let question = |it: &str| comma_question(&[it.to_owned()]);
    let asked = question("vip, news").unwrap();
    assert_eq!(asked.choices.len(), 2);
    assert_eq!(asked.choices[0].answer, r#"yes: "vip, news" is 2 texts"#);
    assert_eq!(question("vip"), None);
    assert_eq!(question("vip,"), None);
}

#[test]
fn classes_are_recognised() {
    check(
        "x",
        &["ann@example.com", "b.c@d.org"],
        "email {kind:email,otherwise:keep}",
    );
    check("x", &["https://a.b/c", "www.d.e"], "url");
    check("x", &["00112233-4455-6677-8899-aabbccddeeff"], "uuid");
    check(
        "x",
        &["+49 30 901820", "+1 (415) 555-2671"],
        "phone {kind:phone,otherwise:keep}",
    );
    check(
        "country",
        &["DE", "US"],
        "country {kind:country,otherwise:keep}",
    );
    check(
        "x",
        &["Deutschland", "Frankreich"],
        "country {kind:country,otherwise:keep}",
    );
    check("state", &["DE", "CA"], "text");
    check(
        "x",
        &["a;b", "c", "d;e;f"],
        "list {kind:array,separator:;,take:all}",
    );
}

#[test]
fn what_does_not_fit_is_counted_and_shown() {
    let values = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "ten"];
    let format = format_of("x", &values);
    assert_eq!(format.kind, FormatKind::Integer);
    assert_eq!(format.misfits.count, 1);
    assert_eq!(format.misfits.share, 0.1);
    assert_eq!(format.misfits.examples, ["ten"]);
    let format = format_of("x", &["31.01.2024", "30.02.2024", "01.03.2024"]);
    assert_eq!(
        (format.misfits.count, &*format.misfits.examples),
        (1, &["30.02.2024".to_owned()][..])
    );
}

#[test]
fn memory_is_bounded_and_nothing_panics() {
    let mut table = TableProfile::new((0..10_000).map(|_| ""));
    for row in 0..40_u32 {
        for column in 0..10_000 {
            let signs = "-/. ".repeat(row as usize % 5);
            table.observe(column, &format!("{row}{signs}{column}"));
        }
    }
    table.observe(10_000, "there is no such column");
    assert!(table.columns.iter().all(|it| it.shapes.shapes.len() <= 6));
    assert_eq!(table.finish().len(), 10_000);
    check("", &[], "empty");
    check("", &["", "  "], "empty");
}

#[test]
fn transforms_are_those_that_suit_the_target() {
    let format = format_of("x", &["1.200,50", "N/A", "3,00"]);
    let kinds = |target| transforms_for(&format.transforms, target).len();
    assert_eq!(
        (
            kinds(Kind::Decimal),
            kinds(Kind::Text),
            kinds(Kind::TextList)
        ),
        (2, 1, 0)
    );
}

const DAYS: [(&str, &str); 7] = [
    ("%d/%m/%Y", "DD/MM/YYYY"),
    ("%m/%d/%Y", "MM/DD/YYYY"),
    ("%d.%m.%Y", "DD.MM.YYYY"),
    ("%Y-%m-%d", "ISO"),
    ("%b %d, %Y", "MMM DD, YYYY"),
    ("%d-%m-%Y", "DD-MM-YYYY"),
    ("%Y/%m/%d", "YYYY/MM/DD"),
];

fn days() -> impl Strategy<Value = Vec<NaiveDate>> {
    let day = (1950..2050_i32, 1..=365_u32)
        .prop_filter_map("is a day", |(year, day)| NaiveDate::from_yo_opt(year, day));
    prop::collection::vec(day, 1..40)
}

proptest! {
    /// Either the format is found and gives each day back, or it is asked, and one answer does.
    #[test]
    fn days_are_read_back_or_asked_about(days in days(), way in 0..DAYS.len()) {
        let texts: Vec<_> = days.iter().map(|it| it.format(DAYS[way].0).to_string()).collect();
        let mut column = ColumnProfile::new("x");
        texts.iter().for_each(|it| column.observe(it));
        let format = column.finish();
        let reads = |transforms: &[Transform]| {
            days.iter().zip(&texts).all(|(day, text)| {
                becomes(transforms, text).is_some_and(|it| it.starts_with(&day.to_string()))
            })
        };
        prop_assert_eq!(format.kind, FormatKind::Date);
        match &format.questions[..] {
            [] => prop_assert!(reads(&format.transforms), "{:?} {:?}", texts, format.transforms),
            [question] => prop_assert!(question.choices.iter().any(|it| reads(&it.transforms))),
            _ => prop_assert!(false),
        }
        let is_decided = days.iter().any(|it| it.day() > 12);
        prop_assert!(format.questions.is_empty() || !is_decided);
    }

    /// Two ways of writing days in one column are never picked from.
    #[test]
    fn mixed_days_are_a_question(days in days(), one in 0..DAYS.len(), other in 0..DAYS.len()) {
        prop_assume!(one != other);
        let mut column = ColumnProfile::new("x");
        for day in &days {
            column.observe(&day.format(DAYS[one].0).to_string());
            column.observe(&day.format(DAYS[other].0).to_string());
        }
        let format = column.finish();
        prop_assert_eq!(format.questions.len(), 1, "{:?}", format);
        prop_assert!(format.questions[0].choices.len() > 1);
    }

    /// The same for numbers.
    #[test]
    fn numbers_are_read_back_or_asked_about(
        numbers in prop::collection::vec(-1_000_000_000..1_000_000_000_i64, 1..40),
        scale in 0..4_usize,
        (decimal, group) in prop::sample::select(vec![(".", ""), (".", ","), (",", "."), (",", " "), (".", "'")]),
    ) {
        let written = |number: i64| {
            let digits = format!("{:0width$}", number.unsigned_abs(), width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let mut text = String::new();
            for (index, digit) in whole.chars().enumerate() {
                if index > 0 && (whole.len() - index).is_multiple_of(3) {
                    text.push_str(group);
                }
                text.push(digit);
            }
            let sign = if number < 0 { "-" } else { "" };
            let point = if scale > 0 { decimal } else { "" };
            format!("{sign}{text}{point}{fraction}")
        };
        let texts: Vec<_> = numbers.iter().map(|it| written(*it)).collect();
        let mut column = ColumnProfile::new("x");
        texts.iter().for_each(|it| column.observe(it));
        let format = column.finish();
        prop_assume!(format.kind != FormatKind::Boolean);
        let reads = |transforms: &[Transform]| {
            numbers.iter().zip(&texts).all(|(number, text)| {
                let want = crate::Decimal::new((*number).into(), scale).unwrap();
                let number = becomes(transforms, text);
                number.is_some_and(|it| it.parse::<crate::Decimal>() == Ok(want))
            })
        };
        match &format.questions[..] {
            [] => prop_assert!(reads(&format.transforms), "{:?} {:?}", texts, format.transforms),
            [question] => prop_assert!(
                question.choices.iter().any(|it| reads(&it.transforms)), "{:?} {:?}", texts, question
            ),
            _ => prop_assert!(false),
        }
    }

    #[test]
    fn any_column_has_a_format(values in prop::collection::vec(r"[0-9a-zA-Z€$%().,:;/' \-+é]{0,16}", 0..40)) {
        let mut column = ColumnProfile::new("created_at");
        values.iter().for_each(|it| column.observe(it));
        let format = column.finish();
        prop_assert!(format.questions.iter().all(|it| it.choices.len() > 1), "{:?}", format);
        let json = serde_json::to_string(&format).unwrap();
        let read: ColumnFormat = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read, format);
    }
}
