//! What stands before the server, and what may be believed of a request: where it comes from, by https or not, from which page; and
//! the cookie.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What stands before the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// Where people reach it: `https://console.shop.example`. Where it begins with `https`, cookies go nowhere else.
    pub public_url: Option<String>,
    /// Proxies whose word is taken for where a request comes from (`X-Forwarded-For`, `X-Forwarded-Proto`). Nobody else's is.
    pub proxies: Vec<IpAddr>,
}

/// The cookie's name by https: browsers let no other host, and no page without encryption, set one of this name.
pub(super) const SECURE: &str = "__Host-zhiyin";
/// Its name elsewhere.
pub(super) const PLAIN: &str = "zhiyin";
/// What proxies add.
const FORWARDED: [&str; 5] = ["x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host"];

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// IPv4 that came by a socket of IPv6 is IPv4.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// Host and port of an address such as `https://a.example:8443/x`.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())
}

/// A host without its port, and without the brackets of IPv6.
fn host_alone(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

impl Front {
    fn is_proxy(&self, peer: Option<IpAddr>) -> bool {
        peer.is_some_and(|peer| self.proxies.iter().any(|proxy| plain(*proxy) == plain(peer)))
    }

    /// Where a request comes from: its peer, or whom the last proxy of ours names.
    pub(super) fn address(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.is_proxy(peer) {
            return peer.map(plain);
        }
        // The last that is no proxy of ours: what stands before it anybody may have written.
        let mut said: Vec<&str> = Vec::new();
        for value in headers.get_all("x-forwarded-for") {
            said.extend(value.to_str().unwrap_or_default().split(',').map(str::trim));
        }
        let addresses = said.into_iter().rev().map(|text| host_or_all(text).parse::<IpAddr>().ok());
        for address in addresses {
            if !self.is_proxy(address) {
                return address.map(plain).or(peer);
            }
        }
        peer.map(plain)
    }

    /// Whether a request comes by https.
    pub(super) fn secure(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
        let by_proxy = || self.is_proxy(peer) && text(headers, "x-forwarded-proto") == Some("https");
        self.is_https() || by_proxy()
    }

    fn is_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    fn public_authority(&self) -> Option<&str> {
        self.public_url.as_deref().and_then(authority)
    }

    /// Whether a request comes from a page of this server, or from no page at all.
    pub(super) fn is_own_page(&self, headers: &HeaderMap) -> bool {
        if let Some(site) = text(headers, "sec-fetch-site") {
            return site == "same-origin" || site == "none";
        }
        let Some(origin) = text(headers, "origin") else { return true };
        let Some(origin) = authority(origin) else { return false };
        Some(origin) == text(headers, "host") || Some(origin) == self.public_authority()
    }

    /// Whether somebody may make the first owner: at the machine itself; or in a private network, while nobody works with the home.
    /// Names that lead here by somebody else's doing are no names of ours, or a page elsewhere could be the one who asks.
    pub(super) fn is_near(&self, peer: Option<IpAddr>, headers: &HeaderMap, is_fresh: bool) -> bool {
        let said = text(headers, "host").unwrap_or_default();
        let host = host_alone(said);
        let is_own_name =
            host.parse::<IpAddr>().is_ok() || !host.contains('.') || Some(said) == self.public_authority();
        let Some(address) = self.address(peer, headers).filter(|_| is_own_name) else { return false };
        // Who speaks for others and was not named as a proxy is nobody near; nor is a proxy that does not say for whom it speaks.
        let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
        if is_forwarded != self.is_proxy(peer) || self.is_proxy(Some(address)) {
            return false;
        }
        address.is_loopback() || is_fresh && is_private(address)
    }
}

/// An address that may bear a port.
fn host_or_all(text: &str) -> &str {
    match text.parse::<IpAddr>() {
        Ok(_) => text,
        Err(_) => host_alone(text),
    }
}

/// What cookies of people a request brings, the one that counts first.
pub(super) fn tokens(front: &Front, headers: &HeaderMap) -> Vec<String> {
    tokens_of((SECURE, PLAIN), front, headers)
}

/// The same of a pair of names: the one by https, and the one elsewhere.
pub(crate) fn tokens_of(
    (by_https, elsewhere): (&str, &str),
    front: &Front,
    headers: &HeaderMap,
) -> Vec<String> {
    let mut found = [None, None];
    for value in headers.get_all(header::COOKIE) {
        for pair in value.to_str().unwrap_or_default().split(';') {
            let Some((name, value)) = pair.trim().split_once('=') else { continue };
            match name {
                name if name == by_https => found[0] = found[0].take().or(Some(value.to_owned())),
                // Where everybody comes by https, a plain one is none of ours.
                name if name == elsewhere && !front.is_https() => {
                    found[1] = found[1].take().or(Some(value.to_owned()))
                }
                _ => {}
            }
        }
    }
    found.into_iter().flatten().collect()
}

/// A cookie of people for so many seconds; for none it goes.
pub(super) fn cookie(secure: bool, value: &str, seconds: i64) -> String {
    cookie_of((SECURE, PLAIN), secure, value, seconds)
}

/// The same of a pair of names.
pub(crate) fn cookie_of(
    (by_https, elsewhere): (&str, &str),
    secure: bool,
    value: &str,
    seconds: i64,
) -> String {
    let (name, secure) = if secure { (by_https, "; Secure") } else { (elsewhere, "") };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of a head, as names and values.
    type Heads<'a> = &'a [(&'static str, &'a str)];

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_named_proxy_says_where_a_request_comes_from() {
        let front = Front { public_url: None, proxies: vec![ip("10.0.0.2"), ip("10.0.0.3")] };
        let rows: [(&str, Heads<'_>, &str, bool); 7] = [
            (
                "203.0.113.9",
                &[("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https")],
                "203.0.113.9",
                false,
            ),
            (
                "10.0.0.2",
                &[("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https")],
                "198.51.100.7",
                true,
            ),
            ("10.0.0.2", &[("x-forwarded-for", "127.0.0.1, 198.51.100.7")], "198.51.100.7", false),
            ("10.0.0.2", &[("x-forwarded-for", "198.51.100.7, 10.0.0.3")], "198.51.100.7", false),
            ("10.0.0.2", &[("x-forwarded-for", "[2001:db8::1]:443")], "2001:db8::1", false),
            ("10.0.0.2", &[], "10.0.0.2", false),
            ("::ffff:10.0.0.2", &[("x-forwarded-for", "198.51.100.7")], "198.51.100.7", false),
        ];
        for (peer, said, expected, secure) in rows {
            let said = headers(said);
            assert_eq!(front.address(Some(ip(peer)), &said), Some(ip(expected)), "{peer} {said:?}");
            assert_eq!(front.secure(Some(ip(peer)), &said), secure, "{peer} {said:?}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_told_apart() {
        let front = Front { public_url: Some("https://vip.example".to_owned()), proxies: Vec::new() };
        let host = ("host", "127.0.0.1:8080");
        let rows: [(&[(&'static str, &str)], bool); 8] = [
            (&[host], true),
            (&[host, ("origin", "http://127.0.0.1:8080")], true),
            (&[host, ("origin", "https://vip.example")], true),
            (&[host, ("origin", "https://evil.example")], false),
            (&[host, ("origin", "null")], false),
            (&[host, ("sec-fetch-site", "same-origin")], true),
            (&[host, ("sec-fetch-site", "cross-site"), ("origin", "https://vip.example")], false),
            (&[host, ("sec-fetch-site", "same-site")], false),
        ];
        for (said, expected) in rows {
            assert_eq!(front.is_own_page(&headers(said)), expected, "{said:?}");
        }
    }

    #[test]
    fn the_first_owner_is_made_near_by() {
        let front = Front::default();
        let rows: [(&str, &str, Heads<'_>, bool, bool); 9] = [
            ("127.0.0.1", "localhost:8080", &[], false, true),
            ("::1", "[::1]:8080", &[], false, true),
            ("127.0.0.1", "rebound.evil.example", &[], false, false),
            ("127.0.0.1", "127.0.0.1:1", &[("x-forwarded-for", "203.0.113.9")], false, false),
            ("192.168.1.5", "192.168.1.2:8080", &[], true, true),
            ("192.168.1.5", "192.168.1.2:8080", &[], false, false),
            ("192.168.1.5", "rebound.evil.example", &[], true, false),
            ("203.0.113.9", "203.0.113.1", &[], true, false),
            ("10.1.2.3", "zhiyin", &[], true, true),
        ];
        for (address, host, more, fresh, expected) in rows {
            let mut said = headers(more);
            said.insert("host", host.parse().unwrap());
            assert_eq!(front.is_near(Some(ip(address)), &said, fresh), expected, "{address} {host} {fresh}");
        }
        assert!(!front.is_near(None, &HeaderMap::new(), true));
        // Behind a proxy whoever it speaks for counts; one that says nothing speaks for anybody.
        let front = Front { public_url: None, proxies: vec![ip("127.0.0.1")] };
        let host = ("host", "localhost");
        for (peer, said, expected) in [
            ("127.0.0.1", vec![host, ("x-forwarded-for", "10.0.0.9")], true),
            ("127.0.0.1", vec![host, ("x-forwarded-for", "203.0.113.9")], false),
            ("127.0.0.1", vec![host], false),
            ("::1", vec![host, ("x-forwarded-for", "10.0.0.9")], false),
        ] {
            assert_eq!(front.is_near(Some(ip(peer)), &headers(&said), true), expected, "{peer} {said:?}");
        }
    }

    #[test]
    fn a_plain_cookie_is_none_where_all_come_by_https() {
        let said = headers(&[("cookie", "a=b; zhiyin=one; __Host-zhiyin=two"), ("cookie", "zhiyin=three")]);
        assert_eq!(tokens(&Front::default(), &said), ["two", "one"]);
        let front = Front { public_url: Some("https://vip.example".to_owned()), proxies: Vec::new() };
        assert_eq!(tokens(&front, &said), ["two"]);
        assert_eq!(
            cookie(true, "x", 60),
            "__Host-zhiyin=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
    }
}
