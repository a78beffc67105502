//! Which of the older encodings a file has: nothing in it says so, so its text must.
//!
//! **Invariant:** a guess is sure, or it is a question to whoever has the file. `chardetng` guesses
//! for browsers and always answers, so it is believed only as far as the text bears it out.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{ISO_2022_JP, WINDOWS_1252};

use crate::delimited::encoding::Encoding;
use crate::delimited::{Error, MAX_GUESS, Result, western};

/// Fewer bytes than this beyond ASCII prove no other encoding than windows-1252.
const ENOUGH: usize = 16;

/// Where text is written in Latin letters like those of windows-1252.
const WESTERN: [&str; 2] = ["fr", "is"];

/// The encoding of a file that begins with `bytes` and has none of Unicode's. `whole` says that
/// nothing follows.
pub(super) fn guess(bytes: &[u8], whole: bool) -> Result<Encoding> {
    // A cut character at the end would be a mistake.
    let lines = bytes.iter().rposition(|it| *it == b'\n');
    let bytes = if whole {
        bytes
    } else {
        &bytes[..lines.map_or(bytes.len(), |it| it + 1)]
    };
    let mut guesses = Guesses::new();
    guesses.feed(bytes);
    let likely = guesses.most_likely();
    if likely == ISO_2022_JP {
        return Ok(Encoding(likely));
    }
    if std::str::from_utf8(bytes).is_ok() {
        return Ok(Encoding::UTF_8);
    }
    let undefined = bytes.iter().find(|it| western::is_undefined(**it));
    let text = WINDOWS_1252.decode_without_bom_handling(bytes).0;
    let nuls = bytes.iter().filter(|it| **it == 0).count();
    let is_western = undefined.is_none() && nuls * 20 < bytes.len() && western::is_probable(&text);
    if likely == WINDOWS_1252 {
        return match undefined {
            _ if is_western => Ok(Encoding::WINDOWS_1252),
            Some(byte) => Err(Error::Encoding(format!(
                "its byte 0x{byte:02X} is not windows-1252 either"
            ))),
            None => Err(unsure("its text is improbable in windows-1252")),
        };
    }
    if guesses.is_sure_of(likely, bytes) {
        return Ok(Encoding(likely));
    }
    let alike = || likely.decode_without_bom_handling(bytes).0 == text;
    // A larger file may hold more than what was looked at.
    if is_western && whole && (western::is_certain(&text) || alike()) {
        return Ok(Encoding::WINDOWS_1252);
    }
    Err(unsure(&format!("it is perhaps {}", likely.name())))
}

fn unsure(why: &str) -> Error {
    Error::Encoding(format!("{why}, which its bytes do not show for certain"))
}

/// Whether the rest of a large file bears out what its first [`MAX_GUESS`] bytes said.
pub(super) struct Watch {
    guesses: Guesses,
    guessed: Encoding,
    undefined: bool,
}

impl Watch {
    pub(super) fn new(guessed: Encoding) -> Watch {
        Watch {
            guesses: Guesses::new(),
            guessed,
            undefined: false,
        }
    }

    /// Looks at the next bytes of the file; the first ones too.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.guesses.feed(bytes);
        self.undefined |= bytes.iter().any(|it| western::is_undefined(*it));
    }

    /// # Errors
    /// [`Error::Encoding`] if the file, now that all of it was seen, has another encoding.
    pub(super) fn confirm(&self) -> Result<()> {
        let likely = self.guesses.most_likely();
        let is_western = self.guessed == Encoding::WINDOWS_1252;
        if likely == self.guessed.0 && !(is_western && self.undefined) {
            return Ok(());
        }
        Err(Error::Encoding(format!(
            "what follows its first {} MiB is not {}, as which they were read",
            MAX_GUESS >> 20,
            self.guessed.name()
        )))
    }
}

struct Guesses(EncodingDetector);

impl Guesses {
    fn new() -> Guesses {
        Guesses(EncodingDetector::new(Iso2022JpDetection::Allow))
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.0.feed(bytes, false);
    }

    fn most_likely(&self) -> &'static encoding_rs::Encoding {
        self.for_country("com")
    }

    fn for_country(&self, domain: &str) -> &'static encoding_rs::Encoding {
        self.0.guess(Some(domain.as_bytes()), Utf8Detection::Deny)
    }

    /// Sure is what stays the answer where the text is said to be western.
    fn is_sure_of(&self, likely: &'static encoding_rs::Encoding, bytes: &[u8]) -> bool {
        let enough = bytes.iter().filter(|it| !it.is_ascii()).nth(ENOUGH - 1);
        let (text, broken) = likely.decode_without_bom_handling(bytes);
        enough.is_some()
            && WESTERN.iter().all(|it| self.for_country(it) == likely)
            && !broken
            && !text.chars().any(|it| ('\u{80}'..='\u{9F}').contains(&it))
            && !(likely.is_single_byte() && is_katakana(bytes))
    }
}

/// Katakana of half width in Shift_JIS look like letters of many a country.
fn is_katakana(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|it| it.is_ascii() || (0xA1..=0xDF).contains(it))
}
