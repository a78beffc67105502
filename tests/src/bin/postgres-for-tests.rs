//! Keeps the tests' PostgreSQL while tests run; a test starts it where it is missing.

fn main() -> anyhow::Result<()> {
    tests::postgres::keep()
}
