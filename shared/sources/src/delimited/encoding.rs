//! Which encoding a file has, and its bytes as UTF-8.

use encoding_rs::{DecoderResult, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

/// An encoding of the WHATWG's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub(super) &'static encoding_rs::Encoding);

impl Encoding {
    pub const UTF_8: Encoding = Encoding(UTF_8);
    pub const UTF_16LE: Encoding = Encoding(UTF_16LE);
    pub const UTF_16BE: Encoding = Encoding(UTF_16BE);
    pub const WINDOWS_1252: Encoding = Encoding(encoding_rs::WINDOWS_1252);

    /// The encoding that one calls `label`, in any case: `shift_jis`, `sjis`, `latin1`. The two of
    /// the list that are made for browsers alone and say nothing of a text have no name here.
    pub fn named(label: &str) -> Option<Encoding> {
        let encoding = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes())?;
        (encoding != X_USER_DEFINED).then_some(Encoding(encoding))
    }

    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether it can write all of Unicode, so that even C1 controls may stand in a text.
    fn is_universal(self) -> bool {
        [UTF_8, UTF_16LE, UTF_16BE, GBK, GB18030].contains(&self.0)
    }
}

/// What the first bytes of a file say about its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The encoding, and the length of its byte order mark.
    Known(Encoding, usize),
    /// None of Unicode's: which of the many older ones can only be guessed.
    Legacy,
}

/// What `sample`, with which a file begins, says. A byte order mark counts more than what was
/// `given`: as text it would be part of the first column's name.
///
/// `whole` says that nothing follows: only then is a cut character at the end a mistake.
pub(super) fn detect(sample: &[u8], whole: bool, given: Option<Encoding>) -> Sign {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(sample) {
        return Sign::Known(Encoding(encoding), mark);
    }
    if let Some(given) = given {
        return Sign::Known(given, 0);
    }
    if let Some(utf16) = utf16_by_nuls(sample).or_else(|| utf16_by_breaks(sample)) {
        return Sign::Known(utf16, 0);
    }
    if is_utf8(sample, whole) && !shifts(sample) {
        return Sign::Known(Encoding::UTF_8, 0);
    }
    Sign::Legacy
}

/// ISO-2022-JP writes Japanese in ASCII bytes, after an escape sequence.
fn shifts(sample: &[u8]) -> bool {
    sample.is_ascii() && sample.windows(2).any(|it| it == b"\x1B$")
}

/// In other than Latin letters few characters but line breaks have a NUL.
fn utf16_by_breaks(sample: &[u8]) -> Option<Encoding> {
    let all = sample.iter().filter(|it| **it == b'\n').count();
    let most = |pair: &[u8]| {
        let found = sample.chunks_exact(2).filter(|it| *it == pair).count();
        all < 2 * found
    };
    if most(b"\n\0") {
        Some(Encoding::UTF_16LE)
    } else if most(b"\0\n") {
        Some(Encoding::UTF_16BE)
    } else {
        None
    }
}

/// Delimiters, digits and ASCII names have a NUL as their high byte, on one side only. The header
/// alone is looked at: it is mostly ASCII, whatever the cells are.
fn utf16_by_nuls(sample: &[u8]) -> Option<Encoding> {
    let (mut even, mut odd) = (0, 0);
    let pairs = sample[..sample.len().min(256)].chunks_exact(2);
    let enough = (pairs.len() / 2).max(1);
    for pair in pairs {
        even += usize::from(pair[0] == 0);
        odd += usize::from(pair[1] == 0);
    }
    if odd >= enough && even * 10 <= odd {
        Some(Encoding::UTF_16LE)
    } else if even >= enough && odd * 10 <= even {
        Some(Encoding::UTF_16BE)
    } else {
        None
    }
}

/// Valid, or so nearly that the mistakes belong to single rows.
///
/// Text in another encoding practically never forms a multi-byte sequence, so where they prevail
/// the file is UTF-8 with some broken bytes, and Windows-1252 would garble all of it.
fn is_utf8(sample: &[u8], whole: bool) -> bool {
    let (mut formed, mut broken) = (0usize, 0usize);
    let mut rest = sample;
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(_) => break,
            Err(error) => error,
        };
        let (valid, invalid) = rest.split_at(error.valid_up_to());
        formed += valid.iter().filter(|it| **it >= 0xC0).count();
        match error.error_len() {
            Some(len) => rest = &invalid[len..],
            None if whole => rest = &[],
            None => break,
        }
        broken += 1;
    }
    formed += rest.iter().filter(|it| **it >= 0xC0).count();
    broken == 0 || formed > broken
}

/// Turns the bytes of a file into UTF-8 as they come.
///
/// What cannot be decoded becomes the byte 0xFF, which no UTF-8 has: so the check that every row
/// gets anyway finds it, whatever the encoding.
pub(super) enum Decoder {
    Utf8,
    Other {
        decoder: Box<encoding_rs::Decoder>,
        /// Whether a C1 control is taken for a mistake: see [`mark_controls`].
        strict: bool,
    },
}

impl Decoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        if encoding == Encoding::UTF_8 {
            return Self::Utf8;
        }
        Self::Other {
            decoder: Box::new(encoding.0.new_decoder_without_bom_handling()),
            strict: !encoding.is_universal(),
        }
    }

    /// Appends `bytes` to `text`. `last` ends the file.
    pub(super) fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) {
        match self {
            Self::Utf8 => text.extend_from_slice(bytes),
            Self::Other { decoder, strict } => {
                let before = text.len();
                decode_other(decoder, bytes, last, text);
                if *strict {
                    mark_controls(text, before);
                }
            }
        }
    }
}

/// The WHATWG decodes bytes that an encoding leaves open, such as 0x81 of windows-1252, to C1
/// controls. No table has those: a file in which they stand has another encoding. NEL alone, a
/// line break of old, is let be.
fn mark_controls(text: &mut Vec<u8>, from: usize) {
    let mut kept = from;
    let mut at = from;
    while at < text.len() {
        let is_control =
            text[at] == 0xC2 && matches!(text.get(at + 1), Some(0x80..=0x84 | 0x86..=0x9F));
        text[kept] = if is_control { 0xFF } else { text[at] };
        kept += 1;
        at += 1 + usize::from(is_control);
    }
    text.truncate(kept);
}

fn decode_other(
    decoder: &mut encoding_rs::Decoder,
    mut bytes: &[u8],
    last: bool,
    text: &mut Vec<u8>,
) {
    loop {
        let written = text.len();
        let room = decoder
            .max_utf8_buffer_length_without_replacement(bytes.len())
            .expect("three times a chunk fits into memory");
        text.resize(written + room, 0);
        let (result, read, wrote) =
            decoder.decode_to_utf8_without_replacement(bytes, &mut text[written..], last);
        text.truncate(written + wrote);
        bytes = &bytes[read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => text.push(0xFF),
        }
    }
}
