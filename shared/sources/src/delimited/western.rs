//! Whether text that was read as windows-1252 makes sense in it.

/// The bytes that windows-1252 leaves open.
pub(super) fn is_undefined(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)
}

/// Whether nothing in the text is absurd: a capital or a sign within a word, or a word of letters
/// beyond ASCII alone. The letters of another alphabet come out so: `ÔÏÀÞ`, `MŸller`, `K”ln`.
pub(super) fn is_probable(text: &str) -> bool {
    let mut run = ByteRun::default();
    triples(text).all(|(before, it, next)| {
        run.add(it);
        run.is_word() && (it.is_ascii() || !is_absurd(before, it, next))
    })
}

/// Whether there are only such signs and letters beyond ASCII as stand in no other encoding where
/// they do here: `£5`, `20 °C` and `naïve`, and not `£ódź`.
pub(super) fn is_certain(text: &str) -> bool {
    triples(text).all(|(before, it, next)| it.is_ascii() || is_in_place(before, it, next))
}

/// Each character with its neighbours.
fn triples(text: &str) -> impl Iterator<Item = (char, char, char)> {
    let next = text.chars().skip(1).chain([' ']);
    let mut before = ' ';
    text.chars()
        .zip(next)
        .map(move |(it, next)| (std::mem::replace(&mut before, it), it, next))
}

/// Characters beyond ASCII that stand together.
#[derive(Default)]
struct ByteRun {
    letters: usize,
    signs: usize,
    /// Three umlauts in a row are no word either, but a sample of them.
    only_umlauts: bool,
}

impl ByteRun {
    fn add(&mut self, it: char) {
        if it.is_ascii() || it == '\u{A0}' {
            *self = ByteRun {
                only_umlauts: true,
                ..ByteRun::default()
            };
        } else if it.is_alphabetic() {
            self.letters += 1;
            self.only_umlauts &= "ÄÖÜäöüßÅå".contains(it);
        } else {
            self.signs += 1;
        }
    }

    fn is_word(&self) -> bool {
        self.letters < 2 || self.letters + self.signs < 3 || self.only_umlauts
    }
}

fn is_absurd(before: char, it: char, next: char) -> bool {
    let within = before.is_alphabetic() && next.is_alphabetic();
    match it {
        '’' | '‘' | '´' | '·' | '–' | '—' | '\u{A0}' | '°' | 'ª' | 'º' | '®' | '…' | '/' => {
            false
        }
        '‚' | '„' | 'ƒ' => before.is_alphabetic(),
        '™' => next.is_alphabetic(),
        // Where ISO-8859-15 has the euro, and nobody writes it.
        '¤' => true,
        '¼' | '½' | '¾' => next.is_alphabetic() && !before.is_ascii_digit(),
        // Hungarian, Polish and Czech have others of their letters at these places.
        'õ' | 'Õ' => next.is_alphabetic() && !matches!(next, 'e' | 'E'),
        'ñ' | 'Ñ' => next.is_ascii_alphabetic() && !is_vowel(next),
        'ò' | 'Ò' => matches!(before.to_ascii_lowercase(), 'a' | 'e' | 'o'),
        _ if it.is_uppercase() => {
            before.is_lowercase() || before.is_alphabetic() && next.is_lowercase()
        }
        _ if it.is_alphabetic() => false,
        _ => within,
    }
}

fn is_vowel(it: char) -> bool {
    matches!(it.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

fn is_in_place(before: char, it: char, next: char) -> bool {
    let (after_letter, before_letter) = (before.is_alphabetic(), next.is_alphabetic());
    let alone = before.is_ascii() && next.is_ascii();
    match it {
        '°' | '‘' | '’' | '“' | '”' | '„' | '«' | '»' | '–' | '—' | '¿' | '¡' | '\u{A0}' => {
            alone
        }
        '€' | '£' | '¥' => !after_letter && !before_letter && before.is_ascii(),
        '²' | '³' | '™' | '®' | '…' => before.is_ascii() && !before_letter,
        '±' | '§' | '©' | '·' | '•' | '½' | '¼' | '¾' | '×' => {
            !after_letter && !before_letter && alone
        }
        'µ' => !after_letter && next.is_ascii_alphabetic(),
        'ï' => matches!(before, 'a' | 'o' | 'u') && next.is_ascii(),
        'Œ' | 'œ' => before.is_ascii() && next == 'u',
        // The same in all of them.
        'á' | 'é' | 'í' | 'ó' | 'ú' | 'ä' | 'ö' | 'ü' | 'ß' | 'ç' | 'É' | 'Ä' | 'Ö' | 'Ü' => {
            alone
        }
        _ => false,
    }
}
