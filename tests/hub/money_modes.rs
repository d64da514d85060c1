//! Who holds the money: one service pooled in the hub's account, one paid to its agency by the gateway itself.

use mizan::access::Role;
use mizan::inbox;
use serde_json::{Value, json};

use crate::refunds;
use crate::world::{TODAY, World};

pub const TOMORROW: &str = "2026-11-23";

pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap()
}

impl World {
    async fn opened(&self, services: Value, reference: &str) -> Value {
        let body = json!({ "currency": "ILS", "lines": services, "external_reference": reference });
        let reply = self.portal().post("/v1/payment-intents", &body).await.unwrap();
        assert_eq!(reply.status, 201, "{}", reply.json);
        reply.json
    }

    /// A health certificate for two workers: 80.00, of which the ministry is paid by the gateway itself.
    pub async fn certificate(&self, reference: &str) -> Value {
        let line = json!({ "service": "health/health-certificate", "inputs": { "workers": 2 } });
        self.opened(json!([line]), reference).await
    }

    /// Pays on a channel up to the hub's books, when the gateway tells of it.
    pub async fn pay_on(&self, channel: &str, intent: &Value, notices: i64) -> Value {
        let chosen = self.form(text(intent, "/pay_url"), &format!("channel={channel}")).await;
        assert_eq!(chosen.status(), 303, "{}", chosen.text().await.unwrap());
        let page = chosen.headers()["location"].to_str().unwrap().to_owned();
        self.decide(&page, "approve").await;
        self.settle(notices).await;
        self.find_intent(text(intent, "/id")).await
    }

    pub async fn day_proof(&self) -> Value {
        self.proof_of(TODAY).await
    }

    /// After [`TODAY`] has ended: the next day comes, and ends.
    pub async fn next_day(&self) {
        self.clock.advance(jiff::SignedDuration::from_hours(24));
        while refunds::work(self).await > 0 {}
        self.end_day(TOMORROW).await;
    }

