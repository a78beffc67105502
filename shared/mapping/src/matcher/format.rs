//! What a value looks like, one of 28 classes. Each test reads the value once.

/// The classes, in the order of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Boolean,
    Epoch,
    SmallInteger,
    Integer,
    BigInteger,
    Decimal,
    Percent,
    Uuid,
    Email,
    Url,
    Domain,
    Timestamp,
    Date,
    Ip,
    Phone,
    Colour,
    CountryCode,
    Currency,
    TimeZone,
    Locale,
    Html,
    IdPattern,
    Slug,
    Code,
    Word,
    Name,
    Text,
}

impl Format {
    /// How many there are.
    pub(super) const COUNT: usize = 27;
}

/// How the source typed a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    Boolean,
    Integer,
    Decimal,
    Text,
}

/// The class of a value.
pub(super) fn of(value: &str, typed: Typed) -> Format {
    match typed {
        Typed::Boolean => Format::Boolean,
        Typed::Decimal => Format::Decimal,
        Typed::Integer => of_integer(value, false),
        Typed::Text if is_integer(value) => of_integer(value, true),
        Typed::Text => of_text(value.trim()),
    }
}

fn of_integer(value: &str, quoted: bool) -> Format {
    let digits = value.trim_start_matches('-').trim_start_matches('0');
    let number = match digits {
        "" => 0.0,
        _ => digits.parse::<f64>().unwrap_or(f64::INFINITY),
    };
    let seconds = number > 9e8 && number < 2.2e9;
    if seconds || number > 9e11 && number < 2.2e12 {
        Format::Epoch
    } else if quoted && value.len() >= 7 || number >= 1e7 {
        Format::BigInteger
    } else if number < 1000.0 {
        Format::SmallInteger
    } else {
        Format::Integer
    }
}

/// The first class that fits counts.
fn of_text(text: &str) -> Format {
    type Test = fn(&str) -> bool;
    const TESTS: [(Test, Format); 21] = [
        (is_uuid, Format::Uuid),
        (is_email, Format::Email),
        (is_url, Format::Url),
        (is_timestamp, Format::Timestamp),
        (is_date, Format::Date),
        (is_ip, Format::Ip),
        (is_percent, Format::Percent),
        (is_decimal, Format::Decimal),
        (is_boolean, Format::Boolean),
        (is_colour, Format::Colour),
        (is_currency, Format::Currency),
        (is_country_code, Format::CountryCode),
        (is_time_zone, Format::TimeZone),
        (is_locale, Format::Locale),
        (is_domain, Format::Domain),
        (is_phone, Format::Phone),
        (is_html, Format::Html),
        (is_id_pattern, Format::IdPattern),
        (is_code, Format::Code),
        (is_slug, Format::Slug),
        (is_word, Format::Word),
    ];
    let fits = TESTS.iter().find(|(test, _)| test(text));
    match fits {
        Some((_, format)) => *format,
        None if is_name(text) => Format::Name,
        None => Format::Text,
    }
}

fn is_integer(text: &str) -> bool {
    all_digits(text.strip_prefix('-').unwrap_or(text))
}

