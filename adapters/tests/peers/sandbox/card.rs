//! Payments by card: the same fact by notice, query, report and statement.

use mizan_adapters::channel::{
    Collection, Meaning, OrderState, RefundOrder, RefundState, Refusal, SettlementKind, Verdict,
};
use mizan_adapters::gateway::ContractCost;
use mizan_adapters::outcome::Outcome;
use mizan_ledger::{Currency, Money, Rounding};
use serde_json::json;

use super::{DAY, World, day, jod};

#[tokio::test]
async fn a_payment_and_its_refund_are_the_same_fact_by_notice_query_report_and_statement() {
    let mut world = World::start().await;
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::NotKnown));
    let started = world.open("at-1", 120_500).await;
    assert_eq!(world.open("at-1", 120_500).await, started, "the same collection again is the same page");
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::Open));
    let other_money = world.card.collect.as_ref().expect("collects").start(world.collection("at-1", 1)).await;
    assert!(matches!(other_money, Outcome::Rejected { code, .. } if code == "order_exists"));

    let page =
        world.client.get(&started.page_url).send().await.expect("an answer").text().await.expect("text");
    assert!(page.contains("120.500") && page.contains("at-1"));
    world.choose(&started, "outcome=approve").await;
    let paid = world.notice().await;
    assert_eq!(
        (paid.meaning, paid.reference.as_str(), paid.money),
        (Meaning::Captured, "at-1", jod(120_500))
    );
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::Decided(paid.clone())));

    let order =
        RefundOrder { refund: "rf-1".to_owned(), transaction: paid.transaction.clone(), money: jod(20_000) };
    let refund = world.card.refund.clone().expect("a gateway refunds");
    let taken = refund.refund(order.clone()).await.accepted().expect("taken");
    assert_eq!(refund.refund(order.clone()).await, Outcome::Accepted(taken.clone()), "the same refund again");
    let other = refund.refund(RefundOrder { money: jod(1), ..order.clone() }).await;
    assert!(matches!(other, Outcome::Unknown { .. }), "a refund of that name exists: {other:?}");
    for (order, refused) in [
        (RefundOrder { refund: "rf-2".to_owned(), money: jod(100_501), ..order.clone() }, "exceeds_captured"),
        (
            RefundOrder { refund: "rf-3".to_owned(), transaction: "T0".to_owned(), ..order.clone() },
            "unknown_transaction",
        ),
        (
            RefundOrder { refund: "rf-4".to_owned(), money: Money::new(1, Currency::ILS), ..order },
            "currency_mismatch",
        ),
    ] {
        let outcome = refund.refund(order).await;
        assert!(matches!(&outcome, Outcome::Rejected { code, .. } if code == refused), "{outcome:?}");
    }

    world.control("day", json!({"close": DAY})).await;
    let refunded = world.notice().await;
    assert_eq!((refunded.meaning, refunded.reference.as_str()), (Meaning::Refunded, "rf-1"));
    assert_eq!(refunded.original_transaction.as_deref(), Some(paid.transaction.as_str()));
    assert_eq!((refunded.transaction.as_str(), refunded.money), (taken.transaction.as_str(), jod(20_000)));
    let query = world.card.query.clone().expect("a gateway answers");
    let transaction = taken.transaction;
    let state = query.refund("rf-1".to_owned()).await;
    assert_eq!(state, Outcome::Accepted(RefundState::Refunded { transaction }));
    assert_eq!(query.refund("rf-9".to_owned()).await, Outcome::Accepted(RefundState::NotKnown));

    the_report_ties_to_contract_and_statement(&world).await;
}

async fn the_report_ties_to_contract_and_statement(world: &World) {
    let reports = world.card.settlements.as_ref().expect("a gateway reports").settlements(day()).await;
    let reports = reports.accepted().flatten().expect("a report");
    let [settlement] = reports.as_slice() else { panic!("{reports:?}") };
    let kinds: Vec<_> =
        settlement.items.iter().map(|item| (item.kind, item.reference.as_str(), item.gross)).collect();
    assert_eq!(
        kinds,
        [(SettlementKind::Payment, "at-1", jod(120_500)), (SettlementKind::Refund, "rf-1", jod(20_000))]
    );
    let contract =
        ContractCost { rate: "0.015".parse().expect("a rate"), fixed_minor: 50, rounding: Rounding::HalfUp };
    let expected = contract.of(jod(120_500)).expect("in range");
    assert_eq!((settlement.items[0].cost, settlement.costs), (expected, expected));
    let nets = settlement.items.iter().map(|item| item.net().expect("in range"));
    assert_eq!(Money::sum(Currency::JOD, nets), Ok(settlement.net));
    let (statement, lines) = world.statement().await.expect("the day is closed");
    assert_eq!(statement.closes(), Some(true));
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line.amount, settlement.net);
    assert!(format!("{line:?}").contains(&settlement.reference), "the bank line names the settlement");
}

