use mizan_adapters::reference::BillNumber;
use mizan_ledger::{Day, Instant, Money};
use serde::Serialize;
use serde_json::{Map, Value};

use super::new::Payer;
use super::state::{Illegal, IntentEvent, IntentState};
use crate::fault::Fault;
use crate::ids::{IntentId, PortalId, QuoteId};
use crate::intents::fulfilled::{Fulfilment, Outcome};

/// The life of one payment.
#[derive(Debug, Clone)]
pub struct Intent {
    pub id: IntentId,
    pub portal: PortalId,
    pub external_reference: String,
    pub purpose: String,
    pub state: IntentState,
    /// Grows with every change.
    pub version: i32,
    pub amount: Money,
    pub paid: Money,
    /// Asked back and not refused: never more than was paid.
    pub refund_reserved: Money,
    /// Seen leaving at the bank.
    pub refunded: Money,
    pub bill_number: BillNumber,
    pub pay_token: String,
    pub quote: QuoteId,
    pub payer: Option<Payer>,
    pub return_url: Option<String>,
    pub metadata: Map<String, Value>,
    pub channels: Vec<String>,
    pub predecessor: Option<IntentId>,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub paid_at: Option<Instant>,
    pub settlement_on: Option<Day>,
    pub receipt: Option<String>,
    /// What became of the services of its lines.
    pub fulfilment: Fulfilment,
    /// Of what was paid: no longer refundable, because its service was delivered.
    pub kept: Money,
    /// Of what was paid: its channels took it back, and the payer has it again.
    pub reversed: Money,
}

/// What arriving money does to an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The whole amount is paid now; `surplus` is what came beyond it and belongs in suspense.
    Pays { surplus: Money },
    /// Less than the amount came: held until the rest comes.
    Part { received: Money },
    /// The intent takes no money any more (or never in this currency): all of it belongs in suspense.
    Suspense(Misfit),
}

/// Why money does not fit its intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfit {
    /// Paid already: the payer paid twice.
    Duplicate,
    /// Expired or canceled before the money came, or an earlier part was taken back.
    Late,
    WrongCurrency,
}

impl Intent {
    pub fn due(&self) -> Result<Money, Fault> {
        Ok(self.amount.checked_sub(self.paid)?)
    }

    /// The agency reported that the service of this line was given.
    pub fn is_delivered(&self, line: usize) -> bool {
        self.fulfilment.of(line) == Some(Outcome::Delivered)
    }

    /// A channel took money back that is asked back too: the payer has it, and no refund of it leaves.
    pub fn is_overdrawn(&self) -> Result<bool, Fault> {
        let back = self.refund_reserved.checked_add(self.reversed)?;
        Ok(self.reversed.is_positive() && back.compare(self.paid)?.is_gt())
    }

    /// Its channels took back this much of its payments in all. True when that is more than was known: what came beyond the
    /// amount due was never paid of it.
    pub fn take_back(&mut self, in_all: Money) -> Result<bool, Fault> {
        let back = if in_all.compare(self.paid)?.is_lt() { in_all } else { self.paid };
        let more = back.compare(self.reversed)?.is_gt();
        if more {
            self.reversed = back;
            self.version += 1;
        }
        Ok(more)
    }

    /// Whether nobody is asked to pay it any more, whatever its state: its time is over, or its channel took a part back, of
    /// which a person decides.
    pub fn asks_no_more(&self, now: Instant) -> bool {
        self.expires_at <= now || self.reversed.is_positive()
    }

    /// Decides what arriving money does; changes nothing.
    pub fn arrival(&self, money: Money) -> Result<Arrival, Fault> {
        if money.currency() != self.amount.currency() {
            return Ok(Arrival::Suspense(Misfit::WrongCurrency));
        }
        let due = match self.state {
            IntentState::Paid => return Ok(Arrival::Suspense(Misfit::Duplicate)),
            IntentState::Expired | IntentState::Canceled => return Ok(Arrival::Suspense(Misfit::Late)),
            // The rest does not complete it: it would be receipted in full, and a part of it is gone.
            _ if self.reversed.is_positive() => return Ok(Arrival::Suspense(Misfit::Late)),
            _ => self.due()?,
        };
        let surplus = money.checked_sub(due)?;
        if surplus.is_negative() {
            return Ok(Arrival::Part { received: money });
        }
        Ok(Arrival::Pays { surplus })
    }

    /// Moves the state machine; the version grows with every change.
    pub fn apply(&mut self, event: IntentEvent) -> Result<(), Illegal> {
        self.state = self.state.apply(event, self.paid.is_positive())?;
        self.version += 1;
        Ok(())
    }
}
