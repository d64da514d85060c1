//! Portals, people and keys: who may what, who approves whom, and what ends at once.

use std::num::NonZeroU32;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan::access::{Role, TRIES};
use mizan::client::{Client, Reply};
use mizan::config::{Config, Mode};
use mizan::entropy::Entropy;
use mizan::http::signature::{SigningKey, VerifyKey};
use mizan::start;
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;

use crate::world::World;
use crate::{fulfilment, refunds};

const PASSWORD: &str = "a password of one's own";

impl World {
    /// Somebody logs in for a key: status, body, and the private half.
    pub async fn log_in(&self, login: &str, password: &str, new: Option<&str>) -> (u16, Value, [u8; 32]) {
        let seed = self.app.hub.entropy.bytes::<32>();
        let VerifyKey::Ed25519(public) = SigningKey::ed25519(&seed).unwrap().verify_key() else {
            panic!("an Ed25519 key");
        };
        let body = json!({
            "login": login, "password": password, "new_password": new, "public_key": BASE64.encode(public),
        });
        let sent = self.http.post(format!("{}/v1/login", self.base)).json(&body).send().await.unwrap();
        let status = sent.status().as_u16();
        (status, sent.json().await.unwrap(), seed)
    }

    fn client(&self, key_id: &str, key: SigningKey) -> Client {
        Client::new(&self.base, key_id, key, Arc::clone(&self.app.clock), self.app.hub.entropy.clone())
    }

    async fn audited(&self, object: &str) -> Vec<(String, String)> {
        let rows = sqlx::query!("select action, actor from audit where object = $1 order by n", object);
        let rows = rows.fetch_all(&self.app.pool).await.unwrap();
        rows.into_iter().map(|row| (row.action, row.actor)).collect()
    }
}

fn new_person(login: &str, roles: &[&str]) -> Value {
    json!({ "login": login, "name": { "ar": "مثال", "en": "Example" }, "roles": roles })
}

fn new_portal(code: &str) -> Value {
    json!({
        "code": code, "name": { "ar": "مثال", "en": "Example" },
        "return_url_prefixes": ["https://portal.example/"],
    })
}

