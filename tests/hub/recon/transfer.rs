//! Transfers straight into our accounts, and lines that are nobody's.

use serde_json::{Value, json};

use super::{ILS, JOD};
use crate::money_modes::TOMORROW;
use crate::world::{TODAY, World};

fn pair(category: &str, state: &str) -> (String, String) {
    (category.to_owned(), state.to_owned())
}

async fn intent(world: &World, currency: &str, reference: &str) -> Value {
    let body = json!({
        "currency": currency,
        "lines": [{ "service": "health/health-certificate", "inputs": { "workers": 2 } }],
        "external_reference": reference,
    });
    let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.json);
    reply.json
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_are_found_by_their_reference_in_every_format() {
    let world = World::new().await;
    let mut intents = Vec::new();
    for (currency, account) in [("ILS", ILS), ("JOD", JOD), ("USD", "PS92SBOX000000000000000000003")] {
        let one = intent(&world, currency, currency).await;
        let amount = one["amount"]["amount"].as_str().unwrap();
        world.transfer(account, amount, currency, Some(text(&one, "reference")), "رسوم (مثال)").await;
        intents.push(one);
    }
    let summary = world.end_day(TODAY).await;
    assert_eq!((summary["told"].clone(), summary["matched"].clone()), (json!(3), json!(3)), "{summary}");
    for one in &intents {
        let paid = world.find_intent(text(one, "id")).await;
        assert_eq!((text(&paid, "state"), text(&paid, "settlement")), ("paid", "at_bank"));
        assert!(paid["receipt"]["number"].is_string());
    }
    assert_eq!(world.breaks().await, []);
    let balances = world.balances().await;
    assert!(balances.keys().all(|account| !account.contains("receivable")), "{balances:?}");
    assert_eq!(balances["bank/main-ils ILS"], 8_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_in_free_text_counts_with_the_amount_that_is_due() {
    let world = World::new().await;
    let (right, wrong) = (intent(&world, "ILS", "A").await, intent(&world, "ILS", "B").await);
    let told = format!("fees {} thank you", text(&right, "bill_number"));
    world.transfer(ILS, "80.00", "ILS", None, &told).await;
    let told = format!("fees {} thank you", text(&wrong, "bill_number"));
    world.transfer(ILS, "70.00", "ILS", None, &told).await;
    world.end_day(TODAY).await;
    assert_eq!(world.find_intent(text(&right, "id")).await["state"], "paid");
    assert_eq!(world.find_intent(text(&wrong, "id")).await["state"], "requires_payment");
    assert_eq!(world.breaks().await, [pair("unknown_credit", "open")]);
    let listed = world.finance("/v1/finance/breaks?open=true").await;
    assert_eq!(listed[0]["detail"]["may_be_bills"], json!([wrong["bill_number"]]));
    assert_eq!(world.balances().await["suspense/main-ils/credits ILS"], -7_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_paid_twice_is_posted_once() {
    let world = World::new().await;
    let one = intent(&world, "ILS", "A").await;
    for _ in 0..2 {
        world.transfer(ILS, "80.00", "ILS", Some(text(&one, "reference")), "again (example)").await;
    }
    let summary = world.end_day(TODAY).await;
    assert_eq!(summary["matched"], 2, "{summary}");
    assert_eq!(world.breaks().await, [pair("duplicate_money", "open")]);
    let balances = world.balances().await;
    assert_eq!(balances["bank/main-ils ILS"], 16_000);
    assert_eq!(balances["suspense/transfer/credits ILS"], -8_000);
    assert!(!balances.contains_key("channel/transfer/receivable ILS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_is_booked_and_waits() {
    let world = World::new().await;
    world.transfer(ILS, "12.50", "ILS", None, "a gift (example)").await;
    let charge = json!({ "account": ILS, "amount": "3.00", "currency": "ILS", "text": "charge (example)" });
    world.control("debits", charge).await;
    let summary = world.end_day(TODAY).await;
    assert_eq!(summary["to_suspense"], 2, "{summary}");
    assert_eq!(world.breaks().await, [pair("unknown_credit", "open"), pair("unknown_debit", "open")]);
    let balances = world.balances().await;
    assert_eq!(balances["bank/main-ils ILS"], 950);
    assert_eq!(balances["suspense/main-ils/credits ILS"], -1_250);
    assert_eq!(balances["suspense/main-ils/debits ILS"], 300);
}

/// The statement came first, and the notice of the same money afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_credit_in_suspense_is_explained_by_later_news() {
    use mizan::inbox::{Meaning, NewNotice, Source, door};

    let world = World::new().await;
    let one = intent(&world, "ILS", "A").await;
    world.transfer(ILS, "80.00", "ILS", None, "no reference (example)").await;
    world.end_day(TODAY).await;
    let listed = world.finance("/v1/finance/breaks?open=true").await;
    let notice = NewNotice {
        channel: "transfer".to_owned(),
        transaction: "told-1".to_owned(),
        status: "BOOKED".to_owned(),
        meaning: Meaning::Money,
        source: Source::Report,
        reference: Some(text(&one, "bill_number").to_owned()),
        money: mizan_ledger::Money::new(8_000, mizan_ledger::Currency::ILS),
        original_transaction: None,
        reason: None,
        money_key: text(&listed[0], "subject").to_owned(),
        occurred_at: world.app.clock.now(),
        raw: Vec::new(),
        headers: json!({}),
    };
    door::take(&world.app, notice).await.unwrap();
    world.settle(1).await;
    let summary = world.reconcile().await;
    assert_eq!(summary["explained"], 1, "{summary}");
    assert_eq!(world.breaks().await, [pair("unknown_credit", "self_resolved")]);
    let paid = world.find_intent(text(&one, "id")).await;
    assert_eq!((text(&paid, "state"), text(&paid, "settlement")), ("paid", "at_bank"));
    let balances = world.balances().await;
    assert!(!balances.contains_key("suspense/main-ils/credits ILS"), "{balances:?}");
    assert!(!balances.contains_key("channel/transfer/receivable ILS"), "{balances:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_leaves_a_job_that_matches() {
    let world = World::new().await;
    let one = intent(&world, "ILS", "A").await;
    world.transfer(ILS, "80.00", "ILS", Some(text(&one, "reference")), "").await;
    let files = world.close_day(TODAY).await;
    world.import_all(&files).await;
    let work = mizan::recon::jobs::WORK;
    while mizan::queue::worker::work_once(&world.app, &work).await.unwrap() > 0 {}
    assert_eq!(world.find_intent(text(&one, "id")).await["state"], "paid");
}

/// A line that the book refuses as what it is holds up no other: it is money that nobody knows, and says why.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_cannot_be_booked_does_not_stop_the_others() {
    let world = World::new().await;
    world.card_payment("CASE-1", 1).await;
    let paid = intent(&world, "ILS", "A").await;
    world.transfer(ILS, "80.00", "ILS", Some(text(&paid, "reference")), "fees (example)").await;
    let mut operator = world.db().superuser().await;
    let closed = sqlx::raw_sql(
        "update ledger.accounts set closed_at = now() where code = 'channel/card/costs_payable'",
    );
    closed.execute(&mut operator).await.unwrap();

    let summary = world.end_day(TODAY).await;
    assert_eq!((&summary["matched"], &summary["to_suspense"]), (&json!(1), &json!(1)), "{summary}");
    assert_eq!(world.find_intent(text(&paid, "id")).await["state"], "paid");
    assert!(world.breaks().await.contains(&pair("unknown_credit", "open")));
    let listed = world.finance("/v1/finance/breaks?open=true").await;
    let listed = listed.as_array().unwrap();
    let unknown = listed.iter().find(|one| one["category"] == "unknown_credit").unwrap();
    let why = unknown["detail"]["why"].as_str().unwrap();
    assert!(why.contains("could not be booked") && why.contains("costs_payable"), "{listed:?}");
}

/// A line that the book takes in no way waits with one break, and everything behind it goes on: other lines, settlements,
/// and what is overdue.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_cannot_go_to_suspense_either_waits_and_stops_nothing() {
    let world = World::new().await;
    world.transfer(ILS, "5.00", "ILS", None, "first (example)").await;
    world.end_day(TODAY).await;
    let suspense = |closed: &str| {
        format!("update ledger.accounts set closed_at = {closed} where code = 'suspense/main-ils/credits'")
    };
    world.tamper(&suspense("now()")).await;
    world.next_morning("2026-11-23T08:00:00Z").await;
    world.transfer(ILS, "7.00", "ILS", None, "second (example)").await;
    let forgotten = world.card_payment("CASE-1", 1).await;
    world.card_payment("CASE-2", 1).await;
    let order = text(&forgotten["attempts"][0], "id");
    world.control("faults", json!({ "drop_from_settlement": [order] })).await;

    let summary = world.end_day(TOMORROW).await;
    assert_eq!((&summary["matched"], &summary["waiting"]), (&json!(1), &json!(1)), "{summary}");
    assert_eq!(summary["overdue"], 1, "{summary}");
    let aside = [pair("cut_off", "open"), pair("line_set_aside", "open"), pair("unknown_credit", "open")];
    assert_eq!(world.breaks().await, aside);
    let listed = world.finance("/v1/finance/breaks?category=line_set_aside").await;
    assert_eq!(listed[0]["money"], json!({ "amount": "7.00", "currency": "ILS" }), "{listed}");
    let why = text(&listed[0]["detail"], "why");
    assert!(why.contains("does not take it") && why.contains("suspense/main-ils/credits"), "{why}");
    assert_eq!(world.proof_of(TOMORROW).await["tied"], false, "a line is not entered");
    world.reconcile().await;
    assert_eq!(world.breaks().await, aside, "one break, whatever reruns");

    world.tamper(&suspense("null")).await;
    assert_eq!(world.reconcile().await["to_suspense"], 1);
    let gone = [pair("cut_off", "open"), pair("line_set_aside", "self_resolved")];
    assert_eq!(world.breaks().await[..2], gone);
    assert_eq!(world.balances().await["suspense/main-ils/credits ILS"], -1_200);
    assert_eq!(world.proof_of(TOMORROW).await["tied"], true);
}