fn is_uuid(text: &str) -> bool {
    if !(32..=36).contains(&text.len()) {
        return false;
    }
    let mut rest = text.as_bytes();
    for (group, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if group > 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        let Some((hex, after)) = rest.split_at_checked(length) else {
            return false;
        };
        if !hex.iter().all(u8::is_ascii_hexdigit) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else {
        return false;
    };
    let Some((domain, top)) = host.rsplit_once('.') else {
        return false;
    };
    let plain = |it: &str| !it.is_empty() && !it.contains(|c: char| c == '@' || c.is_whitespace());
    plain(local) && plain(domain) && top.len() >= 2 && all(top, |it| it.is_ascii_alphabetic())
}

fn is_url(text: &str) -> bool {
    if starts_without_case(text, "www.") {
        return true;
    }
    let Some((scheme, _)) = text.split_once("://") else {
        return false;
    };
    scheme.starts_with(|it: char| it.is_ascii_alphabetic())
        && all(scheme, |it| {
            it.is_ascii_alphanumeric() || "+.-".contains(it)
        })
}

/// `2024-01-31T09:15`, `Wed, 31 Jan 2024`, `/Date(`, `31/01/2024 9`.
fn is_timestamp(text: &str) -> bool {
    starts_like(text, "9999-99-99T99:99")
        || starts_like(text, "9999-99-99 99:99")
        || starts_like(text, "www, 9 www 9999")
        || starts_like(text, "www, 99 www 9999")
        || text.starts_with("/Date(")
        || day_first(text).is_some_and(|(year, rest)| {
            let rest = rest.strip_prefix(',').unwrap_or(rest);
            year == 4 && starts_like(rest, " 9")
        })
}

/// `2024-01-31`, `31/01/24`, `31.01.2024`, `31 Jan 2024`, `2024/1/31`.
fn is_date(text: &str) -> bool {
    if !text.starts_with(|it: char| it.is_ascii_digit()) || text.len() > 11 {
        return false;
    }
    is_like(text, "9999-99-99")
        || ["9999/9/9", "9999/9/99", "9999/99/9", "9999/99/99"]
            .iter()
            .any(|it| is_like(text, it))
        || is_like(text, "9 Aaa 9999")
        || is_like(text, "99 Aaa 9999")
        || day_first(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// `31/01/2024…`: how many digits the year has (2 to 4) and what follows.
fn day_first(text: &str) -> Option<(usize, &str)> {
    let rest = digits(text, 1, 2)?.strip_prefix(['/', '.'])?;
    let rest = digits(rest, 1, 2)?.strip_prefix(['/', '.'])?;
    let after = digits(rest, 2, 4)?;
    Some((rest.len() - after.len(), after))
}

fn is_ip(text: &str) -> bool {
    let mut parts = 0;
    text.split('.').all(|it| {
        parts += 1;
        it.len() <= 3 && all_digits(it)
    }) && parts == 4
}

fn is_percent(text: &str) -> bool {
    let Some(number) = text.strip_suffix('%') else {
        return false;
    };
    let number = number.strip_suffix(char::is_whitespace).unwrap_or(number);
    is_integer(number) || has_one_point(number)
}

/// `-12.5`, `1,234.50`, `1.234,50`, `1 234,50`, `1,234,567`, each with or without a currency sign.
fn is_decimal(text: &str) -> bool {
    let sign = |it: char| "€$£".contains(it) || it.is_whitespace();
    let written = |it: char| it.is_ascii_digit() || SEPARATORS.contains(&it) || it == '-';
    let text = text.trim_matches(sign);
    if !text.chars().all(written) {
        return false;
    }
    has_one_point(text) || SEPARATORS.iter().any(|it| is_grouped(text, *it))
}

/// What stands between groups of three digits.
const SEPARATORS: [char; 7] = [',', '.', ' ', '\u{a0}', '\u{202f}', '\'', '’'];

/// The number that a value of the class [`Format::Decimal`] stands for, as far as its separators
/// say: the last one is the point, unless three digits follow and there is only one kind.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return Some(number).filter(|it| it.is_finite());
    }
    if !is_decimal(text) {
        return None;
    }
    let point = text.rfind(['.', ',']).filter(|at| {
        let kinds = [".", ","].iter().filter(|it| text.contains(**it)).count();
        kinds == 2
            || text[at + 1..]
                .bytes()
                .take_while(u8::is_ascii_digit)
                .count()
                != 3
    });
    let plain = text.char_indices().filter_map(|(at, it)| match it {
        _ if Some(at) == point => Some('.'),
        _ => Some(it).filter(|it| it.is_ascii_digit() || *it == '-'),
    });
    plain.collect::<String>().parse().ok()
}

/// Groups of three digits, of which there are two without a fraction.
fn is_grouped(text: &str, separator: char) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let point = if separator == '.' {
        [','; 2]
    } else {
        ['.', ',']
    };
    let parts = text
        .rsplit_once(point)
        .filter(|it| all_digits(it.1) && it.1.len() != 3);
    let whole = parts.map_or(text, |it| it.0);
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    let mut further = 0;
    let grouped = first.len() <= 3
        && all_digits(first)
        && groups.all(|it| {
            further += 1;
            it.len() == 3 && all_digits(it)
        });
    grouped && (further > 1 || further == 1 && (parts.is_some() || !matches!(separator, '.' | ',')))
}

