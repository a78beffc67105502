pub(crate) mod views;
