//! Money and chargebacks that are told in another order, twice, or of other money than they name.

use mizan::inbox::Source;
use serde_json::{Value, json};

use super::chargebacks::{said, told};
use super::reversed::{asked_for, step, taken_back};
use super::*;
use crate::money_modes::text;

const NOBODYS: (Source, &str) = (Source::Callback, "ORDER-OF-NOBODY");
const OF_FIRST: (&str, Option<&str>) = ("CB-EXAMPLE-1", Some("T-EXAMPLE-1"));

async fn captured(world: &World, order: &str, transaction: &str) {
    assert_eq!(world.tell("card", order, transaction, ("215.25", "ILS")).await, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chargeback_that_names_the_money_alone_counts_before_it_beside_it_and_after_it() {
    for (place, paid) in [("before", false), ("just before", false), ("just after", true), ("after", true)] {
        let world = World::new().await;
        let intent = world.intent("CASE-1").await;
        let order = world.at_gateway("card", &intent).await;
        match place {
            "before" => {
                told(&world, NOBODYS, OF_FIRST, 21_525).await;
                captured(&world, &order, "T-EXAMPLE-1").await;
            }
            "just before" => {
                said(&world, NOBODYS, OF_FIRST, 21_525).await;
                captured(&world, &order, "T-EXAMPLE-1").await;
            }
            "just after" => {
                captured(&world, &order, "T-EXAMPLE-1").await;
                said(&world, NOBODYS, OF_FIRST, 21_525).await;
            }
            _ => {
                captured(&world, &order, "T-EXAMPLE-1").await;
                world.settle(1).await;
                said(&world, NOBODYS, OF_FIRST, 21_525).await;
            }
        }
        world.settle(1).await;
        let seen = world.find_intent(id(&intent)).await;
        let (state, reversed) =
            if paid { ("paid", ils("215.25")) } else { ("requires_payment", ils("0.00")) };
        assert_eq!((text(&seen, "/state"), &seen["reversed"]), (state, &reversed), "{place}: {seen}");
        assert_eq!(text(&seen, "/attempts/0/state"), "reversed", "{place}");
        assert_eq!(world.proposed().await, [], "{place}");
        let source = if paid { &seen["id"] } else { &seen["unapplied"][0]["id"] };
        let refused = asked_for(&world, source, &ils("210.00")).await;
        assert_eq!(refused["body"]["code"], "payment_reversed", "{place}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_order_captured_twice_the_chargeback_takes_the_money_that_it_names() {
    for names in [("T-EXAMPLE-2", None), ("CB-EXAMPLE-1", Some("T-EXAMPLE-2"))] {
        let world = World::new().await;
        let intent = world.intent("CASE-1").await;
        let order = world.at_gateway("card", &intent).await;
        for transaction in ["T-EXAMPLE-1", "T-EXAMPLE-2"] {
            captured(&world, &order, transaction).await;
            world.settle(1).await;
        }
        assert_eq!(world.proposed().await.len(), 1, "the second goes back");
        told(&world, (Source::Callback, &order), names, 21_525).await;
        let seen = world.find_intent(id(&intent)).await;
        assert_eq!((&seen["reversed"], &seen["refundable"]), (&ils("0.00"), &ils("210.00")), "{seen}");
        assert_eq!(text(&seen, "/attempts/0/state"), "captured");
        let waiting = world.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
        assert_eq!(step(&world, &waiting["data"][0], "approve").await, taken_back());
        let asked = asked_for(&world, &seen["id"], &ils("210.00")).await;
        assert_eq!(asked["status"], 201, "the first stands: {asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_money_that_nobody_knows_what_its_chargebacks_left_can_be_given_back() {
    let world = World::new().await;
    captured(&world, "ORDER-OF-NOBODY", "T-EXAMPLE-1").await;
    world.settle(1).await;
    told(&world, NOBODYS, OF_FIRST, 1_500).await;
    told(&world, NOBODYS, ("CB-EXAMPLE-2", Some("T-EXAMPLE-1")), 20_000).await;
    let breaks =
        world.people.reconciler.client.get("/v1/finance/breaks?category=reversed").await.unwrap().json;
    assert_eq!(breaks["data"][0]["money"], ils("215.00"), "both: {breaks}");
    let mut conn = world.app.pool.acquire().await.unwrap();
    let item = mizan::suspense::store::page_open(&mut conn).await.unwrap().remove(0);
    let ask = async |refundable: &str| {
        let body = json!({ "source": item.id, "reason": "EXAMPLE", "refundable": ils(refundable) });
        world.people.reconciler.client.post("/v1/finance/refunds", &body).await.unwrap()
    };
    let stale = ask("215.25").await;
    assert_eq!((stale.status, &stale.json["refundable"]), (412, &ils("0.25")), "{}", stale.json);
    let asked = ask("0.25").await;
    assert_eq!((asked.status, &asked.json["amount"]), (201, &ils("0.25")), "{}", asked.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn known_money_told_of_another_bill_or_amount_is_altered_and_captures_nothing() {
    for at_once in [false, true] {
        let world = World::new().await;
        let (one, other) = (world.intent("CASE-1").await, world.intent("CASE-2").await);
        let order = world.at_gateway("card", &one).await;
        let others = world.at_gateway("card", &other).await;
        world.told("card", &order, "T-EXAMPLE-1", "SETTLED", 21_525).await;
        if !at_once {
            world.settle(1).await;
        }
        captured(&world, &others, "T-EXAMPLE-1").await;
        assert_eq!(world.tell("card", &order, "T-EXAMPLE-1", ("215.26", "ILS")).await, 204);
        world.settle(2).await;
        assert_eq!(world.find_intent(id(&one)).await["state"], "paid");
        let waits: Value = world.find_intent(id(&other)).await;
        assert_eq!((text(&waits, "/state"), text(&waits, "/attempts/0/state")), ("processing", "redirected"));
        assert_eq!(world.breaks().await, [("altered".to_owned(), "open".to_owned())]);
    }
}
