//! Signatures of outside parties, compared in constant time.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// Length of an HMAC-SHA256 in bytes (RFC 2104, FIPS 180-4).
const MAC_LENGTH: usize = 32;

/// HMAC-SHA256 of `body` under one of `keys`, in lower-case hex as `signature` claims.
///
/// Several keys are tried so that a key can be rotated without losing a notice; all of them are always
/// computed, so the time tells neither which key matched nor how far a comparison came.
pub fn hmac_sha256_hex(keys: &[SecretString], body: &[u8], signature: &[u8]) -> bool {
    // Upper case would decode to the same bytes; it is refused so that one body has exactly one signature.
    let lower_case = signature.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut claimed = [0_u8; MAC_LENGTH];
    lower_case && hex::decode_to_slice(signature, &mut claimed).is_ok() && matches_any(keys, body, &claimed)
}

fn matches_any(keys: &[SecretString], body: &[u8], claimed: &[u8; MAC_LENGTH]) -> bool {
    let found = keys.iter().fold(Choice::from(0), |found, key| {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(body);
        found | mac.finalize().into_bytes().as_slice().ct_eq(claimed)
    });
    bool::from(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const KEY: &str = "Jefe";
    const DATA: &[u8] = b"what do ya want for nothing?";
    const MAC: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    fn keys(keys: &[&str]) -> Vec<SecretString> {
        keys.iter().map(|key| SecretString::from(*key)).collect()
    }

    #[test]
    fn the_published_vector_verifies() {
        assert!(hmac_sha256_hex(&keys(&[KEY]), DATA, MAC.as_bytes()));
    }

    #[test]
    fn during_rotation_the_old_and_the_new_key_verify() {
        assert!(hmac_sha256_hex(&keys(&["new", KEY]), DATA, MAC.as_bytes()));
        assert!(hmac_sha256_hex(&keys(&[KEY, "new"]), DATA, MAC.as_bytes()));
        assert!(!hmac_sha256_hex(&keys(&["new", "newer"]), DATA, MAC.as_bytes()));
        assert!(!hmac_sha256_hex(&[], DATA, MAC.as_bytes()));
    }

    #[test]
    fn any_other_text_is_no_signature() {
        let short = &MAC[..62];
        let long = format!("{MAC}00");
        let upper = MAC.to_uppercase();
        let spaced = format!(" {MAC}");
        for text in ["", short, &long, &upper, &spaced, "zz", &"0".repeat(64)] {
            assert!(!hmac_sha256_hex(&keys(&[KEY]), DATA, text.as_bytes()), "{text:?}");
        }
        assert!(!hmac_sha256_hex(&keys(&[KEY]), DATA, &[0xff; 64]));
    }

    #[test]
    fn every_flipped_bit_of_the_body_is_noticed() {
        for byte in 0..DATA.len() {
            for bit in 0..8 {
                let mut altered = DATA.to_vec();
                altered[byte] ^= 1 << bit;
                assert!(!hmac_sha256_hex(&keys(&[KEY]), &altered, MAC.as_bytes()));
            }
        }
    }
}
