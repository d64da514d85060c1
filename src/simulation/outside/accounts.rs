//! What went where, as the gateway and the bank know it: who brought money, who was given it back, and what the hub had
//! been told before.

use mizan_ledger::Money;

use super::world::{PageState, RefundEnd, World};

/// What a callback says that the hub must act on.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    Refunded {
        reference: String,
    },
    RefundFailed {
        reference: String,
    },
    Reversed {
        order: String,
    },
    /// Authentic, and not what was captured.
    Misstated {
        order: String,
        money: Money,
    },
}

/// News in two steps: it comes to the hub's door, and later the hub has read all that had come by then.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct News {
    told: bool,
    read: Option<u64>,
}

/// Money that left for a payer and stayed away.
#[derive(Debug, Clone)]
pub struct Given {
    /// Under which reference of the hub's it was ordered.
    pub reference: String,
    pub money: Money,
    /// When the order was taken. Moments are counted, because the clock stands during steps.
    pub taken: u64,
    /// When the hub was told that it had failed, though it was carried out after all.
    pub denied: Option<u64>,
    /// When the hub had read that it was carried out.
    pub read: Option<u64>,
}

/// Money that a payer brought by card. Where the gateway told of more than it took, what it told: the hub believes what
/// is authentic and comes first, and gives back what is too much.
#[derive(Debug, Clone)]
pub struct Brought {
    /// The hub's order at the gateway.
    pub order: String,
    pub money: Money,
    /// When the hub had read that the card's bank took it back.
    pub taken_back: Option<u64>,
}

impl World {
    pub(super) fn moment(&mut self) -> u64 {
        self.moments += 1;
        self.moments
    }

    /// A callback was answered.
    pub(super) fn told(&mut self, fact: &Fact) {
        let now = self.moment();
        match fact {
            Fact::Refunded { reference } => {
                if let Some(refund) = self.refunds.get_mut(reference) {
                    refund.done.told = true;
                }
            }
            Fact::RefundFailed { reference } => {
                if let Some(refund) = self.refunds.get_mut(reference) {
                    refund.denied.get_or_insert(now);
                }
            }
            Fact::Misstated { order, money } => {
                if let Some(page) = self.pages.get_mut(order) {
                    let most = page.told.map_or(page.money.minor(), Money::minor).max(money.minor());
                    page.told = Some(Money::new(most, money.currency()));
                }
            }
            Fact::Reversed { order } => {
                if let Some(page) = self.pages.get_mut(order) {
                    page.taken_back.told = true;
                }
            }
        }
    }

    fn unread(&mut self) -> impl Iterator<Item = &mut News> {
        let refunds = self.refunds.values_mut().map(|refund| &mut refund.done);
        let pages = self.pages.values_mut().map(|page| &mut page.taken_back);
        refunds.chain(pages).filter(|news| news.told && news.read.is_none())
    }

    /// Whether something came to the hub that it may not have read yet.
    pub fn has_unread(&mut self) -> bool {
        self.unread().next().is_some()
    }

    /// The hub has read all that had come to it.
    pub fn all_read(&mut self) {
        let now = self.moment();
        self.unread().for_each(|news| news.read = Some(now));
    }

    /// What left for payers and stayed away.
    pub fn given(&self) -> Vec<Given> {
        let cards = self.refunds.iter().filter(|(_, refund)| refund.state == RefundEnd::Done);
        let cards = cards.map(|(reference, refund)| Given {
            reference: reference.clone(),
            money: refund.money,
            taken: refund.taken,
            denied: refund.denied,
            read: refund.done.read,
        });
        let orders = self.orders.iter().filter(|(_, order)| order.is_final());
        let orders = orders.map(|(reference, order)| Given {
            reference: reference.clone(),
            money: order.money,
            taken: order.taken,
            denied: None,
            read: None,
        });
        cards.chain(orders).collect()
    }

    /// What payers brought by card.
    pub fn brought(&self) -> Vec<Brought> {
        let captured = self.pages.iter().filter_map(|(order, page)| match &page.state {
            PageState::Captured { .. } => Some(Brought {
                order: order.clone(),
                money: page.told.unwrap_or(page.money),
                taken_back: page.taken_back.read,
            }),
            _ => None,
        });
        captured.collect()
    }
}
