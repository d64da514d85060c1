//! Orders, the hosted page, refunds, reversals and settlement.

use serde_json::json;

use crate::support::{DAY, ILS, JOD, Sandbox, client};

#[tokio::test]
async fn a_payment_lives_from_its_session_to_the_bank_statement() {
    let sandbox = Sandbox::start().await;
    let (status, opened) = sandbox.post("/gateway/v1/sessions", sandbox.order("A-1", "120.00", "ILS")).await;
    assert_eq!((status, opened["order"].as_str()), (201, Some("A-1")));
    assert_eq!(opened["expires_at"], "2026-11-22T08:30:00Z");
    assert!(opened["session"].as_str().unwrap().starts_with("gs_"));
    let (_, order) = sandbox.get("/gateway/v1/orders/A-1").await;
    assert_eq!((&order["status"], &order["transaction"]), (&json!("OPEN"), &json!(null)));

    let page_url = opened["page_url"].as_str().unwrap();
    assert_eq!(
        sandbox.choose(page_url, "outcome=approve").await,
        "http://127.0.0.1:9/return?x=1&order=A-1&status=CAPTURED"
    );
    let callback = sandbox.callback().await.body;
    let (_, order) = sandbox.get("/gateway/v1/orders/A-1").await;
    assert_eq!(order["decided_at"], "2026-11-22T08:00:00Z");
    assert_eq!(
        callback,
        json!({"event": "payment.captured", "merchant": "PORTAL", "order": "A-1", "session": opened["session"],
            "transaction": order["transaction"], "status": "CAPTURED", "amount": "120.00", "currency": "ILS",
            "reason": null, "original_transaction": null, "created_at": "2026-11-22T08:00:00Z"})
    );

    sandbox.close(DAY).await;
    let (_, settled) = sandbox.get("/gateway/v1/settlements?merchant=PORTAL&date=2026-11-22").await;
    assert_eq!(
        settled["settlements"],
        json!([{"settlement": "S20261122ILS01", "currency": "ILS", "gross": "120.00", "refunds": "0.00", "costs": "2.30",
            "net": "117.70", "items": [{"transaction": order["transaction"], "order": "A-1", "kind": "payment",
            "amount": "120.00", "cost": "2.30"}]}])
    );
    let statement = sandbox.camt(ILS, DAY).await;
    assert_eq!(statement.amounts(), [11770]);
    assert!(statement.0.contains("<Ustrd>SETTLEMENT S20261122ILS01 MERCHANT PORTAL</Ustrd>"));
    sandbox.state().await;
}

#[tokio::test]
async fn the_same_order_again_is_the_same_session_and_other_money_is_refused() {
    let sandbox = Sandbox::start().await;
    let body = sandbox.order("A-1", "120.00", "ILS");
    let first = sandbox.post("/gateway/v1/sessions", body.clone()).await;
    let again = sandbox.post("/gateway/v1/sessions", body).await;
    assert_eq!((first.0, again.0), (201, 200));
    assert_eq!(first.1, again.1);
    for (amount, currency) in [("121.00", "ILS"), ("120.000", "JOD")] {
        let (status, refused) =
            sandbox.post("/gateway/v1/sessions", sandbox.order("A-1", amount, currency)).await;
        assert_eq!((status, refused["error"].as_str()), (409, Some("order_exists")));
    }
}

#[tokio::test]
async fn an_order_is_paid_or_declined_once() {
    let sandbox = Sandbox::start().await;
    let page_url = sandbox.open("A-1", "5.00", "ILS").await;
    assert!(
        sandbox.choose(&page_url, "outcome=decline&reason=expired_card").await.ends_with("status=DECLINED")
    );
    assert!(sandbox.choose(&page_url, "outcome=approve").await.ends_with("status=DECLINED"));
    let callback = sandbox.callback().await.body;
    assert_eq!(
        (&callback["event"], &callback["reason"]),
        (&json!("payment.declined"), &json!("expired_card"))
    );
    let (_, order) = sandbox.get("/gateway/v1/orders/A-1").await;
    assert_eq!((&order["status"], &order["reason"]), (&json!("DECLINED"), &json!("expired_card")));
    // The next callback is that of another order: the second choice caused none.
    sandbox.pay("A-2", "6.00", "ILS").await;
    assert_eq!(sandbox.callback().await.body["order"], "A-2");
}

