//! What everybody may know of the prices.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn anybody_reads_the_price_list_that_portals_sell_by() {
    let world = World::new().await;
    let answer = world.http.get(format!("{}/v1/price-list", world.base)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "nothing is signed");
    let list: Value = answer.json().await.unwrap();
    assert_eq!(list["live"], false);
    let mut listed = list["data"].as_array().unwrap().clone();
    let passport = listed.iter().find(|one| one["code"] == "interior/passport").unwrap();
    assert!(passport["agency_name"]["ar"].is_string() && passport["fee"]["components"][0].is_object());
    assert_eq!(passport["next_fee"], json!(null));
    for one in &mut listed {
        let one = one.as_object_mut().unwrap();
        one.retain(|name, _| !matches!(name.as_str(), "agency_name" | "next_fee"));
    }
    assert_eq!(Value::Array(listed), world.get("/v1/services").await.json["data"]);
}

/// Who holds a quote shows what was promised to him, with nothing but the answer and the hub's public key.
#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_verified_by_whoever_holds_it() {
    let world = World::new().await;
    let keys: Value = {
        let answer = world.http.get(format!("{}/.well-known/mizan-keys.json", world.base)).send().await;
        answer.unwrap().json().await.unwrap()
    };
    let public = URL_SAFE_NO_PAD.decode(keys["keys"][0]["x"].as_str().unwrap()).unwrap();
    let asked = json!({ "currency": "JOD", "lines": [
        { "service": "psi/testing-report", "inputs": { "samples": 2, "urgent": false } },
    ] });
    let made = world.portal().post("/v1/quotes", &asked).await.unwrap().json;
    let read = world.get(&format!("/v1/quotes/{}", made["id"].as_str().unwrap())).await.json;
    for quote in [made, read] {
        assert_eq!(quote["signature"]["key_id"], keys["keys"][0]["kid"]);
        let signature = STANDARD.decode(quote["signature"]["value"].as_str().unwrap()).unwrap();
        let signed = quote["signed"].as_str().unwrap();
        let key = UnparsedPublicKey::new(&ED25519, &public);
        assert!(key.verify(signed.as_bytes(), &signature).is_ok(), "{quote}");
        let total = quote["total"]["amount"].as_str().unwrap();
        for told in [quote["id"].as_str().unwrap(), total, "input:samples=1:2", "psi/testing-report"] {
            assert!(signed.contains(told), "{told}: {signed}");
        }
        let altered = signed.replace(total, "0.001");
        assert!(key.verify(altered.as_bytes(), &signature).is_err());
    }
}
