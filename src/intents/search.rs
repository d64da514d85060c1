//! What a person types to find a payment: its id, the bill number in any writing, the portal's reference, the number
//! or code of a receipt, a transaction of a rail or the reference a bank gave a line of its statement, our reference at
//! a provider, or a refund by its id or by the reference that it carries there.

use mizan_adapters::reference::BillNumber;
use sqlx::PgConnection;

use super::Intent;
use super::store::search::{Wanted, page, page_newest};
use crate::config::Config;
use crate::fault::Fault;

/// The payments that carry exactly this number, newest first; the newest of all for an empty question.
pub async fn find(
    conn: &mut PgConnection,
    config: &Config,
    question: &str,
    limit: i64,
) -> Result<Vec<Intent>, Fault> {
    match wanted(config, question) {
        Some(wanted) => page(conn, &wanted, limit).await,
        None => page_newest(conn, limit).await,
    }
}

fn wanted(config: &Config, question: &str) -> Option<Wanted> {
    // PostgreSQL's text holds no NUL.
    let text: String = question.trim().chars().filter(|c| *c != '\0').map(western).collect();
    if text.is_empty() {
        return None;
    }
    let banks = config.banks.iter().map(|bank| bank.name.clone());
    let money_keys = money_keys(config, &text);
    Some(Wanted {
        id: text.parse().ok(),
        attempt: text.parse().ok(),
        refund: text.parse().ok(),
        bill_number: text.parse::<BillNumber>().ok().map(|number| number.to_string()),
        channels: config.channels.keys().cloned().chain(banks).collect(),
        money_keys,
        text,
    })
}

/// The question as a reference of each bank, as money is keyed: a line of a statement, whatever became of its money.
pub fn money_keys(config: &Config, question: &str) -> Vec<String> {
    let reference: String = question.trim().chars().filter(|c| *c != '\0').map(western).collect();
    if reference.is_empty() {
        return Vec::new();
    }
    // As the Breaks page shows it, with the account before it.
    let reference = reference
        .strip_prefix("bank:")
        .and_then(|rest| rest.split_once(':'))
        .map_or(&*reference, |(_, own)| own);
    config.banks.iter().map(|bank| format!("bank:{}:{reference}", bank.name)).collect()
}

/// Arabic-Indic and Persian digits as the keyboards of officers write them.
fn western(c: char) -> char {
    let digit = match c {
        '\u{660}'..='\u{669}' => u32::from(c) - 0x660,
        '\u{6f0}'..='\u{6f9}' => u32::from(c) - 0x6f0,
        _ => return c,
    };
    char::from_digit(digit, 10).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_as_it_is_written_or_typed() {
        let bill = BillNumber::new(1001, 42).unwrap();
        let config = Config::default();
        let typed = wanted(&config, &format!("  {} ", bill.grouped())).unwrap();
        assert_eq!(typed.bill_number, Some(bill.to_string()));
        assert_eq!(wanted(&config, "٢٠٢٦-٠٠٠٠٠٠٠١").unwrap().text, "2026-00000001");
        assert!(wanted(&config, "pi_0192f3a4b5c67d8e9f00112233445566").unwrap().id.is_some());
        assert!(wanted(&config, " \0 ").is_none());
    }
}
