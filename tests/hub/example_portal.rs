//! The example portal as a payer walks through it: forms and links alone, in Arabic and in English.

use mizan::{example_portal, inbox};
use serde_json::json;
use tokio::net::TcpListener;

use crate::world::World;

/// The portal in a world, and the address it answers at.
async fn open(world: &World) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let portal = example_portal::serve(world.portal().clone(), listener);
    world.app.tasks.spawn(portal);
    base
}

async fn page(world: &World, url: &str) -> String {
    let reply = world.http.get(url).send().await.unwrap();
    assert_eq!(reply.status(), 200, "{url}");
    let html = reply.text().await.unwrap();
    assert!(!html.contains("<script") && !html.contains("undefined"), "{html}");
    html.replace("&#x2f;", "/").replace("&amp;", "&")
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap().0
}

const PASSPORT: &str = "service=interior/passport";

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_chooses_sees_why_pays_and_gets_the_receipt() {
    let world = World::new().await;
    let base = open(&world).await;
    for (lang, why, waiting, paid) in [
        ("ar", "رسم مقطوع", "لم يكتمل الدفع بعد", "وهذا إيصالك"),
        ("en", "A fixed fee.", "Not paid yet", "Paid, and this is your receipt"),
    ] {
        let services = page(&world, &format!("{base}/?lang={lang}")).await;
        assert!(services.contains(&format!("lang={lang}&{PASSPORT}")), "{services}");
        let service = page(&world, &format!("{base}/?lang={lang}&{PASSPORT}")).await;
        assert!(service.contains("name=\"reason\"") && !service.contains("<table>"), "{service}");
        let asked = format!("{base}/?lang={lang}&{PASSPORT}&reason=new&currency=ILS");
        let priced = page(&world, &asked).await;
        assert!(priced.contains(why) && priced.contains("210.00 ILS"), "{priced}");

        let quote = between(&priced, "name=\"quote\" value=\"", "\"");
        let sent = world.form(&format!("{base}/pay"), &format!("lang={lang}&quote={quote}")).await;
        assert_eq!(sent.status(), 303);
        let pay_url = sent.headers()["location"].to_str().unwrap().to_owned();
        let again = world.form(&format!("{base}/pay"), &format!("lang={lang}&quote={quote}")).await;
        assert_eq!(
            (again.status().as_u16(), again.headers()["location"].to_str().unwrap()),
            (303, &*pay_url)
        );
        let chosen = world.form(&pay_url, "channel=card").await;
        let gateway = chosen.headers()["location"].to_str().unwrap().to_owned();
        let payers_page = page(&world, &format!("{pay_url}?lang={lang}")).await;
        let back =
            between(&payers_page, "<a href=\"http://127", "\"").replace("&amp;", "&").replace("&#x2f;", "/");
        let back = format!("http://127{back}");
        assert!(back.starts_with(&format!("{base}/back?lang={lang}&payment_intent=pi_")), "{back}");
        let early = page(&world, &back).await;
        assert!(early.contains(waiting) && early.contains("http-equiv=\"refresh\""), "{early}");

        world.decide(&gateway, "approve").await;
        world.settle(1).await;
        let receipt = page(&world, &back).await;
        assert!(receipt.contains(paid) && !receipt.contains("refresh"), "{receipt}");
        let link = between(&receipt, "<p><a href=\"", "\"");
        assert!(page(&world, link).await.contains("210.00"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_ended_is_told_as_such_and_not_looked_for_again() {
    let world = World::new().await;
    let base = open(&world).await;
    let canceled = world.intent("CASE-1").await;
    let path = format!("/v1/payment-intents/{}/cancel", canceled["id"].as_str().unwrap());
    assert_eq!(world.portal().post(&path, &json!({})).await.unwrap().status, 200);
    let expired = world.intent("CASE-2").await;
    world.clock.set(expired["expires_at"].as_str().unwrap().parse().unwrap());
    inbox::sweeper::sweep_once(&world.app).await;
    for (intent, words) in [
        (&canceled, [("ar", "أُلغي طلب الدفع"), ("en", "The payment was canceled")]),
        (&expired, [("ar", "انتهت مهلة الدفع"), ("en", "The time to pay is over")]),
    ] {
        for (lang, word) in words {
            let id = intent["id"].as_str().unwrap();
            let page = page(&world, &format!("{base}/back?lang={lang}&payment_intent={id}")).await;
            assert!(page.contains(word) && !page.contains("refresh"), "{page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_refuses_is_told_and_nothing_in_an_address_is_believed() {
    let world = World::new().await;
    let base = open(&world).await;
    let wrong = page(&world, &format!("{base}/?lang=en&{PASSPORT}&reason=%22%3E%3Cb%3E&currency=ILS")).await;
    assert!(wrong.contains("Some fields are wrong") && wrong.contains("reason"), "{wrong}");
    assert!(!wrong.contains("\"><b>"), "{wrong}");
    let arabic = page(&world, &format!("{base}/?{PASSPORT}&reason=x&currency=ILS")).await;
    assert!(arabic.contains("dir=\"rtl\"") && arabic.contains("في الطلب حقول غير صحيحة"), "{arabic}");
    let none = world.form(&format!("{base}/pay"), "lang=en&quote=qt_1").await;
    assert_eq!(none.status(), 200);
    assert!(none.text().await.unwrap().contains("Some fields are wrong"));
    for id in ["pi_1", "../services", "pi_00000000000000000000000000000000"] {
        let page = page(&world, &format!("{base}/back?lang=en&payment_intent={id}")).await;
        assert!(page.contains("There is no such thing"), "{page}");
    }
    assert!(page(&world, &format!("{base}/?service=no%2Fservice")).await.contains("interior"));
}

#[test]
fn the_whole_portal_is_shorter_than_two_hundred_lines() {
    let files = [
        include_str!("../../docs/example-portal/portal.rs"),
        include_str!("../../docs/example-portal/page.html"),
    ];
    let lines: usize = files.iter().map(|text| text.lines().count()).sum();
    assert!(lines < 200, "{lines} lines");
}
