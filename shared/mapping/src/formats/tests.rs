//! Columns as sources have them, and what is made of them.

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

#[test]
fn days_with_named_months_are_found_as_their_languages_write_them() {
    let cases: [(&[&str], &str); 9] = [
        (
            &["1er février 2024", "2 mars 2024", "14 août 2024"],
            "Do MMM YYYY,D MMM YYYY",
        ),
        (
            &["1st March 2024", "22nd May 2024", "3rd June 2024"],
            "Do MMM YYYY",
        ),
        (&["March 1st, 2024", "May 22nd, 2024"], "MMM Do, YYYY"),
        (
            &["31 de jan. de 2024", "1 de fev. de 2024"],
            "D [de] MMM [de] YYYY",
        ),
        (
            &["31 de janeiro de 2024", "1 de maio de 2024"],
            "D [de] MMM [de] YYYY",
        ),
        (
            &["1º de janeiro de 2024", "2 de maio de 2024"],
            "Do [de] MMM [de] YYYY,D [de] MMM [de] YYYY",
        ),
        (
            &["5 de enero del 2024", "31 de mayo del 2024"],
            "D [de] MMM [del] YYYY",
        ),
        (&["2024 Jan 31", "2024 Feb 1"], "YYYY MMM D"),
        (&["05JAN24", "31DEC23"], "DDMMMYY"),
    ];
    for (values, want) in cases {
        let format = format_of("x", values);
        assert!(
            format.questions.is_empty(),
            "{values:?}: {:?}",
            format.questions
        );
        assert_eq!(format.misfits.count, 0, "{values:?}");
        let got = summary(&format);
        assert!(
            got.contains(&format!("formats:[{want}]")),
            "{values:?}: {got}"
        );
        for value in values {
            let read = becomes(&format.transforms, value).unwrap();
            assert!(read.starts_with("202"), "{value}: {read}");
        }
    }
}

#[test]
fn letters_that_differ_from_number_to_number_are_no_units() {
    let weights = format_of("x", &["5 kg", "12 kg", "7 lb", "3 lb"]);
    assert_eq!(weights.kind, FormatKind::Quantity);
    check("x", &["1012 AB", "2511 CV", "3011 XA", "5611 EM"], "text");
    let many: Vec<_> = (0..26_u8)
        .map(|it| format!("10{it} A{}", char::from(b'A' + it)))
        .collect();
    let twice: Vec<_> = many.iter().chain(&many).map(String::as_str).collect();
    check("x", &twice, "text");
}

#[test]
fn one_value_decides_for_all_whether_the_day_or_the_month_comes_first() {
    let day = dates("date", "DD/MM/YYYY");
    check("x", &["01/02/2024", "31/01/2024", "03/03/2024"], &day);
    let month = dates("date", "MM/DD/YYYY");
    check("x", &["01/02/2024", "01/31/2024", "03/03/2024"], &month);
    check("x", &["1/2/2024", "11/30/2024"], &dates("date", "M/D/YYYY"));
    check(
        "x",
        &["01.02.2024", "02.03.2024"],
        &dates("date", "DD.MM.YYYY"),
    );
    check(
        "x",
        &["01-02-2024", "31-03-2024"],
        &dates("date", "DD-MM-YYYY"),
    );
    check(
        "x",
        &["01/02/2024", "31/01/2024 10:30"],
        &dates("timestamp", "DD/MM/YYYY,DD/MM/YYYY HH:mm"),
    );
}

