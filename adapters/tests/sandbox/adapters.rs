//! The sandbox and the crate's adapters meet: each was written from the manual alone.

use bytes::Bytes;
use mizan_adapters::bank::rest;
use mizan_adapters::channel::{
    Channel, Collection, Language, Meaning, OrderState, RefundOrder, RefundState, SettlementKind, Verdict,
};
use mizan_adapters::gateway::hosted;
use mizan_adapters::http::EndpointSettings;
use mizan_adapters::outcome::Outcome;
use mizan_ledger::{Currency, Money};

use crate::payments::{Order, payment_file};
use crate::support::{DAY, ILS, Sandbox};

fn endpoint(sandbox: &Sandbox, path: &str) -> EndpointSettings {
    EndpointSettings {
        base_url: format!("{}{path}", sandbox.url),
        api_key: "key-of-portal".into(),
        connect_timeout_ms: 5_000,
        timeout_ms: 20_000,
        trusted_roots_pem: None,
        identity_pem: None,
    }
}

fn card(sandbox: &Sandbox) -> Channel {
    let settings = hosted::Settings {
        endpoint: endpoint(sandbox, "/gateway/v1"),
        merchant: "PORTAL".into(),
        callback_keys: vec!["callback-key".into()],
    };
    hosted::Gateway::new(settings).unwrap().channel("card")
}

fn accepted<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Accepted(value) => value,
        other => panic!("{other:?}"),
    }
}

async fn notice(sandbox: &Sandbox, card: &Channel) -> mizan_adapters::channel::Notice {
    let received = sandbox.callback().await;
    match card.notices.as_ref().unwrap().verify(&received.headers, &received.raw) {
        Verdict::Authentic(notice) => notice,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_payment_and_its_refund_go_through_the_gateway_adapter() {
    let sandbox = Sandbox::start().await;
    let card = card(&sandbox);
    let money = Money::new(12_500, Currency::JOD);
    let started = card.collect.as_ref().unwrap().start(Collection {
        order: "at-1".into(),
        money,
        description_ar: "رسوم (مثال)".into(),
        description_en: "Fees (example)".into(),
        language: Language::Ar,
        return_url: "https://portal.example/back".into(),
        callback_url: sandbox.callback_url.clone(),
    });
    let started = accepted(started.await);
    let query = card.query.as_ref().unwrap();
    assert_eq!(accepted(query.order("at-1".into()).await), OrderState::Open);
    assert_eq!(accepted(query.order("at-2".into()).await), OrderState::NotKnown);
    sandbox.choose(&started.page_url, "outcome=approve").await;
    let paid = notice(&sandbox, &card).await;
    assert_eq!((paid.meaning, paid.money, paid.reference.as_str()), (Meaning::Captured, money, "at-1"));
    assert_eq!(accepted(query.order("at-1".into()).await), OrderState::Decided(paid.clone()));

    let money = Money::new(500, Currency::JOD);
    let order = RefundOrder { refund: "rf-1".into(), transaction: paid.transaction.clone(), money };
    let taken = accepted(card.refund.as_ref().unwrap().refund(order).await);
    let refunded = notice(&sandbox, &card).await;
    assert_eq!((refunded.meaning, refunded.money), (Meaning::Refunded, money));
    assert_eq!(refunded.original_transaction.as_deref(), Some(paid.transaction.as_str()));
    let known = RefundState::Refunded { transaction: taken.transaction };
    assert_eq!(accepted(query.refund("rf-1".into()).await), known);

    sandbox.close(DAY).await;
    let settled =
        accepted(card.settlements.as_ref().unwrap().settlements(DAY.parse().unwrap()).await).unwrap();
    let kinds: Vec<SettlementKind> = settled[0].items.iter().map(|item| item.kind).collect();
    assert_eq!(kinds, [SettlementKind::Payment, SettlementKind::Refund]);
    // 12.500 less 1.5 per cent (0.1875, so 0.188), less 0.050, less the refund.
    assert_eq!(settled[0].net, Money::new(12_500 - 188 - 50 - 500, Currency::JOD));
}

#[tokio::test]
async fn a_payment_file_and_its_statement_go_through_the_bank_adapter() {
    let sandbox = Sandbox::start().await;
    let settings = rest::Settings {
        endpoint: endpoint(&sandbox, "/bank/v1"),
        statement_format: rest::StatementFormat::Mt940,
        refuses_repeats: true,
    };
    let bank = rest::Bank::new(&settings).unwrap().channel("bank");
    let (pay_out, statements) = (bank.pay_out.unwrap(), bank.statements.unwrap());
    let orders = [Order { id: "PO-1", amount: "1.00", to: "0101234567" }];
    let file = Bytes::from(payment_file("M-1", "09", ILS, "ILS", "1.00", &orders));
    let reference = accepted(pay_out.submit(file.clone()).await);
    assert_eq!(pay_out.submit(file).await, Outcome::Accepted(reference.clone()), "it is there once");
    assert_eq!(accepted(statements.statement(ILS.into(), DAY.parse().unwrap()).await), None);
    sandbox.close(DAY).await;
    let report = accepted(pay_out.status(reference).await).report;
    assert_eq!(report.original_message_id.as_deref(), Some("M-1"));
    assert_eq!(report.blocks[0].orders[0].end_to_end_id.as_deref(), Some("PO-1"));
    let statement = accepted(statements.statement(ILS.into(), DAY.parse().unwrap()).await).unwrap();
    assert_eq!(statement.name, format!("{ILS}-{DAY}.sta"));
    assert!(statement.raw.starts_with(b":20:"));
}
