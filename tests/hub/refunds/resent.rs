//! A payment file of which nothing was heard: a bank that refuses what it took before gets it again, and carries it out
//! once. In a folder it is seen whether it left.

use mizan::crash::Point;
use mizan::demo::PAYER_ACCOUNT;

use super::bank::{approved, paid_by_transfer, send};
use super::*;
use crate::money_modes::text;
use crate::world::TODAY;

async fn one_approved(world: &World) -> Value {
    let intent = paid_by_transfer(world, "CASE-1").await;
    approved(world, &intent, "10.00", PAYER_ACCOUNT).await
}

async fn stage(world: &World, refund: &Value) -> String {
    text(&staff_view(world, refund).await, "/stage").to_owned()
}

async fn faulty(world: &World, api: &str) {
    world.control("faults", json!({ "api": api })).await;
}

/// `MsgId` of each file that the bank has taken.
async fn at_bank(world: &World) -> Vec<String> {
    let url = format!("{}/control/state", world.bank.url());
    let state: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    let files = state["files"]["files"].as_array().or(state["files"].as_array()).unwrap().clone();
    files.iter().map(|file| text(file, "/message").to_owned()).collect()
}

/// The hub stops dead at the point, and the lease of what it had in hand lapses.
async fn stops_at(world: &World, point: Point) {
    advance(world, 60);
    world.app.hub.crash.arm(point, 1);
    tokio::select! {
        () = world.app.hub.crash.reached() => {}
        () = async { while work(world).await > 0 {} } => panic!("{point:?} was not reached"),
    }
    advance(world, 601);
}

async fn goes_on(world: &World) {
    while work(world).await > 0 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_does_not_answer_is_handed_the_file_until_it_has_it() {
    let world = World::new().await;
    let refund = one_approved(&world).await;
    faulty(&world, "error_500").await;
    send(&world).await;
    assert_eq!(stage(&world, &refund).await, "unknown");
    assert_eq!(world.balances().await["refunds/in_flight ILS"], -1_000, "it may be on its way");
    let unknown = world.balances().await;
    advance(&world, 300);
    goes_on(&world).await;
    assert_eq!((stage(&world, &refund).await.as_str(), at_bank(&world).await.len()), ("unknown", 0));
    faulty(&world, "normal").await;
    advance(&world, 300);
    goes_on(&world).await;
    assert_eq!(stage(&world, &refund).await, "submitted");
    assert_eq!(world.balances().await, unknown, "it is booked as on its way once");
    world.end_day(TODAY).await;
    assert_eq!(stage(&world, &refund).await, "succeeded");
    assert_eq!(at_bank(&world).await.len(), 1);
    assert_eq!(staff_view(&world, &refund).await["instructions"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_stops_before_or_after_its_bank_has_the_file_ends_with_it_there_once() {
    for point in [Point::Sending, Point::Sent] {
        let world = World::new().await;
        let refund = one_approved(&world).await;
        stops_at(&world, point).await;
        let had = at_bank(&world).await;
        assert_eq!(had.len(), usize::from(point == Point::Sent));
        assert_eq!(stage(&world, &refund).await, "approved");
        goes_on(&world).await;
        assert_eq!(stage(&world, &refund).await, "submitted", "{point:?}");
        let has = at_bank(&world).await;
        assert!(has.len() == 1 && has.starts_with(&had), "{had:?} {has:?}");
        let files = world.people.approver.client.get("/v1/finance/payment-files").await.unwrap().json;
        let file = &files["data"][0];
        assert_eq!((text(file, "/state"), text(file, "/bank_file")), ("sent", "PF000001"));
        world.end_day(TODAY).await;
        assert_eq!(stage(&world, &refund).await, "succeeded", "{point:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_does_not_leave_again_after_one_of_its_orders_was_told_as_not_carried_out() {
    let world = World::new().await;
    let intent = paid_by_transfer(&world, "CASE-1").await;
    let denied = approved(&world, &intent, "10.00", PAYER_ACCOUNT).await;
    let intent = world.find_intent(id(&intent)).await;
    let other = approved(&world, &intent, "20.00", PAYER_ACCOUNT).await;
    faulty(&world, "error_500").await;
    send(&world).await;
    faulty(&world, "normal").await;
    let path = format!("/v1/finance/refunds/{}/not-carried-out", id(&denied));
    let said = json!({ "note": "The bank never had it (example)" });
    let (clerk, approver) = (&world.people.reconciler.client, &world.people.approver.client);

    // While the bank has it in hand nobody says that it was not carried out.
    advance(&world, 240);
    stops_at(&world, Point::Sending).await;
    let early = clerk.post(&path, &said).await.unwrap();
    assert_eq!((early.status, text(&early.json, "/code")), (409, "refund_not_approvable"), "{}", early.json);
    assert!(text(&early.json, "/detail").contains("being handed to the bank"), "{}", early.json);
    faulty(&world, "error_500").await;
    goes_on(&world).await;
    faulty(&world, "normal").await;

    // Once somebody says it, the file stays until another has decided: what was true when it was said stays true.
    assert_eq!(clerk.post(&path, &said).await.unwrap().status, 200);
    for _ in 0..2 {
        advance(&world, 301);
        goes_on(&world).await;
        assert!(at_bank(&world).await.is_empty());
    }
    assert_eq!(approver.post(&format!("{path}/approve"), &json!({})).await.unwrap().status, 200);
    advance(&world, 301);
    goes_on(&world).await;
    assert!(at_bank(&world).await.is_empty(), "the order that was denied would leave with it");
    assert_eq!(
        (stage(&world, &denied).await, stage(&world, &other).await),
        ("failed".into(), "unknown".into())
    );
    let again = format!("/v1/finance/refunds/{}/send-again", id(&denied));
    assert_eq!(approver.post(&again, &json!({})).await.unwrap().status, 200);
    send(&world).await;
    assert_eq!((stage(&world, &denied).await, at_bank(&world).await.len()), ("submitted".into(), 1));
    assert_eq!(stage(&world, &other).await, "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_for_a_folder_leaves_once_whenever_the_hub_stops() {
    for (point, taken_away) in [(Point::Sending, false), (Point::Sent, false), (Point::Sent, true)] {
        let folder = tempfile::tempdir().unwrap();
        let world = World::configured(|config| {
            config.payments_folder = Some(folder.path().to_owned());
            config.banks.iter_mut().for_each(|bank| bank.endpoint = None);
        })
        .await;
        let names = || -> Vec<String> {
            let entries = std::fs::read_dir(folder.path()).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let refund = one_approved(&world).await;
        stops_at(&world, point).await;
        let lies = names();
        assert!(lies.len() == 1 && lies[0].ends_with(".part") == (point == Point::Sending), "{lies:?}");
        if taken_away {
            std::fs::remove_file(folder.path().join(&lies[0])).unwrap();
        }
        goes_on(&world).await;
        advance(&world, 301);
        goes_on(&world).await;
        let lies = names();
        if taken_away {
            assert!(lies.is_empty(), "it is not put there again: {lies:?}");
            assert_eq!(stage(&world, &refund).await, "unknown", "the statement tells");
        } else {
            assert!(lies.len() == 1 && lies[0].ends_with(".xml"), "{lies:?}");
            assert_eq!(stage(&world, &refund).await, "submitted", "{point:?}");
        }
    }
}
