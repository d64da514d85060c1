//! One key finishes no approval: not by the API, not by the command line, not by another import, not by an edit of what
//! was approved, and not with a second key of the same person.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan::access::service::{NewPerson, add_key, create_person};
use mizan::access::{NewKey, Owner, Role, Scope};
use mizan::client::Client;
use mizan::http::signature::SigningKey;
use mizan::ids::{PersonId, RefundId};
use mizan::refunds::service::{News, Told, begin, tell};
use mizan::tx::Actor;
use mizan_ledger::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::catalogue::{files_of, price_lists};
use crate::refunds::{id, ils, paid_passport};
use crate::world::World;

/// A person whose keys may do everything that anybody of the staff may: roles forbid it, and what is tested here stands
/// behind them.
struct Holder {
    person: PersonId,
    client: Client,
}

const SEED: [u8; 32] = [9; 32];

async fn holder(world: &World, login: &str) -> Holder {
    let new = NewPerson {
        login: login.to_owned(),
        name_ar: "مثال".to_owned(),
        name_en: "Every duty (example)".to_owned(),
        roles: Vec::new(),
        password: None,
    };
    let actor = Actor::hub("test");
    let create = world.app.run(&actor, &new, |tx, new| Box::pin(create_person(tx, new)));
    let person = create.await.unwrap();
    let client = key(world, person, login, world.app.hub.entropy.bytes()).await;
    Holder { person, client }
}

/// Somebody who proposes and approves people, and nothing stands in the way but who they are.
async fn administrator(world: &World, login: &str) -> Holder {
    let owner = world.person(login, &[Role::Administrator], "a password of the test").await;
    let Owner::Person(person) = owner else { panic!("a person") };
    let client = key(world, person, login, world.app.hub.entropy.bytes()).await;
    Holder { person, client }
}

async fn key(world: &World, person: PersonId, name: &str, seed: [u8; 32]) -> Client {
    key_of(world, Owner::Person(person), name, seed).await
}

async fn key_of(world: &World, owner: Owner, name: &str, seed: [u8; 32]) -> Client {
    let key_id = format!("test_{name}");
    let signing = SigningKey::ed25519(&seed).unwrap();
    let new = NewKey {
        key_id: key_id.clone(),
        owner,
        material: signing.verify_key(),
        scopes: vec![
            Scope::FinanceRead,
            Scope::ServicesRead,
            Scope::RefundRequest,
            Scope::Approve,
            Scope::CatalogueWrite,
            Scope::CatalogueApprove,
            Scope::Administer,
        ],
        created_at: world.app.clock.now(),
    };
    world.app.run(&Actor::hub("test"), &new, |tx, new| Box::pin(add_key(tx, new))).await.unwrap();
    let (clock, entropy) = (world.app.clock.clone(), world.app.hub.entropy.clone());
    Client::new(&world.base, &key_id, signing, clock, entropy)
}

async fn post(who: &Client, path: &str, body: &Value) -> (u16, Value) {
    let reply = who.post(path, body).await.unwrap();
    (reply.status, reply.json)
}

async fn refused(who: &Client, path: &str, body: &Value, expected: (u16, &str)) {
    let (status, json) = post(who, path, body).await;
    assert_eq!((status, json["code"].as_str().unwrap_or_default()), expected, "{path}: {json}");
}

async fn done(who: &Client, path: &str, body: &Value) -> Value {
    let (status, json) = post(who, path, body).await;
    assert!(status < 300, "{path}: {status} {json}");
    json
}

const SAME: (u16, &str) = (403, "same_person");

