//! Names for rails that print only the SWIFT X character set: `a-z A-Z 0-9 / - ? : ( ) . , ' +` and space.
//!
//! Arabic is written by letter, without the vowels it does not write: readable for the bank's clerk, the same
//! every time, and not reversible; the original stays in the books.

/// `text` in the X character set. What has no likeness there becomes a full stop.
pub(super) fn transliterate(text: &str) -> String {
    let mut latin = String::with_capacity(text.len());
    let mut before = Before::Space;
    for c in text.chars() {
        let (letters, after) = match arabic(c, before) {
            Some("") => continue,
            Some(letters) => (letters, Before::of_arabic(c)),
            None => {
                push_other(c, &mut latin);
                before = if c.is_alphanumeric() || c == '\'' { Before::Letter } else { Before::Space };
                continue;
            }
        };
        if matches!(before, Before::Space) {
            latin.extend(letters.chars().take(1).map(|first| first.to_ascii_uppercase()));
            latin.extend(letters.chars().skip(1));
        } else {
            latin.push_str(letters);
        }
        before = after;
    }
    latin
}

/// What stands before a letter: it decides whether و and ي are consonants.
#[derive(Clone, Copy)]
enum Before {
    Space,
    Vowel,
    Letter,
}

impl Before {
    fn of_arabic(c: char) -> Self {
        if matches!(c, 'ا' | 'أ' | 'إ' | 'آ' | 'ٱ' | 'ى') { Self::Vowel } else { Self::Letter }
    }
}

/// The Latin letters for an Arabic one (Persian additions included); empty for marks that are not printed.
fn arabic(c: char, before: Before) -> Option<&'static str> {
    let consonant = !matches!(before, Before::Letter);
    Some(match c {
        'ا' | 'أ' | 'آ' | 'ٱ' | 'ى' | 'ع' | 'ة' => "a",
        'إ' => "i",
        'ب' => "b",
        'ت' | 'ط' => "t",
        'ث' => "th",
        'ج' => "j",
        'ح' | 'ه' => "h",
        'خ' => "kh",
        'د' | 'ض' => "d",
        'ذ' => "dh",
        'ر' => "r",
        'ز' | 'ظ' => "z",
        'س' | 'ص' => "s",
        'ش' => "sh",
        'غ' => "gh",
        'ف' => "f",
        'ق' => "q",
        'ك' | 'ک' => "k",
        'ل' => "l",
        'م' => "m",
        'ن' => "n",
        'و' if consonant => "w",
        'و' | 'ؤ' => "u",
        'ي' | 'ی' if consonant => "y",
        'ي' | 'ی' | 'ئ' => "i",
        'پ' => "p",
        'چ' => "ch",
        'ژ' => "zh",
        'گ' => "g",
        'ڤ' => "v",
        'ء' | 'ـ' | '\u{64b}'..='\u{65f}' | '\u{670}' => "",
        _ => return None,
    })
}

fn push_other(c: char, latin: &mut String) {
    let likeness = match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '/' | '-' | '?' | ':' | '(' | ')' | '.' | ',' | '\'' | '+' => {
            return latin.push(c);
        }
        _ if c.is_whitespace() || c.is_control() => " ",
        '٠'..='٩' => return latin.extend(char::from_digit(u32::from(c) - u32::from('٠'), 10)),
        '۰'..='۹' => return latin.extend(char::from_digit(u32::from(c) - u32::from('۰'), 10)),
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => "",
        '،' | '؛' | ';' => ",",
        '؟' => "?",
        '&' => "+",
        '_' | '–' | '—' | '−' => "-",
        '"' | '«' | '»' | '“' | '”' | '‘' | '’' | '`' => "'",
        '[' | '{' => "(",
        ']' | '}' => ")",
        _ => return push_accented(c, latin),
    };
    latin.push_str(likeness);
}

fn push_accented(c: char, latin: &mut String) {
    let lower = c.to_lowercase().next().unwrap_or(c);
    let plain = match lower {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
        'æ' => "ae",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
        'œ' => "oe",
        'ß' => "ss",
        'ù' | 'ú' | 'û' | 'ü' => "u",
        'ý' | 'ÿ' => "y",
        _ => ".",
    };
    if lower == c { latin.push_str(plain) } else { latin.push_str(&plain.to_ascii_uppercase()) }
}
