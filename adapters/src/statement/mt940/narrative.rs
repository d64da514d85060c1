//! `:86:`, information to the account owner: free text to SWIFT, structured by many banks in ways of their own.
//!
//! | dialect | looks like |
//! | --- | --- |
//! | subfields | `166?00GUTSCHRIFT?20EREF+X?21SVWZ+fee?30BIC?31IBAN?32NAME`, also with `<`, `>`, `^` or `~` for `?` |
//! | keywords | `EREF+X KREF+Y MREF+Z SVWZ+words`, inside subfields or alone |
//! | slashes | `/EREF/X/CNTP/IBAN/BIC/NAME//REMI/USTD//words/` |
//! | plain | anything else |
//!
//! The text as printed is kept among the free texts in any case: a reader of a dialect only adds to it.

use super::super::model::{ReturnReason, Transaction};
use super::super::values::reference;

/// Reads one `:86:` into what is known of the line.
pub(super) fn apply(text: &str, transaction: &mut Transaction) {
    // Lines are cut at 65 characters wherever that falls, also inside words and marks.
    let flat: String = text.split('\n').collect();
    if let Some(subfields) = split_subfields(&flat) {
        apply_subfields(&subfields, transaction);
    } else if let Some(parts) = split_slashes(&flat) {
        apply_slashes(&parts, transaction);
    } else {
        apply_keywords(&flat, transaction);
    }
    push_text(text, transaction);
}

/// Pairs of number and text, if the text is of this dialect: three digits of a booking code, then a mark that
/// separates subfields of two digits.
fn split_subfields(flat: &str) -> Option<Vec<(u8, &str)>> {
    let code = flat.bytes().take_while(u8::is_ascii_digit).count();
    let body = flat.get(code..).filter(|_| code == 3 || code == 0)?;
    let mark = body.chars().next().filter(|mark| matches!(mark, '?' | '<' | '>' | '^' | '~'))?;
    two_digits(body.get(1..)?)?;
    let mut subfields: Vec<(u8, &str)> = Vec::new();
    let mut starts =
        body.match_indices(mark).filter_map(|(at, _)| Some((at, two_digits(body.get(at + 1..)?)?)));
    let mut current = starts.next();
    while let Some((at, number)) = current {
        current = starts.next();
        let end = current.map_or(body.len(), |(next, _)| next);
        subfields.push((number, body.get(at + 3..end).unwrap_or_default()));
    }
    Some(subfields)
}

