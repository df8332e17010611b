//! Address ranges, and which addresses no server may have unless listed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses in CIDR notation, e.g. `127.0.0.0/8` or `::1/128`. A
/// single address stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                base.to_bits() & mask == a.to_bits() & mask
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                base.to_bits() & mask == a.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// Why a text is not a network, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a network; write it like 127.0.0.0/8 or ::1/128")]
pub struct NotANetwork(String);

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let base: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(p) => p.parse().map_err(|_| wrong())?,
            None => most,
        };
        if prefix > most {
            return Err(wrong());
        }
        Ok(Self { base, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// Which kind of address this is when it is not a public one.
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(a) => special_v4(a),
        IpAddr::V6(a) => special_v6(a),
    }
}

fn special_v4(a: Ipv4Addr) -> Option<&'static str> {
    let [first, second, third, _] = a.octets();
    if a.is_loopback() {
        Some("loopback")
    } else if first == 0 {
        Some("unspecified")
    } else if a.is_link_local() {
        Some("link-local")
    } else if a.is_private() {
        Some("private")
    } else if first == 100 && second & 0xc0 == 64 {
        Some("carrier-grade NAT")
    } else if a.is_multicast() {
        Some("multicast")
    } else if first >= 240 || (first == 198 && second & 0xfe == 18) || (first, second, third) == (192, 0, 0) {
        Some("reserved")
    } else {
        None
    }
}

fn special_v6(a: Ipv6Addr) -> Option<&'static str> {
    let segments = a.segments();
    if a.is_loopback() {
        Some("loopback")
    } else if a.is_unspecified() {
        Some("unspecified")
    } else if segments[0] & 0xffc0 == 0xfe80 {
        Some("link-local")
    } else if segments[0] & 0xfe00 == 0xfc00 || segments[0] & 0xffc0 == 0xfec0 {
        Some("private")
    } else if a.is_multicast() {
        Some("multicast")
    } else {
        embedded_v4(segments).and_then(special_v4)
    }
}

/// NAT64 (RFC 6052), 6to4 (RFC 3056) and the deprecated IPv4-compatible form
/// reach an IPv4 address through an IPv6 one.
fn embedded_v4(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn inside(network: &str, address: &str, expected: bool) {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), expected, "{network} {address}");
    }

    #[test]
    fn ranges_contain_what_they_should() {
        inside("127.0.0.0/8", "127.0.0.1", true);
        inside("127.0.0.0/8", "128.0.0.1", false);
        inside("127.0.0.0/8", "::ffff:127.0.0.1", true);
        inside("10.1.2.3", "10.1.2.3", true);
        inside("10.1.2.3", "10.1.2.4", false);
        inside("0.0.0.0/0", "8.8.8.8", true);
        inside("0.0.0.0/0", "::1", false);
        inside("::1/128", "::1", true);
        inside("::1/128", "::2", false);
        inside("fd00::/8", "fd12::1", true);
        inside("::/0", "2001:db8::1", true);
        inside("192.168.4.0/22", "192.168.7.255", true);
        inside("192.168.4.0/22", "192.168.8.0", false);
    }

    #[test]
    fn nonsense_is_no_network() {
        for text in ["", "/8", "localhost", "127.0.0.0/33", "::1/129", "127.0.0.0/x", "127.0.0.0/8/8", "1.2.3"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert_eq!("127.0.0.0/8".parse::<Network>().unwrap().to_string(), "127.0.0.0/8");
    }

    #[track_caller]
    fn kind(address: &str, expected: Option<&str>) {
        assert_eq!(special(address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn special_addresses_are_known() {
        kind("127.0.0.1", Some("loopback"));
        kind("127.255.0.1", Some("loopback"));
        kind("::1", Some("loopback"));
        kind("::ffff:127.0.0.1", Some("loopback"));
        kind("0.0.0.0", Some("unspecified"));
        kind("0.1.2.3", Some("unspecified"));
        kind("::", Some("unspecified"));
        kind("169.254.169.254", Some("link-local"));
        kind("fe80::1", Some("link-local"));
        kind("10.0.0.1", Some("private"));
        kind("172.16.0.1", Some("private"));
        kind("172.32.0.1", None);
        kind("192.168.0.1", Some("private"));
        kind("fd00::1", Some("private"));
        kind("fc00::1", Some("private"));
        kind("fec0::1", Some("private"));
        kind("100.64.0.1", Some("carrier-grade NAT"));
        kind("100.127.255.255", Some("carrier-grade NAT"));
        kind("100.128.0.1", None);
        kind("224.0.0.1", Some("multicast"));
        kind("ff02::1", Some("multicast"));
        kind("255.255.255.255", Some("reserved"));
        kind("198.18.0.1", Some("reserved"));
        kind("192.0.0.8", Some("reserved"));
        kind("64:ff9b::7f00:1", Some("loopback"));
        kind("2002:0a00:0001::1", Some("private"));
        kind("::10.0.0.1", Some("private"));
        kind("8.8.8.8", None);
        kind("2001:4860:4860::8888", None);
    }
}
