//! Columns of numbers, and of what looks like them.

use super::*;

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
