//! Clients that take their time.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use local::gateway::{Patience, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is answered to a client that sends a part, and then nothing until it is hung up on.
async fn answer_to(sent: &str, patience: Patience) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = Router::new().route("/", post(async |body: Bytes| body));
    let server = tokio::spawn(serve(listener, echo, patience, pending()));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    server.abort();
    answer
}

#[tokio::test]
async fn who_does_not_send_on_is_hung_up_on() {
    let (short, long) = (Duration::from_millis(50), Duration::from_secs(600));
    let heads = Patience {
        head: short,
        body: long,
    };
    let whole = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi";
    for sent in ["", "POST / HT", "POST / HTTP/1.1\r\nhost: a\r\n"] {
        let answer = answer_to(sent, heads).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    // And who asks nothing more.
    let answer = answer_to(whole, heads).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("hi"), "{answer}");

    let bodies = Patience {
        head: long,
        body: short,
    };
    let answer = answer_to(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhi",
        bodies,
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}
