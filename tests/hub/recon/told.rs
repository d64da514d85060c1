//! What channels say they settled: once, again, otherwise, and what cannot be booked of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mizan::recon::service::{Told, told};
use mizan::tx::Actor;
use mizan_adapters::channel::{Settlement, SettlementItem, SettlementKind};
use mizan_ledger::{Currency, Money};
use serde_json::{Value, json};

use super::ILS;
use super::days_off::taken;
use super::written::statement;
use crate::world::{TODAY, World};

/// Of one payment, of which the channel keeps something.
fn settlement(reference: &str, transaction: &str, gross: Money, cost: Money) -> Settlement {
    let item = SettlementItem {
        transaction: transaction.to_owned(),
        reference: format!("order of {transaction}"),
        kind: SettlementKind::Payment,
        gross,
        cost,
    };
    Settlement {
        reference: reference.to_owned(),
        currency: gross.currency(),
        gross,
        refunds: Money::zero(gross.currency()),
        costs: cost,
        net: gross.checked_sub(cost).unwrap(),
        items: vec![item],
    }
}

fn ils(minor: i64) -> Money {
    Money::new(minor, Currency::ILS)
}

/// The card gateway tells of one of its days; answers how many settlements are new.
async fn tells(world: &World, day: &str, settlements: &[Settlement]) -> usize {
    let wanted = format!(
        "insert into settlement_reports (channel, day, state) values ('card', '{day}', 'wanted')
         on conflict (channel, day) do update set state = 'wanted'"
    );
    world.tamper(&wanted).await;
    let report =
        Told { channel: "card".to_owned(), day: day.parse().unwrap(), settlements: settlements.to_vec() };
    let actor = Actor::hub("recon");
    world.app.run(&actor, &report, |tx, report| Box::pin(told(tx, report))).await.unwrap()
}

/// The gateway's transactions of what was paid by card, and which its own settlements leave out.
async fn paid_by_card(world: &World, cases: &[&str]) -> Vec<String> {
    let mut orders = Vec::new();
    for case in cases {
        orders.push(world.card_payment(case, 1).await["attempts"][0]["id"].clone());
    }
    world.control("faults", json!({ "drop_from_settlement": orders })).await;
    let mut operator = world.db().superuser().await;
    sqlx::query_scalar!(
        r#"select transaction as "transaction!" from expectations where channel = 'card' order by id"#
    )
    .fetch_all(&mut operator)
    .await
    .unwrap()
}

