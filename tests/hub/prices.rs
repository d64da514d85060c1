//! What everybody may know of the prices.

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
