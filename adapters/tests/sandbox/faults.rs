//! Faults of the API, of settlements and of statements.

use serde_json::{Value, json};

use crate::support::{AGENCY, DAY, ILS, Sandbox};

const NEXT: &str = "2026-11-23";

async fn settlement(sandbox: &Sandbox, day: &str) -> Value {
    let (_, body) = sandbox.get(&format!("/gateway/v1/settlements?merchant=PORTAL&date={day}")).await;
    body["settlements"].clone()
}

fn orders_of(settlement: &Value) -> Vec<&str> {
    settlement["items"].as_array().unwrap().iter().map(|item| item["order"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_silent_api_acts_and_never_answers() {
    let mut sandbox = Sandbox::start().await;
    sandbox.faults(json!({"orders": {"A-1": {"api": "silent"}}})).await;
    let body = sandbox.order("A-1", "5.00", "ILS").to_string().into_bytes();
    let silent = sandbox.request("/gateway/v1/sessions", body);
    let mut waiting = tokio::task::JoinSet::new();
    waiting.spawn(silent.send());
    // It has acted as soon as the order can be asked for, and still has not answered.
    while sandbox.get("/gateway/v1/orders/A-1").await.0 == 404 {
        tokio::task::yield_now().await;
    }
    assert!(waiting.try_join_next().is_none());
    // It ends only with the sandbox.
    sandbox.server.take().unwrap().stop().await;
    let answer = waiting.join_next().await.unwrap().unwrap();
    assert!(answer.is_err() || answer.unwrap().status() == 503);
}

#[tokio::test]
async fn an_api_with_error_500_does_nothing() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"api": "error_500"})).await;
    let (status, body) = sandbox.post("/gateway/v1/sessions", sandbox.order("A-1", "5.00", "ILS")).await;
    assert_eq!((status, body["error"].as_str()), (500, Some("internal")));
    assert_eq!(sandbox.get("/gateway/v1/orders/A-1").await.0, 404);
    sandbox.faults(json!({"queries": "error_500", "orders": {"A-2": {"queries": "normal"}}})).await;
    assert_eq!(sandbox.get("/gateway/v1/orders/A-1").await.0, 500);
    assert_eq!(sandbox.get("/gateway/v1/orders/A-2").await.0, 404);
    assert_eq!(sandbox.get("/bank/v1/accounts").await.0, 500);
}

#[tokio::test]
async fn a_refund_has_the_faults_of_its_payment() {
    let sandbox = Sandbox::start().await;
    let transaction = sandbox.pay("A-1", "5.00", "ILS").await;
    sandbox.faults(json!({"orders": {"A-1": {"api": "error_500"}}})).await;
    let refund = json!({"refund": "R-1", "transaction": transaction, "amount": "5.00", "currency": "ILS"});
    assert_eq!(sandbox.post("/gateway/v1/refunds", refund).await.0, 500);
    assert_eq!(sandbox.get("/gateway/v1/refunds/R-1").await.0, 404);
}

#[tokio::test]
async fn the_next_settlement_costs_more_than_the_contract_says() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"settlement_cost": "1.25"})).await;
    for day in [DAY, NEXT] {
        sandbox.pay(day, "100.00", "ILS").await;
        sandbox.close(day).await;
    }
    let (first, second) = (settlement(&sandbox, DAY).await, settlement(&sandbox, NEXT).await);
    assert_eq!((&first[0]["costs"], &first[0]["net"]), (&json!("3.25"), &json!("96.75")));
    assert_eq!(first[0]["items"][0]["cost"], "2.00");
    assert_eq!(second[0]["costs"], "2.00");
    assert_eq!(sandbox.camt(ILS, DAY).await.amounts(), [9675]);
    sandbox.state().await;
}

