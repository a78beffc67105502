//! TLS of the process.

use std::sync::Once;

/// Makes aws-lc-rs the process's TLS provider. Once is enough, more does no harm.
pub fn install() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        // An error says that somebody was first, with the only provider there is.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}
