//! What became of the services that were paid, as their agencies report it.

use mizan::access::{self, NewKey, Owner, Scope};
use mizan::client::{Client, Reply};
use mizan::fulfilment::jobs::WORK;
use mizan::http::signature::SigningKey;
use mizan::queue::worker;
use mizan::refunds;
use mizan::tx::Actor;
use serde_json::{Value, json};

use crate::refunds::{advance, approve, id, ils, paid_passport, requested};
use crate::world::World;

impl World {
    async fn proposals(&self) -> Vec<(String, String)> {
        refunds::jobs::work_once(&self.app).await.unwrap();
        let waiting = self.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
        let text = |one: &Value, pointer: &str| one.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let listed = waiting["data"].as_array().unwrap().iter();
        listed.map(|one| (text(one, "/requested_by"), text(one, "/amount/amount"))).collect()
    }
}

/// The key of an agency's own system.
pub async fn agency(world: &World, code: &str) -> Client {
    let signing = SigningKey::ed25519(&[9; 32]).unwrap();
    let key_id = format!("test_{code}");
    let key = NewKey {
        key_id: key_id.clone(),
        owner: Owner::Portal(world.people.portal),
        material: signing.verify_key(),
        scopes: vec![Scope::Fulfil(code.to_owned())],
        created_at: world.app.clock.now(),
    };
    let actor = Actor::hub("test");
    world.app.run(&actor, &key, |tx, key| Box::pin(access::service::add_key(tx, key))).await.unwrap();
    let (clock, entropy) = (world.app.clock.clone(), world.app.hub.entropy.clone());
    Client::new(&world.base, &key_id, signing, clock, entropy)
}

pub async fn report(agency: &Client, intent: &Value, lines: Value) -> Reply {
    let path = format!("/v1/payment-intents/{}/fulfilment", id(intent));
    agency.post(&path, &json!({ "lines": lines })).await.unwrap()
}

pub fn delivered() -> Value {
    json!([{ "line": 0, "outcome": "delivered" }])
}

pub fn rejected() -> Value {
    json!([{ "line": 0, "outcome": "rejected", "reason": "a document is missing (example)" }])
}

