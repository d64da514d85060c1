//! Payments that their channel took back: the payer has the money, and nothing gives it to him a second time.

use mizan::demo::PAYER_ACCOUNT;
use mizan::fulfilment;
use mizan::queue::worker;
use mizan_adapters::channel::RefundOrder;
use serde_json::{Value, json};

use super::*;
use crate::fulfilment::{agency, delivered, rejected, report};
use crate::money_modes::text;
use crate::world::TODAY;

/// The card's bank takes a payment back; the gateway refuses that when it has refunded some of it.
async fn reverse_at(world: &World, merchant: &str, intent: &Value) {
    let order = intent["attempts"][0]["id"].clone();
    world.control("reversals", json!({ "merchant": merchant, "order": order })).await;
    world.settle(1).await;
}

pub async fn reverse(world: &World, intent: &Value) {
    reverse_at(world, mizan::demo::MERCHANT, intent).await;
}

/// An officer's or approver's step on a refund: status and code, or status and stage.
pub async fn step(world: &World, refund: &Value, act: &str) -> (u16, String) {
    let path = format!("/v1/finance/refunds/{}/{act}", id(refund));
    let (client, body) = match act {
        "payee" => (
            &world.people.reconciler.client,
            json!({ "payee": { "name": "A payer (example)", "iban": PAYER_ACCOUNT } }),
        ),
        "give-up" => (&world.people.reconciler.client, json!({ "note": "EXAMPLE" })),
        _ => (&world.people.approver.client, json!({ "note": "EXAMPLE" })),
    };
    let reply = client.post(&path, &body).await.unwrap();
    let said = if reply.status == 200 { &reply.json["stage"] } else { &reply.json["code"] };
    (reply.status, said.as_str().unwrap().to_owned())
}

pub fn taken_back() -> (u16, String) {
    (409, "payment_reversed".to_owned())
}

pub fn done(stage: &str) -> (u16, String) {
    (200, stage.to_owned())
}

