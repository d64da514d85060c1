//! The certificates that the configuration holds, and until when they are good.

use mizan_ledger::{Clock as _, Day, SystemClock, Zone};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;

use super::Findings;
use crate::config::Config;

/// Who renews a certificate has to ask others for it.
const RENEWED_DAYS_BEFORE: i32 = 30;

/// Every certificate in PEM: its place in the configuration, and the text.
pub fn look(config: &Config, findings: &mut Findings) {
    let banks = config
        .banks
        .iter()
        .filter_map(|bank| Some((format!("bank {}", bank.name), &bank.endpoint.as_ref()?.endpoint)));
    let gateways = config
        .channels
        .iter()
        .filter_map(|(name, channel)| Some((format!("channel {name}"), &channel.gateway.as_ref()?.endpoint)));
    let today = SystemClock.now().day_in(&Zone::utc());
    for (what, endpoint) in banks.chain(gateways) {
        if let Some(pem) = &endpoint.trusted_roots_pem {
            judge(&format!("{what} trusted_roots_pem"), pem, today, findings);
        }
        if let Some(pem) = &endpoint.identity_pem {
            judge(&format!("{what} identity_pem"), pem.expose_secret(), today, findings);
        }
    }
    if let Some(pem) = &config.webhooks.trusted_roots_pem {
        judge("webhooks trusted_roots_pem", pem, today, findings);
    }
}

/// The certificate of a bundle that ends first decides.
fn judge(what: &str, pem: &str, today: Day, findings: &mut Findings) {
    let ends = CertificateDer::pem_slice_iter(pem.as_bytes())
        .map(|certificate| last_day(&certificate.ok()?))
        .collect::<Option<Vec<Day>>>();
    let Some(last) = ends.and_then(|ends| ends.into_iter().min()) else {
        return findings.ill(what, "holds something that is no certificate", "put certificates in PEM there");
    };
    match last.days_since(today) {
        left if left < 0 => findings.ill(what, format!("ended on {last}"), "put the renewed one there"),
        left if left < RENEWED_DAYS_BEFORE => {
            findings.ill(what, format!("ends on {last}, in {left} days"), "renew it in time");
        }
        _ => findings.well(what, format!("good until {last}")),
    }
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// `notAfter` of a certificate (RFC 5280 section 4.1), as a day in UTC; nothing when this is none.
fn last_day(certificate: &[u8]) -> Option<Day> {
    let (SEQUENCE, certificate, _) = element(certificate)? else { return None };
    let (SEQUENCE, mut rest, _) = element(certificate)? else { return None };
    if let (VERSION, _, after) = element(rest)? {
        rest = after;
    }
    // serialNumber, signature, issuer
    for expected in [INTEGER, SEQUENCE, SEQUENCE] {
        let (tag, _, after) = element(rest)?;
        rest = (tag == expected).then_some(after)?;
    }
    let (SEQUENCE, validity, _) = element(rest)? else { return None };
    let (_, _, not_after) = element(validity)?;
    let (tag, text, _) = element(not_after)?;
    day(tag, std::str::from_utf8(text).ok()?)
}

/// The first element of DER (X.690): its tag, what it holds, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(*short), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (held, after) = rest.split_at_checked(length)?;
    Some((*tag, held, after))
}

/// `YYMMDD...` of this and the last century (RFC 5280 section 4.1.2.5.1), or `YYYYMMDD...`.
fn day(tag: u8, text: &str) -> Option<Day> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let (year, at) = match tag {
        UTC_TIME => (number(0, 2).map(|year| if year < 50 { 2000 + year } else { 1900 + year })?, 2),
        GENERALIZED_TIME => (number(0, 4)?, 4),
        _ => return None,
    };
    let part = |from: usize| number(from, from + 2).and_then(|part| i8::try_from(part).ok());
    Day::new(year, part(at)?, part(at + 2)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made for this test with openssl, valid until 2027-03-04; nobody holds its key.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBeTCCAR+gAwIBAgIUMKGbi7bW1zTw3GbltCieF1k/ML8wCgYIKoZIzj0EAwIw\n\
        EjEQMA4GA1UEAwwHZXhhbXBsZTAeFw0yNjExMjIwOTMzMTBaFw0yNzAzMDQwOTMz\n\
        MTBaMBIxEDAOBgNVBAMMB2V4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n\
        AATHbfyM7FD38zHlfXctJE6aAvOHh7WRlwNxr0ujgkh65Qd+oejRsR6wtlaVl7Lz\n\
        VopxHOYiBF00ZNVITroJ8rpEo1MwUTAdBgNVHQ4EFgQUTVLamaFOSOLMWnFsd4uM\n\
        3UcJ3bowHwYDVR0jBBgwFoAUTVLamaFOSOLMWnFsd4uM3UcJ3bowDwYDVR0TAQH/\n\
        BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBSab2Ru8BlRoMNxYkeW3u972K4P56u\n\
        ojtFWG0FC6HzIwIhAKdto6bnnFNXjWBfEp9IiDApoS32nNdX3+ZnGPlFD1Sy\n\
        -----END CERTIFICATE-----\n";

    fn found(pem: &str, today: &str) -> (bool, String) {
        let mut findings = Findings::default();
        judge("x", pem, today.parse().expect("a day"), &mut findings);
        (findings.is_well(), findings.0[0].is.clone())
    }

    #[test]
    fn a_certificate_is_told_before_it_ends_and_after() {
        assert_eq!(found(CERTIFICATE, "2027-01-01"), (true, "good until 2027-03-04".to_owned()));
        assert_eq!(found(CERTIFICATE, "2027-02-22"), (false, "ends on 2027-03-04, in 10 days".to_owned()));
        assert_eq!(found(CERTIFICATE, "2027-03-05"), (false, "ended on 2027-03-04".to_owned()));
    }

    #[test]
    fn what_is_no_certificate_is_named_and_never_panics() {
        let broken = CERTIFICATE.replacen("MII", "AII", 1);
        for pem in ["", "no certificate", &broken] {
            assert!(!found(pem, "2027-01-01").0, "{pem}");
        }
        let der = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a certificate");
        for cut in 0..der.len() {
            let _: Option<Day> = last_day(&der[..cut]);
        }
        assert_eq!(last_day(&der), "2027-03-04".parse().ok());
        assert_eq!(day(GENERALIZED_TIME, "20510304000000Z"), "2051-03-04".parse().ok());
        assert_eq!(day(UTC_TIME, "990304000000Z"), "1999-03-04".parse().ok());
    }
}
