//! Checkpoints in the database, and proofs up to them.

use sqlx::PgConnection;

use super::outcome::BookError;
use super::{Book, rows};
use crate::checkpoint::{Checkpoint, Link, Proof, ProvedEntry, SignedCheckpoint};
use crate::{EntryId, Instant, chain};

/// The most batches between an entry and its checkpoint: publish one at least this often.
pub const PROOF_LINKS_MAX: i64 = 20_000;

impl Book {
    /// What a checkpoint of now would say. `None` for an empty book.
    pub async fn checkpoint(
        &self,
        conn: &mut PgConnection,
        now: Instant,
    ) -> Result<Option<Checkpoint>, BookError> {
        let head = self.head(conn).await?;
        let checkpoint = Checkpoint {
            book: self.name().to_owned(),
            batch_no: head.batch,
            last_seq: head.seq,
            hash: head.hash,
            published_at: now,
        };
        Ok((head.batch > 0).then_some(checkpoint))
    }

    /// Keeps a signed checkpoint. Nothing happens where its batch has one. Whoever signs publishes it elsewhere
    /// too: in this database it holds only against those who cannot write it.
    pub async fn keep_checkpoint(
        &self,
        conn: &mut PgConnection,
        signed: &SignedCheckpoint,
    ) -> Result<(), BookError> {
        let checkpoint = &signed.checkpoint;
        sqlx::query!(
            "insert into ledger.checkpoints (book_id, batch_no, last_seq, hash, published_at, key_id, signature)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            self.0.id,
            checkpoint.batch_no,
            checkpoint.last_seq,
            &checkpoint.hash[..],
            checkpoint.published_at as _,
            signed.key_id,
            signed.signature,
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    /// The checkpoint published last.
    pub async fn last_checkpoint(
        &self,
        conn: &mut PgConnection,
    ) -> Result<Option<SignedCheckpoint>, BookError> {
        self.checkpoint_from(conn, 0, true).await
    }

    /// The first checkpoint at or after a batch, or the last one.
    async fn checkpoint_from(
        &self,
        conn: &mut PgConnection,
        batch_no: i64,
        last: bool,
    ) -> Result<Option<SignedCheckpoint>, BookError> {
        let row = sqlx::query!(
            "select batch_no, last_seq, hash, published_at, key_id, signature from ledger.checkpoints
             where book_id = $1 and batch_no >= $2 order by case when $3 then -batch_no else batch_no end limit 1",
            self.0.id,
            batch_no,
            last,
        )
        .fetch_optional(conn)
        .await?;
        row.map(|row| {
            let hash = rows::hash_of(&row.hash)?;
            let (batch_no, last_seq, published_at) = (row.batch_no, row.last_seq, row.published_at);
            let checkpoint =
                Checkpoint { book: self.name().to_owned(), batch_no, last_seq, hash, published_at };
            Ok(SignedCheckpoint { checkpoint, key_id: row.key_id, signature: row.signature })
        })
        .transpose()
    }

    /// The proof that an entry stands in the book. `None` for an entry that is not there, or not under a
    /// checkpoint yet.
    pub async fn proof(&self, conn: &mut PgConnection, id: EntryId) -> Result<Option<Proof>, BookError> {
        let Some(recorded) = self.entry(conn, id).await? else { return Ok(None) };
        let batch = sqlx::query!(
            "select no, first_seq, last_seq from ledger.batches
             where book_id = $1 and recorded_at >= $2 and first_seq <= $3 and last_seq >= $3
             order by recorded_at limit 1",
            self.0.id,
            recorded.recorded_at as _,
            recorded.seq,
        )
        .fetch_one(&mut *conn)
        .await?;
        let Some(signed) = self.checkpoint_from(conn, batch.no, false).await? else { return Ok(None) };
        let (mut before, mut links) = (chain::GENESIS, Vec::new());
        for row in self.links(conn, batch.no.saturating_sub(1), signed.checkpoint.batch_no).await? {
            if row.no < batch.no {
                before = rows::hash_of(&row.hash)?;
            } else {
                let root = rows::hash_of(&row.root)?;
                links.push(Link { no: row.no, first_seq: row.first_seq, last_seq: row.last_seq, root });
            }
        }
        let leaves = self.leaves(conn, batch.first_seq, batch.last_seq).await?;
        let index =
            usize::try_from(recorded.seq.saturating_sub(batch.first_seq)).map_err(BookError::corrupt)?;
        let path = chain::inclusion_proof(&leaves, index).ok_or_else(|| BookError::corrupt("a batch"))?;
        let entry =
            ProvedEntry::new(recorded.seq, recorded.recorded_at, recorded.reverses_seq, &recorded.entry);
        Ok(Some(Proof { entry, path, before, links, signed }))
    }

    async fn links(&self, conn: &mut PgConnection, first: i64, last: i64) -> Result<Vec<LinkRow>, BookError> {
        Ok(sqlx::query_as!(
            LinkRow,
            "select no, first_seq, last_seq, root, hash from ledger.batches
             where book_id = $1 and no between $2 and $3 order by no limit $4",
            self.0.id,
            first,
            last,
            PROOF_LINKS_MAX,
        )
        .fetch_all(conn)
        .await?)
    }

    async fn leaves(
        &self,
        conn: &mut PgConnection,
        first: i64,
        last: i64,
    ) -> Result<Vec<chain::Hash>, BookError> {
        sqlx::query_scalar!(
            "select leaf from ledger.entries where book_id = $1 and seq between $2 and $3 order by seq",
            self.0.id,
            first,
            last,
        )
        .fetch_all(conn)
        .await?
        .iter()
        .map(|leaf| rows::hash_of(leaf))
        .collect()
    }
}

struct LinkRow {
    no: i64,
    first_seq: i64,
    last_seq: i64,
    root: Vec<u8>,
    hash: Vec<u8>,
}
