//! JSON strings, written straight into bytes.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The bytes that cannot stand for themselves: control characters, `"` and `\`.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special
};

/// Writes `text` as a JSON string.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text.as_bytes(), out, Quotes::Single);
    out.push(b'"');
}

/// Writes a cell in which each quote stands twice as a JSON string.
pub(super) fn write_doubled(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text.as_bytes(), out, Quotes::Doubled);
    out.push(b'"');
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Single,
    Doubled,
}

fn write_escaped(mut text: &[u8], out: &mut Vec<u8>, quotes: Quotes) {
    while let Some(len) = text.iter().position(|it| SPECIAL[usize::from(*it)]) {
        out.extend_from_slice(&text[..len]);
        let byte = text[len];
        escape(byte, out);
        let skip = if byte == b'"' && quotes == Quotes::Doubled {
            2
        } else {
            1
        };
        text = text.get(len + skip..).unwrap_or_default();
    }
    out.extend_from_slice(text);
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[high], HEX[low]]);
        }
    }
}
