//! Seeded lives: whatever goes wrong, the laws hold; the same seed gives the same books.

use std::path::PathBuf;

use mizan::simulation::{Outcome, Plan, run};
use sqlx::ConnectOptions as _;

use crate::world::TestDb;

async fn live(seed: u64, events: usize) -> Outcome {
    let db = TestDb::new().await;
    let data_dir = tempfile::tempdir().unwrap();
    let plan = Plan {
        seed,
        events,
        database_url: db.app_options().to_url_lossy().to_string(),
        data_dir: data_dir.path().to_owned(),
        catalogue: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/catalogue"),
    };
    run(&plan, &mut |_| {}).await.unwrap()
}

fn holds(lived: &Outcome, events: usize) {
    let broken: Vec<_> = lived.laws.iter().filter(|law| law.broken.is_some()).collect();
    let again = format!("mizan simulate --seed {} --events {events}", lived.seed);
    assert!(broken.is_empty(), "at event {}: {broken:#?}\nagain: {again}", lived.events);
}

#[tokio::test(flavor = "multi_thread")]
async fn laws_hold_through_a_life_with_faults() {
    for seed in 1..=3 {
        let lived = live(seed, 300).await;
        holds(&lived, 300);
        assert_eq!(lived.events, 300);
        assert!(lived.entries > 10 && lived.faults.len() > 2, "{lived:?}");
    }
}

/// As long as `mizan simulate` lives by itself.
#[tokio::test(flavor = "multi_thread")]
async fn laws_hold_through_a_long_life() {
    holds(&live(7, 2_000).await, 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_lives_the_same_life_to_the_last_hash() {
    let [one, other] = [live(11, 150).await, live(11, 150).await];
    holds(&one, 150);
    assert_eq!(serde_json::to_value(&one).unwrap(), serde_json::to_value(&other).unwrap());
    assert_ne!(live(12, 150).await.head, one.head);
}

/// Many lives as long as `mizan simulate` lives by itself.
#[tokio::test(flavor = "multi_thread")]
async fn laws_hold_through_many_long_lives() {
    if std::env::var_os("MIZAN_LONG").is_none() {
        println!("MIZAN_LONG is not set: the many long lives are left to the nightly run");
        return;
    }
    for seed in 100..125 {
        holds(&live(seed, 2_000).await, 2_000);
    }
}
