//! Where a webhook may go. A URL is given by a portal, and the hub stands where portals cannot reach: it must not
//! be led to knock on doors of its own network (server-side request forgery).
//!
//! Hosts are allow-listed; plain http goes to the loopback only, and that only in test mode. What a name resolves
//! to is judged again at every connection, and the connection is made to the very addresses that were judged.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use crate::config::Config;

const URL_CHARS_MAX: usize = 500;

/// Address blocks that are not reached over the public internet (IANA's special-purpose registries).
const NOT_PUBLIC: &[(IpAddr, u8)] = &[
    (v4(0, 0, 0, 0), 8),
    (v4(10, 0, 0, 0), 8),
    (v4(100, 64, 0, 0), 10),
    (v4(127, 0, 0, 0), 8),
    (v4(169, 254, 0, 0), 16),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 0, 0, 0), 24),
    (v4(192, 0, 2, 0), 24),
    (v4(192, 88, 99, 0), 24),
    (v4(192, 168, 0, 0), 16),
    (v4(198, 18, 0, 0), 15),
    (v4(198, 51, 100, 0), 24),
    (v4(203, 0, 113, 0), 24),
    (v4(224, 0, 0, 0), 3),
    // Of IPv6 only 2000::/3 is public, and of it not these.
    (v6(0x0000, 0x0000), 3),
    (v6(0x2001, 0x0000), 23),
    (v6(0x2001, 0x0db8), 32),
    (v6(0x2002, 0x0000), 16),
    (v6(0x3fff, 0x0000), 20),
    (v6(0x4000, 0x0000), 2),
    (v6(0x8000, 0x0000), 1),
];

/// Blocks that a test deployment may reach when the host is allow-listed: private networks and the loopback.
const PRIVATE: &[(IpAddr, u8)] = &[
    (v4(10, 0, 0, 0), 8),
    (v4(127, 0, 0, 0), 8),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 168, 0, 0), 16),
    (v6(0xfc00, 0x0000), 7),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(first: u16, second: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0))
}

/// Why nothing is sent to a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is not an https URL without user and fragment of at most {URL_CHARS_MAX} characters")]
    Form,
    #[error("plain http is for the loopback in test mode")]
    NotEncrypted,
    #[error("the host is not registered for webhooks")]
    Host,
    #[error("the host leads to an address that webhooks are not sent to")]
    Address,
}

/// The text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network such as 10.20.0.0/16 or fd00:20::/32")]
pub struct NotANetwork(String);

/// What the configuration allows.
#[derive(Debug, Clone)]
pub struct Policy {
    live: bool,
    hosts: Vec<String>,
    networks: Vec<(IpAddr, u8)>,
}

impl Policy {
    /// # Errors
    /// A network that is none.
    pub fn new(config: &Config) -> Result<Self, NotANetwork> {
        Ok(Self {
            live: config.mode.is_live(),
            hosts: config.webhooks.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            networks: config.webhooks.networks.iter().map(|text| network(text)).collect::<Result<_, _>>()?,
        })
    }

    /// The URL, if webhooks may be sent to it as far as its text tells.
    ///
    /// # Errors
    /// Why not.
    pub fn target(&self, text: &str) -> Result<Url, Refused> {
        let url = Url::parse(text).map_err(|_| Refused::Form)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let host = url.host_str().filter(|_| plain && text.len() <= URL_CHARS_MAX).ok_or(Refused::Form)?;
        let loopback = !self.live && is_loopback(host);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(Refused::NotEncrypted),
            _ => return Err(Refused::Form),
        }
        match literal(host) {
            // No name is resolved for a literal address: this is the only look at it.
            Some(address) if loopback || self.in_networks(address) => self.judge(host, address)?,
            Some(address) if self.is_listed(host) => self.judge(host, address)?,
            None if loopback || self.is_listed(host) => {}
            _ => return Err(Refused::Host),
        }
        Ok(url)
    }

    /// Whether a connection to `address` may be made in the name of `host`.
    ///
    /// # Errors
    /// When the address is not public and not allowed by configuration either.
    pub fn judge(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let address = address.to_canonical();
        // What is called localhost may speak plain http: it must be the loopback.
        let allowed = if is_loopback(host) {
            !self.live && address.is_loopback()
        } else {
            !within(address, NOT_PUBLIC)
                || self.in_networks(address)
                || (!self.live && within(address, PRIVATE))
        };
        if allowed { Ok(()) } else { Err(Refused::Address) }
    }

    fn is_listed(&self, host: &str) -> bool {
        self.hosts.iter().any(|listed| match listed.strip_prefix("*.") {
            Some(parent) => {
                host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            None => listed == host,
        })
    }

    fn in_networks(&self, address: IpAddr) -> bool {
        within(address.to_canonical(), &self.networks)
    }
}

/// The address that a host is, without asking anyone.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || literal(host).is_some_and(|address| address.to_canonical().is_loopback())
}

fn network(text: &str) -> Result<(IpAddr, u8), NotANetwork> {
    let refuse = || NotANetwork(text.to_owned());
    let (start, bits) = text.split_once('/').ok_or_else(refuse)?;
    let start: IpAddr = start.parse().map_err(|_| refuse())?;
    let bits: u8 = bits.parse().map_err(|_| refuse())?;
    let bits_max = if start.is_ipv4() { 32 } else { 128 };
    if bits > bits_max { Err(refuse()) } else { Ok((start, bits)) }
}

