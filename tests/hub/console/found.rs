//! Money by the number its bank gave, wherever it went; and what a break tells of it.

use sqlx::Row as _;

use mizan::demo::PAYER_ACCOUNT;

use super::*;
use crate::recon::ILS;
use crate::refunds::{bank, id, staff_view};

/// The bank's reference of the one line that this condition picks.
async fn reference(world: &World, condition: &str) -> String {
    let select = format!("select bank_reference from statement_lines where {condition}");
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(select)).fetch_one(&world.app.pool).await.unwrap();
    row.get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_found_by_the_banks_reference_wherever_it_went() {
    let world = World::new().await;
    for case in ["CASE-1", "CASE-2"] {
        let intent = world.intent(case).await;
        world.pay_by_card(&intent).await;
    }
    world.transfer(ILS, "12.50", "ILS", None, "a gift (example)").await;
    world.end_day(TODAY).await;
    let gift = reference(&world, "amount_minor = 1250").await;
    let settled = reference(&world, "currency = 'ILS' and amount_minor > 0 and amount_minor <> 1250").await;
    let browser = Browser::of_reconciler(&world).await;

    for asked in [gift.clone(), format!("bank:main-ils:{gift}")] {
        let page = browser.get(&format!("/console/payments?q={asked}")).await;
        assert_eq!(page.status, 200, "{asked}");
        for told in ["12.50", "a gift (example)", "In suspense", "su_", "belongs to no payment"] {
            assert!(page.html.contains(told), "{asked} does not tell {told}: {}", page.html);
        }
        let breaks = browser.get(&link(&page.html, "/console/breaks")).await;
        assert!(breaks.html.contains(&gift), "{}", breaks.html);
        assert_eq!(browser.get(&link(&page.html, "/console/entries/")).await.status, 200);
    }
    let page = browser.get(&format!("/console/payments?q={settled}")).await;
    for told in ["Settlement of", "CASE-1", "CASE-2"] {
        assert!(page.html.contains(told), "{settled} does not tell {told}: {}", page.html);
    }
    let nothing = browser.get("/console/payments?q=FT0").await;
    assert!(nothing.status == 200 && nothing.html.contains("No payment carries this number"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_found_by_its_id_by_our_reference_and_by_that_of_its_bank() {
    let world = World::new().await;
    let intent = bank::paid_by_transfer(&world, "CASE-1").await;
    let refund = bank::approved(&world, &intent, "10.00", PAYER_ACCOUNT).await;
    bank::send(&world).await;
    world.end_day(TODAY).await;
    let debit = reference(&world, "amount_minor = -1000").await;
    let browser = Browser::of_reconciler(&world).await;
    let to = format!("/console/payments/{}", id(&intent));
    let ours = staff_view(&world, &refund).await["instructions"][0]["reference"].as_str().unwrap().to_owned();
    for number in [debit.clone(), ours, id(&refund).to_owned()] {
        let sought = browser.get(&format!("/console/payments?q={number}")).await;
        assert_eq!(sought.to, to, "{number}: {}", sought.html);
    }
    let page = browser.get(&to).await;
    for told in ["CASE-1", &format!("/console/refunds/{}", id(&refund))] {
        assert!(page.html.contains(told), "{debit} does not tell {told}: {}", page.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_tells_its_detail_in_the_officers_language() {
    let world = World::new().await;
    world.transfer(ILS, "12.50", "ILS", None, "a gift (example)").await;
    world.end_day(TODAY).await;
    let browser = Browser::of_reconciler(&world).await;
    let english = browser.get("/console/breaks").await.html;
    browser.speak("ar").await;
    let arabic = browser.get("/console/breaks").await.html;
    let told = [
        (&english, ["Bank reference", "Booked on", "nothing known is named"]),
        (&arabic, ["مرجع البنك", "قُيّد في", "لا يذكر شيئًا معروفًا"]),
    ];
    for (page, words) in told {
        for word in words {
            assert!(page.contains(word), "{word} is not told: {page}");
        }
        for raw in ["{'", "&#x27;amount&#x27;", "None", "False", "bank_reference", "may_be_bills"] {
            assert!(!page.contains(raw), "{raw} is shown: {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payers_page_tells_the_end_on_the_clock_of_the_place() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    for (lang, told) in
        [("en", "25 November 2026, 10:00"), ("ar", "25 تشرين الثاني/نوفمبر 2026، الساعة 10:00")]
    {
        let url = format!("{}?lang={lang}", intent["pay_url"].as_str().unwrap());
        let page = page(world.http.get(url).send().await.unwrap()).await;
        assert!(page.html.contains(told), "{}", page.html);
        assert!(!page.html.contains(intent["expires_at"].as_str().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_was_given_up_is_told_with_the_payment_it_was_about() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    world.enqueue(&format!("{}:14", id(&intent)), "a fault").await;
    world.try_jobs(mizan::queue::ATTEMPTS_MAX).await;
    world.clock.set(crate::world::MORNING.parse().unwrap());
    let browser = Browser::of_reconciler(&world).await;
    let english = browser.get("/console/breaks?category=job_given_up").await.html;
    browser.speak("ar").await;
    let arabic = browser.get("/console/breaks?category=job_given_up").await.html;
    for (page, words) in [
        (&english, ["Work given up", "Tries: ", "Why: "]),
        (&arabic, ["عمل لم يُنجَز", "عدد المحاولات: ", "السبب: "]),
    ] {
        let payment = format!("href=\"/console/payments/{}\"", id(&intent));
        for told in words.into_iter().chain(["the example fails", &payment]) {
            assert!(page.contains(told), "{told} is not told: {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_an_altered_telling_has_seen_those_before_it() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let order = world.at_gateway("card", &intent).await;
    for amount in ["215.25", "216.25", "217.25"] {
        world.tell("card", &order, "T-EXAMPLE-1", (amount, "ILS")).await;
    }
    world.settle(1).await;
    let browser = Browser::of_reconciler(&world).await;
    let english = browser.get("/console/breaks").await.html;
    browser.speak("ar").await;
    let arabic = browser.get("/console/breaks").await.html;
    for (page, before) in [(english, "Earlier: Amount"), (arabic, "قبل ذلك: المبلغ")] {
        for told in [before, "216.25", "217.25"] {
            assert!(page.contains(told), "{told} is not told: {page}");
        }
    }
}
