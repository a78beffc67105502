//! One file per resource.

pub(crate) mod events;
