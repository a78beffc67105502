//! Secrets over a small Secrets Manager that counts and fails as it is told.

mod double;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::join_all;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::failure::Failure;
use super::live::RefreshingSecret;
use super::source::Source;
use super::{Credentials, Document, TTL};
use double::{Double, Reply};

const LATER: Duration = TTL.saturating_mul(2);

/// A document that can be told from others by its bytes.
fn document(byte: u8) -> Value {
    let key = BASE64_STANDARD.encode([byte; 32]);
    json!({
        "public_keys": [{ "kid": byte.to_string(), "n": "AQAB", "e": "AQAB" }],
        "keys": { "platform": key, "signing": key },
    })
}

fn version(byte: u8) -> Reply {
    Reply::Version(byte.to_string(), document(byte).to_string())
}

fn kid(document: &Document) -> &str {
    &document.public_keys[0].kid
}

fn live(double: &Double) -> RefreshingSecret<Document> {
    RefreshingSecret::new(Source::Manager(double.manager()), TTL)
}

fn bytes(document: &Document) -> Vec<u8> {
    let ring = document.keys.platform.iter();
    ring.map(|it| it.bytes()[0]).collect()
}

#[tokio::test]
async fn a_value_is_read_again_when_it_is_due() {
    let double = Double::start(version(1)).await;
    let (live, now) = (live(&double), Instant::now());
    let first = live.get_at(now).await.unwrap();
    // The current version and, as nothing was known, the one before.
    assert_eq!(double.asked(), 2);
    assert!(Arc::ptr_eq(
        &first,
        &live.get_at(now + TTL / 2).await.unwrap()
    ));
    assert_eq!(double.asked(), 2);

    let same = live.get_at(now + LATER).await.unwrap();
    assert!(
        Arc::ptr_eq(&first, &same),
        "the same version is the same value"
    );
    assert_eq!(double.asked(), 3);

    double.say("AWSCURRENT", version(2));
    let second = live.get_at(now + 2 * LATER).await.unwrap();
    assert_eq!((kid(&first), kid(&second)), ("1", "2"));
}