async fn events(world: &World, kind: &str) -> usize {
    mizan::events::publisher::publish_once(&world.app).await.unwrap();
    let feed = world.get("/v1/events?limit=100").await.json;
    feed["data"].as_array().unwrap().iter().filter(|event| event["type"] == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_releases_what_was_held_and_ends_its_refund() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let refund = requested(&world, &intent, "63.00").await;
    approve(&world, &refund).await;
    let agency = agency(&world, "interior").await;
    let told = report(&agency, &intent, delivered()).await;
    assert_eq!(told.status, 200, "{}", told.json);
    let own_lines = json!([{ "line": 0, "outcome": "delivered" }]);
    assert_eq!(told.json, json!({ "id": intent["id"], "fulfilment": own_lines }), "and nothing of who paid");
    let balances = world.balances().await;
    assert_eq!(balances["agency/interior/payable ILS"], -31_500 + 6_300, "what no refund has taken");
    assert!(!balances.contains_key("agency/interior/held ILS"), "{balances:?}");
    let after = world.find_intent(id(&intent)).await;
    assert_eq!(after["refundable"], ils("0.00"));
    assert_eq!(events(&world, "fulfilment.delivered").await, 1);

    let again = report(&agency, &intent, delivered()).await;
    assert_eq!(again.status, 200, "{}", again.json);
    assert_eq!(world.balances().await, balances, "the same report moves nothing");
    assert_eq!(events(&world, "fulfilment.delivered").await, 1);
    let late = json!({ "source": intent["id"], "reason": "EXAMPLE", "refundable": ils("0.00") });
    let late = world.portal().post("/v1/refunds", &late).await.unwrap();
    assert_eq!((late.status, &late.json["code"]), (409, &json!("over_refund")));
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_proposes_to_give_the_money_back_the_way_it_came() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let agency = agency(&world, "interior").await;
    let told = report(&agency, &intent, rejected()).await;
    assert_eq!((told.status, &told.json["fulfilment"][0]["outcome"]), (200, &json!("rejected")));
    assert_eq!(events(&world, "fulfilment.rejected").await, 1);
    assert_eq!(world.proposals().await, [("hub:refunds".to_owned(), "315.00".to_owned())]);
    assert_eq!(world.find_intent(id(&intent)).await["refundable"], ils("0.00"), "all of it is asked for");
    let back = report(&agency, &intent, delivered()).await;
    assert_eq!((back.status, &back.json["code"]), (409, &json!("already_decided")));

    let waiting = world.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
    assert_eq!(approve(&world, &waiting["data"][0]).await["stage"], "approved");
    let balances = world.balances().await;
    assert!(!balances.contains_key("agency/interior/held ILS"), "{balances:?}");
    assert_eq!(balances["refunds/payable ILS"], -31_500);
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_reported_by_mistake_is_corrected_and_refunded_from_what_was_released() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let agency = agency(&world, "interior").await;
    report(&agency, &intent, delivered()).await;
    let corrected = report(&agency, &intent, rejected()).await;
    assert_eq!(corrected.status, 200, "{}", corrected.json);
    assert_eq!(world.find_intent(id(&intent)).await["refundable"], ils("315.00"));
    assert_eq!(world.proposals().await, [("hub:refunds".to_owned(), "315.00".to_owned())]);
    let waiting = world.people.approver.client.get("/v1/finance/refunds").await.unwrap().json;
    approve(&world, &waiting["data"][0]).await;
    let balances = world.balances().await;
    assert!(!balances.contains_key("agency/interior/payable ILS"), "{balances:?}");
    world.tied().await;
}

/// A refund asked for before the delivery and refused after it: what it held is the agency's like the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_refused_after_the_delivery_leaves_nothing_refundable_and_the_report_can_be_corrected() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let refund = requested(&world, &intent, "63.00").await;
    let agency = agency(&world, "interior").await;
    report(&agency, &intent, delivered()).await;
    let path = format!("/v1/finance/refunds/{}/refuse", id(&refund));
    let refused = world.people.approver.client.post(&path, &json!({ "note": "EXAMPLE" })).await.unwrap();
    assert_eq!(refused.status, 200, "{}", refused.json);
    assert_eq!(world.find_intent(id(&intent)).await["refundable"], ils("0.00"));
    let corrected = report(&agency, &intent, rejected()).await;
    assert_eq!(corrected.status, 200, "{}", corrected.json);
    assert_eq!(world.find_intent(id(&intent)).await["refundable"], ils("315.00"));
    world.tied().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_agency_of_a_paid_line_reports_it() {
    let world = World::new().await;
    let intent = paid_passport(&world, "CASE-1").await;
    let portal = report(world.portal(), &intent, delivered()).await;
    assert_eq!((portal.status, &portal.json["code"]), (403, &json!("forbidden_scope")));
    let other = agency(&world, "psi").await;
    let refused = report(&other, &intent, delivered()).await;
    assert_eq!((refused.status, &refused.json["code"]), (403, &json!("forbidden_scope")));

    let agency = agency(&world, "interior").await;
    let open = world.intent("CASE-2").await;
    let early = report(&agency, &open, delivered()).await;
    assert_eq!((early.status, &early.json["code"]), (409, &json!("intent_not_paid")));
    for (lines, field) in [
        (json!([]), "/lines"),
        (json!([{ "line": 0, "outcome": "rejected" }]), "/lines/0/reason"),
        (json!([{ "line": 7, "outcome": "delivered" }]), "/lines/0/line"),
        (json!([delivered()[0], delivered()[0]]), "/lines/1/line"),
    ] {
        let reply = report(&agency, &intent, lines).await;
        assert_eq!((reply.status, &reply.json["errors"][0]["field"]), (422, &json!(field)), "{}", reply.json);
    }
    assert_eq!(world.balances().await["agency/interior/held ILS"], -31_500, "nothing was released");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reports_is_released_by_time_and_is_a_break() {
    let world = World::new().await;
    let body = json!({
        "currency": "ILS", "external_reference": "CASE-1",
        "lines": [{ "service": "psi/standards-subscription", "inputs": { "plan": "single" } }],
    });
    let intent = world.portal().post("/v1/payment-intents", &body).await.unwrap();
    assert_eq!(intent.status, 201, "{}", intent.json);
    world.pay_by_card(&intent.json).await;
    let held = world.balances().await["agency/psi/held ILS"];
    assert!(held < 0);
    advance(&world, 13 * 86_400);
    assert_eq!(worker::work_once(&world.app, &WORK).await.unwrap(), 0, "not yet");
    advance(&world, 86_400);
    assert_eq!(worker::work_once(&world.app, &WORK).await.unwrap(), 1);
    let balances = world.balances().await;
    assert_eq!(balances["agency/psi/payable ILS"], held);
    assert!(!balances.contains_key("agency/psi/held ILS"), "{balances:?}");
    let silent = |state: &str| ("paid_not_delivered".to_owned(), state.to_owned());
    assert_eq!(world.breaks().await, [silent("open")]);

    let told = report(&agency(&world, "psi").await, &intent.json, delivered()).await;
    assert_eq!(told.status, 200, "{}", told.json);
    assert_eq!(world.breaks().await, [silent("self_resolved")]);
    assert_eq!(world.balances().await, balances, "it was released before");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_direct_money_nothing_is_held_and_nothing_released() {
    let world = World::new().await;
    let paid = world.pay_on("card-health", &world.certificate("CASE-1").await, 1).await;
    let before = world.balances().await;
    let told = report(&agency(&world, "health").await, &paid, delivered()).await;
    assert_eq!((told.status, &told.json["fulfilment"][0]["outcome"]), (200, &json!("delivered")));
    assert_eq!(world.balances().await, before);
    world.tied().await;
}