#[test]
fn where_no_value_decides_it_is_a_question() {
    let format = format_of("x", &["01/02/2024", "03/03/2024", "05/06/2024"]);
    assert_eq!(
        summary(&format),
        format!("{} DayOrMonthFirst of 2", dates("date", "DD/MM/YYYY"))
    );
    let question = &format.questions[0];
    let choices: Vec<_> = question
        .choices
        .iter()
        .map(|it| {
            let example = &it.examples[0];
            format!(
                "{}: {} is {}",
                it.answer,
                example.value,
                example.becomes.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        choices,
        [
            "day first (DD/MM/YYYY): 01/02/2024 is 2024-02-01T00:00:00Z",
            "month first (MM/DD/YYYY): 01/02/2024 is 2024-01-02T00:00:00Z",
        ]
    );
}

#[test]
fn two_formats_in_one_column_are_a_question() {
    let questions = |values: &[&str]| {
        let format = format_of("x", values);
        let kinds = format.questions.iter().map(|it| it.kind);
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(
        questions(&["31/01/2024", "01/31/2024"]),
        [QuestionKind::MixedDates]
    );
    assert_eq!(
        questions(&["31/01/2024", "2024-01-31"]),
        [QuestionKind::MixedDates]
    );
    assert_eq!(
        questions(&["Jan 5, 2024", "31.01.2024"]),
        [QuestionKind::MixedDates]
    );
    assert_eq!(
        questions(&["45292", "2024-01-31"]),
        [QuestionKind::MixedDates]
    );
    assert_eq!(
        questions(&["1,234.50", "1.234,50"]),
        [QuestionKind::MixedNumbers]
    );
    assert_eq!(questions(&["1.5", "1,5"]), [QuestionKind::MixedNumbers]);
    assert_eq!(questions(&["€5", "$5"]), [QuestionKind::MixedCurrencies]);
    assert_eq!(questions(&["5 kg", "5 lb"]), [QuestionKind::MixedUnits]);
    assert_eq!(questions(&["5%", "0.5"]), [QuestionKind::MixedPercent]);
    assert_eq!(questions(&["31/01/2024", "01/02/2024 10:00"]), []);
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

#[test]
fn letters_beside_numbers_are_dropped_only_where_they_are_one_known_unit() {
    check_choice(
        &["1.2M", "3.4M", "7M"],
        0,
        &["1200000", "3400000", "7000000"],
    );
    check_choice(&["1.2M", "500k", "7"], 0, &["1200000", "500000", "7"]);
    check_choice(&["1,200.5k", "3,000k"], 0, &["1200500", "3000000"]);
    check_choice(&["1,2 Mio. €", "3 Mrd. €"], 0, &["1200000", "3000000000"]);
    check_choice(&["1,2\u{a0}Mio", "2 Mio"], 0, &["1200000", "2000000"]);
    check_choice(&["$1.5bn", "($2bn)"], 0, &["1500000000", "-2000000000"]);
    check_choice(&["5 TEUR", "7,5 TEUR"], 0, &["5000", "7500"]);
    check_choice(&["5 T€", "7,5 T€"], 0, &["5000", "7500"]);
    check_choice(&["5.00 CR", "7.00 DR"], 0, &["5.00", "-7.00"]);
    check_choice(&["5.00 CR", "7.00 DR"], 1, &["-5.00", "7.00"]);
    check_choice(&["5 Stück", "7 Stück"], 0, &["5", "7"]);
    check_choice(&["5 Stück", "7 Stück"], 1, &["-", "-"]);
    check_choice(&["5g", "7kg"], 2, &["-", "7"]);
    check_choice(&["5g", "7kg", "3"], 3, &["-", "-", "3"]);
    for values in [["5 h", "7 h"], ["5\u{a0}kg", "7 kg"], ["5km", "7km"]] {
        let format = format_of("x", &values);
        assert_eq!(format.questions, [], "{values:?}");
        assert_eq!(becomes(&format.transforms, values[0]).as_deref(), Some("5"));
    }
    let yards = format_of("x", &["MXN 5M", "MXN 7M"]);
    assert_eq!(yards.kind, FormatKind::Money);
    check_choice(&["MXN 5M", "MXN 7M"], 0, &["5000000", "7000000"]);
}

#[test]
fn what_a_column_leaves_open_is_one_question_whose_choices_do_not_contradict() {
    let values = ["5,00 EUR", "7.50 USD", "1,000.00 GBP"];
    let choices = choices_of(&values);
    assert_eq!(choices.len(), 5, "{choices:?}");
    check_choice(&values, 0, &["-", "7.50", "1000.00"]);
    check_choice(&["€1,234", "$5,678"], 2, &["1.234", "-"]);
    check_choice(&["€1,234", "$5,678"], 3, &["1234", "5678"]);
    check_choice(&["5%", "0,5", "1.5"], 0, &["5", "-", "1.5"]);
}

#[test]
fn one_contradiction_in_many_values_is_seen() {
    let mut column = ColumnProfile::new("x");
    for index in 0..200_000 {
        column.observe(if index == 150_000 {
            "01/31/2024"
        } else {
            "31/01/2024"
        });
    }
    assert_eq!(column.finish().questions[0].kind, QuestionKind::MixedDates);
}

#[test]
fn dates_are_found_in_their_formats() {
    check("x", &["2024-01-31", "2024-12-01"], "date");
    check("x", &["2024-01-31T10:00:00Z"], "timestamp");
    check("x", &["2024-02-01 09:30", "2024-02-01 23:59"], "timestamp");
    check(
        "x",
        &["2024/02/01", "2024/12/31"],
        &dates("date", "YYYY/MM/DD"),
    );
    check(
        "x",
        &["5. März 2024", "10. Mai 2024"],
        &dates("date", "D. MMM YYYY"),
    );
    check(
        "x",
        &["Jan 5, 2024", "Dec 31, 2024"],
        &dates("date", "MMM D, YYYY"),
    );
    check(
        "x",
        &["05-Feb-24"],
        "date {formats:[DD-MMM-YY],kind:date,pivot:70}",
    );
    check(
        "x",
        &["5 de enero de 2024"],
        &dates("date", "D [de] MMM [de] YYYY"),
    );
    check(
        "x",
        &["31.12.24", "01.02.99"],
        "date {formats:[DD.MM.YY],kind:date,pivot:70}",
    );
    check(
        "x",
        &["1/31/2024 1:05 PM", "12/1/2024 12:30 AM"],
        &dates("timestamp", "M/D/YYYY h:mm A"),
    );
    check(
        "x",
        &["Mon, 05 Feb 2024 10:00:00 GMT"],
        &dates("timestamp", "ddd, DD MMM YYYY HH:mm:ss Z"),
    );
    check(
        "x",
        &["31.01.2024 10:30 Uhr"],
        &dates("timestamp", "DD.MM.YYYY HH:mm [Uhr]"),
    );
}

#[test]
fn numbers_are_dates_only_if_more_than_their_size_says_so() {
    check(
        "Abschlussdatum",
        &["45292", "45293.5"],
        &dates("timestamp", "EXCEL_1900"),
    );
    check("amount", &["45292", "45293"], "integer");
    check(
        "created_at",
        &["1705312800"],
        &dates("timestamp", "UNIX_SECONDS"),
    );
    check(
        "createdAt",
        &["1705312800000"],
        &dates("timestamp", "UNIX_MILLIS"),
    );
    check("id", &["1705312800000"], "integer");
    check(
        "date",
        &["20240131", "20241231"],
        &dates("date", "YYYYMMDD"),
    );
    check("id", &["20240131", "20241231"], "integer");
    let mut table = TableProfile::new(["when", "serial"]);
    table.observe(0, "2024-01-31");
    table.observe(1, "45292.25");
    let formats = table.finish();
    assert_eq!(summary(&formats[1]), dates("timestamp", "EXCEL_1900"));
}

#[test]
fn separators_are_those_that_fit_the_whole_column() {
    check("x", &["1", "2.5"], "decimal");
    check("x", &["1", "-2"], "integer");
    check(
        "x",
        &["1,200,000.50", "5"],
        "decimal {decimal:.,group:,,kind:number}",
    );
    check(
        "x",
        &["1.200.000,50", "1.234"],
        "decimal {decimal:,,group:.,kind:number}",
    );
    check(
        "x",
        &["1\u{202f}200,50", "1\u{a0}234"],
        "decimal {decimal:,,group: ,kind:number}",
    );
    check(
        "x",
        &["1’200.50"],
        "decimal {decimal:.,group:',kind:number}",
    );
    check(
        "x",
        &["12,34,567", "1,234"],
        "decimal {decimal:.,group:,,grouping:indian,kind:number}",
    );
    check("x", &["12,5", "3,75"], "decimal {decimal:,,kind:number}");
    check(
        "x",
        &["1,234", "5,678"],
        "decimal {decimal:,,kind:number} GroupOrFraction of 2",
    );
    check("x", &["1.234", "5.678"], "decimal GroupOrFraction of 2");
    check("x", &["0.125", "0.250"], "decimal");
    check(
        "x",
        &["1,234", "1,234.5"],
        "decimal {decimal:.,group:,,kind:number}",
    );
    check(
        "x",
        &["(5.00)", "3.00"],
        "decimal {decimal:.,kind:number,parentheses:true}",
    );
    check(
        "x",
        &["5-", "3"],
        "integer {decimal:.,kind:number,trailing_minus:true}",
    );
}

#[test]
fn signs_beside_numbers_are_declared() {
    check(
        "x",
        &["€ 1.200,50", "€ 3,00"],
        "money {currency:[€],decimal:,,group:.,kind:number}",
    );
    check(
        "x",
        &["USD 5", "5 USD"],
        "money {currency:[USD],decimal:.,kind:number}",
    );
    check(
        "x",
        &["12.5 %", "3%"],
        "percent {decimal:.,kind:number,percent:as_is}",
    );
    check(
        "x",
        &["5 kg", "12 kg"],
        "quantity {kind:regex,otherwise:keep,pattern:(\\\\d)\\\\s*kg\\\\b\\\\.?,replace:${1}} {decimal:.,kind:number}",
    );
}

#[test]
fn codes_are_no_numbers() {
    check("x", &["007", "123"], "text");
    check("x", &["12345678901234567890123"], "text");
    check("x", &["1.2.3.4"], "text");
    check("x", &["v1", "v2"], "text");
}

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
fn a_day_of_zeros_is_no_day() {
    for zero in [
        "0000-00-00",
        "0000-00-00 00:00:00",
        "00.00.0000",
        "0000-00-00T00:00:00.000Z",
    ] {
        let format = format_of("x", &["2024-01-31", zero, "2024-02-01"]);
        assert_eq!(
            (
                format.kind,
                format.nulls,
                format.misfits.count,
                format.questions.len()
            ),
            (FormatKind::Date, 1, 0, 0),
            "{zero}"
        );
        assert_eq!(becomes(&format.transforms, zero).as_deref(), Some(""));
    }
    check("x", &["0000-00-00", "Ann"], "text");
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
fn the_value_that_tells_two_orders_apart_is_an_example() {
    let mut values = vec!["01/02/2024", "02/03/2024", "03/04/2024", "04/05/2024"];
    values.extend(["25/04/2024", "04/25/2024"]);
    let format = format_of("x", &values);
    let choices = &format.questions[0].choices;
    for choice in choices {
        let unread = choice.examples.iter().filter(|it| it.becomes.is_none());
        assert_eq!(unread.count(), 1, "{choice:?}");
    }
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

/// A way to write a day, and whether others write the same text for another day.
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
