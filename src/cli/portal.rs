//! `mizan portal ...`: who may sell. A new portal gets its key, once, and the first five calls to make.

use std::net::SocketAddr;

use anyhow::Context;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::Answer;
use super::key::{NewKey, keep};
use super::output::{say, say_list, tell};
use super::remote::{Key, Remote};
use super::stop::Stop;
use crate::example_portal;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Take on a portal: prints its key once, what the key may do, and the first five calls to make.
    #[command(after_help = "Examples:\n  \
        mizan portal create hukumati --name-en 'Example portal' --name-ar 'بوابة المثال' \\\n      \
        --return-url https://portal.example/ --out hukumati.json\n  \
        mizan portal create psi --name-en PSI --name-ar 'المواصفات' \
      --scope services:read --scope fulfil:psi --public-key BASE64   # another one: mizan key approve KEY_ID")]
    Create(Create),
    /// Run the example portal (docs/example-portal) with a portal's key.
    #[command(after_help = "Example:\n  mizan portal example --key portal.json --listen 127.0.0.1:8085")]
    Example {
        #[command(flatten)]
        key: Key,
        /// Address to listen on; http://ADDRESS/ must be one of the portal's return URLs.
        #[arg(long, default_value = "127.0.0.1:8085")]
        listen: SocketAddr,
    },
    /// The portals of the hub, newest first.
    List {
        #[command(flatten)]
        key: Key,
        /// One JSON line for each portal.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub struct Create {
    /// Lower-case letters, digits and hyphens.
    code: String,
    /// Name in Arabic.
    #[arg(long)]
    name_ar: String,
    /// Name in English.
    #[arg(long)]
    name_en: String,
    /// Where payers may be sent back to, as https://portal.example/; may stand several times.
    #[arg(long = "return-url", value_name = "PREFIX")]
    return_urls: Vec<String>,
    /// What the key may do; everything a portal may when left out. May stand several times.
    #[arg(long = "scope")]
    scopes: Vec<String>,
    #[command(flatten)]
    new: NewKey,
    #[command(flatten)]
    key: Key,
    /// The answer as JSON, without the calls.
    #[arg(long)]
    json: bool,
}

pub async fn run(command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::Create(args) => create(args).await,
        Command::Example { key, listen } => {
            let (client, mut stop) = (key.open()?.client, Stop::listen()?);
            let listener =
                TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
            tell(&format!("the example portal is at http://{}/", listener.local_addr()?))?;
            tokio::select! {
                served = example_portal::serve(client, listener) => served?,
                () = stop.asked() => {}
            }
            Ok(Answer::Yes)
        }
        Command::List { key, json } => {
            let Some(portals) = key.open()?.list("/v1/finance/portals").await? else { return Ok(Answer::No) };
            say_list(&portals, json, &["/code", "/name/en", "/name/ar", "/return_url_prefixes", "/id"])?;
            Ok(Answer::Yes)
        }
    }
}

