//! The names of the months in English, German, French, Spanish, Italian, Dutch and Portuguese, with
//! their abbreviations. No word is a month in one of them and another month in another.

/// By month; without accents, in small letters.
const NAMES: [&str; 12] = [
    "january jan januar jaen janner jan janvier janv enero ene gennaio gen januari janeiro",
    "february feb februar feber fevrier fevr fev febrero febbraio februari fevereiro",
    "march mar marz mrz maerz mars marzo maart mrt marco",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag mei maio",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug aout aou agosto ago augustus",
    "september sep sept septembre septiembre setiembre set settembre sett setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez decembre diciembre dic dicembre dezembro",
];

/// No name is longer, in letters.
const MAX_NAME: usize = 10;

/// The month, from 1, that a name or an abbreviation stands for, in any case.
pub(crate) fn find(name: &str) -> Option<u32> {
    let mut folded = String::with_capacity(MAX_NAME);
    for letter in name.chars().flat_map(char::to_lowercase) {
        folded.push(match letter {
            'ä' | 'à' | 'á' | 'â' => 'a',
            'é' | 'è' | 'ê' => 'e',
            'û' | 'ù' | 'ú' => 'u',
            'ç' => 'c',
            other => other,
        });
        if folded.len() > MAX_NAME {
            return None;
        }
    }
    let has = |names: &&str| names.split(' ').any(|it| it == folded);
    let index = NAMES.iter().position(has)?;
    u32::try_from(index + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_one_month() {
        for (index, names) in NAMES.iter().enumerate() {
            for name in names.split(' ') {
                assert!(name.len() <= MAX_NAME, "{name}");
                assert_eq!(find(name), Some(index as u32 + 1), "{name}");
            }
        }
    }

    #[test]
    fn months_are_found_as_seven_languages_write_them() {
        let months = [
            ("March März mars marzo marzo maart março", 3),
            ("MAY Mai mai mayo maggio mei maio", 5),
            ("August August août agosto agosto augustus agosto", 8),
            ("Dec Dez déc dic dic dec dez", 12),
            ("Februar février", 2),
        ];
        for (names, month) in months {
            for name in names.split(' ') {
                assert_eq!(find(name), Some(month), "{name}");
            }
        }
        for name in ["", "ju", "m", "monday", "ma", "marchmarchmarch"] {
            assert_eq!(find(name), None, "{name}");
        }
    }
}
