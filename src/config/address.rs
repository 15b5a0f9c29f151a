//! `host:port` as it is written in files and flags.
//!
//! Pure. Does not look names up.

use super::Advertised;

/// Splits at the port; brackets around an IPv6 address are taken off. `None`: there is no port, or it cannot be told.
pub(super) fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().rposition(|&byte| byte == b':')?;
    let (host, port) = (text.get(..colon)?, text.get(colon + 1..)?);
    if let Some(inner) = host.strip_prefix(b"[") {
        let inner = inner.strip_suffix(b"]")?;
        return (!inner.iter().chain(port).any(|byte| matches!(byte, b'[' | b']'))).then_some((inner, port));
    }
    (!host.contains(&b':') && !text.iter().any(|byte| matches!(byte, b'[' | b']'))).then_some((host, port))
}

/// A port's number, with a sign if it has one; its range is not checked.
pub(super) fn port(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `host`, `host:port` or `[address]:port`, where a port that is 0 or -1 stands for the bound one; or what is wrong with it.
pub(super) fn advertised(text: &str) -> Result<Advertised, String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) =
                rest.split_once(']').ok_or_else(|| format!("address {text}: missing ']' in address"))?;
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err(format!("address {text}: missing port in address")),
            }
        }
        None => match text.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(format!("address {text}: too many colons in address")),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        None => None,
        Some(port) => match port.parse::<i64>() {
            Ok(0 | -1) => None,
            Ok(number) => Some(u16::try_from(number).map_err(|_| format!("port {number} is out of range"))?),
            Err(_) => return Err(format!("strconv.Atoi: parsing \"{port}\": invalid syntax")),
        },
    };
    Ok(Advertised { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_advertised_is_a_host_with_or_without_a_port() {
        for (text, host, port) in [
            ("x", "x", None),
            ("x:5", "x", Some(5)),
            ("x:0", "x", None),
            ("x:-1", "x", None),
            (":5", "", Some(5)),
            ("[::1]", "::1", None),
            ("[::1]:5", "::1", Some(5)),
        ] {
            assert_eq!(advertised(text), Ok(Advertised { host: host.into(), port }), "{text}");
        }
        for (text, fault) in [
            ("x:", "strconv.Atoi: parsing \"\": invalid syntax"),
            ("x:abc", "strconv.Atoi: parsing \"abc\": invalid syntax"),
            ("x:y:z", "address x:y:z: too many colons in address"),
            ("::1", "address ::1: too many colons in address"),
            ("[::1", "address [::1: missing ']' in address"),
            ("x:99999", "port 99999 is out of range"),
        ] {
            assert_eq!(advertised(text), Err(fault.to_owned()), "{text}");
        }
    }

    #[test]
    fn addresses_are_split_at_the_port() {
        for (text, expected) in [
            ("a:1", Some(("a", "1"))),
            (":4222", Some(("", "4222"))),
            ("[::1]:5", Some(("::1", "5"))),
            ("a:", Some(("a", ""))),
            ("a", None),
            ("", None),
            ("a:b:c", None),
            ("[::1]", None),
            ("::1:5", None),
            ("[a:5", None),
            ("a]:5", None),
            ("[a]b:5", None),
        ] {
            let expected = expected.map(|(host, port): (&str, &str)| (host.as_bytes(), port.as_bytes()));
            assert_eq!(split(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(port(b"-1"), Some(-1));
        assert_eq!(port(b"+5"), Some(5));
        assert_eq!(port(b" 5"), None);
    }
}
