//! Networks of addresses, parsed: what is printed again is the same network and nothing else.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that share a prefix: an IPv4 or IPv6 network, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Network {
    /// Its first address.
    address: IpAddr,
    length: u8,
}

impl Network {
    /// Reads what the application reads: an address, in brackets or not, or a network, whatever
    /// its host bits. IPv4 written as IPv6 (`::ffff:10.0.0.0/104`) is IPv4.
    ///
    /// Not the octal, hexadecimal and shortened forms that it takes in networks: people and
    /// programs disagree about what they mean.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (
                text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text),
                None,
            ),
        };
        let written: IpAddr = address.parse().ok()?;
        let address = written.to_canonical();
        let (whole, mapped) = (bits(written), bits(written) - bits(address));
        let length = match length {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(_) => return None,
            None => whole,
        };
        if length > whole {
            return None;
        }
        let length = length.saturating_sub(mapped);
        Some(Self { address: first(address, length), length })
    }

    /// Reads what API servers before Kubernetes 1.36 read in a NetworkPolicy (RFC 4632 and RFC 4291):
    /// a length must be there. A later one takes neither host bits nor IPv4 that is written as IPv6
    /// (`StrictIPCIDRValidation`), so that what is printed is sent in place of what was read.
    pub(crate) fn from_cidr(text: &str) -> Option<Self> {
        let (address, digits) = text.split_once('/')?;
        let written: IpAddr = address.parse().ok()?;
        let length: u8 = digits.parse().ok()?;
        // Without sign or leading zeros, and none too many.
        let is_right = length.to_string() == digits && length <= bits(written);
        let address = written.to_canonical();
        let length = length.checked_sub(bits(written) - bits(address))?;
        is_right.then(|| Self { address: first(address, length), length })
    }

    /// Whether it is a part of the other, and not all of it.
    pub(crate) fn is_part_of(self, other: Self) -> bool {
        bits(self.address) == bits(other.address)
            && self.length > other.length
            && first(self.address, other.length) == other.address
    }

    /// Whether it holds nothing but addresses of the pod itself.
    pub(crate) fn is_loopback(self) -> bool {
        match self.address {
            IpAddr::V4(address) => address.is_loopback() && self.length >= 8,
            IpAddr::V6(address) => address.is_loopback() && self.length == 128,
        }
    }

    /// Whether it is a single address.
    pub(crate) fn is_single(self) -> bool {
        self.host_bits() == 0
    }

    fn host_bits(self) -> u8 {
        bits(self.address) - self.length
    }

    /// Whether it holds more than the proxies of one place: over 256 addresses of IPv4, or more
    /// than one subnet of IPv6.
    pub(crate) fn is_wide(self) -> bool {
        self.host_bits() > if self.address.is_ipv4() { 8 } else { 64 }
    }

    /// First and last address as numbers.
    fn ends(self) -> (u128, u128) {
        let first = number(self.address);
        let holds = 1_u128.checked_shl(u32::from(self.host_bits()));
        (first, first + holds.map_or(u128::MAX, |count| count - 1))
    }
}

