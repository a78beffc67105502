//! structure-lint: the structure checker.
