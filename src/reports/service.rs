use std::collections::BTreeMap;

use mizan_ledger::store::Book;
use mizan_ledger::{Calendar, Currency, Day, Money};
use sqlx::PgConnection;

use super::bank::{BankDay, Seen};
use super::model::{BookAccount, Facts, Listed, Proof};
use super::movement::Movement;
use super::store::{self, Earned, Entered, Expected, Head, Quarantined, When};
use crate::catalogue::Beneficiary;
use crate::config::Bank;
use crate::fault::Fault;

/// Which day of which hub.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub book: &'a Book,
    pub calendar: &'a Calendar,
    pub banks: &'a [Bank],
    pub day: Day,
}

/// The proof of a day as the database knows it now. The connection is in a [`crate::app::SNAPSHOT`].
pub async fn daily(conn: &mut PgConnection, asked: &Asked<'_>) -> Result<Proof, Fault> {
    store::allow_scans(conn).await?;
    let zone = asked.calendar.zone.name();
    let expected = store::find_expected(conn, zone, asked.day).await?;
    let facts = Facts {
        day: asked.day,
        accounts: accounts(conn, asked).await?,
        banks: banks(conn, asked, &expected).await?,
        listed: listed(conn, asked, &expected).await?,
        unexpected: store::find_unexpected(conn, asked.book.name(), zone, asked.day).await?,
        breaks: store::find_open_breaks(conn, zone, asked.day).await?,
    };
    Ok(Proof::of(&facts)?)
}

