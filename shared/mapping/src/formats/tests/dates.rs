//! Columns of dates.

use super::*;

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
