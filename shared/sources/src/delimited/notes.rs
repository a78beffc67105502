//! What was read otherwise than it stands in the file.

/// In how many rows it was.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Rows with empty cells behind the last column.
    pub(super) trailing: u64,
    /// Rows with spaces before a quote.
    pub(super) blanks: u64,
}

impl Notes {
    pub(super) fn sentences(&self) -> Vec<String> {
        let rows = |count: u64| {
            if count == 1 {
                "1 row".to_owned()
            } else {
                format!("{count} rows")
            }
        };
        let mut sentences = Vec::new();
        if 0 < self.trailing {
            let rows = rows(self.trailing);
            sentences.push(format!(
                "empty cells behind the last column were left out of {rows}"
            ));
        }
        if 0 < self.blanks {
            let rows = rows(self.blanks);
            sentences.push(format!("spaces before a quote were left out of {rows}"));
        }
        sentences
    }
}