#[tokio::test]
async fn orders_are_settled_a_day_later_or_forgotten() {
    let sandbox = Sandbox::start().await;
    for order in ["A-1", "A-2", "A-3"] {
        sandbox.pay(order, "10.00", "ILS").await;
    }
    sandbox.faults(json!({"settle_next_day": ["A-2"], "drop_from_settlement": ["A-3"]})).await;
    sandbox.close(DAY).await;
    sandbox.close(NEXT).await;
    sandbox.close("2026-11-24").await;
    assert_eq!(orders_of(&settlement(&sandbox, DAY).await[0]), ["A-1"]);
    assert_eq!(orders_of(&settlement(&sandbox, NEXT).await[0]), ["A-2"]);
    assert_eq!(settlement(&sandbox, "2026-11-24").await, json!([]));
    let state = sandbox.state().await;
    assert_eq!(state["gateway"]["desks"]["PORTAL"]["forgotten"][0]["order"], "A-3");
}

#[tokio::test]
async fn a_statement_with_lines_left_out_does_not_close_and_the_next_one_does() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"omit_statement_line": 2})).await;
    for amount in ["1.00", "2.00", "4.00"] {
        sandbox.transfer(json!({"to": ILS, "amount": amount, "currency": "ILS"})).await;
    }
    sandbox.close(DAY).await;
    sandbox.transfer(json!({"to": ILS, "amount": "8.00", "currency": "ILS"})).await;
    sandbox.close(NEXT).await;
    let (first, second) = (sandbox.camt(ILS, DAY).await, sandbox.camt(ILS, NEXT).await);
    assert_eq!(first.amounts(), [400]);
    assert_eq!(first.balance("CLBD") - first.balance("OPBD"), 700);
    assert_eq!((second.balance("OPBD"), second.amounts()), (first.balance("CLBD"), vec![800]));
    let path = format!("/bank/v1/accounts/{ILS}/statements/{DAY}?format=mt940");
    let swift = sandbox.get_text(&path).await;
    assert!(swift.matches(":61:").count() == 1 && swift.contains(":62F:C261122ILS1007,00"));
    sandbox.state().await;
}

#[tokio::test]
async fn a_wrong_amount_is_in_the_first_credit_and_in_the_closing_balance() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"statement_amount": "-0.30", "statement_account": AGENCY})).await;
    for account in [ILS, AGENCY] {
        let debit = json!({"account": account, "amount": "9.00", "currency": "ILS", "text": "charge"});
        sandbox.post("/control/debits", debit).await;
        for amount in ["0.20", "1.00", "2.00"] {
            sandbox.transfer(json!({"to": account, "amount": amount, "currency": "ILS"})).await;
        }
    }
    sandbox.close(DAY).await;
    sandbox.close(NEXT).await;
    assert_eq!(sandbox.camt(ILS, DAY).await.amounts(), [-900, 20, 100, 200]);
    // A credit of 0.20 cannot be booked 0.30 lower, so it is the second one.
    let statement = sandbox.camt(AGENCY, DAY).await;
    assert_eq!(statement.amounts(), [-900, 20, 70, 200]);
    assert_eq!(statement.balance("CLBD"), -2550 - 900 + 20 + 70 + 200);
    assert_eq!(sandbox.camt(AGENCY, NEXT).await.balance("OPBD"), statement.balance("CLBD"));
    sandbox.state().await;
}

#[tokio::test]
async fn faults_are_replaced_as_a_whole_and_within_limits() {
    let sandbox = Sandbox::start().await;
    sandbox.faults(json!({"callback": "lost", "api": "error_500"})).await;
    sandbox.faults(json!({"callback": "duplicate"})).await;
    let faults = &sandbox.state().await["faults"];
    assert_eq!((&faults["callback"], &faults["api"]), (&json!("duplicate"), &json!("normal")));
    for (body, slug) in [
        (json!({"callback": "sometimes"}), "bad_json"),
        (json!({"colour": "red"}), "bad_json"),
        (json!({"callback_delay_ms": 3_600_001}), "bad_faults"),
    ] {
        assert_eq!(sandbox.post("/control/faults", body).await.1["error"], slug);
    }
    assert_eq!(sandbox.state().await["faults"]["callback"], "duplicate");
}
