//! The life: which step comes next, what happens when it is cut off, and how it ends.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;

use super::dice::Dice;
use super::laws::{self, Law};
use super::stage::Stage;
use crate::app::ServiceError;
use crate::crash::Point;
use crate::events::Event;
use crate::fault::Fault;
use crate::ids::QuoteId;

/// Steps between two looks at the laws.
const CHECK_EVERY: usize = 250;
/// Days in which everything that is under way comes to its end, and what is held for two weeks is released.
const DAYS_TO_SETTLE: usize = 12;

/// What to live.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// Steps before everything settles.
    pub events: usize,
    /// A migrated database without data; logs in as `mizan_app`.
    pub database_url: String,
    /// For the hub's keys.
    pub data_dir: PathBuf,
    /// Folder of the example catalogues.
    pub catalogue: PathBuf,
}

/// How a life went.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub seed: u64,
    pub events: usize,
    /// Steps by their name, and how many of them the hub refused.
    pub counts: BTreeMap<String, u64>,
    /// What went wrong outside, and how often a process died at a point.
    pub faults: BTreeMap<String, u64>,
    pub entries: i64,
    /// Of the last link of the chain: equal for equal lives.
    pub head: String,
    pub laws: Vec<Law>,
}

impl Outcome {
    pub fn holds(&self) -> bool {
        self.laws.iter().all(|law| law.broken.is_none())
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Did,
    /// The hub said no, as it may.
    Refused,
    /// There was nothing to do it to.
    Nothing,
}

/// The answer of a service, unless it failed.
pub(super) fn done<T, E: ServiceError>(answer: Result<T, E>) -> Result<Done, Fault> {
    match answer.map_err(E::into_fault) {
        Ok(_) => Ok(Done::Did),
        Err(Ok(fault)) => Err(fault),
        Err(Err(_)) => Ok(Done::Refused),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Quote,
    Open,
    Choose,
    Decide,
    Transfer,
    Stray,
    Cancel,
    Fulfil,
    AskRefund,
    DecideRefund,
    MendRefund,
    PayIn,
    MatchPayIn,
    Deliver,
    Post,
    Publish,
    Work,
    Sweep,
    Poll,
    Import,
    Reconcile,
    Pass,
}

/// How often each step comes, and its name.
const STEPS: [(u64, Step); 22] = [
    (4, Step::Quote),
    (12, Step::Open),
    (14, Step::Choose),
    (14, Step::Decide),
    (6, Step::Transfer),
    (1, Step::Stray),
    (2, Step::Cancel),
    (6, Step::Fulfil),
    (7, Step::AskRefund),
    (6, Step::DecideRefund),
    (8, Step::MendRefund),
    (2, Step::PayIn),
    (2, Step::MatchPayIn),
    (18, Step::Deliver),
    (14, Step::Post),
    (8, Step::Publish),
    (20, Step::Work),
    (4, Step::Sweep),
    (4, Step::Poll),
    (5, Step::Import),
    (3, Step::Reconcile),
    (9, Step::Pass),
];

/// How many steps of a hundred are cut off, if they come to the point.
const CRASHES_PERCENT: u64 = 6;

pub(super) struct Life {
    pub stage: Stage,
    pub dice: Dice,
    /// Quotes a portal holds.
    pub quotes: Vec<QuoteId>,
    /// References a portal has given.
    pub references: u64,
    /// The feed as a portal has read it.
    pub feed: Vec<Event>,
    counts: BTreeMap<String, u64>,
    crashes: BTreeMap<String, u64>,
}

/// Lives `plan.events` steps, lets everything settle, and judges. `tell` hears of each step.
///
/// # Errors
/// When the database or the example catalogue is not there. A step that fails is a broken law.
pub async fn run(plan: &Plan, tell: &mut dyn FnMut(usize)) -> anyhow::Result<Outcome> {
    let stage = Stage::open(plan.seed, &plan.database_url, &plan.data_dir, &plan.catalogue).await?;
    let mut life = Life {
        stage,
        dice: Dice::new(plan.seed, 1),
        quotes: Vec::new(),
        references: 0,
        feed: Vec::new(),
        counts: BTreeMap::new(),
        crashes: BTreeMap::new(),
    };
    let (events, laws) = life.live(plan.events, tell).await?;
    let mut conn = life.stage.app.pool.acquire().await.context("the database")?;
    let head = life.stage.app.hub.book.head(&mut conn).await.context("the book")?;
    drop(conn);
    let mut faults = life.crashes;
    for (name, count) in life.stage.outside.world().faults() {
        faults.insert((*name).to_owned(), *count);
    }
    life.stage.close().await;
    Ok(Outcome {
        seed: plan.seed,
        events,
        counts: life.counts,
        faults,
        entries: head.seq,
        head: hex::encode(head.hash),
        laws,
    })
}

impl Life {
    /// Ends early at the first broken law. Answers how many steps were lived.
    async fn live(
        &mut self,
        events: usize,
        tell: &mut dyn FnMut(usize),
    ) -> anyhow::Result<(usize, Vec<Law>)> {
        // The hub knows its accounts from the day before: a chain of statements has a beginning.
        self.stage.outside.world().open_accounts();
        while self.import().await? != Done::Nothing {}
        for event in 1..=events {
            if let Err(fault) = self.event().await? {
                return Ok((event, vec![Law::step_failed(&fault.to_string())]));
            }
            if event % CHECK_EVERY == 0 {
                let laws = laws::always(self).await?;
                if laws.iter().any(|law| law.broken.is_some()) {
                    return Ok((event, laws));
                }
            }
            tell(event);
        }
        if let Err(fault) = self.settle().await {
            return Ok((events, vec![Law::step_failed(&format!("while settling: {fault}"))]));
        }
        Ok((events, laws::at_the_end(self).await?))
    }

    /// One step of the seed's choice, cut off at a point or not.
    async fn event(&mut self) -> anyhow::Result<Result<(), Fault>> {
        let step = self.dice.weighted(&STEPS).context("a step")?;
        if !self.dice.chance(CRASHES_PERCENT) {
            return Ok(self.counted(step).await);
        }
        let point = *self.dice.pick(&Point::ALL).context("a point")?;
        let app = self.stage.app.clone();
        app.hub.crash.arm(point, u32::try_from(self.dice.between(1, 2))?);
        let whole = tokio::select! {
            biased;
            done = self.counted(step) => Some(done),
            () = app.hub.crash.reached() => None,
        };
        app.hub.crash.disarm();
        drop(app);
        if whole.is_none() {
            *self.crashes.entry(format!("killed when {}", point.as_str())).or_default() += 1;
            self.stage.restart().await?;
        }
        Ok(whole.unwrap_or(Ok(())))
    }

    async fn counted(&mut self, step: Step) -> Result<(), Fault> {
        let done = self.step(step).await?;
        self.note_what_is_read().await?;
        let name = format!("{step:?}").to_lowercase();
        let counted = match done {
            Done::Did => name,
            Done::Refused => format!("{name} refused"),
            Done::Nothing => return Ok(()),
        };
        *self.counts.entry(counted).or_default() += 1;
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<Done, Fault> {
        match step {
            Step::Quote => self.quote().await,
            Step::Open => self.open().await,
            Step::Choose => self.choose().await,
            Step::Decide => Ok(self.decide()),
            Step::Transfer => self.transfer().await,
            Step::Stray => Ok(self.stray()),
            Step::Cancel => self.cancel().await,
            Step::Fulfil => self.fulfil().await,
            Step::AskRefund => self.ask_refund().await,
            Step::DecideRefund => self.decide_refund().await,
            Step::MendRefund => self.mend_refund().await,
            Step::PayIn => self.pay_in().await,
            Step::MatchPayIn => self.match_pay_in().await,
            Step::Deliver => self.deliver().await,
            Step::Post => self.post().await,
            Step::Publish => self.publish().await,
            Step::Work => self.work().await,
            Step::Sweep => self.sweep().await,
            Step::Poll => self.poll().await,
            Step::Import => self.import().await,
            Step::Reconcile => self.reconcile().await,
            Step::Pass => Ok(self.pass()),
        }
    }

    /// Nothing new happens and nothing errs any more: what is under way comes to its end, day by day.
    async fn settle(&mut self) -> Result<(), Fault> {
        self.stage.outside.world().calm_down();
        for _ in 0..DAYS_TO_SETTLE {
            while self.deliver().await? != Done::Nothing {}
            self.close_day();
            while self.import().await? != Done::Nothing {}
            self.idle().await?;
        }
        Ok(())
    }
}
