//! The house is as `structure-lint.toml` says.

#[test]
fn the_structure_is_sound() {
    structure_lint::assert_clean!();
}
