//! Balances for spreadsheets and programs: amounts are decimal texts, never numbers.

use std::io;

use serde_json::json;

use crate::balance::{AccountBalance, trial_balance};
use crate::{Day, Money};

/// One object: the book, the day, every account, and per currency the sums of both sides.
pub fn balances_json(
    out: &mut dyn io::Write,
    book: &str,
    as_of: Option<Day>,
    rows: &[AccountBalance],
) -> io::Result<()> {
    let accounts: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "account": row.account.code,
                "class": row.class,
                "currency": row.account.currency,
                "agency": row.agency,
                "debits": debits(row).amount(),
                "credits": credits(row).amount(),
                "balance": row.money().amount(),
            })
        })
        .collect();
    let totals: Vec<_> = trial_balance(rows)
        .into_iter()
        .map(|(currency, total)| {
            json!({
                "currency": currency,
                "debit_minor": total.debit_minor.to_string(),
                "credit_minor": total.credit_minor.to_string(),
                "balanced": total.is_balanced(),
            })
        })
        .collect();
    let document = json!({"book": book, "as_of": as_of, "accounts": accounts, "totals": totals});
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// RFC 4180: a header, then a row per account.
pub fn balances_csv(out: &mut dyn io::Write, rows: &[AccountBalance]) -> io::Result<()> {
    write!(out, "account,class,currency,agency,debits,credits,balance\r\n")?;
    for row in rows {
        let agency = row.agency.as_deref().unwrap_or_default();
        write!(
            out,
            "{},{},{},{},{},{},{}\r\n",
            row.account.code,
            row.class,
            row.account.currency,
            cell(agency),
            debits(row).amount(),
            credits(row).amount(),
            row.money().amount(),
        )?;
    }
    Ok(())
}

fn debits(row: &AccountBalance) -> Money {
    Money::new(row.balance.debits_minor(), row.account.currency)
}

fn credits(row: &AccountBalance) -> Money {
    Money::new(row.balance.credits_minor(), row.account.currency)
}

/// Quoted where needed; a spreadsheet shall take no text for a formula.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if formula || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_text() {
        assert_eq!(cell("psi"), "psi");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
    }
}
