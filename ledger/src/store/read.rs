//! Reading the book: entries, statements of accounts, balances.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::Book;
use super::outcome::BookError;
use super::rows;
use crate::account::{Account, AccountKey, Side};
use crate::balance::{AccountBalance, Balance};
use crate::chain::Hash;
use crate::entry::{Entry, EntryDraft, Line};
use crate::{Currency, Day, EntryId, Instant, Money};

/// An entry with its place in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEntry {
    pub seq: i64,
    pub recorded_at: Instant,
    /// The entry this one reverses.
    pub reverses_seq: Option<i64>,
    pub leaf: Hash,
    pub entry: Entry,
}

impl Book {
    /// The entry of this id, if it was accepted.
    pub async fn entry(
        &self,
        conn: &mut PgConnection,
        id: EntryId,
    ) -> Result<Option<RecordedEntry>, BookError> {
        let outcomes = rows::find_outcomes(conn, &[id]).await?;
        let seqs: Vec<i64> =
            outcomes.iter().filter(|row| row.book_id == self.0.id).filter_map(|row| row.seq).collect();
        Ok(self.entries_at(conn, &seqs).await?.pop())
    }

    /// The entries after `after_seq` (0 for the first), in order: the whole book, portion by portion.
    pub async fn entries_after(
        &self,
        conn: &mut PgConnection,
        after_seq: i64,
        limit: i64,
    ) -> Result<Vec<RecordedEntry>, BookError> {
        let first = after_seq.saturating_add(1);
        let seqs: Vec<i64> = (first..first.saturating_add(limit)).collect();
        self.entries_at(conn, &seqs).await
    }

    /// The entries at these places, in order. Places without an entry are left out.
    pub async fn entries_at(
        &self,
        conn: &mut PgConnection,
        seqs: &[i64],
    ) -> Result<Vec<RecordedEntry>, BookError> {
        if seqs.is_empty() {
            return Ok(Vec::new());
        }
        let mut lines = self.lines_at(conn, seqs).await?;
        let entries = sqlx::query!(
            r#"select e.seq, e.recorded_at, e.reverses, e.id, e.effective_on, e.kind, e.actor, e.source_ref, e.leaf,
                 e.meta::text as "meta!", o.id as "original?: EntryId"
               from ledger.entries e
               left join ledger.entries o on o.book_id = e.book_id and o.seq = e.reverses
               where e.book_id = $1 and e.seq = any($2) order by e.seq"#,
            self.0.id,
            seqs,
        )
        .fetch_all(conn)
        .await?;
        entries
            .into_iter()
            .map(|row| {
                let draft = EntryDraft {
                    id: row.id,
                    kind: row.kind,
                    effective_on: row.effective_on,
                    actor: row.actor,
                    source_ref: row.source_ref,
                    meta: serde_json::Map::new(),
                    lines: lines.remove(&row.seq).unwrap_or_default(),
                };
                let entry = Entry::recorded(draft, row.meta, row.original)
                    .map_err(|error| BookError::corrupt(format_args!("entry {}: {error}", row.seq)))?;
                Ok(RecordedEntry {
                    seq: row.seq,
                    recorded_at: row.recorded_at,
                    reverses_seq: row.reverses,
                    leaf: rows::hash_of(&row.leaf)?,
                    entry,
                })
            })
            .collect()
    }

    async fn lines_at(
        &self,
        conn: &mut PgConnection,
        seqs: &[i64],
    ) -> Result<HashMap<i64, Vec<Line>>, BookError> {
        let rows = sqlx::query!(
            "select l.seq, l.currency, l.amount_minor, a.code, a.class, a.agency
             from ledger.lines l join ledger.accounts a on a.id = l.account_id
             where l.book_id = $1 and l.seq = any($2) order by l.seq, l.line_no",
            self.0.id,
            seqs,
        )
        .fetch_all(conn)
        .await?;
        let mut lines: HashMap<i64, Vec<Line>> = HashMap::new();
        for row in rows {
            let corrupt = || BookError::corrupt(format_args!("account {}", row.code));
            let code = row.code.parse().map_err(|_| corrupt())?;
            let mut account = Account::new(code, row.class.parse().map_err(|_| corrupt())?, row.currency);
            account.agency = row.agency.map(Into::into);
            lines.entry(row.seq).or_default().push(line_of(account, row.amount_minor));
        }
        Ok(lines)
    }

