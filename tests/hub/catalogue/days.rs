//! No price changes for a day that was charged already.

use serde_json::{Value, json};

use super::{Desk, field, price_lists};

/// As many `[[services.versions]]` of the training course as `days` names, with the content of the one there is; the
/// amounts of those after the first are others.
pub fn training(days: &[&str]) -> Value {
    price_lists(|text| {
        let Some((head, tail)) = text.split_once("[[services.versions]]\nnumber = 1\nfrom = 2026-01-01\n")
        else {
            return text;
        };
        if !head.ends_with("tags = [\"training\"]\n\n") || !head.contains("psi/training-course") {
            return text;
        }
        let (rest, others) = tail.split_once("[[services]]").unwrap();
        let version = |days: &&str| {
            let rest =
                if days.contains("number = 1") { rest.to_owned() } else { rest.replace("380.00", "420.00") };
            format!("[[services.versions]]\n{days}\n{rest}")
        };
        let versions: String = days.iter().map(version).collect();
        format!("{head}{versions}[[services]]{others}")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_list_may_name_the_new_version_above_the_one_that_it_ends() {
    let desk = Desk::new().await;
    let files =
        training(&["number = 2\nfrom = 2027-01-01", "number = 1\nfrom = 2026-01-01\nto = 2027-01-01"]);
    let taken = desk.submit(&files).await;
    let [new, ended] = &taken["difference"]["fee_versions"].as_array().unwrap()[..] else {
        panic!("{taken}")
    };
    assert_eq!((&new["change"], &new["number"], &new["follows"]), (&json!("new"), &json!(2), &json!(1)));
    assert_eq!(field(new, "components.seats.amount.ILS"), (&json!("380.00"), &json!("420.00")));
    assert_eq!((&ended["change"], &ended["number"]), (&json!("ended"), &json!(1)));
    assert_eq!(field(ended, "to"), (&json!(null), &json!("2027-01-01")));
    assert_eq!(desk.approve(&taken).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_price_begins_tomorrow_at_the_earliest() {
    let desk = Desk::new().await;
    // It is 10 in the morning of the 22nd in Hebron.
    for day in ["2026-02-01", "2026-11-21", "2026-11-22"] {
        let files = training(&[
            &format!("number = 1\nfrom = 2026-01-01\nto = {day}"),
            &format!("number = 2\nfrom = {day}"),
        ]);
        let problems = desk.not_taken(&files).await;
        let of = |number: u32, field: &str| {
            format!("`{field}` of version {number} of `psi/training-course` is {day}")
        };
        for told in [of(1, "to"), of(2, "from")] {
            let found = problems.iter().find(|problem| problem.contains(&told));
            let found = found.unwrap_or_else(|| panic!("{told} in {problems:?}"));
            assert!(
                found.starts_with("training.toml:") && found.contains("on 2026-11-23 at the earliest"),
                "{found}"
            );
        }
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
    // Half past midnight of the 23rd in Hebron, still the 22nd in Greenwich.
    desk.at("2026-11-22T22:30:00Z");
    let of = |day: &str| {
        training(&[
            &format!("number = 1\nfrom = 2026-01-01\nto = {day}"),
            &format!("number = 2\nfrom = {day}"),
        ])
    };
    assert_eq!(desk.not_taken(&of("2026-11-23")).await.len(), 2);
    let taken = desk.submit(&of("2026-11-24")).await;
    assert_eq!(desk.approve(&taken).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_price_that_is_approved_too_late_does_not_begin() {
    let desk = Desk::new().await;
    let files =
        training(&["number = 1\nfrom = 2026-01-01\nto = 2026-11-23", "number = 2\nfrom = 2026-11-23"]);
    let taken = desk.submit(&files).await;
    assert_eq!(desk.show(&taken).await["problems"], json!([]));
    let before = desk.author.get("/v1/services/psi/training-course").await.unwrap().json;
    // The first moment of its first day: a payer may have been told the old price already.
    desk.at("2026-11-22T22:00:00Z");
    let shown = desk.show(&taken).await;
    assert_eq!(
        (&shown["difference"], shown["problems"].as_array().unwrap().len()),
        (&json!(null), 2),
        "{shown}"
    );
    let (status, refused) = desk.approve(&taken).await;
    assert_eq!((status, &refused["code"]), (422, &json!("validation_failed")), "{refused}");
    assert_eq!(refused["problems"], shown["problems"]);
    assert_eq!(desk.author.get("/v1/services/psi/training-course").await.unwrap().json, before);
    assert_eq!(desk.show(&taken).await["state"], "submitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_price_that_is_approved_on_its_eve_begins() {
    let desk = Desk::new().await;
    let files =
        training(&["number = 1\nfrom = 2026-01-01\nto = 2026-11-23", "number = 2\nfrom = 2026-11-23"]);
    let taken = desk.submit(&files).await;
    desk.at("2026-11-22T21:59:59Z");
    assert_eq!(desk.approve(&taken).await.0, 200);
    desk.at("2026-11-22T22:00:00Z");
    let service = desk.author.get("/v1/services/psi/training-course").await.unwrap().json;
    assert_eq!((&service["fee"]["number"], &service["fee"]["from"]), (&json!(2), &json!("2026-11-23")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_prices_of_a_service_may_have_begun_already() {
    let desk = Desk::new().await;
    let files = price_lists(|text| {
        let Some((head, tail)) = text.split_once("[[services]]\ncode = \"psi/training-course\"") else {
            return text;
        };
        let (own, others) = tail.split_once("[[services]]").unwrap();
        let second = own.replace("number = 1\nfrom = 2026-01-01", "number = 1\nfrom = 2024-01-01");
        format!(
            "{head}[[services]]\ncode = \"psi/training-course\"{own}[[services]]\ncode = \"psi/night-course\"{second}[[services]]{others}"
        )
    });
    let taken = desk.submit(&files).await;
    let [new] = &taken["difference"]["services"].as_array().unwrap()[..] else { panic!("{taken}") };
    assert_eq!((&new["code"], &new["change"]), (&json!("psi/night-course"), &json!("new")));
    assert_eq!(desk.approve(&taken).await.0, 200);
    assert_eq!(desk.author.get("/v1/services/psi/night-course").await.unwrap().json["fee"]["number"], 1);
}