async fn open_breaks(world: &World, category: &str) -> Vec<Value> {
    let listed = world.finance(&format!("/v1/finance/breaks?open=true&category={category}")).await;
    listed.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_told_again_adds_nothing_and_told_otherwise_is_a_break() {
    let world = World::new().await;
    let first = settlement("DAY-1", "T-1", ils(10_000), ils(100));
    let told = std::slice::from_ref(&first);
    assert_eq!(tells(&world, "2026-11-20", told).await, 1);
    assert_eq!(tells(&world, "2026-11-21", told).await, 0, "the same again");
    assert_eq!(world.breaks().await, []);

    let dollars = Money::new(10_000, Currency::USD);
    let other = settlement("DAY-1", "T-2", dollars, Money::new(100, Currency::USD));
    assert_eq!(tells(&world, "2026-11-21", &[other, first]).await, 1, "an id stands for each currency");
    assert_eq!(world.breaks().await, []);

    // The same sums of another payment, and other sums of the same payment.
    for (told, net) in [
        (settlement("DAY-1", "T-9", ils(10_000), ils(100)), "99.00"),
        (settlement("DAY-1", "T-1", ils(9_000), ils(100)), "89.00"),
    ] {
        assert_eq!(tells(&world, TODAY, &[told]).await, 0);
        let breaks = open_breaks(&world, "altered").await;
        assert_eq!(breaks.len(), 1, "{breaks:?}");
        assert_eq!(breaks[0]["money"], json!({ "amount": net, "currency": "ILS" }), "{breaks:?}");
        assert_eq!(breaks[0]["detail"]["first"]["net"]["amount"], "99.00", "{breaks:?}");
        assert_eq!(breaks[0]["channel"], "card");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_with_an_id_of_one_digit_is_found_by_its_whole_amount() {
    let world = World::new().await;
    let transactions = paid_by_card(&world, &["CASE-1"]).await;
    tells(&world, TODAY, &[settlement("7", &transactions[0], ils(21_525), ils(362))]).await;
    world.transfer(ILS, "7.00", "ILS", None, "FOR 7 COPIES (example)").await;
    world.transfer(ILS, "211.63", "ILS", None, "SETTLEMENT 7 MERCHANT mizan").await;
    let summary = world.end_day(TODAY).await;
    assert_eq!((&summary["matched"], &summary["to_suspense"]), (&json!(1), &json!(1)), "{summary}");
    let balances = world.balances().await;
    assert!(!balances.contains_key("channel/card/receivable ILS"), "{balances:?}");
    assert_eq!(balances["suspense/main-ils/credits ILS"], -700);
}

/// The channel keeps the whole of each: no bank line will ever show them.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_cannot_be_booked_holds_up_no_other() {
    let world = World::new().await;
    let transactions = paid_by_card(&world, &["CASE-1", "CASE-2"]).await;
    let silent: Vec<Settlement> = ["BAD-1", "GOOD-1"]
        .iter()
        .zip(&transactions)
        .map(|(name, transaction)| settlement(name, transaction, ils(21_525), ils(21_525)))
        .collect();
    let fault =
        "create function fault() returns trigger language plpgsql as $$ begin raise 'a fault'; end $$;
        create trigger fault before update on settlements for each row when (new.reference = 'BAD-1')
        execute function fault()";
    let mut operator = world.db().superuser().await;
    sqlx::raw_sql(fault).execute(&mut operator).await.unwrap();
    tells(&world, TODAY, &silent).await;
    assert_eq!(world.reconcile().await["matched"], 1);
    assert_eq!(world.balances().await["channel/card/receivable ILS"], 21_525);
    let aside = open_breaks(&world, "settlement_set_aside").await;
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(aside[0]["detail"]["settlement"], "BAD-1", "{aside:?}");
    assert!(aside[0]["detail"]["why"].as_str().unwrap().contains("a fault"), "{aside:?}");

    sqlx::raw_sql("drop trigger fault on settlements").execute(&mut operator).await.unwrap();
    assert_eq!(world.reconcile().await["matched"], 1);
    assert!(!world.balances().await.contains_key("channel/card/receivable ILS"));
    assert_eq!(open_breaks(&world, "settlement_set_aside").await, Vec::<Value>::new());
}

/// Each asking may take the whole time that a channel is given, and the banks wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_does_not_answer_is_asked_once_in_a_run() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let silent = axum::Router::new().fallback(move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { axum::http::StatusCode::BAD_GATEWAY }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the test's own gateway")]
    tokio::spawn(async move { axum::serve(listener, silent).await });
    let world = World::configured(|config| {
        let card = config.channels.get_mut("card").and_then(|card| card.gateway.as_mut()).unwrap();
        card.endpoint.base_url = format!("http://{address}");
        config.channels.remove("card-health");
    })
    .await;
    taken(&world, &statement("WED", "2026-11-18", ["0.00", "0.00"], &[])).await;
    asked.store(0, Ordering::SeqCst);
    world.next_morning("2026-11-22T20:30:00Z").await;
    taken(&world, &statement("SUN", TODAY, ["0.00", "0.00"], &[])).await;
    let before = asked.load(Ordering::SeqCst);
    world.reconcile().await;
    assert_eq!(asked.load(Ordering::SeqCst) - before, 1, "four days are wanted");
}
