//! What a source may send: every frame is judged before the driver sees it.
//!
//! A frame of PostgreSQL's protocol is a byte that names its type, a length that counts itself,
//! and the rest.
//!
//! **Invariant:** whatever comes, no more than [`WHOLE`] bytes are kept here, and no more than
//! [`ANSWER`] bytes are let through until something is asked again.

use std::collections::HashSet;
use std::mem;

/// So many bytes may answer a question.
const ANSWER: usize = 25 << 20;
/// A frame that is looked at as a whole has at most so many bytes. Rows, errors and notices are
/// let through piece by piece.
const WHOLE: usize = 16 << 10;
/// An error or a notice has at most so many bytes.
const WORDS: usize = 1 << 20;
/// So many messages may answer a question; no question asks for as many rows.
const MESSAGES: usize = 10_000;
/// More notices do not answer a question: they are turned off.
const NOTICES: usize = 100;
/// More columns are never asked for.
const COLUMNS: usize = 32;
/// A server reports no more settings than that.
const SETTINGS: usize = 64;
/// Signing in costs a hash for each iteration: the driver takes no more either.
const ITERATIONS: u64 = 100_000;
/// `bool`, `int8`, `int4` and `text`: nothing else is asked for. The driver would ask a source
/// what any other type is, and believe it.
const TYPES: [u32; 4] = [16, 20, 23, 25];
const HEAD: usize = 5;

const LENGTH: &str = "it lies about the length of a message";
const ROW: &str = "a row is not what was asked for";
const UNKNOWN: &str = "it sends what no question asks for";
const TOO_MUCH: &str = "it answers more than it was asked for";

/// Judges a stream of frames.
#[derive(Debug)]
pub(super) struct Frames {
    /// What the next bytes are.
    part: Segment,
    /// How many of them that part needs, and those that came.
    need: usize,
    seen: Vec<u8>,
    /// How many bytes come before that part and need no look.
    skip: usize,
    /// How many bytes may still come before something is asked again.
    left: usize,
    /// Whether the answer has ended, so that only what comes unasked may come.
    ended: bool,
    messages: usize,
    notices: usize,
    /// How many columns the answer has, once that was said.
    columns: Option<usize>,
    settings: HashSet<Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
enum Segment {
    /// The type and the length.
    Head,
    /// All that comes after them.
    Whole(u8),
    /// How many cells a row has, in so many bytes.
    Count(usize),
    /// The length of a cell; so many cells come after it, in so many bytes with that length.
    Cell(usize, usize),
}

impl Frames {
    pub(super) fn new() -> Frames {
        Frames {
            part: Segment::Head,
            need: HEAD,
            seen: Vec::new(),
            skip: 0,
            left: ANSWER,
            ended: false,
            messages: 0,
            notices: 0,
            columns: None,
            settings: HashSet::new(),
        }
    }

    /// Something was asked.
    pub(super) fn asked(&mut self) {
        self.left = ANSWER;
        self.ended = false;
        self.messages = 0;
        self.notices = 0;
        self.columns = None;
    }

    /// Looks at the next bytes.
    ///
    /// # Errors
    /// What is wrong with them. Nothing after them can be judged.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(TOO_MUCH)?;
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let taken = (self.need - self.seen.len()).min(bytes.len());
            self.seen.extend(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.skip == 0 && self.seen.len() == self.need {
                let seen = mem::take(&mut self.seen);
                self.judge(&seen)?;
            }
        }
        Ok(())
    }

    fn expect(&mut self, part: Segment, need: usize) {
        (self.part, self.need) = (part, need);
    }

