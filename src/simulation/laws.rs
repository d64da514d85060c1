//! What must hold whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::{Day, Money};
use serde::Serialize;

use super::life::Life;
use super::{giving, store};
use crate::app::SNAPSHOT;
use crate::fault::Fault;
use crate::reports::{self, Asked};

/// A law and what breaks it.
#[derive(Debug, Clone, Serialize)]
pub struct Law {
    pub law: &'static str,
    /// What is against it; none while it holds.
    pub broken: Option<String>,
}

/// How much of what is wrong is told.
const TOLD_MAX: usize = 5;

impl Law {
    fn of(law: &'static str, against: Vec<String>) -> Self {
        let more = against.len().saturating_sub(TOLD_MAX);
        let mut told = against.iter().take(TOLD_MAX).cloned().collect::<Vec<_>>().join("; ");
        if more > 0 {
            told.push_str(&format!("; and {more} more"));
        }
        Self { law, broken: (!against.is_empty()).then_some(told) }
    }

    pub(super) fn step_failed(why: &str) -> Self {
        Self::of("no step fails", vec![why.to_owned()])
    }
}

/// Those that hold at any time.
pub(super) async fn always(life: &Life) -> Result<Vec<Law>, Fault> {
    let app = &life.stage.app;
    let mut conn = app.pool.acquire().await?;
    let verified = app.hub.book.verify(&mut conn, &mut |_| {}).await?;
    let differences = verified.differences.iter().map(|one| format!("{one:?}")).collect();
    let claimed = store::find_card_money(&mut conn).await?;
    let captured = life.stage.outside.world().captured();
    let invented = claimed.iter().filter(|one| !captured.contains(*one));
    let [twice, more] = giving::against(life, &mut conn).await?;
    Ok(vec![
        Law::of("the book verifies from its first entry", differences),
        Law::of(
            "what a payment says is paid is what its entries took",
            store::find_paid_differences(&mut conn).await?,
        ),
        Law::of("each money is applied once", store::find_money_key_differences(&mut conn).await?),
        Law::of("no card money is booked that the gateway did not take", invented.cloned().collect()),
        Law::of(
            "suspense, receivables and refunds on their way are the sum of their items",
            store::find_item_differences(&mut conn).await?,
        ),
        Law::of(
            "what channels pay agencies themselves is what they have not reported, less what is to be given back",
            store::find_direct_differences(&mut conn).await?,
        ),
        Law::of(
            "a bill waits for its attempt as long as that lives, and no longer",
            store::find_hanging(&mut conn).await?,
        ),
        Law::of("nothing is given up, unreceipted or decided alone", store::find_leftovers(&mut conn).await?),
        Law::of("the feed is dense", store::find_feed_gaps(&mut conn).await?),
        Law::of("a poller sees each event once, and an object's in order", feed(life)),
        Law::of("no refund is given twice", twice),
        Law::of(
            "no payment gives back more than it brought, by card, by file and by reversal together",
            more,
        ),
        Law::of(
            "no agency is released what its channel paid it, or what was taken back before",
            store::find_released_twice(&mut conn).await?,
        ),
    ])
}

fn feed(life: &Life) -> Vec<String> {
    let mut against = Vec::new();
    let mut versions: BTreeMap<&str, i32> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for (place, event) in life.feed.iter().enumerate() {
        if usize::try_from(event.position) != Ok(place + 1) || !ids.insert(event.id) {
            against.push(format!("event {} at place {}", event.position, place + 1));
        }
        let object = event.body["id"].as_str().unwrap_or_default();
        let last = versions.insert(object, event.object_version);
        if last.is_some_and(|last| last > event.object_version) {
            against.push(format!("{object} goes back to version {}", event.object_version));
        }
    }
    against
}

/// Those that hold when everything has settled, and all others.
pub(super) async fn at_the_end(life: &Life) -> Result<Vec<Law>, Fault> {
    let mut laws = always(life).await?;
    let app = &life.stage.app;
    let mut conn = app.pool.acquire().await?;
    laws.push(Law::of("nothing waits that could move", store::find_unsettled(&mut conn).await?));
    let claimed: BTreeSet<String> = store::find_card_money(&mut conn).await?.into_iter().collect();
    let lost = life.stage.outside.world().captured();
    laws.push(Law::of("all money the gateway took is booked", lost.difference(&claimed).cloned().collect()));
    laws.push(Law::of("the bank's books and ours show the same balances", bank(life, &mut conn).await?));
    drop(conn);
    laws.push(Law::of("every day's proof ties, but for money that left unexplained", proofs(life).await?));
    Ok(laws)
}

async fn bank(life: &Life, conn: &mut sqlx::PgConnection) -> Result<Vec<String>, Fault> {
    let balances = life.stage.app.hub.book.balances(conn).await?;
    let world = life.stage.outside.world();
    let differs = |(name, closing): (&str, Money)| {
        let code = format!("bank/{name}");
        let ours = balances
            .iter()
            .find(|one| one.account.code.as_str() == code)
            .map(mizan_ledger::AccountBalance::money);
        let ours = ours.unwrap_or(Money::zero(closing.currency()));
        (ours != closing).then(|| format!("{code}: {ours} here, {closing} there"))
    };
    Ok(world.closings().filter_map(differs).collect())
}

/// Whether no more is missing in custody than left the bank and nobody could explain.
fn left_unexplained(part: &reports::Part) -> Result<bool, Fault> {
    let debits = part.lines.iter().filter(|line| line.account.ends_with("/debits"));
    let debits = Money::sum(part.unexplained.currency(), debits.map(|line| line.closing))?;
    Ok(!part.unexplained.compare(debits)?.is_gt())
}

/// Of each day on which the bank gave statements.
async fn proofs(life: &Life) -> Result<Vec<String>, Fault> {
    let app = &life.stage.app;
    let days: Vec<Day> = life.stage.outside.world().closed_days();
    let mut against = Vec::new();
    for day in days {
        let asked =
            Asked { book: &app.hub.book, calendar: &app.hub.calendar, banks: &app.hub.config.banks, day };
        let mut snapshot = app.pool.begin_with(SNAPSHOT).await?;
        let proof = reports::service::daily(&mut snapshot, &asked).await?;
        snapshot.rollback().await?;
        for currency in proof.currencies.iter().filter(|currency| !currency.ties()) {
            for (section, part) in currency.parts().into_iter().filter(|(_, part)| !part.ties()) {
                // Of two statements that differ a person says which is true: until then the day is in doubt.
                let in_doubt = |line: &&reports::Line| {
                    line.unexplained.is_zero() && {
                        let world = life.stage.outside.world();
                        world.is_contradicted(&line.account, day)
                    }
                };
                let lines: Vec<_> =
                    part.lines.iter().filter(|line| !line.ties() && !in_doubt(line)).collect();
                if lines.is_empty() && (part.unexplained.is_zero() || left_unexplained(part)?) {
                    continue;
                }
                let alarms = &currency.alarms;
                let told: Vec<String> = lines
                    .iter()
                    .map(|line| format!("{} {} {:?}", line.account, line.unexplained, line.notes))
                    .collect();
                against.push(format!(
                    "{day} {section:?} {}: {} {alarms:?}",
                    currency.currency,
                    told.join(", ")
                ));
            }
        }
    }
    Ok(against)
}
