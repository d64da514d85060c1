//! Banks that book on days off tell of them with the statement of the next business day.

use super::{File, ILS};
use crate::world::World;

/// A statement as such a bank writes it: amount, direction and booking day of each line.
fn statement(id: &str, day: &str, balances: [&str; 2], lines: &[(&str, &str, &str)]) -> File {
    let balance = |code: &str, amount: &str| {
        format!(
            r#"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="ILS">{amount}</Amt>
               <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"#
        )
    };
    let line = |(place, (amount, direction, on)): (usize, &(&str, &str, &str))| {
        format!(
            r#"<Ntry><Amt Ccy="ILS">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
               <BookgDt><Dt>{on}</Dt></BookgDt><AcctSvcrRef>{id}-{place}</AcctSvcrRef><BkTxCd/>
               <AddtlNtryInf>EXAMPLE</AddtlNtryInf></Ntry>"#
        )
    };
    let lines: String = lines.iter().enumerate().map(line).collect();
    let [opening, closing] = balances;
    let text = format!(
        r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>{id}</MsgId>
           <CreDtTm>{day}T20:00:00Z</CreDtTm></GrpHdr><Stmt><Id>{id}</Id><CreDtTm>{day}T20:00:00Z</CreDtTm>
           <Acct><Id><IBAN>{ILS}</IBAN></Id><Ccy>ILS</Ccy></Acct>{}{}{lines}</Stmt></BkToCstmrStmt></Document>"#,
        balance("OPBD", opening),
        balance("CLBD", closing),
    );
    File { name: format!("{id}.xml"), bytes: text.into_bytes() }
}

async fn taken(world: &World, file: &File) {
    let (status, body) = world.upload(file).await;
    assert_eq!((status, &body["statements"][0]["outcome"]), (201, &"accepted".into()), "{body}");
    world.reconcile().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_day_off_is_proved_by_what_the_next_statement_shows_of_it() {
    let world = World::new().await;
    world.next_morning("2026-11-26T20:00:00Z").await;
    taken(&world, &statement("THU", "2026-11-26", ["0.00", "100.00"], &[("100.00", "CRDT", "2026-11-26")]))
        .await;
    world.next_morning("2026-11-29T20:00:00Z").await;
    let lines =
        [("7.00", "CRDT", "2026-11-27"), ("3.00", "DBIT", "2026-11-28"), ("1.00", "CRDT", "2026-11-29")];
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
