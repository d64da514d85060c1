//! beancount (tried with 2.3.5): `bean-check FILE` accepts it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::text::{escape, meta_pairs};
use super::{Journal, Placed, Span, net, signed};
use crate::account::AccountCode;
use crate::balance::AccountBalance;
use crate::{Class, Currency};

/// The format of beancount. Memo accounts stand under `Equity:Memo`, because it knows five roots only.
#[derive(Debug, Clone, Copy)]
pub struct Beancount;

impl Journal for Beancount {
    fn head(
        &self,
        out: &mut dyn io::Write,
        book: &str,
        span: Span,
        opening: &[AccountBalance],
    ) -> io::Result<()> {
        writeln!(out, ";; Book {}, entries effective {} to {}.", escape(book), span.from, span.to)?;
        writeln!(out, "option \"title\" \"{}\"", escape(book))?;
        // Lots are of no interest: amounts just add up.
        writeln!(out, "option \"booking_method\" \"NONE\"\n")?;
        let before = span.from.previous();
        let mut accounts: BTreeMap<String, BTreeSet<Currency>> = BTreeMap::new();
        for row in opening {
            accounts.entry(name(row.class, &row.account.code)).or_default().insert(row.account.currency);
        }
        for (account, currencies) in accounts {
            let currencies: Vec<String> = currencies.iter().map(ToString::to_string).collect();
            writeln!(out, "{before} open {account} {}", currencies.join(","))?;
        }
        if opening.iter().any(|row| row.balance.net_minor() != 0) {
            writeln!(out, "\n{before} * \"opening balances\"")?;
            for row in opening.iter().filter(|row| row.balance.net_minor() != 0) {
                let account = name(row.class, &row.account.code);
                writeln!(out, "  {account}  {} {}", net(row).amount(), row.account.currency)?;
            }
        }
        Ok(())
    }

    fn entry(&self, out: &mut dyn io::Write, placed: Placed<'_>) -> io::Result<()> {
        let Placed { seq, recorded_at, reverses_seq, entry } = placed;
        writeln!(out, "\n{} * \"{}\"", entry.effective_on(), entry.kind())?;
        writeln!(out, "  seq: {seq}")?;
        writeln!(out, "  entry: \"{}\"", entry.id())?;
        writeln!(out, "  source: \"{}\"", escape(entry.source_ref()))?;
        writeln!(out, "  actor: \"{}\"", escape(entry.actor()))?;
        writeln!(out, "  recorded: \"{recorded_at}\"")?;
        if let Some(reversed) = reverses_seq {
            writeln!(out, "  reverses: {reversed}")?;
        }
        // Keys of others may be no key here: all pairs in one text.
        let pairs: Vec<String> =
            meta_pairs(entry.meta_json()).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        if !pairs.is_empty() {
            writeln!(out, "  meta: \"{}\"", pairs.join(" "))?;
        }
        for line in entry.lines() {
            let account = line.account();
            let money = signed(line);
            writeln!(
                out,
                "  {}  {} {}",
                name(account.class, &account.code),
                money.amount(),
                money.currency()
            )?;
        }
        Ok(())
    }

    fn closing(&self, out: &mut dyn io::Write, span: Span, closing: &[AccountBalance]) -> io::Result<()> {
        writeln!(out)?;
        for row in closing {
            let currency = row.account.currency;
            // A balance holds at the start of its day; without the tilde one last digit would be forgiven.
            writeln!(
                out,
                "{} balance {}  {} ~ {} {currency}",
                span.to.next(),
                name(row.class, &row.account.code),
                net(row).amount(),
                crate::Money::zero(currency).amount(),
            )?;
        }
        Ok(())
    }
}

/// `Liabilities:Agency:Psi:Costs--payable`: components begin with a capital or a digit and know no underscore.
/// Codes have no double hyphen, so no two of them meet.
fn name(class: Class, code: &AccountCode) -> String {
    let root = match class {
        Class::Asset => "Assets",
        Class::Liability => "Liabilities",
        Class::Equity => "Equity:Own",
        Class::Income => "Income",
        Class::Expense => "Expenses",
        Class::Memo => "Equity:Memo",
    };
    let mut name = root.to_owned();
    for segment in code.segments() {
        let mut letters = segment.chars();
        name.push(':');
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(&letters.as_str().replace('_', "--"));
    }
    name
}
