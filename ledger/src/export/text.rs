//! Text of others inside a journal: it must not end a line, a comment or a tag, nor turn the reading direction.

use std::fmt::Write as _;

/// Letters and digits of any script and `_ - . /` stay; every other character becomes the percent-encoding of
/// its UTF-8. Reversible.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '/') {
            escaped.push(character);
        } else {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a String cannot fail.
                write!(escaped, "%{byte:02X}").unwrap_or_default();
            }
        }
    }
    escaped
}

/// As [`escape`] for the texts of a flat JSON object: `(key, value)` in its order.
pub(super) fn meta_pairs(meta: &str) -> Vec<(String, String)> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(meta).unwrap_or_default();
    object
        .into_iter()
        .map(|(key, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (escape(&key), escape(&value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_leave_its_place() {
        assert_eq!(escape("pi_01-a.b/c"), "pi_01-a.b/c");
        assert_eq!(escape("مثال ١"), "مثال%20١");
        assert_eq!(
            escape("a;b\n  c\"[2020-01-01]:x,\u{202e}"),
            "a%3Bb%0A%20%20c%22%5B2020-01-01%5D%3Ax%2C%E2%80%AE"
        );
        assert_eq!(escape("🧾"), "%F0%9F%A7%BE");
    }

    #[test]
    fn meta_comes_pair_by_pair() {
        let pairs = meta_pairs(r#"{"a b":"x:y","n":-5,"none":null}"#);
        let expected = [("a%20b", "x%3Ay"), ("n", "-5"), ("none", "null")];
        assert_eq!(pairs, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}
