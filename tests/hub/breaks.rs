//! How breaks end that no news will end: two people say what it was.

use mizan::access::Scope;
use mizan::client::Client;
use serde_json::{Value, json};

use crate::world::World;

async fn step(client: &Client, found: &Value, act: &str, body: &Value) -> (u16, Value) {
    let path = format!("/v1/finance/breaks/{}/{act}", found["id"].as_str().unwrap());
    let reply = client.post(&path, body).await.unwrap();
    (reply.status, reply.json)
}

async fn only(world: &World) -> Value {
    let listed = world.people.reconciler.client.get("/v1/finance/breaks").await.unwrap().json;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");
    listed["data"][0].clone()
}

fn note(text: &str) -> Value {
    json!({ "note": text })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_news_will_end_two_people_end() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    world.tell("card", &order, "T-EXAMPLE-1", ("215.25", "ILS")).await;
    world.tell("card", &order, "T-EXAMPLE-1", ("216.25", "ILS")).await;
    world.settle(1).await;
    let altered = only(&world).await;
    let (clerk, approver) = (&world.people.reconciler.client, &world.people.approver.client);
    let asked = note("The gateway says: the first is true (example)");

    assert_eq!(step(approver, &altered, "approve", &asked).await.1["code"], "already_decided");
    assert_eq!(step(world.portal(), &altered, "propose", &asked).await.1["code"], "forbidden_scope");
    assert_eq!(step(clerk, &altered, "propose", &json!({})).await.0, 422, "it says what it was");
    let (status, proposed) = step(clerk, &altered, "propose", &asked).await;
    assert_eq!(
        (status, &proposed["state"], &proposed["resolution"]),
        (200, &json!("proposed"), &asked["note"])
    );
    assert_eq!(step(clerk, &altered, "approve", &asked).await.1["code"], "forbidden_scope");
    let (status, refused) = step(approver, &altered, "refuse", &note("Show their letter (example)")).await;
    assert_eq!((status, &refused["state"], &refused["proposed_by"]), (200, &json!("open"), &Value::Null));

    let both = world.both(vec![Scope::Reconcile, Scope::Approve]).await;
    assert_eq!(step(&both, &altered, "propose", &asked).await.0, 200);
    let (status, same) = step(&both, &altered, "approve", &asked).await;
    assert_eq!((status, &same["code"]), (403, &json!("same_person")), "{same}");
    let (status, other) = step(approver, &altered, "approve", &note("Another text (example)")).await;
    assert_eq!((status, &other["code"]), (412, &json!("other_note")), "{other}");
    let (status, resolved) = step(approver, &altered, "approve", &asked).await;
    assert_eq!((status, &resolved["state"]), (200, &json!("resolved")), "{resolved}");
    assert!(resolved["resolved_at"].is_string() && resolved["approved_by"] != resolved["proposed_by"]);
    assert_eq!(step(clerk, &altered, "propose", &asked).await.1["code"], "already_decided");

    // Told once more with yet other money, it waits again, and the agreement of before does not count.
    world.tell("card", &order, "T-EXAMPLE-1", ("217.25", "ILS")).await;
    assert_eq!(only(&world).await["state"], "reopened");
    assert_eq!(step(approver, &altered, "approve", &asked).await.1["code"], "already_decided");
    let (_, again) = step(clerk, &altered, "propose", &asked).await;
    assert_eq!((&again["state"], &again["approved_by"]), (&json!("proposed"), &Value::Null));

    // What was proposed was said of 217.25: of 9217.25 it is not.
    world.tell("card", &order, "T-EXAMPLE-1", ("9217.25", "ILS")).await;
    let last = only(&world).await;
    assert_eq!((&last["state"], &last["detail"]["amount"]["amount"]), (&json!("open"), &json!("9217.25")));
    assert_eq!(step(approver, &altered, "approve", &asked).await.1["code"], "already_decided");
    // Each telling is still there, with its amount and its notice.
    let earlier = last["detail"]["earlier"].as_array().unwrap();
    let amounts: Vec<&str> = earlier.iter().map(|one| one["amount"]["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["216.25", "217.25"], "{last}");
    assert!(earlier.iter().all(|one| one["notice"].is_i64()), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_of_money_that_waits_ends_with_the_money_alone() {
    let world = World::new().await;
    world.transfer_told(&world.intent("CASE-1").await, "TR-EXAMPLE-1", 8_000).await;
    world.settle(1).await;
    let under = only(&world).await;
    let (clerk, asked) = (&world.people.reconciler.client, note("EXAMPLE"));
    let (status, refused) = step(clerk, &under, "propose", &asked).await;
    assert_eq!((status, &refused["code"]), (409, &json!("break_ends_by_itself")), "{refused}");
    let nothing = json!({ "id": "bk_00000000000000000000000000" });
    assert_eq!(step(clerk, &nothing, "propose", &asked).await.0, 404);
    assert_eq!(step(clerk, &json!({ "id": "nonsense" }), "propose", &asked).await.0, 404);
}
