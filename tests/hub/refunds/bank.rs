//! Where the money cannot go back the way it came: by payment file to the payee's account.

use mizan::demo::{CLOSED_ACCOUNT, PAYER_ACCOUNT, RETURNING_ACCOUNT};
use mizan::expectations::{self, Kind};
use mizan::inbox::door::take;
use mizan::inbox::{Meaning, NewNotice, Source};
use mizan::suspense;
use mizan_ledger::{Clock, Currency, Money};
use serde_json::{Value, json};

use super::*;
use crate::schemas::assert_valid;

/// A passport paid by a transfer that the bank told of: no channel can give it back.
pub async fn paid_by_transfer(world: &World, reference: &str) -> Value {
    let intent = world.intent(reference).await;
    let bill = intent["bill_number"].as_str().unwrap().to_owned();
    notice(world, "transfer", &format!("B-{reference}"), Some(bill), 21_525).await;
    let paid = world.find_intent(id(&intent)).await;
    assert_eq!(paid["state"], "paid", "{paid}");
    paid
}

async fn notice(world: &World, channel: &str, transaction: &str, reference: Option<String>, minor: i64) {
    let notice = NewNotice {
        channel: channel.to_owned(),
        transaction: transaction.to_owned(),
        status: "BOOKED".to_owned(),
        meaning: Meaning::Money,
        source: Source::Statement,
        reference,
        money: Money::new(minor, Currency::ILS),
        original_transaction: None,
        reason: None,
        money_key: format!("{channel}:{transaction}"),
        occurred_at: world.clock.now(),
        raw: Vec::new(),
        headers: json!({}),
    };
    take(&world.app, notice).await.unwrap();
    world.settle(1).await;
}

/// Asked for by the portal and approved, to this account.
pub async fn approved(world: &World, intent: &Value, amount: &str, iban: &str) -> Value {
    let body = json!({
        "source": intent["id"], "amount": ils(amount), "reason": "EXAMPLE", "refundable": intent["refundable"],
        "payee": { "name": "مقدم الطلب (مثال)", "iban": iban },
    });
    let reply = world.portal().post("/v1/refunds", &body).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.json);
    approve(world, &reply.json).await;
    reply.json
}

/// Lets the waiting transfers leave.
pub async fn send(world: &World) {
    advance(world, 60);
    while work(world).await > 0 {}
}

