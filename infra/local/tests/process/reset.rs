//! What a reset erases, and what is lost with keys that are gone.

use std::fs;

use crate::installation::{Client, Foreign, Installation, complaint};

#[tokio::test]
async fn a_second_start_finds_the_same_data_and_reset_erases_it() {
    let place = Installation::new();
    let mut process = place.start();
    let connection = Client::sign_in(&process.base).await.connect().await;
    let said = complaint(place.run(&["reset", "--yes"]));
    assert!(said.contains("in use by process"), "{said}");
    assert!(process.signal("INT").success());

    let mut process = place.start();
    let path = format!("/api/v1/aam/connections/{connection}");
    let found = Client::sign_in(&process.base).await.get(&path).await;
    assert_eq!(found["name"], "Files");
    assert!(process.signal("TERM").success());

    assert!(place.run(&["reset", "--yes"]).status.success());
    let process = place.start();
    let list = Client::sign_in(&process.base)
        .await
        .get("/api/v1/aam/connections")
        .await;
    assert_eq!(list["total"], 0, "{list}");
}

#[tokio::test]
async fn a_reset_asks_and_erases_nothing_without_an_answer() {
    let place = Installation::new();
    assert!(place.start().signal("INT").success());
    for typed in ["", "no\n", "y\n"] {
        let output = place.run_and_type(&["reset"], typed);
        let asked = String::from_utf8(output.stdout.clone()).unwrap();
        for path in ["postgres/data", "secrets.json"] {
            let path = place.dev.join(path);
            assert!(asked.contains(path.to_str().unwrap()), "{asked}");
            assert!(path.exists(), "{typed:?} erased {}", path.display());
        }
        let said = complaint(output);
        assert!(said.contains("nothing was erased: answer `yes`"), "{said}");
    }
    let output = place.run_and_type(&["reset"], "yes\n");
    assert!(output.status.success());
    assert!(!place.dev.join("postgres/data").exists());
    assert!(!place.dev.join("secrets.json").exists());
    let again = place.run(&["reset"]);
    let said = String::from_utf8(again.stdout).unwrap();
    assert!(said.contains("nothing to erase"), "{said}");
}

#[tokio::test]
async fn a_reset_leaves_the_keys_of_a_database_that_it_does_not_erase() {
    let (place, foreign) = (Installation::new(), Foreign::start());
    let url = foreign.url();
    let variables = [("DATABASE_URL", url.as_str())];
    let mut process = place.start_with(&variables);
    Client::sign_in(&process.base).await.connect().await;
    assert!(process.signal("INT").success());
    assert!(place.start().signal("INT").success());

    // Whether or not it is named now.
    for variables in [&variables[..], &[]] {
        let mut command = place.command();
        command
            .args(["reset", "--yes"])
            .envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("the keys"), "{said}");
        assert!(!place.dev.join("postgres/data").exists());
    }
    let process = place.start_with(&variables);
    let client = Client::sign_in(&process.base).await;
    let list = client.get("/api/v1/aam/connections").await;
    assert_eq!(list["total"], 1, "{list}");
    assert_eq!(client.change().await, 201, "the keys are others");
}

#[tokio::test]
async fn lost_keys_are_said_at_the_start() {
    let (place, foreign) = (Installation::new(), Foreign::start());
    let url = foreign.url();
    for variables in [&[("DATABASE_URL", url.as_str())][..], &[]] {
        assert!(place.start_with(variables).signal("INT").success());
        let kept = fs::read(place.dev.join("secrets.json")).unwrap();
        fs::remove_file(place.dev.join("secrets.json")).unwrap();
        for _ in 0..2 {
            let mut command = place.command();
            command.arg("demo").envs(variables.iter().copied());
            let output = command.output();
            let said = complaint(output.unwrap());
            assert!(
                said.contains("secrets.json are not those that this database was written with"),
                "{said}"
            );
            assert!(said.contains("put the lost file back"), "{said}");
        }
        fs::write(place.dev.join("secrets.json"), kept).unwrap();
        let mut process = place.start_with(variables);
        let changed = Client::sign_in(&process.base).await.change().await;
        assert_eq!(changed, 201);
        assert!(process.signal("INT").success());
    }
}
