//! Each account from statement to statement: what an accepted one settles, and those that wait for their place or day.

use mizan_ledger::{Currency, Day, Money};

use super::aside::{Aside, subject};
use crate::breaks::{self, Category};
use crate::fault::Fault;
use crate::ids::StatementId;
use crate::recon::model::{Cause, Statement, Summary};
use crate::recon::rails::reporting_channels;
use crate::recon::store;
use crate::tx::Tx;

/// A channel is asked for the days a statement covers, at most so many back.
const REPORT_DAYS_MAX: i32 = 31;

/// An accepted statement on its way into the chain of its account.
pub(super) struct Link<'a> {
    id: StatementId,
    account: &'a str,
    reference: &'a str,
    pub(super) period_on: Day,
    opening: Money,
    closing: Money,
}

impl<'a> Link<'a> {
    pub(super) fn new(id: StatementId, account: &'a str, summary: &'a Summary) -> Result<Self, Fault> {
        let parts = (summary.period_on, summary.opening, summary.closing);
        let (Some(period_on), Some(opening), Some(closing)) = parts else {
            return Err(Fault::corrupt("statements", "closing_minor", id));
        };
        Ok(Self { id, account, reference: &summary.reference, period_on, opening, closing })
    }

    /// The day after the last one known; the statement's own day for the first of an account.
    pub(super) async fn covers_from(&self, tx: &mut Tx) -> Result<Day, Fault> {
        let position = store::find_position(tx.conn(), self.account).await?;
        Ok(position.map_or(self.period_on, |position| position.through_on.next()))
    }

    /// Why it tells again what an accepted statement told: it lists money of one, or has the very movements of one on the same
    /// day between the same balances, should its bank name none of them.
    pub(super) async fn repeats(&self, tx: &mut Tx) -> Result<Option<String>, Fault> {
        let Self { id, account, period_on, opening, closing, .. } = *self;
        if let Some(key) = store::find_repeated(tx.conn(), id).await? {
            return Ok(Some(format!("it lists {key} again, with the same day and amount")));
        }
        let told = store::find_told_before(tx.conn(), id, account, period_on, (opening, closing)).await?;
        Ok(told.map(|name| format!("it lists the movements of {name} again, between the same balances")))
    }

    /// What was wrong under its name is settled, the account is known further, and the channels that settle into it
    /// are to tell what they paid on its days.
    pub(super) async fn join(&self, tx: &mut Tx, covers_from: Day) -> Result<(), Fault> {
        let Self { id, account, period_on, opening, closing, .. } = *self;
        store::update_keys(tx.conn(), id, account).await?;
        store::update_position(tx.conn(), account, id, opening, closing, period_on).await?;
        self.settle(tx, covers_from).await
    }

    /// The same of one that stands between two: no further is known by it.
    pub(super) async fn stand_between(&self, tx: &mut Tx, place: Option<i64>) -> Result<(), Fault> {
        store::update_keys(tx.conn(), self.id, self.account).await?;
        if let Some(place) = place {
            store::update_place(tx.conn(), self.id, place).await?;
        }
        self.settle(tx, self.period_on).await
    }

    async fn settle(&self, tx: &mut Tx, covers_from: Day) -> Result<(), Fault> {
        let now = tx.now();
        let Self { account, reference, period_on, closing, .. } = *self;
        let replaced = store::update_superseded(tx.conn(), self.id, account, reference, period_on).await?;
        want_reports(tx, account, closing.currency(), covers_from, period_on).await?;
        let days = replaced.into_iter().chain([Some(period_on)]);
        let subjects: Vec<String> = days.map(|day| subject(account, reference, day)).collect();
        for category in [Category::StatementDoesNotClose, Category::StatementGap, Category::StatementInDoubt]
        {
            let came = "the statement was accepted";
            breaks::store::update_self_resolved(tx.conn(), now, category, &subjects, came).await?;
        }
        for other in store::update_altered(tx.conn(), self.id, account, reference, period_on).await? {
            let difference = other.closing.and_then(|told| told.checked_sub(closing).ok());
            let aside = Aside { difference: difference.filter(|by| !by.is_zero()), ..Aside::of(&other) };
            aside.open_break(tx, Cause::Altered, other.reason.as_deref().unwrap_or_default()).await?;
        }
        Ok(())
    }
}

/// Where a statement of a past day stands that begins and ends with this balance, as those of an account that is swept every night
/// do. What was proved stays: movements come in neither before the account's first statement nor on a day that was told of.
pub(super) async fn find_place_between(
    tx: &mut Tx,
    account: &str,
    (day, balance): (Day, Money),
    is_still: bool,
) -> Result<Option<Option<i64>>, Fault> {
    let junction = store::find_junction(tx.conn(), account, day, balance).await?;
    let fits = junction.filter(|at| is_still || !(at.begins || at.day_is_told));
    Ok(fits.map(|at| at.place))
}

