//! To whom it may be spoken: where an address leads is looked at before anything is sent there, so that nobody can have the
//! home ask for them what only the home can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::Uri;

/// The longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2_048;
/// Ports below this one belong to services of other kinds, but for those of HTTP.
const PORTS_FROM: u16 = 1_024;

/// What is wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is too long.
    #[error("at most {URL_BYTES_MAX} bytes")]
    TooLong,
    /// It does not read.
    #[error("this is no address of the form https://HOST/PATH, in ASCII")]
    Unreadable,
    /// It is not encrypted.
    #[error("https is needed, unless private addresses are allowed")]
    NotEncrypted,
    /// It bears a name and a password.
    #[error("an address with a user or a password is not taken: messages are signed instead")]
    Credentials,
    /// Its port is another service's.
    #[error("port {0} is not one of HTTP: 443, 80 or one from {PORTS_FROM} on")]
    Port(u16),
    /// It leads into a private network.
    #[error("{0} is a private address")]
    Private(IpAddr),
}

/// An address that reads well. Where its name leads is only known when it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether it is spoken to by TLS.
    pub encrypted: bool,
    /// A name, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What the header `host` says.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Whether it may be private.
    pub allow_private: bool,
}

impl Target {
    /// Reads an address and says what is wrong with it.
    pub fn parse(url: &str, allow_private: bool) -> Result<Self, Problem> {
        if url.len() > URL_BYTES_MAX {
            return Err(Problem::TooLong);
        }
        if url.contains('#') || !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Problem::Unreadable);
        }
        let uri: Uri = url.parse().map_err(|_| Problem::Unreadable)?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if allow_private => false,
            Some("http") => return Err(Problem::NotEncrypted),
            _ => return Err(Problem::Unreadable),
        };
        let authority = uri.authority().ok_or(Problem::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(Problem::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let is_name = |host: &str| {
            host.len() <= 253
                && host.split('.').all(|label| {
                    (1..=63).contains(&label.len())
                        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                })
        };
        let ip: Option<IpAddr> = host.parse().ok();
        if ip.is_none() && !is_name(host.strip_suffix('.').unwrap_or(&host)) {
            return Err(Problem::Unreadable);
        }
        let port =
            match authority.as_str().strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':')) {
                Some(port) => port.parse().map_err(|_| Problem::Unreadable)?,
                None if encrypted => 443,
                None => 80,
            };
        let usual = port >= PORTS_FROM || [80, 443].contains(&port);
        if port == 0 || !(usual || allow_private) {
            return Err(Problem::Port(port));
        }
        if let Some(ip) = ip.filter(|ip| !may_be_reached(*ip, allow_private)) {
            return Err(Problem::Private(ip));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { encrypted, host, port, authority: authority.as_str().to_owned(), path, allow_private })
    }
}

