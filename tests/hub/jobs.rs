//! Jobs that fail: which failures count as a try, and what becomes of a job that nobody tries any more.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use mizan::app::App;
use mizan::fault::Fault;
use mizan::queue::worker::{Done, Work, work_once};
use mizan::queue::{ATTEMPTS_MAX, Job, NewJob, store};
use serde_json::{Value, json};

use crate::world::World;

const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(600);

/// Its handler meets what the job's body says.
pub const WORK: Work = Work { kind: "test.job", at_once: 4, lease_seconds: 60, handle };

fn handle(app: App, job: Job) -> BoxFuture<'static, Result<Done, Fault>> {
    async move {
        match job.body["meets"].as_str() {
            Some("no database") => Err(Fault::Database(sqlx::Error::PoolTimedOut)),
            Some("a fault") => Err(Fault::Other("the example fails".to_owned())),
            Some("a new wish") => {
                let again =
                    NewJob { body: json!({ "meets": "nothing" }), ..NewJob::now(WORK.kind, &job.subject) };
                let mut conn = app.pool.acquire().await?;
                store::insert(&mut conn, app.clock.now(), &[again.clone(), again]).await?;
                Ok(Done::Later { seconds: 3_600 })
            }
            _ => Ok(Done::Finished),
        }
    }
    .boxed()
}

impl World {
    pub async fn enqueue(&self, subject: &str, meets: &str) {
        let body = json!({ "meets": meets });
        let job = NewJob { body, ..NewJob::now(WORK.kind, subject) };
        let mut conn = self.app.pool.acquire().await.unwrap();
        store::insert(&mut conn, self.app.clock.now(), &[job]).await.unwrap();
    }

    async fn enqueue_in(&self, subject: &str, seconds: i64) {
        let now = self.app.clock.now();
        let job = NewJob::now(WORK.kind, subject).at(now.plus_seconds(seconds));
        let mut conn = self.app.pool.acquire().await.unwrap();
        store::insert(&mut conn, now, &[job]).await.unwrap();
    }

    /// Works until nothing is due, so many times, each after the longest pause.
    pub async fn try_jobs(&self, times: i32) {
        for _ in 0..times {
            work_once(&self.app, &WORK).await.unwrap();
            self.clock.advance(LONGEST_PAUSE);
        }
    }

