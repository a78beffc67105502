//! Which encoding a file has, and its bytes as UTF-8.

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The encodings that are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// The encoding of a file that begins with `sample`, and the length of its byte order mark.
///
/// `whole` says that nothing follows: only then is a cut character at the end a mistake.
pub(super) fn detect(sample: &[u8], whole: bool) -> (Encoding, usize) {
    const MARKS: [(&[u8], Encoding); 3] = [
        (b"\xEF\xBB\xBF", Encoding::Utf8),
        (b"\xFF\xFE", Encoding::Utf16Le),
        (b"\xFE\xFF", Encoding::Utf16Be),
    ];
    for (mark, encoding) in MARKS {
        if sample.starts_with(mark) {
            return (encoding, mark.len());
        }
    }
    let encoding = match utf16_by_nuls(sample) {
        Some(utf16) => utf16,
        None if is_utf8(sample, whole) => Encoding::Utf8,
        None => Encoding::Windows1252,
    };
    (encoding, 0)
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
        Some(Encoding::Utf16Le)
    } else if even >= enough && odd * 10 <= even {
        Some(Encoding::Utf16Be)
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
    Other(Box<encoding_rs::Decoder>),
}

impl Decoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        let encoding = match encoding {
            Encoding::Utf8 => return Self::Utf8,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        Self::Other(Box::new(encoding.new_decoder_without_bom_handling()))
    }

    /// Appends `bytes` to `text`. `last` ends the file.
    pub(super) fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) {
        match self {
            Self::Utf8 => text.extend_from_slice(bytes),
            Self::Other(decoder) => decode_other(decoder, bytes, last, text),
        }
    }
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
