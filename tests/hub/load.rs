//! The load tool presses a hub whose loops run: what it counts is what the books hold.

use std::time::Duration;

use mizan::demo::{MERCHANT, callback_key};
use mizan::load::{Accounts, CHANNEL, Plan, Target, Way, baskets, press};
use mizan::start;

use crate::world::World;

fn plan(way: Way) -> Plan {
    Plan { warm_up: Duration::ZERO, seconds: 1, clients: 2, rate: None, way, webhook: true }
}

async fn target(world: &World) -> Target {
    start::loops(&world.app);
    Target::new(world.portal().clone(), &world.base, CHANNEL, MERCHANT, callback_key())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bill_that_was_called_back_is_paid_told_and_in_the_books() {
    let world = World::new().await;
    let target = target(&world).await;
    let baskets = baskets(world.portal(), Accounts::Cold).await.unwrap();
    assert!(baskets.len() > 1, "{baskets:?}");
    let outcome = press(&target, baskets, &plan(Way::Bill)).await.unwrap();
    assert_eq!((outcome.errors, outcome.faults.as_slice()), (0, [].as_slice()));
    assert!(outcome.paid > 0);
    assert_eq!(outcome.webhooks, Some(outcome.paid));
    let mut conn = world.app.pool.acquire().await.unwrap();
    let verified = world.app.hub.book.verify(&mut conn, &mut |_| {}).await.unwrap();
    assert_eq!((verified.is_clean(), verified.entries), (true, u64::try_from(outcome.paid).unwrap()));
    world.app.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_callback_is_an_error_of_the_load() {
    let world = World::new().await;
    let baskets = baskets(world.portal(), Accounts::Hot).await.unwrap();
    let target =
        Target::new(world.portal().clone(), &world.base, CHANNEL, "another-merchant", callback_key());
    let outcome = press(&target, baskets, &plan(Way::Bill)).await.unwrap();
    assert_eq!(outcome.paid, 0);
    assert!(outcome.errors > 0 && outcome.faults[0].contains("403"), "{:?}", outcome.faults);
}
