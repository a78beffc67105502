//! What is written in a declared form reads back as the value that was written; what is written in
//! two forms is asked about.

use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;
use schema::mapping::Mapping;
use serde_json::{Value, json};

use crate::{Plan, formats::ColumnProfile};

/// What the transforms make of a text, in a field of accounts; none where it is rejected.
fn read(target: &str, transforms: &Value, text: &str) -> Option<String> {
    let mapping = json!({ "entity": "account", "fields": [
        { "target": "account_id", "sources": ["id"] },
        { "target": "name", "sources": ["id"] },
        { "target": target, "sources": ["x"], "transforms": transforms },
    ] });
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    let plan = Plan::compile(&mapping).unwrap();
    let record = json!({ "id": "1", "x": text }).to_string();
    let record = plan.canonicalise(&record).ok()?;
    Some(record.cell(target).unwrap().text().into_owned())
}

/// The months as a calendar of the language prints them: CLDR's wide names.
const MONTHS: [[&str; 12]; 7] = [
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    [
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ],
    [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
];

fn any_day() -> impl Strategy<Value = NaiveDate> {
    let of = |(year, day)| NaiveDate::from_yo_opt(year, day);
    (1..=9999_i32, 1..=366_u32).prop_filter_map("is a day", of)
}

/// A text in small letters, in capitals, or as it is.
fn in_case(text: &str, case: usize) -> String {
    match case {
        0 => text.to_lowercase(),
        1 => text.to_uppercase(),
        _ => text.to_owned(),
    }
}

fn written(number: i64, (decimal, group): (&str, &str)) -> String {
    let digits = format!("{:03}", number.unsigned_abs());
    let (whole, cents) = digits.split_at(digits.len() - 2);
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push_str(group);
        }
        text.push(digit);
    }
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{text}{decimal}{cents}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_day_with_the_name_of_its_month_reads_as_itself_in_seven_languages(
        day in any_day(), language in 0..7_usize, case in 0..3_usize,
        form in prop::sample::select(vec!["D MMM YYYY", "D. MMM YYYY", "MMM D, YYYY", "DD-MMM-YYYY"]),
    ) {
        let month = MONTHS[language][day.month0() as usize];
        let text = form
            .replace("YYYY", &format!("{:04}", day.year()))
            .replace("DD", &format!("{:02}", day.day()))
            .replace('D', &day.day().to_string())
            .replace("MMM", &in_case(month, case));
        let date = json!([{ "kind": "date", "formats": [form] }]);
        let want = format!("{day}T00:00:00Z");
        prop_assert_eq!(read("updated_at", &date, &text), Some(want), "{}", text);
    }

    #[test]
    fn a_declared_word_is_its_boolean_in_any_case(
        yes in prop::collection::btree_set("[a-zäé]{1,8}", 1..5),
        no in prop::collection::btree_set("[A-ZÖ]{1,8}", 1..5),
        case in 0..3_usize,
    ) {
        let fold = |it: &String| it.to_lowercase();
        prop_assume!(!no.iter().any(|it| yes.contains(&fold(it))));
        let boolean = json!([{ "kind": "boolean", "true": yes, "false": no }]);
        for (words, want) in [(&yes, "true"), (&no, "false")] {
            for word in words {
                let word = format!(" {} ", in_case(word, case));
                prop_assert_eq!(read("status", &boolean, &word), Some(want.to_owned()), "{}", word);
            }
        }
    }

    #[test]
    fn a_number_in_e164_reads_as_itself_however_it_is_spaced(
        number in prop::sample::select(vec!["+4930901820", "+14155552671", "+39066982123", "+33142685300"]),
        gaps in prop::collection::vec(prop::sample::select(vec!["", " ", "-", "."]), 12),
    ) {
        let mut text = String::new();
        for (index, digit) in number.chars().enumerate() {
            // The code of the country stands apart, and no gap stands beside another.
            if index > 3 {
                text.push_str(gaps[index - 4]);
            }
            text.push(digit);
        }
        let phone = json!([{ "kind": "phone" }]);
        prop_assert_eq!(read("industry", &phone, &text), Some(number.to_owned()), "{}", text);
    }

    #[test]
    fn every_country_is_found_by_its_code_and_by_every_name(place in 0..10_000_usize, case in 0..3_usize) {
        let table: Vec<_> = include_str!("../data/countries.tsv").lines().collect();
        let mut cells = table[place % table.len()].split('\t');
        let code = cells.next().unwrap();
        let names = std::iter::once(code).chain(cells.flat_map(|it| it.split('|')));
        let country = json!([{ "kind": "country" }]);
        for name in names {
            // Unicode's capital of ß is SS, and that is how it is folded.
            let name = in_case(name, case);
            prop_assert_eq!(read("industry", &country, &name), Some(code.to_owned()), "{}", name);
        }
    }

    /// Two ways of writing amounts in one column, of which neither reads the other, are never picked
    /// from.
    #[test]
    fn mixed_numbers_are_a_question(numbers in prop::collection::vec(100_000..1_000_000_000_i64, 1..30)) {
        let mut column = ColumnProfile::new("amount");
        for number in &numbers {
            column.observe(&written(*number, (".", ",")));
            column.observe(&written(*number, (",", ".")));
        }
        let format = column.finish();
        prop_assert_eq!(format.questions.len(), 1, "{:?}", format);
        prop_assert!(format.questions[0].choices.len() > 1);
    }

    /// What a record becomes depends on it and on the plan, and on nothing that was read before.
    #[test]
    fn a_plan_makes_the_same_of_a_record_however_often_and_after_whatever(
        names in prop::collection::vec(r"[a-z0-9,./ ]{0,12}", 1..8), shift in 0..8_usize,
    ) {
        let mapping = json!({ "entity": "account", "fields": [
            { "target": "account_id", "sources": ["id"] },
            { "target": "name", "sources": ["x"], "transforms": [
                { "kind": "trim" }, { "kind": "regex", "pattern": "[a-z]+", "replace": "<$0>", "otherwise": "keep" },
            ] },
            { "target": "updated_at", "sources": ["x"], "transforms": [
                { "kind": "regex", "pattern": r"\d", "otherwise": "null" },
                { "kind": "default", "value": "2024-01-31" },
                { "kind": "date", "formats": ["EXCEL_1900", "ISO"] },
            ] },
        ] });
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let plan = Plan::compile(&mapping).unwrap();
        let records: Vec<_> = names.iter().enumerate()
            .map(|(id, name)| json!({ "id": id.to_string(), "x": name }).to_string())
            .collect();
        let outcome = |plan: &Plan, record: &String| match plan.canonicalise(record) {
            Ok(record) => format!("{record:?}"),
            Err(error) => error.to_string(),
        };
        let first: Vec<_> = records.iter().map(|it| outcome(&plan, it)).collect();
        let places = 0..records.len();
        let other = Plan::compile(&mapping).unwrap();
        for place in places.rev().map(|it| (it + shift) % records.len()) {
            prop_assert_eq!(&outcome(&plan, &records[place]), &first[place]);
            prop_assert_eq!(&outcome(&other, &records[place]), &first[place]);
        }
    }
}

#[test]
fn every_currency_is_read_in_any_case_and_no_other_word() {
    let currency = json!([{ "kind": "currency" }]);
    let of = |text: &str| {
        let mapping = json!({ "entity": "opportunity", "fields": [
            { "target": "opportunity_id", "sources": ["id"] },
            { "target": "name", "sources": ["id"] },
            { "target": "currency", "sources": ["x"], "transforms": currency },
        ] });
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let plan = Plan::compile(&mapping).unwrap();
        let record = json!({ "id": "1", "x": text }).to_string();
        let record = plan.canonicalise(&record).ok()?;
        Some(record.cell("currency").unwrap().text().into_owned())
    };
    for code in ["EUR", "USD", "JPY", "CHF", "ZWG", "AED", "XAU"] {
        for case in 0..3 {
            assert_eq!(of(&in_case(code, case)).as_deref(), Some(code));
        }
    }
    for other in ["EURO", "EU", "ZZZ", "€"] {
        assert_eq!(of(other), None, "{other}");
    }
}
