//! Pressing: many payments at once, for a while.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hook::Hook;
use super::measure::{Call, Summary, Times};
use super::payment::{Target, Told, Way};
use super::proof::faults_of_feed;

/// How hard, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Plans, caches and connections settle; nothing of it is counted.
    pub warm_up: Duration,
    /// After the warm-up.
    pub seconds: u64,
    /// Closed loop: so many clients with one payment each at a time.
    pub clients: usize,
    /// Open loop: so many payments begin in every second.
    pub rate: Option<u32>,
    pub way: Way,
    /// A webhook endpoint hears of every paid intent.
    pub webhook: bool,
}

/// More payments under way than this in the open loop, and the hub has lost the race: further ones are errors.
const UNDER_WAY_MAX: usize = 5_000;
/// How often a payment just called back is looked at until it is paid.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
/// Webhooks still on their way are waited for so long.
const WEBHOOKS_WITHIN: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Paid intents, counted from the end of the warm-up.
    pub paid: usize,
    /// From the end of the warm-up until the last of them was seen as paid.
    pub seconds: f64,
    pub per_second: f64,
    /// Of all calls of all payments.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub calls: BTreeMap<Call, Summary>,
    pub errors: usize,
    /// The first of them, in words.
    pub faults: Vec<String>,
    pub webhooks: Option<usize>,
}

/// What all clients share.
struct Shared {
    target: Target,
    baskets: Vec<Value>,
    times: Arc<Times>,
    hook: Option<Hook>,
    way: Way,
    began: Instant,
    ends: Instant,
    turn: AtomicUsize,
    under_way: AtomicUsize,
    told: Mutex<Vec<(Told, bool)>>,
    faults: Mutex<Vec<String>>,
}

/// Presses the hub, waits until all is paid, and counts.
///
/// # Errors
/// When the hub cannot be asked; what payments run into is counted instead.
pub async fn press(target: &Target, baskets: Vec<Value>, plan: &Plan) -> anyhow::Result<Outcome> {
    let times = Arc::new(Times::default());
    let hook = match plan.webhook {
        true => Some(Hook::open(&target.portal, times.clone()).await?),
        false => None,
    };
    let began = Instant::now() + plan.warm_up;
    let shared = Arc::new(Shared {
        target: target.clone(),
        baskets,
        times,
        hook,
        way: plan.way,
        began,
        ends: began + Duration::from_secs(plan.seconds),
        turn: AtomicUsize::new(0),
        under_way: AtomicUsize::new(0),
        told: Mutex::default(),
        faults: Mutex::default(),
    });
    let tasks = TaskTracker::new();
    let pressed = CancellationToken::new();
    let sampler = TaskTracker::new();
    sampler.spawn(sample(shared.clone(), pressed.clone()));
    match plan.rate {
        None => (0..plan.clients).for_each(|_| drop(tasks.spawn(closed_loop(shared.clone())))),
        Some(rate) => open_loop(&shared, &tasks, rate).await?,
    }
    tasks.close();
    tasks.wait().await;
    pressed.cancel();
    sampler.close();
    sampler.wait().await;
    let ended = all_paid(&shared, plan.clients.max(LAST_MIN)).await?;
    conclude(shared, ended).await
}

async fn closed_loop(shared: Arc<Shared>) {
    while Instant::now() < shared.ends {
        shared.one(Instant::now()).await;
    }
}

async fn open_loop(shared: &Arc<Shared>, tasks: &TaskTracker, rate: u32) -> anyhow::Result<()> {
    ensure!(rate > 0, "a rate of zero presses nothing");
    let first = Instant::now();
    for turn in 0.. {
        let due = first + Duration::from_secs(1) * turn / rate;
        if due >= shared.ends {
            break;
        }
        tokio::time::sleep_until(due).await;
        if shared.under_way.load(Ordering::Relaxed) >= UNDER_WAY_MAX {
            shared.fault(format!("{UNDER_WAY_MAX} payments are under way: this one was not begun"));
            continue;
        }
        let shared = shared.clone();
        tasks.spawn(async move { shared.one(due).await });
    }
    Ok(())
}

