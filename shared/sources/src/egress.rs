//! Which hosts a tenant may name as a source.
//!
//! **Invariant:** in a deployed platform a source's name leads to public addresses only, unless
//! its environment allows private networks, and never to its own machine or to the metadata of
//! its host. Else a tenant could knock at doors that only the platform may pass.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use schema::EgressPolicy;

use crate::error::{SourceError, SourceErrorKind};

/// The addresses of a host. Each of them may be contacted.
pub(super) async fn resolve(
    host: &str,
    port: u16,
    egress: EgressPolicy,
) -> Result<Vec<SocketAddr>, SourceError> {
    let found = tokio::net::lookup_host((host, port)).await;
    let addresses: Vec<_> = found.into_iter().flatten().collect();
    if addresses.is_empty() || !addresses.iter().all(|it| is_allowed(egress, it.ip())) {
        let message = refusal(host, egress);
        return Err(SourceError::new(SourceErrorKind::Network, "/host", message));
    }
    Ok(addresses)
}

/// The same whether a name leads nowhere or to where nobody may go: else names of the platform's own
/// network could be told from others.
fn refusal(host: &str, egress: EgressPolicy) -> String {
    let place = match egress {
        EgressPolicy::Any => return format!("the host `{host}` has no address: check its name"),
        EgressPolicy::Private => "on the internet or in a private network",
        EgressPolicy::Public => "on the internet",
    };
    format!(
        "the host `{host}` has no address {place}, and this platform may not contact it: \
         check its name"
    )
}

fn is_allowed(egress: EgressPolicy, address: IpAddr) -> bool {
    match egress {
        EgressPolicy::Public => is_public(address),
        EgressPolicy::Private => is_public(address) || is_private(address),
        EgressPolicy::Any => true,
    }
}

/// Whether the address belongs to a private network, which routers of the internet know nothing
/// of.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => it.is_private() || matches!(it.octets(), [100, 64..=127, ..]),
        // AWS answers at fd00:ec2:: with what only the machine itself may know.
        IpAddr::V6(it) => it.is_unique_local() && it.segments()[..2] != [0xfd00, 0xec2],
    }
}

/// Whether the address belongs to the internet, and to no network of its own.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => is_public_v4(it),
        IpAddr::V6(it) => is_public_v6(it),
    }
}

fn is_public_v4(it: Ipv4Addr) -> bool {
    let [a, b, c, _] = it.octets();
    let special = it.is_private()
        || it.is_loopback()
        || it.is_link_local()
        || it.is_documentation()
        || matches!(
            (a, b, c),
            (0 | 224.., ..) | (100, 64..=127, _) | (198, 18 | 19, _) | (192, 0, 0)
        );
    !special
}

fn is_public_v6(it: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match it.segments() {
        // IPv4 in another dress: mapped, translated, tunnelled.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            embedded(high, low)
        }
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo and documentation.
        [0x2001, 0 | 0xdb8, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        let check = |address: &str, public: bool| {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        };
        for own in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.170.2",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "198.18.0.1",
            "192.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
        ] {
            check(own, false);
        }
        for public in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            check(public, true);
        }
    }

    #[test]
    fn private_networks_are_not_the_own_machine() {
        let check = |address: &str, private: bool| {
            let address = address.parse().unwrap();
            assert_eq!(
                is_allowed(EgressPolicy::Private, address),
                private,
                "{address}"
            );
            assert!(is_allowed(EgressPolicy::Any, address));
        };
        for address in [
            "10.1.2.3",
            "100.64.0.1",
            "192.168.1.1",
            "fd12::1",
            "1.1.1.1",
        ] {
            check(address, true);
        }
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "169.254.169.254",
            "fd00:ec2::254",
            "::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            check(address, false);
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_is_refused_as_one_of_the_own_network() {
        for egress in [EgressPolicy::Public, EgressPolicy::Private] {
            let said = async |host: &str| {
                let refused = resolve(host, 1, egress).await.unwrap_err();
                refused.message.replace(host, "x")
            };
            let own = said("localhost").await;
            assert_eq!(own, said("169.254.169.254").await);
            assert_eq!(own, said("no.such.host.invalid").await);
        }
        let nowhere = resolve("no.such.host.invalid", 1, EgressPolicy::Any).await;
        assert!(nowhere.unwrap_err().message.contains("has no address:"));
    }

    #[tokio::test]
    async fn a_name_of_the_own_machine_is_refused_unless_any_may_be_named() {
        let refused = resolve("localhost", 1, EgressPolicy::Public)
            .await
            .unwrap_err();
        assert_eq!(refused.kind, SourceErrorKind::Network);
        assert!(refused.message.contains("may not contact it"), "{refused}");
        assert!(
            !resolve("localhost", 1, EgressPolicy::Any)
                .await
                .unwrap()
                .is_empty()
        );
    }
}
