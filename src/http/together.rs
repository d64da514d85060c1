//! Writing requests of one kind that come at the same time are done in one transaction: one look at their keys, one run
//! of their service, one insert of their answers, one flush of the disk. Each still runs once, as by [`super::once`].

use std::collections::HashSet;
use std::sync::Arc;

use axum::http::StatusCode;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Serialize;

use super::call::Call;
use super::once::{Answer, Failed, busy, made, refused, ticket};
use super::problem::Problem;
use super::store::{self, Ticket};
use crate::app::{App, ServiceError};
use crate::fault::Fault;
use crate::group::Group;
use crate::tx::{Actor, Tx};

/// A request and what it asks for.
#[derive(Debug)]
pub struct Asked<A> {
    call: Call,
    input: A,
}

/// The requests of one kind that wait to be done.
pub type Together<A> = Group<Arc<Asked<A>>, Result<Answer, Problem>>;

/// One result for each request of a group, in order.
pub type Results<T, E> = Result<Vec<Result<T, E>>, Fault>;

impl App {
    /// As [`App::once`], together with the requests that wait in `group`. The service answers for each; whom it refuses,
    /// it has written nothing for. When the whole cannot be done, each request is done alone.
    pub async fn once_together<A, T, E, F>(
        &self,
        group: &Together<A>,
        (call, input): (Call, A),
        status: StatusCode,
        work: F,
    ) -> Result<Answer, Problem>
    where
        A: Send + Sync + 'static,
        T: Serialize + Send + 'static,
        E: ServiceError + Into<Problem> + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t [&'t A]) -> BoxFuture<'t, Results<T, E>> + Copy + Send + Sync + 'static,
    {
        let asked = Arc::new(Asked { call, input });
        let told = group.write(asked.clone(), |all| {
            let app = self.clone();
            async move { app.answer(&all, status, work).await }.boxed()
        });
        if let Some(answer) = told.await {
            return answer;
        }
        self.once(&asked.call, status, &asked.input, |tx, input| Box::pin(alone(tx, input, work))).await
    }

    async fn answer<A, T, E, F>(
        &self,
        all: &[Arc<Asked<A>>],
        status: StatusCode,
        work: F,
    ) -> Result<Vec<Result<Answer, Problem>>, Fault>
    where
        A: Sync,
        T: Serialize,
        E: ServiceError + Into<Problem>,
        F: for<'t> Fn(&'t mut Tx, &'t [&'t A]) -> BoxFuture<'t, Results<T, E>>,
    {
        let tickets: Vec<Ticket<'_>> = all
            .iter()
            .map(|asked| ticket(&asked.call))
            .collect::<Result<_, _>>()
            .map_err(|_| Fault::Stale)?;
        let mut tx = self.begin(Actor::hub("api")).await?;
        match self.answer_in(&mut tx, all, &tickets, status, work).await {
            Ok(answers) => {
                self.commit(tx).await?;
                Ok(answers)
            }
            Err(fault) => {
                // Ended here and now: each of them is about to take its own key's lock.
                tx.rollback().await?;
                Err(fault)
            }
        }
    }

    async fn answer_in<A, T, E, F>(
        &self,
        tx: &mut Tx,
        all: &[Arc<Asked<A>>],
        tickets: &[Ticket<'_>],
        status: StatusCode,
        work: F,
    ) -> Result<Vec<Result<Answer, Problem>>, Fault>
    where
        A: Sync,
        T: Serialize,
        E: ServiceError + Into<Problem>,
        F: for<'t> Fn(&'t mut Tx, &'t [&'t A]) -> BoxFuture<'t, Results<T, E>>,
    {
        let mut answers = self.look_at(tx, all, tickets).await?;
        let fresh: Vec<usize> = (0..all.len()).filter(|&n| answers[n].is_none()).collect();
        let inputs: Vec<&A> = fresh.iter().map(|&n| &all[n].input).collect();
        let results = if inputs.is_empty() { Vec::new() } else { work(tx, &inputs).await? };
        for (&n, result) in fresh.iter().zip(results) {
            let answer = match result {
                Ok(value) => Ok(made(status, &value)?),
                Err(error) => unless_fault(refused(&all[n].call, error))?,
            };
            answers[n] = Some(answer);
        }
        let answers: Vec<Result<Answer, Problem>> =
            answers.into_iter().map(|answer| answer.ok_or_else(no_result)).collect::<Result<_, _>>()?;
        let kept: Vec<(&Ticket<'_>, &Answer)> =
            fresh.iter().filter_map(|&n| Some((&tickets[n], answers[n].as_ref().ok()?))).collect();
        let now = tx.now();
        if !store::insert(tx.conn(), &kept, now).await? {
            return Err(Fault::Stale);
        }
        Ok(answers)
    }

    /// What is answered without any work; None for what is new. Of two requests under one key the second finds it busy.
    async fn look_at<A>(
        &self,
        tx: &mut Tx,
        all: &[Arc<Asked<A>>],
        tickets: &[Ticket<'_>],
    ) -> Result<Vec<Option<Result<Answer, Problem>>>, Fault> {
        let seen = store::lock(tx.conn(), &tickets.iter().collect::<Vec<_>>()).await?;
        let mut keys = HashSet::new();
        let mut answers = Vec::with_capacity(all.len());
        for ((asked, ticket), seen) in all.iter().zip(tickets).zip(seen) {
            tx.catalogue_is_at(seen.catalogue_version);
            answers.push(if keys.insert((&ticket.caller, ticket.key)) {
                match self.judge(tx.conn(), &asked.call, ticket, seen).await {
                    Ok(first) => first.map(Ok),
                    Err(refusal) => Some(unless_fault(Err(refusal))?),
                }
            } else {
                Some(Err(busy()))
            });
        }
        Ok(answers)
    }
}

/// A group of one.
async fn alone<'t, A, T, E, F>(tx: &'t mut Tx, input: &'t A, work: F) -> Result<T, E>
where
    A: Sync,
    E: ServiceError,
    F: for<'a> Fn(&'a mut Tx, &'a [&'a A]) -> BoxFuture<'a, Results<T, E>>,
{
    let result = work(tx, &[input]).await?.pop();
    result.unwrap_or_else(|| Err(no_result().into()))
}

fn unless_fault(outcome: Result<Answer, Failed>) -> Result<Result<Answer, Problem>, Fault> {
    match outcome {
        Ok(answer) => Ok(Ok(answer)),
        Err(Failed::Problem(problem)) => Ok(Err(problem)),
        Err(Failed::Fault(fault)) => Err(fault),
    }
}

fn no_result() -> Fault {
    Fault::Other("a service gave fewer results than there were requests".to_owned())
}
