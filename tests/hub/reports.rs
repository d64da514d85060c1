//! The day's proof: it ties, and every unit that is missing on either side is named.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan::access::Role;
use mizan::client::Client;
use mizan::http::signature::SigningKey;
use mizan::refunds::service::{self as service, Decision};
use mizan::tx::Actor;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::recon::File;
use crate::refunds::{self, ils, netted, work};
use crate::world::{TODAY, World};

impl World {
    async fn proof(&self) -> Value {
        self.proof_of(TODAY).await
    }

    pub async fn proof_of(&self, day: &str) -> Value {
        let path = format!("/v1/finance/reports/daily?date={day}");
        let reply = self.people.reconciler.client.get(&path).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json
    }

    /// What somebody with the keys to the database does behind the hub's back.
    pub async fn tamper(&self, statement: &str) {
        let mut conn = self.db().superuser().await;
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut conn).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
    }

    /// The day ends at the bank, and its statements are taken in.
    async fn take_statements(&self) {
        for file in self.close_day(TODAY).await {
            let (status, body) = self.upload(&file).await;
            assert_eq!(status, 201, "{body}");
        }
    }
}

/// Each account that is off, and by how much.
fn off(proof: &Value) -> Vec<(&str, &str)> {
    let accounts = proof["accounts"].as_array().unwrap().iter();
    let text = |one: &'_ Value, name| one[name].as_str().unwrap().len();
    assert!(accounts.clone().all(|one| text(one, "account") > 0 && text(one, "unexplained") > 0));
    accounts
        .filter(|one| {
            one["unexplained"].as_str().unwrap().bytes().any(|digit| (b'1'..=b'9').contains(&digit))
        })
        .map(|one| (one["account"].as_str().unwrap(), one["unexplained"].as_str().unwrap()))
        .collect()
}