fn within(address: IpAddr, blocks: &[(IpAddr, u8)]) -> bool {
    blocks.iter().any(|(start, bits)| match (address, start) {
        (IpAddr::V4(address), IpAddr::V4(start)) => {
            let differ = address.to_bits() ^ start.to_bits();
            differ.checked_shr(32 - u32::from(*bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(start)) => {
            let differ = address.to_bits() ^ start.to_bits();
            differ.checked_shr(128 - u32::from(*bits)).unwrap_or(0) == 0
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mode;

    fn policy(mode: Mode, hosts: &[&str], networks: &[&str]) -> Policy {
        let mut config = Config { mode, ..Config::default() };
        config.webhooks.hosts = hosts.iter().map(ToString::to_string).collect();
        config.webhooks.networks = networks.iter().map(ToString::to_string).collect();
        Policy::new(&config).expect("networks")
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_listed_hosts_are_sent_to() {
        let live = policy(Mode::Live, &["portal.example", "*.Ministry.example"], &[]);
        for good in [
            "https://portal.example/hooks?x=1",
            "https://PORTAL.example:8443/",
            "https://a.ministry.example",
            "https://a.b.ministry.example/",
        ] {
            assert!(live.target(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("https://ministry.example/", Refused::Host),
            ("https://.ministry.example/", Refused::Host),
            ("https://evilministry.example/", Refused::Host),
            ("https://portal.example.evil.example/", Refused::Host),
            ("https://portal.example./", Refused::Host),
            ("https://1.1.1.1/", Refused::Host),
            ("https://127.0.0.1/", Refused::Host),
            ("https://localhost/", Refused::Host),
            ("http://portal.example/", Refused::NotEncrypted),
            ("http://127.0.0.1/", Refused::NotEncrypted),
            ("https://user@portal.example/", Refused::Form),
            ("https://:secret@portal.example/", Refused::Form),
            ("https://portal.example/#x", Refused::Form),
            ("ftp://portal.example/", Refused::Form),
            ("file:///etc/passwd", Refused::Form),
            ("portal.example/hooks", Refused::Form),
            ("", Refused::Form),
        ] {
            assert_eq!(live.target(bad).err(), Some(why), "{bad}");
        }
        let long = format!("https://portal.example/{}", "a".repeat(500));
        assert_eq!(live.target(&long).err(), Some(Refused::Form));
    }

    #[test]
    fn plain_http_is_for_the_loopback_in_test_mode() {
        let test = policy(Mode::Test, &["portal.example"], &[]);
        for good in
            ["http://127.0.0.1:9000/x", "http://localhost:9000/", "http://[::1]/", "https://127.0.0.1/"]
        {
            assert!(test.target(good).is_ok(), "{good}");
        }
        for bad in ["http://portal.example/", "http://10.0.0.1/", "http://localhost.evil.example/"] {
            assert_eq!(test.target(bad).err(), Some(Refused::NotEncrypted), "{bad}");
        }
        assert_eq!(test.target("https://10.0.0.1/").err(), Some(Refused::Host));
    }

    #[test]
    fn other_spellings_of_an_address_are_the_address() {
        let live = policy(Mode::Live, &["127.0.0.1", "10.0.0.1", "169.254.169.254"], &[]);
        for spelling in [
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert_eq!(live.target(spelling).err(), Some(Refused::Address), "{spelling}");
        }
        assert!(live.target("https://[::ffff:127.0.0.1]/").is_err());
    }

    #[test]
    fn a_listed_name_may_not_lead_inside() {
        let live = policy(Mode::Live, &["portal.example"], &[]);
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2002:a00:1::1",
            "2001:db8::1",
        ] {
            assert_eq!(live.judge("portal.example", address(inside)), Err(Refused::Address), "{inside}");
        }
        for outside in ["1.1.1.1", "172.32.0.1", "192.0.3.1", "2606:4700::1111", "2a00::1"] {
            assert_eq!(live.judge("portal.example", address(outside)), Ok(()), "{outside}");
        }
    }

    #[test]
    fn a_listed_network_is_reached_in_live_mode_too() {
        let live = policy(Mode::Live, &["portal.example"], &["10.20.0.0/16", "fd00:20::/32"]);
        assert_eq!(live.judge("portal.example", address("10.20.255.1")), Ok(()));
        assert_eq!(live.judge("portal.example", address("10.21.0.1")), Err(Refused::Address));
        assert_eq!(live.judge("portal.example", address("fd00:20::5")), Ok(()));
        assert!(live.target("https://10.20.0.9/hooks").is_ok());
        assert_eq!(live.target("https://10.21.0.9/hooks").err(), Some(Refused::Host));
    }

    #[test]
    fn localhost_is_the_loopback_or_nothing() {
        let test = policy(Mode::Test, &["localhost"], &["10.0.0.0/8"]);
        assert_eq!(test.judge("localhost", address("127.0.0.1")), Ok(()));
        assert_eq!(test.judge("localhost", address("10.0.0.1")), Err(Refused::Address));
        let live = policy(Mode::Live, &["localhost"], &["127.0.0.0/8"]);
        assert_eq!(live.judge("localhost", address("127.0.0.1")), Err(Refused::Address));
    }

    #[test]
    fn the_metadata_service_is_refused_even_in_test_mode() {
        let test = policy(Mode::Test, &["portal.example"], &[]);
        assert_eq!(test.judge("portal.example", address("192.168.0.5")), Ok(()));
        assert_eq!(test.judge("portal.example", address("169.254.169.254")), Err(Refused::Address));
    }

    #[test]
    fn a_network_has_an_address_and_a_length() {
        assert_eq!(network("0.0.0.0/0"), Ok((v4(0, 0, 0, 0), 0)));
        assert!(within(address("9.9.9.9"), &[network("0.0.0.0/0").expect("all")]));
        assert!(within(address("9::9"), &[network("::/0").expect("all")]));
        for bad in ["10.0.0.0", "10.0.0.0/33", "::/129", "ten/8", "10.0.0.0/-1", "/8"] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }
}