impl Shared {
    async fn one(&self, due: Instant) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let basket = &self.baskets[turn % self.baskets.len()];
        let reference = format!("LOAD-{turn}");
        let counted = due >= self.began;
        // What is measured before the warm-up ends goes nowhere.
        let unmeasured = Times::default();
        let times = if counted { &*self.times } else { &unmeasured };
        self.under_way.fetch_add(1, Ordering::Relaxed);
        match self.target.pay(basket, &reference, due, times, self.way).await {
            Ok(told) => {
                if let Some(hook) = self.hook.as_ref() {
                    hook.expect(&told.intent, told.at);
                }
                self.told.lock().unwrap_or_else(PoisonError::into_inner).push((told, counted));
            }
            Err(error) => {
                self.fault(format!("{error:#}"));
                // A hub that refuses everything is not asked a thousand times a second.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    fn fault(&self, what: String) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn last_told(&self) -> Option<(Told, bool)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }
}

/// Follows one payment after another from its callback until it is paid.
async fn sample(shared: Arc<Shared>, pressed: CancellationToken) {
    let mut seen = String::new();
    while !pressed.is_cancelled() {
        tokio::time::sleep(SAMPLE_EVERY).await;
        let Some((told, true)) = shared.last_told().filter(|(told, _)| told.intent != seen) else { continue };
        match shared.target.until_paid(&told.intent).await {
            Ok(paid) => shared.times.add(Call::Posted, paid - told.at),
            Err(error) => shared.fault(format!("{error:#}")),
        }
        seen = told.intent;
    }
}

/// The inbox is applied in order of arrival: when those last told are paid, all are. Answers when that was.
async fn all_paid(shared: &Shared, last: usize) -> anyhow::Result<Instant> {
    let last: Vec<Told> = {
        let told = shared.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().rev().take(last).map(|(told, _)| told.clone()).collect()
    };
    for told in &last {
        shared.target.until_paid(&told.intent).await?;
    }
    Ok(Instant::now())
}

/// As many as can be under way, so that the last callback in order of arrival is among them.
const LAST_MIN: usize = 64;

async fn conclude(shared: Arc<Shared>, ended: Instant) -> anyhow::Result<Outcome> {
    let told = std::mem::take(&mut *shared.told.lock().unwrap_or_else(PoisonError::into_inner));
    let paid = told.iter().filter(|(_, counted)| *counted).count();
    if let Some(hook) = &shared.hook {
        let waited = Instant::now();
        while hook.count() < told.len() && waited.elapsed() < WEBHOOKS_WITHIN {
            tokio::time::sleep(SAMPLE_EVERY).await;
        }
        if hook.count() < told.len() {
            shared.fault(format!("{} of {} webhooks arrived", hook.count(), told.len()));
        }
        hook.withdraw(&shared.target.portal).await?;
    }
    let intents: Vec<String> = told.into_iter().map(|(told, _)| told.intent).collect();
    let mut faults = std::mem::take(&mut *shared.faults.lock().unwrap_or_else(PoisonError::into_inner));
    faults.extend(faults_of_feed(&shared.target.portal, &intents).await?);
    let measured = shared.times.take();
    let of_calls = measured.iter().filter(|(call, _)| **call < Call::Posted);
    let all = Summary::of(of_calls.flat_map(|(_, micros)| micros).copied().collect());
    let seconds = ended.saturating_duration_since(shared.began).as_secs_f64();
    let errors = faults.len();
    faults.truncate(5);
    Ok(Outcome {
        paid,
        seconds: (seconds * 100.0).round() / 100.0,
        per_second: rate_of(paid, seconds),
        p50_ms: all.p50_ms,
        p99_ms: all.p99_ms,
        calls: measured.into_iter().map(|(call, micros)| (call, Summary::of(micros))).collect(),
        errors,
        faults,
        webhooks: shared.hook.as_ref().map(Hook::count),
    })
}

fn rate_of(paid: usize, seconds: f64) -> f64 {
    let paid = u32::try_from(paid).map_or(f64::MAX, f64::from);
    if seconds > 0.0 { (paid / seconds * 10.0).round() / 10.0 } else { 0.0 }
}
