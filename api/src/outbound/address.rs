//! Which addresses belong to the public internet. Pure.
//!
//! Invariant: what is not known to be public is not. For IPv4 that is everything but the blocks set aside in IANA's
//! registry of special-purpose addresses; for IPv6 it is the one block that is handed out at all, without the parts of
//! it that stand for something else: a name that points at an IPv4 address through one of them would otherwise lead into
//! the network we run in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First address and length of each block that is nobody's on the internet.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    // "This network"
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by a provider's customers (CGNAT)
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, where clouds keep their metadata
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // 6to4 relays
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and the broadcast address
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The only block that is handed out. Loopback, unspecified, mapped, translated (NAT64), unique-local, link-local,
/// site-local and multicast addresses are all outside of it.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments, Teredo among them
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4: an IPv4 address in disguise
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // Documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether the address may belong to somebody on the internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|block| holds_v4(*block, address)),
        IpAddr::V6(address) => {
            holds_v6(GLOBAL_V6, address)
                && !SPECIAL_V6.iter().any(|block| holds_v6(*block, address))
        }
    }
}

fn holds_v4((first, length): (Ipv4Addr, u32), address: Ipv4Addr) -> bool {
    let differs = first.to_bits() ^ address.to_bits();
    differs.leading_zeros() >= length
}

fn holds_v6((first, length): (Ipv6Addr, u32), address: Ipv6Addr) -> bool {
    let differs = first.to_bits() ^ address.to_bits();
    differs.leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_lead_inside_are_told_from_public_ones() {
        let table = [
            ("0.0.0.0", false),
            ("0.255.255.255", false),
            ("1.0.0.0", true),
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.100.100.200", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("127.0.0.1", false),
            ("127.255.255.255", false),
            ("128.0.0.0", true),
            ("169.253.255.255", true),
            ("169.254.0.0", false),
            ("169.254.169.254", false),
            ("169.254.170.2", false),
            ("169.255.0.0", true),
            ("172.15.255.255", true),
            ("172.16.0.0", false),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("192.0.0.192", false),
            ("192.0.1.0", true),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.167.255.255", true),
            ("192.168.0.0", false),
            ("192.168.255.255", false),
            ("192.169.0.0", true),
            ("198.17.255.255", true),
            ("198.18.0.0", false),
            ("198.19.255.255", false),
            ("198.20.0.0", true),
            ("198.51.100.7", false),
            ("203.0.113.7", false),
            ("223.255.255.255", true),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("8.8.8.8", true),
            ("::", false),
            ("::1", false),
            ("::8.8.8.8", false),
            ("::ffff:8.8.8.8", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:0:127.0.0.1", false),
            ("64:ff9b::8.8.8.8", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b:1::a00:1", false),
            ("100::1", false),
            ("1fff:ffff::1", false),
            ("2001::1", false),
            ("2001:0:53aa:64c::1", false),
            ("2001:1ff:ffff::1", false),
            ("2001:200::1", true),
            ("2001:db7:ffff::1", true),
            ("2001:db8::1", false),
            ("2001:db9::1", true),
            ("2001:4860:4860::8888", true),
            ("2002:7f00:1::1", false),
            ("2002:808:808::1", false),
            ("2003::1", true),
            ("2606:4700:4700::1111", true),
            ("3ffe:ffff::1", true),
            ("3fff::1", false),
            ("3fff:fff:ffff::1", false),
            ("3fff:1000::1", true),
            ("4000::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ];
        for (text, public) in table {
            let address: IpAddr = text.parse().expect(text);
            assert_eq!(is_public(address), public, "{text}");
        }
    }

    proptest! {
        /// Another reading of the same words: the standard library's.
        #[test]
        fn no_address_that_the_standard_library_knows_as_special_is_public(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let special = address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_unspecified()
                || address.is_documentation();
            prop_assert!(!(special && is_public(address.into())));
        }

        /// However an IPv4 address is dressed up, it is not reached through IPv6.
        #[test]
        fn an_ipv4_address_inside_an_ipv6_one_is_never_public(bits: u32, low: u64) {
            let address = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = address.octets().map(u16::from);
            let (high, rest) = (a << 8 | b, c << 8 | d);
            for dressed in [
                address.to_ipv6_mapped(),
                address.to_ipv6_compatible(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, rest),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, rest),
                Ipv6Addr::from_bits(
                    Ipv6Addr::new(0x2002, high, rest, 0, 0, 0, 0, 0).to_bits() | u128::from(low),
                ),
                Ipv6Addr::from_bits(
                    Ipv6Addr::new(0x2001, 0, high, rest, 0, 0, 0, 0).to_bits() | u128::from(low),
                ),
            ] {
                prop_assert!(!is_public(dressed.into()), "{dressed}");
            }
        }

        #[test]
        fn no_ipv6_address_of_a_network_of_ones_own_is_public(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            let special = address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local();
            prop_assert!(!(special && is_public(address.into())));
            for inside in [0xfc00_u16, 0xfe80, 0xff00] {
                let forced = u128::from(inside) << 112 | bits >> 16;
                prop_assert!(!is_public(Ipv6Addr::from_bits(forced).into()));
            }
        }
    }
}
