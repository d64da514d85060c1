//! A fixed statement as a file: camt.053.001.02, camt.053.001.08 or MT940, always the same bytes.

use minijinja::{Value, context};

use super::amount::{Amount, Currency};
use super::bank::{Account, Counterparty, Line, LineKind, Statement};
use super::config::Format;
use super::mt940::{self, Charset};
use super::templates::render;
use super::text::{AccountKind, account_kind, is_creditor_reference, pieces};

/// `<account>-<date>.<ext>`.
pub fn file_name(account: &Account, statement: &Statement, format: Format) -> String {
    format!("{}-{}.{}", account.account, statement.day, format.extension())
}

/// The bytes of the statement.
pub fn write(account: &Account, statement: &Statement, format: Format, charset: Charset) -> Vec<u8> {
    match format {
        Format::Mt940 => mt940::write(account, statement, charset),
        Format::Camt02 | Format::Camt08 => camt(account, statement, format).into_bytes(),
    }
}

fn camt(account: &Account, statement: &Statement, format: Format) -> String {
    let id = format!("ST{:05}-{}", statement.sequence, statement.day.strftime("%Y%m%d"));
    let tail: String = account.account.chars().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect();
    let balance = |code: &str, amount: Amount| context! { code => code, ..signed(amount) };
    render(
        "camt053.xml",
        context! {
            format => format.name(),
            new => format == Format::Camt08,
            message => format!("{id}-{tail}"),
            id => id,
            sequence => statement.sequence,
            created_at => statement.created_at.to_string(),
            day => statement.day.to_string(),
            account => account_view(&account.account),
            currency => account.currency.code(),
            owner => account.owner.clone(),
            balances => [
                balance("OPBD", statement.opening),
                balance("CLBD", statement.closing),
                balance("CLAV", statement.closing),
            ],
            credits => total(&statement.lines, account.currency, 1),
            debits => total(&statement.lines, account.currency, -1),
            entries => statement.lines.iter().enumerate().map(|(at, line)| entry(at, line)).collect::<Vec<_>>(),
        },
    )
}

fn signed(amount: Amount) -> Value {
    context! { amount => amount.absolute().to_string(), sign => if amount.minor < 0 { "DBIT" } else { "CRDT" } }
}

fn total(lines: &[Line], currency: Currency, sign: i64) -> Value {
    let ours: Vec<&Line> = lines.iter().filter(|line| line.amount.minor.signum() == sign).collect();
    let sum = ours.iter().fold(Amount::zero(currency), |sum, line| sum.plus(line.amount));
    context! { count => ours.len(), sum => sum.absolute().to_string() }
}

fn entry(at: usize, line: &Line) -> Value {
    let creditor_reference = line
        .reference
        .as_deref()
        .filter(|reference| line.kind == LineKind::Received && is_creditor_reference(reference));
    let end_to_end = line.reference.as_deref().filter(|_| creditor_reference.is_none());
    let (domain, family, sub_family, code) = codes(line);
    context! {
        number => at + 1,
        bank_reference => line.bank_reference.clone(),
        domain => domain,
        family => family,
        sub_family => sub_family,
        code => code,
        end_to_end => end_to_end.unwrap_or("NOTPROVIDED"),
        creditor_reference => creditor_reference,
        text => pieces(&line.text, 140),
        counterparty => line.counterparty.as_ref().map(counterparty),
        // Whoever stands at the other end: the debtor of money that came in, the creditor of money that went out or
        // was to go out.
        role => if line.amount.minor > 0 && line.kind != LineKind::Returned { "Dbtr" } else { "Cdtr" },
        returned => line.returned.clone(),
        info => info(line.kind),
        ..signed(line.amount)
    }
}

fn counterparty(counterparty: &Counterparty) -> Value {
    context! { name => counterparty.name.clone(), account => counterparty.account.as_deref().map(account_view) }
}

fn account_view(number: &str) -> Value {
    context! { number => number, iban => account_kind(number) == Some(AccountKind::Iban) }
}

/// Domain, family and sub-family of ISO 20022, and the type code of SWIFT.
pub fn codes(line: &Line) -> (&'static str, &'static str, &'static str, &'static str) {
    match line.kind {
        LineKind::Received => ("PMNT", "RCDT", "DMCT", "NTRF"),
        LineKind::Sent => ("PMNT", "ICDT", "DMCT", "NTRF"),
        LineKind::Returned => ("PMNT", "ICDT", "RRTN", "NRTI"),
        LineKind::CardSettlement => ("PMNT", "MCRD", "POSP", "NMSC"),
        LineKind::Charge => ("ACMT", "MDOP", "CHRG", "NCHG"),
    }
}

fn info(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Received => "INCOMING TRANSFER",
        LineKind::Sent => "OUTGOING TRANSFER",
        LineKind::Returned => "RETURNED TRANSFER",
        LineKind::CardSettlement => "CARD SETTLEMENT",
        LineKind::Charge => "CHARGE",
    }
}
