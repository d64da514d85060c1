//! What a card gateway pays in one sum, against the payments it was told of.

use serde_json::json;

use crate::world::{TODAY, World};

const TOMORROW: &str = "2026-11-23";

fn pair(category: &str, state: &str) -> (String, String) {
    (category.to_owned(), state.to_owned())
}

/// The gateway's name of a payment.
fn order(intent: &serde_json::Value) -> String {
    intent["attempts"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_cards_is_found_in_one_sum() {
    let world = World::new().await;
    let first = world.card_payment("CASE-1", 1).await;
    world.card_payment("CASE-2", 1).await;
    let summary = world.end_day(TODAY).await;
    assert_eq!(
        (summary["settlements"].clone(), summary["matched"].clone()),
        (json!(1), json!(1)),
        "{summary}"
    );
    assert_eq!(summary["waiting"], 0);
    // Each 215.25 costs 215.25 x 0.0145 + 0.50 = 3.621, rounded half up.
    let balances = world.balances().await;
    assert_eq!(balances["bank/main-ils ILS"], 43_050 - 2 * 362);
    assert!(!balances.contains_key("channel/card/receivable ILS"), "{balances:?}");
    assert!(!balances.contains_key("channel/card/costs_payable ILS"), "{balances:?}");
    assert_eq!(world.breaks().await, []);
    let seen = world.find_intent(first["id"].as_str().unwrap()).await;
    assert_eq!(seen["settlement"], "at_bank");
    // Again, and nothing moves.
    let again = world.reconcile().await;
    assert_eq!((again["matched"].clone(), again["settlements"].clone()), (json!(0), json!(0)));
    assert_eq!(world.balances().await, balances);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_callback_is_found_in_the_settlement() {
    let world = World::new().await;
    world.control("faults", json!({ "callback": "lost" })).await;
    let intent = world.card_payment("CASE-1", 0).await;
    assert_eq!(intent["state"], "processing");
    let summary = world.end_day(TODAY).await;
    assert_eq!((summary["told"].clone(), summary["matched"].clone()), (json!(1), json!(1)), "{summary}");
    let paid = world.find_intent(intent["id"].as_str().unwrap()).await;
    assert_eq!((paid["state"].as_str(), paid["settlement"].as_str()), (Some("paid"), Some("at_bank")));
    assert_eq!(world.breaks().await, [pair("missing_in_hub", "self_resolved")]);
    assert!(!world.balances().await.contains_key("channel/card/receivable ILS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cost_beside_the_contract_is_the_hubs_and_a_break() {
    let world = World::new().await;
    world.card_payment("CASE-1", 1).await;
    world.control("faults", json!({ "settlement_cost": "1.00" })).await;
    world.end_day(TODAY).await;
    let balances = world.balances().await;
    assert_eq!(balances["bank/main-ils ILS"], 21_525 - 462);
    assert_eq!(balances["hub/costs/card ILS"], 462);
    assert!(!balances.contains_key("channel/card/costs_payable ILS"), "{balances:?}");
    assert_eq!(world.breaks().await, [pair("cost_variance", "open")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_settled_a_day_late_is_a_cut_off_until_it_comes() {
    let world = World::new().await;
    let late = world.card_payment("CASE-1", 1).await;
    world.card_payment("CASE-2", 1).await;
    world.control("faults", json!({ "settle_next_day": [order(&late)] })).await;
    let summary = world.end_day(TODAY).await;
    assert_eq!(summary["overdue"], 1, "{summary}");
    assert_eq!(world.breaks().await, [pair("cut_off", "open")]);
    assert_eq!(world.balances().await["channel/card/receivable ILS"], 21_525);
    world.next_morning("2026-11-23T08:00:00Z").await;
    world.end_day(TOMORROW).await;
    assert_eq!(world.breaks().await, [pair("cut_off", "self_resolved")]);
    assert!(!world.balances().await.contains_key("channel/card/receivable ILS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_the_gateway_forgets_stays_owed() {
    let world = World::new().await;
    let forgotten = world.card_payment("CASE-1", 1).await;
    world.control("faults", json!({ "drop_from_settlement": [order(&forgotten)] })).await;
    world.end_day(TODAY).await;
    assert_eq!(world.breaks().await, [pair("cut_off", "open")]);
    world.next_morning("2026-11-23T08:00:00Z").await;
    world.end_day(TOMORROW).await;
    let breaks = [pair("cut_off", "self_resolved"), pair("missing_at_bank", "open")];
    assert_eq!(world.breaks().await, breaks);
    assert_eq!(world.balances().await["channel/card/receivable ILS"], 21_525);
    let seen = world.find_intent(forgotten["id"].as_str().unwrap()).await;
    assert_eq!(seen["settlement"], "in_transit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sum_that_is_not_the_settlements_is_split() {
    for (added, category, bank, receivable, suspense) in [
        ("2.00", "amount_over", 21_363, None, Some(-200)),
        ("-2.00", "amount_under", 20_963, Some(200), None),
    ] {
        let world = World::new().await;
        world.card_payment("CASE-1", 1).await;
        let account = super::ILS;
        world.control("faults", json!({ "statement_amount": added, "statement_account": account })).await;
        world.end_day(TODAY).await;
        let balances = world.balances().await;
        assert_eq!(balances["bank/main-ils ILS"], bank, "{added}");
        assert_eq!(balances.get("channel/card/receivable ILS").copied(), receivable, "{added}");
        assert_eq!(balances.get("suspense/card/credits ILS").copied(), suspense, "{added}");
        assert_eq!(world.breaks().await, [pair(category, "open")], "{added}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_the_gateway_takes_back_is_owed_until_somebody_decides() {
    let world = World::new().await;
    let first = world.card_payment("CASE-1", 1).await;
    world.end_day(TODAY).await;
    world.next_morning("2026-11-23T08:00:00Z").await;
    world.card_payment("CASE-2", 1).await;
    world.control("reversals", json!({ "merchant": "mizan", "order": order(&first) })).await;
    world.settle(1).await;
    world.end_day(TOMORROW).await;
    assert_eq!(world.breaks().await, [pair("reversed", "open")]);
    let balances = world.balances().await;
    assert_eq!(balances["channel/card/receivable ILS"], 21_525);
    assert_eq!(balances["bank/main-ils ILS"], 21_525 - 2 * 362);
}

/// A payment and its reversal on one day: the gateway keeps its costs.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_below_zero_is_a_debit() {
    let world = World::new().await;
    let first = world.card_payment("CASE-1", 1).await;
    world.control("reversals", json!({ "merchant": "mizan", "order": order(&first) })).await;
    world.settle(1).await;
    let summary = world.end_day(TODAY).await;
    assert_eq!(summary["matched"], 1, "{summary}");
    let balances = world.balances().await;
    assert_eq!(balances["bank/main-ils ILS"], -362);
    assert_eq!(balances["channel/card/receivable ILS"], 21_525);
    assert!(!balances.contains_key("channel/card/costs_payable ILS"));
}

/// The same, and the gateway does not tell on the evening on which the bank shows that it took money.
#[tokio::test(flavor = "multi_thread")]
async fn a_debit_that_came_before_its_channel_told_is_explained_when_it_tells() {
    let world = World::new().await;
    let first = world.card_payment("CASE-1", 1).await;
    world.control("reversals", json!({ "merchant": "mizan", "order": order(&first) })).await;
    world.settle(1).await;
    world.control("faults", json!({ "queries": "error_500" })).await;
    world.end_day(TODAY).await;
    assert_eq!(world.balances().await["suspense/main-ils/debits ILS"], 362);
    assert!(world.breaks().await.contains(&pair("unknown_debit", "open")));
    let before = world.proof_of(TODAY).await;

    world.control("faults", json!({})).await;
    let summary = world.reconcile().await;
    assert_eq!((&summary["settlements"], &summary["matched"]), (&json!(1), &json!(1)), "{summary}");
    let balances = world.balances().await;
    assert_eq!(balances["bank/main-ils ILS"], -362, "the bank moved once: {balances:?}");
    assert_eq!(balances["channel/card/receivable ILS"], 21_525);
    for gone in ["suspense/main-ils/debits ILS", "channel/card/costs_payable ILS"] {
        assert!(!balances.contains_key(gone), "{gone}: {balances:?}");
    }
    assert!(world.breaks().await.contains(&pair("unknown_debit", "self_resolved")));
    let (suspense, after) = ("suspense", world.proof_of(TODAY).await);
    assert_eq!(after[suspense], before[suspense]);
    let differs = |one: &&serde_json::Value| one["difference"] != "0.00" && !one["difference"].is_null();
    let lines = after["accounts"].as_array().unwrap();
    assert_eq!(
        lines.iter().filter(differs).collect::<Vec<_>>(),
        Vec::<&serde_json::Value>::new(),
        "{after:#}"
    );
    world.reconcile().await;
    assert_eq!(world.balances().await, balances, "and nothing moves");
}

/// Paid and given back in part on one day: one sum, and the refund has succeeded.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_kept_back_by_the_gateway_has_succeeded() {
    use crate::refunds::{approve, paid_passport, requested, seen_by_portal, staff_view, work};

    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let refund = requested(&world, &intent, "63.00").await;
    approve(&world, &refund).await;
    while work(&world).await > 0 {}
    assert_eq!(staff_view(&world, &refund).await["stage"], "submitted");
    let summary = world.end_day(TODAY).await;
    assert_eq!(summary["matched"], 1, "{summary}");
    assert_eq!(seen_by_portal(&world, &refund).await["state"], "succeeded");
    assert_eq!(world.breaks().await, []);
    let balances = world.balances().await;
    // 425.38 x 0.0145 + 0.50 = 6.668, rounded half up.
    assert_eq!(balances["bank/main-ils ILS"], 42_538 - 6_300 - 667);
    for account in ["channel/card/receivable ILS", "refunds/in_flight ILS", "channel/card/costs_payable ILS"]
    {
        assert!(!balances.contains_key(account), "{account}: {balances:?}");
    }
    let after = world.find_intent(intent["id"].as_str().unwrap()).await;
    assert_eq!(after["refunded"]["amount"], "63.00");
}

/// The gateway does not answer on the evening on which the bank shows its sum: the line is booked as unknown. When it
/// tells, both breaks are over and nothing waits in suspense.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_came_before_its_channel_told_is_explained_when_it_tells() {
    let world = World::new().await;
    let first = world.card_payment("CASE-1", 1).await;
    world.card_payment("CASE-2", 1).await;
    world.control("faults", json!({ "queries": "error_500" })).await;
    world.end_day(TODAY).await;
    let balances = world.balances().await;
    assert_eq!(balances["suspense/main-ils/credits ILS"], -(43_050 - 2 * 362), "{balances:?}");
    assert_eq!(balances["channel/card/receivable ILS"], 43_050);
    assert!(world.breaks().await.contains(&pair("unknown_credit", "open")));
    world.tied().await;

    world.control("faults", json!({})).await;
    let summary = world.reconcile().await;
    assert_eq!(
        (summary["settlements"].clone(), summary["matched"].clone()),
        (json!(1), json!(1)),
        "{summary}"
    );
    let balances = world.balances().await;
    assert_eq!(balances["bank/main-ils ILS"], 43_050 - 2 * 362, "the bank moved once: {balances:?}");
    for gone in
        ["suspense/main-ils/credits ILS", "channel/card/receivable ILS", "channel/card/costs_payable ILS"]
    {
        assert!(!balances.contains_key(gone), "{gone}: {balances:?}");
    }
    let breaks = world.breaks().await;
    assert!(breaks.iter().all(|(_, state)| state == "self_resolved"), "{breaks:?}");
    let seen = world.find_intent(first["id"].as_str().unwrap()).await;
    assert_eq!(seen["settlement"], "at_bank");
    world.tied().await;
    // Again, and nothing moves.
    world.reconcile().await;
    assert_eq!(world.balances().await, balances);
}

/// The same, and the gateway tells of a payment too that nobody knew.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_came_first_is_explained_also_when_a_payment_in_it_was_not_told() {
    let world = World::new().await;
    world.card_payment("CASE-1", 1).await;
    world.control("faults", json!({ "callback": "lost", "queries": "error_500" })).await;
    let lost = world.card_payment("CASE-2", 0).await;
    world.end_day(TODAY).await;
    world.control("faults", json!({})).await;
    world.reconcile().await;
    let paid = world.find_intent(lost["id"].as_str().unwrap()).await;
    assert_eq!((paid["state"].as_str(), paid["settlement"].as_str()), (Some("paid"), Some("at_bank")));
    let balances = world.balances().await;
    assert!(!balances.keys().any(|account| account.starts_with("suspense/")), "{balances:?}");
    let breaks = world.breaks().await;
    assert!(breaks.iter().all(|(_, state)| state == "self_resolved"), "{breaks:?}");
    world.tied().await;
}
