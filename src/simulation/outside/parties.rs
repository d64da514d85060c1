//! The outside as the hub's channels see it: the traits of an adapter, answered from memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use mizan_adapters::channel::{
    Channel, Collect, Collection, FileStatus, Notices, OrderState, PayOut, Query, Refund, RefundOrder,
    RefundState, RefundTaken, Settlement, Settlements, Started, Verdict,
};
use mizan_adapters::outcome::Outcome;
use mizan_ledger::{Calendar, Day, ManualClock};
use reqwest::header::HeaderMap;

use super::gateway;
use super::world::{CARD, World};
use crate::channels::{ChannelError, Channels};
use crate::config::Config;

/// The world outside, shared by the channels of a hub and by what the life does out there.
#[derive(Debug, Clone)]
pub struct Outside(Arc<Mutex<World>>);

impl Outside {
    pub fn new(seed: u64, clock: ManualClock, calendar: Calendar, config: &Config) -> Self {
        Self(Arc::new(Mutex::new(World::new(seed, clock, calendar, &config.banks))))
    }

    /// For one look or one act; never held across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hub's channels with these parties in the place of those over HTTP.
    ///
    /// # Errors
    /// When the configuration makes no channels.
    pub fn channels(&self, config: &Config) -> Result<Channels, ChannelError> {
        let party = Arc::new(self.clone());
        let card = Channel {
            instance: CARD.to_owned(),
            collect: Some(party.clone()),
            refund: Some(party.clone()),
            notices: Some(party.clone()),
            query: Some(party.clone()),
            settlements: Some(party.clone()),
            ..Channel::default()
        };
        let mut channels = Channels::new(config)?.with(card);
        for bank in &config.banks {
            let pay_out: Arc<dyn PayOut> = party.clone();
            let keeper =
                Channel { instance: bank.name.clone(), pay_out: Some(pay_out), ..Channel::default() };
            channels = channels.with_bank(&bank.name, keeper);
        }
        Ok(channels)
    }
}

impl Collect for Outside {
    fn start(&self, collection: Collection) -> BoxFuture<'_, Outcome<Started>> {
        ready(self.world().open_page(&collection)).boxed()
    }
}

impl Refund for Outside {
    fn refund(&self, order: RefundOrder) -> BoxFuture<'_, Outcome<RefundTaken>> {
        ready(self.world().take_refund(&order)).boxed()
    }
}

impl Notices for Outside {
    fn verify(&self, _: &HeaderMap, body: &[u8]) -> Verdict {
        gateway::verify(body)
    }
}

impl Query for Outside {
    fn order(&self, order: String) -> BoxFuture<'_, Outcome<OrderState>> {
        ready(self.world().order_state(&order)).boxed()
    }

    fn refund(&self, refund: String) -> BoxFuture<'_, Outcome<RefundState>> {
        ready(self.world().refund_state(&refund)).boxed()
    }
}

impl Settlements for Outside {
    fn settlements(&self, day: Day) -> BoxFuture<'_, Outcome<Option<Vec<Settlement>>>> {
        ready(self.world().report_settlements(day)).boxed()
    }
}

impl PayOut for Outside {
    fn submit(&self, file: Bytes) -> BoxFuture<'_, Outcome<String>> {
        ready(self.world().take_payments(&file)).boxed()
    }

    fn status(&self, file: String) -> BoxFuture<'_, Outcome<FileStatus>> {
        let answer = match self.world().report_payments(&file) {
            Outcome::Accepted(report) => Outcome::Accepted(FileStatus { raw: Bytes::from(file), report }),
            Outcome::Rejected { code, message } => Outcome::Rejected { code, message },
            Outcome::Unknown { why } => Outcome::Unknown { why },
            Outcome::NotSent { why } => Outcome::NotSent { why },
        };
        ready(answer).boxed()
    }
}
