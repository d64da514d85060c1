//! What is refused before a page is asked: people read it on a page, in both languages.

use mizan::http::language::Language;
use mizan::http::problem::Code;
use reqwest::{Method, RequestBuilder, Response};

use super::*;

/// A page of the room that tells the code in both languages, and keeps its guards.
async fn told(response: Response, code: Code) -> Page {
    let asked = response.url().clone();
    assert_eq!(response.status(), code.status(), "{asked}");
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-type").starts_with("text/html"), "{asked}");
    assert!(header("content-security-policy").starts_with("default-src 'none'"), "{asked}");
    assert_eq!(
        (header("cache-control").as_str(), header("content-language").as_str()),
        ("no-store", "ar, en")
    );
    let page = page(response).await;
    for language in [Language::Arabic, Language::English] {
        assert!(page.html.contains(code.title(language)), "{asked}: {}", page.html);
    }
    page
}

async fn sent(request: RequestBuilder, media_type: &str, body: &str) -> Response {
    request.header("content-type", media_type).body(body.to_owned()).send().await.unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_is_refused_on_a_page_in_both_languages() {
    let world = World::new().await;
    let intent = world.intent("CASE-1").await;
    let url = intent["pay_url"].as_str().unwrap();
    let get = async |url: String| world.http.get(url).send().await.unwrap();
    told(get(format!("{url}?lang=a&lang=b")).await, Code::QueryInvalid).await;
    told(sent(world.http.post(url), FORM, "").await, Code::ValidationFailed).await;
    told(sent(world.http.post(url), "application/json", "{}").await, Code::UnsupportedMediaType).await;
    let page =
        told(sent(world.http.post(url), FORM, "channel=card-health").await, Code::ChannelUnavailable).await;
    assert!(page.html.contains("channel_unavailable"), "{}", page.html);
    for path in ["/pay", "/pay/none", "/pay/none/none", "/r/none"] {
        told(get(format!("{}{path}", world.base)).await, Code::NotFound).await;
    }
    let deleted = world.http.request(Method::DELETE, url).send().await.unwrap();
    assert!(deleted.headers()["allow"].to_str().unwrap().contains("POST"));
    told(deleted, Code::MethodNotAllowed).await;
    assert_eq!(get(url.to_owned()).await.status(), 200);

    // Programs read problems, as before, and nothing else is a page.
    let other = get(format!("{}/payments", world.base)).await;
    assert_eq!(other.status(), 404);
    assert_eq!(other.headers()["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_is_refused_on_a_page_in_both_languages() {
    let world = World::new().await;
    let browser = Browser::of_reconciler(&world).await;
    let asked = |method: Method, path: &str| {
        world.http.request(method, format!("{}{path}", world.base)).header("cookie", &browser.cookie)
    };
    for path in ["/console/login?lang=a&lang=b", "/console/breaks?category=a&category=b", "/console?day=%00"]
    {
        told(asked(Method::GET, path).send().await.unwrap(), Code::QueryInvalid).await;
    }
    for path in ["/console/login", "/console/language", "/console/logout", "/console/refunds/none/approve"] {
        told(sent(asked(Method::POST, path), FORM, "").await, Code::ValidationFailed).await;
        told(sent(asked(Method::POST, path), "application/json", "{}").await, Code::UnsupportedMediaType)
            .await;
    }
    for path in ["/console?date=x", "/console?date=2026-02-30", "/console/accounts/ILS/hub/fees?from=x&to="] {
        let refused = asked(Method::GET, path).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{path}");
        let html = refused.text().await.unwrap();
        assert!(html.contains("ليس هذا تاريخًا") && html.contains("This is no date"), "{html}");
    }
    assert_eq!(browser.get("/console?date=").await.status, 200, "an emptied field asks for today");
    told(asked(Method::GET, "/console/none").send().await.unwrap(), Code::NotFound).await;
    told(asked(Method::DELETE, "/console/breaks").send().await.unwrap(), Code::MethodNotAllowed).await;
    assert_eq!(browser.get("/console").await.status, 200, "the session goes on");
}