async fn create(args: Create) -> anyhow::Result<Answer> {
    let mut body = json!({
        "code": args.code, "name": { "ar": args.name_ar, "en": args.name_en },
        "return_url_prefixes": args.return_urls, "public_key": args.new.public_key,
    });
    if !args.scopes.is_empty() {
        body["scopes"] = json!(args.scopes);
    }
    let (remote, place) = (args.key.open()?, args.new.place()?);
    let Some(mut made) = remote.post("/v1/finance/portals", &body).await? else { return Ok(Answer::No) };
    let file = keep(place, &remote.hub, &mut made["key"])?;
    if args.json {
        say(&made.to_string())?;
        return Ok(Answer::Yes);
    }
    let id = made["id"].as_str().unwrap_or_default();
    say(&format!("portal {} is taken on as {id}", args.code))?;
    say("\nIts key, shown this once:")?;
    match &args.new.out {
        Some(path) => say(&format!("  {} is kept in {}", file.key_id, path.display()))?,
        None if args.new.public_key.is_some() => {
            say(&format!("  {} with the public key you gave", file.key_id))?;
        }
        None => say(&file.text()?)?,
    }
    let scopes = made["key"]["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    say(&format!("\nIt may: {}", scopes.collect::<Vec<_>>().join(", ")))?;
    let example = match file.client() {
        Ok(client) if !file.secret.is_empty() => {
            let portal = Remote { client, hub: remote.hub };
            example(&portal).await?
        }
        _ => None,
    };
    let shown = args.new.out.as_ref().map_or("KEY.json".to_owned(), |path| path.display().to_string());
    say(&first_calls(&shown, &example.unwrap_or_else(Example::unnamed)))?;
    Ok(Answer::Yes)
}

/// Something this hub sells today, with inputs that it takes.
struct Example {
    service: String,
    currency: String,
    inputs: Value,
}

impl Example {
    fn unnamed() -> Self {
        Self { service: "AGENCY/SERVICE".to_owned(), currency: "ILS".to_owned(), inputs: json!({}) }
    }
}

/// The service that asks for the least, as the new key itself sees it.
async fn example(portal: &Remote) -> anyhow::Result<Option<Example>> {
    let reply = portal.client.get("/v1/services").await?;
    let services = reply.json["data"].as_array().cloned().unwrap_or_default();
    let sold = services.iter().filter(|service| service["fee"].is_object());
    let simple = sold.min_by_key(|service| service["fee"]["inputs"].as_array().map_or(0, Vec::len));
    Ok(simple.and_then(filled))
}

fn filled(service: &Value) -> Option<Example> {
    let fee = &service["fee"];
    let currency = fee["currencies"].as_array()?.first()?.as_str()?.to_owned();
    let mut inputs = Map::new();
    for input in fee["inputs"].as_array()? {
        let value = match input["type"].as_str()? {
            "integer" => json!(input["min"].as_i64()?.max(1).min(input["max"].as_i64()?)),
            "decimal" => input["min"].clone(),
            "amount" => input["min"].get(&currency)?.clone(),
            "choice" => input["options"][0]["code"].clone(),
            "boolean" => json!(false),
            _ => json!("example"),
        };
        inputs.insert(input["code"].as_str()?.to_owned(), value);
    }
    let service = service["code"].as_str()?.to_owned();
    Some(Example { service, currency, inputs: inputs.into() })
}

fn first_calls(key: &str, example: &Example) -> String {
    let Example { service, currency, inputs } = example;
    let lines = json!([{ "service": service, "inputs": inputs }]);
    let quote = json!({ "currency": currency, "lines": lines });
    let intent = json!({
        "currency": currency, "lines": lines, "external_reference": "CASE-1",
        "payer": { "kind": "person", "language": "ar" },
    });
    format!(
        "\nThe first five calls (each is signed for you; --explain shows how):\n\n\
        1. What does it cost, and why?\n   mizan call POST /v1/quotes '{quote}' --key {key}\n\n\
        2. Open a payment, and send the payer to its pay_url:\n   \
        mizan call POST /v1/payment-intents '{intent}' --key {key}\n\n\
        3. Has it been paid? Read it by your own reference:\n   \
        mizan call GET '/v1/payment-intents?external_reference=CASE-1' --key {key}\n\n\
        4. The receipt, by the number in the paid intent:\n   \
        mizan call GET /v1/receipts/NUMBER --key {key}\n\n\
        5. Everything that happened, in order; go on from next_after:\n   \
        mizan call GET /v1/events --key {key}\n\n\
        docs/API.md goes on from here."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_fills_every_kind_of_input() {
        let service = json!({ "code": "a/b", "fee": {
            "currencies": ["JOD", "ILS"],
            "inputs": [
                { "code": "n", "type": "integer", "min": 0, "max": 9 },
                { "code": "d", "type": "decimal", "min": "0.5", "max": "9", "decimals": 1 },
                { "code": "v", "type": "amount", "min": { "JOD": "1.000" }, "max": { "JOD": "9.000" } },
                { "code": "c", "type": "choice", "options": [{ "code": "new" }] },
                { "code": "b", "type": "boolean" },
                { "code": "t", "type": "text", "chars_max": 9 },
            ],
        } });
        let example = filled(&service).expect("filled");
        let expected = json!({ "n": 1, "d": "0.5", "v": "1.000", "c": "new", "b": false, "t": "example" });
        assert_eq!((example.currency.as_str(), example.inputs), ("JOD", expected));
    }
}
