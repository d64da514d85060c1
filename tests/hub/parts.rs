//! Parts of a payment whose bill ends: the money is in suspense, named, and can go back.

use std::sync::Arc;

use mizan::inbox::{self, Meaning, NewNotice, Source, door};
use mizan::refunds;
use mizan::tx::Actor;
use mizan_ledger::{Currency, Money};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::world::{TODAY, World};

/// The account of the example in shekels.
const ILS: &str = crate::recon::ILS;

impl World {
    /// A passport of 215.25 of which a transfer brought 80.00.
    async fn part_paid(&self, reference: &str) -> Value {
        let intent = self.intent(reference).await;
        self.transfer(ILS, "80.00", "ILS", intent["reference"].as_str(), "a part (example)").await;
        self.end_day(TODAY).await;
        let seen = self.find_intent(intent["id"].as_str().unwrap()).await;
        assert_eq!((&seen["state"], &seen["paid"]["amount"]), (&json!("partially_paid"), &json!("80.00")));
        assert_eq!(self.balances().await["partial/held ILS"], -8_000);
        seen
    }

    pub async fn tied(&self) {
        let path = format!("/v1/finance/reports/daily?date={TODAY}");
        let proof = self.people.reconciler.client.get(&path).await.unwrap().json;
        assert_eq!(proof["tied"], true, "{proof:#}");
    }