#[tokio::test]
async fn a_decline_is_a_fact_with_a_reason() {
    let mut world = World::start().await;
    let started = world.open("at-1", 5_000).await;
    world.choose(&started, "outcome=decline").await;
    let declined = world.notice().await;
    assert_eq!(declined.meaning, Meaning::Declined);
    assert!(declined.reason.is_some());
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::Decided(declined)));
}

#[tokio::test]
async fn a_reversal_takes_back_the_payment_it_names() {
    let mut world = World::start().await;
    let collection =
        Collection { description_ar: "رسوم ".repeat(200), ..world.collection("at-1", 5_000) };
    let collect = world.card.collect.clone().expect("a gateway collects");
    let started = collect.start(collection).await.accepted().expect("a long description is cut, not refused");
    world.choose(&started, "outcome=approve").await;
    let paid = world.notice().await;
    let settlements = world.card.settlements.clone().expect("a gateway reports");
    assert_eq!(settlements.settlements(day()).await, Outcome::Accepted(None), "the day is open");
    world.control("reversals", json!({"merchant": "EXAMPLE", "order": "at-1"})).await;
    let reversed = world.notice().await;
    assert_eq!((reversed.meaning, reversed.reference.as_str()), (Meaning::Reversed, "at-1"));
    assert_eq!((&reversed.transaction, reversed.money), (&paid.transaction, paid.money));
    let Outcome::Accepted(OrderState::Decided(asked)) = world.order("at-1").await else { panic!("decided") };
    assert_eq!((asked.meaning, &asked.transaction), (Meaning::Reversed, &paid.transaction));
    world.control("day", json!({"close": DAY})).await;
    let settled = settlements.settlements(day()).await.accepted().flatten().expect("a report");
    let items: Vec<_> = settled[0].items.iter().map(|item| (item.kind, item.transaction.as_str())).collect();
    let transaction = paid.transaction.as_str();
    assert_eq!(items, [(SettlementKind::Payment, transaction), (SettlementKind::Refund, transaction)]);
    assert!(settled[0].net.is_negative(), "the gateway keeps its cost");
}

#[tokio::test]
async fn a_page_nobody_pays_expires() {
    let world = World::start().await;
    world.open("at-1", 5_000).await;
    world.control("clock", json!({"now": "2026-11-22T09:00:00Z"})).await;
    assert_eq!(world.order("at-1").await, Outcome::Accepted(OrderState::Expired));
}

#[tokio::test]
async fn a_forged_signature_is_refused_and_an_altered_amount_is_told_as_signed() {
    let mut world = World::start().await;
    world.control("faults", json!({"callback": "wrong_signature"})).await;
    let started = world.open("at-1", 5_000).await;
    world.choose(&started, "outcome=approve").await;
    assert_eq!(world.verdict().await, Verdict::Refused(Refusal::WrongSignature));

    world.control("faults", json!({"callback": "altered"})).await;
    let started = world.open("at-2", 5_000).await;
    world.choose(&started, "outcome=approve").await;
    let (first, second) = (world.notice().await, world.notice().await);
    assert_eq!((first.transaction == second.transaction, first.money == second.money), (true, false));
    let Outcome::Accepted(OrderState::Decided(truth)) = world.order("at-2").await else { panic!("decided") };
    assert_eq!(truth.money, jod(5_000), "the query tells which one it was");
}

#[tokio::test]
async fn a_gateway_that_acts_and_keeps_silent_is_unknown_until_it_is_asked() {
    let mut world = World::start().await;
    let started = world.open("at-1", 5_000).await;
    world.choose(&started, "outcome=approve").await;
    let paid = world.notice().await;
    world.control("faults", json!({"api": "silent"})).await;
    let order = RefundOrder { refund: "rf-1".to_owned(), transaction: paid.transaction, money: jod(5_000) };
    let refund = world.card.refund.clone().expect("a gateway refunds");
    assert!(matches!(refund.refund(order.clone()).await, Outcome::Unknown { .. }));
    world.control("faults", json!({"api": "error_500"})).await;
    let failing = RefundOrder { refund: "rf-2".to_owned(), ..order };
    assert!(matches!(refund.refund(failing).await, Outcome::Unknown { .. }));
    world.control("faults", json!({})).await;
    let query = world.card.query.clone().expect("a gateway answers");
    let acted = query.refund("rf-1".to_owned()).await;
    assert!(
        matches!(acted, Outcome::Accepted(RefundState::Pending { .. } | RefundState::Refunded { .. })),
        "{acted:?}"
    );
    assert_eq!(query.refund("rf-2".to_owned()).await, Outcome::Accepted(RefundState::NotKnown));
}