    /// The balance of every account that was ever opened, by code and currency.
    pub async fn balances(&self, conn: &mut PgConnection) -> Result<Vec<AccountBalance>, BookError> {
        self.balances_where(conn, None).await
    }

    /// The balance of one account, if it was ever opened.
    pub async fn balance(
        &self,
        conn: &mut PgConnection,
        account: &AccountKey,
    ) -> Result<Option<AccountBalance>, BookError> {
        Ok(self.balances_where(conn, Some(account)).await?.pop())
    }

    /// The balance of every account at the end of an effective date, whenever its lines were posted. Limits are
    /// those of now.
    pub async fn balances_on(
        &self,
        conn: &mut PgConnection,
        day: Day,
    ) -> Result<Vec<AccountBalance>, BookError> {
        let rows = sqlx::query_as!(
            BalanceRow,
            r#"select a.code, a.class, a.currency, a.agency, b.floor_minor, b.ceiling_minor,
                 coalesce(d.lines_count, 0)::bigint as "version!", coalesce(d.debits_minor, 0)::bigint as "debits_minor!",
                 coalesce(d.credits_minor, 0)::bigint as "credits_minor!"
               from ledger.accounts a join ledger.balances b on b.account_id = a.id
               left join lateral (
                 select sum(lines_count) as lines_count, sum(debits_minor) as debits_minor,
                   sum(credits_minor) as credits_minor
                 from ledger.daily_totals where account_id = a.id and effective_on <= $2) d on true
               where a.book_id = $1 order by a.code, a.currency"#,
            self.0.id,
            day as _,
        )
        .fetch_all(conn)
        .await?;
        rows.into_iter().map(AccountBalance::try_from).collect()
    }

    async fn balances_where(
        &self,
        conn: &mut PgConnection,
        only: Option<&AccountKey>,
    ) -> Result<Vec<AccountBalance>, BookError> {
        let rows = sqlx::query_as!(
            BalanceRow,
            r#"select a.code, a.class, a.currency, a.agency, b.version, b.debits_minor, b.credits_minor, b.floor_minor,
                 b.ceiling_minor
               from ledger.accounts a join ledger.balances b on b.account_id = a.id
               where a.book_id = $1 and ($2::text is null or a.code = $2 and a.currency = $3)
               order by a.code, a.currency"#,
            self.0.id,
            only.map(|key| key.code.as_str()),
            only.map(|key| key.currency) as _,
        )
        .fetch_all(conn)
        .await?;
        rows.into_iter().map(AccountBalance::try_from).collect()
    }
}

struct BalanceRow {
    code: String,
    class: String,
    currency: Currency,
    agency: Option<String>,
    version: i64,
    debits_minor: i64,
    credits_minor: i64,
    floor_minor: Option<i64>,
    ceiling_minor: Option<i64>,
}

impl TryFrom<BalanceRow> for AccountBalance {
    type Error = BookError;

    fn try_from(row: BalanceRow) -> Result<Self, BookError> {
        let corrupt = || BookError::corrupt(format_args!("the balance of {}", row.code));
        Ok(Self {
            account: AccountKey { code: row.code.parse().map_err(|_| corrupt())?, currency: row.currency },
            class: row.class.parse().map_err(|_| corrupt())?,
            balance: Balance::new(row.debits_minor, row.credits_minor).ok_or_else(corrupt)?,
            agency: row.agency,
            floor_minor: row.floor_minor,
            ceiling_minor: row.ceiling_minor,
            lines_count: row.version,
        })
    }
}

/// A line as the book stores it: debit positive, credit negative.
pub(super) fn line_of(account: Account, amount_minor: i64) -> Line {
    let side = if amount_minor < 0 { Side::Credit } else { Side::Debit };
    // i64::MIN never gets into the book: saturation makes it an amount that fails the entry's sum.
    let money = Money::new(amount_minor.saturating_abs(), account.currency);
    Line::new(account, side, money)
}
