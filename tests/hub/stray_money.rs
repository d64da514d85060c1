//! Money that does not fit its bill while the payer is at the gateway: it is kept, named and offered back, and the bill
//! goes on.

use hmac::{Hmac, KeyInit as _, Mac as _};
use mizan::demo::callback_key;
use mizan::inbox::{self, Meaning, NewNotice, Source, door};
use mizan::refunds;
use mizan_ledger::{Currency, Instant, Money};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::World;

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap()
}

impl World {
    /// What the gateway would tell of an order, signed as it signs and sent over HTTP. Answers the status.
    pub async fn tell(&self, channel: &str, order: &str, transaction: &str, amount: (&str, &str)) -> u16 {
        let merchant = if channel == "card-health" { "health" } else { mizan::demo::MERCHANT };
        let body = json!({
            "event": "payment.captured", "merchant": merchant, "order": order, "session": "gs_example",
            "transaction": transaction, "status": "CAPTURED", "amount": amount.0, "currency": amount.1,
            "reason": null, "original_transaction": null, "created_at": self.app.clock.now(),
        })
        .to_string();
        let key = callback_key();
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let request = self.http.post(format!("{}/channels/{channel}/callback", self.base));
        let request = request.header("x-gateway-signature", hex::encode(mac.finalize().into_bytes()));
        request.body(body).send().await.unwrap().status().as_u16()
    }