    async fn last_event(&self, kind: &str) -> Value {
        mizan::events::publisher::publish_once(&self.app).await.unwrap();
        let feed = self.get("/v1/events?limit=100").await.json;
        let events = feed["data"].as_array().unwrap();
        events.iter().rev().find(|event| event["type"] == kind).unwrap()["data"].clone()
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap()
}

/// What the gateway reports of a bill.
fn by_card(world: &World, intent: &Value, transaction: &str, minor: i64) -> NewNotice {
    NewNotice {
        channel: "card".to_owned(),
        transaction: transaction.to_owned(),
        status: "CAPTURED".to_owned(),
        meaning: Meaning::Money,
        source: Source::Report,
        reference: Some(text(intent, "/bill_number").to_owned()),
        money: Money::new(minor, Currency::ILS),
        original_transaction: None,
        reason: None,
        money_key: format!("card:{transaction}"),
        occurred_at: world.app.clock.now(),
        raw: Vec::new(),
        headers: json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_bill_gives_its_part_to_suspense_and_the_portal_may_ask_for_it() {
    let world = World::new().await;
    let intent = world.part_paid("CASE-1").await;
    world.tied().await;
    let path = format!("/v1/payment-intents/{}/cancel", text(&intent, "/id"));
    let canceled = world.portal().post(&path, &json!({})).await.unwrap();
    assert_eq!((canceled.status, &canceled.json["state"]), (200, &json!("canceled")), "{}", canceled.json);
    assert_eq!(canceled.json["paid"]["amount"], "0.00");
    assert_eq!(canceled.json["unapplied"][0]["amount"]["amount"], "80.00");
    assert_eq!(world.last_event("payment_intent.canceled").await["unapplied"], canceled.json["unapplied"]);

    let balances = world.balances().await;
    assert!(!balances.contains_key("partial/held ILS"), "{balances:?}");
    assert_eq!(balances["suspense/transfer/credits ILS"], -8_000);
    world.tied().await;
    let mut states = world.breaks().await;
    states.retain(|(category, _)| category == "amount_under");
    let state = |state: &str| ("amount_under".to_owned(), state.to_owned());
    assert_eq!(states, [state("open"), state("superseded")]);

    refunds::jobs::work_once(&world.app).await.unwrap();
    let waiting = world.get("/v1/refunds").await.json;
    assert_eq!(waiting["data"], json!([]), "a transfer does not go back by itself: an account must be named");
    let body = json!({
        "source": canceled.json["unapplied"][0]["id"], "reason": "the bill was canceled (example)",
        "refundable": { "amount": "80.00", "currency": "ILS" },
        "payee": { "name": "A payer (example)", "iban": mizan::demo::PAYER_ACCOUNT },
    });
    let asked = world.portal().post("/v1/refunds", &body).await.unwrap();
    assert_eq!(asked.status, 201, "{}", asked.json);
    let path = format!("/v1/finance/refunds/{}/approve", text(&asked.json, "/id"));
    let approved = world.people.approver.client.post(&path, &json!({})).await.unwrap();
    assert_eq!(approved.status, 200, "{}", approved.json);
    assert_eq!(world.balances().await["refunds/payable ILS"], -8_000);
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payers_page_tells_what_is_paid_and_what_is_left_of_a_bill() {
    let world = World::new().await;
    let (part, whole) = (world.part_paid("CASE-1").await, world.intent("CASE-2").await);
    let shown = async |intent: &Value, lang: &str| {
        let url = format!("{}?lang={lang}", text(intent, "/pay_url"));
        world.http.get(url).send().await.unwrap().text().await.unwrap()
    };
    for (lang, paid, left) in
        [("en", "Paid so far", "Left to pay"), ("ar", "المدفوع حتى الآن", "الباقي للدفع")]
    {
        let row = |name: &str, amount: &str| {
            format!("<td>{name}</td><td class=\"amount\"><bdi>{amount} ILS</bdi></td>")
        };
        let page = shown(&part, lang).await;
        for told in ["215.25 ILS", &row(paid, "80.00"), &row(left, "135.25")] {
            assert!(page.contains(told), "{told} is not told: {page}");
        }
        let page = shown(&whole, lang).await;
        assert!(page.contains("215.25 ILS") && !page.contains(paid) && !page.contains(left), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_bill_gives_its_part_to_suspense_in_the_same_breath() {
    let world = World::new().await;
    let intent = world.part_paid("CASE-1").await;
    let whole = world.intent("CASE-2").await;
    world.clock.set(text(&intent, "/expires_at").parse().unwrap());
    inbox::sweeper::sweep_once(&world.app).await;
    let expired = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((&expired["state"], &expired["paid"]["amount"]), (&json!("expired"), &json!("0.00")));
    assert_eq!(expired["unapplied"][0]["cause"], "amount_under");
    assert_eq!(world.find_intent(text(&whole, "/id")).await["state"], "expired");
    assert_eq!(world.last_event("payment_intent.expired").await["unapplied"].as_array().unwrap().len(), 0);
    let balances = world.balances().await;
    assert_eq!(balances["suspense/transfer/credits ILS"], -8_000);
    assert!(!balances.contains_key("partial/held ILS"), "{balances:?}");
    inbox::sweeper::sweep_once(&world.app).await;
    assert_eq!(world.balances().await, balances, "a second sweep moves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_came_by_card_is_proposed_for_refund_the_way_it_came() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    for (transaction, minor) in [("T-EXAMPLE-1", 5_000), ("T-EXAMPLE-2", 2_500)] {
        door::take(&world.app, by_card(&world, &intent, transaction, minor)).await.unwrap();
    }
    world.settle(2).await;
    assert_eq!(world.balances().await["partial/held ILS"], -7_500);
    let path = format!("/v1/payment-intents/{}/cancel", text(&intent, "/id"));
    let canceled = world.portal().post(&path, &json!({})).await.unwrap();
    assert_eq!(canceled.json["unapplied"].as_array().unwrap().len(), 2, "{}", canceled.json);
    assert_eq!(world.balances().await["suspense/card/credits ILS"], -7_500);

    for _ in 0..2 {
        refunds::jobs::work_once(&world.app).await.unwrap();
    }
    let waiting = world.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
    let mut proposed: Vec<(&str, &str, &str)> = waiting["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (text(one, "/amount/amount"), text(one, "/requested_by"), text(one, "/method")))
        .collect();
    proposed.sort_unstable();
    assert_eq!(proposed, [("25.00", "hub:refunds", "original"), ("50.00", "hub:refunds", "original")]);
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_completes_a_part_and_ends_its_break() {
    let world = World::new().await;
    let intent = world.part_paid("CASE-1").await;
    world.pay_by_card(&intent).await;
    let paid = world.find_intent(text(&intent, "/id")).await;
    assert_eq!((&paid["state"], &paid["paid"]), (&json!("paid"), &paid["amount"]));
    assert_eq!(paid["unapplied"], json!([]));
    let balances = world.balances().await;
    assert!(!balances.contains_key("partial/held ILS"), "{balances:?}");
    assert_eq!(balances["channel/card/receivable ILS"], 13_525);
    assert_eq!(world.breaks().await, [("amount_under".to_owned(), "self_resolved".to_owned())]);
    world.tied().await;
}

/// Notices are numbered when they are written, and may be committed in another order.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_completed_by_a_notice_of_an_earlier_number_too() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let (written, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let rest = (by_card(&world, &intent, "T-EXAMPLE-1", 13_525), Arc::clone(&written), Arc::clone(&go_on));
    let actor = Actor::hub("test");
    let held = world.app.run(&actor, &rest, |tx, (rest, written, go_on)| {
        Box::pin(async move {
            let taken = inbox::service::take(tx, rest).await;
            written.notify_one();
            go_on.notified().await;
            taken
        })
    });
    let part = async {
        written.notified().await;
        door::take(&world.app, by_card(&world, &intent, "T-EXAMPLE-2", 8_000)).await.unwrap();
        world.settle(1).await;
        go_on.notify_one();
    };
    let (held, ()) = tokio::join!(held, part);
    held.unwrap();
    world.settle(1).await;
    assert_eq!(world.find_intent(text(&intent, "/id")).await["state"], "paid");
    world.tied().await;
}
