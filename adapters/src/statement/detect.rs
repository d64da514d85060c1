//! Which format a file is in, by its first characters.

/// A format this crate reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detected {
    Xml,
    Mt,
}

/// `head` is the first piece of the file as UTF-8, perhaps cut inside a character.
pub(super) fn detect(head: &[u8]) -> Option<Detected> {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches(|character: char| {
        character.is_whitespace() || character.is_control() || character == '\u{FEFF}'
    });
    if text.starts_with('<') {
        return Some(Detected::Xml);
    }
    if text.starts_with("{1:") {
        return Some(Detected::Mt);
    }
    text.lines().take(64).map(str::trim_start).any(is_mt_line).then_some(Detected::Mt)
}

/// Fields that begin every statement message, also in files without SWIFT blocks.
fn is_mt_line(line: &str) -> bool {
    const FIRST: &[&str] =
        &[":20:", ":25:", ":25P:", ":28:", ":28C:", ":60F:", ":60M:", ":61:", ":940:", ":942:"];
    FIRST.iter().any(|tag| line.starts_with(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_content() {
        assert_eq!(detect(b"\xEF\xBB\xBF  <?xml version='1.0'?>"), Some(Detected::Xml));
        assert_eq!(detect(b"<Document>"), Some(Detected::Xml));
        assert_eq!(detect(b"\x01{1:F01BANK}{2:I940}{4:\r\n:20:X"), Some(Detected::Mt));
        assert_eq!(detect(b"\r\n:20:STARTUMSE\r\n"), Some(Detected::Mt));
        assert_eq!(detect(b"ABN AMRO HEADER\n:940:\n"), Some(Detected::Mt));
        for other in ["", "date;amount\n1;2", "%PDF-1.7", "{\"a\": 1}", "PK\u{3}\u{4}", "20:", " \n\t"] {
            assert_eq!(detect(other.as_bytes()), None, "{other:?}");
        }
    }
}