    /// The gateway's news of a refund comes and is applied.
    pub async fn hear_refund(&self, refund: &Value, stage: &str) {
        for _ in 0..200 {
            while inbox::jobs::post_once(&self.app).await.unwrap() > 0 {}
            refunds::work(self).await;
            if refunds::staff_view(self, refund).await["stage"] == stage {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the refund is not {stage}: {}", refunds::staff_view(self, refund).await);
    }
}

pub fn line<'a>(proof: &'a Value, account: &str) -> &'a Value {
    proof["accounts"].as_array().unwrap().iter().find(|one| one["account"] == account).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_service_pooled_and_one_direct_tie_from_quote_to_proof() {
    let world = World::new().await;
    let pooled = world.intent("CASE-1").await;
    world.pay_by_card(&pooled).await;
    let direct = world.certificate("CASE-2").await;
    let paid = world.pay_on("card-health", &direct, 1).await;
    assert_eq!((text(&paid, "/state"), text(&paid, "/settlement")), ("paid", "in_transit"));

    // 80.00 x 0.0145 = 1.16, + 0.50: the ministry gets the net, so it bears the cost.
    let balances = world.balances().await;
    assert_eq!(balances["channel/card-health/receivable ILS"], 8_000);
    assert_eq!(balances["agency/health/direct ILS"], -8_000 + 166);
    assert!(!balances.contains_key("agency/health/payable ILS"), "no payout draws on it: {balances:?}");
    assert!(!balances.contains_key("agency/health/held ILS"), "{balances:?}");
    assert!(!balances.contains_key("hub/costs/card-health ILS"), "{balances:?}");
    let before = world.day_proof().await;
    assert_eq!(before["tied"], true, "{before:#}");

    let summary = world.end_day(TODAY).await;
    assert_eq!(summary["settlements"], 2, "{summary}");
    let balances = world.balances().await;
    for gone in [
        "channel/card-health/receivable ILS",
        "channel/card-health/costs_payable ILS",
        "agency/health/direct ILS",
        "channel/card/receivable ILS",
    ] {
        assert!(!balances.contains_key(gone), "{gone}: {balances:?}");
    }
    let (pooled, direct) =
        (world.find_intent(text(&pooled, "/id")).await, world.find_intent(text(&direct, "/id")).await);
    assert_eq!((text(&pooled, "/settlement"), text(&direct, "/settlement")), ("at_bank", "direct"));
    let proof = world.day_proof().await;
    assert_eq!(proof["tied"], true, "{proof:#}");
    let health = line(&proof, "agency/health");
    let moved: Vec<&str> =
        health["movements"].as_array().unwrap().iter().map(|one| text(one, "/movement")).collect();
    assert_eq!(moved, ["collected", "costs", "received_directly"]);
    assert_eq!((text(health, "/closing"), text(health, "/listed")), ("0.00", "0.00"));
    assert_eq!(world.breaks().await, []);
    // Again, and nothing moves.
    world.reconcile().await;
    assert_eq!(world.balances().await, balances);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_carries_only_money_of_its_own_holder_and_the_page_says_why() {
    let world = World::new().await;
    let passport = json!({ "service": "interior/passport", "inputs": { "reason": "new", "urgent": false } });
    let certificate = json!({ "service": "health/health-certificate", "inputs": { "workers": 2 } });
    let shown = async |services: Value, reference: &str| {
        let intent = world.opened(services, reference).await;
        let page = world.http.get(text(&intent, "/pay_url")).send().await.unwrap();
        (intent, page.text().await.unwrap())
    };
    let offers = |page: &str, channel: &str| page.contains(&format!("value=\"{channel}\""));

    let (_, page) = shown(json!([passport]), "CASE-1").await;
    assert!(offers(&page, "card") && !offers(&page, "card-health") && !offers(&page, "transfer"), "{page}");
    assert!(page.contains("إحدى خدمات الفاتورة لا تُدفع بهذه الطريقة"), "{page}");
    let (direct, page) = shown(json!([certificate]), "CASE-2").await;
    assert!(offers(&page, "card-health") && !offers(&page, "card"), "{page}");
    assert!(page.contains("أموال إحدى خدمات الفاتورة تذهب بطريق آخر"), "{page}");
    // A basket of both is one that nobody could pay.
    let body = json!({ "currency": "ILS", "lines": [passport, certificate], "external_reference": "CASE-3" });
    let both = world.portal().post("/v1/payment-intents", &body).await.unwrap();
    assert_eq!((both.status, text(&both.json, "/code")), (409, "channel_unavailable"), "{}", both.json);
    assert!(text(&both.json, "/detail").contains("card-health: the money of a service"), "{}", both.json);
    let left = world.portal().get("/v1/payment-intents?external_reference=CASE-3").await.unwrap().json;
    assert_eq!(left["data"], json!([]), "{left}");

    let refused = world.form(text(&direct, "/pay_url"), "channel=card").await;
    assert_eq!(refused.status(), 409);
    let body = refused.text().await.unwrap();
    assert!(body.contains("channel_unavailable"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_payment_that_was_not_told_of_is_found_in_the_report_of_another() {
    let world = World::new().await;
    world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    world.control("faults", json!({ "callback": "lost" })).await;
    let lost = world.pay_on("card-health", &world.certificate("CASE-2").await, 0).await;
    assert_eq!(text(&lost, "/state"), "processing");
    world.end_day(TODAY).await;
    let found = world.find_intent(text(&lost, "/id")).await;
    assert_eq!((text(&found, "/state"), text(&found, "/settlement")), ("paid", "direct"));
    assert_eq!(world.breaks().await, [("missing_in_hub".to_owned(), "self_resolved".to_owned())]);
    assert_eq!(world.day_proof().await["tied"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_payment_found_the_next_morning_leaves_the_day_before_proved() {
    let world = World::new().await;
    world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    world.control("faults", json!({ "callback": "lost" })).await;
    let lost = world.pay_on("card-health", &world.certificate("CASE-2").await, 0).await;
    world.control("day", json!({ "close": TODAY })).await;
    world.clock.advance(jiff::SignedDuration::from_hours(24));
    mizan::recon::run::reconcile(&world.app).await.unwrap();
    assert_eq!(text(&world.find_intent(text(&lost, "/id")).await, "/state"), "paid");
    assert!(!world.balances().await.contains_key("channel/card-health/receivable ILS"));
    let proof = world.day_proof().await;
    assert_eq!(proof["tied"], true, "{proof:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cost_beside_the_contract_is_the_agencys_where_it_gets_the_net() {
    for added in ["1.00", "-0.40"] {
        let world = World::new().await;
        world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
        world.control("faults", json!({ "settlement_cost": added })).await;
        world.end_day(TODAY).await;
        let balances = world.balances().await;
        assert!(balances.is_empty(), "{added}: {balances:?}");
        assert_eq!(world.breaks().await, [("cost_variance".to_owned(), "open".to_owned())]);
        assert_eq!(world.day_proof().await["tied"], true, "{added}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_taken_back_from_the_agency_stays_open_until_somebody_explains_it() {
    let world = World::new().await;
    let paid = world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    world.end_day(TODAY).await;
    world.control("reversals", json!({ "merchant": "health", "order": paid["attempts"][0]["id"] })).await;
    world.settle(1).await;
    world.next_day().await;
    let balances = world.balances().await;
    assert_eq!(balances["channel/card-health/receivable ILS"], 8_000);
    assert_eq!(balances["agency/health/direct ILS"], -8_000);
    assert_eq!(world.breaks().await, [("reversed".to_owned(), "open".to_owned())]);
    assert_eq!(world.proof_of(TOMORROW).await["tied"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_book_refuses_of_a_direct_settlement_stands_aside_with_its_amount() {
    let world = World::new().await;
    world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    let floor = |minor: &str| {
        let account = "select id from ledger.accounts where code = 'agency/health/direct'";
        format!("update ledger.balances set floor_minor = {minor} where account_id = ({account})")
    };
    world.tamper(&floor("1")).await;
    world.end_day(TODAY).await;
    assert_eq!(world.breaks().await, [("settlement_set_aside".to_owned(), "open".to_owned())]);
    let listed = world.people.reconciler.client.get("/v1/finance/breaks?open=true").await.unwrap().json;
    assert_eq!(listed["data"][0]["money"], json!({ "amount": "78.34", "currency": "ILS" }), "{listed}");
    assert_eq!(listed["data"][0]["detail"]["paid_to"], "agency/health", "{listed}");
    assert_eq!(world.balances().await["channel/card-health/receivable ILS"], 8_000);

    world.tamper(&floor("null")).await;
    world.reconcile().await;
    assert!(world.balances().await.is_empty(), "{:?}", world.balances().await);
    assert_eq!(world.breaks().await, [("settlement_set_aside".to_owned(), "self_resolved".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_is_paid_for_its_service_covers_what_channels_keep() {
    let world = World::new().await;
    let card = json!([{ "service": "interior/identity-card", "inputs": { "reason": "first" } }]);
    let report = json!([{ "service": "psi/testing-report", "inputs": { "samples": 40, "urgent": true } }]);
    for (services, reference) in [(card, "CASE-1"), (report, "CASE-2")] {
        let intent = world.opened(services, reference).await;
        world.pay_on("card", &intent, 1).await;
        let balances = world.balances().await;
        let (fees, costs) = (-balances["hub/fees ILS"], balances["hub/costs/card ILS"]);
        assert!(fees >= costs, "{reference}: {fees} of fees, {costs} of costs");
    }
    world.end_day(TODAY).await;
    let proof = world.day_proof().await;
    assert_eq!((&proof["tied"], &proof["alarms"]), (&json!(true), &json!([])), "{proof:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_treasury_has_its_list_by_agency_and_code() {
    let world = World::new().await;
    let passport = world.intent("CASE-1").await;
    world.pay_by_card(&passport).await;
    let report = json!([{ "service": "psi/testing-report", "inputs": { "samples": 1, "urgent": false } }]);
    world.pay_on("card", &world.opened(report, "CASE-2").await, 1).await;
    let paid = world.find_intent(text(&passport, "/id")).await;
    let refund = refunds::requested(&world, &paid, "63.00").await;
    refunds::approve(&world, &refund).await;
    let path = format!("/v1/finance/reports/treasury?date={TODAY}");
    let list = world.people.reconciler.client.get(&path).await.unwrap();
    assert_eq!(list.status, 200, "{}", list.json);
    let ils = |amount: &str| json!({ "amount": amount, "currency": "ILS" });
    let wanted = json!([{ "currency": "ILS", "net": ils("147.00"), "lines": [{
        "agency": "interior", "gl": "1421", "payments": 1,
        "collected": ils("210.00"), "refunded": ils("63.00"), "net": ils("147.00"),
    }] }]);
    assert_eq!(list.json["totals"], wanted, "pooled money and the hub's own fee are not the treasury's");
    let portal = world.get(&path).await;
    assert_eq!((portal.status, portal.json["code"].as_str()), (403, Some("forbidden_scope")));

    // A refund that is canceled later leaves the list of its day as it is, and stands on the list of its own.
    world.clock.set("2026-11-23T08:00:00Z".parse().unwrap());
    let cancel = format!("/v1/finance/refunds/{}/cancel", refunds::id(&refund));
    let another = world.staff("another", &[Role::Approver]).await;
    let canceled = another.post(&cancel, &json!({ "note": "asked for twice" })).await.unwrap();
    assert_eq!(canceled.status, 200, "{}", canceled.json);
    let again = world.people.reconciler.client.get(&path).await.unwrap();
    assert_eq!(again.json["totals"], wanted);
    let next = "/v1/finance/reports/treasury?date=2026-11-23";
    let next = world.people.reconciler.client.get(next).await.unwrap().json;
    assert_eq!(next["totals"][0]["net"], ils("63.00"), "{next}");
    assert_eq!(next["totals"][0]["lines"][0]["refunded"], ils("-63.00"), "{next}");
}

/// From tomorrow on somebody else holds an agency's money: the lists of the days before stay as they were.
#[tokio::test(flavor = "multi_thread")]
async fn the_treasurys_list_of_a_past_day_does_not_follow_a_new_money_mode() {
    let world = World::new().await;
    world.pay_by_card(&world.intent("CASE-1").await).await;
    let list = async |day: &str| {
        let path = format!("/v1/finance/reports/treasury?date={day}");
        world.people.reconciler.client.get(&path).await.unwrap().json["totals"].clone()
    };
    let before = list(TODAY).await;
    assert_eq!(before[0]["lines"][0]["agency"], "interior", "{before}");

    world.clock.set("2026-11-23T08:00:00Z".parse().unwrap());
    crate::two_people::approve_files(&world, "hukumati", |text| {
        text.replacen("money = [{ mode = \"treasury\" }]", "money = [{ mode = \"pooled\" }]", 1)
    })
    .await;
    world.pay_by_card(&world.intent("CASE-2").await).await;
    assert_eq!(list(TODAY).await, before);
    assert_eq!(list(TOMORROW).await, json!([]), "what is pooled is not the treasury's");
}