fn two_digits(text: &str) -> Option<u8> {
    text.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn apply_subfields(subfields: &[(u8, &str)], transaction: &mut Transaction) {
    let join = |wanted: fn(u8) -> bool| -> String {
        subfields.iter().filter(|(number, _)| wanted(*number)).map(|(_, text)| *text).collect()
    };
    let purpose = join(|number| matches!(number, 20..=29 | 60..=63));
    if !apply_keywords(&purpose, transaction) {
        push_text(&purpose, transaction);
    }
    let party = &mut transaction.counterparty;
    set(&mut party.bank, &join(|number| number == 30));
    set(&mut party.account, &join(|number| number == 31));
    set(&mut party.name, &join(|number| matches!(number, 32 | 33)));
}

/// `KEY+value`, up to the next key; false when there is no key.
fn apply_keywords(text: &str, transaction: &mut Transaction) -> bool {
    const KEYS: &[&str] = &[
        "EREF+", "KREF+", "MREF+", "CRED+", "DEBT+", "COAM+", "OAMT+", "SVWZ+", "ABWA+", "ABWE+", "IBAN+",
        "BIC+", "MTLG:", "PURP+",
    ];
    let mut found: Vec<(usize, &str)> = KEYS.iter().flat_map(|key| text.match_indices(key)).collect();
    found.sort_unstable();
    if found.is_empty() {
        return false;
    }
    let ends = found.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    for ((at, key), end) in found.iter().zip(ends) {
        let value = text.get(at + key.len()..end).unwrap_or_default();
        let references = &mut transaction.references;
        match *key {
            "EREF+" => set(&mut references.end_to_end, value),
            "KREF+" => set(&mut references.customer, value),
            "MREF+" => set(&mut references.mandate, value),
            "IBAN+" => set(&mut transaction.counterparty.account, value),
            "BIC+" => set(&mut transaction.counterparty.bank, value),
            "SVWZ+" | "MTLG:" => push_text(value, transaction),
            _ => {}
        }
    }
    true
}

/// Pairs of key and value, if the text begins with a key of this dialect.
fn split_slashes(flat: &str) -> Option<Vec<(&'static str, &str)>> {
    const KEYS: &[&str] = &[
        "EREF", "PREF", "MARF", "TRTP", "IBAN", "BIC", "NAME", "REMI", "CNTP", "ORDP", "BENM", "RTRN",
        "CSID", "ADDR", "PURP", "ULTC", "ULTD", "ISDT", "SVCL", "ACCW", "OCMT", "CHGS", "EXCH",
    ];
    let key_at = |at: usize| {
        let rest = flat.get(at..)?.strip_prefix('/')?;
        KEYS.iter().find(|key| rest.strip_prefix(**key).is_some_and(|rest| rest.starts_with('/')))
    };
    key_at(0)?;
    let found: Vec<(usize, &'static str)> =
        flat.match_indices('/').filter_map(|(at, _)| Some((at, *key_at(at)?))).collect();
    let ends = found.iter().skip(1).map(|(at, _)| *at).chain([flat.len()]);
    let value = |at: usize, key: &str, end: usize| flat.get(at + key.len() + 2..end).unwrap_or_default();
    Some(found.iter().zip(ends).map(|((at, key), end)| (*key, value(*at, key, end))).collect())
}

fn apply_slashes(parts: &[(&'static str, &str)], transaction: &mut Transaction) {
    for (key, value) in parts {
        let value = value.trim_end_matches('/');
        match *key {
            "EREF" => set(&mut transaction.references.end_to_end, value),
            "PREF" => set(&mut transaction.references.payment_information, value),
            "MARF" => set(&mut transaction.references.mandate, value),
            "IBAN" => set(&mut transaction.counterparty.account, value),
            "BIC" => set(&mut transaction.counterparty.bank, value),
            "NAME" => set(&mut transaction.counterparty.name, value),
            "CNTP" => {
                let mut pieces = value.split('/');
                set(&mut transaction.counterparty.account, pieces.next().unwrap_or_default());
                set(&mut transaction.counterparty.bank, pieces.next().unwrap_or_default());
                set(&mut transaction.counterparty.name, pieces.next().unwrap_or_default());
            }
            "REMI" => {
                let words = value.strip_prefix("USTD").or(value.strip_prefix("STRD")).unwrap_or(value);
                push_text(words.trim_start_matches('/'), transaction);
            }
            "RTRN" => transaction.return_reason = Some(ReturnReason { code: reference(value), text: None }),
            _ => {}
        }
    }
}

/// The first statement of a thing counts.
fn set(slot: &mut Option<String>, value: &str) {
    if slot.is_none() {
        *slot = reference(value);
    }
}

fn push_text(text: &str, transaction: &mut Transaction) {
    let text = text.trim();
    if !text.is_empty() && !transaction.free_texts.iter().any(|known| known == text) {
        transaction.free_texts.push(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Transaction {
        let mut transaction = Transaction::default();
        apply(text, &mut transaction);
        transaction
    }

    #[test]
    fn subfields_and_keywords_are_read_across_line_breaks() {
        let read = read(
            "166?00GUTSCHRIFT?100399?20EREF+EXAMPLE 22 001?21 00001?22\nKREF+BATCH-7?23SVWZ+fee 12345678901?2\n4234\
             ?30BANKPS22?31PS92PALS000000000400123456702?32EXAMPLE ?33PAYER",
        );
        assert_eq!(read.references.end_to_end.as_deref(), Some("EXAMPLE 22 001 00001"));
        assert_eq!(read.references.customer.as_deref(), Some("BATCH-7"));
        assert_eq!(read.free_texts[0], "fee 12345678901234");
        let party = &read.counterparty;
        assert_eq!(party.account.as_deref(), Some("PS92PALS000000000400123456702"));
        assert_eq!((party.name.as_deref(), party.bank.as_deref()), (Some("EXAMPLE PAYER"), Some("BANKPS22")));
    }

    #[test]
    fn slashes_are_read() {
        let read = read(
            "/TRTP/SEPA OVERBOEKING/IBAN/NL25EXAMPLE/BIC/BANKNL2U/NAME/EXAMPLE\n PAYER/REMI/USTD//fee 7/EREF/NOTPROVIDED",
        );
        assert_eq!(read.counterparty.name.as_deref(), Some("EXAMPLE PAYER"));
        assert_eq!((read.free_texts[0].as_str(), &read.references.end_to_end), ("fee 7", &None));
        let read = self::read("/EREF/E2E-9//CNTP/PS11/BANKPS22/A NAME///RTRN/AC04/");
        assert_eq!(read.references.end_to_end.as_deref(), Some("E2E-9"));
        assert_eq!(read.counterparty.name.as_deref(), Some("A NAME"));
        assert_eq!(read.return_reason.unwrap().code.as_deref(), Some("AC04"));
    }

    #[test]
    fn plain_text_is_kept_as_printed() {
        assert_eq!(read("/PT/FT/PY/WORDS").free_texts, ["/PT/FT/PY/WORDS"]);
        assert_eq!(read("رسوم\nترخيص").free_texts, ["رسوم\nترخيص"]);
        assert_eq!(read("").free_texts, Vec::<String>::new());
        assert_eq!(read("what? 12 now").references, Transaction::default().references);
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9?</A-Z+\\PC\n]{0,80}") {
            read(&text);
        }
    }
}
