//! "Where a new thing goes" in README.md is true: each path leads to files that exist, and each
//! registry is a constant of the code.

use std::fs;
use std::path::Path;

use tests::fixtures::sources::{self, ROOT, rust_files};

/// A pattern of paths: `<name>` and `*` are any text without a slash, `NNNN` a number.
struct Pattern<'a>(Vec<&'a str>);

impl Pattern<'_> {
    fn of(text: &str) -> Pattern<'_> {
        let mut parts = vec![];
        let mut rest = text;
        while let Some(at) = rest.find(['<', '*', 'N']) {
            let wild = match rest[at..].chars().next() {
                Some('<') => rest[at..].find('>').unwrap() + 1,
                Some('N') => "NNNN".len(),
                _ => 1,
            };
            parts.push(&rest[..at]);
            rest = &rest[at + wild..];
        }
        parts.push(rest);
        Pattern(parts)
    }

    fn is_of(&self, path: &str) -> bool {
        let (first, others) = self.0.split_first().unwrap();
        let Some(mut rest) = path.strip_prefix(first) else {
            return false;
        };
        for (index, part) in others.iter().enumerate() {
            let is_last = index + 1 == others.len();
            let at = match (is_last, part.is_empty()) {
                (true, true) => Some(rest.len()),
                (true, false) => rest.ends_with(part).then(|| rest.len() - part.len()),
                (false, _) => rest.find(part),
            };
            match at {
                Some(at) if at > 0 && !rest[..at].contains('/') => rest = &rest[at + part.len()..],
                _ => return false,
            }
        }
        rest.is_empty()
    }
}

#[test]
fn where_a_new_thing_goes_is_true() {
    let root = Path::new(ROOT);
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let files = files(root);
    let code = code(root);
    let rows = rows(&readme);
    assert!(rows.len() > 10, "{rows:?}");
    let mut wrong = Vec::new();
    for row in rows {
        let mut names = 0;
        for word in row.split('`').skip(1).step_by(2) {
            if is_path(word) {
                names += 1;
                let pattern = Pattern::of(word);
                if !files.iter().any(|it| pattern.is_of(it)) {
                    wrong.push(format!("`{word}` is no file: {row}"));
                }
            } else if is_constant(word) {
                names += 1;
                if !code.contains(&format!("const {word}: ")) {
                    wrong.push(format!("`{word}` is no constant: {row}"));
                }
            }
        }
        if names == 0 {
            wrong.push(format!("names no file: {row}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_pattern_is_of_the_paths_that_it_describes() {
    let is = |pattern, path| Pattern::of(pattern).is_of(path);
    assert!(is("a/<name>.rs", "a/b.rs"));
    assert!(!is("a/<name>.rs", "a/b/c.rs"));
    assert!(!is("a/<name>.rs", "a/.rs"));
    assert!(is("a/<crate>/db/<table>.rs", "a/b/db/c.rs"));
    assert!(!is("a/<crate>/db/<table>.rs", "a/b/c.rs"));
    assert!(is("m/NNNN_*.sql", "m/0001_tables.sql"));
    assert!(!is("m/NNNN_*.sql", "m/0001_tables.md"));
    assert!(is("a/b.rs", "a/b.rs"));
    assert!(!is("a/b.rs", "a/b.rs.bak"));
}

/// The rows of the table, without its head.
fn rows(readme: &str) -> Vec<&str> {
    let (_, section) = readme.split_once("## Where a new thing goes\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|it| it.starts_with('|'));
    rows.skip(2).collect()
}

/// Whether a word in backticks is a path from the root.
fn is_path(word: &str) -> bool {
    let roots = [
        "functions/",
        "infra/",
        "lint-tool/",
        "migrations/",
        ".sqlx/",
        "shared/",
        "tests/",
    ];
    roots.iter().any(|it| word.starts_with(it)) || ["CHANGELOG.md", "Cargo.toml"].contains(&word)
}

fn is_constant(word: &str) -> bool {
    word.len() > 1 && word.chars().all(|it| it.is_ascii_uppercase() || it == '_')
}

/// The files of this repository that a path may lead to, from the root.
fn files(root: &Path) -> Vec<String> {
    let folders = [
        "functions",
        "infra",
        "lint-tool",
        "migrations",
        "shared",
        "tests",
        ".sqlx",
    ];
    let files = folders.iter().flat_map(|it| sources::files(&root.join(it)));
    let files = files.map(|it| it.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
    let root = ["CHANGELOG.md", "Cargo.toml"].map(str::to_owned);
    files.chain(root).collect()
}

/// All code of this repository, one text.
fn code(root: &Path) -> String {
    ["functions", "lint-tool/src", "shared", "tests/src"]
        .iter()
        .flat_map(|it| rust_files(&root.join(it)))
        .map(|it| fs::read_to_string(it).unwrap())
        .collect()
}

#[test]
fn each_test_that_asvs_names_is_there() {
    let root = Path::new(ROOT);
    let table = fs::read_to_string(root.join("functions/auth/ASVS.md")).unwrap();
    let quoted = table.split('`').skip(1).step_by(2);
    let named: Vec<_> = quoted.filter(|it| it.contains("::")).collect();
    assert!(named.len() > 40, "{named:?}");
    for name in named {
        let path = name.replace("::", "/");
        let is_module = root.join(format!("tests/it/{path}.rs")).is_file();
        let (module, test) = path.rsplit_once('/').unwrap();
        let code = fs::read_to_string(root.join(format!("tests/it/{module}.rs")));
        let is_test = code.is_ok_and(|it| it.contains(&format!("fn {test}(")));
        assert!(is_module || is_test, "{name}");
    }
    let rows = table
        .lines()
        .filter(|it| it.starts_with("| ") && !it.starts_with("| #"));
    for row in rows {
        let state = row.split('|').nth(3).unwrap().trim();
        assert!(["met", "partly", "n/a"].contains(&state), "{row}");
    }
}
