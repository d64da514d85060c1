//! What is paid for: a basket per service for sale, and the example catalogue of the load's own deployment.

use std::fmt::Write as _;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::client::Client;

/// Over how many agencies the money is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Accounts {
    /// One: every payment moves the same accounts.
    Hot,
    /// All for sale; five hundred in the load's own deployment.
    Cold,
}

/// How many agencies the example catalogue has.
pub const AGENCIES: usize = 500;

/// One basket per service that the portal may sell and a card may pay, with the least that each input allows.
///
/// # Errors
/// When the hub does not tell its services, or none can be sold.
pub async fn baskets(portal: &Client, accounts: Accounts) -> anyhow::Result<Vec<Value>> {
    let reply = portal.get("/v1/services").await?;
    ensure!(reply.status == 200, "GET /v1/services: {} {}", reply.status, reply.json);
    let services = reply.json["data"].as_array().context("no list of services")?;
    let mut baskets: Vec<Value> = services.iter().filter_map(basket).collect();
    if accounts == Accounts::Hot {
        baskets.truncate(1);
    }
    ensure!(!baskets.is_empty(), "no service of this hub can be sold and paid by card");
    Ok(baskets)
}

fn basket(service: &Value) -> Option<Value> {
    let by_card = service["channels"].as_array()?.iter().any(|channel| channel == "card");
    let currency = service.pointer("/fee/currencies/0").filter(|_| by_card)?;
    let inputs: Option<Map<String, Value>> =
        service.pointer("/fee/inputs")?.as_array()?.iter().map(|input| least(input, currency)).collect();
    Some(json!({ "currency": currency, "lines": [{ "service": service["code"], "inputs": inputs? }] }))
}

/// The smallest value of an input, by its code.
fn least(input: &Value, currency: &Value) -> Option<(String, Value)> {
    let value = match input["type"].as_str()? {
        "integer" | "decimal" => input["min"].clone(),
        "amount" => input["min"][currency.as_str()?].clone(),
        "choice" => input.pointer("/options/0/code")?.clone(),
        "boolean" => json!(false),
        _ => json!("load"),
    };
    Some((input["code"].as_str()?.to_owned(), value))
}

/// [`AGENCIES`] agencies with one service each: EXAMPLE data, made up.
pub fn catalogue() -> String {
    let mut text = "example = true\n".to_owned();
    for n in 0..AGENCIES {
        let account = iban(n);
        write!(
            text,
            r#"
[[agencies]]
code = "load-{n:03}"
name = {{ ar = "جهة المثال {n}", en = "Example agency {n}" }}
issuer = "{issuer}"
zone = "Asia/Hebron"
bank_accounts = [{{ currency = "JOD", iban = "{account}", holder = {{ ar = "جهة المثال {n}", en = "Example agency {n}" }} }}]
money = [{{ mode = "pooled" }}]

[[services]]
code = "load-{n:03}/permit"
name = {{ ar = "تصريح المثال {n}", en = "Example permit {n}" }}
description = {{ ar = "خدمة لقياس الأداء.", en = "A service to measure with." }}
duration_days = 1
channels = ["card"]
applicants = ["person"]
tags = ["example"]

[[services.versions]]
number = 1
from = 2020-01-01
currencies = ["JOD"]
legal = {{ instrument = {{ ar = "نظام مثال غير حقيقي", en = "Example, not a real law" }}, article = "1", date = 2019-12-01 }}
inputs = [{{ code = "copies", name = {{ ar = "عدد النسخ", en = "Copies" }}, type = "integer", min = 1, max = 100 }}]

[[services.versions.components]]
code = "permit"
name = {{ ar = "رسم التصريح", en = "Permit fee" }}
kind = "per_unit"
input = "copies"
amount = {{ JOD = "12.000" }}
beneficiary = "agency"
gl = "4110"
refund = "until_delivered"
release = "on_payment"
article = "1/1"

[[services.versions.components]]
code = "vat"
name = {{ ar = "ضريبة القيمة المضافة", en = "Value added tax" }}
kind = "tax"
rate = "0.16"
covers = ["permit"]
beneficiary = {{ agency_tax = "vat" }}
gl = "2310"
refund = "until_delivered"
release = "on_payment"
article = "1/9"
"#,
            issuer = 1_000 + n,
        )
        .expect("writing to a string cannot fail");
    }
    text
}

/// An account number of the example bank, with check digits that fit (ISO 7064 mod 97-10).
fn iban(n: usize) -> String {
    let own = format!("EXMP{:021}", 500_000 + n);
    let remainder = format!("{own}PS00").chars().fold(0, |rest: u32, character| {
        let digit = character.to_digit(36).unwrap_or(0);
        (rest * if digit > 9 { 100 } else { 10 } + digit) % 97
    });
    format!("PS{:02}{own}", 98 - remainder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::check;

    #[test]
    fn the_example_catalogue_is_sound() {
        let read = check(&[("load.toml", catalogue())]).expect("no problems");
        assert_eq!((read.agencies.len(), read.services.len()), (AGENCIES, AGENCIES));
    }

    #[test]
    fn a_basket_has_the_least_of_every_input() {
        let service = json!({
            "code": "a/b", "channels": ["counter", "card"],
            "fee": { "currencies": ["JOD"], "inputs": [
                { "code": "copies", "type": "integer", "min": 2, "max": 9 },
                { "code": "area", "type": "decimal", "min": "0.5", "max": "9" },
                { "code": "value", "type": "amount", "min": { "JOD": "1.000" }, "max": { "JOD": "9.000" } },
                { "code": "form", "type": "choice", "options": [{ "code": "paper" }, { "code": "file" }] },
                { "code": "urgent", "type": "boolean" },
                { "code": "name", "type": "text", "chars_max": 60 },
            ] },
        });
        let inputs = json!({
            "copies": 2, "area": "0.5", "value": "1.000", "form": "paper", "urgent": false, "name": "load",
        });
        let expected = json!({ "currency": "JOD", "lines": [{ "service": "a/b", "inputs": inputs }] });
        assert_eq!(basket(&service), Some(expected));
    }

    #[test]
    fn a_service_without_a_price_or_without_the_card_is_not_pressed() {
        let counter =
            json!({ "code": "a/b", "channels": ["counter"], "fee": { "currencies": ["JOD"], "inputs": [] } });
        assert_eq!(basket(&counter), None);
        assert_eq!(basket(&json!({ "code": "a/b", "channels": ["card"], "fee": null })), None);
    }
}
