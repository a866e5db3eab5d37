//! IP addresses and networks in patterns.

use std::net::{IpAddr, Ipv6Addr};

/// A string that is compiled as an address: `[0-9]+.[0-9]+.[0-9]+.[0-9]+` or `[0-9a-fA-F:]*:[0-9a-fA-F:]*`
/// (`event-ruler`, `Constants`), and one that can be parsed. `ab:cd` fits the form and is none.
pub fn parse(text: &str) -> Option<IpAddr> {
    let could_be = |c: u8| c.is_ascii_hexdigit() || c == b':' || c == b'.';
    if text.len() > 39 || !text.contains([':', '.']) || !text.bytes().all(could_be) {
        return None; // nearly every string ends here
    }
    let of_one_kind = !(text.contains(':') && text.contains('.'));
    let address = if of_one_kind { text.parse().ok()? } else { return None };
    Some(match address {
        // Java makes an IPv4 address of `::ffff:1.2.3.4`.
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    })
}

/// The addresses of a CIDR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    is_v4: bool,
    first: u128,
    last: u128,
}

impl Network {
    /// Reads `10.0.0.0/24`. The errors are `event-ruler`'s.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Java's `split` drops what is empty at the end.
        let parts: Vec<&str> = text.trim_end_matches('/').split('/').collect();
        let [address, mask] = parts[..] else {
            return Err("Malformed CIDR, one '/' required".into());
        };
        let bits: i32 = mask.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer")?;
        let bits = u32::try_from(bits).map_err(|_| "Malformed CIDR, mask bits must not be negative")?;
        let address = parse(address).ok_or_else(|| malformed(address))?;
        let (is_v4, width) = match address {
            IpAddr::V4(_) if bits > 31 => return Err("IPv4 mask bits must be < 32".into()),
            IpAddr::V6(_) if bits > 127 => return Err("IPv6 mask bits must be < 128".into()),
            IpAddr::V4(_) => (true, 32),
            IpAddr::V6(_) => (false, 128),
        };
        let host_bits = u128::MAX.checked_shr(128 - (width - bits)).unwrap_or(0);
        let base = number(address);
        Ok(Self { is_v4, first: base & !host_bits, last: base | host_bits })
    }

    /// Whether an address is in it; one of the other version is not.
    pub fn contains(&self, address: IpAddr) -> bool {
        let number = number(address);
        address.is_ipv4() == self.is_v4 && (self.first..=self.last).contains(&number)
    }
}

/// What has the form of an address and is none is "invalid", anything else "nonstandard".
fn malformed(address: &str) -> String {
    let v4_form = address.split('.').count() == 4
        && address.split('.').all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit()));
    let v6_form = address.contains(':') && address.bytes().all(|c| c.is_ascii_hexdigit() || c == b':');
    let kind = if v4_form || v6_form { "Invalid" } else { "Nonstandard" };
    format!("{kind} IP address: {address}")
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => Ipv6Addr::to_bits(v6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn holds(network: &str, address: &str, expected: bool) {
        let network = Network::parse(network).expect("a network");
        assert_eq!(network.contains(parse(address).expect("an address")), expected);
    }

    #[test]
    fn networks_hold_their_addresses() {
        holds("10.0.0.0/24", "10.0.0.255", true);
        holds("10.0.0.7/24", "10.0.0.1", true);
        holds("10.0.0.0/24", "10.0.1.0", false);
        holds("0.0.0.0/0", "255.255.255.255", true);
        holds("0.0.0.0/0", "::1", false);
        holds("2001:db8::/32", "2001:0DB8:0:0::1", true);
        holds("::/0", "::2", true);
        holds("10.0.0.0/31", "10.0.0.2", false);
    }

    #[test]
    fn spellings_are_one_address() {
        assert_eq!(parse("2001:DB8:0:0::1"), parse("2001:db8::1"));
        for text in ["ab:cd", "1.2.3", "1.2.3.400", "face", "1.2.3.4:80", "::ffff:1.2.3.4"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_none_is_named() {
        let refused = |text: &str| Network::parse(text).expect_err("it is no network");
        assert_eq!(refused("10.0.0.0"), "Malformed CIDR, one '/' required");
        assert_eq!(refused("10.0.0.0/"), "Malformed CIDR, one '/' required");
        assert_eq!(refused("10.0.0.0/8/9"), "Malformed CIDR, one '/' required");
        assert_eq!(refused("10.0.0.0/x"), "Malformed CIDR, mask bits must be an integer");
        assert_eq!(refused("10.0.0.0/-1"), "Malformed CIDR, mask bits must not be negative");
        assert_eq!(refused("10.0.0.0/32"), "IPv4 mask bits must be < 32");
        assert_eq!(refused("::1/128"), "IPv6 mask bits must be < 128");
        assert_eq!(refused("xx.11.xx/8"), "Nonstandard IP address: xx.11.xx");
        assert_eq!(refused("1.2.3.400/8"), "Invalid IP address: 1.2.3.400");
    }
}
