//! Real servers in folders of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::{Connection, PgConnection, Row};

use super::*;

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(uuid::Uuid::now_v7().to_string());
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn start(data: &Path) -> anyhow::Result<Server> {
    start_as(Profile::Disposable, data)
}

fn start_as(profile: Profile, data: &Path) -> anyhow::Result<Server> {
    let pg_bin = std::env::var_os("PG_BIN").map(PathBuf::from);
    let dev = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev");
    let binaries = Binaries::find(pg_bin.as_deref(), &dev, &mut |it| eprintln!("{it}"))?;
    Server::start(&binaries, data, profile)
}

/// Counts its own calls, in a table.
async fn visit(server: &Server) -> i64 {
    let mut conn = PgConnection::connect(&server.url().unwrap()).await.unwrap();
    sqlx::raw_sql("create table if not exists visits (); insert into visits default values")
        .execute(&mut conn)
        .await
        .unwrap();
    let row = sqlx::query("select count(*) from visits")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
    row.get(0)
}

fn kill(pid: u32) {
    assert!(
        Command::new("sh")
            .args(["-c", &format!("kill -9 {pid}")])
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn a_second_start_finds_the_data_of_the_first() {
    let folder = Folder::new();
    let server = start(&folder.data()).unwrap();
    assert_eq!(visit(&server).await, 1);
    server.stop().unwrap();
    assert!(!accepts(&folder.data()));

    let server = start(&folder.data()).unwrap();
    assert_eq!(visit(&server).await, 2);
    assert!(
        PgConnection::connect_with(&server.options().unwrap())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_killed_server_has_lost_nothing() {
    let folder = Folder::new();
    let mut server = start_as(Profile::Lasting, &folder.data()).unwrap();
    assert_eq!(visit(&server).await, 1);
    assert!(server.is_running());
    kill(server.id());
    let error = format!("{:#}", server.stop().unwrap_err());
    assert!(error.contains("signal: 9"), "{error}");

    assert_eq!(
        visit(&start_as(Profile::Lasting, &folder.data()).unwrap()).await,
        2
    );
}

#[tokio::test]
async fn a_killed_starter_takes_its_server_along() {
    const STARTS: &str = "THIS_TEST_STARTS";
    if let Some(data) = std::env::var_os(STARTS) {
        let _server = start_as(Profile::Lasting, Path::new(&data)).unwrap();
        std::future::pending().await
    }
    let folder = Folder::new();
    let mut starter = Command::new(std::env::current_exe().unwrap())
        .arg("postgres::tests::a_killed_starter_takes_its_server_along")
        .env(STARTS, folder.data())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !accepts(&folder.data()) {
        assert_eq!(starter.try_wait().unwrap(), None);
        std::thread::yield_now();
    }
    let pid = data::postmaster(&folder.data()).unwrap();
    starter.kill().unwrap();
    starter.wait().unwrap();

    assert_eq!(visit(&start(&folder.data()).unwrap()).await, 1);
    assert!(!Path::new(&format!("/proc/{pid}/cwd")).exists());
}

#[tokio::test]
async fn a_server_that_lost_its_starter_is_ended_first() {
    let folder = Folder::new();
    let server = start(&folder.data()).unwrap();
    assert_eq!(visit(&server).await, 1);
    let (mut survivor, data) = server.abandon();

    let server = start(&data).unwrap();
    assert!(survivor.ended().unwrap().is_some());
    assert_eq!(visit(&server).await, 2);
}

#[tokio::test]
async fn a_mark_that_names_another_program_is_no_server() {
    let folder = Folder::new();
    start(&folder.data()).unwrap().stop().unwrap();
    for mark in ["postmaster.pid", ".s.PGSQL.5432.lock"] {
        let marks = format!("{}\n{}\n", std::process::id(), folder.data().display());
        fs::write(folder.data().join(mark), marks).unwrap();
    }

    assert_eq!(visit(&start(&folder.data()).unwrap()).await, 1);
}

#[test]
fn two_servers_on_one_folder_are_refused() {
    let folder = Folder::new();
    let _server = start(&folder.data()).unwrap();
    assert_eq!(
        start(&folder.data()).unwrap_err().to_string(),
        format!(
            "the database in {} is in use by process {}: stop that one first",
            folder.data().display(),
            std::process::id()
        )
    );
}

#[test]
fn an_interrupted_initdb_is_begun_anew() {
    let folder = Folder::new();
    let unfinished = folder.0.join("data.new");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "18\n").unwrap();

    let server = start(&folder.data()).unwrap();
    assert!(!unfinished.exists());
    server.stop().unwrap();
}

#[test]
fn data_of_another_version_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).unwrap();
    fs::write(folder.data().join("PG_VERSION"), "9\n").unwrap();

    let error = start_as(Profile::Lasting, &folder.data())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("was made by PostgreSQL 9, and this is "),
        "{error}"
    );
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let folder = Folder::new();
    start(&folder.data()).unwrap().stop().unwrap();
    fs::write(
        folder.data().join("postgresql.conf"),
        "no_such_setting = 1\n",
    )
    .unwrap();

    let error = start_as(Profile::Lasting, &folder.data())
        .unwrap_err()
        .to_string();
    assert!(error.contains("no_such_setting"), "{error}");
}

#[test]
fn disposable_data_that_cannot_be_used_is_made_anew() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).unwrap();
    fs::write(folder.data().join("PG_VERSION"), "9\n").unwrap();

    start(&folder.data()).unwrap().stop().unwrap();
}

#[tokio::test]
async fn a_folder_too_deep_for_a_socket_is_reached_by_a_link() {
    let folder = Folder::new();
    let data = folder.0.join("deep ".repeat(20)).join("data");
    let server = start(&data).unwrap();
    assert_eq!(visit(&server).await, 1);
    let link = data::address(&data.canonicalize().unwrap()).unwrap();
    assert!(link.is_symlink());
    fs::remove_file(link).unwrap();
}
