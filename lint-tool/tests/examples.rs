//! The example configurations, on workspaces of their shape: no selector is empty, and each fires.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod harness;

use std::path::Path;

use harness::{run, write};

fn check(example: &str, clean: &str, violation: &str, code: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(example);
    let config = std::fs::read_to_string(file).unwrap();
    let fixture = format!("//- structure-lint.toml\n{config}{clean}");
    let root = write(example, &fixture);
    assert_eq!(run(&root, &["--format", "short"]), (0, String::new()));
    let (exit, text) = run(
        &write(example, &format!("{fixture}{violation}")),
        &["--format", "short"],
    );
    assert_eq!(exit, 1);
    assert!(text.contains(code), "{text}");
}

#[test]
fn a_domain_knows_no_adapter() {
    check(
        "hexagonal.toml",
        "//- domain/src/lib.rs\npub struct Order;\n//- ports/src/lib.rs uses domain\npub use domain::Order;\n\
         //- adapters/mail/src/lib.rs uses ports\npub use ports::Order;\n//- adapters/web/src/lib.rs\n\
         //- app/src/main.rs uses mail, tokio\nfn main() { let _: mail::Order; }\n",
        "//- domain/src/lib.rs\nuse mail::Order;\n//- domain/Cargo.toml\n[package]\nname = \"domain\"\nedition = \"2024\"\n\
         [dependencies]\nmail = { path = \"../adapters/mail\" }\n",
        "SL010",
    );
}

#[test]
fn a_store_knows_no_service() {
    let modules = "//- src/lib.rs uses sqlx, axum\nmod model;\nmod store;\nmod service;\nmod http;\n//- src/model.rs\n//- src/store.rs\n\
        //- src/service.rs\nuse crate::store::X;\n//- src/http.rs\n";
    let violation = "//- src/store.rs\nuse crate::service::Y;\n";
    check("layered.toml", modules, violation, "SL010");
}

#[test]
fn a_service_knows_no_service() {
    check(
        "deployables.toml",
        "//- kernel/src/lib.rs\n//- shared/log/src/lib.rs\n//- services/a/src/lib.rs uses log\nuse log::x;\n//- services/b/src/lib.rs\n",
        "//- services/b/src/lib.rs uses a\nuse a::y;\n",
        "SL011",
    );
}
