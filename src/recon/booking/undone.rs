//! What a bank undoes.

use mizan_ledger::Money;
use serde_json::json;

use super::{Booking, Place};
use crate::books::{Parked, Slug, Voucher, rules};
use crate::breaks::Category;
use crate::fault::Fault;
use crate::inbox::{Meaning, NewNotice, Source};
use crate::intents::shares::slug;
use crate::recon::matching::Undone;
use crate::recon::matching::settlement::Difference;
use crate::recon::store::OpenLine;
use crate::suspense;

impl Booking {
    /// The bank takes a credit back: its payment is taken back as by a chargeback, and its channel owes it again; of money
    /// in suspense nothing is left.
    pub(super) fn undoes(
        &mut self,
        place: &Place<'_>,
        line: &OpenLine,
        undone: &Undone,
        why: &str,
    ) -> Result<&'static str, Fault> {
        let (account, amount) = (slug(place.account)?, line.money.checked_neg()?);
        let voucher = self.voucher(place, format!("line:{}", line.id));
        let (channel, key) = match undone {
            Undone::NotYet | Undone::NotFound => return Ok("new"),
            Undone::Spent(key) => {
                self.taken_back.push(self.undoing(line, place.account, key));
                return self.unknown(place, line, &[], why);
            }
            Undone::Item(item) => {
                self.undo_item(voucher, &account, item)?;
                (&item.account, item.money_key.as_ref().unwrap_or(&item.break_subject))
            }
            Undone::Payment(taken, surplus) => {
                let mut amount = amount;
                if let Some(item) = surplus {
                    self.undo_item(self.another(&voucher), &account, item)?;
                    amount = amount.checked_sub(item.left)?;
                }
                let channel = slug(&taken.channel)?;
                self.enter(rules::bank::bank_undid_credit(voucher, &account, &channel, amount))?;
                let owed = Difference {
                    category: Category::Reversed,
                    subject: taken.money_key.clone(),
                    money: amount,
                    transaction: None,
                    reference: line.creditor_reference.clone(),
                    intent: Some(taken.intent),
                };
                self.owe(place, &taken.channel, &owed);
                (&taken.channel, &taken.money_key)
            }
        };
        self.taken_back.push(self.undoing(line, channel, key));
        Ok("matched")
    }

    /// All that is left of an item in suspense is gone.
    fn undo_item(&mut self, voucher: Voucher, account: &Slug, item: &suspense::Item) -> Result<(), Fault> {
        let parked = Parked { suspense: slug(&item.account)?, amount: item.left };
        self.enter(rules::bank::bank_undid_unknown_credit(voucher, account, &parked))?;
        self.used.push((item.id, item.left));
        let cause = item.cause.parse();
        let cause = cause.map_err(|_| Fault::corrupt("suspense_items", "cause", item.id))?;
        self.resolve(cause, item.break_subject.clone(), "the bank took the money back");
        Ok(())
    }

    /// What the inbox is told of a credit that its bank undoes.
    fn undoing(&self, line: &OpenLine, channel: &str, key: &str) -> NewNotice {
        NewNotice {
            channel: channel.to_owned(),
            transaction: format!("line:{}", line.id),
            status: "UNDONE".to_owned(),
            meaning: Meaning::Reversed,
            source: Source::Statement,
            reference: None,
            money: Money::new(line.money.minor().saturating_neg(), line.money.currency()),
            original_transaction: None,
            reason: None,
            money_key: key.to_owned(),
            occurred_at: self.end_of(line.counts_on),
            raw: line.text.clone().into_bytes(),
            headers: json!({ "statement_line": line.id }),
        }
    }
}
