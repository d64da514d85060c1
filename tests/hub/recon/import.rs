use mizan::recon::Taken;
use mizan::recon::jobs::{Seen, look};
use serde_json::Value;

use super::{File, ILS};
use crate::world::{TODAY, World};

fn outcomes(body: &Value) -> Vec<&str> {
    body["statements"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect()
}

fn of<'a>(files: &'a [File], iban: &str) -> &'a File {
    files.iter().find(|file| file.name.starts_with(iban)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_every_format_are_accepted_once() {
    let world = World::new().await;
    world.transfer(ILS, "12.50", "ILS", None, "a gift (example)").await;
    let files = world.close_day(TODAY).await;
    assert_eq!(files.len(), 3);
    for file in &files {
        let (status, body) = world.upload(file).await;
        assert_eq!((status, outcomes(&body)), (201, vec!["accepted"]), "{body}");
        assert_eq!(body["known"], false);
        let (_, again) = world.upload(file).await;
        assert_eq!((again["known"].clone(), outcomes(&again)), (Value::Bool(true), vec!["known"]));
        assert_eq!(again["id"], body["id"]);
    }
    let listed = world.finance("/v1/finance/statements").await;
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let main = listed.as_array().unwrap().iter().find(|one| one["account"] == "main-ils").unwrap();
    assert_eq!((main["state"].as_str(), main["lines"].as_i64()), (Some("accepted"), Some(1)));
    assert_eq!(main["closing"], serde_json::json!({ "amount": "12.50", "currency": "ILS" }));
    assert_eq!(world.breaks().await, []);
}

/// The same statement in another file, with a blank more: other bytes, nothing new.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_sent_again_in_another_file_adds_nothing() {
    let world = World::new().await;
    world.transfer(ILS, "12.50", "ILS", None, "a gift (example)").await;
    let files = world.close_day(TODAY).await;
    let file = of(&files, ILS);
    world.upload(file).await;
    let mut again = File { name: "again.xml".to_owned(), bytes: file.bytes.clone() };
    again.bytes.extend_from_slice(b"\n");
    let (status, body) = world.upload(&again).await;
    assert_eq!((status, outcomes(&body)), (201, vec!["known"]), "{body}");
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    assert!(text.contains("12.50"));
    let altered = File { name: "altered.xml".to_owned(), bytes: text.replace("12.50", "12.60").into_bytes() };
    let (_, body) = world.upload(&altered).await;
    assert_eq!(outcomes(&body), ["quarantined"], "{body}");
    assert_eq!(world.breaks().await, [("altered".to_owned(), "open".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_a_movement_may_come_after_the_next() {
    let world = World::new().await;
    let mut days = Vec::new();
    for (day, amount) in [
        ("2026-11-22", Some("10.00")),
        ("2026-11-23", None),
        ("2026-11-24", Some("30.00")),
        ("2026-11-25", Some("5.00")),
    ] {
        if let Some(amount) = amount {
            world.transfer(ILS, amount, "ILS", None, "a gift (example)").await;
        }
        days.push(world.close_day(day).await);
    }
    for place in [0, 2, 1, 3] {
        let (_, body) = world.upload(of(&days[place], ILS)).await;
        assert_eq!(outcomes(&body), ["accepted"], "{body}");
    }
    assert_eq!(world.breaks().await, []);
    let (_, again) = world.upload(of(&days[1], ILS)).await;
    assert_eq!(outcomes(&again), ["known"], "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_day_is_a_gap_until_it_comes() {
    let world = World::new().await;
    let mut days = Vec::new();
    for (day, amount) in [("2026-11-22", "10.00"), ("2026-11-23", "20.00"), ("2026-11-24", "30.00")] {
        world.transfer(ILS, amount, "ILS", None, "a gift (example)").await;
        days.push(world.close_day(day).await);
    }
    let (_, first) = world.upload(of(&days[0], ILS)).await;
    assert_eq!(outcomes(&first), ["accepted"]);
    let (_, third) = world.upload(of(&days[2], ILS)).await;
    assert_eq!(outcomes(&third), ["quarantined"], "{third}");
    let why = third["statements"][0]["reason"].as_str().unwrap();
    assert!(why.contains("opens with 30.00 ILS") && why.contains("closed with 10.00 ILS"), "{why}");
    assert_eq!(world.breaks().await, [("statement_gap".to_owned(), "open".to_owned())]);
    let (_, second) = world.upload(of(&days[1], ILS)).await;
    assert_eq!(outcomes(&second), ["accepted"]);
    assert_eq!(world.breaks().await, [("statement_gap".to_owned(), "self_resolved".to_owned())]);
    let accepted = world.finance("/v1/finance/statements?state=accepted").await;
    assert_eq!(accepted.as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_does_not_close_is_quarantined_and_replaced() {
    let world = World::new().await;
    world.transfer(ILS, "10.00", "ILS", None, "a gift (example)").await;
    world.transfer(ILS, "20.00", "ILS", None, "another (example)").await;
    let files = world.close_day(TODAY).await;
    let right = of(&files, ILS);
    let text = String::from_utf8(right.bytes.clone()).unwrap();
    let from = text.find("<Ntry>").unwrap();
    let to = text.find("</Ntry>").unwrap() + "</Ntry>".len();
    let short = format!("{}{}", &text[..from], &text[to..]);
    let (status, body) =
        world.upload(&File { name: "short.xml".to_owned(), bytes: short.into_bytes() }).await;
    assert_eq!((status, outcomes(&body)), (201, vec!["quarantined"]), "{body}");
    assert_eq!(world.breaks().await, [("statement_does_not_close".to_owned(), "open".to_owned())]);
    let (_, body) = world.upload(right).await;
    assert_eq!(outcomes(&body), ["accepted"]);
    assert_eq!(world.breaks().await, [("statement_does_not_close".to_owned(), "self_resolved".to_owned())]);
    let old = world.finance("/v1/finance/statements?state=superseded").await;
    assert_eq!(old.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_statement_of_ours_is_told_apart() {
    let world = World::new().await;
    let files = world.close_day(TODAY).await;
    let text = String::from_utf8(of(&files, ILS).bytes.clone()).unwrap();
    let foreign = text.replace(ILS, "PS92PALS000000000400123456702").into_bytes();
    let (status, body) = world.upload(&File { name: "foreign.xml".to_owned(), bytes: foreign }).await;
    assert_eq!((status, outcomes(&body)), (201, vec!["quarantined"]), "{body}");
    let why = body["statements"][0]["reason"].as_str().unwrap();
    assert_eq!(why, "no bank account PS92PALS000000000400123456702 in ILS stands in the configuration");
    let letter = File { name: "letter.txt".to_owned(), bytes: b"Dear customer".to_vec() };
    let (status, body) = world.upload(&letter).await;
    assert_eq!((status, body["code"].as_str()), (422, Some("statement_unreadable")), "{body}");
    let cut = File { name: "cut.xml".to_owned(), bytes: text.as_bytes()[..text.len() / 2].to_vec() };
    assert_eq!(world.upload(&cut).await.0, 422);
    let portal = world.portal().get("/v1/finance/statements").await.unwrap();
    assert_eq!((portal.status, portal.json["code"].as_str()), (403, Some("forbidden_scope")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watched_folder_is_taken_in_once() {
    let world = World::new().await;
    world.close_day(TODAY).await;
    let folder = world.data_dir().join("bank/statements");
    std::fs::write(folder.join("unfinished.xml.part"), b"<Doc").unwrap();
    std::fs::write(folder.join("readme.txt"), b"no statement").unwrap();
    let mut seen = Seen::default();
    let taken = look(&world.app, &folder, &mut seen).await.unwrap();
    let outcomes = taken.iter().flat_map(|file| &file.statements).map(|one| one.outcome);
    let ours = outcomes.clone().filter(|outcome| *outcome == Taken::Accepted).count();
    let of_agencies = outcomes.filter(|outcome| *outcome == Taken::Ignored).count();
    assert_eq!((ours, of_agencies), (3, 3), "an agency's own account is none of ours");
    assert_eq!(look(&world.app, &folder, &mut seen).await.unwrap().len(), 0);
    // A hub that was started again has seen nothing yet, and still adds nothing.
    let again = look(&world.app, &folder, &mut Seen::default()).await.unwrap();
    assert!(again.len() == 6 && again.iter().all(|one| one.known));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_without_any_currency_stands_aside_and_is_listed() {
    let world = World::new().await;
    let text = format!(
        r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>
        <Stmt><Id>S1</Id><Acct><Id><IBAN>{ILS}</IBAN></Id></Acct></Stmt></BkToCstmrStmt></Document>"#
    );
    let (status, body) = world.upload(&File { name: "bare.xml".to_owned(), bytes: text.into_bytes() }).await;
    assert_eq!((status, outcomes(&body)), (201, vec!["quarantined"]), "{body}");
    let listed = world.finance("/v1/finance/statements?state=quarantined").await;
    assert_eq!(listed[0]["reference"], "S1", "{listed}");
    assert!(listed[0]["opening"].is_null() && listed[0]["closing"].is_null(), "{listed}");
}
