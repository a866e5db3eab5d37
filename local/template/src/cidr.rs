//! `Fn::Cidr`: blocks of addresses out of a larger one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks that one call may make.
const BLOCKS_MAX: u32 = 256;
/// Bits that each block leaves free, if it is not said.
const BITS: u32 = 8;

/// The first blocks of a block; what is wrong, in words.
pub(crate) fn blocks(block: &str, count: u32, bits: Option<u32>) -> Result<Vec<String>, String> {
    let malformed = || format!("{block} in Fn::Cidr is no CIDR block like 10.0.0.0/16");
    let (address, prefix) = block.split_once('/').ok_or_else(malformed)?;
    let address: IpAddr = address.parse().map_err(|_| malformed())?;
    let prefix: u32 = prefix.parse().map_err(|_| malformed())?;
    let (width, value) = match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    let bits = bits.unwrap_or(BITS);
    if !(1..=BLOCKS_MAX).contains(&count) {
        return Err(format!("the count of Fn::Cidr must be from 1 to {BLOCKS_MAX}, not {count}"));
    }
    if prefix > width || bits == 0 || bits >= width {
        return Err(malformed());
    }
    let room = (width - prefix).checked_sub(bits).ok_or_else(|| too_small(block, count, bits))?;
    if room < 32 && u64::from(count) > 1_u64 << room {
        return Err(too_small(block, count, bits));
    }
    let mask = u128::MAX.checked_shl(width - prefix).unwrap_or(0);
    let base = value & mask;
    let text = |at: u32| {
        let value = base + (u128::from(at) << bits);
        match u32::try_from(value) {
            Ok(value) if width == 32 => format!("{}/{}", Ipv4Addr::from_bits(value), width - bits),
            _ => format!("{}/{}", Ipv6Addr::from_bits(value), width - bits),
        }
    };
    Ok((0..count).map(text).collect())
}

fn too_small(block: &str, count: u32, bits: u32) -> String {
    format!("{block} in Fn::Cidr has no room for {count} blocks of {bits} free bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other() {
        assert_eq!(
            blocks("192.168.0.0/24", 3, Some(5)).expect("blocks"),
            ["192.168.0.0/27", "192.168.0.32/27", "192.168.0.64/27"]
        );
        assert_eq!(blocks("10.0.0.0/16", 2, None).expect("blocks"), ["10.0.0.0/24", "10.0.1.0/24"]);
        assert_eq!(blocks("2001:db8::/56", 2, Some(64)).expect("blocks"), ["2001:db8::/64", "2001:db8:0:1::/64"]);
        assert_eq!(blocks("0.0.0.0/0", 1, Some(24)).expect("blocks"), ["0.0.0.0/8"]);
        assert_eq!(blocks("::/0", 2, Some(127)).expect("blocks"), ["::/1", "8000::/1"]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (block, count, bits) in [
            ("10.0.0.0/24", 3, Some(7)),
            ("10.0.0.0/30", 1, None),
            ("10.0.0.0", 1, None),
            ("x/1", 1, None),
            ("10.0.0.0/8", 257, None),
            ("10.0.0.0/33", 1, Some(1)),
        ] {
            assert!(blocks(block, count, bits).is_err(), "{block} {count} {bits:?}");
        }
    }
}
