//! Addresses to which a payer's browser is sent.

use axum::http::Uri;

const URL_CHARS_MAX: usize = 500;

/// The address as it is written, when a browser goes nowhere else by it: https, or http on the loopback in test mode; without
/// credentials or a fragment, and without dot segments, which a browser resolves before it asks (RFC 3986, section 5.2.4).
pub fn read(text: &str, live: bool) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let loopback = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let scheme = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => loopback && !live,
        _ => false,
    };
    let credentials = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    // The library takes a port that no browser does as none.
    let after_host = uri.authority().zip(uri.host()).and_then(|(all, host)| all.as_str().strip_prefix(host));
    let port = after_host.is_some_and(|port| port.is_empty() || uri.port_u16().is_some_and(|port| port > 0));
    let plain = !text.contains(['#', '\\']) && !uri.path().split('/').any(is_dots);
    (scheme && !credentials && port && plain && text.len() <= URL_CHARS_MAX).then_some(uri)
}

fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_goes_where_the_address_says_or_it_is_refused() {
        for good in [
            "https://portal.example/back",
            "https://portal.example/a?b=../c",
            "https://portal.example/a..b/...",
        ] {
            assert!(read(good, true).is_some(), "{good}");
        }
        for local in ["http://127.0.0.1:8080/", "http://localhost/back", "http://[::1]/"] {
            assert!(read(local, false).is_some() && read(local, true).is_none(), "{local}");
        }
        for bad in [
            "portal.example/back",
            "ftp://portal.example/",
            "http://portal.example/",
            "https://user@portal.example/",
            "https://portal.example/back#top",
            "https://portal.example/back/../other",
            "https://portal.example/back/./",
            "https://portal.example/back/%2E./other",
            "https://portal.example/back/%2e%2e",
            "https://portal.example\\@evil.example/",
            "https://portal.example:abc/",
            "https://portal.example:99999/",
            "https://portal.example:0/",
            "https://portal.example:/",
            "http://127.0.0.1:8080.evil.example/",
        ] {
            assert!(read(bad, false).is_none(), "{bad}");
        }
        assert!(read(&format!("https://portal.example/{}", "a".repeat(500)), true).is_none());
    }
}
