use encoding_rs::Encoding;

use super::read;
use crate::delimited::{Error, MAX_GUESS, Options, Reader};

/// What is guessed of `bytes`: an encoding, or `?`.
fn guessed(bytes: &[u8]) -> String {
    let mut reader = Reader::new(Options::default());
    reader.push(bytes);
    reader.finish();
    match reader.next() {
        Ok(_) => reader.detected().unwrap().encoding.name().to_owned(),
        Err(Error::Encoding(_)) => "?".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

fn file(names: &str) -> String {
    let rows = names.split(", ").map(|name| format!("1,{name}\r\n"));
    format!("account_id,name\r\n{}", rows.collect::<String>())
}

/// Guesses what `names` are as `encoding` writes them.
#[track_caller]
fn check(encoding: &'static Encoding, names: &str, expected: &str) {
    let text = file(names);
    let (bytes, _, is_lossy) = encoding.encode(&text);
    assert!(!is_lossy, "{names}");
    assert_eq!(guessed(&bytes), expected, "{names} in {}", encoding.name());
}

#[test]
fn western_files_are_read_without_a_question() {
    let words = "Zoë, Müller, Café, São Paulo, Åse, Þór, Œuvre, £5, Straße, CAFÉ, MÜLLER, N° 5, \
        Smith’s, “quoted” text, 20 °C, ½ price, Ærø, Ølgod, À la carte, GARÇON, España, ¿Qué?, \
        naïve, Crème brûlée, Acme® Inc, Acme™, 5 €, € 5 – é, § 5, a…, Größe, Åhléns, ÖBB, \
        L’Oréal, Hæstiréttur, Škoda, äöüß, ÅÄÖ, Ibáñez, Ações, CÔTE D’IVOIRE, 10 µg, 3×4, a·b, \
        « Oui », «Oui», 20m², Mª José, 1º, 20¢, Malmö, Citroën, Peña & Muñoz, Nicolò, Hôtel Dieu, \
        10 € – 20 €, l’été…, naïveté";
    for word in words.split(", ").chain([words]) {
        check(encoding_rs::WINDOWS_1252, word, "windows-1252");
    }
}

#[test]
fn the_euro_of_another_encoding_is_asked_about() {
    for price in ["100 €", "€5", "€"] {
        check(encoding_rs::ISO_8859_15, price, "?");
    }
}

#[test]
fn other_encodings_are_found_where_there_is_enough_text() {
    let russian = "Газпром, Иванов Иван, Москва, Общество с ограниченной ответственностью, Лукойл";
    let japanese = "日本商事, 東京株式会社, 山田太郎, トヨタ自動車, 三菱電機";
    let chinese = "北京公司, 上海贸易有限公司, 中国工商银行, 华为技术有限公司";
    let greek = "Αθήνα, Ελληνική Εταιρεία, Θεσσαλονίκη, Τράπεζα Πειραιώς";
    let hebrew = "תל אביב, חברת החשמל, ירושלים, בנק הפועלים";
    let arabic = "شركة, القاهرة, الرياض, بنك مصر, دبي, محمد, الكويت, السعودية";
    let korean = "삼성전자, 현대자동차, 서울특별시, 한국전력공사";
    let taiwanese = "台灣積體電路, 鴻海精密工業股份有限公司, 中華電信";
    for (encoding, names, expected) in [
        (encoding_rs::SHIFT_JIS, japanese, "Shift_JIS"),
        (encoding_rs::EUC_JP, japanese, "EUC-JP"),
        (encoding_rs::ISO_2022_JP, japanese, "ISO-2022-JP"),
        (encoding_rs::GBK, chinese, "GBK"),
        (encoding_rs::GB18030, chinese, "GBK"),
        (encoding_rs::BIG5, taiwanese, "Big5"),
        (encoding_rs::EUC_KR, korean, "EUC-KR"),
        (encoding_rs::WINDOWS_1251, russian, "windows-1251"),
        (encoding_rs::KOI8_R, russian, "KOI8-U"),
        (encoding_rs::ISO_8859_5, russian, "ISO-8859-5"),
        (encoding_rs::IBM866, russian, "IBM866"),
        (encoding_rs::WINDOWS_1253, greek, "windows-1253"),
        (encoding_rs::WINDOWS_1255, hebrew, "ISO-8859-8"),
        (encoding_rs::WINDOWS_1256, arabic, "windows-1256"),
    ] {
        check(encoding, names, expected);
    }
}

#[test]
fn what_the_bytes_do_not_prove_is_asked() {
    for (encoding, names) in [
        (encoding_rs::SHIFT_JIS, "日本"),
        (encoding_rs::SHIFT_JIS, "ﾄﾖﾀ, ﾀﾅｶ"),
        (encoding_rs::BIG5, "台灣"),
        (encoding_rs::KOI8_R, "Москва"),
        (encoding_rs::WINDOWS_1251, "Москва"),
        (encoding_rs::WINDOWS_1250, "Łódź, Wrocław, Gdańsk, Żabka"),
        (encoding_rs::ISO_8859_2, "Łódź, Wrocław, Gdańsk, Żabka"),
        (encoding_rs::WINDOWS_1250, "Gdańsk"),
        (encoding_rs::WINDOWS_1250, "Dvořák, Příbram, Jiří Novák"),
        (encoding_rs::WINDOWS_1250, "Győr"),
        (encoding_rs::ISO_8859_2, "Plzeň"),
        (encoding_rs::WINDOWS_1250, "Bucureşti, Iaşi"),
        (encoding_rs::WINDOWS_1254, "Şişli, Türkiye İş Bankası"),
        (encoding_rs::WINDOWS_1257, "Šiauliai, Panevėžys"),
        (encoding_rs::WINDOWS_1257, "Rīga"),
        (encoding_rs::WINDOWS_874, "กรง"),
        (encoding_rs::MACINTOSH, "Müller"),
        (encoding_rs::MACINTOSH, "Café"),
        (encoding_rs::ISO_8859_15, "Œuvre"),
    ] {
        check(encoding, names, "?");
    }
    // IBM's: Köln, Größe, Björn, crème, forêt, André.
    for word in [
        "K\u{94}ln",
        "Gr\u{94}\u{e1}e",
        "Bj\u{94}rn",
        "cr\u{8a}me",
        "for\u{88}t",
        "Andr\u{82}",
    ] {
        let bytes: Vec<u8> = word.chars().map(|it| it as u8).collect();
        let bytes = [b"account_id,name\n1,", &*bytes, b"\n"].concat();
        assert_eq!(guessed(&bytes), "?", "{word}");
    }
}

#[test]
fn a_byte_that_windows_1252_leaves_open_is_asked_about() {
    for byte in [0x81, 0x8D, 0x8F, 0x90, 0x9D] {
        let bytes = [b"a,b\n1,Zo\xEB\n2,Zo\xEB", &[byte][..], b"\n"].concat();
        let error = read(Options::default(), &bytes, 5).unwrap_err().to_string();
        assert!(error.contains("which encoding is it?"), "{error}");
    }
}

#[test]
fn utf16_needs_neither_a_mark_nor_latin_names() {
    let names = file("日本商事, 上海一, Москва").replace("account_id,name", "番号,Имя");
    for (swap, expected) in [(false, "UTF-16LE"), (true, "UTF-16BE")] {
        let unit = |it: u16| {
            if swap {
                it.to_be_bytes()
            } else {
                it.to_le_bytes()
            }
        };
        let bytes: Vec<u8> = names.encode_utf16().flat_map(unit).collect();
        assert_eq!(guessed(&bytes), expected);
    }
}

/// As chunks come, and not as a whole.
fn large(rows: &[u8], last: &[u8]) -> Result<usize, String> {
    let mut reader = Reader::new(Options::default());
    let (mut seen, mut pushed) = (0, 0);
    let chunk = rows.repeat((64 << 10) / rows.len());
    reader.push(b"account_id,name\n");
    while pushed <= MAX_GUESS + (256 << 10) {
        reader.push(&chunk);
        pushed += chunk.len();
        while reader.next().map_err(|it| it.to_string())?.is_some() {
            seen += 1;
        }
    }
    reader.push(last);
    reader.finish();
    while reader.next().map_err(|it| it.to_string())?.is_some() {
        seen += 1;
    }
    Ok(seen)
}

#[test]
fn a_large_file_is_read_while_nothing_in_it_refutes_the_guess() {
    let (french, end) = (
        "Société Générale et Crédit Agricole".repeat(20),
        "1,Zo\u{eb}\n",
    );
    let latin = |text: &str| text.chars().map(|it| it as u8).collect::<Vec<u8>>();
    let row = latin(&format!("1,{french}\n"));
    assert!(large(&row, &latin(end)).unwrap() > 2_000);
    let refuted = large(&row, &latin("2,Zo\u{eb}\u{81}\n")).unwrap_err();
    assert!(refuted.contains("which encoding is it?"), "{refuted}");
}
