//! MT940, as a bank writes it that knows sixteen characters of a reference and puts the rest into `:86:`.

use bytes::Bytes;
use mizan_adapters::channel::StatementFile;
use mizan_ledger::{Day, Money};

use crate::simulation::outside::bank::{Account, Line};

/// Lines of a page; the next page continues the statement.
const PAGE_LINES: usize = 4;
const REFERENCE_CHARS: usize = 16;
const TEXT_CHARS: usize = 65;

pub(super) fn write(
    account: &Account,
    day: Day,
    lines: &[Line],
    closing: i64,
    edition: &str,
) -> StatementFile {
    let Account { iban, currency, number, name, .. } = account;
    let mut pages: Vec<&[Line]> = lines.chunks(PAGE_LINES).collect();
    if pages.is_empty() {
        pages.push(&[]);
    }
    // Balances are those of the bank's own books: a page from which a line is missing does not close.
    let missing = closing - account.opening - lines.iter().map(|line| line.money.minor()).sum::<i64>();
    let (count, mut sum, mut text) = (pages.len(), account.opening, String::new());
    for (at, page) in pages.into_iter().enumerate() {
        let (first, last) = (mark(at == 0), mark(at + 1 == count));
        let opening = balance(Money::new(sum, *currency), day);
        sum += page.iter().map(|line| line.money.minor()).sum::<i64>() + if at == 0 { missing } else { 0 };
        let ends = balance(Money::new(sum, *currency), day);
        let entries: String = page.iter().map(|line| entry(line, day)).collect();
        text.push_str(&format!(
            ":20:{name}\r\n:25:{iban}\r\n:28C:{number}/{}\r\n:60{first}:{opening}\r\n{entries}:62{last}:{ends}\r\n-\r\n",
            at + 1
        ));
    }
    StatementFile { name: format!("{name}-{number}-{edition}.sta"), raw: Bytes::from(text) }
}

/// A balance of the statement, or between two of its pages.
fn mark(is_final: bool) -> char {
    if is_final { 'F' } else { 'M' }
}

/// Year, month and day in two digits each.
fn short(day: Day) -> String {
    day.to_string().replace('-', "").split_off(2)
}

fn signed(money: Money) -> (char, String) {
    let amount = Money::new(money.minor().abs(), money.currency()).amount().replace('.', ",");
    (if money.is_negative() { 'D' } else { 'C' }, amount)
}

fn balance(money: Money, day: Day) -> String {
    let (sign, amount) = signed(money);
    format!("{sign}{}{}{amount}", short(day), money.currency())
}

fn entry(line: &Line, day: Day) -> String {
    let (sign, amount) = signed(line.money);
    let (value, reference) = (short(day), &line.reference);
    let ours = line.end_to_end.as_ref().or(line.creditor_reference.as_ref());
    let ours: String = ours.map_or("NONREF".to_owned(), |ours| ours.chars().take(REFERENCE_CHARS).collect());
    let mut told = String::new();
    if let Some(whole) = &line.end_to_end {
        told.push_str(&format!("/EREF/{whole}"));
    }
    let words = [line.creditor_reference.as_deref().unwrap_or_default(), &line.text].join(" ");
    if !words.trim().is_empty() {
        told.push_str(&format!("/REMI/{}", words.trim()));
    }
    let told: Vec<char> = told.chars().collect();
    let told: Vec<String> = told.chunks(TEXT_CHARS).map(|piece| piece.iter().collect()).collect();
    let told = if told.is_empty() { String::new() } else { format!(":86:{}\r\n", told.join("\r\n")) };
    format!(":61:{value}{}{sign}{amount}NTRF{ours}//{reference}\r\n{told}", &value[2..])
}