    /// The payer is at the gateway of this channel; answers the order there.
    pub async fn at_gateway(&self, channel: &str, intent: &Value) -> String {
        let chosen = self.form(text(intent, "/pay_url"), &format!("channel={channel}")).await;
        assert_eq!(chosen.status(), 303);
        let page = chosen.headers()["location"].to_str().unwrap().to_owned();
        assert!(!page.starts_with("/pay/"), "no page of the gateway: {page}");
        let seen = self.find_intent(text(intent, "/id")).await;
        assert_eq!(seen["state"], "processing", "{seen}");
        seen["attempts"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn cancel(&self, intent: &Value) -> mizan::client::Reply {
        let path = format!("/v1/payment-intents/{}/cancel", text(intent, "/id"));
        self.portal().post(&path, &json!({})).await.unwrap()
    }

    /// The refunds that the hub proposed by itself: amount, currency and reason.
    pub async fn proposed(&self) -> Vec<(String, String, String)> {
        while refunds::jobs::work_once(&self.app).await.unwrap() > 0 {}
        let waiting = self.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
        let one = |one: &Value| {
            assert_eq!((text(one, "/requested_by"), text(one, "/method")), ("hub:refunds", "original"));
            let field = |pointer| text(one, pointer).to_owned();
            (field("/amount/amount"), field("/amount/currency"), field("/reason"))
        };
        let mut proposed: Vec<_> = waiting["data"].as_array().unwrap().iter().map(one).collect();
        proposed.sort();
        proposed
    }

    /// A transfer of shekels under a bill's reference, as a bank would tell of it.
    pub async fn transfer_told(&self, intent: &Value, transaction: &str, minor: i64) {
        self.told("transfer", text(intent, "/reference"), transaction, "BOOKED", minor).await;
    }

    /// Shekels as a channel's report tells of them, and nobody has applied it yet.
    pub async fn told(&self, channel: &str, reference: &str, transaction: &str, status: &str, minor: i64) {
        let notice = NewNotice {
            channel: channel.to_owned(),
            transaction: transaction.to_owned(),
            status: status.to_owned(),
            meaning: Meaning::Money,
            source: Source::Report,
            reference: Some(reference.to_owned()),
            money: Money::new(minor, Currency::ILS),
            original_transaction: None,
            reason: None,
            money_key: format!("{channel}:{transaction}"),
            occurred_at: self.app.clock.now(),
            raw: Vec::new(),
            headers: json!({}),
        };
        door::take(&self.app, notice).await.unwrap();
    }

    async fn event_kinds(&self, intent: &Value) -> Vec<String> {
        mizan::events::publisher::publish_once(&self.app).await.unwrap();
        let feed = self.get("/v1/events?limit=100").await.json;
        let events = feed["data"].as_array().unwrap().iter();
        let own = events.filter(|event| event["data"]["id"] == intent["id"]);
        own.map(|event| text(event, "/type").trim_start_matches("payment_intent.").to_owned()).collect()
    }
}

fn stray(amount: &str, currency: &str, cause: &str) -> (String, String, String) {
    (amount.to_owned(), currency.to_owned(), format!("proposed: {cause}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn another_currency_is_kept_and_offered_back_and_the_bill_waits_for_payment_again() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("50.000", "JOD")).await, 204);
    world.settle(1).await;

    let seen = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/paid/amount")), ("requires_payment", "0.00"), "{seen}");
    assert_eq!(text(&seen, "/attempts/0/state"), "captured");
    assert_eq!(seen["unapplied"][0]["amount"], json!({ "amount": "50.000", "currency": "JOD" }));
    assert_eq!(world.event_kinds(&intent).await, ["opened", "processing", "attempt_failed"]);
    let balances = world.balances().await;
    assert_eq!(balances["suspense/card/credits JOD"], -50_000);
    assert!(!balances.keys().any(|account| account.ends_with("ILS")), "{balances:?}");
    let breaks = world.people.reconciler.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(breaks["data"].as_array().unwrap().len(), 1, "{breaks}");
    let one = &breaks["data"][0];
    assert_eq!((text(one, "/category"), text(one, "/intent")), ("currency", text(&intent, "/id")));
    assert_eq!(one["detail"]["bill_number"], intent["bill_number"]);
    assert!(one["detail"]["notice"].is_number(), "{one}");
    assert_eq!(world.proposed().await, [stray("50.000", "JOD", "currency")]);
    // The same callback again changes nothing.
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("50.000", "JOD")).await, 204);
    world.settle(0).await;
    assert_eq!(world.balances().await, balances);

    // The payer pays after all, and only that payment is the bill's.
    world.pay_by_card(&intent).await;
    let paid = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&paid, "/state"), text(&paid, "/paid/amount")), ("paid", "215.25"), "{paid}");
    assert_eq!(world.balances().await["suspense/card/credits JOD"], -50_000);
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_met_another_currency_can_be_canceled_and_its_reference_used_again() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    assert_eq!(world.cancel(&intent).await.json["code"], "attempt_in_progress");
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("50.000", "JOD")).await, 204);
    world.settle(1).await;
    let canceled = world.cancel(&intent).await;
    assert_eq!((canceled.status, text(&canceled.json, "/state")), (200, "canceled"), "{}", canceled.json);
    assert_eq!(text(&world.intent("CASE-1").await, "/predecessor"), text(&intent, "/id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_met_another_currency_expires_in_its_time() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("50.000", "JOD")).await, 204);
    world.settle(1).await;
    world.clock.set(text(&intent, "/expires_at").parse().unwrap());
    inbox::sweeper::sweep_once(&world.app).await;
    let expired = world.find_intent(text(&intent, "/id")).await;
    assert_eq!(text(&expired, "/state"), "expired", "{expired}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_on_a_channel_that_pays_the_agency_goes_back_and_the_payer_pays_the_whole() {
    let world = World::new().await;
    let intent = world.certificate("CASE-1").await;
    let order = world.at_gateway("card-health", &intent).await;
    assert_eq!(world.tell("card-health", &order, "T-EXAMPLE-1", ("30.00", "ILS")).await, 204);
    world.settle(1).await;
    let seen = world.find_intent(text(&intent, "/id")).await;
    assert_eq!(
        (text(&seen, "/state"), text(&seen, "/unapplied/0/cause")),
        ("requires_payment", "amount_under")
    );
    assert_eq!(world.breaks().await, [("amount_under".to_owned(), "open".to_owned())]);
    assert_eq!(world.proposed().await, [stray("30.00", "ILS", "amount_under")]);
    let paid = world.pay_on("card-health", &intent, 1).await;
    assert_eq!((text(&paid, "/state"), text(&paid, "/paid/amount")), ("paid", "80.00"), "{paid}");
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_whose_entry_the_book_refuses_waits_in_suspense_and_its_bill_does_not_hang() {
    let world = World::new().await;
    let first = world.intent("CASE-1").await;
    world.pay_by_card(&first).await;
    let account = "select id from ledger.accounts where code = 'hub/fees' and currency = 'ILS'";
    let full = "ceiling_minor = credits_minor - debits_minor";
    world.tamper(&format!("update ledger.balances set {full} where account_id = ({account})")).await;
    let second = world.intent("CASE-2").await;
    world.pay_by_card(&second).await;
    let seen = world.find_intent(text(&second, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/attempts/0/state")), ("requires_payment", "captured"));
    assert_eq!(world.balances().await["suspense/card/credits ILS"], -21_525);
    assert_eq!(world.breaks().await, [("notice_set_aside".to_owned(), "open".to_owned())]);
    assert_eq!(world.proposed().await, [], "why the book refused it is for a person to find out");
    assert_eq!(world.cancel(&second).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_not_even_suspense_takes_stands_aside_and_its_bill_does_not_hang() {
    let world = World::new().await;
    let first = world.intent("CASE-1").await;
    world.pay_by_card(&first).await;
    let before = world.balances().await;
    let account =
        "select id from ledger.accounts where code = 'channel/card/receivable' and currency = 'ILS'";
    let full = "ceiling_minor = debits_minor - credits_minor";
    world.tamper(&format!("update ledger.balances set {full} where account_id = ({account})")).await;
    let second = world.intent("CASE-2").await;
    world.pay_by_card(&second).await;
    let seen = world.find_intent(text(&second, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/attempts/0/state")), ("requires_payment", "captured"));
    assert_eq!(world.event_kinds(&second).await, ["opened", "processing", "attempt_failed"]);
    assert_eq!(world.balances().await, before, "nothing is posted");
    assert_eq!(world.breaks().await, [("notice_set_aside".to_owned(), "open".to_owned())]);
    world.clock.advance(jiff::SignedDuration::from_mins(40));
    assert_eq!(inbox::sweeper::ask_silent(&world.app).await.unwrap(), 0, "nobody is asked what is known");
    assert_eq!(world.cancel(&second).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_beside_a_living_attempt_neither_ends_the_bill_nor_lets_it_end() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let expires_at: Instant = text(&intent, "/expires_at").parse().unwrap();
    world.clock.set(expires_at.plus_seconds(-600));
    let page = world.choose_card(&intent).await;
    world.transfer_told(&intent, "TR-EXAMPLE-1", 8_000).await;
    world.settle(1).await;
    let seen = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/paid/amount")), ("processing", "80.00"), "{seen}");
    let refused = world.cancel(&intent).await;
    assert_eq!((refused.status, text(&refused.json, "/code")), (409, "attempt_in_progress"));
    world.clock.set(expires_at);
    inbox::sweeper::sweep_once(&world.app).await;
    assert_eq!(text(&world.find_intent(text(&intent, "/id")).await, "/state"), "processing");

    world.decide(&page, "decline").await;
    world.settle(1).await;
    let declined = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&declined, "/state"), text(&declined, "/paid/amount")), ("partially_paid", "80.00"));
    inbox::sweeper::sweep_once(&world.app).await;
    let expired = world.find_intent(text(&intent, "/id")).await;
    assert_eq!(
        (text(&expired, "/state"), text(&expired, "/unapplied/0/amount/amount")),
        ("expired", "80.00")
    );
    let told = world.event_kinds(&intent).await;
    assert_eq!(told, ["opened", "processing", "partially_paid", "attempt_failed", "expired"]);
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_pays_beside_a_part_and_what_is_too_much_goes_back() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    world.transfer_told(&intent, "TR-EXAMPLE-1", 8_000).await;
    world.settle(1).await;
    world.decide(&page, "approve").await;
    world.settle(1).await;
    let paid = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&paid, "/state"), text(&paid, "/paid/amount")), ("paid", "215.25"), "{paid}");
    assert_eq!(text(&paid, "/unapplied/0/amount/amount"), "80.00");
    assert_eq!(world.proposed().await, [stray("80.00", "ILS", "amount_over")]);
    assert!(!world.balances().await.contains_key("partial/held ILS"));
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_and_a_late_payment_by_card_are_proposed_for_refund() {
    let world = World::new().await;
    let twice = world.intent("CASE-1").await;
    world.pay_by_card(&twice).await;
    world.told("card", text(&twice, "/bill_number"), "T-EXAMPLE-2", "CAPTURED", 21_525).await;
    let late = world.intent("CASE-2").await;
    assert_eq!(world.cancel(&late).await.status, 200);
    world.told("card", text(&late, "/bill_number"), "T-EXAMPLE-3", "CAPTURED", 21_525).await;
    world.told("card", "nobody knows it", "T-EXAMPLE-4", "CAPTURED", 1_000).await;
    world.settle(3).await;
    let offered = [stray("215.25", "ILS", "duplicate_money"), stray("215.25", "ILS", "late_money")];
    assert_eq!(world.proposed().await, offered, "of unknown money nobody knows whose it is");
    world.tied().await;
}

/// A callback and a settlement report of one payment in one batch: the rule keeps them apart, no index has to.
#[tokio::test(flavor = "multi_thread")]
async fn two_notices_of_one_money_in_one_batch_are_one_payment() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    world.told("card", &order, "T-EXAMPLE-1", "CAPTURED", 21_525).await;
    world.told("card", &order, "T-EXAMPLE-1", "SETTLED", 21_525).await;
    let other = world.intent("CASE-2").await;
    world.told("card", text(&other, "/bill_number"), "T-EXAMPLE-2", "CAPTURED", 21_525).await;
    let applied = inbox::jobs::post_once(&world.app).await.unwrap();
    assert_eq!(applied, 3, "all at once: a batch that failed would have been halved");
    for paid in [&intent, &other] {
        let seen = world.find_intent(text(paid, "/id")).await;
        assert_eq!((text(&seen, "/state"), &seen["unapplied"]), ("paid", &json!([])), "{seen}");
    }
    let balances = world.balances().await;
    assert_eq!(balances["channel/card/receivable ILS"], 2 * 21_525);
    assert!(!balances.contains_key("suspense/card/credits ILS"), "{balances:?}");
    let mut conn = world.app.pool.acquire().await.unwrap();
    let first = inbox::store::reading::find(&mut conn, 1).await.unwrap().unwrap();
    let second = inbox::store::reading::find(&mut conn, 2).await.unwrap().unwrap();
    assert_eq!((first.outcome.as_deref(), second.outcome.as_deref()), (Some("paid"), Some("known money")));
    assert_eq!(world.breaks().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_callback_is_kept_once_however_often_it_comes() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("215.25", "ILS")).await, 204);
    for _ in 0..10 {
        assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("216.25", "ILS")).await, 204);
        world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("217.25", "ILS")).await, 204);
    world.settle(1).await;
    let mut conn = world.app.pool.acquire().await.unwrap();
    let mut kept = Vec::new();
    for n in 1..40 {
        kept.extend(inbox::store::reading::find(&mut conn, n).await.unwrap());
    }
    let kept: Vec<(&str, i64)> =
        kept.iter().map(|one| (one.state.as_str(), one.notice.money.minor())).collect();
    assert_eq!(kept, [("applied", 21_525), ("altered", 21_625), ("altered", 21_725)]);
    assert_eq!(world.breaks().await, [("altered".to_owned(), "open".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_channel_tells_of_an_order_or_a_bill_of_its_own_agency_only_pays_nothing() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    assert_eq!(world.tell("card-health", &order, "T-EXAMPLE-1", ("215.25", "ILS")).await, 204);
    assert_eq!(
        world.tell("card-health", text(&intent, "/bill_number"), "T-EXAMPLE-2", ("215.25", "ILS")).await,
        204
    );
    world.settle(2).await;
    let seen = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/attempts/0/state")), ("processing", "redirected"));
    assert_eq!(seen["paid"]["amount"], "0.00", "{seen}");
    let balances = world.balances().await;
    let costs = balances["channel/card-health/costs_payable ILS"];
    assert_eq!(balances["agency/health/direct ILS"], -costs, "its costs alone: {balances:?}");
    assert_eq!(balances["suspense/card-health/credits ILS"], -43_050);
    assert_eq!(world.breaks().await, vec![("unknown_credit".to_owned(), "open".to_owned()); 2]);
    world.tied().await;
}
