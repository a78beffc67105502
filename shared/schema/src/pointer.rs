//! JSON pointers (RFC 6901): how an error names the part of a document that is wrong.

use serde_path_to_error::{Path, Segment};

/// The pointer of where serde was. `/?` is a part that serde cannot name.
pub fn of_path(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => format!("/{}", escape(key)),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// A key as a part of a pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    /// The pointer of the one number among truths leads to it.
    #[track_caller]
    fn check(document: Value, expected: &str) {
        type Truths = BTreeMap<String, Vec<bool>>;
        let refused = serde_path_to_error::deserialize::<_, Truths>(&document).unwrap_err();
        let pointer = of_path(refused.path());
        assert_eq!(pointer, expected);
        assert_eq!(document.pointer(&pointer), Some(&json!(7)));
    }

    #[test]
    fn a_pointer_leads_to_what_is_wrong() {
        check(json!({ "a": [true], "b": [true, 7] }), "/b/1");
        check(json!({ "a/b~c~1": [7] }), "/a~1b~0c~01/0");
        check(json!({ "": [7] }), "//0");
    }
}
