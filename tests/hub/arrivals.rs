//! Facts that arrive at the same time are stored together, and each is told what became of it.

use futures::future::join_all;
use mizan::inbox::{Meaning, NewNotice, Source, Taken, door};
use mizan_ledger::{Currency, Money};
use serde_json::json;

use crate::world::World;

fn captured(world: &World, transaction: &str, minor: i64) -> NewNotice {
    NewNotice {
        channel: "card".to_owned(),
        transaction: transaction.to_owned(),
        status: "CAPTURED".to_owned(),
        meaning: Meaning::Money,
        source: Source::Callback,
        reference: None,
        money: Money::new(minor, Currency::ILS),
        original_transaction: None,
        reason: None,
        money_key: format!("card:{transaction}"),
        occurred_at: world.app.clock.now(),
        raw: b"{}".to_vec(),
        headers: json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_altered_facts_are_known_among_those_that_come_together() {
    let world = World::new().await;
    let facts = (0..20).flat_map(|n| [n, n]).map(|n| captured(&world, &format!("T-{n}"), 1_000));
    let taken = join_all(facts.map(|fact| door::take(&world.app, fact))).await;
    let taken: Vec<Taken> = taken.into_iter().map(Result::unwrap).collect();
    let count = |which| taken.iter().filter(|taken| **taken == which).count();
    assert_eq!((count(Taken::New), count(Taken::Duplicate)), (20, 20));

    let altered = (0..20).map(|n| captured(&world, &format!("T-{n}"), 1_000 + n % 2));
    let taken = join_all(altered.map(|fact| door::take(&world.app, fact))).await;
    let taken: Vec<Taken> = taken.into_iter().map(Result::unwrap).collect();
    assert_eq!(taken, [Taken::Duplicate, Taken::Altered].repeat(10));

    world.settle(20).await;
    assert_eq!(world.balances().await["suspense/card/credits ILS"], -20_000);
}

/// PostgreSQL keeps no text with a zero byte: the group that holds one fails, and then each is stored by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_cannot_be_stored_keeps_no_other_out() {
    let world = World::new().await;
    let facts = (0..20).map(|n| {
        let fact = captured(&world, &format!("T-{n}"), 1_000);
        let reason = (n == 7).then(|| "\0".to_owned());
        door::take(&world.app, NewNotice { reason, ..fact })
    });
    let taken = join_all(facts).await;
    for (n, taken) in taken.iter().enumerate() {
        match n {
            7 => assert!(taken.is_err()),
            _ => assert_eq!(taken.as_ref().ok(), Some(&Taken::New), "fact {n}: {taken:?}"),
        }
    }
    world.settle(19).await;
    assert_eq!(world.balances().await["suspense/card/credits ILS"], -19_000);
}
