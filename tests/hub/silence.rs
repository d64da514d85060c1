//! Orders of which nobody hears: the channel is asked, each in its turn, and every answer ends in something.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt as _;
use futures::future::{BoxFuture, pending};
use mizan::channels::Channels;
use mizan::entropy::Entropy;
use mizan::inbox::{self, NewNotice, Source, door, sweeper};
use mizan::intents::attempts::service::claim_silent;
use mizan::start;
use mizan_adapters::channel::{Channel, Meaning, Notice, Notices, OrderState, Query, RefundState, Verdict};
use mizan_adapters::outcome::Outcome;
use mizan_ledger::{Currency, Money};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Row as _};

use crate::world::{TODAY, World};

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap()
}

/// Past the time that an attempt has.
fn past_the_deadline(world: &World) {
    world.clock.advance(jiff::SignedDuration::from_mins(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_taken_back_before_anybody_told_of_it_ends_its_attempt() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "lost" })).await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    world.decide(&page, "approve").await;
    let order = world.find_intent(text(&intent, "/id")).await["attempts"][0]["id"].clone();
    world.control("reversals", json!({ "merchant": mizan::demo::MERCHANT, "order": order })).await;
    past_the_deadline(&world);
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 1);
    world.settle(1).await;
    let seen = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/attempts/0/state")), ("requires_payment", "reversed"));
    assert!(world.balances().await.is_empty(), "no money came that stayed: {:?}", world.balances().await);
    assert_eq!(world.breaks().await, [("reversed".to_owned(), "open".to_owned())]);
    past_the_deadline(&world);
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 0, "it is known how it ended");

    // The settlement tells of both, and the bill is not paid by money that is gone.
    world.end_day(TODAY).await;
    let seen = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/unapplied/0/cause")), ("requires_payment", "reversed"));
    assert_eq!(world.proposed().await, [], "what the channel took back is not given back again");
    world.tied().await;

    world.control("faults", json!({})).await;
    world.pay_by_card(&intent).await;
    assert_eq!(text(&world.find_intent(text(&intent, "/id")).await, "/state"), "paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_answered_the_next_silent_order_has_its_turn() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "lost" })).await;
    let (mut orders, mut pages) = (Vec::new(), Vec::new());
    for n in 0..3 {
        let intent = world.intent(&format!("CASE-{n}")).await;
        pages.push(world.choose_card(&intent).await);
        orders.push(world.find_intent(text(&intent, "/id")).await["attempts"][0]["id"].clone());
        world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    world.decide(&pages[0], "approve").await;
    past_the_deadline(&world);
    let mut conn = world.app.pool.acquire().await.unwrap();
    let (now, mut asked) = (world.app.clock.now(), Vec::new());
    for _ in 0..4 {
        let turn = claim_silent(&mut conn, now, now.plus_seconds(300), 1).await.unwrap();
        asked.extend(turn.into_iter().map(|attempt| json!(attempt.id)));
    }
    assert_eq!(asked, orders, "the longest overdue first, each once");

    // Answered with a decision, with `OPEN`, and with nothing at all: nobody is asked again at once.
    world.clock.advance(jiff::SignedDuration::from_mins(5));
    let silent =
        json!({ "callback": "lost", "orders": { text(&orders[2], ""): { "queries": "error_500" } } });
    world.control("faults", silent).await;
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 3);
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 0);
    world.clock.advance(jiff::SignedDuration::from_mins(5));
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 3, "what was decided is not applied yet");
    world.settle(1).await;
    world.clock.advance(jiff::SignedDuration::from_mins(5));
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_which_nobody_can_tell_is_a_break_until_it_is_known() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "lost", "queries": "error_500" })).await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    world.decide(&page, "approve").await;
    past_the_deadline(&world);
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 1);
    assert_eq!(text(&world.find_intent(text(&intent, "/id")).await, "/attempts/0/state"), "unknown");
    assert_eq!(world.breaks().await, [("attempt_unknown".to_owned(), "open".to_owned())]);

    world.control("faults", json!({ "callback": "lost" })).await;
    world.clock.advance(jiff::SignedDuration::from_mins(5));
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 1);
    world.settle(1).await;
    assert_eq!(text(&world.find_intent(text(&intent, "/id")).await, "/state"), "paid");
    assert_eq!(world.breaks().await, [("attempt_unknown".to_owned(), "self_resolved".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_know_of_a_silent_order_the_next_question_does_not_open_again() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "lost", "queries": "error_500" })).await;
    world.choose_card(&world.intent("CASE-1").await).await;
    past_the_deadline(&world);
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 1);
    world.tamper("update breaks set state = 'resolved'").await;
    for wait in [jiff::SignedDuration::from_mins(5), jiff::SignedDuration::from_hours(24)] {
        world.clock.advance(wait);
        assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 1);
        assert_eq!(world.breaks().await, [("attempt_unknown".to_owned(), "resolved".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_does_not_wait_for_ever_for_a_gateway_that_does_not_tell() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "lost", "queries": "error_500" })).await;
    let [first, second] = [world.intent("CASE-1").await, world.intent("CASE-2").await];
    let pages = [world.choose_card(&first).await, world.choose_card(&second).await];
    past_the_deadline(&world);
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 2);
    world.clock.advance(jiff::SignedDuration::from_hours(23));
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 2);
    assert_eq!(text(&world.find_intent(text(&first, "/id")).await, "/state"), "processing");
    world.clock.advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 2);
    let seen = world.find_intent(text(&first, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/attempts/0/state")), ("requires_payment", "abandoned"));
    assert_eq!(text(&seen, "/attempts/0/failure/code"), "no_answer");
    let open = ("attempt_unknown".to_owned(), "open".to_owned());
    assert_eq!(world.breaks().await, [open.clone(), open], "nobody knows yet how they ended");

    // Paid again on another page; then the first gateway page turns out to have been paid too, and the other declined.
    world.control("faults", json!({})).await;
    world.pay_by_card(&first).await;
    world.decide(&pages[0], "approve").await;
    world.decide(&pages[1], "decline").await;
    world.settle(2).await;
    let seen = world.find_intent(text(&first, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/unapplied/0/cause")), ("paid", "duplicate_money"));
    let seen = world.find_intent(text(&second, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/attempts/0/state")), ("requires_payment", "declined"));
    let mut breaks = world.breaks().await;
    breaks.sort();
    let known = ("attempt_unknown".to_owned(), "self_resolved".to_owned());
    assert_eq!(breaks, [known.clone(), known, ("duplicate_money".to_owned(), "open".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_its_gateway_keeps_open_for_ever_holds_the_bill_for_a_day() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    past_the_deadline(&world);
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 1);
    assert_eq!(world.breaks().await, [], "the payer may still be typing");
    world.clock.advance(jiff::SignedDuration::from_hours(24));
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 1);
    assert_eq!(text(&world.find_intent(text(&intent, "/id")).await, "/state"), "requires_payment");
    assert_eq!(world.breaks().await, [("attempt_unknown".to_owned(), "open".to_owned())]);
    world.decide(&page, "approve").await;
    world.settle(1).await;
    assert_eq!(text(&world.find_intent(text(&intent, "/id")).await, "/state"), "paid");
    assert_eq!(world.breaks().await, [("attempt_unknown".to_owned(), "self_resolved".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_a_wrong_clock_moves_no_money_to_another_year() {
    let world = World::new().await;
    for (n, told) in ["9998-12-30T08:00:00Z", "2001-01-01T08:00:00Z"].into_iter().enumerate() {
        let intent = world.intent(&format!("CASE-{n}")).await;
        world.choose_card(&intent).await;
        let order = world.find_intent(text(&intent, "/id")).await["attempts"][0]["id"].clone();
        let fact = NewNotice {
            channel: "card".to_owned(),
            transaction: format!("T-{n}"),
            status: "CAPTURED".to_owned(),
            meaning: inbox::Meaning::Money,
            source: Source::Callback,
            reference: Some(text(&order, "").to_owned()),
            money: Money::new(21_525, Currency::ILS),
            original_transaction: None,
            reason: None,
            money_key: format!("card:T-{n}"),
            occurred_at: told.parse().unwrap(),
            raw: b"{}".to_vec(),
            headers: json!({}),
        };
        door::take(&world.app, fact).await.unwrap();
        world.settle(1).await;
        let paid = world.find_intent(text(&intent, "/id")).await;
        let now = world.app.clock.now().to_string();
        assert_eq!((text(&paid, "/state"), text(&paid, "/paid_at")), ("paid", now.as_str()), "told {told}");
    }
    let mut db = world.db().superuser().await;
    let kept = "select meta ->> 'told_at' as told from ledger.entries where meta ->> 'told_at' is not null order by seq";
    let kept = sqlx::raw_sql(kept).fetch_all(&mut db).await.unwrap();
    let told: Vec<String> = kept.iter().map(|row| row.get("told")).collect();
    assert_eq!(told, ["9998-12-30T08:00:00Z", "2001-01-01T08:00:00Z"]);
}

/// The page is opened before midnight in Hebron and paid after it; nobody tells, and the hub asks later.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_found_by_asking_belongs_to_the_day_on_which_it_was_made() {
    let world = World::new().await;
    let at = async |now: &str| {
        world.clock.set(now.parse().unwrap());
        world.control("clock", json!({ "now": now })).await;
    };
    world.control("faults", json!({ "callback": "lost" })).await;
    at("2026-11-22T21:50:00Z").await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    at("2026-11-22T22:05:00Z").await;
    world.decide(&page, "approve").await;
    at("2026-11-22T22:50:00Z").await;
    assert_eq!(sweeper::ask_silent(&world.app).await.unwrap(), 1);
    world.settle(1).await;
    let paid = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&paid, "/state"), text(&paid, "/paid_at")), ("paid", "2026-11-22T22:05:00Z"));
}

/// A scheme that proves nothing: whoever knows the order may say that it is paid.
struct Weak;

impl Notices for Weak {
    fn verify(&self, _: &HeaderMap, body: &[u8]) -> Verdict {
        Verdict::Hint(Notice {
            transaction: "T-CLAIMED".to_owned(),
            status: "CAPTURED".to_owned(),
            meaning: Meaning::Captured,
            reference: String::from_utf8_lossy(body).into_owned(),
            money: Money::new(1, Currency::ILS),
            original_transaction: None,
            reason: None,
            occurred_at: "2026-11-22T08:00:00Z".parse().unwrap(),
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_makes_the_hub_ask_and_is_not_believed() {
    let world = World::new().await;
    let config = world.app.hub.config.clone();
    let card = Channels::new(&config).unwrap().get("card").unwrap().clone();
    let weak = Channel { notices: Some(Arc::new(Weak)), ..card };
    let channels = Channels::new(&config).unwrap().with(weak);
    let url = world.db().app_options().to_url_lossy().to_string();
    let clock = Arc::new(world.clock.clone());
    let hub = start::app_among(channels, config, &url, clock, Entropy::seeded(8)).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = format!("http://{}/channels/card/callback", listener.local_addr().unwrap());
    let routes = mizan::http::router::router(hub.clone());
    #[expect(clippy::disallowed_methods, reason = "the test's own listener; no hub loop")]
    let listener = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let hint = async |order: &str| {
        let answer = world.http.post(&door).body(order.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    };

    world.control("faults", json!({ "callback": "lost" })).await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    let order = world.find_intent(text(&intent, "/id")).await["attempts"][0]["id"].clone();
    let order = order.as_str().unwrap();
    hint("no order of ours").await;
    assert_eq!(sweeper::ask_silent(&hub).await.unwrap(), 0, "its deadline is far");
    // A question that fails while the payer is typing his card number is no break: its time is not over.
    world.control("faults", json!({ "callback": "lost", "queries": "error_500" })).await;
    hint(order).await;
    assert_eq!(sweeper::ask_silent(&hub).await.unwrap(), 1);
    assert_eq!(world.breaks().await, []);
    world.control("faults", json!({ "callback": "lost" })).await;
    hint(order).await;
    assert_eq!(sweeper::ask_silent(&hub).await.unwrap(), 1);
    world.settle(0).await;
    let seen = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/attempts/0/state")), ("processing", "unknown"));
    assert!(world.balances().await.is_empty(), "the gateway says that the page is still open");
    world.decide(&page, "approve").await;
    assert_eq!(sweeper::ask_silent(&hub).await.unwrap(), 0);
    hint(order).await;
    assert_eq!(sweeper::ask_silent(&hub).await.unwrap(), 1);
    world.settle(1).await;
    let paid = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&paid, "/state"), text(&paid, "/paid/amount")), ("paid", "215.25"), "{paid}");
    listener.abort();
    hub.pool.close().await;
    hub.poster_pool.close().await;
}

/// A gateway that takes a question and never answers it; how often it was asked.
struct Dumb(Arc<AtomicUsize>);

impl Query for Dumb {
    fn order(&self, _: String) -> BoxFuture<'_, Outcome<OrderState>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        pending().boxed()
    }

    fn refund(&self, _: String) -> BoxFuture<'_, Outcome<RefundState>> {
        pending().boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_never_answers_delays_no_expiry_and_is_asked_once() {
    let world = World::new().await;
    let config = world.app.hub.config.clone();
    let card = Channels::new(&config).unwrap().get("card").unwrap().clone();
    let asked = Arc::new(AtomicUsize::new(0));
    let dumb = Channel { query: Some(Arc::new(Dumb(asked.clone()))), ..card };
    let url = world.db().app_options().to_url_lossy().to_string();
    let hub = async |seed| {
        let channels = Channels::new(&config).unwrap().with(dumb.clone());
        let clock = Arc::new(world.clock.clone());
        start::app_among(channels, config.clone(), &url, clock, Entropy::seeded(seed)).await.unwrap()
    };
    let (first, second) = (hub(8).await, hub(9).await);
    let silent = world.intent("CASE-1").await;
    world.choose_card(&silent).await;
    let forgotten = world.intent("CASE-2").await;
    world.clock.set(text(&forgotten, "/expires_at").parse().unwrap());

    let sweeping = [&first, &second].map(|hub| {
        #[expect(clippy::disallowed_methods, reason = "the loop under test, ended below")]
        tokio::spawn(sweeper::sweep_loop(hub.clone()))
    });
    while world.find_intent(text(&forgotten, "/id")).await["state"] != "expired"
        || asked.load(Ordering::SeqCst) == 0
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut conn = world.app.pool.acquire().await.unwrap();
    let now = world.app.clock.now();
    let again = claim_silent(&mut conn, now, now.plus_seconds(300), 100).await.unwrap();
    assert_eq!(again.len(), 0, "the claim stands while the question does");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    for (hub, sweeping) in [first, second].into_iter().zip(sweeping) {
        hub.stop.cancel();
        sweeping.await.unwrap();
        hub.pool.close().await;
        hub.poster_pool.close().await;
    }
}