#[tokio::test]
async fn a_session_lives_thirty_minutes() {
    let sandbox = Sandbox::start().await;
    let page_url = sandbox.open("A-1", "5.00", "ILS").await;
    sandbox.set_clock("2026-11-22T08:29:59Z").await;
    assert_eq!(sandbox.get("/gateway/v1/orders/A-1").await.1["status"], "OPEN");
    sandbox.set_clock("2026-11-22T08:30:00Z").await;
    assert!(sandbox.choose(&page_url, "outcome=approve").await.ends_with("status=EXPIRED"));
    assert_eq!(sandbox.get("/gateway/v1/orders/A-1").await.1["status"], "EXPIRED");
}

#[tokio::test]
async fn the_page_speaks_arabic_and_english_and_carries_no_script() {
    let sandbox = Sandbox::start().await;
    let arabic = sandbox.open("A-1", "12.345", "JOD").await;
    let mut body = sandbox.order("A-2", "12.345", "JOD");
    body["language"] = json!("en");
    let english = sandbox.post("/gateway/v1/sessions", body).await.1["page_url"].as_str().unwrap().to_owned();
    for (page_url, marks) in [(arabic, ["dir=\"rtl\"", "ادفع الآن"]), (english, ["dir=\"ltr\"", "Pay now"])]
    {
        let answer = client().get(&page_url).send().await.unwrap();
        assert!(
            answer.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
        );
        let page = answer.text().await.unwrap();
        assert!(marks.iter().all(|mark| page.contains(mark)), "{page}");
        assert!(page.contains("12.345") && page.contains("رسوم &lt;رخصة&gt; &amp; خدمة"));
        assert!(!page.contains("<script") && !page.contains("<رخصة>"));
    }
    let page_url = sandbox.open("A-3", "1.00", "ILS").await;
    sandbox.choose(&page_url, "outcome=approve").await;
    let page = client().get(&page_url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("تم الدفع") && !page.contains("<form"));
}

#[tokio::test]
async fn refunds_are_taken_once_and_within_what_was_captured() {
    let sandbox = Sandbox::start().await;
    let transaction = sandbox.pay("A-1", "100.00", "ILS").await;
    sandbox.callback().await;
    let refund = |name: &str, amount: &str| json!({"refund": name, "transaction": transaction, "amount": amount, "currency": "ILS"});
    let (status, first) = sandbox.post("/gateway/v1/refunds", refund("R-1", "60.00")).await;
    assert_eq!((status, first["status"].as_str()), (201, Some("ACCEPTED")));
    let callback = sandbox.callback().await.body;
    assert_eq!(
        (&callback["event"], &callback["status"], &callback["order"]),
        (&json!("refund.settled"), &json!("REFUNDED"), &json!("R-1"))
    );
    assert_eq!(
        (&callback["original_transaction"], &callback["transaction"]),
        (&json!(transaction), &first["transaction"])
    );
    assert_eq!(sandbox.get("/gateway/v1/refunds/R-1").await.1["status"], "REFUNDED");

    let again = sandbox.post("/gateway/v1/refunds", refund("R-1", "60.00")).await;
    assert_eq!(again, (200, first));
    for (body, status, slug) in [
        (refund("R-1", "60.01"), 409, "refund_exists"),
        (refund("R-2", "40.01"), 422, "exceeds_captured"),
        (
            json!({"refund": "R-3", "transaction": "T0", "amount": "1.00", "currency": "ILS"}),
            404,
            "unknown_transaction",
        ),
        (
            json!({"refund": "R-4", "transaction": transaction, "amount": "1.000", "currency": "JOD"}),
            422,
            "currency_mismatch",
        ),
    ] {
        let (answered, refused) = sandbox.post("/gateway/v1/refunds", body).await;
        assert_eq!((answered, refused["error"].as_str()), (status, Some(slug)));
    }
    assert_eq!(sandbox.post("/gateway/v1/refunds", refund("R-5", "40.00")).await.0, 201);
    assert_eq!(sandbox.get("/gateway/v1/refunds/R-2").await.1["error"], "unknown_refund");
    sandbox.state().await;
}