/// A folder of the example catalogue comes in force anew, with what `edit` changes in it.
pub async fn approve_files(world: &World, folder: &str, edit: impl Fn(String) -> String) {
    let (one, other) = (holder(world, "one").await, holder(world, "other").await);
    let imports = "/v1/finance/catalogue/imports";
    let import = done(&one.client, imports, &files_of(folder, edit)).await;
    let approval = json!({ "sha256": import["sha256"] });
    done(&other.client, &format!("{imports}/{}/approve", id(&import)), &approval).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_come_in_force_by_two_people_and_are_not_edited_afterwards() {
    let world = World::new().await;
    let (one, other) = (holder(&world, "one").await, holder(&world, "other").await);
    let second_key = key(&world, one.person, "one-again", SEED).await;
    let imports = "/v1/finance/catalogue/imports";

    let import = done(&one.client, imports, &price_lists(|text| text)).await;
    let path = |act: &str| format!("{imports}/{}/{act}", id(&import));
    let (yes, no) = (json!({ "sha256": import["sha256"] }), json!({ "reason": "EXAMPLE" }));
    for own in [&one.client, &second_key] {
        refused(own, &path("approve"), &yes, SAME).await;
        refused(own, &path("refuse"), &no, SAME).await;
    }
    done(&other.client, &path("approve"), &yes).await;
    for (act, body) in [("approve", &yes), ("refuse", &no)] {
        refused(&other.client, &path(act), body, (409, "already_decided")).await;
        refused(&one.client, &path(act), body, (409, "already_decided")).await;
    }

    // The same version with another price: a change is a new version.
    let service = "/v1/services/psi/standard-document";
    let before = one.client.get(service).await.unwrap().json;
    let edited = price_lists(|text| text.replace("rate = \"0.16\"", "rate = \"0.15\""));
    assert_ne!(edited, price_lists(|text| text));
    refused(&one.client, imports, &edited, (422, "validation_failed")).await;
    assert_eq!(one.client.get(service).await.unwrap().json, before);
}

/// The rail says no: the refund has failed and waits for people.
async fn fails(world: &World, refund: &Value) {
    let id: RefundId = id(refund).parse().unwrap();
    let actor = Actor::hub("refunds");
    world.app.run(&actor, &id, |tx, id| Box::pin(begin(tx, id))).await.unwrap();
    let told = Told { refund: id, instruction: 1, news: News::Failed { reason: "closed".to_owned() } };
    let told = [told];
    world.app.run(&actor, &told[..], |tx, told| Box::pin(tell(tx, told))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_given_back_by_two_people_at_every_turn() {
    let world = World::new().await;
    let (one, other) = (holder(&world, "one").await, holder(&world, "other").await);
    let second_key = key(&world, one.person, "one-again", SEED).await;
    let intent = paid_passport(&world, "CASE-1").await;
    let body = json!({
        "source": intent["id"], "amount": ils("10.00"), "reason": "EXAMPLE", "refundable": intent["refundable"],
    });
    let refund = done(&one.client, "/v1/finance/refunds", &body).await;
    let path = |act: &str| format!("/v1/finance/refunds/{}/{act}", id(&refund));
    let note = json!({ "note": "seen" });
    for act in ["approve", "refuse"] {
        refused(&one.client, &path(act), &note, SAME).await;
        refused(&second_key, &path(act), &note, SAME).await;
    }
    done(&other.client, &path("approve"), &note).await;
    // Nobody of the two stops alone what both agreed on.
    refused(&one.client, &path("cancel"), &note, SAME).await;
    refused(&other.client, &path("cancel"), &note, SAME).await;

    fails(&world, &refund).await;
    refused(&one.client, &path("send-again"), &note, SAME).await;
    refused(&second_key, &path("send-again"), &note, SAME).await;
    // What goes to nobody is given up by two people, and who asked for it is not the second.
    for proposer in [&one.client, &other.client] {
        done(proposer, &path("give-up"), &note).await;
        refused(proposer, &path("give-up/approve"), &note, SAME).await;
        refused(&one.client, &path("give-up/approve"), &note, SAME).await;
        refused(&second_key, &path("give-up/approve"), &note, SAME).await;
    }
    // Another account after the approval: who approved does not name it, and who names it does not send.
    let payee = json!({ "payee": { "name": "A payer (example)", "iban": mizan::demo::PAYER_ACCOUNT } });
    refused(&other.client, &path("payee"), &payee, SAME).await;
    let renamed = done(&one.client, &path("payee"), &payee).await;
    assert_eq!(renamed["proposal"], Value::Null, "what was proposed is over");
    refused(&one.client, &path("send-again"), &note, SAME).await;
    refused(&second_key, &path("send-again"), &note, SAME).await;
    let third = holder(&world, "third").await;
    done(&third.client, &path("send-again"), &note).await;
}

const PEOPLE: &str = "/v1/finance/people";

fn proposal(login: &str, role: &str) -> Value {
    json!({ "login": login, "name": { "ar": "مثال", "en": "Example" }, "roles": [role] })
}

async fn proposed(who: &Client, login: &str, role: &str) -> String {
    let made = done(who, PEOPLE, &proposal(login, role)).await;
    assert_eq!(made["state"], "proposed", "{made}");
    id(&made).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_given_by_two_people() {
    let world = World::new().await;
    let (one, other) = (administrator(&world, "one").await, administrator(&world, "other").await);
    let second_key = key(&world, one.person, "one-again", SEED).await;
    let path = |person: &str, act: &str| format!("{PEOPLE}/{person}/{act}");
    let nothing = json!({});

    // Nobody adds a duty to their own.
    refused(&one.client, PEOPLE, &proposal("one", "approver"), (409, "already_exists")).await;
    let officer = proposed(&one.client, "officer", "approver").await;
    for own in [&one.client, &second_key] {
        refused(own, &path(&officer, "approve"), &nothing, SAME).await;
    }
    // Not even a key that somebody brought in for her makes her her own second.
    let person: PersonId = officer.parse().unwrap();
    let early = key(&world, person, "early", world.app.hub.entropy.bytes()).await;
    refused(&early, &path(&officer, "approve"), &nothing, (401, "key_unknown")).await;
    done(&other.client, &path(&officer, "approve"), &nothing).await;
    refused(&other.client, &path(&officer, "approve"), &nothing, (409, "already_decided")).await;

    // What was stopped is not brought back by an approval.
    let stopped = proposed(&one.client, "stopped", "auditor").await;
    done(&one.client, &path(&stopped, "disable"), &nothing).await;
    refused(&other.client, &path(&stopped, "approve"), &nothing, (409, "already_decided")).await;

    // Two administrators must be left: the other cannot be sent away, nor can one go herself.
    let too_few = (409, "too_few_administrators");
    refused(&one.client, &path(&other.person.to_string(), "disable"), &nothing, too_few).await;
    refused(&other.client, &path(&other.person.to_string(), "disable"), &nothing, too_few).await;
    // One who is only proposed does not count, and a key that ends makes nobody less of an administrator.
    let third = proposed(&one.client, "third", "administrator").await;
    refused(&one.client, &path(&other.person.to_string(), "disable"), &nothing, too_few).await;
    done(&one.client, "/v1/finance/keys/test_one-again/revoke", &nothing).await;
    done(&other.client, &path(&third, "approve"), &nothing).await;
    done(&one.client, &path(&other.person.to_string(), "disable"), &nothing).await;
    refused(&other.client, &path(&officer, "disable"), &nothing, (401, "key_unknown")).await;
    refused(&one.client, &path(&third, "disable"), &nothing, too_few).await;

    // Who sends others away does not choose their successor alone.
    let successor = proposed(&one.client, "successor", "administrator").await;
    refused(&one.client, &path(&successor, "approve"), &nothing, SAME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_does_not_make_another_person() {
    let world = World::new().await;
    let (one, other) = (holder(&world, "one").await, holder(&world, "other").await);
    let intent = paid_passport(&world, "CASE-1").await;
    let body = json!({
        "source": intent["id"], "amount": ils("10.00"), "reason": "EXAMPLE", "refundable": intent["refundable"],
    });
    let refund = done(&one.client, "/v1/finance/refunds", &body).await;
    let approve = format!("/v1/finance/refunds/{}/approve", id(&refund));
    let nothing = json!({});

    // The key that asked is revoked, and the same person comes with the next.
    done(&one.client, "/v1/finance/keys/test_one/revoke", &nothing).await;
    refused(&one.client, &approve, &nothing, (401, "key_unknown")).await;
    let next = key(&world, one.person, "one-again", SEED).await;
    refused(&next, &approve, &nothing, SAME).await;
    // Nobody gets the next key of another: it is made on that person's machine.
    let rotate = "/v1/finance/keys/test_other/rotate";
    refused(&next, rotate, &nothing, (403, "forbidden_scope")).await;
    // A portal's key approves nothing, whatever scopes it came to.
    let portal = world.people.portal;
    let portal = key_of(&world, Owner::Portal(portal), "portal-again", world.app.hub.entropy.bytes()).await;
    for path in [approve.as_str(), rotate] {
        refused(&portal, path, &nothing, (403, "forbidden_scope")).await;
    }
    done(&other.client, &approve, &nothing).await;
}

/// What a person types signs with the same key, and is held to the same law.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_finishes_no_approval_of_its_own_request() {
    let world = World::new().await;
    world.clock.set(SystemClock.now());
    let one = holder(&world, "one").await;
    key(&world, one.person, "typed", SEED).await;
    let file = world.data_dir().join("typed.json");
    let secret = BASE64.encode(SEED);
    let text = json!({ "hub": world.base, "key_id": "test_typed", "algorithm": "ed25519", "secret": secret });
    std::fs::write(&file, text.to_string()).unwrap();
    let intent = paid_passport(&world, "CASE-1").await;
    let body = json!({
        "source": intent["id"], "amount": ils("10.00"), "reason": "EXAMPLE", "refundable": intent["refundable"],
    });
    let call = async |path: String, body: Value| {
        let command = tokio::process::Command::new(env!("CARGO_BIN_EXE_mizan"))
            .args(["call", "POST", &path, &body.to_string(), "--key"])
            .arg(&file)
            .output();
        let output = command.await.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, answer) = call("/v1/finance/refunds".to_owned(), body).await;
    assert_eq!(code, Some(0), "{answer}");
    let refund: Value = serde_json::from_str(&answer).unwrap();
    let (code, answer) = call(format!("/v1/finance/refunds/{}/approve", id(&refund)), json!({})).await;
    assert_eq!(code, Some(1), "{answer}");
    assert!(answer.contains("same_person"), "{answer}");

    let user = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_mizan"));
        command.arg("user").args(arguments).arg("--key").arg(&file).output().await.unwrap()
    };
    let names = ["--name-ar", "مثال", "--name-en", "Example"];
    let made = user(&[&["create", "officer", "--role", "approver"], &names[..]].concat()).await;
    assert!(made.status.success(), "{made:?}");
    let approved = user(&["approve", "officer"]).await;
    assert_eq!(approved.status.code(), Some(1), "{approved:?}");
    assert!(String::from_utf8_lossy(&approved.stderr).contains("same_person"), "{approved:?}");
}