fn code(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.json["code"].as_str().unwrap_or(""))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_proposes_a_person_does_not_approve_and_nobody_logs_in_before() {
    let world = World::new().await;
    let first = world.staff("first", &[Role::Administrator]).await;
    let second = world.staff("second", &[Role::Administrator]).await;
    let made = first.post("/v1/finance/people", &new_person("nadia", &["reconciler"])).await.unwrap();
    assert_eq!((made.status, made.json["state"].as_str()), (201, Some("proposed")), "{}", made.json);
    let (id, half) = (made.json["id"].as_str().unwrap(), made.json["password"].as_str().unwrap());

    let (status, refused, _) = world.log_in("nadia", half, Some(PASSWORD)).await;
    assert_eq!((status, refused["code"].as_str()), (401, Some("login_refused")));
    let approve = format!("/v1/finance/people/{id}/approve");
    assert_eq!(code(&first.post(&approve, &json!({})).await.unwrap()), (403, "same_person"));
    let approved = second.post(&approve, &json!({})).await.unwrap();
    assert_eq!((approved.status, approved.json["state"].as_str()), (200, Some("active")));
    assert_eq!(code(&second.post(&approve, &json!({})).await.unwrap()), (409, "already_decided"));
    let other_half = approved.json["password"].as_str().unwrap();
    for alone in [half, other_half] {
        let (status, refused, _) = world.log_in("nadia", alone, Some(PASSWORD)).await;
        assert_eq!(
            (status, refused["code"].as_str()),
            (401, Some("login_refused")),
            "neither of the two is nadia"
        );
    }
    assert_eq!(world.log_in("nadia", &format!("{half}{other_half}"), Some(PASSWORD)).await.0, 201);

    let acts: Vec<String> = world.audited(id).await.into_iter().map(|(action, _)| action).collect();
    let refused = "console.login_refused";
    assert_eq!(acts, ["person.created", "person.approved", refused, refused, "person.password_changed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_administrator_names_the_second_alone_and_nobody_else() {
    let world = World::new().await;
    let first = world.staff("first", &[Role::Administrator]).await;
    let state = |reply: Reply| reply.json["state"].as_str().unwrap_or("").to_owned();
    let officer = first.post("/v1/finance/people", &new_person("officer", &["approver"])).await.unwrap();
    assert_eq!(state(officer), "proposed");
    let second = first.post("/v1/finance/people", &new_person("second", &["administrator"])).await.unwrap();
    assert_eq!(state(second), "active");
    let third = first.post("/v1/finance/people", &new_person("third", &["administrator"])).await.unwrap();
    assert_eq!(state(third), "proposed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_password_opens_nothing_until_it_is_replaced() {
    let world = World::new().await;
    let first = world.staff("first", &[Role::Administrator]).await;
    let made = first.post("/v1/finance/people", &new_person("second", &["administrator"])).await.unwrap();
    let given = made.json["password"].as_str().unwrap();
    for new in [None, Some(given)] {
        let (status, refused, _) = world.log_in("second", given, new).await;
        assert_eq!((status, refused["code"].as_str()), (403, Some("password_change_needed")));
    }
    let (status, refused, _) = world.log_in("second", given, Some("short")).await;
    assert_eq!((status, refused["errors"][0]["field"].as_str()), (422, Some("/new_password")));
    assert_eq!(refused["detail"], "a password has 12 to 200 characters");
    let (status, key, seed) = world.log_in("second", given, Some(PASSWORD)).await;
    assert_eq!((status, key["scopes"].clone()), (201, json!(["administer"])), "{key}");
    let second = world.client(key["key_id"].as_str().unwrap(), SigningKey::ed25519(&seed).unwrap());
    assert_eq!(second.get("/v1/finance/people").await.unwrap().status, 200);
    assert_eq!(world.log_in("second", given, None).await.0, 401, "the given password is gone");
    assert_eq!(world.log_in("second", PASSWORD, None).await.0, 201, "another machine, another key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_guessed() {
    let world = World::new().await;
    world.person("amina", &[Role::Auditor], PASSWORD).await;
    for _ in 0..8 {
        assert_eq!(world.log_in("amina", "a guess", None).await.0, 401);
    }
    let (status, refused, _) = world.log_in("amina", PASSWORD, None).await;
    assert_eq!((status, refused["code"].as_str()), (429, Some("rate_limited")));
    assert_eq!(world.log_in("nobody", "a guess", None).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_a_password_locks_out_nobody_but_himself() {
    let world = World::configured(|config| config.proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    world.person("amina", &[Role::Auditor], PASSWORD).await;
    let log_in = async |from: &str, password: &str| {
        let body = json!({ "login": "amina", "password": password, "public_key": BASE64.encode([9; 32]) });
        let request = world.http.post(format!("{}/v1/login", world.base)).header("x-forwarded-for", from);
        request.json(&body).send().await.unwrap().status().as_u16()
    };
    for _ in 0..TRIES {
        assert_eq!(log_in("192.0.2.1", "a guess of somebody").await, 401);
    }
    assert_eq!(log_in("192.0.2.1", PASSWORD).await, 429);
    assert_eq!(log_in("192.0.2.2, 192.0.2.1", PASSWORD).await, 429, "the proxy wrote the last address");
    assert_eq!(log_in("192.0.2.2", PASSWORD).await, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_never_holds_more_than_three_keys() {
    let world = World::new().await;
    let administrator = world.staff("first", &[Role::Administrator]).await;
    let rotate = format!("/v1/finance/keys/{}/rotate", world.people.portal_key_id);
    let body = json!({});
    let rotations = (0..8).map(|_| administrator.post(&rotate, &body));
    let replies = futures::future::join_all(rotations).await;
    let made = replies.iter().filter(|reply| reply.as_ref().is_ok_and(|reply| reply.status == 201)).count();
    assert_eq!(made, 2, "beside the first");
}

/// Whoever says what was delivered releases money: for that two administrators stand, and neither knows the secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_releases_money_takes_two_people() {
    let world = World::new().await;
    let first = world.staff("first", &[Role::Administrator]).await;
    let second = world.staff("second", &[Role::Administrator]).await;
    let signing = SigningKey::ed25519(&[5; 32]).unwrap();
    let VerifyKey::Ed25519(public) = signing.verify_key() else { panic!("an Ed25519 key") };
    let mut body = new_portal("interior-desk");
    body["scopes"] = json!(["fulfil:interior"]);
    let shared = first.post("/v1/finance/portals", &body).await.unwrap();
    assert_eq!((shared.status, &shared.json["errors"][0]["field"]), (422, &json!("/public_key")));
    body["public_key"] = json!(BASE64.encode(public));
    let made = first.post("/v1/finance/portals", &body).await.unwrap();
    assert_eq!((made.status, &made.json["key"]["state"]), (201, &json!("proposed")), "{}", made.json);

    let key_id = made.json["key"]["key_id"].as_str().unwrap();
    let intent = refunds::paid_passport(&world, "CASE-1").await;
    let desk = world.client(key_id, signing);
    let early = fulfilment::report(&desk, &intent, fulfilment::delivered()).await;
    assert_eq!(code(&early), (401, "key_unknown"));
    let approve = format!("/v1/finance/keys/{key_id}/approve");
    assert_eq!(code(&first.post(&approve, &json!({})).await.unwrap()), (403, "same_person"));
    let approved = second.post(&approve, &json!({})).await.unwrap();
    assert_eq!((approved.status, &approved.json["state"]), (200, &json!("active")), "{}", approved.json);
    assert_eq!(code(&second.post(&approve, &json!({})).await.unwrap()), (409, "already_decided"));
    assert_eq!(fulfilment::report(&desk, &intent, fulfilment::delivered()).await.status, 200);

    let next = json!({ "public_key": BASE64.encode([9; 32]) });
    let rotated = second.post(&format!("/v1/finance/keys/{key_id}/rotate"), &next).await.unwrap();
    assert_eq!((rotated.status, &rotated.json["state"]), (201, &json!("proposed")), "{}", rotated.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_asks_too_often_waits() {
    let world = World::configured(|config| {
        config.limits.requests_per_second = NonZeroU32::MIN;
        config.limits.burst = NonZeroU32::MIN;
    })
    .await;
    let replies = futures::future::join_all((0..20).map(|_| world.get("/v1/services"))).await;
    let refused =
        replies.iter().find(|reply| reply.status == 429).expect("twenty within a second are too many");
    assert_eq!(code(refused), (429, "rate_limited"));
    assert!(replies.iter().any(|reply| reply.status == 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_hub_is_reached_over_https_alone() {
    let world = World::new().await;
    let config =
        Config { mode: Mode::Live, public_url: "http://hub.example".to_owned(), ..Config::default() };
    let url = world.db().app_options().to_url_lossy().to_string();
    let refused =
        start::app(config, &url, Arc::clone(&world.app.clock), Entropy::seeded(1)).await.unwrap_err();
    assert!(refused.to_string().starts_with("public_url: "), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_reads_nothing_at_once() {
    let world = World::new().await;
    let administrator = world.staff("first", &[Role::Administrator]).await;
    assert_eq!(world.portal().get("/v1/services").await.unwrap().status, 200);
    let path = format!("/v1/finance/keys/{}/revoke", world.people.portal_key_id);
    let revoked = administrator.post(&path, &json!({})).await.unwrap();
    assert_eq!(revoked.status, 200, "{}", revoked.json);
    assert!(revoked.json["revoked_at"].is_string());
    assert_eq!(code(&world.portal().get("/v1/services").await.unwrap()), (401, "key_unknown"));
    assert_eq!(code(&administrator.post(&path, &json!({})).await.unwrap()), (404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_ends_a_key_of_their_own_and_no_other() {
    let world = World::new().await;
    let (auditor, other) =
        (world.staff("auditor", &[Role::Auditor]).await, world.staff("other", &[Role::Auditor]).await);
    let refused = auditor.post("/v1/finance/keys/test_other/revoke", &json!({})).await.unwrap();
    assert_eq!(code(&refused), (404, "not_found"));
    assert_eq!(other.get("/v1/finance/breaks").await.unwrap().status, 200);
    let ended = auditor.post("/v1/finance/keys/test_auditor/revoke", &json!({})).await.unwrap();
    assert_eq!(ended.status, 200, "{}", ended.json);
    assert_eq!(auditor.get("/v1/finance/breaks").await.unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_changes_over_to_its_next_key_when_it_likes() {
    let world = World::new().await;
    let administrator = world.staff("first", &[Role::Administrator]).await;
    let rotate = format!("/v1/finance/keys/{}/rotate", world.people.portal_key_id);
    let made = administrator.post_once(&rotate, &json!({}), "rotate-1").await.unwrap();
    assert_eq!(made.status, 201, "{}", made.json);
    let secret = BASE64.decode(made.json["secret"].as_str().unwrap()).unwrap();
    let next = world.client(made.json["key_id"].as_str().unwrap(), SigningKey::hmac_sha256(secret).unwrap());
    for client in [world.portal(), &next] {
        assert_eq!(client.get("/v1/events").await.unwrap().status, 200);
    }
    let again = administrator.post_once(&rotate, &json!({}), "rotate-1").await.unwrap();
    assert_eq!(again.json["key_id"], made.json["key_id"]);
    assert!(again.json["secret"].is_null(), "a secret is shown once");

    let own = json!({ "public_key": BASE64.encode([9; 32]) });
    let third = administrator.post(&rotate, &own).await.unwrap();
    assert_eq!((third.status, third.json["secret"].is_null()), (201, true), "{}", third.json);
    assert_eq!(code(&administrator.post(&rotate, &json!({})).await.unwrap()), (409, "key_limit_reached"));
    let keys = administrator.get("/v1/finance/keys?owner=example-portal").await.unwrap();
    assert_eq!(keys.json["data"].as_array().unwrap().len(), 3);
    let of_person = administrator.post("/v1/finance/keys/test_first/rotate", &json!({})).await.unwrap();
    assert_eq!(code(&of_person), (403, "forbidden_scope"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_portal_sells_with_the_key_it_was_shown_once() {
    let world = World::new().await;
    let administrator = world.staff("first", &[Role::Administrator]).await;
    let made = administrator.post_once("/v1/finance/portals", &new_portal("second"), "k-1").await.unwrap();
    assert_eq!(made.status, 201, "{}", made.json);
    let secret = BASE64.decode(made.json["key"]["secret"].as_str().unwrap()).unwrap();
    let key_id = made.json["key"]["key_id"].as_str().unwrap();
    let portal = world.client(key_id, SigningKey::hmac_sha256(secret).unwrap());
    assert_eq!(portal.get("/v1/services").await.unwrap().status, 200);
    let again = administrator.post_once("/v1/finance/portals", &new_portal("second"), "k-1").await.unwrap();
    assert!(again.json["key"]["secret"].is_null(), "{}", again.json);
    let kept = sqlx::query_scalar!(
        r#"select count(*) as "count!" from idempotency
           where position('secret'::bytea in body) > 0 or position('password'::bytea in body) > 0"#
    );
    let kept = kept.fetch_one(&world.app.pool).await.unwrap();
    assert_eq!(kept, 0, "no answer that is kept holds a secret");
    let twice = administrator.post("/v1/finance/portals", &new_portal("second")).await.unwrap();
    assert_eq!(code(&twice), (409, "already_exists"));
    let listed = administrator.get("/v1/finance/portals?limit=1").await.unwrap();
    assert_eq!(listed.json["data"][0]["code"], "second");
    assert!(listed.json["next_cursor"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_person_is_out_at_once() {
    let world = World::new().await;
    let administrator = world.staff("first", &[Role::Administrator]).await;
    let auditor = world.staff("auditor", &[Role::Auditor]).await;
    assert_eq!(auditor.get("/v1/finance/breaks").await.unwrap().status, 200);
    let people = administrator.get("/v1/finance/people").await.unwrap();
    let found = people.json["data"].as_array().unwrap().iter().find(|one| one["login"] == "auditor").unwrap();
    let path = format!("/v1/finance/people/{}/disable", found["id"].as_str().unwrap());
    let done = administrator.post(&path, &json!({})).await.unwrap();
    assert_eq!((done.status, done.json["state"].as_str()), (200, Some("disabled")));
    assert_eq!(code(&auditor.get("/v1/finance/breaks").await.unwrap()), (401, "key_unknown"));
    assert_eq!(world.log_in("auditor", "a password of the test", None).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_body_is_pointed_at() {
    let world = World::new().await;
    let administrator = world.staff("first", &[Role::Administrator]).await;
    let faults = |reply: &Reply| -> Vec<String> {
        let errors = reply.json["errors"].as_array().unwrap();
        errors.iter().map(|one| format!("{} {}", one["field"], one["code"]).replace('"', "")).collect()
    };
    let portal = json!({
        "code": "No Code", "name": { "ar": "", "en": "x" },
        "return_url_prefixes": ["https://portal.example", "http://portal.example/", "https://portal.example/a/../b"],
        "scopes": ["finance:approve", "fulfil:psi"], "public_key": "AAAA",
    });
    let refused = administrator.post("/v1/finance/portals", &portal).await.unwrap();
    assert_eq!(
        faults(&refused),
        [
            "/code invalid",
            "/name/ar empty",
            "/return_url_prefixes/0 not_a_url",
            "/return_url_prefixes/1 not_a_url",
            "/return_url_prefixes/2 not_a_url",
            "/scopes/0 not_allowed",
            "/public_key invalid",
        ]
    );
    let both = new_person("both", &["reconciler", "approver"]);
    let refused = administrator.post("/v1/finance/people", &both).await.unwrap();
    assert_eq!(faults(&refused), ["/roles not_together"]);
    let none = administrator.post("/v1/finance/people", &new_person("x", &[])).await.unwrap();
    assert_eq!(faults(&none), ["/login invalid", "/roles empty"]);
    let unknown = administrator.post("/v1/finance/people/ps_1/approve", &json!({})).await.unwrap();
    assert_eq!(code(&unknown), (404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_administers_without_the_duty() {
    let world = World::new().await;
    for client in [world.portal(), &world.people.reconciler.client, &world.people.approver.client] {
        for (path, body) in [
            ("/v1/finance/portals", new_portal("mine")),
            ("/v1/finance/people", new_person("mine", &["approver"])),
        ] {
            assert_eq!(code(&client.post(path, &body).await.unwrap()), (403, "forbidden_scope"), "{path}");
            assert_eq!(code(&client.get(path).await.unwrap()), (403, "forbidden_scope"), "{path}");
        }
        assert_eq!(code(&client.get("/v1/finance/keys").await.unwrap()), (403, "forbidden_scope"));
    }
}
