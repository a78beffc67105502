//! Lambda for one function: the runtime API that it asks, the queues that it speaks to, and the
//! function itself as a process.

mod api;
mod output;
mod process;

pub use api::{Call, Failed};
pub use process::Function;
