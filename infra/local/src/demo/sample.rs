//! The files of the demo: three systems, one bad row, and a later version with a renamed column.

/// A file to upload.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// `{entities}_{system}.csv`.
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        vec![$(file($name, include_bytes!(concat!("sample/", $name)))),*]
    };
}

/// The first files.
pub(super) fn first() -> Vec<File> {
    files![
        "accounts_salesforce.csv",
        "accounts_hubspot.csv",
        "opportunities_salesforce.csv",
        "opportunities_hubspot.csv",
        "contacts_salesforce.csv",
        "contacts_hubspot.csv",
        "aws_resources_filesource.csv",
        "cost_reports_filesource.csv",
    ]
}

/// `accounts_hubspot.csv` as it comes a month later: `hs_industry` is now `industry_segment`.
pub(super) fn second() -> File {
    file(
        "accounts_hubspot.csv",
        include_bytes!("sample/accounts_hubspot.v2.csv"),
    )
}

fn file(name: &str, content: &[u8]) -> File {
    File {
        name: name.to_owned(),
        content: content.to_vec(),
    }
}