#[tokio::test]
async fn a_day_with_more_refunds_than_captures_takes_money_from_the_account() {
    let sandbox = Sandbox::start().await;
    let transaction = sandbox.pay("A-1", "100.000", "JOD").await;
    sandbox.close(DAY).await;
    let refund = json!({"refund": "R-1", "transaction": transaction, "amount": "30.005", "currency": "JOD"});
    assert_eq!(sandbox.post("/gateway/v1/refunds", refund).await.0, 201);
    sandbox.close("2026-11-23").await;
    // 100.000 less 1.5 per cent less 0.050.
    assert_eq!(sandbox.camt(JOD, DAY).await.amounts(), [98_450]);
    assert_eq!(sandbox.camt(JOD, "2026-11-23").await.amounts(), [-30_005]);
    let (_, settled) = sandbox.get("/gateway/v1/settlements?merchant=PORTAL&date=2026-11-23").await;
    assert_eq!(settled["settlements"][0]["net"], "-30.005");
    assert_eq!(settled["settlements"][0]["items"][0]["kind"], "refund");
    sandbox.state().await;
}

#[tokio::test]
async fn a_reversed_payment_is_taken_back_in_the_next_settlement() {
    let sandbox = Sandbox::start().await;
    let transaction = sandbox.pay("A-1", "100.00", "ILS").await;
    sandbox.callback().await;
    sandbox.close(DAY).await;
    let reversal = json!({"merchant": "PORTAL", "order": "A-1"});
    assert_eq!(
        sandbox.post("/control/reversals", reversal.clone()).await,
        (200, json!({"transaction": transaction}))
    );
    let callback = sandbox.callback().await.body;
    let shown: Vec<_> =
        ["event", "status", "transaction", "amount"].map(|name| callback[name].clone()).into();
    assert_eq!(shown, ["payment.reversed", "REVERSED", &transaction, "100.00"]);
    let (_, order) = sandbox.get("/gateway/v1/orders/A-1").await;
    assert_eq!((&order["status"], &order["transaction"]), (&json!("REVERSED"), &json!(transaction)));
    assert_eq!(sandbox.post("/control/reversals", reversal).await.1["error"], "not_captured");
    let late = json!({"refund": "R-2", "transaction": transaction, "amount": "1.00", "currency": "ILS"});
    assert_eq!(sandbox.post("/gateway/v1/refunds", late).await.1["error"], "exceeds_captured");
    sandbox.close("2026-11-23").await;
    assert_eq!(sandbox.camt(ILS, "2026-11-23").await.amounts(), [-10_000]);
    let (_, settled) = sandbox.get("/gateway/v1/settlements?merchant=PORTAL&date=2026-11-23").await;
    let item = &settled["settlements"][0]["items"][0];
    assert_eq!((&item["kind"], &item["order"]), (&json!("refund"), &json!("A-1")));
    sandbox.state().await;
}

#[tokio::test]
async fn what_is_refunded_or_was_never_captured_cannot_be_reversed() {
    let sandbox = Sandbox::start().await;
    let transaction = sandbox.pay("A-1", "100.00", "ILS").await;
    let refund = json!({"refund": "R-1", "transaction": transaction, "amount": "10.00", "currency": "ILS"});
    assert_eq!(sandbox.post("/gateway/v1/refunds", refund).await.0, 201);
    sandbox.open("A-2", "5.00", "ILS").await;
    let page_url = sandbox.open("A-3", "5.00", "ILS").await;
    sandbox.choose(&page_url, "outcome=decline").await;
    for (order, slug) in
        [("A-1", "not_captured"), ("A-2", "not_captured"), ("A-3", "not_captured"), ("A-4", "unknown_order")]
    {
        let reversal = json!({"merchant": "PORTAL", "order": order});
        assert_eq!(sandbox.post("/control/reversals", reversal).await.1["error"], slug, "{order}");
    }
    let reversal = json!({"merchant": "NOBODY", "order": "A-1"});
    assert_eq!(sandbox.post("/control/reversals", reversal).await.1["error"], "unknown_merchant");
    sandbox.state().await;
}

