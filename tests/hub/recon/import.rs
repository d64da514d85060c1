use mizan::recon::Taken;
use mizan::recon::jobs::{Seen, look};
use serde_json::{Value, json};

use super::{File, ILS, JOD, USD};
use crate::world::{TODAY, World};

pub fn outcomes(body: &Value) -> Vec<&str> {
    body["statements"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect()
}

pub fn of<'a>(files: &'a [File], iban: &str) -> &'a File {
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
    assert_eq!(main["closing"], json!({ "amount": "12.50", "currency": "ILS" }));
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

    // Two people agree which telling stands: the day is proved by it again.
    world.import_all(&files).await;
    world.reconcile().await;
    assert_eq!(world.proof_of(TODAY).await["tied"], false);
    let breaks = world.finance("/v1/finance/breaks?category=altered").await;
    assert_eq!(breaks[0]["money"], json!({ "amount": "0.10", "currency": "ILS" }), "12.60 for 12.50");
    let said = json!({ "note": "The bank withdrew the second file (example)" });
    let path = |act: &str| format!("/v1/finance/breaks/{}/{act}", breaks[0]["id"].as_str().unwrap());
    assert_eq!(world.people.reconciler.client.post(&path("propose"), &said).await.unwrap().status, 200);
    assert_eq!(world.proof_of(TODAY).await["tied"], false, "one person alone");
    assert_eq!(world.people.approver.client.post(&path("approve"), &said).await.unwrap().status, 200);
    world.tied().await;
    // Sent once more in another file it says nothing new.
    let once_more = changed(&altered, "</Document>", "</Document>\n");
    let (_, body) = world.upload(&once_more).await;
    assert_eq!(outcomes(&body), ["known"], "{body}");
    let breaks = world.finance("/v1/finance/breaks?category=altered&open=false").await;
    assert_eq!(breaks[0]["state"], "resolved", "{breaks}");
    world.tied().await;
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
    world.next_morning("2026-11-25T08:00:00Z").await;
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
    world.next_morning("2026-11-24T08:00:00Z").await;
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
    assert_eq!(world.breaks().await, [("statement_in_doubt".to_owned(), "open".to_owned())]);
    let letter = File { name: "letter.txt".to_owned(), bytes: b"Dear customer".to_vec() };
    let (status, body) = world.upload(&letter).await;
    assert_eq!((status, body["code"].as_str()), (422, Some("statement_unreadable")), "{body}");
    let cut = File { name: "cut.xml".to_owned(), bytes: text.as_bytes()[..text.len() / 2].to_vec() };
    assert_eq!(world.upload(&cut).await.0, 422);
    let portal = world.portal().get("/v1/finance/statements").await.unwrap();
    assert_eq!((portal.status, portal.json["code"].as_str()), (403, Some("forbidden_scope")));
}

async fn look_for_a_minute(world: &World, folder: &std::path::Path, seen: &mut Seen) {
    for _ in 0..31 {
        look(&world.app, folder, seen).await.unwrap();
    }
}

