//! What is compared when the walk is over: every derived row with what the walk derived.

use std::collections::{BTreeMap, HashSet};

use sqlx::PgConnection;

use super::Check;
use super::rows::{self, DailyTotal};
use super::walk::{Account, DayTotal, Walk};
use crate::Day;
use crate::balance::Balance;
use crate::store::outcome::BookError;

/// The triggers without which rules would not be enforced, besides those of partitions.
const GUARDS: [(&str, &str); 18] = [
    ("accounts", "accounts_kept"),
    ("balances", "balances_kept"),
    ("batches", "batches_append_only"),
    ("batches", "batches_inserted"),
    ("batches", "batches_whole"),
    ("book_events", "book_events_append_only"),
    ("book_events", "book_events_inserted"),
    ("books", "books_kept"),
    ("checkpoints", "checkpoints_append_only"),
    ("daily_totals", "daily_totals_kept"),
    ("entries", "entries_append_only"),
    ("entries", "entries_inserted"),
    ("lines", "lines_append_only"),
    ("lines", "lines_inserted"),
    ("outcomes", "outcomes_append_only"),
    ("periods", "periods_inserted"),
    ("periods", "periods_updated"),
    ("reversals", "reversals_append_only"),
];

const ACCOUNTS_PER_PORTION: usize = 100;

pub(super) async fn guards(conn: &mut PgConnection, walk: &mut Walk) -> Result<(), BookError> {
    let on: HashSet<(String, String)> = rows::triggers(conn).await?.into_iter().collect();
    let parts = rows::partitions(conn).await?;
    let of_parts = parts.iter().map(|part| (part.clone(), format!("{part}_parent_only")));
    let of_tables = GUARDS.iter().map(|(table, name)| ((*table).to_owned(), (*name).to_owned()));
    for (table, name) in of_tables.chain(of_parts) {
        if !on.contains(&(table.clone(), name.clone())) {
            walk.differ(Check::Guards, table, format!("the trigger {name} is missing or off"));
        }
    }
    Ok(())
}

pub(super) async fn compare(conn: &mut PgConnection, book: i32, walk: &mut Walk) -> Result<(), BookError> {
    head(walk);
    let mut ids: Vec<i64> = walk.accounts.keys().copied().collect();
    ids.sort_unstable();
    for portion in ids.chunks(ACCOUNTS_PER_PORTION) {
        let stored = rows::daily_totals(conn, portion).await?;
        for id in portion {
            let Some(account) = walk.accounts.get(id) else { continue };
            let own = stored.iter().filter(|row| row.account_id == *id);
            let found = [balance(account), daily_totals(account, own)].concat();
            for (check, at, detail) in found {
                walk.differ(check, at, detail);
            }
        }
    }
    zero_sums(walk);
    counts(conn, book, walk).await?;
    for batch in rows::false_checkpoints(conn, book).await? {
        walk.differ(
            Check::Checkpoint,
            format!("batch {batch}"),
            "the published hash is not that of the chain",
        );
    }
    Ok(())
}

fn head(walk: &mut Walk) {
    let head = walk.report.head.clone();
    if (head.seq, head.batch, head.hash) != (walk.seq, walk.batch_no, walk.hash) {
        let detail = format!(
            "is at entry {} of batch {}, the chain ends at entry {} of batch {}",
            head.seq, head.batch, walk.seq, walk.batch_no
        );
        walk.differ(Check::Head, "the head", detail);
    }
}

type Found = Vec<(Check, String, String)>;

fn balance(account: &Account) -> Found {
    let row = &account.row;
    let stored =
        row.debits_minor.zip(row.credits_minor).and_then(|(debits, credits)| Balance::new(debits, credits));
    let mut found = Found::new();
    if stored != Some(account.balance) || row.version != Some(account.lines_count) {
        let detail = format!(
            "is {stored:?} after {:?} lines; its {} lines make {:?}",
            row.version, account.lines_count, account.balance
        );
        found.push((Check::Balance, account.name(), detail));
    }
    if (row.floor_now, row.ceiling_now) != (account.floor_minor, account.ceiling_minor) {
        found.push((Check::Limit, account.name(), "the limits are not those of its last event".to_owned()));
    }
    if row.closed != account.closed {
        found.push((Check::Account, account.name(), "was not closed or opened by an event".to_owned()));
    }
    found
}

fn daily_totals<'a>(account: &Account, stored: impl Iterator<Item = &'a DailyTotal>) -> Found {
    let stored: BTreeMap<Day, Option<DayTotal>> = stored
        .map(|row| {
            let total = Balance::new(row.debits_minor, row.credits_minor).map(|balance| DayTotal {
                balance,
                lines_count: row.lines_count,
                first_seq: row.first_seq,
                last_seq: row.last_seq,
            });
            (row.effective_on, total)
        })
        .collect();
    let days: HashSet<Day> = stored.keys().chain(account.days.keys()).copied().collect();
    let differing =
        days.into_iter().filter(|day| stored.get(day).copied().flatten() != account.days.get(day).copied());
    let mut differing: Vec<Day> = differing.collect();
    differing.sort_unstable();
    let detail = |day: &Day| {
        format!("{day}: {:?}; the lines make {:?}", stored.get(day).copied().flatten(), account.days.get(day))
    };
    differing.iter().map(|day| (Check::DailyTotals, account.name(), detail(day))).collect()
}

fn zero_sums(walk: &mut Walk) {
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for account in walk.accounts.values() {
        let (debits, credits) =
            (account.row.debits_minor.unwrap_or(0), account.row.credits_minor.unwrap_or(0));
        let sum = sums.entry(account.row.currency.clone()).or_default();
        *sum = sum.saturating_add(i128::from(debits)).saturating_sub(i128::from(credits));
    }
    for (currency, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
        walk.differ(
            Check::Balance,
            format!("all of {currency}"),
            format!("debits exceed credits by {sum} minor units"),
        );
    }
}

async fn counts(conn: &mut PgConnection, book: i32, walk: &mut Walk) -> Result<(), BookError> {
    let counts = rows::counts(conn, book, walk.seq).await?;
    walk.report.refusals = u64::try_from(counts.refused).unwrap_or(0);
    let differs = |count: i64, seen: u64| u64::try_from(count) != Ok(seen);
    if differs(counts.accepted, walk.report.entries) {
        let detail = format!("{} were accepted, {} entries are there", counts.accepted, walk.report.entries);
        walk.differ(Check::Outcome, "outcomes", detail);
    }
    if differs(counts.reversals, walk.reversals) {
        let detail = format!("{} are listed, {} entries are reversals", counts.reversals, walk.reversals);
        walk.differ(Check::Reversal, "reversals", detail);
    }
    for (count, check, what) in [
        (counts.stray_entries, Check::Seq, "entries"),
        (counts.stray_lines, Check::Lines, "lines"),
        (counts.stray_events, Check::Event, "events"),
    ] {
        if count != 0 {
            walk.differ(check, what, format!("{count} are outside of all batches"));
        }
    }
    Ok(())
}
