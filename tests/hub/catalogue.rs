//! Prices on their way into force: seen, decided by another person, and never for a day that was charged already.

mod days;

use std::path::Path;

use mizan::access::Role;
use mizan::client::Client;
use mizan_ledger::Instant;
use serde_json::{Value, json};

use crate::refunds::id;
use crate::world::World;

const IMPORTS: &str = "/v1/finance/catalogue/imports";

/// The example price lists of one agency, as an import; `edit` is what somebody changes in them.
pub fn price_lists(edit: impl Fn(String) -> String) -> Value {
    files_of("standards", edit)
}

pub fn files_of(folder: &str, edit: impl Fn(String) -> String) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/catalogue").join(folder);
    let mut files: Vec<Value> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            json!({ "name": name, "text": edit(std::fs::read_to_string(&path).unwrap()) })
        })
        .collect();
    files.sort_by_key(|file| file["name"].to_string());
    json!({ "files": files })
}

struct Desk {
    world: World,
    author: Client,
    approver: Client,
}

impl Desk {
    async fn new() -> Self {
        let world = World::new().await;
        let author = world.staff("author", &[Role::CatalogueAuthor]).await;
        let approver = world.staff("reader", &[Role::CatalogueApprover]).await;
        Self { world, author, approver }
    }

    async fn submit(&self, files: &Value) -> Value {
        let reply = self.author.post(IMPORTS, files).await.unwrap();
        assert_eq!(reply.status, 201, "{}", reply.json);
        reply.json
    }

    /// Why the files are not even taken.
    async fn not_taken(&self, files: &Value) -> Vec<String> {
        let reply = self.author.post(IMPORTS, files).await.unwrap();
        assert_eq!((reply.status, &reply.json["code"]), (422, &json!("validation_failed")), "{}", reply.json);
        texts(&reply.json["problems"])
    }

    async fn show(&self, import: &Value) -> Value {
        let reply = self.approver.get(&format!("{IMPORTS}/{}", id(import))).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json
    }

    /// Approves what is shown.
    async fn approve(&self, import: &Value) -> (u16, Value) {
        self.decide(&self.approver, import, "approve", json!({ "sha256": import["sha256"] })).await
    }

    async fn decide(&self, who: &Client, import: &Value, act: &str, body: Value) -> (u16, Value) {
        let reply = who.post(&format!("{IMPORTS}/{}/{act}", id(import)), &body).await.unwrap();
        (reply.status, reply.json)
    }

    async fn agency_name(&self) -> Value {
        let list = self.world.http.get(format!("{}/v1/price-list", self.world.base)).send().await.unwrap();
        let list: Value = list.json().await.unwrap();
        let listed = list["data"].as_array().unwrap();
        listed.iter().find(|one| one["agency"] == "psi").unwrap()["agency_name"]["en"].clone()
    }

