//! The shapes of what comes in: names, references, account numbers, texts, addresses. Nothing with control
//! characters gets further, so nothing in a page or a file needs more than escaping.

use reqwest::Url;

/// What an account number is by its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    Iban,
    Other,
}

/// The kind of an account number; `None` for what is neither an IBAN with right check digits nor 1-34 letters and
/// digits. What begins like an IBAN must be one (ISO 13616).
pub fn account_kind(number: &str) -> Option<AccountKind> {
    let bytes = number.as_bytes();
    if bytes.is_empty() || bytes.len() > 34 || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let like_iban = bytes.len() > 4
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit);
    match (like_iban, like_iban && remainder_97(number) == 1) {
        (true, true) => Some(AccountKind::Iban),
        (true, false) => None,
        (false, _) => Some(AccountKind::Other),
    }
}

/// The number with its first four characters last and letters as 10-35, modulo 97 (ISO 7064).
fn remainder_97(number: &str) -> u32 {
    number[4..].chars().chain(number[..4].chars()).filter_map(|c| c.to_digit(36)).fold(0, |rest, digit| {
        let shift = if digit > 9 { 100 } else { 10 };
        (rest * shift + digit) % 97
    })
}

/// A merchant's order or refund reference, or a merchant's id.
pub fn is_order(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// A payer's reference: what ISO 20022 calls Max35Text.
pub fn is_reference(text: &str) -> bool {
    is_text(text, 35) && !text.trim().is_empty()
}

pub fn is_name(text: &str) -> bool {
    is_text(text, 70) && !text.trim().is_empty()
}

/// At most so many characters, none of them a control or a non-character, which XML cannot carry.
pub fn is_text(text: &str, most: usize) -> bool {
    text.chars().count() <= most
        && !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}'))
}

/// A creditor reference with right check digits (ISO 11649).
pub fn is_creditor_reference(text: &str) -> bool {
    let shape = (5..=25).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    shape && text.starts_with("RF") && remainder_97(text) == 1
}

/// A text in pieces of at most so many characters, to be put together again without a blank: no cut stands beside
/// a blank, which readers trim, or before a `:` or `-`, which would begin a tag or end a message in MT940.
pub fn pieces(text: &str, most: usize) -> Vec<String> {
    let mut rest: Vec<char> = text.trim().chars().collect();
    let mut pieces = Vec::new();
    while rest.len() > most {
        let fits = |at: &usize| rest[*at - 1] != ' ' && !matches!(rest[*at], ' ' | ':' | '-');
        let at = (1..=most).rev().find(fits).unwrap_or(most);
        let next = rest.split_off(at);
        pieces.push(rest.into_iter().collect());
        rest = next;
    }
    if !rest.is_empty() {
        pieces.push(rest.into_iter().collect());
    }
    pieces
}

/// An address of at most 500 characters with one of these schemes and a host.
pub fn parse_url(text: &str, schemes: &[&str]) -> Option<Url> {
    let url = (text.len() <= 500).then(|| Url::parse(text).ok())??;
    (schemes.contains(&url.scheme()) && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_ibans_are_right_and_one_changed_digit_is_not() {
        for iban in [
            "PS92PALS000000000400123456702",
            "JO94CBJO0010000000000131000302",
            "EG380019000500000000263180002",
        ] {
            assert_eq!(account_kind(iban), Some(AccountKind::Iban), "{iban}");
            assert_eq!(account_kind(&iban.replace('3', "8")), None, "{iban} changed");
        }
    }

    #[test]
    fn an_account_number_without_an_iban_is_known_as_such() {
        assert_eq!(account_kind("0101234567"), Some(AccountKind::Other));
        for wrong in ["", "../etc", "12 34", "حساب", &"1".repeat(35)] {
            assert_eq!(account_kind(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn texts_with_control_characters_are_refused() {
        assert!(is_text("رسوم رخصة & <1>", 140));
        assert!(!is_text("a\nb", 140) && !is_text("a\u{0}", 140) && !is_text(&"x".repeat(141), 140));
        assert!(!is_reference("  ") && is_reference("RF64 2026"));
    }

    #[test]
    fn pieces_come_together_again_without_a_blank() {
        let text = "a line that is - as it happens : cut into pieces, and then put together again";
        for most in 12..70 {
            let pieces = pieces(text, most);
            assert_eq!(pieces.concat(), text);
            assert!(pieces.iter().all(|piece| piece.chars().count() <= most && piece.trim() == piece));
            assert!(!pieces[1..].iter().any(|piece| piece.starts_with([':', '-'])), "{pieces:?}");
        }
        assert!(pieces("  ", 5).is_empty());
    }

    #[test]
    fn creditor_references_have_right_check_digits() {
        assert!(is_creditor_reference("RF642026000001234") && is_creditor_reference("RF13PS2026A0042"));
        assert!(!is_creditor_reference("RF652026000001234") && !is_creditor_reference("PO13PS2026A0042"));
    }

    #[test]
    fn addresses_need_a_host_and_an_allowed_scheme() {
        assert!(parse_url("http://127.0.0.1:8080/callback", &["http"]).is_some());
        for wrong in ["javascript:alert(1)", "https://example.org", "/return", "http://", ""] {
            assert!(parse_url(wrong, &["http"]).is_none(), "{wrong}");
        }
    }
}
