//! One file per resource.

pub(crate) mod catalog;
pub(crate) mod connections;
pub(crate) mod connectors;
pub(crate) mod filesource;
pub(crate) mod health;
pub(crate) mod objects;
pub(crate) mod quarantine;
pub(crate) mod quarantine_groups;
pub(crate) mod quarantine_work;
pub(crate) mod replay;
pub(crate) mod runs;
mod schedule;
pub(crate) mod schemas;
pub(crate) mod source_jobs;
pub(crate) mod tasks;
