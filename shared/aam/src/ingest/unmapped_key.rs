//! What tells rows apart that came before a mapping gave them an id.

use schema::RunId;

use super::prepare::hex;

/// The key of a row whose source has none of its own: the run that it came with and its content.
///
/// Two rows of one run with one id are two records, of which one has to wait for a better key. Two
/// rows of two runs are the same record at two times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmappedKey(String);

const TAG: &str = "unmapped:";

impl UnmappedKey {
    /// Of a row with that id, `content:<hash>`, of that run. None where its source has keys.
    pub fn of(run: RunId, source_id: &str) -> Option<UnmappedKey> {
        let hash = source_id.strip_prefix("content:")?;
        Some(UnmappedKey(format!("{TAG}{run}[\"{hash}\"]")))
    }

    /// Of a row with that content, of that run.
    pub(super) fn of_content(run: &str, content_hash: &[u8; 32]) -> UnmappedKey {
        UnmappedKey(format!("{TAG}{run}[\"{}\"]", hex(content_hash)))
    }

    /// The run of such a key.
    pub(super) fn run_of(key: &str) -> Option<&str> {
        key.strip_prefix(TAG)?.split('[').next()
    }

    /// Whether a `source_key` is such a one.
    pub(super) fn is(key: &str) -> bool {
        key.starts_with(TAG)
    }

    /// As a `source_key`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether these keys are of rows that came in two runs.
    pub(super) fn are_of_two_runs(one: &str, other: &str) -> bool {
        match (UnmappedKey::run_of(one), UnmappedKey::run_of(other)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn rows_of_two_runs_are_no_rivals() {
        let key = |run: u128, hash: &str| {
            let key = UnmappedKey::of(RunId(Uuid::from_u128(run)), &format!("content:{hash}"));
            key.unwrap().as_str().to_owned()
        };
        let check = |one: &str, other: &str, want| {
            assert_eq!(
                UnmappedKey::are_of_two_runs(one, other),
                want,
                "{one} {other}"
            );
        };
        check(&key(1, "aa"), &key(2, "bb"), true);
        check(&key(1, "aa"), &key(1, "bb"), false);
        check(&key(1, "aa"), "public.people[\"1\"]", false);
        check("[\"1\"]", "[\"2\"]", false);
        assert_eq!(UnmappedKey::of(RunId(Uuid::nil()), "row:aa"), None);
        assert_eq!(UnmappedKey::of(RunId(Uuid::nil()), "4711"), None);
        assert!(UnmappedKey::is(&key(1, "aa")) && !UnmappedKey::is("[\"1\"]"));
    }
}