pub async fn asked_for(world: &World, source: &Value, refundable: &Value) -> Value {
    let body = json!({
        "source": source, "reason": "EXAMPLE", "refundable": refundable,
        "payee": { "name": "A payer (example)", "iban": PAYER_ACCOUNT },
    });
    let reply = world.portal().post("/v1/refunds", &body).await.unwrap();
    json!({ "status": reply.status, "body": reply.json })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_channel_took_back_is_not_refundable_and_its_portal_is_told() {
    let world = World::new().await;
    let paid = paid_passport(&world, "CASE-1").await;
    let before = world.balances().await;
    reverse(&world, &paid).await;

    let seen = world.find_intent(id(&paid)).await;
    assert_eq!((text(&seen, "/state"), text(&seen, "/attempts/0/state")), ("paid", "reversed"));
    assert_eq!((&seen["reversed"], &seen["refundable"]), (&ils("425.38"), &ils("0.00")));
    assert!(seen["version"].as_i64() > paid["version"].as_i64(), "{seen}");
    for refundable in [&seen["refundable"], &paid["refundable"]] {
        let refused = asked_for(&world, &paid["id"], refundable).await;
        assert_eq!((&refused["status"], &refused["body"]["code"]), (&json!(409), &json!("payment_reversed")));
    }
    assert_eq!(world.balances().await, before, "what follows a person decides");

    mizan::events::publisher::publish_once(&world.app).await.unwrap();
    let feed = world.get("/v1/events?limit=100").await.json;
    let told: Vec<&Value> = feed["data"].as_array().unwrap().iter().collect();
    let told: Vec<_> = told.iter().filter(|event| event["type"] == "payment_intent.reversed").collect();
    assert_eq!(told.len(), 1, "{feed}");
    assert_eq!((&told[0]["data"]["id"], &told[0]["data"]["reversed"]), (&paid["id"], &ils("425.38")));
    assert_eq!(told[0]["data"]["refundable"], ils("0.00"));
    let breaks = world.people.reconciler.client.get("/v1/finance/breaks").await.unwrap().json;
    let detail = &breaks["data"][0]["detail"];
    assert_eq!((&detail["paid"], &detail["asked_back"]), (&ils("425.38"), &ils("0.00")), "{detail}");
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_and_the_payers_page_tell_what_was_taken_back_and_stay_genuine() {
    let world = World::new().await;
    let paid = paid_passport(&world, "CASE-1").await;
    let path = format!("/v1/receipts/{}", text(&paid, "/receipt/number"));
    let before = world.get(&path).await.json;
    assert_eq!((&before["reversed"], &before["credited"]), (&ils("0.00"), &ils("0.00")));
    let urls = [text(&before, "/url"), text(&paid, "/pay_url")];
    let words = [("en", "Do not deliver the service"), ("ar", "لا تُقدَّم الخدمة بناءً على هذه الدفعة")];
    let page = async |url: &str, lang: &str| {
        let reply = world.http.get(format!("{url}?lang={lang}")).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.text().await.unwrap()
    };
    for (url, (lang, word)) in urls.iter().flat_map(|url| words.map(|word| (url, word))) {
        assert!(!page(url, lang).await.contains(word), "{url} {lang}");
    }

    reverse(&world, &paid).await;
    let after = world.get(&path).await.json;
    assert_eq!(after["reversed"], ils("425.38"), "{after}");
    for member in ["state", "credited", "signed", "signature", "key_id"] {
        assert_eq!(after[member], before[member], "the receipt as it was issued: {member}");
    }
    for (url, (lang, word)) in urls.iter().flat_map(|url| words.map(|word| (url, word))) {
        let page = page(url, lang).await;
        assert!(page.contains(word) && page.contains("<bdi>425.38 ILS</bdi>"), "{url} {lang}: {page}");
    }
    assert!(page(urls[0], "en").await.contains("Genuine: the signature is right"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_that_only_the_settlement_tells_of_is_heard_too() {
    let world = World::new().await;
    let paid = paid_passport(&world, "CASE-1").await;
    world.control("faults", json!({ "callback": "lost" })).await;
    let order = paid["attempts"][0]["id"].clone();
    world.control("reversals", json!({ "merchant": mizan::demo::MERCHANT, "order": order })).await;
    world.end_day(TODAY).await;
    let seen = world.find_intent(id(&paid)).await;
    assert_eq!((text(&seen, "/attempts/0/state"), &seen["reversed"]), ("reversed", &ils("425.38")));
    assert_eq!(world.breaks().await, [("reversed".to_owned(), "open".to_owned())]);
    world.tied().await;
}

/// The merchant's clerk gives a part back at the gateway's own desk.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_gave_back_at_its_own_desk_is_of_its_payment_in_the_settlement_too() {
    let world = World::new().await;
    let paid = paid_passport(&world, "CASE-1").await;
    let asked = requested(&world, &paid, "63.00").await;
    let order = RefundOrder {
        refund: "desk-refund-1".to_owned(),
        transaction: text(&staff_view(&world, &asked).await, "/original_transaction").to_owned(),
        money: Money::new(10_000, Currency::ILS),
    };
    let desk = world.app.hub.channels.get("card").unwrap().refund.clone().unwrap();
    desk.refund(order).await.accepted().unwrap();
    world.settle(1).await;
    assert_eq!(world.find_intent(id(&paid)).await["reversed"], ils("100.00"));
    world.end_day(TODAY).await;
    assert_eq!(world.find_intent(id(&paid)).await["reversed"], ils("100.00"), "told twice, gone once");
    let breaks = world.people.reconciler.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(breaks["data"].as_array().unwrap().len(), 1, "{breaks}");
    assert_eq!(
        (&breaks["data"][0]["category"], &breaks["data"][0]["money"]),
        (&json!("reversed"), &ils("100.00"))
    );
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_asked_for_before_the_reversal_is_not_approved() {
    let world = World::new().await;
    let paid = paid_passport(&world, "CASE-1").await;
    let refund = requested(&world, &paid, "63.00").await;
    reverse(&world, &paid).await;
    let breaks = world.people.reconciler.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(breaks["data"][0]["detail"]["asked_back"], ils("63.00"), "{breaks}");
    assert_eq!(step(&world, &refund, "approve").await, taken_back());
    assert_eq!(step(&world, &refund, "refuse").await, done("refused"));
    assert_eq!(world.find_intent(id(&paid)).await["refundable"], ils("0.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_approved_before_the_reversal_does_not_leave_and_its_money_goes_back_to_where_it_stood() {
    let world = World::new().await;
    let paid = paid_passport(&world, "CASE-1").await;
    let before = world.balances().await;
    let refund = requested(&world, &paid, "63.00").await;
    approve(&world, &refund).await;
    reverse(&world, &paid).await;
    work(&world).await;
    let failed = staff_view(&world, &refund).await;
    assert_eq!((text(&failed, "/stage"), text(&failed, "/failure/code")), ("failed", "payment_reversed"));
    assert_eq!(failed["instructions"], Value::Null, "nothing left: {failed}");
    for act in ["send-again", "payee", "give-up", "give-up/approve"] {
        assert_eq!(step(&world, &refund, act).await, taken_back(), "{act}");
    }
    let by_asker = world.portal().post(&format!("/v1/refunds/{}/cancel", id(&refund)), &json!({})).await;
    assert_eq!(by_asker.unwrap().status, 409, "it was decided");
    assert_eq!(step(&world, &refund, "cancel").await, (403, "same_person".to_owned()), "who approved");
    let path = format!("/v1/finance/refunds/{}/cancel", id(&refund));
    let second = world.staff("second.approver", &[mizan::access::Role::Approver]).await;
    let canceled = second.post(&path, &json!({})).await.unwrap();
    assert_eq!((canceled.status, text(&canceled.json, "/stage")), (200, "canceled"), "{}", canceled.json);
    assert_eq!(world.balances().await, before);
    world.tied().await;
}

/// A payment by card, and a refund of it that the gateway did not carry out and that is to leave by transfer.
async fn to_be_transferred(world: &World, case: &str) -> (Value, Value) {
    let paid = paid_passport(world, case).await;
    let refund = requested(world, &paid, "63.00").await;
    approve(world, &refund).await;
    world.control("faults", json!({ "refunds": "fail" })).await;
    work(world).await;
    world.settle(1).await;
    work(world).await;
    assert_eq!(step(world, &refund, "payee").await, done("failed"));
    assert_eq!(step(world, &refund, "send-again").await, done("approved"));
    (paid, refund)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_an_order_whose_payment_was_taken_back_is_not_sent_and_the_others_go_with_another() {
    let world = World::new().await;
    let (paid, refund) = to_be_transferred(&world, "CASE-1").await;
    let (_, other) = to_be_transferred(&world, "CASE-2").await;
    advance(&world, 61);
    let submit = &mizan::refunds::jobs::WORKS[0];
    worker::work_once(&world.app, submit).await.unwrap();
    let file = staff_view(&world, &refund).await["payment_file"].clone();
    assert!(file.is_string(), "it is written and not sent");
    assert_eq!(staff_view(&world, &other).await["payment_file"], file);
    reverse(&world, &paid).await;
    work(&world).await;
    let held = staff_view(&world, &refund).await;
    assert_eq!((text(&held, "/stage"), text(&held, "/failure/code")), ("failed", "payment_reversed"));
    let path = "/v1/finance/payment-files";
    let files = world.people.approver.client.get(path).await.unwrap().json;
    assert_eq!(files["data"][0]["state"], "withdrawn", "{files}");
    advance(&world, 61);
    work(&world).await;
    let sent = staff_view(&world, &other).await;
    assert_eq!(text(&sent, "/stage"), "submitted", "{sent}");
    assert_ne!(sent["payment_file"], file);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_waits_for_its_file_does_not_leave_after_the_reversal() {
    let world = World::new().await;
    let (paid, refund) = to_be_transferred(&world, "CASE-1").await;
    reverse(&world, &paid).await;
    advance(&world, 61);
    work(&world).await;
    let held = staff_view(&world, &refund).await;
    assert_eq!((text(&held, "/stage"), text(&held, "/failure/code")), ("failed", "payment_reversed"));
    assert_eq!(held["payment_file"], Value::Null, "{held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_the_service_is_noted_and_releases_nothing_of_a_payment_taken_back() {
    for (outcome, kept) in [(delivered(), "delivered"), (rejected(), "rejected")] {
        let world = World::new().await;
        let paid = paid_passport(&world, "CASE-1").await;
        reverse(&world, &paid).await;
        let before = world.balances().await;
        let interior = agency(&world, "interior").await;
        let told = report(&interior, &paid, outcome).await;
        assert_eq!(told.status, 200, "{}", told.json);
        assert_eq!(text(&told.json, "/fulfilment/0/outcome"), kept);
        assert_eq!(world.proposed().await, [], "the payer has the money");
        assert_eq!(world.balances().await, before);
        world.tied().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_releases_nothing_of_a_payment_taken_back() {
    let world = World::new().await;
    let body = json!({
        "currency": "ILS", "external_reference": "CASE-1",
        "lines": [{ "service": "psi/standards-subscription", "inputs": { "plan": "single" } }],
    });
    let intent = world.portal().post("/v1/payment-intents", &body).await.unwrap().json;
    world.pay_by_card(&intent).await;
    reverse(&world, &world.find_intent(id(&intent)).await).await;
    let before = world.balances().await;
    advance(&world, 14 * 86_400);
    assert_eq!(worker::work_once(&world.app, &fulfilment::jobs::WORK).await.unwrap(), 1);
    assert_eq!(world.balances().await, before);
    assert_eq!(world.breaks().await, [("reversed".to_owned(), "open".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn direct_money_that_was_taken_back_takes_nothing_of_what_others_paid_the_hub_for_the_agency() {
    let world = World::new().await;
    // Money of others is held for the same agency.
    let other = world.certificate("CASE-1").await;
    world.transfer(crate::recon::ILS, "80.00", "ILS", Some(text(&other, "/reference")), "").await;
    world.end_day(TODAY).await;
    let paid = world.pay_on("card-health", &world.certificate("CASE-2").await, 1).await;
    let refund = requested(&world, &paid, "50.00").await;
    reverse_at(&world, "health", &paid).await;
    let before = world.balances().await;
    assert_eq!(before["agency/health/held ILS"], -8_000, "{before:?}");
    let told = report(&agency(&world, "health").await, &paid, delivered()).await;
    assert_eq!(told.status, 200, "{}", told.json);
    assert_eq!(step(&world, &refund, "approve").await, taken_back());
    assert_eq!(asked_for(&world, &paid["id"], &ils("0.00")).await["body"]["code"], "payment_reversed");
    assert_eq!(world.balances().await, before);
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_of_direct_money_that_is_canceled_after_the_reversal_goes_back_to_what_the_agency_paid_in()
{
    let world = World::new().await;
    let failed = crate::direct_refunds::failed(&world).await;
    let payment = world.find_intent(text(&failed, "/source")).await;
    world.transfer(crate::recon::ILS, "80.00", "ILS", Some(text(&failed, "/pay_in/reference")), "").await;
    world.next_day().await;
    let before = world.balances().await;
    assert_eq!(step(&world, &failed, "payee").await, done("failed"));
    assert_eq!(step(&world, &failed, "send-again").await, done("approved"));
    reverse_at(&world, "health", &payment).await;
    advance(&world, 61);
    work(&world).await;
    assert_eq!(text(&staff_view(&world, &failed).await, "/failure/code"), "payment_reversed");
    let second = world.staff("second.approver", &[mizan::access::Role::Approver]).await;
    let path = format!("/v1/finance/refunds/{}/cancel", id(&failed));
    let canceled = second.post(&path, &json!({})).await.unwrap();
    assert_eq!((canceled.status, text(&canceled.json, "/stage")), (200, "canceled"), "{}", canceled.json);
    let after = world.balances().await;
    assert_eq!(after["agency/health/payable ILS"], -8_000, "before {before:?}, after {after:?}");
}
