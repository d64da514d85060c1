//! Everything the sandbox knows, and how a request gets at it: one lock, held only while something is decided.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use super::amount::{Amount, Currency};
use super::bank::Bank;
use super::books::{Books, Party};
use super::callback::{Delivery, Dispatch, Event};
use super::clock::Clock;
use super::config::Config;
use super::faults::Faults;
use super::gateway::Gateway;
use super::payment_orders::PaymentFiles;
use super::refusal::Refusal;
use super::seed::Seed;

/// No list of the sandbox grows beyond this; a request that would is refused.
pub const COUNT_MAX: usize = 1_000_000;

/// How many tries of callbacks are remembered.
const DELIVERIES_MAX: usize = 10_000;

/// The sandbox's settings, clock and memory.
#[derive(Debug)]
pub struct World {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub seed: Seed,
    pub kept: Kept,
    /// Callbacks decided under the lock and sent after it.
    outbox: Vec<Dispatch>,
}

/// What is written into the folder and shown by `/control/state`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The day that is open at bank and gateway.
    pub day: Date,
    /// The clock when this was written.
    pub now: Timestamp,
    pub bank: Bank,
    pub gateway: Gateway,
    pub files: PaymentFiles,
    pub faults: Faults,
    /// The last tries of callbacks, oldest first.
    pub deliveries: VecDeque<Delivery>,
    /// Tries of callbacks so far.
    delivered: u64,
    pub books: Books,
}

impl World {
    /// A new world: every account with its opening balance.
    pub fn new(config: Arc<Config>) -> Self {
        let mut books = Books::default();
        for account in &config.accounts {
            let currency = Currency::find(&account.currency).expect("the settings were checked at the start");
            let opening = Amount::parse_signed(&account.opening, currency)
                .expect("the settings were checked at the start");
            books.post(config.day, Party::Outside, Party::Account(account.iban.clone()), opening, "opening");
        }
        let kept = Kept {
            day: config.day,
            now: config.now,
            bank: Bank::new(&config.accounts, &books),
            gateway: Gateway::new(&config.merchants),
            files: PaymentFiles::default(),
            faults: Faults::default(),
            deliveries: VecDeque::new(),
            delivered: 0,
            books,
        };
        Self::resumed(config, kept)
    }

    /// A world as it was written down, under today's settings.
    pub fn resumed(config: Arc<Config>, mut kept: Kept) -> Self {
        kept.books.recount();
        kept.bank.add_accounts(&config.accounts, &mut kept.books, kept.day);
        kept.gateway.add_merchants(&config.merchants);
        let clock = Clock::new(kept.now, config.pace);
        Self { clock, seed: Seed(config.seed), config, kept, outbox: Vec::new() }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The world as JSON.
    pub fn write_down(&mut self) -> serde_json::Value {
        self.kept.now = self.now();
        serde_json::to_value(&self.kept).expect("every key is a string and every value is plain")
    }

    /// Has a callback sent, with the faults in force now for the orders it is about.
    pub fn send(&mut self, url: &str, about: &[&str], event: Event) {
        let (fault, delay_ms) = self.kept.faults.callback(about);
        self.outbox.push(Dispatch { url: url.to_owned(), event, fault, delay_ms });
    }

    /// An id for the next try of a callback.
    pub fn next_delivery(&mut self) -> String {
        self.kept.delivered += 1;
        format!("gd_{}", self.seed.token("delivery", &[&self.kept.delivered.to_string()]))
    }

    pub fn remember(&mut self, delivery: Delivery) {
        if self.kept.deliveries.len() == DELIVERIES_MAX {
            self.kept.deliveries.pop_front();
        }
        self.kept.deliveries.push_back(delivery);
    }

    /// The sandbox checks its own totals: the books balance, every account shows what they say, the statements
    /// chain, and the gateway owes each merchant what is not settled.
    pub fn totals_hold(&self) -> bool {
        self.kept.books.balanced()
            && self.kept.bank.agrees_with(&self.kept.books)
            && self.kept.gateway.agrees_with(&self.kept.books)
    }
}

/// What handlers and loops share.
#[derive(Debug)]
pub struct Shared {
    pub config: Arc<Config>,
    /// The sandbox's address as the world sees it: `http://127.0.0.1:4711`.
    pub url: String,
    world: Mutex<World>,
    courier: mpsc::UnboundedSender<Dispatch>,
    stop: watch::Receiver<bool>,
    /// One at a time works in the folder.
    pub folder_turn: tokio::sync::Mutex<()>,
}

impl Shared {
    pub fn new(
        world: World,
        url: String,
        courier: mpsc::UnboundedSender<Dispatch>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let config = Arc::clone(&world.config);
        Self {
            config,
            url,
            world: Mutex::new(world),
            courier,
            stop,
            folder_turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Decides something under the lock, then hands the callbacks it caused to the courier.
    pub fn with<R>(&self, decide: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let decided = decide(&mut world);
        for dispatch in world.outbox.drain(..) {
            // The courier is gone only when the sandbox is stopping; what it would have sent is lost with it.
            self.courier.send(dispatch).ok();
        }
        decided
    }

    /// Ends when the sandbox stops.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // An error means that the server itself is gone, which is the same.
        stop.wait_for(|stopping| *stopping).await.ok();
    }
}

/// Reads the two strings that make an amount of money; more than zero.
pub fn money(amount: &str, currency: &str) -> Result<Amount, Refusal> {
    let known = Currency::find(currency);
    let known = known
        .ok_or_else(|| Refusal::senseless("unknown_currency", "the sandbox does not keep this currency"))?;
    let read = Amount::parse_exact(amount, known).filter(|amount| amount.minor > 0);
    read.ok_or_else(|| {
        let message = "amount is a decimal string above zero with exactly the currency's decimals, below 10^12 minor units";
        Refusal::senseless("bad_amount", message)
    })
}
