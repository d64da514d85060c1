//! References as text: what is folded, what may stand between the groups.

/// The character as it counts in a reference: Arabic-Indic digits (U+0660.., U+06F0..) become ASCII digits, small
/// letters capital ones. `None` for marks that only steer how a text is shown.
pub(super) fn fold(character: char) -> Option<char> {
    let digit_from = |zero: char| {
        let value = u32::from(character).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    };
    match character {
        '\u{0660}'..='\u{0669}' => digit_from('\u{0660}'),
        '\u{06F0}'..='\u{06F9}' => digit_from('\u{06F0}'),
        '\u{061C}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}' => None,
        other => Some(other.to_ascii_uppercase()),
    }
}

/// What may stand between the groups of a printed reference.
pub(super) fn separates(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '-' | '\u{00A0}' | '\u{2011}' | '\u{202F}')
}

/// A reference somebody typed: folded, without separators. `None` beyond 64 bytes.
pub(super) fn compact(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    Some(text.chars().filter_map(fold).filter(|character| !separates(*character)).collect())
}

/// In groups of four, as on paper.
pub(super) fn grouped(text: &str) -> String {
    let mut printed = String::with_capacity(text.len() + text.len() / 4);
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            printed.push(' ');
        }
        printed.push(character);
    }
    printed
}
