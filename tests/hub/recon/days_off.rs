//! Banks that book on days off tell of them with the statement of the next business day.

use super::File;
use super::written::{line, statement};
use crate::world::World;

pub async fn taken(world: &World, file: &File) {
    let (status, body) = world.upload(file).await;
    assert_eq!((status, &body["statements"][0]["outcome"]), (201, &"accepted".into()), "{body}");
    world.reconcile().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_day_off_is_proved_by_what_the_next_statement_shows_of_it() {
    let world = World::new().await;
    world.next_morning("2026-11-26T20:00:00Z").await;
    taken(
        &world,
        &statement("THU", "2026-11-26", ["0.00", "100.00"], &[line("100.00", "CRDT", "2026-11-26", "R1")]),
    )
    .await;
    world.next_morning("2026-11-29T20:00:00Z").await;
    let lines = [
        line("7.00", "CRDT", "2026-11-27", "R2"),
        line("3.00", "DBIT", "2026-11-28", "R3"),
        line("1.00", "CRDT", "2026-11-29", "R4"),
    ];
    taken(&world, &statement("SUN", "2026-11-29", ["100.00", "105.00"], &lines)).await;
    for (day, in_account, told_later) in [
        ("26", "100.00", None),
        ("27", "107.00", Some("7.00")),
        ("28", "104.00", Some("4.00")),
        ("29", "105.00", None),
    ] {
        let proof = world.proof_of(&format!("2026-11-{day}")).await;
        let accounts = proof["accounts"].as_array().unwrap();
        for name in ["bank/main-ils", "suspense/main-ils/credits", "suspense/main-ils/debits"] {
            let Some(one) = accounts.iter().find(|one| one["account"] == name) else { continue };
            assert_eq!(one["unexplained"], "0.00", "{day} {name}: {one}");
        }
        let bank = accounts.iter().find(|one| one["account"] == "bank/main-ils").unwrap();
        assert_eq!(bank["listed"], in_account, "{day}: {bank}");
        let notes = bank["notes"].as_array().into_iter().flatten();
        let told =
            notes.filter(|note| note["code"] == "shown_later").map(|note| note["amount"].as_str().unwrap());
        assert_eq!(told.collect::<Vec<_>>(), told_later.into_iter().collect::<Vec<_>>(), "{day}: {bank}");
    }
}
