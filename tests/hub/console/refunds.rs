//! Refunds in the console: seen by all officers, decided by another person than who asked.

use serde_json::{Value, json};

use super::{Browser, field};
use crate::refunds::{id, paid_passport, requested, staff_view};
use crate::world::{TODAY, World};

/// A refund of 63.00 that waits, and the path of its page.
async fn waiting(world: &World) -> (Value, String) {
    let intent = paid_passport(world, "CASE-1").await;
    let refund = requested(world, &intent, "63.00").await;
    let path = format!("/console/refunds/{}", id(&refund));
    (refund, path)
}

async fn stage(world: &World, refund: &Value) -> String {
    staff_view(world, refund).await["stage"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approver_decides_with_a_form_of_his_own_session() {
    let world = World::new().await;
    let (refund, path) = waiting(&world).await;
    let browser = Browser::of(&world, &world.people.approver).await;
    for (lang, dir, said, policy) in
        [("en", "ltr", "Another", "Until delivered"), ("ar", "rtl", "القرار", "حتى تقديم الخدمة")]
    {
        browser.speak(lang).await;
        let list = browser.get("/console/refunds").await.html;
        assert!(list.contains(&path) && list.contains("63.00"), "{list}");
        let html = browser.get(&path).await.html;
        assert!(html.contains(&format!("dir=\"{dir}\"")) && html.contains(policy), "{html}");
        assert!(html.contains("CASE-1") && html.contains("425.38") && html.contains("252.00"), "{html}");
        assert!(lang == "en" || html.contains(said), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }
    browser.speak("en").await;
    let csrf = field(&browser.get(&path).await.html, "csrf").to_owned();
    let forged = browser.post(&format!("{path}/approve"), "csrf=guess&note=").await;
    assert_eq!(forged.status, 403);
    assert_eq!(stage(&world, &refund).await, "requested", "a form of another site changes nothing");

    let decided = browser.post(&format!("{path}/approve"), &format!("csrf={csrf}&note=seen")).await;
    assert_eq!((decided.status, decided.to.as_str()), (303, path.as_str()), "{}", decided.html);
    assert_eq!(stage(&world, &refund).await, "approved");
    assert_eq!(world.balances().await["refunds/payable ILS"], -6_300);
    let after = browser.get(&path).await.html;
    assert!(after.contains("The decision has been taken") && after.contains("Approver (example)"), "{after}");
    assert!(!browser.get("/console/refunds").await.html.contains(&path), "it waits no more");
    assert!(browser.get("/console/refunds?show=all").await.html.contains(&path));
    let twice = browser.post(&format!("{path}/refuse"), &format!("csrf={csrf}&note=no")).await;
    assert_eq!(twice.status, 409);
    assert!(twice.html.contains("does not wait for a decision any more"), "{}", twice.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why() {
    let world = World::new().await;
    let (refund, path) = waiting(&world).await;
    let browser = Browser::of(&world, &world.people.approver).await;
    let csrf = field(&browser.get(&path).await.html, "csrf").to_owned();
    let silent = browser.post(&format!("{path}/refuse"), &format!("csrf={csrf}&note=+")).await;
    assert_eq!(silent.status, 422);
    assert!(silent.html.contains("Write why you refuse"), "{}", silent.html);
    let long = "x".repeat(501);
    let long = browser.post(&format!("{path}/refuse"), &format!("csrf={csrf}&note={long}")).await;
    assert_eq!(long.status, 422);
    assert_eq!(stage(&world, &refund).await, "requested");
    let refused = browser.post(&format!("{path}/refuse"), &format!("csrf={csrf}&note=%3Cb%3Eserved")).await;
    assert_eq!(refused.status, 303, "{}", refused.html);
    assert_eq!(stage(&world, &refund).await, "refused");
    assert!(browser.get(&path).await.html.contains("&lt;b&gt;served"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_is_told_that_another_person_decides() {
    let world = World::new().await;
    let (refund, path) = waiting(&world).await;
    let reconciler = Browser::of_reconciler(&world).await;
    let html = reconciler.get(&path).await.html;
    assert!(html.contains("waits for a person with the duty to approve"), "{html}");
    assert!(!html.contains("/approve"), "{html}");
    let csrf = field(&html, "csrf").to_owned();
    let refused = reconciler.post(&format!("{path}/approve"), &format!("csrf={csrf}&note=")).await;
    assert_eq!(refused.status, 403, "who has not the duty does not approve");

    let approver = &world.people.approver;
    world.tamper(&format!("update refunds set requested_by = '{}'", approver.id)).await;
    let browser = Browser::of(&world, approver).await;
    let html = browser.get(&path).await.html;
    assert!(html.contains("You asked for this refund") && !html.contains("/approve"), "{html}");
    assert!(browser.get("/console/refunds").await.html.contains("your own"));
    let csrf = field(&html, "csrf").to_owned();
    for act in ["approve", "refuse"] {
        let own = browser.post(&format!("{path}/{act}"), &format!("csrf={csrf}&note=mine")).await;
        assert_eq!(own.status, 403, "{act}");
        assert!(own.html.contains("You asked for this refund yourself"), "{}", own.html);
    }
    assert_eq!(stage(&world, &refund).await, "requested");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agency_paid_in_is_named_by_one_officer_and_taken_by_another() {
    let world = World::new().await;
    let refund = crate::direct_refunds::failed(&world).await;
    world.transfer(crate::recon::ILS, "100.00", "ILS", None, "for the refund (example)").await;
    world.next_day().await;
    let path = format!("/console/refunds/{}", id(&refund));
    let one = Browser::of_reconciler(&world).await;
    let html = one.get(&path).await.html;
    let (csrf, item) = (field(&html, "csrf").to_owned(), html.split("<option value=\"su_").nth(1).unwrap());
    let item = format!("su_{}", item.split('"').next().unwrap());
    let propose = async |amount: &str| {
        one.post(&format!("{path}/pay-ins"), &format!("csrf={csrf}&item={item}&amount={amount}")).await
    };
    for (amount, status) in [("90.00", 422), ("0.00", 422), ("-1", 422), ("1.005", 422), ("x", 422)] {
        assert_eq!(propose(amount).await.status, status, "{amount}");
    }
    let forged = one.post(&format!("{path}/pay-ins"), &format!("csrf=guess&item={item}&amount=")).await;
    assert_eq!(forged.status, 403);
    let named = propose("").await;
    assert_eq!((named.status, named.to.as_str()), (303, path.as_str()), "{}", named.html);
    assert_eq!(propose("").await.status, 409, "named once");

    let html = one.get(&path).await.html;
    assert!(html.contains("80.00") && !html.contains("/approve\""), "who named does not decide: {html}");
    let other = Browser::of(&world, &world.people.approver).await;
    let html = other.get(&path).await.html;
    let approve = super::link(&html.replace("formaction=", "href="), &format!("{path}/pay-ins/"));
    let csrf = field(&html, "csrf").to_owned();
    let refuse = approve.replace("/approve", "/refuse");
    assert_eq!(other.post(&refuse, &format!("csrf={csrf}&note=")).await.status, 422, "a refusal says why");
    let taken = other.post(&approve, &format!("csrf={csrf}&note=seen")).await;
    assert_eq!((taken.status, taken.to.as_str()), (303, path.as_str()), "{}", taken.html);
    assert_eq!(world.balances().await["agency/health/payable ILS"], -8_000);
    assert_eq!(other.post(&approve, &format!("csrf={csrf}&note=")).await.status, 409);
    assert!(other.get(&path).await.html.contains("Entered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_sees_what_its_channel_has_not_paid_in_yet() {
    let world = World::new().await;
    let (refund, path) = waiting(&world).await;
    let browser = Browser::of_reconciler(&world).await;
    let seen = staff_view(&world, &refund).await;
    assert_eq!(seen["outstanding"], json!({ "amount": "425.38", "currency": "ILS" }), "{seen}");
    assert!(browser.get(&path).await.html.contains("Not yet paid in by the channel"));
    world.end_day(TODAY).await;
    assert_eq!(staff_view(&world, &refund).await["outstanding"], Value::Null);
    let after = browser.get(&path).await.html;
    assert!(after.contains("63.00") && !after.contains("Not yet paid in by the channel"), "{after}");
}