/// The reader quotes what it found, which no text of the database holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_holds_up_no_other_and_is_told_of() {
    let world = World::new().await;
    let files = world.close_day(TODAY).await;
    let folder = tempfile::tempdir().unwrap();
    let damaged =
        String::from_utf8(of(&files, ILS).bytes.clone()).unwrap().replacen("</Stmt>", "</St\0mt>", 1);
    std::fs::write(folder.path().join("a-damaged.xml"), damaged).unwrap();
    std::fs::write(folder.path().join("b-whole.txt"), &of(&files, USD).bytes).unwrap();
    let mut seen = Seen::default();
    let taken = look(&world.app, folder.path(), &mut seen).await.unwrap();
    assert_eq!(taken.iter().map(|file| file.file.as_str()).collect::<Vec<_>>(), ["b-whole.txt"]);
    look_for_a_minute(&world, folder.path(), &mut seen).await;
    let breaks = world.finance("/v1/finance/breaks?category=statement_in_doubt").await;
    assert_eq!(breaks[0]["detail"]["file"], "a-damaged.xml", "{breaks}");
    std::fs::write(folder.path().join("c.txt"), &of(&files, JOD).bytes).unwrap();
    assert_eq!(look(&world.app, folder.path(), &mut seen).await.unwrap().len(), 1);
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
    // What is no statement may be one that is being written, or one that was cut short: if it still is a minute later,
    // somebody is told, once, and says what it was.
    assert_eq!(world.breaks().await, []);
    look_for_a_minute(&world, &folder, &mut seen).await;
    let breaks = world.finance("/v1/finance/breaks?category=statement_in_doubt").await;
    assert_eq!(breaks.as_array().unwrap().len(), 1, "{breaks}");
    assert_eq!((&breaks[0]["detail"]["file"], &breaks[0]["state"]), (&json!("readme.txt"), &json!("open")));
    let path = |act: &str| format!("/v1/finance/breaks/{}/{act}", breaks[0]["id"].as_str().unwrap());
    let said = json!({ "note": "A note of the bank to its customers (example)" });
    assert_eq!(world.people.reconciler.client.post(&path("propose"), &said).await.unwrap().status, 200);
    assert_eq!(world.people.approver.client.post(&path("approve"), &said).await.unwrap().status, 200);
    look_for_a_minute(&world, &folder, &mut Seen::default()).await;
    assert_eq!(world.breaks().await, [("statement_in_doubt".to_owned(), "resolved".to_owned())]);
    std::fs::write(folder.join("readme.txt"), b"no statement either").unwrap();
    look_for_a_minute(&world, &folder, &mut seen).await;
    assert_eq!(
        world.breaks().await,
        [("statement_in_doubt".to_owned(), "reopened".to_owned())],
        "another file"
    );
    let whole = std::fs::read(folder.join(format!("{ILS}-{TODAY}.xml"))).unwrap();
    std::fs::write(folder.join("readme.txt"), whole).unwrap();
    look(&world.app, &folder, &mut seen).await.unwrap();
    assert_eq!(world.breaks().await, [("statement_in_doubt".to_owned(), "self_resolved".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_file_of_the_same_name_and_length_is_taken_in() {
    let world = World::new().await;
    world.transfer(ILS, "12.00", "ILS", None, "a word").await;
    let files = world.close_day(TODAY).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.xml");
    let right = of(&files, ILS).bytes.clone();
    let text = String::from_utf8(right.clone()).unwrap();
    let (head, entry) = text.split_once("<Ntry>").unwrap();
    let wrong = format!("{head}<Ntry>{}", entry.replacen(">12.00<", ">21.00<", 1)).into_bytes();
    assert!(wrong != right && wrong.len() == right.len());
    let mut seen = Seen::default();
    for (bytes, outcome) in [(wrong, Taken::Quarantined), (right, Taken::Accepted)] {
        std::fs::write(&path, bytes).unwrap();
        let taken = look(&world.app, folder.path(), &mut seen).await.unwrap();
        let outcomes: Vec<_> =
            taken.iter().flat_map(|file| &file.statements).map(|one| one.outcome).collect();
        assert_eq!(outcomes, [outcome]);
        assert_eq!(look(&world.app, folder.path(), &mut seen).await.unwrap().len(), 0, "once");
    }
}

/// The day's file of an account with one place of it changed.
pub fn changed(file: &File, from: &str, to: &str) -> File {
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    File { name: "changed.txt".to_owned(), bytes: text.replacen(from, to, 1).into_bytes() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_with_a_reference_that_cannot_be_one_stands_aside_until_it_comes_again() {
    let world = World::new().await;
    world.transfer(ILS, "12.00", "ILS", None, "a word").await;
    world.transfer(USD, "7.00", "USD", None, "a word").await;
    let files = world.close_day(TODAY).await;
    let (camt, mt) = (of(&files, ILS), of(&files, USD));
    let endless = format!("<AcctSvcrRef>{}", "R".repeat(9_000));
    for (whole, bad, why) in [
        (camt, changed(camt, "<AcctSvcrRef>", &endless), "the bank's reference is 90"),
        (mt, changed(mt, "//", "//\0"), "the bank's reference holds the control character U+0000"),
    ] {
        let (status, body) = world.upload(&bad).await;
        assert_eq!((status, outcomes(&body)), (201, vec!["quarantined"]), "{body}");
        let reason = body["statements"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(", entry 1: ") && reason.contains(why), "{reason}");
        assert!(body["problems"][0]["what"].as_str().unwrap().starts_with(why), "{body}");
        assert!(world.breaks().await.contains(&("statement_in_doubt".to_owned(), "open".to_owned())));
        let (_, body) = world.upload(whole).await;
        assert_eq!(outcomes(&body), ["accepted"], "{body}");
    }
    let (status, body) = world.upload(&changed(camt, "<AcctSvcrRef>", "<AcctSvcrRef>\0")).await;
    assert_eq!((status, body["code"].as_str()), (422, Some("statement_unreadable")), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_taken_in_holds_up_no_other() {
    let world = World::new().await;
    let files = world.close_day(TODAY).await;
    let folder = tempfile::tempdir().unwrap();
    for (name, iban) in [("a.xml", ILS), ("b.txt", USD)] {
        std::fs::write(folder.path().join(name), &of(&files, iban).bytes).unwrap();
    }
    // A fault of ours that only the first file meets.
    let fault =
        "create function fault() returns trigger language plpgsql as $$ begin raise 'a fault'; end $$;
        create trigger fault before insert on statement_files for each row when (new.name = 'a.xml')
        execute function fault()";
    let mut superuser = world.db().superuser().await;
    sqlx::raw_sql(fault).execute(&mut superuser).await.unwrap();
    let mut seen = Seen::default();
    let taken = look(&world.app, folder.path(), &mut seen).await.unwrap();
    assert_eq!(taken.iter().map(|file| file.file.as_str()).collect::<Vec<_>>(), ["b.txt"]);

    sqlx::raw_sql("drop trigger fault on statement_files").execute(&mut superuser).await.unwrap();
    let mut looks = 0;
    let again = loop {
        looks += 1;
        let taken = look(&world.app, folder.path(), &mut seen).await.unwrap();
        if !taken.is_empty() {
            break taken;
        }
    };
    assert_eq!((looks, again[0].file.as_str()), (30, "a.xml"), "it is read again after a minute");
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

/// A slip in a year would lock the account: all that comes until then would come too late.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_of_a_day_that_has_not_come_is_not_believed() {
    let world = World::new().await;
    world.transfer(ILS, "10.00", "ILS", None, "a gift (example)").await;
    let files = world.close_day(TODAY).await;
    let right = of(&files, ILS);
    let text = String::from_utf8(right.bytes.clone()).unwrap();
    for day in ["2026-11-24", "2062-11-22"] {
        let slipped = File { name: format!("{day}.xml"), bytes: text.replace(TODAY, day).into_bytes() };
        let (status, body) = world.upload(&slipped).await;
        assert_eq!((status, outcomes(&body)), (201, vec!["quarantined"]), "{body}");
        let why = body["statements"][0]["reason"].as_str().unwrap();
        assert!(why.contains(&format!("{day}, a day that has not come")), "{why}");
    }
    let listed = world.finance("/v1/finance/breaks?open=true").await;
    for one in listed.as_array().unwrap() {
        assert_eq!(
            (one["category"].as_str(), &one["money"]),
            (Some("statement_in_doubt"), &Value::Null),
            "{one}"
        );
        assert_eq!(one["detail"]["cause"], "future_day", "{one}");
    }
    let (_, body) = world.upload(right).await;
    assert_eq!(outcomes(&body), ["accepted"], "{body}");
}

/// A bank books a line back to a day whose statement it has given: the money was not in that day's balance.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_booked_back_leaves_the_day_before_as_it_was_proved() {
    let world = World::new().await;
    world.end_day(TODAY).await;
    world.next_morning("2026-11-23T08:00:00Z").await;
    world.transfer(ILS, "7.00", "ILS", None, "a gift (example)").await;
    for file in world.close_day("2026-11-23").await {
        let text = String::from_utf8(file.bytes).unwrap();
        let back = text.replace("<BookgDt><Dt>2026-11-23", "<BookgDt><Dt>2026-11-22");
        let (_, body) = world.upload(&File { name: file.name, bytes: back.into_bytes() }).await;
        assert_eq!(outcomes(&body), ["accepted"], "{body}");
    }
    assert_eq!(world.reconcile().await["to_suspense"], 1);
    for (day, closing) in [(TODAY, 0), ("2026-11-23", 700)] {
        let report = world
            .people
            .reconciler
            .client
            .get(&format!("/v1/finance/reports/daily?date={day}"))
            .await
            .unwrap();
        assert_eq!(
            (report.status, &report.json["tied"]),
            (200, &Value::Bool(true)),
            "{day} {closing}: {}",
            report.json
        );
    }
}

/// Banks pass on what payers write: one of them must not keep the money of the others out.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_payer_wrote_as_reference_keeps_no_statement_out() {
    let world = World::new().await;
    world.transfer(ILS, "12.00", "ILS", Some("A-B"), "a word").await;
    let files = world.close_day(TODAY).await;
    for written in ["A&#9;B".to_owned(), "R".repeat(9_000)] {
        let file = changed(of(&files, ILS), "<EndToEndId>A-B", &format!("<EndToEndId>{written}"));
        let (status, body) = world.upload(&file).await;
        assert_eq!(status, 201, "{body}");
        let what = body["problems"][0]["what"].as_str().unwrap();
        assert!(what.starts_with("the end-to-end reference "), "{body}");
        assert!(matches!(outcomes(&body)[..], ["accepted" | "known"]), "{body}");
    }
    assert_eq!(world.reconcile().await["to_suspense"], 1);
}