#[tokio::test]
async fn only_the_merchant_itself_sees_and_does_its_business() {
    let sandbox = Sandbox::start().await;
    sandbox.pay("A-1", "5.00", "ILS").await;
    for key in ["", "key-of-portal2", "key-of-porta"] {
        for path in ["/gateway/v1/orders/A-1", "/bank/v1/accounts", "/bank/v1/payment-files/PF000001"] {
            let (status, body) = sandbox.get_as(key, path).await;
            assert_eq!((status, body["error"].as_str()), (401, Some("unauthorized")), "{path}");
        }
    }
    assert_eq!(sandbox.get_as("key-of-other", "/gateway/v1/orders/A-1").await.1["error"], "unknown_order");
    let settlements = "/gateway/v1/settlements?merchant=PORTAL&date=2026-11-21";
    assert_eq!(sandbox.get_as("key-of-other", settlements).await.1["error"], "other_merchant");
    let mut body = sandbox.order("A-2", "5.00", "ILS");
    body["merchant"] = json!("OTHER");
    assert_eq!(
        sandbox.post("/gateway/v1/sessions", body).await,
        (403, json!({"error": "other_merchant", "message": "the API key is another merchant's"}))
    );
}

#[tokio::test]
async fn hostile_input_is_refused_with_an_error_of_the_manual() {
    let sandbox = Sandbox::start().await;
    let with = |name: &str, value: serde_json::Value| {
        let mut body = sandbox.order("A-1", "5.00", "ILS");
        body[name] = value;
        body.to_string().into_bytes()
    };
    let cases = [
        (with("amount", json!("5")), 422, "bad_amount"),
        (with("amount", json!("0.00")), 422, "bad_amount"),
        (with("amount", json!("-5.00")), 422, "bad_amount"),
        (with("amount", json!(5.0)), 400, "bad_json"),
        (with("currency", json!("XXX")), 422, "unknown_currency"),
        (with("currency", json!("USD")), 422, "currency_not_contracted"),
        (with("order", json!("A 1")), 422, "bad_order"),
        (with("order", json!("A".repeat(41))), 422, "bad_order"),
        (with("description", json!("a\u{0}b")), 422, "bad_text"),
        (with("return_url", json!("javascript:alert(1)")), 422, "bad_url"),
        (with("callback_url", json!("https://127.0.0.1/")), 422, "bad_url"),
        (with("surprise", json!(1)), 400, "bad_json"),
        (b"{".to_vec(), 400, "bad_json"),
        (vec![b' '; 70_000], 413, "too_large"),
    ];
    for (body, status, slug) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        let (answered, refused) = sandbox.post_bytes("/gateway/v1/sessions", body).await;
        assert_eq!((answered, refused["error"].as_str()), (status, Some(slug)), "{shown}");
        assert!(refused["message"].is_string());
    }
    for (path, status, slug) in [
        ("/gateway/v2/orders", 404, "no_such_place"),
        ("/gateway/v1/sessions", 405, "no_such_method"),
        ("/gateway/v1/orders/%FF", 400, "bad_path"),
        ("/gateway/v1/settlements?merchant=PORTAL&date=yesterday", 400, "bad_query"),
        ("/gateway/v1/settlements?merchant=PORTAL&date=2026-11-22", 409, "day_open"),
        ("/gateway/page/gs_0", 404, "unknown_session"),
    ] {
        let (answered, refused) = sandbox.get(path).await;
        assert_eq!((answered, refused["error"].as_str()), (status, Some(slug)), "{path}");
    }
    let page_url = sandbox.open("A-9", "5.00", "ILS").await;
    let (status, refused) = sandbox
        .post_bytes(&format!("{}/pay", &page_url[sandbox.url.len()..]), b"outcome=steal".to_vec())
        .await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("bad_form")));
}
