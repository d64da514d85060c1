use std::fmt::Write;

use mizan_ledger::{Instant, Money, Zone};

use crate::ids::IntentId;

/// What a receipt is to say.
#[derive(Debug, Clone)]
pub struct NewReceipt {
    pub intent: IntentId,
    pub bill_number: String,
    pub external_reference: String,
    pub amount: Money,
    pub lines: Vec<ReceiptLine>,
    pub paid_at: Instant,
    pub channel: String,
    /// The rail's transaction id.
    pub transaction: String,
}

/// One charge on the receipt.
#[derive(Debug, Clone)]
pub struct ReceiptLine {
    pub service: String,
    pub component: String,
    pub agency: String,
    pub article: String,
    pub amount: Money,
}

/// An issued receipt.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub number: String,
    /// The short public code of `/r/{code}`.
    pub code: String,
    pub intent: IntentId,
    pub state: String,
    pub amount: Money,
    pub credited: Money,
    /// Of the amount: its channel took it back, so that the payer has it again, whatever the signed text says.
    pub reversed: Money,
    pub body: String,
    pub key_id: String,
    pub signature: Vec<u8>,
    pub issued_at: Instant,
}

/// The series of a receipt: the local year in which it is issued.
pub fn series(issued_at: Instant, zone: &Zone) -> String {
    issued_at.day_in(zone).date().year().to_string()
}

/// `2026-00000042`
pub fn number(series: &str, serial: i64) -> String {
    format!("{series}-{serial:08}")
}

/// The text that is signed: one `name: value` a line, UTF-8, LF, in this order, values without line breaks.
///
/// ```text
/// mizan-receipt: 1
/// number: 2026-00000042
/// code: ...
/// issued_at: 2026-11-22T08:00:00Z
/// bill: 10010000004207
/// reference: CASE-7
/// amount: 12.500 JOD
/// paid_at: ...
/// channel: card
/// transaction: T4711000123
/// line: psi/testing-report fee psi article-4 12.500 JOD
/// ```
pub fn body(new: &NewReceipt, number: &str, code: &str, issued_at: Instant) -> String {
    let mut text = String::new();
    let mut say = |name: &str, value: &str| {
        let value = value.replace(['\r', '\n'], " ");
        writeln!(text, "{name}: {value}").expect("a String takes every write");
    };
    say("mizan-receipt", "1");
    say("number", number);
    say("code", code);
    say("issued_at", &issued_at.to_string());
    say("bill", &new.bill_number);
    say("reference", &new.external_reference);
    say("amount", &new.amount.to_string());
    say("paid_at", &new.paid_at.to_string());
    say("channel", &new.channel);
    say("transaction", &new.transaction);
    for line in &new.lines {
        let ReceiptLine { service, component, agency, article, amount } = line;
        say("line", &format!("{service} {component} {agency} {} {amount}", article.replace(' ', "-")));
    }
    text
}

#[cfg(test)]
mod tests {
    use mizan_ledger::{Currency, Id};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_body_is_one_line_a_value_whatever_the_portal_sends() {
        let new = NewReceipt {
            intent: IntentId::from_uuid(Uuid::from_u128(1)),
            bill_number: "10010000004207".to_owned(),
            external_reference: "CASE\nnumber: 9".to_owned(),
            amount: Money::new(12_500, Currency::JOD),
            lines: vec![ReceiptLine {
                service: "psi/test".to_owned(),
                component: "fee".to_owned(),
                agency: "psi".to_owned(),
                article: "article 4".to_owned(),
                amount: Money::new(12_500, Currency::JOD),
            }],
            paid_at: "2026-11-22T08:00:00Z".parse().unwrap(),
            channel: "card".to_owned(),
            transaction: "T1".to_owned(),
        };
        let text = body(&new, "2026-00000042", "abc", "2026-11-22T08:00:01Z".parse().unwrap());
        assert_eq!(text.lines().count(), 11);
        assert!(text.contains("\nreference: CASE number: 9\n"));
        assert!(text.ends_with("line: psi/test fee psi article-4 12.500 JOD\n"));
    }
}
