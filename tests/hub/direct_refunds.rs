//! Money that a channel paid an agency itself, given back: by the channel, or by the hub from what the agency pays in.

use serde_json::{Value, json};

use crate::money_modes::{TOMORROW, line, text};
use crate::recon::{ILS, JOD};
use crate::refunds;
use crate::world::{TODAY, World};

/// What the portal asks back of a payment, approved.
async fn approved(world: &World, paid: &Value, amount: &str) -> Value {
    let refund = refunds::requested(world, paid, amount).await;
    refunds::approve(world, &refund).await
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_that_an_agency_received_itself_waits_there_until_its_channel_gives_it_back() {
    let world = World::new().await;
    let intent = world.certificate("CASE-1").await;
    let chosen = world.form(text(&intent, "/pay_url"), "channel=card-health").await;
    let page = chosen.headers()["location"].to_str().unwrap().to_owned();
    world.tamper("update payment_intents set state = 'canceled'").await;
    world.decide(&page, "approve").await;
    world.settle(1).await;
    assert_eq!(world.balances().await["suspense/card-health/credits ILS"], -8_000);
    let second = world.certificate("CASE-2").await;
    world.pay_on("card-health", &second, 1).await;
    world.end_day(TODAY).await;
    let balances = world.balances().await;
    assert_eq!(balances["suspense/card-health/credits ILS"], -8_000, "{balances:?}");
    assert_eq!(balances["agency/health/direct ILS"], 8_000, "the agency has it");
    assert!(!balances.contains_key("channel/card-health/receivable ILS"), "{balances:?}");
    let proof = world.day_proof().await;
    assert_eq!(proof["tied"], true, "{proof:#}");

    let mut conn = world.app.pool.acquire().await.unwrap();
    let item = mizan::suspense::store::page_open(&mut conn).await.unwrap().remove(0);
    drop(conn);
    let body = json!({ "source": item.id, "reason": "EXAMPLE", "refundable": item.left });
    let asked = world.people.reconciler.client.post("/v1/finance/refunds", &body).await.unwrap();
    assert_eq!((asked.status, &asked.json["method"]), (201, &json!("original")), "{}", asked.json);
    refunds::approve(&world, &asked.json).await;
    world.next_day().await;
    assert_eq!(refunds::staff_view(&world, &asked.json).await["stage"], "succeeded");
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
    assert_eq!(world.proof_of(TOMORROW).await["tied"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_direct_money_is_taken_back_by_its_channel_and_leaves_nothing() {
    let world = World::new().await;
    let paid = world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    world.end_day(TODAY).await;
    let refund = approved(&world, &paid, "80.00").await;
    assert_eq!(refund["stage"], "approved", "{refund}");
    assert_eq!(world.balances().await["agency/health/direct ILS"], 8_000, "the agency has it to give back");
    refunds::work(&world).await;
    // The gateway pays nothing on that day: it takes from the agency.
    world.next_day().await;
    assert_eq!(refunds::staff_view(&world, &refund).await["stage"], "succeeded");
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
    assert_eq!(world.breaks().await, []);
    for day in [TODAY, TOMORROW] {
        let proof = world.proof_of(day).await;
        assert_eq!(proof["tied"], true, "{proof:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_without_the_refund_that_was_approved_before_it_is_booked() {
    let world = World::new().await;
    let paid = world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    let refund = approved(&world, &paid, "50.00").await;
    // Approved and not sent yet when the gateway pays the agency all it took.
    world.end_day(TODAY).await;
    let balances = world.balances().await;
    assert!(!balances.contains_key("channel/card-health/receivable ILS"), "{balances:?}");
    assert_eq!(balances["agency/health/direct ILS"], 5_000);
    assert_eq!(world.day_proof().await["tied"], true);
    refunds::work(&world).await;
    world.next_day().await;
    assert_eq!(refunds::staff_view(&world, &refund).await["stage"], "succeeded");
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_by_transfer_is_not_given_back_by_the_card_that_paid_it_again() {
    let world = World::new().await;
    let intent = world.certificate("CASE-1").await;
    let chosen = world.form(text(&intent, "/pay_url"), "channel=card-health").await;
    let page = chosen.headers()["location"].to_str().unwrap().to_owned();
    world.transfer(ILS, "80.00", "ILS", Some(text(&intent, "/reference")), "").await;
    world.end_day(TODAY).await;
    world.decide(&page, "approve").await;
    world.settle(1).await;
    let paid = world.find_intent(text(&intent, "/id")).await;
    assert_eq!(paid["state"], "paid");
    let body = json!({ "source": paid["id"], "reason": "EXAMPLE", "refundable": paid["refundable"] });
    let asked = world.portal().post("/v1/refunds", &body).await.unwrap();
    assert_eq!((asked.status, &asked.json["errors"][0]["field"]), (422, &json!("/payee")), "{}", asked.json);
}

/// A refund of direct money that the channel did not carry out, after its payment was settled.
pub async fn failed(world: &World) -> Value {
    let paid = world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    world.end_day(TODAY).await;
    world.control("faults", json!({ "refunds": "fail" })).await;
    let refund = approved(world, &paid, "80.00").await;
    refunds::work(world).await;
    world.hear_refund(&refund, "failed").await;
    refunds::staff_view(world, &refund).await
}

/// An officer names the payer's account; answers status and body.
async fn named_payee(world: &World, refund: &Value) -> (u16, Value) {
    let path = format!("/v1/finance/refunds/{}/payee", text(refund, "/id"));
    let body = json!({ "payee": { "name": "A payer (example)", "iban": mizan::demo::PAYER_ACCOUNT } });
    let reply = world.people.reconciler.client.post(&path, &body).await.unwrap();
    (reply.status, reply.json)
}

/// What the refund's channel did not give back leaves our account, and its statement shows it.
async fn transferred(world: &World, refund: &Value) {
    let (status, body) = named_payee(world, refund).await;
    assert_eq!((status, &body["method"]), (200, &json!("transfer")), "{body}");
    let path = format!("/v1/finance/refunds/{}/send-again", text(refund, "/id"));
    let sent = world.people.approver.client.post(&path, &json!({ "note": "EXAMPLE" })).await.unwrap();
    assert_eq!((sent.status, &sent.json["stage"]), (200, &json!("approved")), "{}", sent.json);
    refunds::advance(world, 61);
    while refunds::work(world).await > 0 {}
    world.clock.advance(jiff::SignedDuration::from_hours(24));
    world.end_day("2026-11-24").await;
    assert_eq!(refunds::staff_view(world, refund).await["stage"], "succeeded");
    let balances = world.balances().await;
    assert!(balances.is_empty(), "what was paid in has left: {balances:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_channel_does_not_give_back_waits_for_the_agency_to_pay_in() {
    let world = World::new().await;
    let refund = failed(&world).await;
    let (status, early) = named_payee(&world, &refund).await;
    assert_eq!((status, &early["code"], &early["agency"]), (409, &json!("funds_missing"), &json!("health")));
    assert_eq!(refund["pay_in"]["agency"], "health", "{refund}");

    // The agency writes the refund's own reference.
    let reference = text(&refund, "/pay_in/reference");
    world.transfer(ILS, "80.00", "ILS", Some(reference), "").await;
    world.next_day().await;
    let balances = world.balances().await;
    assert_eq!((balances["agency/health/payable ILS"], balances["bank/main-ils ILS"]), (-8_000, 8_000));
    let path = format!("/v1/finance/refunds/{}/pay-ins", text(&refund, "/id"));
    let listed = world.people.reconciler.client.get(&path).await.unwrap().json;
    assert_eq!(listed["data"][0]["state"], "entered", "{listed}");
    assert_eq!(world.breaks().await, []);
    transferred(&world, &refund).await;
    for day in [TODAY, TOMORROW, "2026-11-24"] {
        let proof = world.proof_of(day).await;
        assert_eq!(proof["tied"], true, "{day}: {proof:#}");
    }
    let health = world.proof_of(TOMORROW).await;
    let moved = line(&health, "agency/health")["movements"].as_array().unwrap().clone();
    assert_eq!(moved.last().unwrap()["movement"], "paid_in", "{moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agency_pays_in_without_a_reference_is_matched_by_two_people() {
    let world = World::new().await;
    let refund = failed(&world).await;
    world.transfer(ILS, "100.00", "ILS", None, "for the refund (example)").await;
    world.next_day().await;
    assert_eq!(world.breaks().await, [("unknown_credit".to_owned(), "open".to_owned())]);
    let mut conn = world.app.pool.acquire().await.unwrap();
    let item = mizan::suspense::store::page_open(&mut conn).await.unwrap().remove(0);
    drop(conn);

    let people = &world.people;
    let path = format!("/v1/finance/refunds/{}/pay-ins", text(&refund, "/id"));
    let propose = async |amount: Value| {
        let body = json!({ "item": item.id, "amount": amount });
        people.reconciler.client.post(&path, &body).await.unwrap()
    };
    let ils = |amount: &str| json!({ "amount": amount, "currency": "ILS" });
    let much = propose(ils("90.00")).await;
    assert_eq!((much.status, &much.json["code"]), (409, &json!("over_refund")), "{}", much.json);
    let portal = world.portal().post(&path, &json!({ "item": item.id })).await.unwrap();
    assert_eq!((portal.status, &portal.json["code"]), (403, &json!("forbidden_scope")));
    let proposed = propose(Value::Null).await;
    assert_eq!((proposed.status, &proposed.json["money"]), (201, &ils("80.00")), "{}", proposed.json);
    let twice = propose(Value::Null).await;
    assert_eq!((twice.status, &twice.json["code"]), (409, &json!("already_proposed")), "{}", twice.json);

    let refuse = format!("/v1/finance/pay-ins/{}/refuse", text(&proposed.json, "/id"));
    let approver = &people.approver.client;
    let own = people.reconciler.client.post(&refuse, &json!({ "note": "mine" })).await.unwrap();
    assert_eq!(
        (own.status, &own.json["code"]),
        (403, &json!("forbidden_scope")),
        "who proposes does not decide"
    );
    let silent = approver.post(&refuse, &json!({})).await.unwrap();
    assert_eq!((silent.status, &silent.json["errors"][0]["field"]), (422, &json!("/note")));
    let refused = approver.post(&refuse, &json!({ "note": "another agency's" })).await.unwrap();
    assert_eq!((refused.status, &refused.json["state"]), (200, &json!("refused")), "{}", refused.json);
    assert!(!world.balances().await.contains_key("agency/health/payable ILS"));

    let second = propose(ils("80.00")).await;
    let approve = format!("/v1/finance/pay-ins/{}/approve", text(&second.json, "/id"));
    let entered = approver.post(&approve, &json!({})).await.unwrap();
    assert_eq!((entered.status, &entered.json["state"]), (200, &json!("entered")), "{}", entered.json);
    let again = approver.post(&approve, &json!({ "note": "again" })).await.unwrap();
    assert_eq!((again.status, &again.json["code"]), (409, &json!("already_decided")), "{}", again.json);
    let balances = world.balances().await;
    assert_eq!(balances["agency/health/payable ILS"], -8_000);
    assert_eq!(balances["suspense/main-ils/credits ILS"], -2_000, "the rest still waits");
    assert_eq!(named_payee(&world, &refund).await.0, 200);
    assert_eq!(world.proof_of(TOMORROW).await["tied"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_refund_waits_for_is_not_taken_by_itself() {
    let world = World::new().await;
    let refund = failed(&world).await;
    let reference = text(&refund, "/pay_in/reference");
    world.transfer(ILS, "80.01", "ILS", Some(reference), "").await;
    world.transfer(JOD, "10.000", "JOD", Some(reference), "").await;
    world.next_day().await;
    let open = ("unknown_credit".to_owned(), "open".to_owned());
    assert_eq!(world.breaks().await, [open.clone(), open]);
    assert!(!world.balances().await.contains_key("agency/health/payable ILS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_awaits_funds_goes_on_when_its_agency_has_paid_in() {
    let world = World::new().await;
    // 30.00 by transfer, the rest on the direct channel: no single way back for the whole.
    let intent = world.certificate("CASE-1").await;
    world.transfer(ILS, "30.00", "ILS", Some(text(&intent, "/reference")), "").await;
    world.end_day(TODAY).await;
    let paid = world.pay_on("card-health", &intent, 1).await;
    assert_eq!(paid["state"], "paid", "{paid}");
    let balances = world.balances().await;
    assert_eq!(
        balances["agency/health/payable ILS"], -3_000,
        "what came by transfer is at the hub: {balances:?}"
    );
    let body = json!({
        "source": paid["id"], "reason": "EXAMPLE", "refundable": paid["refundable"],
        "payee": { "name": "A payer (example)", "iban": mizan::demo::PAYER_ACCOUNT },
    });
    let asked = world.portal().post("/v1/refunds", &body).await.unwrap();
    assert_eq!((asked.status, &asked.json["method"]), (201, &json!("transfer")), "{}", asked.json);
    let waiting = refunds::approve(&world, &asked.json).await;
    assert_eq!(waiting["stage"], "awaiting_funds", "{waiting}");
    let reference = text(&waiting, "/pay_in/reference");
    world.transfer(ILS, "50.00", "ILS", Some(reference), "").await;
    world.next_day().await;
    refunds::work(&world).await;
    let funded = refunds::staff_view(&world, &waiting).await;
    assert_eq!((&funded["stage"], &funded["pay_in"]), (&json!("approved"), &Value::Null), "{funded}");
    assert!(!world.balances().await.contains_key("agency/health/payable ILS"));
    refunds::advance(&world, 61);
    while refunds::work(&world).await > 0 {}
    world.clock.advance(jiff::SignedDuration::from_hours(24));
    world.end_day("2026-11-24").await;
    assert_eq!(refunds::staff_view(&world, &waiting).await["stage"], "succeeded");
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
    assert_eq!(world.proof_of("2026-11-24").await["tied"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_way_to_the_payer_direct_money_stays_with_its_agency() {
    let world = World::new().await;
    let refund = failed(&world).await;
    let path = format!("/v1/finance/refunds/{}/give-up", text(&refund, "/id"));
    let proposed = world.people.reconciler.client.post(&path, &json!({ "note": "EXAMPLE" })).await.unwrap();
    assert_eq!(proposed.status, 200, "{}", proposed.json);
    let path = format!("{path}/approve");
    let ended = world.people.approver.client.post(&path, &json!({})).await.unwrap();
    assert_eq!((ended.status, &ended.json["stage"]), (200, &json!("unclaimed")), "{}", ended.json);
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
    assert_eq!(world.day_proof().await["tied"], true);
}