/// `-12.5`, `12,5`.
fn has_one_point(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let parts = text.split_once(['.', ',']);
    parts.is_some_and(|(whole, fraction)| all_digits(whole) && all_digits(fraction))
}

fn is_boolean(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "y", "n", "ja", "nein", "oui"];
    WORDS.iter().any(|it| text.eq_ignore_ascii_case(it)) || text.eq_ignore_ascii_case("non")
}

fn is_colour(text: &str) -> bool {
    let hex = text.strip_prefix('#');
    hex.is_some_and(|it| (3..=8).contains(&it.len()) && all(it, |c| c.is_ascii_hexdigit()))
}

fn is_currency(text: &str) -> bool {
    const CODES: &str = "usd eur gbp jpy cad aud chf cny inr brl mxn sek nok dkk pln nzd sgd hkd \
                         zar idr thb try ils krw huf czk";
    text.len() == 3 && CODES.split(' ').any(|it| text.eq_ignore_ascii_case(it))
}

fn is_country_code(text: &str) -> bool {
    is_like(text, "AA")
}

/// `Europe/Berlin`.
fn is_time_zone(text: &str) -> bool {
    let place = |it: &str, also: &str| {
        it.len() >= 2
            && it.starts_with(|c: char| c.is_ascii_uppercase())
            && all(it, |c| c.is_ascii_alphabetic() || also.contains(c))
    };
    let parts = text.split_once('/');
    text == "UTC" || parts.is_some_and(|(area, city)| place(area, "") && place(city, "_"))
}

fn is_locale(text: &str) -> bool {
    is_like(text, "aa-AA") || is_like(text, "aa_AA")
}

fn is_domain(text: &str) -> bool {
    let Some((labels, top)) = text.rsplit_once('.') else {
        return false;
    };
    let label = |it: &str| !it.is_empty() && all(it, |c| c.is_ascii_alphanumeric() || c == '-');
    (2..=8).contains(&top.len())
        && all(top, |it| it.is_ascii_alphabetic())
        && labels.split('.').all(label)
}

fn is_phone(text: &str) -> bool {
    let rest = text.strip_prefix('+').unwrap_or(text);
    (7..=24).contains(&rest.len())
        && all(rest, |it| {
            it.is_ascii_digit() || it.is_ascii_whitespace() || "().-/".contains(it)
        })
        && rest.bytes().filter(u8::is_ascii_digit).count() >= 7
}

fn is_html(text: &str) -> bool {
    let opens = |it: &[u8]| it[0] == b'<' && (it[1].is_ascii_alphabetic() || it[1] == b'/');
    let start = text.as_bytes().windows(2).position(opens);
    start.is_some_and(|it| text.as_bytes()[it + 2..].contains(&b'>'))
}

/// At least eight letters and digits, two of them digits.
fn is_id_pattern(text: &str) -> bool {
    text.len() >= 8
        && text.starts_with(|it: char| it.is_ascii_alphanumeric())
        && all(text, |it| {
            it.is_ascii_alphanumeric() || "_-:.=".contains(it)
        })
        && text.bytes().filter(u8::is_ascii_digit).count() >= 2
}

fn is_code(text: &str) -> bool {
    text.len() >= 3
        && text.starts_with(|it: char| it.is_ascii_uppercase())
        && all(text, |it| {
            it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_'
        })
}