#[tokio::test]
async fn one_reads_for_all() {
    let double = Double::start(version(1)).await;
    let (live, now) = (live(&double), Instant::now());
    let answers = join_all((0..50).map(|_| live.get_at(now))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(double.asked(), 2);

    let double = Double::start(Reply::Error(400, "AccessDeniedException")).await;
    let live = self::live(&double);
    let answers = join_all((0..50).map(|_| live.get_at(now))).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(double.asked(), 2, "who waited shares the failure too");
}

#[tokio::test]
async fn a_failure_has_a_name_and_passes() {
    let is = |kind: Failure| move |it: &Failure| *it == kind;
    type Check = Box<dyn Fn(&Failure) -> bool>;
    let cases: Vec<(Reply, Check)> = vec![
        (
            Reply::Error(400, "ResourceNotFoundException"),
            Box::new(is(Failure::Missing)),
        ),
        (
            Reply::Error(400, "InvalidRequestException"),
            Box::new(is(Failure::Missing)),
        ),
        (
            Reply::Error(400, "AccessDeniedException"),
            Box::new(is(Failure::Denied)),
        ),
        (
            Reply::Error(400, "DecryptionFailure"),
            Box::new(is(Failure::Denied)),
        ),
        (
            Reply::Error(400, "ThrottlingException"),
            Box::new(is(Failure::Throttled)),
        ),
        (
            Reply::Error(500, "InternalServiceError"),
            Box::new(|it| matches!(it, Failure::Away(_))),
        ),
        (
            Reply::Raw("<html>".to_owned()),
            Box::new(|it| matches!(it, Failure::Away(_))),
        ),
        (Reply::Never, Box::new(|it| matches!(it, Failure::Away(_)))),
        (
            Reply::Raw("{}".to_owned()),
            Box::new(|it| matches!(it, Failure::Malformed(_))),
        ),
        (
            Reply::Version("9".to_owned(), "{".to_owned()),
            Box::new(|it| matches!(it, Failure::Malformed(_))),
        ),
        (
            Reply::Version("9".to_owned(), "{}".to_owned()),
            Box::new(|it| matches!(it, Failure::Malformed(_))),
        ),
    ];
    for (reply, is_right) in cases {
        let name = format!("{reply:?}");
        // Where nothing is known yet.
        let double = Double::start(reply.clone()).await;
        let (live, now) = (live(&double), Instant::now());
        let error = live.get_at(now).await.err().unwrap();
        assert_eq!(error.code(), "unavailable", "{name}");
        let failure = live.failure().unwrap();
        assert!(is_right(&failure), "{name}: {failure}");
        let asked = double.asked();
        assert!(live.get_at(now).await.is_err());
        assert_eq!(
            double.asked(),
            asked,
            "{name}: it waits before it asks again"
        );
        double.say("AWSCURRENT", version(1));
        assert_eq!(kid(&live.get_at(now + TTL).await.unwrap()), "1", "{name}");
        assert_eq!(live.failure(), None, "{name}");

        // Where something is, it serves.
        double.say("AWSCURRENT", reply);
        let later = now + TTL + LATER;
        assert_eq!(kid(&live.get_at(later).await.unwrap()), "1", "{name}");
        assert!(is_right(&live.failure().unwrap()), "{name}");
        let asked = double.asked();
        live.get_at(later).await.unwrap();
        assert_eq!(double.asked(), asked, "{name}");
        double.say("AWSCURRENT", version(2));
        assert_eq!(kid(&live.get_at(later + TTL).await.unwrap()), "2", "{name}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_repeated() {
    let torn = r#"{"VersionId":"9","SecretString":"hush-hush"#.to_owned();
    let double = Double::start(Reply::Raw(torn)).await;
    let live = live(&double);
    assert!(live.get_at(Instant::now()).await.is_err());
    let failure = live.failure().unwrap();
    let said = format!("{failure} {failure:?}");
    assert!(matches!(failure, Failure::Away(_)), "{said}");
    // Neither as text nor as the numbers of its bytes.
    assert!(
        !said.contains("hush") && !said.contains("104, 117"),
        "{said}"
    );
}

#[tokio::test]
async fn a_newer_value_is_asked_for_every_few_seconds_at_most() {
    let double = Double::start(version(1)).await;
    let (live, now) = (live(&double), Instant::now());
    let first = live.get_at(now).await.unwrap();
    double.say("AWSCURRENT", version(2));
    let asked = double.asked();
    let all = join_all((0..20).map(|_| live.newer_than_at(&first, now))).await;
    assert!(all.iter().all(|it| kid(it.as_ref().unwrap()) == "2"));
    // The new version, and the one before it.
    assert_eq!(double.asked(), asked + 2);

    let second = live.known().unwrap();
    for seconds in 0..60 {
        let now = now + Duration::from_secs(seconds);
        assert!(live.newer_than_at(&second, now).await.is_none());
    }
    assert_eq!(double.asked(), asked + 2 + 11);
}

#[tokio::test]
async fn a_password_may_be_in_force_before_its_version_is() {
    let version = |password: &str| {
        let text = json!({ "username": "app", "password": password });
        Reply::Version(password.to_owned(), text.to_string())
    };
    let torn = Reply::Version("torn".to_owned(), "{".to_owned());
    let double = Double::start(version("old")).await;
    let live: RefreshingSecret<Credentials> =
        RefreshingSecret::new(Source::Manager(double.manager()), TTL);
    let mut now = Instant::now();
    let mut seen = live.get_at(now).await.unwrap();
    // What AWSPENDING and AWSCURRENT are, the value that is newer, and how often it asks.
    for (pending, current, newer, asked) in [
        (None, "old", None, 2),
        (Some(torn), "old", None, 2),
        (Some(version("old")), "old", None, 2),
        (Some(version("new")), "old", Some("new"), 2),
        // It did not do either.
        (Some(version("new")), "old", Some("old"), 1),
        (Some(version("new")), "old", Some("new"), 2),
        // The rotation is over.
        (Some(version("new")), "new", None, 2),
        (Some(version("new")), "newest", Some("newest"), 1),
    ] {
        let case = format!("{pending:?} {current}");
        pending
            .into_iter()
            .for_each(|it| double.say("AWSPENDING", it));
        double.say("AWSCURRENT", version(current));
        let before = double.asked();
        now += Duration::from_secs(5);
        let all = join_all((0..20).map(|_| live.newer_than_at(&seen, now))).await;
        let found = live.known().unwrap();
        for it in all {
            let it = it.as_ref().map(|it| it.password.expose_secret());
            assert_eq!(it, newer, "{case}");
        }
        assert_eq!(double.asked() - before, asked, "{case}");
        seen = found;
    }

    // A document that is pending has keys that nobody may trust yet.
    let double = Double::start(self::version(1)).await;
    double.say("AWSPENDING", self::version(2));
    let live = self::live(&double);
    let first = live.get_at(now).await.unwrap();
    assert!(live.newer_than_at(&first, now).await.is_none());
}

#[tokio::test]
async fn what_the_version_before_sealed_opens() {
    let double = Double::start(version(2)).await;
    double.say("AWSPREVIOUS", version(1));
    let (live, now) = (live(&double), Instant::now());
    let value = live.get_at(now).await.unwrap();
    assert_eq!(bytes(&value), [2, 1]);
    assert_eq!(
        value.public_keys.len(),
        1,
        "a public key counts while it is listed"
    );

    let mut third = document(3);
    let pair = |byte| document(byte)["keys"].clone();
    third["keys"]["previous"] = json!([pair(2), pair(1), pair(3)]);
    double.say(
        "AWSCURRENT",
        Reply::Version("3".to_owned(), third.to_string()),
    );
    double.say("AWSPREVIOUS", version(4));
    let value = live.get_at(now + LATER).await.unwrap();
    assert_eq!(bytes(&value), [3, 2, 1, 4]);
}

#[tokio::test]
async fn the_extension_is_asked_first_and_need_not_be_there() {
    let double = Double::start(version(1)).await;
    double.say("AWSPREVIOUS", version(0));
    let now = Instant::now();
    for (there, ways) in [(true, "extension"), (false, "api")] {
        double.extension(there);
        let live: RefreshingSecret<Document> =
            RefreshingSecret::new(Source::Manager(double.through_extension()), TTL);
        let value = live.get_at(now).await.unwrap();
        assert_eq!(kid(&value), "1");
        assert!(double.ways().iter().all(|it| *it == ways), "{ways}");
    }
    // What it keeps is as old as what is known: newer is asked of the API itself.
    double.extension(true);
    let live: RefreshingSecret<Document> =
        RefreshingSecret::new(Source::Manager(double.through_extension()), TTL);
    let value = live.get_at(now).await.unwrap();
    double.ways();
    live.newer_than_at(&value, now + LATER).await;
    assert_eq!(double.ways(), ["api"]);
}

#[test]
fn a_wrong_document_says_where_and_never_what() {
    let check = |change: fn(&mut Value), expected: &str| {
        let mut wrong = document(1);
        change(&mut wrong);
        let text = wrong.to_string().into();
        let id = String::new();
        let failure = super::live::parse::<Document>(&super::source::Version { id, text });
        let text = failure.err().unwrap().to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    };
    check(|it| *it = json!({}), "missing field `public_keys`");
    check(|it| *it = json!("hunter2"), "of another kind");
    check(|it| it["public_keys"] = json!([]), "public_keys has no key");
    check(|it| it["public_keys"] = json!("hunter2"), "`public_keys`");
    check(
        |it| it["public_keys"][0]["n"] = json!("hunter2!"),
        "not base64url",
    );
    check(|it| it["keys"]["platform"] = json!("hunter2"), "not base64");
    check(
        |it| it["keys"]["signing"] = json!("aHVudGVyMg=="),
        "32 bytes",
    );
    let signing = |it: &mut Value| {
        it["signing_key"] = json!({ "kid": "1", "private_pem": "hunter2" });
    };
    check(signing, "no RSA key in PEM");
    check(
        |it| it["database"] = json!({ "password": ["hunter2"] }),
        "`database",
    );
}

#[test]
fn a_document_may_be_newer_than_its_reader() {
    let mut newer = document(1);
    newer["what_is_to_come"] = json!(true);
    newer["database"] = json!({ "engine": "postgres", "username": "u", "password": "p" });
    let document: Document = serde_json::from_value(newer).unwrap();
    assert_eq!(document.database.unwrap().username, "u");
}

#[tokio::test]
async fn credentials_are_those_of_rds() {
    let text = json!({
        "engine": "postgres", "host": "db.example", "port": 5433, "username": "app",
        "password": "p", "dbname": "autonomos", "dbClusterIdentifier": "x",
    });
    let double = Double::start(Reply::Version("1".to_owned(), text.to_string())).await;
    let live: RefreshingSecret<Credentials> =
        RefreshingSecret::new(Source::Manager(double.manager()), TTL);
    let credentials = live.get().await.unwrap();
    assert_eq!(double.asked(), 1, "nobody looks at the version before");
    assert_eq!(credentials.password.expose_secret(), "p");
    let place = credentials.sign_in(credentials.place().unwrap());
    assert_eq!(
        (
            place.get_host(),
            place.get_port(),
            place.get_username(),
            place.get_database()
        ),
        ("db.example", 5433, "app", Some("autonomos"))
    );
}
