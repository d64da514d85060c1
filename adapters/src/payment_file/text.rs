//! Texts as a bank's character set can take them.

use super::latin::transliterate;
use super::model::Charset;

/// `text` in the charset, on one line, at most `chars_max` characters; empty when nothing is left.
pub(super) fn fit(text: &str, charset: Charset, chars_max: usize) -> String {
    let printed = match charset {
        Charset::Unicode => text.chars().filter(|c| !is_invisible(*c)).map(printable).collect(),
        Charset::Latin => transliterate(text),
    };
    let one_line = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = one_line.chars().take(chars_max).collect();
    cut.trim_end().to_owned()
}

/// Marks that direct or join letters on a screen: they mean nothing in a name and break comparisons.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Outside the characters XML 1.0 allows (section 2.2), or a control: a space.
fn printable(c: char) -> char {
    if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unicode_keeps_arabic_and_drops_what_cannot_be_seen() {
        let text = "\u{2067}وزارة المالية\u{2069}\u{0} \n(مثال)";
        assert_eq!(fit(text, Charset::Unicode, 140), "وزارة المالية (مثال)");
        assert_eq!(fit("أبجد هوز", Charset::Unicode, 5), "أبجد");
    }

    #[test]
    fn latin_prints_arabic_names_in_letters_a_bank_can_print() {
        for (arabic, latin) in [
            ("وزارة المالية", "Wzara Almalia"),
            ("مؤسسة المواصفات والمقاييس", "Mussa Almuasfat Walmqayis"),
            ("شركة ٤٢ للتجارة، فرع نابلس", "Shrka 42 Lltjara, Fra Nabls"),
            ("كلية الهندسة / جامعة_مثال", "Klia Alhndsa / Jamaa-Mthal"),
            ("Café Straße & Co_1", "Cafe Strasse + Co-1"),
        ] {
            assert_eq!(fit(arabic, Charset::Latin, 140), latin);
        }
        assert_eq!(fit("日本", Charset::Latin, 140), "..");
    }

    proptest! {
        #[test]
        fn the_result_is_short_and_in_the_charset(text in any::<String>(), max in 1..200_usize) {
            let unicode = fit(&text, Charset::Unicode, max);
            prop_assert!(unicode.chars().count() <= max);
            prop_assert!(!unicode.chars().any(char::is_control));
            let latin = fit(&text, Charset::Latin, max);
            prop_assert!(latin.len() <= max);
            prop_assert!(latin.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-?:().,'+ ".contains(&b)));
            prop_assert_eq!(fit(&latin, Charset::Latin, max), latin);
        }
    }
}
