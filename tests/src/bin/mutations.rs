//! Lets a source lie at random for so many seconds: `mutations 600 [seed]`. It answers as a real
//! server did, but for a few bytes or messages. Ends with a failure where somebody panics, hangs,
//! says too much or needs too much memory; the seed says again what was wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use schema::EgressPolicy;
use serde_json::{Value, json};
use sources::postgres::POSTGRES;
use sources::{ConnectContext, Connector, HeldSecrets, SourceError};
use tests::double::{Double, Frame, Reply, frame, frames};
use tests::source::Source;

/// A table with what makes each of the questions answer something.
const TABLES: &str = "
    create table accounts (
      id int primary key, name varchar(40) not null, kind mood, updated_at timestamptz, more jsonb);
    comment on column accounts.name is 'What people call it.';
    insert into accounts select n, 'Account ' || n, 'fine', now(), '{\"a\": [1, null]}'
    from generate_series(1, 40) n;
";
/// A source may cost so much, and no more, with what it sends itself.
const MEMORY: usize = 64 << 20;
/// So long the next question is waited for.
const PAUSE: Duration = Duration::from_millis(20);
/// Every answer comes at once, or the line is hung up: nobody waits until time is over.
const PATIENCE: Duration = Duration::from_secs(9);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().context("for how many seconds?")?.parse()?;
    let first = arguments.next().map_or(Ok(1), |it| it.parse())?;
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::exit(101);
    }));
    let mood = "create type mood as enum ('so so', 'fine');";
    let source = Source::start(&format!("{mood}{TABLES}")).await;
    let real = Double::start().await;
    let objects = json!([{ "table": "accounts", "entity": "account" }]);
    let config = |port| source.config_at(port, objects.clone());
    ask(&config(real.port())).await.context("the truth")?;
    let recording = real.recording();
    let double = Double::replaying(&recording).await;
    let config = config(double.port());
    ask(&config).await.context("the truth once more")?;

    let (before, begun) = (tests::peak_memory(std::process::id()), Instant::now());
    let (mut seed, mut refused) = (first, 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let question = seed % recording.len() as u64;
        mutate(&double, question, seed);
        let asked = Instant::now();
        if let Err(trouble) = ask(&config).await {
            let said = trouble.message.chars().count();
            ensure!(said <= 500, "seed {seed}: {said} characters");
            refused += 1;
        }
        ensure!(
            asked.elapsed() < PATIENCE,
            "seed {seed}: {:?}",
            asked.elapsed()
        );
        let more = tests::peak_memory(std::process::id()).saturating_sub(before);
        ensure!(more < MEMORY, "seed {seed}: {} MiB more", more >> 20);
        seed += 1;
    }
    println!("{} conversations, {refused} refused", seed - first);
    Ok(())
}

/// Everything that a sync asks.
async fn ask(config: &Value) -> Result<(), SourceError> {
    let stream = "public.accounts";
    let context = ConnectContext {
        config: config.clone(),
        egress: EgressPolicy::Any,
        secrets: Arc::new(HeldSecrets::default()),
    };
    let mut session = POSTGRES.connect(context).await?;
    session.discover(stream).await?;
    let batch = session.read(stream, None).await?;
    session.read(stream, Some(&batch.state)).await?;
    if let Some(lookup) = session.lookup() {
        let keys = [r#"["1"]"#, r#"["1000"]"#];
        lookup.list_existing(stream, &batch.state, &keys).await?;
        lookup.fetch(stream, &batch.state, &keys).await?;
    }
    session.close().await;
    Ok(())
}

/// Mutates the answer to the question with that number, on each connection.
fn mutate(double: &Double, question: u64, seed: u64) {
    let asked = AtomicU64::new(0);
    double.lie(move |_, answer| {
        let number = asked.fetch_add(1, Relaxed);
        // The rest of the conversation may follow, but whoever waits for more learns that it ends.
        if number != question {
            return Reply::GoOnFor(answer, PAUSE);
        }
        let mut random = Random(seed);
        let mut bytes = answer;
        for _ in 0..=random.below(3) {
            bytes = mutated(bytes, &mut random);
        }
        Reply::GoOnFor(bytes, PAUSE)
    });
}

fn mutated(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let (from, until) = random.range(bytes.len());
    match random.below(10) {
        0 => bytes[from] ^= 1 << random.below(8),
        1 => bytes[from] = random.byte(),
        2 => bytes.truncate(from),
        3 => drop(bytes.drain(from..until)),
        4 => {
            let part = bytes[from..until].repeat(1 + random.below(50));
            bytes.splice(from..from, part);
        }
        5 => {
            let part: Vec<u8> = (0..random.below(64)).map(|_| random.byte()).collect();
            bytes.splice(from..from, part);
        }
        // A count or a length.
        6 => {
            let number = random.number();
            for (place, byte) in bytes[from..].iter_mut().zip(number) {
                *place = byte;
            }
        }
        _ => return messages_mutated(&bytes, random),
    }
    bytes
}

/// Messages that are whole in themselves, but not those that were asked for.
fn messages_mutated(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut messages = frames(bytes);
    if messages.is_empty() {
        return bytes.to_vec();
    }
    let (from, until) = random.range(messages.len());
    match random.below(6) {
        0 => drop(messages.drain(from..until)),
        1 => messages.swap(from, until - 1),
        2 => messages[from].0 = *random.of(b"RSKTtDCZ12InENAGHWdcsv"),
        3 => {
            let length = random.below(1 + messages[from].1.len());
            messages[from].1.truncate(length);
        }
        4 => {
            let most = 3000.min((4 << 20) / (1 + messages[from].1.len()));
            let times = 1 + random.below(most);
            let part: Vec<Frame> = vec![messages[from].clone(); times];
            messages.splice(from..from, part);
        }
        // As long as it says it is, but longer than anybody wants it.
        _ => {
            let length = 1 << random.below(23);
            messages[from].1.resize(length, b'x');
        }
    }
    let sent = messages.iter().map(|(tag, body)| frame(*tag, body));
    sent.collect::<Vec<_>>().concat()
}

/// The same numbers for the same seed: xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        let mut it = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        it ^= it >> 30;
        it = it.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it ^= it >> 27;
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        it
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("64 bits fit");
        usize::try_from((self.next() >> 11) % end).expect("it is below a usize")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[1]
    }

    /// A part of so many things, with one of them at least.
    fn range(&mut self, of: usize) -> (usize, usize) {
        let from = self.below(of);
        (from, from + 1 + self.below((of - from).min(40)))
    }

    fn of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    /// Four bytes that somebody may trust.
    fn number(&mut self) -> [u8; 4] {
        let any = self.next().to_be_bytes();
        *self.of(&[
            [0; 4],
            [255; 4],
            [0, 0, 0, 3],
            [0, 0, 0, 4],
            [127, 255, 255, 255],
            [128, 0, 0, 0],
            [255, 255, 255, 254],
            [0, 255, 255, 255],
            [any[0], any[1], any[2], any[3]],
        ])
    }
}
