//! MT940 as this bank writes it: no block headers, pages of at most fifty lines, texts in one of two character sets.

use encoding_rs::WINDOWS_1256;
use minijinja::{Value, context};

use super::amount::Amount;
use super::bank::{Account, Line, Statement};
use super::statement_file::codes;
use super::templates::render;
use super::text::pieces;

const LINES_PER_PAGE: usize = 50;
const REFERENCE_LENGTH: usize = 16;
const TEXT_WIDTH: usize = 65;
const TEXT_LINES: usize = 6;

/// The character set of the texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// SWIFT's set x; everything else becomes a full stop.
    #[default]
    Swift,
    /// Arabic as it is, in windows-1256.
    Windows1256,
}

/// The statement's bytes, lines ending in CR LF.
pub fn write(account: &Account, statement: &Statement, charset: Charset) -> Vec<u8> {
    let mut pages: Vec<&[Line]> = statement.lines.chunks(LINES_PER_PAGE).collect();
    if pages.is_empty() {
        pages.push(&[]);
    }
    let mut opening = statement.opening;
    let mut views = Vec::new();
    for (at, lines) in pages.iter().enumerate() {
        let sum = lines.iter().fold(opening, |sum, line| sum.plus(line.amount));
        // The last page ends with the true balance, even when a fault has left lines out.
        let closing = if at + 1 == pages.len() { statement.closing } else { sum };
        let before = if at == 0 { statement.day.yesterday().unwrap_or(statement.day) } else { statement.day };
        views.push(context! {
            opening => balance(opening, before),
            closing => balance(closing, statement.day),
            lines => lines.iter().map(|line| line_view(line, statement.day, charset)).collect::<Vec<_>>(),
        });
        opening = sum;
    }
    let reference = format!("{}{:05}", statement.day.strftime("%y%m%d"), statement.sequence);
    let text = render(
        "mt940.txt",
        context! {
            reference => reference,
            account => account.account.clone(),
            sequence => statement.sequence,
            pages => views,
        },
    );
    let text = text.replace('\n', "\r\n");
    match charset {
        Charset::Swift => text.into_bytes(),
        Charset::Windows1256 => WINDOWS_1256.encode(&text).0.into_owned(),
    }
}

fn balance(amount: Amount, day: jiff::civil::Date) -> String {
    let mark = if amount.minor < 0 { 'D' } else { 'C' };
    let digits = amount.absolute().with_mark(',');
    format!("{mark}{}{}{digits}", day.strftime("%y%m%d"), amount.currency.code())
}

fn line_view(line: &Line, day: jiff::civil::Date, charset: Charset) -> Value {
    let mark = if line.amount.minor < 0 { 'D' } else { 'C' };
    let digits = line.amount.absolute().with_mark(',');
    let reference = line.reference.as_deref().map_or("NONREF".to_owned(), short_reference);
    let (_, _, _, code) = codes(line);
    let bank_reference = &line.bank_reference;
    let (value, entry) = (day.strftime("%y%m%d"), day.strftime("%m%d"));
    let mut texts = pieces(&clean(&information(line), charset), TEXT_WIDTH);
    texts.truncate(TEXT_LINES);
    context! { fields => format!("{value}{entry}{mark}{digits}{code}{reference}//{bank_reference}"), texts => texts }
}

/// The first sixteen characters, without slashes where SWIFT forbids them.
fn short_reference(reference: &str) -> String {
    let cut: String = clean(reference, Charset::Swift).chars().take(REFERENCE_LENGTH).collect();
    let forbidden = cut.starts_with('/') || cut.ends_with('/') || cut.contains("//");
    if forbidden { cut.replace('/', ".") } else { cut }
}

/// `/EREF/<reference>/NAME/<counterparty>/IBAN/<its account>/RTRN/<reason>/REMI/<text>`, what there is of it.
fn information(line: &Line) -> String {
    let counterparty = line.counterparty.as_ref();
    let parts = [
        ("EREF", line.reference.as_deref()),
        ("NAME", counterparty.map(|counterparty| counterparty.name.as_str())),
        ("IBAN", counterparty.and_then(|counterparty| counterparty.account.as_deref())),
        ("RTRN", line.returned.as_deref()),
        ("REMI", Some(line.text.as_str())),
    ];
    let written =
        parts.into_iter().filter_map(|(name, part)| Some((name, part.filter(|part| !part.is_empty())?)));
    written.map(|(name, part)| format!("/{name}/{part}")).collect()
}

fn clean(text: &str, charset: Charset) -> String {
    text.chars().map(|letter| if may_stand(letter, charset) { letter } else { '.' }).collect()
}

fn may_stand(letter: char, charset: Charset) -> bool {
    let swift = letter.is_ascii_alphanumeric() || "/-?:().,'+ ".contains(letter);
    match charset {
        Charset::Swift => swift,
        Charset::Windows1256 => {
            swift || (!letter.is_control() && !WINDOWS_1256.encode(letter.encode_utf8(&mut [0; 4])).2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_cut_to_sixteen_characters_of_set_x() {
        for (reference, short) in [
            ("RF642026000001234", "RF64202600000123"),
            ("PO_2026/1", "PO.2026/1"),
            ("/A//B/", ".A..B."),
            ("1234567890123456", "1234567890123456"),
            ("123456789012345/7", "123456789012345."),
        ] {
            assert_eq!(short_reference(reference), short);
        }
    }

    #[test]
    fn arabic_becomes_full_stops_or_stays() {
        assert_eq!(clean("رسوم AB-1", Charset::Swift), ".... AB-1");
        assert_eq!(clean("رسوم AB-1 €字", Charset::Windows1256), "رسوم AB-1 €.");
    }
}
