//! A writing request runs once: the same key with the same request gets the first answer again, with another
//! request it is refused. (Design: there is no "in progress" row. A crash before the commit leaves nothing, after
//! it the answer is replayed.)

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use super::call::{Call, load_key};
use super::idempotency::IdempotencyKeyError;
use super::problem::{Code, Problem, Retry};
use super::store::{self, Seen, Ticket};
use crate::app::{App, ServiceError, TRIES_MAX};
use crate::fault::Fault;
use crate::tx::Tx;

/// The bytes that were or are answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
    pub replayed: bool,
}

impl Answer {
    /// Adds what is shown once to a first answer: `name` of the object at a JSON pointer. What is kept for repetitions does
    /// not have it, so it stands nowhere in the clear.
    pub fn showing(mut self, object: &str, name: &str, shown: &str) -> Result<Self, Fault> {
        if self.replayed || !self.status.is_success() {
            return Ok(self);
        }
        let mut body: Value = serde_json::from_slice(&self.body)?;
        if let Some(object) = body.pointer_mut(object) {
            object[name] = shown.into();
        }
        self.body = serde_json::to_vec(&body)?;
        Ok(self)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let kind =
            if self.status.is_client_error() { "application/problem+json" } else { "application/json" };
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if self.replayed {
            response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

/// What the look before the work found.
enum Look {
    Fresh(Box<Tx>),
    Seen(Answer),
}

impl App {
    /// Runs one unit of work for a signed, writing request, at most once per caller and idempotency key.
    ///
    /// # Errors
    /// 409 while the same key runs elsewhere, 422 when it was used for another request, and what the work
    /// refuses. Refusals decided by the service (409, 410, 412) are stored and replayed, but for those that a later try
    /// may not meet (`retry: later`); others leave the key free.
    pub async fn once<A, T, E, F>(
        &self,
        call: &Call,
        status: StatusCode,
        input: &A,
        work: F,
    ) -> Result<Answer, Problem>
    where
        A: Sync + ?Sized,
        T: Serialize,
        E: ServiceError + Into<Problem>,
        F: for<'t> Fn(&'t mut Tx, &'t A) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut tries = 1;
        loop {
            match self.once_tried(call, status, input, &work).await {
                Err(Failed::Fault(fault)) if tries < TRIES_MAX && fault.is_transient() => tries += 1,
                Err(Failed::Fault(fault)) => return Err(fault.into()),
                Err(Failed::Problem(problem)) => return Err(problem),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    async fn once_tried<A, T, E, F>(
        &self,
        call: &Call,
        status: StatusCode,
        input: &A,
        work: &F,
    ) -> Result<Answer, Failed>
    where
        A: Sync + ?Sized,
        T: Serialize,
        E: ServiceError + Into<Problem>,
        F: for<'t> Fn(&'t mut Tx, &'t A) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut tx = match self.look(call).await? {
            Look::Seen(answer) => return Ok(answer),
            Look::Fresh(tx) => *tx,
        };
        match work(&mut tx, input).await {
            Ok(value) => {
                let answer = made(status, &value)?;
                self.save(call, tx, &answer).await?;
                Ok(answer)
            }
            Err(error) => {
                tx.rollback().await?;
                self.refuse(call, error).await
            }
        }
    }

    /// Begins, takes the key's lock and looks for the first answer, in one statement. An answer that was committed
    /// between the statement's snapshot and its lock stays unseen here; then saving finds the key taken, and all
    /// begins again.
    async fn look(&self, call: &Call) -> Result<Look, Failed> {
        let ticket = ticket(call)?;
        let mut tx = self.begin(call.actor()).await?;
        let seen = store::lock(tx.conn(), &[&ticket]).await?.pop().ok_or(Fault::Stale)?;
        tx.catalogue_is_at(seen.catalogue_version);
        match self.judge(tx.conn(), call, &ticket, seen).await {
            Ok(None) => Ok(Look::Fresh(Box::new(tx))),
            Ok(Some(first)) => {
                tx.rollback().await?;
                Ok(Look::Seen(first))
            }
            Err(refusal) => {
                tx.rollback().await?;
                Err(refusal)
            }
        }
    }

    /// What is answered without any work: the first answer again, or why the key cannot be used now. None when the
    /// request is new.
    pub(super) async fn judge(
        &self,
        conn: &mut PgConnection,
        call: &Call,
        ticket: &Ticket<'_>,
        seen: Seen,
    ) -> Result<Option<Answer>, Failed> {
        if !seen.locked {
            return Err(busy().into());
        }
        if seen.keys_version != call.keys_version {
            self.recheck(conn, call, seen.keys_version).await?;
        }
        let Some(first) = seen.answer else { return Ok(None) };
        if first.fingerprint != ticket.fingerprint.bytes() {
            return Err(Problem::new(Code::IdempotencyKeyReused).into());
        }
        let status = StatusCode::from_u16(first.status)
            .map_err(|_| Fault::corrupt("idempotency", "status", ticket.key.as_str()))?;
        Ok(Some(Answer { status, body: first.body, replayed: true }))
    }

    /// The key table changed since the signature was checked: the key must still be there as it was. The first who
    /// looks refreshes the cache for the others.
    async fn recheck(&self, conn: &mut PgConnection, call: &Call, version: i64) -> Result<(), Failed> {
        let key_id = &call.caller.key_id;
        let known = match self.key_cache.get(key_id) {
            Some((at, key)) if at == version => Some(key),
            _ => load_key(self, conn, key_id).await?.map(|(_, key)| key),
        };
        let same = known.is_some_and(|key| {
            key.caller.owner == call.caller.owner && key.caller.scopes == call.caller.scopes
        });
        if same { Ok(()) } else { Err(Problem::new(Code::KeyUnknown).into()) }
    }

    async fn save(&self, call: &Call, mut tx: Tx, answer: &Answer) -> Result<(), Failed> {
        let (ticket, now) = (ticket(call)?, tx.now());
        let fault = match store::insert(tx.conn(), &[(&ticket, answer)], now).await {
            Ok(true) => return Ok(self.commit(tx).await?),
            Ok(false) => Fault::Stale,
            Err(fault) => fault,
        };
        // Ended here and now: the next try takes the same key's lock.
        tx.rollback().await?;
        Err(fault.into())
    }

    /// A refusal decided by the service is an answer too: it is stored after a second look, in which an answer
    /// stored meanwhile wins.
    async fn refuse<E>(&self, call: &Call, error: E) -> Result<Answer, Failed>
    where
        E: ServiceError + Into<Problem>,
    {
        let answer = refused(call, error)?;
        match self.look(call).await? {
            Look::Seen(first) => Ok(first),
            Look::Fresh(tx) => {
                self.save(call, *tx, &answer).await?;
                Ok(answer)
            }
        }
    }
}

/// The refusal of a service as an answer to be kept, when it is one that a repetition must get again.
pub(super) fn refused<E>(call: &Call, error: E) -> Result<Answer, Failed>
where
    E: ServiceError + Into<Problem>,
{
    let problem: Problem = match error.into_fault() {
        Ok(fault) => return Err(fault.into()),
        Err(refusal) => refusal.into(),
    };
    // What passes by itself is not for ever the answer to this key: later, the same request may be done.
    let passes = problem.code.retry() == Retry::Later;
    if passes || !matches!(problem.status().as_u16(), 409 | 410 | 412) {
        return Err(problem.into());
    }
    let body = problem.to_json(call.language, call.request_id.as_deref()).to_string().into_bytes();
    Ok(Answer { status: problem.status(), body, replayed: false })
}

/// What a service made, as the first answer to its request.
pub(super) fn made<T: Serialize>(status: StatusCode, value: &T) -> Result<Answer, Fault> {
    Ok(Answer { status, body: serde_json::to_vec(value)?, replayed: false })
}

/// What is asked under which key. What a reading call asks to be done is done for nobody: it has no key either.
pub(super) fn ticket(call: &Call) -> Result<Ticket<'_>, Problem> {
    let named = call.idempotency.as_ref().ok_or(IdempotencyKeyError::Missing)?;
    let (key, fingerprint) = named.as_ref().map_err(|error| *error)?;
    Ok(Ticket { caller: call.caller.owner.to_string(), key, fingerprint })
}

/// The same key is at work elsewhere.
pub(super) fn busy() -> Problem {
    Problem::new(Code::IdempotencyKeyBusy).retry_after(1)
}

pub(super) enum Failed {
    Fault(Fault),
    Problem(Problem),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
