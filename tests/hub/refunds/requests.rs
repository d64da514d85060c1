//! Asking and deciding.

use mizan::access::Scope;
use mizan::books::{Beneficiary, Share, Stage, rules};
use mizan::fault::Fault;
use mizan::tx::Actor;
use mizan_ledger::{Currency, Money};
use serde_json::{Value, json};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_names_its_components_or_takes_all_that_is_left() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let ask = async |fields: Value, refundable: &str| {
        let mut body = json!({ "source": intent["id"], "reason": "EXAMPLE", "refundable": ils(refundable) });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        world.portal().post("/v1/refunds", &body).await.unwrap()
    };
    let urgency = json!({ "components": [{ "line": 0, "component": "urgency", "amount": ils("5.00") }] });
    let part = ask(urgency, "315.00").await;
    assert_eq!((part.status, &part.json["amount"]), (201, &ils("5.00")), "{}", part.json);

    let never = ask(json!({ "components": [{ "line": 0, "component": "lost" }] }), "310.00").await;
    assert_eq!((never.status, &never.json["errors"][0]["field"]), (422, &json!("/components/0")));
    let stale = ask(json!({ "amount": ils("1.00") }), "315.00").await;
    assert_eq!((stale.status, &stale.json["code"]), (412, &json!("refundable_mismatch")));
    assert_eq!(stale.json["refundable"], ils("310.00"));
    let over = ask(json!({ "amount": ils("310.01") }), "310.00").await;
    assert_eq!((over.status, &over.json["code"]), (409, &json!("over_refund")));
    let both = json!({ "amount": ils("1.00"), "components": [{ "line": 0, "component": "urgency" }] });
    let both = ask(both, "310.00").await;
    assert_eq!((both.status, &both.json["errors"][0]["code"]), (422, &json!("not_together")));
    let foreign = json!({ "amount": { "amount": "1.000", "currency": "JOD" } });
    assert_eq!(ask(foreign, "310.00").await.json["code"], "wrong_currency");

    let rest = ask(json!({}), "310.00").await;
    assert_eq!((rest.status, &rest.json["amount"]), (201, &ils("310.00")), "{}", rest.json);
    let nothing = ask(json!({}), "0.00").await;
    assert_eq!((nothing.status, &nothing.json["code"]), (409, &json!("over_refund")));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_time_never_reserve_more_than_was_paid() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let ask = async || {
        let mut granted = 0;
        loop {
            let left = world.find_intent(id(&intent)).await["refundable"].clone();
            let body = json!({
                "source": intent["id"], "amount": ils("40.00"), "reason": "EXAMPLE", "refundable": left,
            });
            let reply = world.portal().post("/v1/refunds", &body).await.unwrap();
            match reply.json["code"].as_str() {
                None => granted += 1,
                Some("refundable_mismatch") => {}
                Some("over_refund") => return granted,
                Some(other) => panic!("{other}: {}", reply.json),
            }
        }
    };
    let granted: i32 = futures::future::join_all((0..6).map(|_| ask())).await.into_iter().sum();
    assert_eq!(granted, 7, "315.00 holds 40.00 seven times");
    assert_eq!(world.find_intent(id(&intent)).await["refundable"], ils("35.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_one_person_finishes_a_refund() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let both = world.both(vec![Scope::RefundRequest, Scope::Approve]).await;
    let body = json!({
        "source": intent["id"], "amount": ils("10.00"), "reason": "EXAMPLE", "refundable": ils("315.00"),
    });
    let asked = both.post("/v1/finance/refunds", &body).await.unwrap();
    assert_eq!(asked.status, 201, "{}", asked.json);
    let refund = asked.json;
    let path = |act: &str| format!("/v1/finance/refunds/{}/{act}", id(&refund));
    let own = both.post(&path("approve"), &json!({})).await.unwrap();
    assert_eq!((own.status, &own.json["code"]), (403, &json!("same_person")));
    let own = both.post(&path("refuse"), &json!({ "note": "no" })).await.unwrap();
    assert_eq!((own.status, &own.json["code"]), (403, &json!("same_person")));
    let scope = world.people.reconciler.client.post(&path("approve"), &json!({})).await.unwrap();
    assert_eq!((scope.status, &scope.json["code"]), (403, &json!("forbidden_scope")));
    let portal = world.portal().post(&path("approve"), &json!({})).await.unwrap();
    assert_eq!((portal.status, &portal.json["code"]), (403, &json!("forbidden_scope")));

    // The approver's own id stands on the key of both duties too: who approved does not cancel.
    let second = requested(&world, &world.find_intent(id(&intent)).await, "20.00").await;
    let path = |act: &str| format!("/v1/finance/refunds/{}/{act}", id(&second));
    assert_eq!(both.post(&path("approve"), &json!({})).await.unwrap().status, 200);
    let again = both.post(&path("approve"), &json!({})).await.unwrap();
    assert_eq!((again.status, &again.json["code"]), (409, &json!("already_decided")));
    let own = both.post(&path("cancel"), &json!({})).await.unwrap();
    assert_eq!((own.status, &own.json["code"]), (403, &json!("same_person")));
    let canceled = world.people.approver.client.post(&path("cancel"), &json!({})).await.unwrap();
    assert_eq!((canceled.status, &canceled.json["state"]), (200, &json!("canceled")), "{}", canceled.json);
    assert_eq!(work(&world).await, 1, "its job finds nothing to send");
    let balances = world.balances().await;
    assert_eq!(balances["agency/interior/held ILS"], -31_500, "back to where it stood");
    assert!(!balances.contains_key("refunds/payable ILS"), "{balances:?}");
    assert_eq!(world.find_intent(id(&intent)).await["refundable"], ils("305.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_may_withdraw_and_an_approver_refuses_with_a_reason() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let first = requested(&world, &intent, "10.00").await;
    let gone = world.portal().post(&format!("/v1/refunds/{}/cancel", id(&first)), &json!({})).await.unwrap();
    assert_eq!((gone.status, &gone.json["state"]), (200, &json!("canceled")));
    let late = format!("/v1/finance/refunds/{}/approve", id(&first));
    let late = world.people.approver.client.post(&late, &json!({})).await.unwrap();
    assert_eq!((late.status, &late.json["code"]), (409, &json!("refund_not_approvable")));

    let second = requested(&world, &intent, "10.00").await;
    let path = format!("/v1/finance/refunds/{}/refuse", id(&second));
    let silent = world.people.approver.client.post(&path, &json!({})).await.unwrap();
    assert_eq!((silent.status, &silent.json["errors"][0]["field"]), (422, &json!("/note")));
    let refused =
        world.people.approver.client.post(&path, &json!({ "note": "served already" })).await.unwrap();
    assert_eq!((refused.status, &refused.json["stage"]), (200, &json!("refused")), "{}", refused.json);
    let view = seen_by_portal(&world, &second).await;
    assert_eq!((&view["state"], &view["failure"]["note"]), (&json!("failed"), &json!("served already")));
    assert_eq!(world.find_intent(id(&intent)).await["refundable"], ils("315.00"));

    let pending = world.get("/v1/refunds?state=pending").await.json;
    assert_eq!(pending["data"], json!([]));
    let canceled = world.get("/v1/refunds?state=canceled").await.json;
    assert_eq!(canceled["data"][0]["id"], first["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_waits_for_funds_where_the_agency_was_paid_out() {
    let world = World::new().await;
    let body = json!({
        "currency": "ILS",
        "lines": [{ "service": "interior/identity-card", "inputs": { "reason": "first" } }],
        "external_reference": "CASE-1",
    });
    let intent = world.portal().post("/v1/payment-intents", &body).await.unwrap().json;
    world.pay_by_card(&intent).await;
    pay_out(&world, 1_500).await;
    let intent = world.find_intent(id(&intent)).await;
    let refund = requested(&world, &intent, "15.00").await;
    let waiting = approve(&world, &refund).await;
    assert_eq!(waiting["stage"], "awaiting_funds", "{waiting}");
    assert_eq!(seen_by_portal(&world, &refund).await["state"], "pending");
    assert!(!world.balances().await.contains_key("refunds/payable ILS"), "no entry while it waits");
    advance(&world, 901);
    assert_eq!(work(&world).await, 1);
    assert_eq!(staff_view(&world, &refund).await["stage"], "awaiting_funds", "still nothing there");

    let more = json!({
        "currency": "ILS",
        "lines": [{ "service": "interior/identity-card", "inputs": { "reason": "lost" } }],
        "external_reference": "CASE-2",
    });
    let more = world.portal().post("/v1/payment-intents", &more).await.unwrap().json;
    world.pay_by_card(&more).await;
    advance(&world, 901);
    work(&world).await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "approved");
    assert_eq!(world.balances().await["agency/interior/payable ILS"], -6_000 + 1_500);
}

/// The agency's released money leaves for its own account.
async fn pay_out(world: &World, minor: i64) {
    let input = voucher(world, "st_example");
    let actor = Actor::hub("test");
    let paid = world.app.run(&actor, &input, move |tx, voucher| {
        Box::pin(async move {
            let agency = "interior".parse().unwrap();
            let beneficiary = Beneficiary::Agency { agency, stage: Stage::Payable };
            let amount = Money::new(minor, Currency::ILS);
            let share = Share { beneficiary, amount };
            let entry = rules::payout::payout_released(voucher.clone(), amount, &[share]).unwrap();
            tx.post_all(&[entry]).await
        })
    });
    let paid: Result<(), Fault> = paid.await;
    paid.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_back_goes_by_the_payment_that_brought_so_much() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    for (transaction, amount) in [("T-EXAMPLE-1", "80.00"), ("T-EXAMPLE-2", "135.25")] {
        let order = world.at_gateway("card", &intent).await;
        assert_eq!(world.tell("card", &order, transaction, (amount, "ILS")).await, 204);
        world.settle(1).await;
        world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    for (amount, transaction) in [("100.00", "T-EXAMPLE-2"), ("60.00", "T-EXAMPLE-1")] {
        let paid = world.find_intent(id(&intent)).await;
        let refund = requested(&world, &paid, amount).await;
        let seen = staff_view(&world, &refund).await;
        assert_eq!(seen["original_transaction"], transaction, "{seen}");
    }
}