/// `10.0.0.0/8`, `fd00::/8`: digits, letters a to f, dots, colons and a slash.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The first address of the network that an address lies in.
fn first(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or_default();
            IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or_default();
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

/// Addresses that no peer has: this host, loopback, multicast, reserved ones.
const NOBODY: [&str; 5] = ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/8", "ff00::/8"];

/// Whether networks, together, hold everyone who could connect over IPv4 or over IPv6.
pub(crate) fn hold_everyone(networks: &[Network]) -> bool {
    [32, 128].iter().any(|family| {
        let of_family = |network: &Network| bits(network.address) == *family;
        if !networks.iter().any(of_family) {
            return false;
        }
        let nobody = NOBODY.iter().filter_map(|text| Network::parse(text));
        let all = networks.iter().copied().chain(nobody).filter(of_family);
        let mut ends: Vec<(u128, u128)> = all.map(Network::ends).collect();
        ends.sort_unstable();
        // The first address that is not held by what comes before.
        let mut next = Some(0_u128);
        for (first, last) in ends {
            if let Some(missing) = next
                && first <= missing
                && missing <= last
            {
                next = last.checked_add(1);
            }
        }
        let beyond = if *family == 32 { Some(1_u128 << 32) } else { None };
        next == beyond
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Option<String> {
        Network::parse(text).map(|network| network.to_string())
    }

    #[test]
    fn addresses_and_networks_are_read_as_the_application_reads_them() {
        for (text, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            (" 10.1.2.3/8 ", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.168.1.255/31", "192.168.1.254/31"),
            ("fd00::/8", "fd00::/8"),
            ("FD12::1/8", "fd00::/8"),
            ("2001:db8::7", "2001:db8::7/128"),
            ("[2001:db8::7]", "2001:db8::7/128"),
            ("::/0", "::/0"),
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:10.0.0.0/90", "0.0.0.0/0"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
        }
        for bad in [
            "",
            "ingress.example.com",
            "unix:",
            "${PROXY}",
            "10.0.0.0/33",
            "::/129",
            "::ffff:10.0.0.0/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10/8",
            "010.0.0.0/8",
            "0x0a.0.0.0/8",
            "[10.0.0.0]/8",
            "fe80::1%eth0",
            "10.0.0.0; }",
            "10.0.0.1:80",
        ] {
            assert_eq!(printed(bad), None, "{bad}");
        }
    }

    #[test]
    fn loopback_is_only_what_holds_nothing_else() {
        for own in ["127.0.0.1", "127.0.0.0/8", "::1", "::ffff:127.0.0.1"] {
            assert!(Network::parse(own).expect(own).is_loopback(), "{own}");
        }
        for other in ["126.0.0.0/7", "0.0.0.0/0", "::/0", "::/127", "10.0.0.1"] {
            assert!(!Network::parse(other).expect(other).is_loopback(), "{other}");
        }
    }

    #[test]
    fn networks_that_add_up_to_everyone_are_seen_through() {
        let everyone = |texts: &[&str]| {
            let networks: Vec<Network> =
                texts.iter().map(|text| Network::parse(text).expect(text)).collect();
            hold_everyone(&networks)
        };
        for all in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["128.0.0.0/1", "10.0.0.0/8", "0.0.0.0/1"],
            &["8000::/1", "::/1"],
            &["::ffff:0:0/96"],
            // All that can be a peer.
            &[
                "1.0.0.0/8",
                "2.0.0.0/7",
                "4.0.0.0/6",
                "8.0.0.0/5",
                "16.0.0.0/4",
                "32.0.0.0/3",
                "64.0.0.0/3",
                "96.0.0.0/4",
                "112.0.0.0/5",
                "120.0.0.0/6",
                "124.0.0.0/7",
                "126.0.0.0/8",
                "128.0.0.0/2",
                "192.0.0.0/3",
            ],
        ] {
            assert!(everyone(all), "{all:?}");
        }
        for some in [
            &[][..],
            &["10.0.0.0/8", "fd00::/8"],
            &["0.0.0.0/1", "8000::/1"],
            &["0.0.0.0/1", "128.0.0.0/2"],
            &["2000::/3"],
        ] {
            assert!(!everyone(some), "{some:?}");
        }
    }

    #[test]
    fn a_network_is_a_part_of_a_larger_one_of_its_family() {
        let is_part = |inner, outer| {
            let read = |text| Network::from_cidr(text).expect(text);
            read(inner).is_part_of(read(outer))
        };
        for (inner, outer) in [
            ("10.1.0.0/16", "10.0.0.0/8"),
            ("10.0.0.0/9", "10.0.0.0/8"),
            ("1.2.3.4/32", "0.0.0.0/0"),
            ("fd00:1::/32", "fd00::/8"),
            ("::/1", "::/0"),
        ] {
            assert!(is_part(inner, outer), "{inner} {outer}");
        }
        for (inner, outer) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("11.0.0.0/16", "10.0.0.0/8"),
            ("10.0.0.0/8", "10.0.0.0/16"),
            ("10.0.0.0/16", "::/0"),
            ("fd00::/16", "0.0.0.0/0"),
        ] {
            assert!(!is_part(inner, outer), "{inner} {outer}");
        }
    }

    #[test]
    fn networks_are_read_as_the_api_server_reads_them() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "192.168.1.1/32"] {
            assert!(Network::from_cidr(good).is_some(), "{good}");
        }
        for (text, sent) in [
            ("10.0.0.5/8", "10.0.0.0/8"),
            ("192.168.1.1/0", "0.0.0.0/0"),
            ("fd00::1/8", "fd00::/8"),
            ("FD00:0::/8", "fd00::/8"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0.0.0.0/96", "0.0.0.0/0"),
        ] {
            assert_eq!(Network::from_cidr(text).expect(text).to_string(), sent);
        }
        for bad in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.0/-1",
            "::/129",
            "a/8",
            "10.0.0.0/08",
            "010.0.0.0/8",
            // A network of IPv6 that has all of IPv4 in it, and more.
            "::ffff:0.0.0.0/95",
        ] {
            assert!(Network::from_cidr(bad).is_none(), "{bad}");
        }
    }
}