async fn finance(world: &World, path: &str) -> Value {
    let reply = world.people.approver.client.get(&format!("/v1/finance/{path}")).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.json);
    reply.json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_needs_a_payee_and_a_right_account() {
    let world = World::new().await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let ask = async |payee: Value| {
        let body = json!({
            "source": intent["id"], "amount": ils("10.00"), "reason": "EXAMPLE", "refundable": ils("210.00"),
            "payee": payee,
        });
        world.portal().post("/v1/refunds", &body).await.unwrap()
    };
    let none = ask(Value::Null).await;
    assert_eq!((none.status, &none.json["errors"][0]["field"]), (422, &json!("/payee")), "{}", none.json);
    let mistyped = PAYER_ACCOUNT.replace("101", "110");
    let wrong = ask(json!({ "name": "A payer (example)", "iban": mistyped })).await;
    assert_eq!((wrong.status, &wrong.json["errors"][0]["field"]), (422, &json!("/payee/iban")));
    let ours = ask(json!({ "name": "A payer (example)", "iban": crate::recon::ILS })).await;
    assert_eq!(
        (ours.status, &ours.json["errors"][0]["field"]),
        (422, &json!("/payee/iban")),
        "{}",
        ours.json
    );
    let spaced = "ps11 EXBK 0000 0000 0000 0000 0010 1";
    let good = ask(json!({ "name": "A payer (example)", "iban": spaced })).await;
    assert_eq!((good.status, &good.json["method"]), (201, &json!("transfer")), "{}", good.json);
    assert_eq!(good.json["payee"]["iban"], "PS11...0101", "portals see it shortened");
    assert_eq!(staff_view(&world, &good.json).await["payee"]["iban"], PAYER_ACCOUNT);
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_of_one_account_leave_in_one_file_and_end_on_the_statement() {
    let world = World::new().await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let first = approved(&world, &intent, "10.00", PAYER_ACCOUNT).await;
    let intent = world.find_intent(id(&intent)).await;
    let second = approved(&world, &intent, "20.50", PAYER_ACCOUNT).await;
    assert_eq!(work(&world).await, 0, "they wait for each other");
    send(&world).await;

    let files = finance(&world, "payment-files").await;
    let files = files["data"].as_array().unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!((&files[0]["orders"], &files[0]["total"]), (&json!(2), &ils("30.50")));
    assert_eq!((&files[0]["state"], &files[0]["bank_file"]), (&json!("sent"), &json!("PF000001")));
    let path = format!("payment-files/{}", id(&files[0]));
    assert_eq!(finance(&world, &path).await["refunds"], json!([first["id"], second["id"]]));
    validated(&world, id(&files[0])).await;

    for refund in [&first, &second] {
        assert_eq!(staff_view(&world, refund).await["stage"], "submitted");
    }
    assert_eq!(world.balances().await["refunds/in_flight ILS"], -3_050);
    let mut conn = world.app.pool.acquire().await.unwrap();
    let open = expectations::store::page_open(&mut conn).await.unwrap();
    let expected: Vec<_> = open.iter().filter(|one| one.kind == Kind::Refund).collect();
    let references: Vec<_> = expected.iter().filter_map(|one| one.reference.as_deref()).collect();
    assert_eq!(references, ["MZ000000001-1", "MZ000000002-1"]);
    assert_eq!(expected[1].money, Money::new(-2_050, Currency::ILS));
    assert_eq!(expected[1].account, "main-ils");

    // The bank carries them out; its report alone makes nothing final.
    world.control("day", json!({ "close": crate::world::TODAY })).await;
    advance(&world, 61);
    work(&world).await;
    assert_eq!(finance(&world, &path).await["state"], "settled");
    assert_eq!(staff_view(&world, &first).await["stage"], "submitted");
    seen(&world, &first, Settled::AtBank { account: "main-ils".parse().unwrap() }).await.unwrap();
    assert_eq!(seen_by_portal(&world, &first).await["state"], "succeeded");
    let balances = world.balances().await;
    assert_eq!((balances["refunds/in_flight ILS"], balances["bank/main-ils ILS"]), (-2_050, -1_000));

    let intent = world.find_intent(id(&intent)).await;
    approved(&world, &intent, "1.00", PAYER_ACCOUNT).await;
    send(&world).await;
    let files = finance(&world, "payment-files").await;
    assert_eq!(files["data"].as_array().unwrap().len(), 2, "what comes later goes in another file");
    assert_ne!(files["data"][0]["msg_id"], files["data"][1]["msg_id"]);
}

/// The very bytes that were sent hold against the schema of ISO 20022 and carry their own hash.
async fn validated(world: &World, file: &str) {
    let client = &world.people.approver.client;
    let document = client.get(&format!("/v1/finance/payment-files/{file}/document")).await.unwrap();
    assert_eq!(document.headers["content-type"], "application/xml");
    let text = String::from_utf8(document.bytes.clone()).unwrap();
    assert!(text.contains("<EndToEndId>MZ000000002-1</EndToEndId>") && text.contains("مقدم الطلب"), "{text}");
    assert_valid(&document.bytes, "pain.001.001.09");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_leaves_from_the_account_into_which_the_money_came() {
    let world = World::configured(|config| {
        let main = config.banks.iter().find(|bank| bank.name == "main-ils").unwrap();
        let other = mizan::config::Bank {
            name: "other-ils".to_owned(),
            account: "PS20EXBK000000000000000000909".to_owned(),
            ..main.clone()
        };
        config.banks.insert(0, other);
    })
    .await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    approved(&world, &intent, "10.00", PAYER_ACCOUNT).await;
    // Of money that named nothing it is known into which account, or by which channel, it came.
    notice(&world, "transfer", "T-UNKNOWN", None, 7_000).await;
    let mut conn = world.app.pool.acquire().await.unwrap();
    let item = suspense::store::page_open(&mut conn).await.unwrap().remove(0);
    let body = json!({
        "source": item.id, "amount": ils("70.00"), "reason": "EXAMPLE", "refundable": ils("70.00"),
        "payee": { "name": "A payer (example)", "iban": PAYER_ACCOUNT },
    });
    let refund = world.people.reconciler.client.post("/v1/finance/refunds", &body).await.unwrap();
    assert_eq!(refund.status, 201, "{}", refund.json);
    approve(&world, &refund.json).await;
    send(&world).await;
    let files = finance(&world, "payment-files").await;
    let of: Vec<&str> =
        files["data"].as_array().unwrap().iter().map(|file| file["account"].as_str().unwrap()).collect();
    assert_eq!(of, ["main-ils"], "{files}");
    assert_eq!(files["data"][0]["orders"], 2, "{files}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_transfer_goes_to_another_account_named_by_one_and_sent_by_another() {
    let world = World::new().await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let refund = approved(&world, &intent, "10.00", CLOSED_ACCOUNT).await;
    send(&world).await;
    advance(&world, 61);
    work(&world).await;
    let failed = staff_view(&world, &refund).await;
    assert_eq!(
        (&failed["stage"], &failed["failure"]["code"]),
        (&json!("failed"), &json!("AC04")),
        "{failed}"
    );
    assert_eq!(world.balances().await["refunds/payable ILS"], -1_000);

    let path = |act: &str| format!("/v1/finance/refunds/{}/{act}", id(&refund));
    let payee = json!({ "payee": { "name": "A payer (example)", "iban": PAYER_ACCOUNT } });
    let clerk = &world.people.reconciler.client;
    let scope = world.people.approver.client.post(&path("payee"), &payee).await.unwrap();
    assert_eq!(scope.json["code"], "forbidden_scope", "who approves names no account");
    assert_eq!(clerk.post(&path("payee"), &payee).await.unwrap().status, 200);
    let again = world.people.approver.client.post(&path("send-again"), &json!({})).await.unwrap();
    assert_eq!(again.status, 200, "{}", again.json);
    send(&world).await;
    let submitted = staff_view(&world, &refund).await;
    assert_eq!(submitted["stage"], "submitted", "{submitted}");
    let references: Vec<_> =
        submitted["instructions"].as_array().unwrap().iter().map(|one| &one["reference"]).collect();
    assert_eq!(references, ["MZ000000001-1", "MZ000000001-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_bank_that_refuses_no_repeats_is_never_sent_the_same_file_again() {
    let world = World::configured(|config| {
        config
            .banks
            .iter_mut()
            .filter_map(|bank| bank.endpoint.as_mut())
            .for_each(|bank| bank.refuses_repeats = false);
    })
    .await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let refund = approved(&world, &intent, "10.00", PAYER_ACCOUNT).await;
    advance(&world, 60);
    assert_eq!(work(&world).await, 2, "the refund goes into a file, and the file leaves");
    let state = finance(&world, "payment-files").await["data"][0]["state"].clone();
    assert_eq!(state, "sent");

    let intent = world.find_intent(id(&intent)).await;
    let silent = approved(&world, &intent, "20.00", PAYER_ACCOUNT).await;
    world.control("faults", json!({ "api": "silent" })).await;
    advance(&world, 60);
    killed_when(&world, &["files", "files"], 2).await;
    world.control("faults", json!({})).await;
    advance(&world, 601);
    while work(&world).await > 0 {}
    let unknown = staff_view(&world, &silent).await;
    assert_eq!(unknown["stage"], "unknown", "{unknown}");
    let files = finance(&world, "payment-files").await;
    assert_eq!(files["data"][0]["state"], "unknown");
    assert_eq!(world.balances().await["refunds/in_flight ILS"], -3_000, "it may be on its way");
    assert_eq!(staff_view(&world, &refund).await["stage"], "submitted");

    // The statement decides.
    seen(&world, &silent, Settled::AtBank { account: "main-ils".parse().unwrap() }).await.unwrap();
    assert_eq!(seen_by_portal(&world, &silent).await["state"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_back_is_owed_again() {
    let world = World::new().await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let refund = approved(&world, &intent, "10.00", RETURNING_ACCOUNT).await;
    send(&world).await;
    seen(&world, &refund, Settled::AtBank { account: "main-ils".parse().unwrap() }).await.unwrap();
    assert_eq!(world.find_intent(id(&intent)).await["refunded"], ils("10.00"));

    returned(&world, &refund, 1_000).await;
    assert_eq!(staff_view(&world, &refund).await["stage"], "returned");
    let view = seen_by_portal(&world, &refund).await;
    assert_eq!((&view["state"], &view["failure"]["code"]), (&json!("failed"), &json!("returned")));
    let after = world.find_intent(id(&intent)).await;
    assert_eq!((&after["refunded"], &after["refundable"]), (&ils("0.00"), &ils("200.00")), "still set apart");
    let balances = world.balances().await;
    assert_eq!(balances["refunds/payable ILS"], -1_000);
    assert!(!balances.contains_key("bank/main-ils ILS"), "{balances:?}");
    let breaks = finance(&world, "breaks").await;
    assert_eq!(breaks["data"][0]["category"], "refund_returned");

    let path = format!("/v1/finance/refunds/{}/give-up", id(&refund));
    let agree = format!("{path}/approve");
    let alone = world.people.approver.client.post(&agree, &json!({})).await.unwrap();
    assert_eq!(
        (alone.status, &alone.json["code"]),
        (409, &json!("refund_not_approvable")),
        "nobody proposed it"
    );
    let reason = json!({ "note": "nobody answers" });
    let proposed = world.people.reconciler.client.post(&path, &reason).await.unwrap();
    assert_eq!((proposed.status, &proposed.json["stage"]), (200, &json!("returned")), "{}", proposed.json);
    assert_eq!(proposed.json["proposal"]["note"], "nobody answers");
    let given_up = world.people.approver.client.post(&agree, &json!({})).await.unwrap();
    assert_eq!(given_up.json["note"], "nobody answers");
    assert_eq!((given_up.status, &given_up.json["stage"]), (200, &json!("unclaimed")), "{}", given_up.json);
    assert_eq!(world.balances().await["treasury/general/unclaimed ILS"], -1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_in_suspense_is_given_back_by_staff() {
    let world = World::new().await;
    notice(&world, "card", "T-UNKNOWN", None, 7_000).await;
    let mut conn = world.app.pool.acquire().await.unwrap();
    let item = suspense::store::page_open(&mut conn).await.unwrap().remove(0);
    let body = |refundable: &str| json!({ "source": item.id, "amount": ils("30.00"), "reason": "EXAMPLE", "refundable": ils(refundable) });
    let portal = world.portal().post("/v1/refunds", &body("70.00")).await.unwrap();
    assert_eq!(portal.status, 404, "no payment of this portal");
    let clerk = &world.people.reconciler.client;
    let refund = clerk.post("/v1/finance/refunds", &body("70.00")).await.unwrap();
    assert_eq!((refund.status, &refund.json["method"]), (201, &json!("original")), "{}", refund.json);
    let second = clerk.post("/v1/finance/refunds", &body("70.00")).await.unwrap();
    assert_eq!((second.status, &second.json["refundable"]), (412, &ils("40.00")), "the first holds its part");
    approve(&world, &refund.json).await;
    let balances = world.balances().await;
    assert_eq!((balances["suspense/card/credits ILS"], balances["refunds/payable ILS"]), (-4_000, -3_000));
    let left = suspense::store::page_open(&mut conn).await.unwrap().remove(0).left;
    assert_eq!(left, Money::new(4_000, Currency::ILS), "what is listed is what the account holds");

    // The gateway does not know the transaction; the payer's account does.
    work(&world).await;
    let failed = staff_view(&world, &refund.json).await;
    assert_eq!(failed["failure"]["code"], "unknown_transaction", "{failed}");
    let path = |act: &str| format!("/v1/finance/refunds/{}/{act}", id(&refund.json));
    let payee = json!({ "payee": { "name": "A payer (example)", "iban": PAYER_ACCOUNT } });
    assert_eq!(clerk.post(&path("payee"), &payee).await.unwrap().status, 200);
    world.people.approver.client.post(&path("send-again"), &json!({})).await.unwrap();
    send(&world).await;
    let submitted = staff_view(&world, &refund.json).await;
    assert_eq!((&submitted["stage"], &submitted["method"]), (&json!("submitted"), &json!("transfer")));
    let listed = finance(&world, &format!("refunds?source={}", item.id)).await;
    assert_eq!(listed["data"][0]["id"], refund.json["id"]);
}
