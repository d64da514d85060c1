//! What the bank writes is valid by the schemas of ISO 20022, when they are at hand (`MIZAN_CORPUS`).

#[path = "../../../tests/support/schemas.rs"]
mod judge;
use judge::assert_valid;

use serde_json::json;

use crate::payments::{Order, payment_file};
use crate::support::{AGENCY, CLOSED, DAY, ILS, JOD, RETURNING, Sandbox};

/// Two days with every kind of line.
pub async fn eventful() -> Sandbox {
    let sandbox = Sandbox::start().await;
    sandbox.pay("A-1", "100.00", "ILS").await;
    sandbox.pay("A-2", "7.345", "JOD").await;
    let long = "رسوم <تجديد> رخصة & خدمة ".repeat(11);
    for (reference, text) in
        [("RF13PS2026A0042", long.as_str()), ("PO-7", ""), ("لا مرجع", "a-b"), ("x'\"&<>", "")]
    {
        sandbox.transfer(json!({"to": JOD, "amount": "12.345", "currency": "JOD", "reference": reference, "text": text, "payer": "دافع & <مثال>"})).await;
    }
    sandbox.transfer(json!({"to": JOD, "amount": "0.001", "currency": "JOD"})).await;
    let debit = json!({"account": ILS, "amount": "3.00", "currency": "ILS", "text": "MONTHLY CHARGE"});
    assert_eq!(sandbox.post("/control/debits", debit).await.0, 200);
    let orders = [
        Order { id: "PO-1", amount: "10.00", to: RETURNING },
        Order { id: "PO-2", amount: "20.00", to: AGENCY },
        Order { id: "PO-3", amount: "30.00", to: CLOSED },
    ];
    for (message, sum) in [("M-1", "60.00"), ("M-2", "61.00")] {
        let file = payment_file(message, "09", ILS, "ILS", sum, &orders);
        assert_eq!(sandbox.post_bytes("/bank/v1/payment-files", file.into_bytes()).await.0, 202);
    }
    sandbox
}

#[tokio::test]
async fn statements_are_valid_in_both_versions() {
    let sandbox = eventful().await;
    for day in [DAY, "2026-11-23"] {
        sandbox.close(day).await;
        for account in [ILS, JOD, AGENCY] {
            for format in ["camt.053.001.02", "camt.053.001.08"] {
                let path = format!("/bank/v1/accounts/{account}/statements/{day}?format={format}");
                assert_valid(sandbox.get_text(&path).await, format);
            }
        }
    }
    sandbox.state().await;
}

#[tokio::test]
async fn status_reports_are_valid() {
    let sandbox = eventful().await;
    for file in ["PF000001", "PF000002"] {
        assert_valid(sandbox.get_text(&format!("/bank/v1/payment-files/{file}")).await, "pain.002.001.10");
    }
    sandbox.close(DAY).await;
    assert_valid(sandbox.get_text("/bank/v1/payment-files/PF000001").await, "pain.002.001.10");
}

#[test]
fn the_payment_files_of_these_tests_are_valid_themselves() {
    for version in ["03", "09"] {
        let orders = [
            Order { id: "PO-1", amount: "10.00", to: RETURNING },
            Order { id: "PO-2", amount: "20.00", to: AGENCY },
        ];
        let file = payment_file("M-1", version, ILS, "ILS", "30.00", &orders);
        assert_valid(file, &format!("pain.001.001.{version}"));
    }
}
