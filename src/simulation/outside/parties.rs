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
use super::world::{MERCHANTS, World};
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
        let mut channels = Channels::new(config)?;
        for merchant in MERCHANTS {
            let desk = Arc::new(Desk { merchant, outside: self.clone() });
            channels = channels.with(Channel {
                instance: merchant.to_owned(),
                collect: Some(desk.clone()),
                refund: Some(desk.clone()),
                notices: Some(desk.clone()),
                query: Some(desk.clone()),
                settlements: Some(desk),
                ..Channel::default()
            });
        }
        for bank in &config.banks {
            let pay_out: Arc<dyn PayOut> = Arc::new(self.clone());
            let keeper =
                Channel { instance: bank.name.clone(), pay_out: Some(pay_out), ..Channel::default() };
            channels = channels.with_bank(&bank.name, keeper);
        }
        Ok(channels)
    }
}

/// The gateway as one of its merchants meets it.
struct Desk {
    merchant: &'static str,
    outside: Outside,
}

impl Collect for Desk {
    fn start(&self, collection: Collection) -> BoxFuture<'_, Outcome<Started>> {
        ready(self.outside.world().open_page(self.merchant, &collection)).boxed()
    }
}

impl Refund for Desk {
    fn refund(&self, order: RefundOrder) -> BoxFuture<'_, Outcome<RefundTaken>> {
        ready(self.outside.world().take_refund(self.merchant, &order)).boxed()
    }
}

impl Notices for Desk {
    fn verify(&self, _: &HeaderMap, body: &[u8]) -> Verdict {
        gateway::verify(body)
    }
}

impl Query for Desk {
    fn order(&self, order: String) -> BoxFuture<'_, Outcome<OrderState>> {
        ready(self.outside.world().order_state(&order)).boxed()
    }

    fn refund(&self, refund: String) -> BoxFuture<'_, Outcome<RefundState>> {
        ready(self.outside.world().refund_state(&refund)).boxed()
    }
}

impl Settlements for Desk {
    fn settlements(&self, day: Day) -> BoxFuture<'_, Outcome<Option<Vec<Settlement>>>> {
        ready(self.outside.world().report_settlements(self.merchant, day)).boxed()
    }
}

impl PayOut for Outside {
    fn submit(&self, file: Bytes) -> BoxFuture<'_, Outcome<String>> {
        ready(self.world().take_payments(&file)).boxed()
    }

    fn refuses_repeats(&self) -> bool {
        true
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
