//! The derives of serde.
pub use derives::{Deserialize, Serialize};
