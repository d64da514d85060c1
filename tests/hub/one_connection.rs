//! No request and no job holds one connection while it waits for another: with a single one a whole day goes its way.

use mizan::access::Role;

use crate::refunds::{agreed, work};
use crate::world::{TODAY, World};

async fn world() -> World {
    World::configured(|config| config.database.connections = Some(1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_needs_one_connection_at_a_time() {
    let world = world().await;
    agreed(&world, "10.00").await;
    while work(&world).await > 0 {}
    world.end_day(TODAY).await;
    world.tied().await;
}

/// Every key that is known is looked up again after any of them changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_keys_lets_nobody_wait_for_a_second_connection() {
    let world = world().await;
    world.intent("CASE-1").await;
    world.staff("first", &[Role::Administrator]).await;
    world.intent("CASE-2").await;
}