    fn judge(&mut self, seen: &[u8]) -> Result<(), &'static str> {
        match self.part {
            Segment::Head => self.head(seen),
            Segment::Whole(tag) => {
                self.expect(Segment::Head, HEAD);
                self.whole(tag, seen)
            }
            Segment::Count(left) => {
                let cells = usize::from(u16_at(seen, 0).ok_or(LENGTH)?);
                if self.columns != Some(cells) {
                    return Err(ROW);
                }
                self.cell(cells, left - seen.len())
            }
            Segment::Cell(cells, left) => {
                let left = left - seen.len();
                let length = match u32_at(seen, 0).ok_or(LENGTH)? {
                    // NULL.
                    u32::MAX => 0,
                    it => usize::try_from(it).map_err(|_| LENGTH)?,
                };
                self.skip = length;
                self.cell(cells, left.checked_sub(length).ok_or(LENGTH)?)
            }
        }
    }

    fn head(&mut self, seen: &[u8]) -> Result<(), &'static str> {
        let length = u32_at(seen, 1).and_then(|it| usize::try_from(it).ok());
        let body = length.and_then(|it| it.checked_sub(4)).ok_or(LENGTH)?;
        let tag = seen[0];
        self.messages += 1;
        if MESSAGES < self.messages {
            return Err(TOO_MUCH);
        }
        match tag {
            _ if self.ended && !b"ENS".contains(&tag) => return Err(UNKNOWN),
            b'D' if self.columns.is_none() => return Err(ROW),
            b'D' if (2..=self.left).contains(&body) => self.expect(Segment::Count(body), 2),
            b'E' | b'N' if WORDS < body => return Err("an error or a notice has more than 1 MiB"),
            b'E' | b'N' => {
                self.notices += usize::from(tag == b'N');
                if NOTICES < self.notices {
                    return Err("it has too many notices");
                }
                self.skip = body;
                self.expect(Segment::Head, HEAD);
            }
            b'R' | b'S' | b'K' | b'T' | b't' | b'C' | b'Z' | b'1' | b'2' | b'I' | b'n' => {
                if body > WHOLE {
                    return Err(LENGTH);
                }
                self.expect(Segment::Whole(tag), body);
                if body == 0 {
                    return self.judge(&[]);
                }
            }
            b'D' => return Err(LENGTH),
            _ => return Err(UNKNOWN),
        }
        Ok(())
    }

    /// So many cells are next, in so many bytes.
    fn cell(&mut self, cells: usize, left: usize) -> Result<(), &'static str> {
        match cells.checked_sub(1) {
            None if left == 0 => self.expect(Segment::Head, HEAD),
            Some(after) if left >= 4 * cells => self.expect(Segment::Cell(after, left), 4),
            _ => return Err(LENGTH),
        }
        Ok(())
    }

    fn whole(&mut self, tag: u8, body: &[u8]) -> Result<(), &'static str> {
        match tag {
            b'R' => authentication(body),
            b'S' => self.setting(body),
            b'T' => {
                if self.columns.is_some() {
                    return Err(UNKNOWN);
                }
                self.columns = Some(columns(body)?);
                Ok(())
            }
            b'K' if body.len() != 8 => Err(LENGTH),
            b'Z' if matches!(body, [b'I' | b'T' | b'E']) => {
                self.ended = true;
                Ok(())
            }
            b'Z' => Err(LENGTH),
            b'C' if body.last() != Some(&0) => Err(LENGTH),
            b'1' | b'2' | b'I' | b'n' if !body.is_empty() => Err(LENGTH),
            _ => Ok(()),
        }
    }

    /// The driver keeps what each setting is.
    fn setting(&mut self, body: &[u8]) -> Result<(), &'static str> {
        let name = body.split(|it| *it == 0).next().unwrap_or_default();
        if !self.settings.contains(name) {
            if self.settings.len() == SETTINGS {
                return Err("it reports too many settings");
            }
            self.settings.insert(name.to_owned());
        }
        Ok(())
    }
}

/// How the server wants somebody to prove who they are.
fn authentication(body: &[u8]) -> Result<(), &'static str> {
    // The server's first message of SCRAM: `r=nonce,s=salt,i=iterations`.
    let Some(scram) = body.strip_prefix(&[0, 0, 0, 11]) else {
        return Ok(());
    };
    let mut fields = scram.split(|it| *it == b',');
    let iterations = fields.find_map(|it| it.strip_prefix(b"i="));
    let iterations = iterations.and_then(|it| str::from_utf8(it).ok());
    match iterations.map(str::parse::<u64>) {
        Some(Ok(1..=ITERATIONS)) => Ok(()),
        Some(Ok(_)) => Err("its passwords do not have 1 to 100000 iterations"),
        _ => Err("it does not sign in as PostgreSQL does"),
    }
}