    /// State, tries and last error of the jobs about a subject, oldest first.
    async fn jobs(&self, subject: &str) -> Vec<(String, i32, String)> {
        let mut operator = self.db().superuser().await;
        let rows = sqlx::query!(
            r#"select state, attempt, coalesce(last_error, '') as "error!" from jobs where subject = $1 order by id"#,
            subject
        );
        let rows = rows.fetch_all(&mut operator).await.unwrap();
        rows.into_iter().map(|row| (row.state, row.attempt, row.error)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_costs_a_job_no_try() {
    let world = World::new().await;
    world.enqueue("away", "no database").await;
    world.try_jobs(ATTEMPTS_MAX + 5).await;
    let away = Fault::Database(sqlx::Error::PoolTimedOut).to_string();
    assert_eq!(world.jobs("away").await, [("ready".to_owned(), 0, away)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_asked_for_again_while_it_is_done_is_done_once_more() {
    let world = World::new().await;
    world.enqueue("asked", "a new wish").await;
    world.enqueue("asked", "nothing").await;
    world.enqueue_in("sooner", 3_600).await;
    world.enqueue_in("sooner", 60).await;
    world.enqueue_in("sooner", 600).await;
    let done = |states: &[(&str, i32)]| -> Vec<(String, i32, String)> {
        states.iter().map(|(state, tries)| ((*state).to_owned(), *tries, String::new())).collect()
    };
    assert_eq!(world.jobs("asked").await, done(&[("ready", 0)]), "one that waits does both");
    assert_eq!(work_once(&world.app, &WORK).await.unwrap(), 1);
    assert_eq!(
        world.jobs("asked").await,
        done(&[("done", 1), ("ready", 0)]),
        "what was wished meanwhile is not lost"
    );
    assert_eq!(work_once(&world.app, &WORK).await.unwrap(), 1, "and does not wait for the hour");
    assert_eq!(world.jobs("asked").await, done(&[("done", 1), ("done", 1)]));
    assert_eq!(work_once(&world.app, &WORK).await.unwrap(), 0);
    world.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(work_once(&world.app, &WORK).await.unwrap(), 1, "at the earliest time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_waits_counts_its_tries_and_is_given_up_after_the_last() {
    let world = World::new().await;
    world.enqueue("wrong", "a fault").await;
    let failed = |state: &str, tries: i32| [(state.to_owned(), tries, "the example fails".to_owned())];
    assert_eq!(work_once(&world.app, &WORK).await.unwrap(), 1);
    assert_eq!(work_once(&world.app, &WORK).await.unwrap(), 0, "not before its pause is over");
    assert_eq!(world.jobs("wrong").await, failed("ready", 1));
    world.clock.advance(LONGEST_PAUSE);
    world.try_jobs(ATTEMPTS_MAX - 2).await;
    assert_eq!(world.jobs("wrong").await, failed("ready", ATTEMPTS_MAX - 1));
    world.try_jobs(1).await;
    assert_eq!(world.jobs("wrong").await, failed("dead", ATTEMPTS_MAX));
    assert_eq!(work_once(&world.app, &WORK).await.unwrap(), 0, "nobody tries it any more");
}

/// The break of a job that was given up, as finance reads it.
async fn given_up(world: &World) -> Value {
    let path = "/v1/finance/breaks?category=job_given_up";
    let listed = world.people.reconciler.client.get(path).await.unwrap().json;
    let breaks = listed["data"].as_array().unwrap();
    assert_eq!(breaks.len(), 1, "{listed}");
    breaks[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_given_up_is_a_break_until_its_work_is_done() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await["id"].as_str().unwrap().to_owned();
    let subject = format!("{intent}:14");
    world.enqueue(&subject, "a fault").await;
    world.try_jobs(ATTEMPTS_MAX - 1).await;
    assert!(world.breaks().await.is_empty());
    world.try_jobs(1).await;
    let opened = given_up(&world).await;
    assert_eq!((&opened["state"], &opened["owner"]), (&json!("open"), &json!("reconciler")), "{opened}");
    assert_eq!(
        (&opened["intent"], &opened["subject"]),
        (&json!(intent), &json!(format!("job:test.job:{subject}")))
    );
    let detail = &opened["detail"];
    assert_eq!((&detail["work"], &detail["tries"]), (&json!("test.job"), &json!(ATTEMPTS_MAX)), "{detail}");
    assert_eq!(detail["why"], "the example fails");

    // Asked for anew it fails once more: the same break. Then it is done, and the one before with it.
    world.enqueue(&subject, "a fault").await;
    world.try_jobs(ATTEMPTS_MAX).await;
    assert_eq!(given_up(&world).await["id"], opened["id"]);
    world.enqueue(&subject, "nothing").await;
    world.try_jobs(1).await;
    let ended = given_up(&world).await;
    assert_eq!((&ended["state"], &ended["id"]), (&json!("self_resolved"), &opened["id"]), "{ended}");
    assert!(world.jobs(&subject).await.iter().all(|(state, ..)| state == "done"));
}

async fn retry(world: &World, id: i64) -> (u16, Value) {
    let path = format!("/v1/finance/jobs/{id}/retry");
    let reply = world.people.reconciler.client.post(&path, &json!({})).await.unwrap();
    (reply.status, reply.json)
}

async fn last_job(world: &World) -> i64 {
    let mut operator = world.db().superuser().await;
    let id = sqlx::query_scalar!(r#"select max(id) as "id!" from jobs"#);
    id.fetch_one(&mut operator).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_a_job_tried_again_when_its_cause_is_gone() {
    let world = World::new().await;
    world.enqueue("wrong", "a fault").await;
    world.try_jobs(1).await;
    let id = last_job(&world).await;
    let (status, refused) = retry(&world, id).await;
    assert_eq!((status, &refused["code"]), (409, &json!("already_decided")), "{refused}");
    world.try_jobs(ATTEMPTS_MAX - 1).await;
    assert_eq!(given_up(&world).await["detail"]["job"], json!(id));

    // Nothing is tried twice at once: a live job of the same work goes first.
    world.enqueue("wrong", "no database").await;
    let (status, refused) = retry(&world, id).await;
    assert_eq!(
        (status, &refused["detail"]),
        (409, &json!("another job does the same work already")),
        "{refused}"
    );
    world.tamper("update jobs set state = 'done' where subject = 'wrong' and state = 'ready'").await;

    world.tamper(&format!(r#"update jobs set body = '{{"meets": "nothing"}}' where id = {id}"#)).await;
    let (status, retried) = retry(&world, id).await;
    assert_eq!((status, &retried["gave_up"]), (200, &json!("the example fails")), "{retried}");
    assert_eq!(given_up(&world).await["state"], "open", "not before it is done");
    world.try_jobs(1).await;
    let ended = given_up(&world).await;
    assert_eq!(ended["state"], "self_resolved", "{ended}");
    assert_eq!(ended["resolution"], "the work was done after all");
    assert_eq!(retry(&world, 999_999).await.0, 404);
    let mut operator = world.db().superuser().await;
    let audited = sqlx::query_scalar!(r#"select count(*) as "n!" from audit where action = 'job.retried'"#);
    assert_eq!(audited.fetch_one(&mut operator).await.unwrap(), 1);
}