fn account<'a>(proof: &'a Value, code: &str) -> &'a Value {
    proof["accounts"].as_array().unwrap().iter().find(|one| one["account"] == code).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_is_told_in_words_to_who_asks_for_text() {
    let world = World::new().await;
    let path = format!("/v1/finance/reports/daily?date={TODAY}");
    for (language, tied) in [("ar", "متوازن"), ("en", "TIED")] {
        let client = world.people.reconciler.client.in_language(language).accepting("text/plain");
        let reply = client.get(&path).await.unwrap();
        let text = String::from_utf8(reply.bytes).unwrap();
        assert_eq!((reply.status, reply.headers["mizan-tied"].to_str().unwrap()), (200, "true"));
        assert!(text.contains(tied), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_reads_its_own_day_and_no_other_portals() {
    let world = World::new().await;
    for reference in ["CASE-1", "CASE-2"] {
        let intent = world.intent(reference).await;
        world.pay_by_card(&intent).await;
    }
    world.intent("NOT-PAID").await;
    let path = format!("/v1/reports/daily?date={TODAY}");
    let day = world.get(&path).await.json;
    let total = json!({
        "currency": "ILS", "payments": 2, "paid": ils("430.50"),
        "refunds": 0, "refunded": ils("0.00"), "net": ils("430.50"),
        "services": [{ "service": "interior/passport", "payments": 2, "paid": ils("430.50") }],
    });
    let expected = json!({ "date": TODAY, "zone": "Asia/Hebron", "live": false, "totals": [total] });
    assert_eq!(day, expected);
    assert_eq!(world.get("/v1/reports/daily?date=2026-11-21").await.json["totals"], json!([]));

    let administrator = world.staff("admin", &[Role::Administrator]).await;
    let other = json!({
        "code": "other", "name": { "ar": "مثال", "en": "Example" }, "return_url_prefixes": ["https://portal.example/"],
    });
    let other = administrator.post("/v1/finance/portals", &other).await.unwrap();
    let secret = BASE64.decode(other.json["key"]["secret"].as_str().unwrap()).unwrap();
    let (clock, entropy) = (world.app.clock.clone(), world.app.hub.entropy.clone());
    let key_id = other.json["key"]["key_id"].as_str().unwrap();
    let key = SigningKey::hmac_sha256(secret).unwrap();
    let other = Client::new(&world.base, key_id, key, clock, entropy);
    assert_eq!(other.get(&path).await.unwrap().json["totals"], json!([]));
    let officer = world.people.reconciler.client.get(&path).await.unwrap();
    assert_eq!(officer.json["code"], "forbidden_scope", "a portal's day is the portal's");
    assert_eq!(world.get("/v1/reports/daily").await.json["code"], "query_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_stands_on_the_portals_day_when_the_bank_has_shown_it() {
    let world = World::new().await;
    let (_, refund) = refunds::agreed(&world, "10.00").await;
    work(&world).await;
    let path = format!("/v1/reports/daily?date={TODAY}");
    assert_eq!(world.get(&path).await.json["totals"][0]["refunds"], 0);
    netted(&world, &refund).await.unwrap();
    let total = world.get(&path).await.json["totals"][0].clone();
    let told = (&total["refunds"], &total["refunded"], &total["net"]);
    assert_eq!(told, (&json!(1), &ils("10.00"), &ils("415.38")), "{total}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_payments_ties_and_names_what_moved() {
    let world = World::new().await;
    world.control("faults", serde_json::json!({ "callback": "duplicate" })).await;
    for reference in ["CASE-1", "CASE-2"] {
        let intent = world.intent(reference).await;
        world.pay_by_card(&intent).await;
    }
    let proof = world.proof().await;
    assert_eq!(proof["tied"], true, "{proof:#}");
    let channels = &proof["proof"]["ILS"]["channels"];
    assert_eq!(channels["book"], "430.50");
    assert_eq!(
        (channels["listed"].as_str(), channels["unexplained"].as_str()),
        (Some("430.50"), Some("0.00"))
    );
    let receivable = account(&proof, "channel/card/receivable");
    assert_eq!(receivable["movements"][0]["movement"], "taken");
    assert_eq!(receivable["movements"][0]["entries"], 2);
    assert_eq!(receivable["items"], 2);
    let interior = account(&proof, "agency/interior");
    assert_eq!(interior["movements"][0]["movement"], "collected");
    assert_eq!(interior["closing"], interior["listed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expectation_that_is_gone_fails_the_day_at_its_channel() {
    let world = World::new().await;
    for reference in ["CASE-1", "CASE-2"] {
        let intent = world.intent(reference).await;
        world.pay_by_card(&intent).await;
    }
    world.tamper("delete from expectations where id = (select id from expectations limit 1)").await;
    let proof = world.proof().await;
    assert_eq!(proof["tied"], false);
    assert_eq!(off(&proof), [("channel/card/receivable", "215.25"), ("channel/card/costs_payable", "3.62")]);
    assert_eq!(proof["proof"]["ILS"]["channels"]["unexplained"], "215.25");
}

/// What was met is no longer open, and is missed all the same: for a payment, a refund, a part of the day's money.
#[tokio::test(flavor = "multi_thread")]
async fn an_expectation_that_was_met_and_is_gone_fails_its_day_at_its_account() {
    let world = World::new().await;
    let (_, refund) = super::refunds::agreed(&world, "63.00").await;
    super::refunds::work(&world).await;
    world.transfer_told(&world.intent("CASE-2").await, "TR-EXAMPLE-1", 21_525).await;
    world.settle(1).await;
    world.end_day(TODAY).await;
    assert_eq!(super::refunds::staff_view(&world, &refund).await["stage"], "succeeded");
    let proof = world.proof().await;
    assert_eq!(proof["tied"], true, "{proof:#}");
    let met = |which: &str| {
        format!("id = (select id from expectations where state = 'met' and {which} order by id limit 1)")
    };
    let expected = [
        ("channel = 'card' and kind = 'payment'", "channel/card/receivable", "425.38"),
        ("kind = 'netted_refund'", "refunds/in_flight", "63.00"),
    ];
    for (which, _, _) in expected {
        let row = met(which);
        world.tamper(&format!("update expectations set amount_minor = amount_minor + 1 where {row}")).await;
        let proof = world.proof().await;
        assert_eq!(proof["tied"], false, "altered: {which}");
        world.tamper(&format!("update expectations set amount_minor = amount_minor - 1 where {row}")).await;
        assert_eq!(world.proof().await["tied"], true);
    }
    for (which, at, amount) in expected {
        world.tamper(&format!("delete from expectations where {}", met(which))).await;
        let proof = world.proof().await;
        let note = &account(&proof, at)["notes"][0];
        assert_eq!((&proof["tied"], &note["code"]), (&json!(false), &json!("not_expected")), "{proof:#}");
        assert_eq!((&note["amount"], &note["items"]), (&json!(amount), &json!(1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expectation_altered_by_one_unit_fails_the_day_at_its_channel() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    world.pay_by_card(&intent).await;
    world.tamper("update expectations set amount_minor = amount_minor - 1").await;
    assert_eq!(off(&world.proof().await), [("channel/card/receivable", "0.01")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_altered_by_one_unit_fails_the_day_at_its_agency() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    world.pay_by_card(&intent).await;
    world
        .tamper(
            r#"update quotes set body = jsonb_set(body, '{lines,0,priced,lines,0,amount,amount}', '"1.00"')
               where body #>> '{lines,0,priced,lines,0,amount,amount}' <> '1.00'"#,
        )
        .await;
    let proof = world.proof().await;
    assert_eq!(off(&proof).len(), 1, "{proof:#}");
    assert!(off(&proof)[0].0.starts_with("agency/interior") || off(&proof)[0].0.starts_with("treasury/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_in_suspense_is_listed_item_by_item() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let page = world.choose_card(&intent).await;
    world.tamper("update payment_intents set state = 'canceled'").await;
    world.decide(&page, "approve").await;
    world.settle(1).await;
    let proof = world.proof().await;
    assert_eq!(proof["tied"], true, "{proof:#}");
    assert_eq!(account(&proof, "suspense/card/credits")["listed"], "215.25");
    assert_eq!(proof["breaks"][0]["category"], "late_money");
    assert_eq!(proof["breaks"][0]["count"], 1);
    world.tamper("update suspense_items set used_minor = 1").await;
    assert_eq!(off(&world.proof().await), [("suspense/card/credits", "0.01")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_altered_by_one_unit_fails_the_day_at_its_account() {
    let world = World::new().await;
    world.take_statements().await;
    let proof = world.proof().await;
    assert_eq!(proof["tied"], true, "{proof:#}");
    world.tamper("update statements set closing_minor = closing_minor + 1 where account = 'main-jod'").await;
    let proof = world.proof().await;
    assert_eq!(proof["tied"], false);
    assert_eq!(off(&proof), [("bank/main-jod", "-0.001")]);
    assert_eq!(proof["proof"]["JOD"]["banks"]["listed"], "0.001");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_stands_aside_fails_the_day() {
    let world = World::new().await;
    world.take_statements().await;
    world
        .tamper(
            "update statements set state = 'quarantined', accepted_at = null, cause = 'does_not_close',
               reason = 'example' where account = 'main-usd'",
        )
        .await;
    let proof = world.proof().await;
    assert_eq!(proof["tied"], false);
    assert_eq!(account(&proof, "bank/main-usd")["notes"][0]["code"], "statement_quarantined");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_stands_aside_fails_the_day_although_another_was_accepted() {
    let world = World::new().await;
    world.take_statements().await;
    assert_eq!(world.proof().await["tied"], true);
    let page = ":20:PAGE\n:25:PS92SBOX000000000000000000003\n:28C:1/2\n:60M:C261122USD0,00\n\
                :61:2611221122C45,00NTRFNONREF//PAGE-1\n:62F:C261122USD50,00\n-\n";
    let file = File { name: "page.txt".to_owned(), bytes: page.as_bytes().to_vec() };
    let (_, body) = world.upload(&file).await;
    assert_eq!(body["statements"][0]["outcome"], "quarantined", "{body}");
    let proof = world.proof().await;
    assert_eq!(proof["tied"], false, "{proof:#}");
    assert_eq!(account(&proof, "bank/main-usd")["notes"][0]["code"], "statement_quarantined");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_comes_again_under_another_name_leaves_its_day_tied() {
    let world = World::new().await;
    world.transfer(super::recon::ILS, "12.50", "ILS", None, "a gift (example)").await;
    world.end_day(TODAY).await;
    assert_eq!(world.proof().await["tied"], true);
    let folder = world.data_dir().join("bank/statements");
    let named = |path: &std::path::PathBuf| path.display().to_string().contains(super::recon::ILS);
    let path = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).find(named).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let (head, statement) = text.split_once("<Stmt>").unwrap();
    let renamed = format!("{head}<Stmt>{}", statement.replacen("<Id>", "<Id>AGAIN-", 1));
    let (_, body) = world.upload(&File { name: "again.xml".to_owned(), bytes: renamed.into_bytes() }).await;
    assert_eq!(body["statements"][0]["outcome"], "quarantined", "{body}");
    let proof = world.proof().await;
    assert_eq!(proof["tied"], true, "{proof:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_line_that_is_not_entered_fails_the_day() {
    let world = World::new().await;
    world.transfer(super::recon::ILS, "12.50", "ILS", None, "a gift (example)").await;
    world.take_statements().await;
    let proof = world.proof().await;
    assert_eq!(off(&proof), [("bank/main-ils", "-12.50")]);
    assert_eq!(account(&proof, "bank/main-ils")["notes"][0]["code"], "not_entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_does_not_read_the_proof() {
    let world = World::new().await;
    let refused = world.get(&format!("/v1/finance/reports/daily?date={TODAY}")).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (403, Some("forbidden_scope")));
    let client = &world.people.reconciler.client;
    let refused = client.get("/v1/finance/reports/daily?date=yesterday").await.unwrap();
    assert_eq!((refused.status, refused.json["code"].as_str()), (400, Some("query_invalid")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_day_is_proved_again_whatever_became_of_its_refunds() {
    let world = World::new().await;
    let mut asked = Vec::new();
    for reference in ["CASE-1", "CASE-2"] {
        let intent = refunds::paid_passport(&world, reference).await;
        let refund = refunds::requested(&world, &intent, "63.00").await;
        refunds::approve(&world, &refund).await;
        asked.push(refund);
    }
    let decision = |at: usize| Decision { refund: refunds::id(&asked[at]).parse().unwrap(), note: None };
    let (app, another) = (&world.app, Actor::hub("another-officer"));
    // The second cannot go the way it came; the first is stopped on the next day, before it left.
    app.run(&Actor::hub("refunds"), &decision(1).refund, |tx, id| Box::pin(service::begin(tx, id)))
        .await
        .unwrap();
    let refused = service::Told {
        refund: decision(1).refund,
        instruction: 1,
        news: service::News::Failed { reason: "not_refundable".to_owned() },
    };
    app.run(&Actor::hub("refunds"), &refused, |tx, told| {
        Box::pin(async move { service::tell(tx, std::slice::from_ref(told)).await })
    })
    .await
    .unwrap();
    assert_eq!(off(&world.proof().await), [] as [(&str, &str); 0]);

    world.clock.advance(jiff::SignedDuration::from_hours(24));
    app.run(&another, &decision(0), |tx, of| Box::pin(service::cancel(tx, of))).await.unwrap();
    app.run(&another, &decision(1), |tx, of| Box::pin(service::propose_give_up(tx, of))).await.unwrap();
    app.run(&Actor::hub("a-third"), &decision(1), |tx, of| Box::pin(service::give_up(tx, of))).await.unwrap();
    let past = world.proof().await;
    assert_eq!(off(&past), [] as [(&str, &str); 0], "{past:#}");
    assert_eq!(account(&past, "refunds/payable")["listed"], "126.00");
    let next = world.proof_of("2026-11-23").await;
    assert!(off(&next).iter().all(|(account, _)| account.starts_with("bank/")), "{next:#}");
    assert_eq!(account(&next, "treasury/general/unclaimed")["listed"], "63.00");
}