/// Every account of the book with its opening and what moved it.
async fn accounts(conn: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<BookAccount>, Fault> {
    let mut moved: BTreeMap<(String, Currency), Vec<Movement>> = BTreeMap::new();
    for (code, movement) in store::find_movements(conn, asked.book.name(), asked.day).await? {
        moved.entry((code, movement.amount.currency())).or_default().push(movement);
    }
    let openings = asked.book.balances_on(conn, asked.day.previous()).await?;
    let account = |opening: mizan_ledger::AccountBalance| {
        let code = opening.account.code.to_string();
        let movements = moved.remove(&(code.clone(), opening.account.currency)).unwrap_or_default();
        BookAccount { code, class: opening.class, opening: opening.money(), movements }
    };
    Ok(openings.into_iter().map(account).collect())
}

/// The open items of all accounts that have a list.
async fn listed(
    conn: &mut PgConnection,
    asked: &Asked<'_>,
    expected: &[Expected],
) -> Result<Vec<Listed>, Fault> {
    let (zone, day) = (asked.calendar.zone.name(), asked.day);
    let mut listed = Vec::new();
    for one in expected {
        list_expected(one, &mut listed)?;
    }
    listed.extend(store::find_suspense(conn, asked.book.name(), zone, day).await?);
    listed.extend(store::find_refunds_payable(conn, zone, day).await?);
    listed.extend(store::find_unclaimed(conn, day).await?);
    listed.extend(store::find_parts(conn, zone, day).await?);
    listed.extend(store::find_debits(conn, day).await?);
    for earned in store::find_collected(conn, zone, day).await? {
        listed.push(list_earned(&earned));
    }
    for refunded in store::find_refunded(conn, zone, day).await? {
        let amount = refunded.amount.checked_neg()?;
        listed.push(list_earned(&Earned { amount, ..refunded }));
    }
    listed.extend(store::find_direct(conn, zone, day).await?);
    listed.extend(store::find_paid_in(conn, day).await?);
    Ok(listed)
}

/// A refund on its way is expected on the bank account or in the channel's next settlement; until then it stands in
/// flight either way.
fn list_expected(one: &Expected, listed: &mut Vec<Listed>) -> Result<(), Fault> {
    let mut list = |account: String, amount: Money| {
        listed.push(Listed { account, amount, items: one.items });
    };
    match one.kind.as_str() {
        "payment" => {
            list(format!("channel/{}/receivable", one.channel), one.amount);
            if !one.cost.is_zero() {
                list(format!("channel/{}/costs_payable", one.channel), one.cost);
            }
        }
        "refund" | "netted_refund" => list("refunds/in_flight".to_owned(), one.amount.checked_neg()?),
        "payout" => list("payouts/in_flight".to_owned(), one.amount.checked_neg()?),
        "cost" => list(format!("channel/{}/costs_payable", one.channel), one.amount.checked_neg()?),
        _ => return Err(Fault::corrupt("expectations", "kind", &one.kind)),
    }
    Ok(())
}

fn list_earned(earned: &Earned) -> Listed {
    let account = match &earned.beneficiary {
        Beneficiary::Agency => format!("agency/{}", earned.agency),
        Beneficiary::AgencyTax(tax) => format!("agency/{}/tax/{tax}", earned.agency),
        Beneficiary::Treasury(fund) => format!("treasury/{fund}/payable"),
        Beneficiary::Hub => "hub/fees".to_owned(),
    };
    Listed { account, amount: earned.amount, items: earned.items }
}

/// What the statements say about each configured bank account.
async fn banks(
    conn: &mut PgConnection,
    asked: &Asked<'_>,
    expected: &[Expected],
) -> Result<Vec<BankDay>, Fault> {
    let heads = store::find_heads(conn, asked.day).await?;
    let lines = store::find_day_lines(conn, asked.day).await?;
    let not_of_day = store::find_not_of_day(conn, asked.day).await?;
    let quarantined = store::find_quarantined(conn, asked.day).await?;
    let mut days = Vec::with_capacity(asked.banks.len());
    for bank in asked.banks {
        let heads: Vec<&Head> = heads.iter().filter(|head| head.account == bank.name).collect();
        let shown = lines.iter().filter(|lines| lines.account == bank.name).map(|lines| lines.amount);
        let shown = Money::sum(bank.currency, shown)?;
        let of_day: Vec<&Head> = heads.iter().filter(|head| head.period_on == asked.day).copied().collect();
        let aside = quarantined.iter().find(|one| one.account == bank.name && !is_told(one, &of_day));
        days.push(BankDay {
            account: format!("bank/{}", bank.name),
            currency: bank.currency,
            proved_from: asked.calendar.business_day_until(asked.day),
            last: heads.last().map(|head| Seen { on: head.period_on, closing: head.closing }),
            quarantined: aside.map(|one| one.aside.clone()),
            brought_forward: heads.first().map_or(Money::zero(bank.currency), |head| head.opening),
            gap: gap(bank.currency, &heads)?,
            lines_missing: moved(bank.currency, &heads, asked.day)?.checked_sub(shown)?,
            entered_later: lines_of(bank, &not_of_day, When::Later)?,
            not_entered: lines_of(bank, &not_of_day, When::Never)?,
            shown_later: lines_of(bank, &not_of_day, When::BeforeShown)?,
            in_flight: in_flight(bank, expected)?,
        });
    }
    Ok(days)
}

/// Whether accepted statements lead from the opening of one that stands aside to its closing, and it shows no money that
/// they do not: it came once more, in another format, under another name or cut short, and hides nothing.
fn is_told(aside: &Quarantined, accepted: &[&Head]) -> bool {
    if !aside.adds_nothing {
        return false;
    }
    let from = |head: &&Head| Some(head.opening) == aside.opening;
    let to = |head: &&Head| Some(head.closing) == aside.aside.closing;
    let first = accepted.iter().position(from);
    first.is_some_and(|first| accepted.iter().skip(first).any(to))
}

/// The sum of what each statement opens with beyond what the one before it closed with.
fn gap(currency: Currency, heads: &[&Head]) -> Result<Money, Fault> {
    let holes = heads.windows(2).map(|two| two[1].opening.checked_sub(two[0].closing));
    let holes = holes.collect::<Result<Vec<_>, _>>()?;
    Ok(Money::sum(currency, holes)?)
}

/// What the statements of the day say they moved.
fn moved(currency: Currency, heads: &[&Head], day: Day) -> Result<Money, Fault> {
    let of_day = heads.iter().filter(|head| head.period_on == day);
    let moved = of_day.map(|head| head.closing.checked_sub(head.opening)).collect::<Result<Vec<_>, _>>()?;
    Ok(Money::sum(currency, moved)?)
}

fn lines_of(bank: &Bank, all: &[Entered], when: When) -> Result<Listed, Fault> {
    let mut listed = nothing(bank);
    for one in all.iter().filter(|one| one.account == bank.name && one.when == when) {
        listed.amount = listed.amount.checked_add(one.amount)?;
        listed.items += one.items;
    }
    Ok(listed)
}

/// Refunds and payouts that will leave the account.
fn in_flight(bank: &Bank, expected: &[Expected]) -> Result<Vec<(String, Listed)>, Fault> {
    let mut by_kind: BTreeMap<String, Listed> = BTreeMap::new();
    let leaving = |one: &&Expected| {
        let is_ours = one.account == bank.name && one.amount.currency() == bank.currency;
        is_ours && matches!(one.kind.as_str(), "refund" | "payout")
    };
    for one in expected.iter().filter(leaving) {
        let listed = by_kind.entry(one.kind.clone()).or_insert_with(|| nothing(bank));
        listed.amount = listed.amount.checked_sub(one.amount)?;
        listed.items += one.items;
    }
    Ok(by_kind.into_iter().collect())
}

fn nothing(bank: &Bank) -> Listed {
    Listed { account: format!("bank/{}", bank.name), amount: Money::zero(bank.currency), items: 0 }
}
