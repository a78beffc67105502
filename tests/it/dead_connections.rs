//! Connections of a function that may have been frozen: a socket that died meanwhile does not say
//! so, and to ask costs a round trip.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use platform::db;
use tests::app::{Setup, TestApp};
use tests::postgres::{TestDatabase, database};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// A way to the database that can go silent: what is open stays open, and carries nothing more.
struct Relay {
    options: db::ConnectOptions,
    frozen: watch::Sender<u32>,
    /// How often a connection was asked whether it is there, and nothing else.
    questions: Arc<AtomicUsize>,
}

impl Relay {
    async fn to(database: &TestDatabase) -> Relay {
        let near = database.login();
        let folder = near.get_socket().expect("the harness uses a socket");
        let socket = folder.join(format!(".s.PGSQL.{}", near.get_port()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (frozen, questions) = (watch::Sender::new(0), Arc::new(AtomicUsize::new(0)));
        let (sender, counter) = (frozen.clone(), questions.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (socket, mut frozen) = (socket.clone(), sender.subscribe());
                let counter = counter.clone();
                tokio::spawn(async move {
                    let far = UnixStream::connect(socket).await.unwrap();
                    tokio::select! {
                        _ = carry(near, far, &counter) => {}
                        _ = frozen.changed() => std::future::pending().await,
                    }
                });
            }
        });
        let options = db::ConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port)
            .username("postgres")
            .database(near.get_database().unwrap())
            .ssl_mode(sqlx::postgres::PgSslMode::Disable);
        Relay {
            options,
            frozen,
            questions,
        }
    }
}

async fn carry(near: TcpStream, far: UnixStream, questions: &AtomicUsize) -> io::Result<()> {
    const SYNC: &[u8] = b"S\0\0\0\x04";
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    let there = async {
        let mut bytes = vec![0; 1 << 16];
        loop {
            let count = near_in.read(&mut bytes).await?;
            if count == 0 {
                return far_out.shutdown().await;
            }
            questions.fetch_add(usize::from(&bytes[..count] == SYNC), Ordering::SeqCst);
            far_out.write_all(&bytes[..count]).await?;
        }
    };
    tokio::try_join!(there, tokio::io::copy(&mut far_in, &mut near_out))?;
    Ok(())
}

#[tokio::test]
async fn dead_sockets_cost_a_moment_and_fail_nothing() {
    let database = database().await;
    let way = Relay::to(&database).await;
    let pool = db::Pool::new(way.options.into(), 2);
    for _ in 0..2 {
        let both = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        drop(both);
        pool.settle().await;
        assert_eq!(pool.inner().num_idle(), 2);
        way.frozen.send_modify(|it| *it += 1);
        let start = Instant::now();
        let one: i32 = sqlx::query_scalar("select 1")
            .fetch_one(pool.inner())
            .await
            .unwrap();
        assert_eq!(one, 1);
        // Two of them, each for a second.
        assert!(
            start.elapsed() < Duration::from_secs(8),
            "{:?}",
            start.elapsed()
        );
    }
}

#[tokio::test]
async fn a_request_asks_its_connection_once() {
    let database = database().await;
    let way = Relay::to(&database).await;
    let setup = Setup {
        connections: 1,
        ..Setup::default()
    };
    let app = TestApp::over(database, way.options, setup).await;
    let ann = app.register("Ann Ltd").await;
    for _ in 0..2 {
        app.platform.db.settle().await;
        way.questions.store(0, Ordering::SeqCst);
        let page = app.get("/api/v1/dcl/views/accounts", &ann).await;
        assert_eq!(page.status, StatusCode::OK, "{page}");
        app.platform.db.settle().await;
        // Before the sign-in is looked up, and when that gives the connection back.
        assert_eq!(way.questions.load(Ordering::SeqCst), 2);
    }
}
