//! One unit of work whose entries are more than the book takes at once.

use mizan::books::{Parked, rules};
use mizan::fault::Fault;
use mizan::tx::Actor;
use mizan_ledger::{Currency, Money};

use crate::refunds::voucher;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn entries_beyond_one_batch_are_posted_together_or_not_at_all() {
    let world = World::new().await;
    let bank: mizan::books::Slug = "main-ils".parse().unwrap();
    let parked = Parked { suspense: bank.clone(), amount: Money::new(100, Currency::ILS) };
    let entry = |n: usize| {
        rules::suspense::bank_unknown_credit(voucher(&world, &format!("line:{n}")), &bank, &parked).unwrap()
    };
    let entries: Vec<_> = (0..1_200).map(entry).collect();
    let actor = Actor::hub("test");
    let posted = async |fails: bool| {
        let input = (entries.clone(), fails);
        let run = world.app.run(&actor, &input, |tx, (entries, fails)| {
            Box::pin(async move {
                tx.post_all(entries).await?;
                if *fails { Err(Fault::Other("afterwards".to_owned())) } else { Ok(()) }
            })
        });
        run.await
    };
    posted(true).await.unwrap_err();
    assert!(world.balances().await.is_empty());
    posted(false).await.unwrap();
    assert_eq!(world.balances().await["bank/main-ils ILS"], 120_000);
    let mut conn = world.app.pool.acquire().await.unwrap();
    let verified = world.app.hub.book.verify(&mut conn, &mut |_| {}).await.unwrap();
    assert!(verified.is_clean(), "{verified:?}");
}
