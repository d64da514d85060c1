//! A job that nobody tries any more is a break, until a job of its kind about its object is done.

use mizan_ledger::Instant;
use serde::Serialize;
use serde_json::{Map, json};
use sqlx::PgConnection;

use super::{Job, store};
use crate::breaks::{self, Category, NewBreak};
use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::ids::{IntentId, RefundId};
use crate::tx::Tx;

/// Why a job is not tried again.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error("there is no such job")]
    NotFound,
    #[error("the job was not given up")]
    NotGivenUp,
    #[error("another job does the same work already")]
    Replaced,
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(JobError);

/// A job that is tried again.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = JobRetried)]
pub struct Retried {
    pub job: i64,
    pub work: String,
    /// What the work is about: a refund, a payment and a day, a file.
    pub subject: String,
    /// Why it was given up.
    pub gave_up: String,
}

/// Opens the break of a job that failed for the last time, in the transaction that ends the job.
pub async fn open(
    conn: &mut PgConnection,
    entropy: &Entropy,
    now: Instant,
    job: &Job,
    why: &str,
) -> Result<(), Fault> {
    breaks::store::insert(conn, entropy, now, &[told(job, why)]).await
}

/// A job is done: what was given up of its kind about its object is done with it.
pub async fn close(conn: &mut PgConnection, now: Instant, job: &Job) -> Result<(), Fault> {
    store::finish_dead(conn, &job.kind, &job.subject).await?;
    let (subjects, because) = ([subject(job)], "the work was done after all");
    breaks::store::update_self_resolved(conn, now, Category::JobGivenUp, &subjects, because).await?;
    Ok(())
}

/// The cause is gone for which a job was given up: it is ready, with all its tries. Its break ends when it is done.
pub async fn retry(tx: &mut Tx, id: &i64) -> Result<Retried, JobError> {
    let now = tx.now();
    let Some(retried) = store::update_ready_again(tx.conn(), now, *id).await? else {
        let state = store::find_state(tx.conn(), *id).await?.ok_or(JobError::NotFound)?;
        return Err(if state == "dead" { JobError::Replaced } else { JobError::NotGivenUp });
    };
    tx.audit("job.retried", format!("job:{id}"), json!(retried));
    Ok(retried)
}

fn subject(job: &Job) -> String {
    format!("job:{}:{}", job.kind, job.subject)
}

/// The break names the payment or the refund that the job was about, so that a person finds its page.
fn told(job: &Job, why: &str) -> NewBreak {
    let object = job.subject.split_once(':').map_or(job.subject.as_str(), |(object, _)| object);
    let mut detail = Map::from_iter([
        ("job".to_owned(), json!(job.id)),
        ("work".to_owned(), json!(job.kind)),
        ("tries".to_owned(), json!(job.attempt)),
        ("why".to_owned(), json!(why)),
    ]);
    if object.parse::<RefundId>().is_ok() {
        detail.insert("refund".to_owned(), json!(object));
    }
    NewBreak {
        category: Category::JobGivenUp,
        subject: subject(job),
        money: None,
        channel: None,
        intent: object.parse::<IntentId>().ok(),
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(kind: &str, subject: &str) -> Job {
        Job { id: 7, kind: kind.to_owned(), subject: subject.to_owned(), body: json!({}), attempt: 20 }
    }

    #[test]
    fn the_break_leads_to_what_the_job_was_about() {
        let entropy = Entropy::seeded(1);
        let now = Instant::from_micros(0).expect("an instant");
        let (intent, refund) = (entropy.id::<IntentId>(now), entropy.id::<RefundId>(now));
        let released = told(&job("fulfilment.release", &format!("{intent}:14")), "why it failed");
        assert_eq!(released.intent, Some(intent));
        assert_eq!(released.subject, format!("job:fulfilment.release:{intent}:14"));
        assert_eq!(
            released.detail,
            json!({ "job": 7, "work": "fulfilment.release", "tries": 20, "why": "why it failed" })
        );
        let sent = told(&job("refund.submit", &refund.to_string()), "why it failed");
        assert_eq!((sent.intent, &sent.detail["refund"]), (None, &json!(refund)));
        assert_eq!(told(&job("recon.match", "odd"), "x").detail.get("refund"), None);
    }
}
