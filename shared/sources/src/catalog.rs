//! The connectors that there are. A new one is a file of this crate, a `mod` and an entry here.

use crate::connector::Connector;
use crate::{filesource, postgres};

/// Every connector there is.
pub const CONNECTORS: &[&dyn Connector] = &[
    &filesource::FileSource,
    &postgres::SUPABASE,
    &postgres::POSTGRES,
];

/// The connector of that name, in any case.
pub fn find(name: &str) -> Option<&'static dyn Connector> {
    let same = |it: &&&dyn Connector| it.name().eq_ignore_ascii_case(name);
    CONNECTORS.iter().find(same).copied()
}
