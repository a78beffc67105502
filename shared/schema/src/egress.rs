//! Egress policy: which hosts a tenant may name, for the platform to contact.

/// Which hosts a tenant may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EgressPolicy {
    /// Those of the internet.
    Public,
    /// Those of private networks too: the platform's network is the tenants' own.
    Private,
    /// The platform's own machine too: it is a laptop.
    Any,
}