/// Whether something may be sent to an IP address. Where private ones are allowed, these are: loopback, private networks and
/// what providers share among customers; what is link-local (where clouds keep their secrets), for several or reserved never is.
pub fn may_be_reached(ip: IpAddr, allow_private: bool) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip) || (allow_private && is_private_v4(ip)),
        IpAddr::V6(ip) => match within(ip) {
            Some(ip) => is_public_v4(ip) || (allow_private && is_private_v4(ip)),
            None => is_public_v6(ip) || (allow_private && is_private_v6(ip)),
        },
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    ip.is_loopback() || ip.is_private() || (a == 100 && (64..128).contains(&b))
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = a == 0
        || a >= 224
        || is_private_v4(ip)
        || ip.is_link_local()
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || ip.is_documentation();
    !special
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (NAT64) or 6to4.
fn within(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => Some(v4(g, h)),
        // ::1 and :: are addresses of their own.
        [0, 0, 0, 0, 0, 0] if g != 0 => Some(v4(g, h)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    // ::1, and fc00::/7.
    ip.is_loopback() || ip.segments()[0] & 0xfe00 == 0xfc00
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only 2000::/3 is given out; of it 2001::/23 has uses of its own (Teredo, ORCHID), and two parts are for examples.
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || (a == 0x3fff && b < 0x1000);
    a & 0xe000 == 0x2000 && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_reached_if_it_is_public_or_private_ones_are_allowed() {
        // (address, without leave, with leave)
        for (text, public, private) in [
            ("1.1.1.1", true, true),
            ("8.8.8.8", true, true),
            ("100.63.255.255", true, true),
            ("100.128.0.0", true, true),
            ("172.15.0.1", true, true),
            ("172.32.0.1", true, true),
            ("2606:4700::1111", true, true),
            ("64:ff9b::808:808", true, true),
            ("2002:808:808::1", true, true),
            ("127.0.0.1", false, true),
            ("127.255.255.254", false, true),
            ("10.0.0.1", false, true),
            ("172.16.0.1", false, true),
            ("192.168.1.1", false, true),
            ("100.64.0.1", false, true),
            ("100.127.255.255", false, true),
            ("::1", false, true),
            ("fc00::1", false, true),
            ("fdff::1", false, true),
            ("::ffff:127.0.0.1", false, true),
            ("::ffff:10.0.0.1", false, true),
            ("::127.0.0.1", false, true),
            ("64:ff9b::7f00:1", false, true),
            ("2002:7f00:1::1", false, true),
            ("0.0.0.0", false, false),
            ("0.1.2.3", false, false),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("fe80::1", false, false),
            ("fec0::1", false, false),
            ("192.0.0.1", false, false),
            ("192.0.2.1", false, false),
            ("198.18.0.1", false, false),
            ("198.51.100.1", false, false),
            ("203.0.113.1", false, false),
            ("224.0.0.1", false, false),
            ("239.255.255.255", false, false),
            ("240.0.0.1", false, false),
            ("255.255.255.255", false, false),
            ("::", false, false),
            ("ff02::1", false, false),
            ("2001::1", false, false),
            ("2001:db8::1", false, false),
            ("3fff::1", false, false),
            ("4000::1", false, false),
        ] {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!((may_be_reached(ip, false), may_be_reached(ip, true)), (public, private), "{text}");
        }
    }

    #[test]
    fn an_address_is_read_or_refused_by_name() {
        let long = format!("https://example.com/{}", "x".repeat(URL_BYTES_MAX));
        let private = |ip: &str| Some(Problem::Private(ip.parse().unwrap()));
        for (url, alone, allowed) in [
            ("https://example.com", None, None),
            ("https://EXAMPLE.com:8443/a/b?c=d", None, None),
            ("https://1.1.1.1/x", None, None),
            ("https://[2606:4700::1111]:443/", None, None),
            ("http://example.com/", Some(Problem::NotEncrypted), None),
            ("https://example.com:22/", Some(Problem::Port(22)), None),
            ("https://127.0.0.1/", private("127.0.0.1"), None),
            ("https://[::1]:8443/", private("::1"), None),
            ("https://[fe80::1]/", private("fe80::1"), private("fe80::1")),
            ("https://169.254.169.254/latest", private("169.254.169.254"), private("169.254.169.254")),
            ("https://user:pass@example.com/", Some(Problem::Credentials), Some(Problem::Credentials)),
            ("https://example.com:0/", Some(Problem::Port(0)), Some(Problem::Port(0))),
            ("https://example.com:99999/", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            ("ftp://example.com/", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            ("example.com", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            ("https://", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            ("https://a..b/", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            ("https://例子.com/", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            ("https://example.com/#x", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            ("https://example.com/\r\nx: y", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            ("", Some(Problem::Unreadable), Some(Problem::Unreadable)),
            (&long, Some(Problem::TooLong), Some(Problem::TooLong)),
        ] {
            assert_eq!(Target::parse(url, false).err(), alone, "{url}");
            assert_eq!(Target::parse(url, true).err(), allowed, "{url}");
        }
    }

    #[test]
    fn an_address_that_reads_says_where_it_leads() {
        let target = Target::parse("https://Example.com:8443/a?b=c", false).unwrap();
        let said = (target.host.as_str(), target.port, target.authority.as_str(), target.path.as_str());
        assert_eq!(said, ("example.com", 8443, "Example.com:8443", "/a?b=c"));
        let target = Target::parse("http://[::1]", true).unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("::1", 80, "/"));
        assert!(!target.encrypted);
    }
}