fn is_slug(text: &str) -> bool {
    let part =
        |it: &str| !it.is_empty() && all(it, |c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.contains(['_', '-']) && text.split(['_', '-']).all(part)
}

fn is_word(text: &str) -> bool {
    text.starts_with(char::is_alphabetic) && all(text, |it| is_word_letter(it) || "'-".contains(it))
}

/// Two to four words.
fn is_name(text: &str) -> bool {
    let mut words = 0;
    let fits = text.split(' ').all(|word| {
        words += 1;
        let also = if words == 1 { ".'-" } else { ".'-&" };
        word.starts_with(char::is_alphabetic)
            && all(word, |it| is_word_letter(it) || also.contains(it))
    });
    fits && (2..=4).contains(&words)
}

fn is_word_letter(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

fn all(text: &str, holds: impl Fn(char) -> bool) -> bool {
    text.chars().all(holds)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

fn starts_without_case(text: &str, start: &str) -> bool {
    let head = text.as_bytes().get(..start.len());
    head.is_some_and(|it| it.eq_ignore_ascii_case(start.as_bytes()))
}

/// What follows the digits at the start, of which there are that many; takes as many as it may.
fn digits(text: &str, least: usize, most: usize) -> Option<&str> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit);
    let count = count.count();
    (count >= least).then(|| &text[count..])
}

fn is_like(text: &str, picture: &str) -> bool {
    text.len() == picture.len() && starts_like(text, picture)
}

/// `9` stands for a digit, `A` and `a` for a letter of that case, `w` for any letter or digit.
fn starts_like(text: &str, picture: &str) -> bool {
    let fits = |(it, wanted): (u8, u8)| match wanted {
        b'9' => it.is_ascii_digit(),
        b'A' => it.is_ascii_uppercase(),
        b'a' => it.is_ascii_lowercase(),
        b'w' => it.is_ascii_alphanumeric() || it == b'_',
        other => it == other,
    };
    text.len() >= picture.len() && text.bytes().zip(picture.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_by_its_separators() {
        let cases = [
            ("12.5", Some(12.5)),
            ("1.200,50", Some(1200.5)),
            ("1,200.5", Some(1200.5)),
            ("45 000,00", Some(45000.0)),
            ("1,200,000", Some(1_200_000.0)),
            ("-€ 300,50", None),
            ("€ -300,50", Some(-300.5)),
            ("inf", None),
            ("12 apples", None),
        ];
        for (text, want) in cases {
            assert_eq!(number(text), want, "{text}");
        }
    }

    #[test]
    fn a_value_has_the_class_that_a_reader_gives_it() {
        use Format::*;
        let cases = [
            ("17", SmallInteger),
            ("170000", Integer),
            ("1700000000", Epoch),
            ("1700000000000", Epoch),
            ("99999999999999999999999999", BigInteger),
            ("-1.5", Decimal),
            ("1,234.50", Decimal),
            ("1.234,50", Decimal),
            ("45 000,00", Decimal),
            ("1,200,000", Decimal),
            ("1'200.5", Decimal),
            ("€ 1.200,00", Decimal),
            ("123 45", Text),
            ("12 %", Percent),
            ("44bc63ec-2a96-59af-874d-431f6b461309", Uuid),
            ("44bc63ec2a9659af874d431f6b461309", Uuid),
            ("ann@acme.example", Email),
            ("https://acme.example/x", Url),
            ("www.acme.example", Url),
            ("acme.co.uk", Domain),
            ("2024-01-31 09:15", Timestamp),
            ("Wed, 31 Jan 2024 10:00:00 GMT", Timestamp),
            ("31/01/2024 9:15", Timestamp),
            ("2024-01-31", Date),
            ("31.01.24", Date),
            ("3 Jan 2024", Date),
            ("2024/1/3", Date),
            ("10.0.0.1", Ip),
            ("+49 (30) 123-4567", Phone),
            ("#ff00aa", Colour),
            ("DE", CountryCode),
            ("EUR", Currency),
            ("Europe/Berlin", TimeZone),
            ("de-DE", Locale),
            ("see <b>this</b>", Html),
            ("cus_9s6XKzkNRiz8i3", IdPattern),
            ("half_days", Slug),
            ("CLOSED_WON", Code),
            ("Müller", Word),
            ("Elena Jansen Rossi", Name),
            ("yes", Boolean),
            ("Call them, please!", Text),
            ("", Text),
            ("\u{1F600}", Text),
        ];
        for (value, want) in cases {
            assert_eq!(of(value, Typed::Text), want, "{value:?}");
        }
    }
}
