//! A function that was frozen: its sockets are dead, and none of them says so.

use std::time::{Duration, Instant};

use platform::db;
use tests::postgres::database;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;

/// A way to the database that goes silent: what is open stays open, and carries nothing more.
struct Way {
    port: u16,
    frozen: watch::Sender<u32>,
}

impl Way {
    async fn to(options: &db::ConnectOptions) -> Way {
        let folder = options.get_socket().expect("the harness uses a socket");
        let socket = folder.join(format!(".s.PGSQL.{}", options.get_port()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let frozen = watch::Sender::new(0);
        let sender = frozen.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (socket, mut frozen) = (socket.clone(), sender.subscribe());
                tokio::spawn(async move {
                    let mut far = UnixStream::connect(socket).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = frozen.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Way { port, frozen }
    }
}

#[tokio::test]
async fn dead_sockets_cost_a_moment_and_fail_nothing() {
    let database = database().await;
    let way = Way::to(&database.options()).await;
    let options = db::ConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(way.port)
        .username("postgres")
        .database(database.options().get_database().unwrap())
        .ssl_mode(sqlx::postgres::PgSslMode::Disable);
    let pool = db::Pool::new(options.into(), 2);
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
