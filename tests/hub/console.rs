//! The console as an officer's browser meets it.

mod found;
mod refunds;
mod refused;

use mizan::demo::Officer;
use serde_json::{Value, json};

use crate::world::{TODAY, World};

/// A browser with the cookies of one officer.
struct Browser<'w> {
    world: &'w World,
    cookie: String,
}

struct Page {
    status: u16,
    to: String,
    html: String,
}

/// The value of a hidden field of a form.
fn field<'h>(html: &'h str, name: &str) -> &'h str {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = html.split_once(&mark).unwrap_or_else(|| panic!("no field {name} in {html}")).1;
    rest.split_once('"').unwrap().0
}

fn cookies(response: &reqwest::Response) -> String {
    let set = response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let pairs = set.map(|cookie| {
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    });
    pairs.collect::<Vec<_>>().join("; ")
}

async fn page(response: reqwest::Response) -> Page {
    let to = response.headers().get("location").map_or("", |to| to.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    // Slashes are escaped too; the browser reads them as they are.
    Page { status, to, html: response.text().await.unwrap().replace("&#x2f;", "/") }
}

/// Fills in the login form; answers the page and the cookies that came with it.
async fn log_in(world: &World, login: &str, password: &str) -> (Page, String) {
    let url = format!("{}/console/login?lang=en", world.base);
    let form = world.http.get(&url).send().await.unwrap();
    assert_eq!(form.status(), 200);
    let cookie = cookies(&form);
    let html = form.text().await.unwrap();
    let csrf = field(&html, "csrf");
    let fields = format!("csrf={csrf}&lang=en&login={login}&password={password}");
    let response = post(world, "/console/login", &cookie, &fields).await;
    let cookie = cookies(&response);
    (page(response).await, cookie)
}

async fn post(world: &World, path: &str, cookie: &str, fields: &str) -> reqwest::Response {
    let request = world.http.post(format!("{}{path}", world.base)).header("cookie", cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(fields.to_owned()).send().await.unwrap()
}

impl<'w> Browser<'w> {
    async fn of_reconciler(world: &'w World) -> Self {
        Self::of(world, &world.people.reconciler).await
    }

    async fn of(world: &'w World, officer: &Officer) -> Self {
        let (answer, cookie) = log_in(world, &officer.login, &officer.password).await;
        assert_eq!((answer.status, answer.to.as_str()), (303, "/console"), "{}", answer.html);
        Self { world, cookie }
    }

    async fn get(&self, path: &str) -> Page {
        let request = self.world.http.get(format!("{}{path}", self.world.base));
        let response = request.header("cookie", &self.cookie).send().await.unwrap();
        if response.status() == 200 {
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
            assert_eq!(response.headers()["cache-control"], "no-store");
        }
        page(response).await
    }

    async fn post(&self, path: &str, fields: &str) -> Page {
        page(post(self.world, path, &self.cookie, fields).await).await
    }

    async fn speak(&self, lang: &str) {
        let html = self.get("/console").await.html;
        let csrf = field(&html, "csrf").to_owned();
        let answer = self.post("/console/language", &format!("csrf={csrf}&lang={lang}&back=/console")).await;
        assert_eq!((answer.status, answer.to.as_str()), (303, "/console"));
    }
}

/// The first link on a page that begins so.
fn link(html: &str, start: &str) -> String {
    let mark = format!("href=\"{start}");
    let rest = html.split_once(&mark).unwrap_or_else(|| panic!("no link to {start} in {html}")).1;
    format!("{start}{}", rest.split_once('"').unwrap().0).replace("&amp;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_page_without_a_session() {
    let world = World::new().await;
    let pages = [
        "/console",
        "/console/breaks",
        "/console/payments",
        "/console/payments/pi_00000000000070008000000000000000",
        "/console/notices/1",
        "/console/refunds",
        "/console/refunds/rf_00000000000070008000000000000000",
        "/console/accounts/ILS/channel/card/receivable",
    ];
    for cookie in ["", "mizan_console=", "mizan_console=00000000000000000000000000000000"] {
        let browser = Browser { world: &world, cookie: cookie.to_owned() };
        for path in pages {
            let answer = browser.get(path).await;
            assert_eq!((answer.status, answer.to.as_str()), (303, "/console/login"), "{path}");
        }
        assert_eq!(browser.post("/console/logout", "csrf=x").await.to, "/console/login");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_opens_nothing_and_a_right_one_does() {
    let world = World::new().await;
    let officer = &world.people.reconciler;
    for (login, password) in [
        (officer.login.as_str(), "wrong"),
        ("nobody", officer.password.as_str()),
        (officer.login.as_str(), ""),
        ("%00", "x"),
    ] {
        let (answer, _) = log_in(&world, login, password).await;
        assert_eq!(answer.status, 401, "{login}");
        assert!(answer.html.contains("is not right"), "{}", answer.html);
    }
    let browser = Browser::of_reconciler(&world).await;
    assert_eq!(browser.get("/console").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_tries_are_refused_even_with_the_right_password() {
    let world = World::new().await;
    let officer = &world.people.approver;
    let mut last = 401;
    for _ in 0..12 {
        last = log_in(&world, &officer.login, "wrong").await.0.status;
    }
    assert_eq!(last, 429);
    assert_eq!(log_in(&world, &officer.login, &officer.password).await.0.status, 429);
    Browser::of_reconciler(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_changes_nothing() {
    let world = World::new().await;
    let officer = &world.people.reconciler;
    let fields = format!("csrf=guess&lang=en&login={}&password={}", officer.login, officer.password);
    for cookie in ["", "mizan_login=other"] {
        let answer = page(post(&world, "/console/login", cookie, &fields).await).await;
        assert_eq!(answer.status, 403);
    }
    let browser = Browser::of_reconciler(&world).await;
    for path in ["/console/logout", "/console/language"] {
        let answer = browser.post(path, "csrf=guess&lang=ar&back=/console").await;
        assert_eq!(answer.status, 403, "{path}");
    }
    assert!(browser.get("/console").await.html.contains("<html lang=\"en\""));
    // The language leads back to a page of ours only.
    let csrf = field(&browser.get("/console").await.html, "csrf").to_owned();
    let elsewhere = format!("csrf={csrf}&lang=en&back=//example.org/console");
    assert_eq!(browser.post("/console/language", &elsewhere).await.to, "/console");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_leaving_and_by_time() {
    let world = World::new().await;
    let browser = Browser::of_reconciler(&world).await;
    let csrf = field(&browser.get("/console").await.html, "csrf").to_owned();
    assert_eq!(browser.post("/console/logout", &format!("csrf={csrf}")).await.status, 303);
    assert_eq!(browser.get("/console").await.to, "/console/login");

    let browser = Browser::of_reconciler(&world).await;
    world.clock.set("2026-11-22T16:00:01Z".parse().unwrap());
    assert_eq!(browser.get("/console").await.to, "/console/login");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_a_password_ends_every_session_that_was_opened_with_it() {
    let world = World::new().await;
    let officer = &world.people.reconciler;
    let (stolen, untouched) =
        (Browser::of_reconciler(&world).await, Browser::of(&world, &world.people.approver).await);
    assert_eq!(stolen.get("/console").await.status, 200);
    let (status, key, _) =
        world.log_in(&officer.login, &officer.password, Some("another password of the test")).await;
    assert_eq!(status, 201, "{key}");
    assert_eq!(stolen.get("/console").await.to, "/console/login");
    assert_eq!(untouched.get("/console").await.status, 200, "other people stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_leads_down_to_the_bytes_in_both_languages() {
    let world = World::new().await;
    let intent = world.intent("CASE-7").await;
    world.pay_by_card(&intent).await;
    let browser = Browser::of_reconciler(&world).await;
    for (lang, dir, word) in [("en", "ltr", "Trial balance"), ("ar", "rtl", "ميزان المراجعة")] {
        browser.speak(lang).await;
        let day = browser.get("/console").await.html;
        assert!(day.contains(&format!("<html lang=\"{lang}\" dir=\"{dir}\">")), "{day}");
        assert!(day.contains(word) && day.contains("215.25") && day.contains("verdict good"), "{day}");

        let owed = browser.get(&link(&day, "/console/channels/card/ILS")).await;
        assert!(owed.status == 200 && owed.html.contains("215.25"), "{}", owed.html);
        let account = browser.get(&link(&day, "/console/accounts/ILS/channel/card/receivable")).await;
        assert!(account.html.contains(TODAY), "{}", account.html);
        let entry = browser.get(&link(&account.html, "/console/entries/")).await;
        assert!(entry.html.contains("channel/card/receivable"), "{}", entry.html);
        let payment = browser.get(&link(&entry.html, "/console/payments/")).await;
        assert!(
            payment.html.contains("CASE-7") && payment.html.contains("2026-00000001"),
            "{}",
            payment.html
        );
        let notice = browser.get(&link(&payment.html, "/console/notices/")).await;
        assert!(notice.html.contains("<pre>{&quot;"), "{}", notice.html);
        for path in ["/console/breaks", "/console/breaks?show=all&category=altered", "/console/payments"] {
            assert_eq!(browser.get(path).await.status, 200, "{path}");
        }
        for path in ["/console/notices/999", "/console/accounts/ILS/no/such", "/console/entries/x"] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_found_by_any_number_a_person_holds() {
    let world = World::new().await;
    let intent = world.intent("CASE-8").await;
    world.pay_by_card(&intent).await;
    let paid = world.find_intent(intent["id"].as_str().unwrap()).await;
    let to = format!("/console/payments/{}", paid["id"].as_str().unwrap());
    let browser = Browser::of_reconciler(&world).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let numbers = [
        text(&paid["id"]),
        text(&paid["bill_number"]),
        text(&paid["external_reference"]),
        text(&paid["receipt"]["number"]),
        text(&paid["attempts"][0]["id"]),
        "%D9%A2%D9%A0%D9%A2%D9%A6-00000001".to_owned(),
    ];
    for number in numbers {
        let answer = browser.get(&format!("/console/payments?q={number}")).await;
        assert_eq!((answer.status, &answer.to), (303, &to), "{number}");
    }
    assert_eq!(browser.get("/console/payments?q=CASE-9").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_found_by_the_reference_of_the_bank() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let transfer = json!({
        "to": crate::recon::ILS, "amount": intent["amount"]["amount"], "currency": "ILS",
        "reference": intent["reference"], "payer": "A payer (example)",
    });
    let told = world.control("transfers", transfer).await;
    let card = world.intent("CASE-2").await;
    world.pay_by_card(&card).await;
    world.end_day(TODAY).await;
    let browser = Browser::of_reconciler(&world).await;
    let to = format!("/console/payments/{}", intent["id"].as_str().unwrap());
    let found =
        browser.get(&format!("/console/payments?q={}", told["bank_reference"].as_str().unwrap())).await;
    assert_eq!((found.status, &found.to), (303, &to), "{}", found.html);
}

/// The API, the command line and the console tell one proof.
#[tokio::test(flavor = "multi_thread")]
async fn the_day_is_the_proof_that_the_api_tells() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    world.pay_by_card(&intent).await;
    let browser = Browser::of_reconciler(&world).await;
    let path = format!("/v1/finance/reports/daily?date={TODAY}");
    for tampered in [false, true] {
        if tampered {
            world.tamper("update expectations set amount_minor = amount_minor - 1").await;
        }
        let proof = world.people.reconciler.client.get(&path).await.unwrap().json;
        let html = browser.get("/console").await.html;
        assert_eq!(proof["tied"], !tampered);
        assert_eq!(html.contains("verdict fail"), tampered, "{html}");
        assert!(proof["accounts"].as_array().unwrap().len() >= 4);
        for line in proof["accounts"].as_array().unwrap() {
            let text = |name: &str| line[name].as_str().unwrap();
            let mark = if text("unexplained").bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
                format!("<bdi class=\"num bad\">{}</bdi>", text("unexplained"))
            } else {
                format!("<bdi class=\"num ok\">✓ {}</bdi>", text("unexplained"))
            };
            for told in [text("closing"), text("listed"), mark.as_str()] {
                assert!(html.contains(told), "{told} of {} in {html}", text("account"));
            }
        }
        for identity in ["(a) Channels", "(b) Banks", "(c) Agencies", "(d) Custody"] {
            assert!(html.contains(identity), "{identity} in {html}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_is_text() {
    let world = World::new().await;
    let hostile = "<script>alert(1)</script>\"'><img src=x>";
    let body = json!({
        "currency": "ILS",
        "lines": [{ "service": "interior/passport", "inputs": { "reason": "new", "urgent": false } }],
        "external_reference": hostile,
    });
    let reply = world.portal().post("/v1/payment-intents", &body).await.unwrap();
    assert_eq!(reply.status, 201, "{}", reply.json);
    let browser = Browser::of_reconciler(&world).await;
    let id = reply.json["id"].as_str().unwrap();
    for path in [format!("/console/payments/{id}"), "/console/payments".to_owned()] {
        let html = browser.get(&path).await.html;
        assert!(html.contains("&lt;script&gt;alert(1)&lt;"), "{html}");
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    }
    let asked = browser.get("/console/payments?q=%3Cscript%3E%22").await.html;
    assert!(asked.contains("&lt;script&gt;&quot;") && !asked.contains("<script"), "{asked}");
}
