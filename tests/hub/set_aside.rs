//! What could not be applied, and is when its cause is gone.

use serde_json::{Value, json};

use crate::world::World;

async fn apply(world: &World, n: i64) -> (u16, Value) {
    let path = format!("/v1/finance/notices/{n}/apply");
    let reply = world.people.reconciler.client.post(&path, &json!({})).await.unwrap();
    (reply.status, reply.json)
}

/// No more than what it holds now, or without a limit, may stand on the card's receivable.
async fn ceiling(world: &World, what: &str) {
    let account =
        "select id from ledger.accounts where code = 'channel/card/receivable' and currency = 'ILS'";
    world
        .tamper(&format!("update ledger.balances set ceiling_minor = {what} where account_id = ({account})"))
        .await;
}

const WHAT_IT_HOLDS: &str = "debits_minor - credits_minor";

#[tokio::test(flavor = "multi_thread")]
async fn money_that_stood_aside_and_was_taken_back_is_not_taken_from_the_payment_that_came_after_it() {
    let world = World::new().await;
    world.pay_by_card(&world.intent("CASE-1").await).await;
    ceiling(&world, WHAT_IT_HOLDS).await;
    let intent = world.intent("CASE-2").await;
    world.pay_by_card(&intent).await;
    let seen = async || world.find_intent(intent["id"].as_str().unwrap()).await;
    let first = seen().await["attempts"][0].clone();
    assert_eq!((&seen().await["state"], &first["state"]), (&json!("requires_payment"), &json!("captured")));
    let listed = world.people.reconciler.client.get("/v1/finance/breaks?open=true").await.unwrap().json;
    let n = listed["data"][0]["detail"]["notice"].as_i64().unwrap();
    ceiling(&world, "null").await;

    // Nothing seemed to come of it, so that the payer paid again, and then had the first charge taken back.
    world.pay_by_card(&intent).await;
    let paid = seen().await;
    assert_eq!((&paid["state"], &paid["refundable"]["amount"]), (&json!("paid"), &json!("210.00")), "{paid}");
    world.control("reversals", json!({ "merchant": mizan::demo::MERCHANT, "order": first["id"] })).await;
    world.settle(1).await;
    let after = seen().await;
    assert_eq!(after["attempts"][0]["state"], "reversed", "{after}");
    assert_eq!((&after["reversed"]["amount"], &after["refundable"]), (&json!("0.00"), &paid["refundable"]));
    let body = json!({ "source": intent["id"], "amount": { "amount": "5.00", "currency": "ILS" },
        "reason": "EXAMPLE", "refundable": after["refundable"] });
    let refund = world.portal().post("/v1/refunds", &body).await.unwrap();
    assert_eq!(refund.status, 201, "{}", refund.json);

    assert_eq!(apply(&world, n).await.0, 200);
    world.settle(1).await;
    let last = seen().await;
    assert_eq!(
        (&last["reversed"]["amount"], &last["unapplied"][0]["cause"]),
        (&json!("0.00"), &json!("reversed"))
    );
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_stood_aside_is_applied_when_a_person_has_removed_the_cause() {
    let world = World::new().await;
    world.pay_by_card(&world.intent("CASE-1").await).await;
    ceiling(&world, WHAT_IT_HOLDS).await;
    let intent = world.intent("CASE-2").await;
    world.pay_by_card(&intent).await;
    let state = async || world.find_intent(intent["id"].as_str().unwrap()).await["state"].clone();
    assert_eq!(state().await, "requires_payment");
    let listed = world.people.reconciler.client.get("/v1/finance/breaks?open=true").await.unwrap().json;
    let detail = &listed["data"][0]["detail"];
    let n = detail["notice"].as_i64().unwrap();
    // Why it stands aside, in words that an officer reads.
    let why = "channel/card/receivable ILS would rise to 430.50 ILS, above its ceiling of 215.25 ILS";
    assert!(detail["why"].as_str().unwrap().contains(why), "{detail}");

    // The cause is still there: it stands aside once more.
    let (status, taken) = apply(&world, n).await;
    assert_eq!((status, &taken["notice"]), (200, &json!(n)), "{taken}");
    assert!(taken["stood_aside"].as_str().unwrap().contains("channel/card/receivable"), "{taken}");
    world.settle(0).await;
    assert_eq!(state().await, "requires_payment");
    assert_eq!(world.breaks().await, [("notice_set_aside".to_owned(), "reopened".to_owned())]);

    ceiling(&world, "null").await;
    assert_eq!(apply(&world, n).await.0, 200);
    world.settle(1).await;
    assert_eq!(state().await, "paid");
    assert_eq!(world.breaks().await, [("notice_set_aside".to_owned(), "self_resolved".to_owned())]);
    assert_eq!(world.balances().await["channel/card/receivable ILS"], 2 * 21_525);
    world.tied().await;

    let (status, refused) = apply(&world, n).await;
    assert_eq!((status, &refused["code"]), (409, &json!("already_decided")), "{refused}");
    assert_eq!(apply(&world, 999_999).await.0, 404);
    let mut operator = world.db().superuser().await;
    let audited =
        sqlx::query_scalar!(r#"select count(*) as "n!" from audit where action = 'notice.applied_again'"#);
    let audited = audited.fetch_one(&mut operator).await.unwrap();
    assert_eq!(audited, 2);
}
