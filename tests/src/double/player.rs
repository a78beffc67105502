//! What happens on one connection to a double.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::frames::{frame, frames, head};
use super::{NO_PANIC, Parts, Recording};

/// What a question is answered with.
pub enum Reply {
    /// These bytes, and the next question is awaited.
    GoOn(Vec<u8>),
    /// These bytes, and the end of the connection where the next question does not come in time.
    GoOnFor(Vec<u8>, Duration),
    /// These bytes, and nothing any more.
    Silence(Vec<u8>),
    /// These bytes, and the end of the connection.
    End(Vec<u8>),
    /// These bytes, one after the other, with so much time between them.
    Trickle(Vec<u8>, Duration),
    /// These bytes for 0, 1, 2 and so on.
    Endless(Box<dyn FnMut(u32) -> Vec<u8> + Send>),
}

/// Who knows the honest answers.
pub(super) enum Truth {
    /// A server behind this socket.
    Live(PathBuf),
    /// Several connections to it, each of which has a transaction in its turn, as poolers do it.
    Pooled(PathBuf),
    /// What was heard before.
    Recorded(Recording),
}

const OWNER: &[u8] = b"user\0postgres";
/// An SSLRequest's number in the place of the protocol's version.
const SSL: [u8; 4] = [4, 210, 22, 47];

pub(super) async fn play(mut client: TcpStream, parts: &Arc<Parts>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let (mut servers, mut turn) = (Vec::new(), 0);
    if let Truth::Live(socket) = &parts.truth {
        servers.push(UnixStream::connect(socket).await?);
    }
    loop {
        let (question, asked) = hear(&mut client).await?;
        let count = servers.len();
        let answer = match (&parts.truth, question.as_str()) {
            (_, "ssl") => b"N".to_vec(),
            (Truth::Pooled(socket), "startup") => {
                for _ in 0..2 {
                    servers.push(UnixStream::connect(socket).await?);
                }
                welcome(&mut servers, &asked).await?
            }
            (Truth::Live(_) | Truth::Pooled(_), _) => {
                let server = &mut servers[turn % count];
                server.write_all(&asked).await?;
                let answer = answer(server).await?;
                // Ready, and in no transaction.
                turn += usize::from(answer.ends_with(b"Z\0\0\0\x05I"));
                answer
            }
            (Truth::Recorded(_), _) => parts.truth.recall(&question),
        };
        if !servers.is_empty() {
            let heard = (question.clone(), answer.clone());
            parts.heard.lock().expect(NO_PANIC).push(heard);
        }
        let lie = Arc::clone(&parts.lie.lock().expect(NO_PANIC));
        if tell(&mut client, lie(&question, answer)).await? == Next::Nothing {
            return Ok(());
        }
    }
}

/// Whether another question is heard.
#[derive(PartialEq)]
enum Next {
    Question,
    Nothing,
}

async fn tell(client: &mut TcpStream, reply: Reply) -> io::Result<Next> {
    match reply {
        Reply::GoOn(bytes) => client.write_all(&bytes).await?,
        Reply::GoOnFor(bytes, time) => {
            client.write_all(&bytes).await?;
            let mut next = [0];
            let next = tokio::time::timeout(time, client.peek(&mut next)).await;
            if next.is_err() {
                client.shutdown().await?;
                return Ok(Next::Nothing);
            }
        }
        Reply::Silence(bytes) => {
            client.write_all(&bytes).await?;
            // Until the client hangs up.
            let mut ignored = Vec::new();
            client.read_to_end(&mut ignored).await?;
            return Ok(Next::Nothing);
        }
        Reply::End(bytes) => {
            client.write_all(&bytes).await?;
            client.shutdown().await?;
            return Ok(Next::Nothing);
        }
        Reply::Trickle(bytes, pause) => {
            for byte in bytes {
                client.write_all(&[byte]).await?;
                tokio::time::sleep(pause).await;
            }
        }
        Reply::Endless(mut next) => {
            for number in 0.. {
                client.write_all(&next(number)).await?;
            }
        }
    }
    Ok(Next::Question)
}

/// The next question, in a word and in its bytes.
async fn hear(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let (mut question, mut asked) = (String::new(), Vec::new());
    loop {
        let message = message(client).await?;
        let text = |skipped: usize| {
            let text = message[5 + skipped..].split(|it| *it == 0).next();
            String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
        };
        let over = match message[0] {
            // Only the first message has no type.
            0 => {
                let ssl = message.get(4..8) == Some(&SSL);
                question = if ssl { "ssl" } else { "startup" }.to_owned();
                true
            }
            b'p' => {
                question = "password".to_owned();
                true
            }
            b'Q' => {
                question = text(0);
                true
            }
            // An unnamed statement has an empty name before its text.
            b'P' => {
                question = text(1);
                false
            }
            b'S' => true,
            b'X' => return Err(io::ErrorKind::ConnectionAborted.into()),
            _ => false,
        };
        asked.extend(&message);
        if over {
            return Ok((question, asked));
        }
    }
}

/// The next message, with its type and length.
async fn message(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 5];
    stream.read_exact(&mut message).await?;
    let mut length = head(&message).map_or(0, |it| it.1) + 1;
    if message[0] == 0 {
        // No type, so the length is one byte to the left.
        length = usize::from(message[3]) + 256 * usize::from(message[2]);
    }
    message.resize(length.max(5), 0);
    stream.read_exact(&mut message[5..]).await?;
    Ok(message)
}

/// What a server answers until it waits for the client again.
async fn answer(server: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    loop {
        let message = match message(server).await {
            // Who is not let in is hung up on.
            Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => return Ok(answer),
            message => message?,
        };
        answer.extend(&message);
        let asks = message[0] == b'R' && matches!(message[8], 3 | 5 | 10 | 11);
        if asks || message[0] == b'Z' {
            return Ok(answer);
        }
    }
}

/// Signs in everywhere as who owns the databases, whom the server trusts.
async fn welcome(servers: &mut [UnixStream], startup: &[u8]) -> io::Result<Vec<u8>> {
    let mut words = startup[8..].split(|it| *it == 0);
    words.find(|it| it == b"database");
    let database = words.next().unwrap_or_default();
    let words = [OWNER, b"\0database\0", database, b"\0\0"].concat();
    let length = u32::try_from(words.len() + 8).expect("names are short");
    let startup = [&length.to_be_bytes()[..], &[0, 3, 0, 0], &words].concat();
    let mut last = Vec::new();
    for server in servers {
        server.write_all(&startup).await?;
        last = answer(server).await?;
    }
    Ok(last)
}

impl Truth {
    fn recall(&self, question: &str) -> Vec<u8> {
        let Truth::Recorded(recording) = self else {
            return Vec::new();
        };
        let done = [frame(b'C', b"ROLLBACK\0"), frame(b'Z', b"I")].concat();
        // The last answer to a password is the one that lets in; nobody has to prove anything here.
        let of = if question == "startup" {
            "password"
        } else {
            question
        };
        let mut answers = recording.0.iter().rev().filter(|it| it.0 == of);
        match answers.next() {
            Some((_, answer)) if of == "password" => {
                let rest = frames(answer).into_iter().filter(|it| it.0 != b'R');
                let rest = rest.flat_map(|(tag, body)| frame(tag, &body));
                frame(b'R', &[0; 4]).into_iter().chain(rest).collect()
            }
            Some((_, answer)) => answer.clone(),
            None => done,
        }
    }
}
