//! Texts that no person writes, for as long as one likes: no panic, no hang, bounded memory.
//!
//! `cargo run --release -p lint-tool --example fuzz -- bytes|rust SECONDS [SEED]`
//!
//! A text that fails is written to `fuzz-failure.rs`, and belongs into `tests/robust.rs`.

use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use structure_lint::check::with_deep_stack;
use structure_lint::facts;

/// Longer than any text here takes, on a machine that others use too.
const PATIENCE: Duration = Duration::from_secs(20);

/// A text may not grow by what is done to it again and again.
const MAX_INPUT: usize = 64 << 10;

/// More than any text here needs.
const MEMORY: u64 = 2 << 20;

/// The text at hand and when its turn began, for the one who watches.
static CURRENT: Mutex<Option<(Instant, String)>> = Mutex::new(None);

/// Panics that the extractor caught itself count as well.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// SplitMix64: a run can be repeated by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn range(&mut self, len: usize, longest: usize) -> std::ops::Range<usize> {
        let start = self.below(len);
        start..(start + 1 + self.below(longest)).min(len)
    }
}

/// Where texts come from.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bytes,
    Rust,
}

/// Words, runs of blanks and single signs, as the pieces that are moved.
fn pieces(text: &str) -> Vec<String> {
    let class = |it: char| match it {
        _ if it.is_alphanumeric() || it == '_' => 0,
        _ if it.is_whitespace() => 1,
        _ => 2,
    };
    let mut pieces: Vec<String> = Vec::new();
    let mut last = 2;
    for sign in text.chars() {
        match pieces.last_mut() {
            Some(piece) if class(sign) == last && last != 2 => piece.push(sign),
            _ => pieces.push(sign.to_string()),
        }
        last = class(sign);
    }
    pieces
}

/// Any bytes, as far as they are text; signs that mean something come more often.
fn bytes(random: &mut Random) -> String {
    const SIGNS: &[u8] = b"\"'#!/*{}()[]<>:;,.=&|r\\\n \tab01_$\xc3\xa9\xef\xbb\xbf";
    let len = random.below(2_000);
    let mut byte = || match random.below(3) {
        0 => random.next() as u8,
        _ => SIGNS[random.below(SIGNS.len())],
    };
    let bytes: Vec<u8> = (0..len).map(|_| byte()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Deletes, doubles, moves and repeats ranges of pieces, some from another source.
fn mutated(random: &mut Random, sources: &[Vec<String>]) -> String {
    let mut text = sources[random.below(sources.len())].clone();
    for _ in 0..1 + random.below(8) {
        let range = random.range(text.len(), 40);
        let at = random.below(text.len());
        match random.below(6) {
            0 => drop(text.drain(range)),
            1 => {
                let other = &sources[random.below(sources.len())];
                let piece = other[random.range(other.len(), 200)].to_vec();
                drop(text.splice(at..at, piece));
            }
            2 => {
                let piece = text[range].to_vec();
                drop(text.splice(at..at, piece));
            }
            3 => {
                let piece = text[range.start..(range.start + 4).min(range.end)].concat();
                let times = 1 + random.below(3_000.min(MAX_INPUT / piece.len().max(1)));
                text.insert(at, piece.repeat(times));
            }
            4 => text.truncate(at),
            _ => text[range].rotate_left(1),
        }
        if text.is_empty() {
            break;
        }
    }
    let mut text = text.concat();
    text.truncate(text.floor_char_boundary(MAX_INPUT));
    text
}

/// This repository's own sources.
fn sources(dir: &Path, found: &mut Vec<Vec<String>>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found)?;
        } else if name.ends_with(".rs") {
            found.push(pieces(&std::fs::read_to_string(&path)?));
        }
    }
    found.retain(|it| !it.is_empty());
    Ok(())
}

/// Texts until `is_over` says so. Returns how many, or the one that failed and why.
fn fuzz(
    kind: Kind,
    seed: u64,
    sources: &[Vec<String>],
    is_over: impl Fn(usize) -> bool,
) -> Result<usize, (String, String)> {
    let mut random = Random(seed);
    let mut count = 0;
    while !is_over(count) {
        let text = match kind {
            Kind::Bytes => bytes(&mut random),
            Kind::Rust => mutated(&mut random, sources),
        };
        let before = PANICS.load(Ordering::Relaxed);
        *current() = Some((Instant::now(), text.clone()));
        let found = panic::catch_unwind(|| facts::extract(&text));
        *current() = None;
        if found.is_err() || PANICS.load(Ordering::Relaxed) > before {
            return Err((text, "a panic".to_owned()));
        }
        count += 1;
    }
    Ok(count)
}

fn current() -> MutexGuard<'static, Option<(Instant, String)>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process when a text takes too long or too much: a hang does not end itself.
fn watch() -> ! {
    loop {
        thread::sleep(Duration::from_millis(200));
        let current = current();
        let Some((start, text)) = current.as_ref() else {
            continue;
        };
        if start.elapsed() > PATIENCE || kilobytes("VmRSS:") > MEMORY {
            let _ = std::fs::write("fuzz-failure.rs", text);
            eprintln!("{:?}, {} kB", start.elapsed(), kilobytes("VmRSS:"));
            std::process::exit(1);
        }
    }
}

/// What the system says of this process; 0 where it says nothing.
fn kilobytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix(field));
    let number = line.and_then(|it| it.split_whitespace().next());
    number.and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let kind = match args.first().map(String::as_str) {
        Some("bytes") => Kind::Bytes,
        Some("rust") => Kind::Rust,
        _ => anyhow::bail!("say `bytes` or `rust`, for how many seconds, and a seed"),
    };
    let seconds = args.get(1).map_or(Ok(10), |it| it.parse())?;
    let seed = args.get(2).map_or(Ok(1), |it| it.parse())?;
    let mut texts = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
        &mut texts,
    )?;
    panic::set_hook(Box::new(|info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        eprintln!("{info}");
    }));
    thread::spawn(|| watch());
    let end = Instant::now() + Duration::from_secs(seconds);
    let result = with_deep_stack(1, || fuzz(kind, seed, &texts, |_| Instant::now() > end))?;
    match result {
        Ok(count) => println!(
            "{count} texts, seed {seed}, at most {} kB",
            kilobytes("VmHWM:")
        ),
        Err((text, why)) => {
            std::fs::write("fuzz-failure.rs", text)?;
            anyhow::bail!("{why}: the text is in `fuzz-failure.rs`");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_hundred_texts_of_each_kind_have_facts() {
        let mut texts = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules"),
            &mut texts,
        )
        .unwrap();
        for (kind, many) in [(Kind::Bytes, 300), (Kind::Rust, 30)] {
            let run = || fuzz(kind, 7, &texts, |count| count == many);
            assert_eq!(with_deep_stack(1, run).unwrap(), Ok(many));
        }
    }
}
