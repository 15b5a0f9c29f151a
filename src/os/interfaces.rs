//! Addresses of this host, for who listens on all of them and must say where others reach it.
//!
//! Reads what Linux shows in `/proc/self/net`, which is also there where a sandbox hides the rest of `/proc`; without it, only the
//! loopback address is known.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Every address of this host: loopback first, then IPv4, then IPv6, each without repeats.
pub fn addresses() -> Vec<IpAddr> {
    let four = fs::read_to_string("/proc/self/net/fib_trie").unwrap_or_default();
    let six = fs::read_to_string("/proc/self/net/if_inet6").unwrap_or_default();
    let mut found: Vec<IpAddr> = parse_fib_trie(&four).map(IpAddr::from).collect();
    found.extend(parse_if_inet6(&six).map(IpAddr::from));
    if !found.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)) {
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    found.sort_by_key(|address| (!address.is_loopback(), address.is_ipv6()));
    let mut seen = Vec::new();
    found.retain(|address| !seen.contains(address) && (seen.push(*address), true).1);
    found
}

/// Lines `|-- 192.0.2.2` that are followed by `/32 host LOCAL`.
fn parse_fib_trie(text: &str) -> impl Iterator<Item = Ipv4Addr> {
    let pairs = text.lines().zip(text.lines().skip(1));
    pairs
        .filter(|(_, next)| next.trim() == "/32 host LOCAL")
        .filter_map(|(line, _)| line.trim().strip_prefix("|-- ")?.parse().ok())
}

/// Lines `fd000000000000000000000000000002 02 40 00 80 eth0`.
fn parse_if_inet6(text: &str) -> impl Iterator<Item = Ipv6Addr> {
    let first = text.lines().filter_map(|line| line.split_ascii_whitespace().next());
    first
        .filter(|digits| digits.len() == 32)
        .filter_map(|digits| u128::from_str_radix(digits, 16).ok())
        .map(Ipv6Addr::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_are_read() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.0.2.0\n        /24 link UNICAST\n     |-- 192.0.2.2\n        /32 host LOCAL\n     |-- x\n        /32 host LOCAL\n";
        assert_eq!(parse_fib_trie(trie).collect::<Vec<_>>(), [Ipv4Addr::LOCALHOST, Ipv4Addr::new(192, 0, 2, 2)]);
        let six = "00000000000000000000000000000001 01 80 10 80       lo\nfd000000000000000000000000000002 02 40 00 80     eth0\nzz\n\n";
        let expected: [Ipv6Addr; 2] = ["::1", "fd00::2"].map(|text| text.parse().expect("an address"));
        assert_eq!(parse_if_inet6(six).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn loopback_comes_first_and_nothing_twice() {
        let all = addresses();
        assert_eq!(all[0], IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut unique = all.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), all.len());
    }
}
