//! hledger (tried with 1.25): `hledger -f FILE check --strict ordereddates` accepts it.

use std::collections::BTreeSet;
use std::io;

use super::text::{escape, meta_pairs};
use super::{Journal, Placed, Span, colon_name, net, signed};
use crate::balance::AccountBalance;
use crate::{Class, Currency};

/// The journal format of hledger. Debits are positive; details stand in tags, percent-encoded where a character
/// would mean something.
#[derive(Debug, Clone, Copy)]
pub struct Hledger;

impl Journal for Hledger {
    fn head(
        &self,
        out: &mut dyn io::Write,
        book: &str,
        span: Span,
        opening: &[AccountBalance],
    ) -> io::Result<()> {
        writeln!(out, "; Book {}, entries effective {} to {}.", escape(book), span.from, span.to)?;
        writeln!(out, "decimal-mark .\n")?;
        let currencies: BTreeSet<Currency> = opening.iter().map(|row| row.account.currency).collect();
        for currency in currencies {
            // A decimal mark is required even where there are no decimals.
            let decimals = "0".repeat(usize::from(currency.exponent()));
            writeln!(out, "commodity 1000.{decimals} {currency}")?;
        }
        writeln!(out)?;
        let mut declared = BTreeSet::new();
        for row in opening {
            let name = colon_name(row.class, &row.account.code);
            if declared.insert(name.clone()) {
                writeln!(out, "account {name}\n  ; code: {}", row.account.code)?;
                if let Some(letter) = type_letter(row.class) {
                    writeln!(out, "  ; type: {letter}")?;
                }
                if let Some(agency) = &row.agency {
                    writeln!(out, "  ; agency: {}", escape(agency))?;
                }
            }
        }
        if opening.iter().any(|row| row.balance.net_minor() != 0) {
            writeln!(out, "\n{} * opening balances", span.from.previous())?;
            for row in opening.iter().filter(|row| row.balance.net_minor() != 0) {
                posting(out, row, &amount(row))?;
            }
        }
        Ok(())
    }

    fn entry(&self, out: &mut dyn io::Write, placed: Placed<'_>) -> io::Result<()> {
        let Placed { seq, recorded_at, reverses_seq, entry } = placed;
        writeln!(out, "\n{} * ({seq}) {}", entry.effective_on(), entry.kind())?;
        writeln!(out, "  ; entry: {}", entry.id())?;
        writeln!(out, "  ; source: {}", escape(entry.source_ref()))?;
        writeln!(out, "  ; actor: {}", escape(entry.actor()))?;
        writeln!(out, "  ; recorded: {}", escape(&recorded_at.to_string()))?;
        if let Some(reversed) = reverses_seq {
            writeln!(out, "  ; reverses: {reversed}")?;
        }
        for (key, value) in meta_pairs(entry.meta_json()) {
            writeln!(out, "  ; meta-{key}: {value}")?;
        }
        for line in entry.lines() {
            let account = line.account();
            let money = signed(line);
            // Two spaces part the account from the amount.
            writeln!(
                out,
                "    {}  {} {}",
                colon_name(account.class, &account.code),
                money.amount(),
                money.currency()
            )?;
        }
        Ok(())
    }

    fn closing(&self, out: &mut dyn io::Write, span: Span, closing: &[AccountBalance]) -> io::Result<()> {
        if closing.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{} * closing balances, asserted", span.to)?;
        for row in closing {
            let zero = crate::Money::zero(row.account.currency).amount();
            posting(out, row, &format!("{zero} {} = {}", row.account.currency, amount(row)))?;
        }
        Ok(())
    }
}

fn posting(out: &mut dyn io::Write, row: &AccountBalance, amount: &str) -> io::Result<()> {
    writeln!(out, "    {}  {amount}", colon_name(row.class, &row.account.code))
}

fn amount(row: &AccountBalance) -> String {
    format!("{} {}", net(row).amount(), row.account.currency)
}

/// hledger's account types; it has none for memo accounts.
const fn type_letter(class: Class) -> Option<char> {
    match class {
        Class::Asset => Some('A'),
        Class::Liability => Some('L'),
        Class::Equity => Some('E'),
        Class::Income => Some('R'),
        Class::Expense => Some('X'),
        Class::Memo => None,
    }
}