/// How many columns there are. Each has a name, the table and column it is from, its type, that
/// one's size and modifier, and how it is written.
fn columns(body: &[u8]) -> Result<usize, &'static str> {
    let count = usize::from(u16_at(body, 0).ok_or(LENGTH)?);
    if COLUMNS < count {
        return Err(TOO_MUCH);
    }
    let mut rest = &body[2..];
    for _ in 0..count {
        let name = rest.iter().position(|it| *it == 0).ok_or(LENGTH)?;
        let column = rest.get(name + 1..name + 19).ok_or(LENGTH)?;
        if !u32_at(column, 6).is_some_and(|it| TYPES.contains(&it)) {
            return Err("a column is of another type than was asked for");
        }
        rest = &rest[name + 19..];
    }
    if rest.is_empty() {
        Ok(count)
    } else {
        Err(LENGTH)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag], &length.to_be_bytes()[..], body].concat()
    }

    /// A description of columns of these types.
    fn description(types: &[u32]) -> Vec<u8> {
        let column = |it: &u32| [b"a\0\0\0\0\0\0\0", &it.to_be_bytes()[..], &[0; 8]].concat();
        let columns = types.iter().flat_map(column);
        let count = u16::try_from(types.len()).unwrap().to_be_bytes();
        let body: Vec<u8> = count.into_iter().chain(columns).collect();
        frame(b'T', &body)
    }

    fn row(cells: &[(i32, &[u8])]) -> Vec<u8> {
        let cells = cells.iter();
        let cells = cells.flat_map(|(length, it)| [&length.to_be_bytes()[..], *it].concat());
        let body: Vec<u8> = [0, 2].into_iter().chain(cells).collect();
        frame(b'D', &body)
    }

    /// The same verdict wherever the bytes are split.
    #[track_caller]
    fn check(messages: &[Vec<u8>], expected: Result<(), &str>) {
        let bytes = messages.concat();
        for size in [1, 2, 3, 7, 4096] {
            let mut frames = Frames::new();
            let judged = bytes.chunks(size).try_for_each(|it| frames.take(it));
            assert_eq!(judged, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn what_postgres_sends_is_let_through() {
        let null: (i32, &[u8]) = (-1, b"");
        check(
            &[
                frame(b'R', &[0; 4]),
                frame(b'R', b"\0\0\0\x0br=ab,s=cd,i=4096"),
                frame(b'S', b"a\0b\0"),
                frame(b'K', &[0; 8]),
                frame(b'1', b""),
                frame(b'2', b""),
                frame(b't', &[0; 2]),
                description(&[20, 25]),
                row(&[(8, &[0; 8]), (3, b"abc")]),
                row(&[null, (0, b"")]),
                row(&[null, null]),
                frame(b'N', b"SNOTICE\0\0"),
                frame(b'C', b"SELECT 3\0"),
                frame(b'Z', b"T"),
                frame(b'S', b"a\0c\0"),
                frame(b'E', b"SFATAL\0\0"),
            ],
            Ok(()),
        );
    }

    #[test]
    fn what_lies_is_refused() {
        let two = || description(&[25, 25]);
        check(&[vec![b'Z', 0, 0, 0, 3]], Err(LENGTH));
        check(&[vec![b'T', 255, 255, 255, 255]], Err(LENGTH));
        check(&[frame(b'!', b"")], Err(UNKNOWN));
        check(&[frame(b'Z', b"")], Err(LENGTH));
        check(&[frame(b'1', b"a")], Err(LENGTH));
        check(&[frame(b'Z', b"I"), frame(b'C', b"\0")], Err(UNKNOWN));
        check(&[two(), two()], Err(UNKNOWN));
        check(&[description(&[25; 33])], Err(TOO_MUCH));
        check(&[row(&[(0, b""), (0, b"")])], Err(ROW));
        check(&[two(), row(&[(0, b""), (1, b"")])], Err(LENGTH));
        check(&[two(), row(&[(0, b""), (-2, b"")])], Err(LENGTH));
        check(&[two(), row(&[(0, b""), (0, b"a")])], Err(LENGTH));
        check(&[two(), row(&[(i32::MAX, b""), (0, b"")])], Err(LENGTH));
        check(&[two(), row(&[(0, b"")])], Err(LENGTH));
        check(&[description(&[25]), row(&[(0, b""), (0, b"")])], Err(ROW));
        for oid in [0, 17, 1009, 99_999] {
            assert!(columns(&description(&[25, oid])[5..]).is_err(), "{oid}");
        }
        for (text, fine) in [
            ("i=1", true),
            ("i=100000", true),
            ("i=0", false),
            ("i=-1", false),
        ] {
            let body = [b"\0\0\0\x0br=a,s=b,", text.as_bytes()].concat();
            assert_eq!(authentication(&body).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn an_answer_ends() {
        let notice = frame(b'N', b"SNOTICE\0\0");
        let mut frames = Frames::new();
        let mut one = frame(b'S', &[[b'x'; 10_000].as_slice(), &[0, b'y', 0]].concat());
        one[5..9].copy_from_slice(b"a\0aa");
        for _ in 0..ANSWER / one.len() {
            assert_eq!(frames.take(&one), Ok(()));
        }
        assert_eq!(frames.take(&one), Err(TOO_MUCH));
        let mut frames = Frames::new();
        for _ in 0..3 {
            for _ in 0..NOTICES {
                assert_eq!(frames.take(&notice), Ok(()));
            }
            frames.asked();
        }
        frames.notices = NOTICES;
        assert!(frames.take(&notice).is_err());
        let setting = |it: usize| frame(b'S', format!("{it}\0\0").as_bytes());
        let refused = (0..).find(|it| frames.take(&setting(*it)).is_err());
        assert_eq!(refused, Some(SETTINGS));
    }

    proptest! {
        #[test]
        fn no_bytes_are_kept_that_are_not_needed(
            bytes in proptest::collection::vec(prop_oneof![0_u8..5, any::<u8>()], 0..200),
            tag in proptest::sample::select(b"RSKTtCZ12InDEN".to_vec()),
        ) {
            let mut frames = Frames::new();
            frames.columns = Some(2);
            let _ = frames.take(&[&[tag, 0, 0], &bytes[..]].concat());
            prop_assert!(frames.seen.capacity() <= 2 * WHOLE);
        }
    }
}
