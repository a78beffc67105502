//! Names of schemas by content: equal structure, equal hash.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use schema::source::SourceSchema;

/// The hash of what programs depend on; order-free and free of documentation.
pub fn structure_hash(schema: &SourceSchema) -> String {
    let mut bytes = Vec::with_capacity(schema.fields.len() * 48);
    schema.structure_bytes(&mut bytes);
    sha256_hex(&bytes)
}

/// The hash of what people read about the fields.
pub fn documentation_hash(schema: &SourceSchema) -> String {
    let mut bytes = Vec::with_capacity(schema.fields.len() * 64);
    schema.documentation_bytes(&mut bytes);
    sha256_hex(&bytes)
}

fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in digest(&SHA256, bytes).as_ref() {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
    }
    hex
}