/// The channels that settle into the account are to tell what they paid on these days.
pub(super) async fn want_reports(
    tx: &mut Tx,
    account: &str,
    currency: Currency,
    from: Day,
    through: Day,
) -> Result<(), Fault> {
    for channel in reporting_channels(tx.hub(), account, currency) {
        let earliest = through.plus_days(-REPORT_DAYS_MAX);
        let first = from.plus_days(-i32::from(channel.settles_within_days)).max(earliest);
        let days: Vec<Day> = std::iter::successors(Some(first), |day| Some(day.next()))
            .take_while(|day| *day <= through)
            .collect();
        store::insert_wanted(tx.conn(), &channel.instance, &days).await?;
    }
    Ok(())
}

/// Statements that came before the one that they continue, or before their day, follow it now, one after the other.
pub(super) async fn accept_those_waiting(tx: &mut Tx, account: &str) -> Result<(), Fault> {
    let (now, today) = (tx.now(), tx.hub().calendar.day_of(tx.now()));
    loop {
        let position = store::find_position(tx.conn(), account).await?;
        let Some(next) = store::find_next(tx.conn(), account, position, today).await? else {
            return place_those_between(tx, account).await;
        };
        let parts = (next.period_on, next.opening, next.closing);
        let (Some(period_on), Some(opening), Some(closing)) = parts else {
            return Err(Fault::corrupt("statements", "closing_minor", next.id));
        };
        let link = Link { id: next.id, account, reference: &next.reference, period_on, opening, closing };
        if let Some(why) = link.repeats(tx).await? {
            put_aside(tx, &next, Cause::Repeats, &why).await?;
            continue;
        }
        let covers_from = link.covers_from(tx).await?;
        store::update_accepted(tx.conn(), next.id, covers_from, now).await?;
        link.join(tx, covers_from).await?;
    }
}

/// Statements that came before the one that they continue, and left the balance as it was, while the chain went on without them.
async fn place_those_between(tx: &mut Tx, account: &str) -> Result<(), Fault> {
    for left in store::page_even_gaps(tx.conn(), account).await? {
        place_between(tx, &left).await?;
    }
    Ok(())
}

/// Answers whether it fits between others and is no longer left.
async fn place_between(tx: &mut Tx, left: &Statement) -> Result<bool, Fault> {
    let (Some(day), Some(balance)) = (left.period_on, left.opening) else { return Ok(false) };
    if left.closing != left.opening {
        return Ok(false);
    }
    let place = find_place_between(tx, &left.account, (day, balance), left.lines == 0).await?;
    if let Some(place) = place {
        accept_between(tx, left, (day, balance), place).await?;
    }
    Ok(place.is_some())
}

/// Judges the statements whose day has come meanwhile: each follows its account, or stands aside with a break.
pub async fn judge_waiting(tx: &mut Tx, _: &()) -> Result<(), Fault> {
    store::take_turn(tx.conn()).await?;
    let today = tx.hub().calendar.day_of(tx.now());
    let mut accounts: Vec<String> =
        store::page_day_come(tx.conn(), today).await?.into_iter().map(|one| one.account).collect();
    accounts.dedup();
    for account in &accounts {
        accept_those_waiting(tx, account).await?;
    }
    for left in store::page_day_come(tx.conn(), today).await? {
        if place_between(tx, &left).await? {
            continue;
        }
        let position = store::find_position(tx.conn(), &left.account).await?;
        let why = position
            .zip(left.period_on)
            .and_then(|(position, day)| position.gap(&left.account, day, left.opening));
        let why = why.unwrap_or_else(|| "it does not continue its account".to_owned());
        put_aside(tx, &left, Cause::Gap, &why).await?;
    }
    Ok(())
}

/// One that waited while those after it came.
async fn accept_between(
    tx: &mut Tx,
    left: &Statement,
    (period_on, balance): (Day, Money),
    place: Option<i64>,
) -> Result<(), Fault> {
    let (account, reference) = (&left.account, &left.reference);
    let link = Link { id: left.id, account, reference, period_on, opening: balance, closing: balance };
    if let Some(why) = link.repeats(tx).await? {
        return put_aside(tx, left, Cause::Repeats, &why).await;
    }
    let now = tx.now();
    store::update_accepted(tx.conn(), left.id, period_on, now).await?;
    link.stand_between(tx, place).await
}

/// A statement that waited cannot be taken as the truth: it waits for a person instead.
async fn put_aside(tx: &mut Tx, left: &Statement, cause: Cause, why: &str) -> Result<(), Fault> {
    store::update_quarantined(tx.conn(), left.id, cause, why).await?;
    if cause == Cause::Repeats {
        let subjects = [subject(&left.account, &left.reference, left.period_on)];
        let now = tx.now();
        breaks::store::update_superseded(tx.conn(), now, Category::StatementGap, &subjects, why).await?;
    }
    Aside::of(left).open_break(tx, cause, why).await
}