    fn at(&self, text: &str) {
        self.world.clock.set(text.parse::<Instant>().unwrap());
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn named(name: &str) -> Value {
    price_lists(|text| text.replace("en = \"Standards Institution (example)\"", &format!("en = \"{name}\"")))
}

fn field<'a>(change: &'a Value, name: &str) -> (&'a Value, &'a Value) {
    let found = change["fields"].as_array().unwrap().iter().find(|one| one["field"] == name);
    let found = found.unwrap_or_else(|| panic!("{name} in {change}"));
    (&found["before"], &found["after"])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approver_sees_what_changes_before_it_does() {
    let desk = Desk::new().await;
    let files = price_lists(|text| {
        let text = text.replace("PS63EXMP000000000000000011001", "PS36EXMP000000000000000011002");
        let text = text.replace("money = [{ mode = \"pooled\" }]", "money = [{ mode = \"treasury\" }]");
        text.replace("en = \"Training course\"", "en = \"Course\"")
    });
    let taken = desk.submit(&files).await;
    let shown = desk.show(&taken).await;
    assert_eq!((&shown["state"], &shown["outdated"]), (&json!("submitted"), &json!(false)));
    assert_eq!(shown["difference"], taken["difference"]);
    assert_eq!(shown["sha256"], taken["sha256"]);
    for (file, sent) in shown["files"].as_array().unwrap().iter().zip(files["files"].as_array().unwrap()) {
        assert_eq!((&file["name"], &file["text"]), (&sent["name"], &sent["text"]));
    }

    let difference = &shown["difference"];
    let [agency] = &difference["agencies"].as_array().unwrap()[..] else { panic!("{difference}") };
    assert_eq!((&agency["code"], &agency["change"]), (&json!("psi"), &json!("changed")));
    assert_eq!(agency["fields"].as_array().unwrap().len(), 2, "{agency}");
    let (before, after) = field(agency, "bank_accounts.ILS.iban");
    assert_eq!(
        (before, after),
        (&json!("PS63EXMP000000000000000011001"), &json!("PS36EXMP000000000000000011002"))
    );
    assert_eq!(field(agency, "money.general.mode"), (&json!("pooled"), &json!("treasury")));
    let [service] = &difference["services"].as_array().unwrap()[..] else { panic!("{difference}") };
    assert_eq!(field(service, "name.en"), (&json!("Training course"), &json!("Course")));
    assert_eq!(difference["fee_versions"], json!([]));

    // Nothing is approved that was not shown.
    let other = desk.decide(&desk.approver, &taken, "approve", json!({ "sha256": "0".repeat(64) })).await;
    assert_eq!((other.0, &other.1["code"]), (412, &json!("other_files")));
    let blind = desk.decide(&desk.approver, &taken, "approve", json!({})).await;
    assert_eq!((blind.0, &blind.1["code"]), (422, &json!("validation_failed")), "{}", blind.1);
    let (status, done) = desk.approve(&taken).await;
    assert_eq!(status, 200, "{done}");
    let after = desk.show(&taken).await;
    assert_eq!((&after["state"], &after["difference"]), (&json!("approved"), difference));
    let again = desk.submit(&files).await;
    assert_eq!(again["difference"], json!({ "agencies": [], "services": [], "fee_versions": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_import_takes_no_newer_decision_back() {
    let desk = Desk::new().await;
    let old = desk.submit(&named("Old name (example)")).await;
    let newer = desk.submit(&named("New name (example)")).await;
    assert_eq!(desk.approve(&newer).await.0, 200);
    assert_eq!(desk.show(&old).await["outdated"], true);
    let (status, refused) = desk.approve(&old).await;
    assert_eq!((status, &refused["code"]), (409, &json!("catalogue_changed")));
    assert_eq!(desk.agency_name().await, "New name (example)");
    // Looked at again, and submitted again, it is a decision of its own.
    let again = desk.submit(&named("Old name (example)")).await;
    let agency = &again["difference"]["agencies"][0];
    assert_eq!(field(agency, "name.en"), (&json!("New name (example)"), &json!("Old name (example)")));
    assert_eq!(desk.approve(&again).await.0, 200);
    assert_eq!(desk.agency_name().await, "Old name (example)");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_approvals_at_the_same_moment_one_comes_in_force() {
    let desk = Desk::new().await;
    let one = desk.submit(&named("One (example)")).await;
    let other = desk.submit(&named("Other (example)")).await;
    let (first, second) = tokio::join!(desk.approve(&one), desk.approve(&other));
    let mut codes = [first.0, second.0];
    codes.sort_unstable();
    assert_eq!(codes, [200, 409], "{first:?} {second:?}");
    let expected = if first.0 == 200 { "One (example)" } else { "Other (example)" };
    assert_eq!(desk.agency_name().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_say_what_is_in_force_outdate_no_others() {
    let desk = Desk::new().await;
    let waiting = desk.submit(&named("Waiting (example)")).await;
    let same = desk.submit(&price_lists(|text| text)).await;
    assert_eq!(desk.approve(&same).await.0, 200);
    assert_eq!(desk.approve(&waiting).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_refuses_with_a_reason_and_an_author_takes_back() {
    let desk = Desk::new().await;
    let import = desk.submit(&named("Refused (example)")).await;
    for reason in [json!({}), json!({ "reason": " " }), json!({ "reason": "x".repeat(501) })] {
        let (status, told) = desk.decide(&desk.approver, &import, "refuse", reason).await;
        assert_eq!((status, &told["code"]), (422, &json!("validation_failed")), "{told}");
    }
    let reason = json!({ "reason": "the institution has no such name" });
    let own = desk.decide(&desk.author, &import, "refuse", reason.clone()).await;
    assert_eq!((own.0, &own.1["code"]), (403, &json!("forbidden_scope")));
    let (status, refused) = desk.decide(&desk.approver, &import, "refuse", reason).await;
    assert_eq!((status, &refused["state"]), (200, &json!("returned")), "{refused}");
    let shown = desk.show(&import).await;
    assert_eq!(shown["reason"], "the institution has no such name");
    assert!(shown["decided_by"].as_str().is_some_and(|by| by.starts_with("ps_")), "{shown}");
    let late = desk.approve(&import).await;
    assert_eq!((late.0, &late.1["code"]), (409, &json!("already_decided")));

    let import = desk.submit(&named("Withdrawn (example)")).await;
    let other = desk.decide(&desk.approver, &import, "withdraw", json!({})).await;
    assert_eq!((other.0, &other.1["code"]), (403, &json!("forbidden_scope")));
    let (status, taken_back) = desk.decide(&desk.author, &import, "withdraw", json!({})).await;
    assert_eq!((status, &taken_back["state"]), (200, &json!("withdrawn")), "{taken_back}");
    for (who, act, body) in [
        (&desk.approver, "approve", json!({ "sha256": import["sha256"] })),
        (&desk.approver, "refuse", json!({ "reason": "late" })),
        (&desk.author, "withdraw", json!({})),
    ] {
        let late = desk.decide(who, &import, act, body).await;
        assert_eq!((late.0, &late.1["code"]), (409, &json!("already_decided")), "{act}");
    }
    assert_eq!(desk.agency_name().await, "Standards Institution (example)");
    let listed = desk.author.get(IMPORTS).await.unwrap().json;
    let mut states: Vec<String> =
        listed["data"].as_array().unwrap().iter().map(|one| one["state"].to_string()).collect();
    states.sort();
    assert_eq!(states, ["\"approved\"", "\"returned\"", "\"withdrawn\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_nobodys_elses_business_and_nothing_but_one() {
    let desk = Desk::new().await;
    let import = desk.submit(&named("Seen (example)")).await;
    let path = format!("{IMPORTS}/{}", id(&import));
    let clerk = desk.world.staff("clerk", &[Role::Reconciler]).await;
    assert_eq!(clerk.get(&path).await.unwrap().status, 403);
    assert_eq!(desk.world.portal().get(&path).await.unwrap().status, 403);
    for unknown in ["ci_01936f2c5b7a7c3e8f1a2b3c4d5e6f70", "nothing", "pi_01936f2c5b7a7c3e8f1a2b3c4d5e6f70"] {
        assert_eq!(
            desk.approver.get(&format!("{IMPORTS}/{unknown}")).await.unwrap().status,
            404,
            "{unknown}"
        );
        let body = json!({ "reason": "nothing there" });
        let reply = desk.approver.post(&format!("{IMPORTS}/{unknown}/refuse"), &body).await.unwrap();
        assert_eq!(reply.status, 404, "{unknown}");
    }
    // A name with a line feed could pass one file off as two.
    for files in [json!([]), json!([{ "name": "a\nb", "text": "" }]), json!([{ "name": "", "text": "" }])] {
        let reply = desk.author.post(IMPORTS, &json!({ "files": files })).await.unwrap();
        assert_eq!((reply.status, &reply.json["code"]), (422, &json!("validation_failed")), "{}", reply.json);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_force_is_not_edited_overlapped_or_left_without_an_account() {
    let desk = Desk::new().await;
    let edited =
        desk.not_taken(&price_lists(|text| text.replace("ILS = \"380.00\"", "ILS = \"390.00\""))).await;
    let told =
        "version 1 of `psi/training-course` is in force with other content in `components.seats.amount.ILS`";
    assert!(edited.len() == 1 && edited[0].contains(told), "{edited:?}");

    let beside = desk.not_taken(&days::training(&["number = 2\nfrom = 2027-01-01"])).await;
    let told = "the days of version 2 of `psi/training-course` overlap those of version 1, in force";
    assert!(beside.len() == 1 && beside[0].contains(told), "{beside:?}");

    let mut alone = price_lists(|text| {
        let lines = text.lines().filter(|line| !line.contains("currency = \"JOD\""));
        lines.collect::<Vec<_>>().join("\n")
    });
    alone["files"].as_array_mut().unwrap().retain(|file| file["name"] == "agency.toml");
    let missing = desk.not_taken(&alone).await;
    let told = "`psi/training-course` is charged in JOD, but no account takes JOD";
    assert!(
        missing.iter().any(|problem| problem.starts_with("agency.toml:") && problem.contains(told)),
        "{missing:?}"
    );

    let stolen =
        desk.not_taken(&price_lists(|text| text.replace("issuer = \"2101\"", "issuer = \"2203\""))).await;
    assert!(stolen.len() == 1 && stolen[0].contains("the issuer digits 2203 are those of `"), "{stolen:?}");
}
