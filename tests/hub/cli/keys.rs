//! Keys that the command line makes: shown once, kept in files that are nobody else's.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_and_revoked_from_the_command_line() {
    let (world, shell) = world().await;
    let administrator = shell.log_in(&world, "huda", &[Role::Administrator]).await;
    let old = world.people.portal_key_id.clone();
    let next = shell.file("next.json").display().to_string();
    shell.mizan(&["key", "rotate", &old, "--out", &next, "--key", &administrator]).await.ok();
    shell.mizan(&["key", "revoke", &old, "--key", &administrator]).await.ok();
    assert_eq!(world.get("/v1/events").await.status, 401);
    shell.mizan(&["call", "GET", "/v1/events", "--key", &next]).await.ok();
    let list = ["key", "list", "--owner", "example-portal", "--revoked", "--json", "--key", &administrator];
    let keys = shell.mizan(&list).await.ok();
    assert_eq!(keys.lines().count(), 2, "{keys}");
    assert!(!keys.contains("secret"));
    let unknown = shell.mizan(&["key", "revoke", &old, "--key", &administrator]).await;
    assert!(unknown.code == 1 && unknown.err.contains("no such active key"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_destroys_no_other_and_is_not_lost_with_its_file() {
    let (world, shell) = world().await;
    let administrator = shell.log_in(&world, "huda", &[Role::Administrator]).await;
    let before = std::fs::read_to_string(&administrator).unwrap();
    let create = |code: &str, out: &str| {
        let text = format!(
            "portal create {code} --name-en Example --name-ar مثال --key {administrator} --json --out {out}"
        );
        text.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    let run = async |arguments: &[String]| {
        shell.mizan(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    };

    // Nothing is asked of the hub while the file cannot be had.
    let portal_key = world.people.portal_key_id.clone();
    let rotate = ["key", "rotate", &portal_key, "--key", &administrator, "--out", &administrator];
    for refused in [shell.mizan(&rotate).await, run(&create("p1", &administrator)).await] {
        assert!(refused.code == 2 && refused.out.is_empty(), "{refused:?}");
        assert!(refused.err.contains("exists, and may hold a key"), "{refused:?}");
    }
    let nowhere = run(&create("p1", "/proc/x/x.json")).await;
    assert!(nowhere.code == 3 && nowhere.err.contains("/proc/x/x.json"), "{nowhere:?}");
    assert_eq!(std::fs::read_to_string(&administrator).unwrap(), before);
    let listed =
        shell.mizan(&["key", "list", "--key", &administrator, "--owner", "example-portal"]).await.ok();
    assert_eq!(listed.lines().count(), 1, "{listed}");

    // A neighbour of the name that was once used aside stays what it is; the secret is in the file alone.
    let (out, neighbour) = (shell.file("p1.json"), shell.file("p1.new"));
    std::fs::write(&neighbour, "another's").unwrap();
    let made = run(&create("p1", &out.display().to_string())).await.json();
    assert!(made["key"]["key_id"].is_string() && made["key"]["secret"].is_null(), "{made}");
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(kept["key_id"], made["key"]["key_id"]);
    assert_eq!(std::fs::read_to_string(&neighbour).unwrap(), "another's");

    // The disk fails after the hub has acted: the key is on standard output, and it works.
    let (lost, full) = (shell.file("lost.json"), "trap '' XFSZ; ulimit -f 0; exec mizan \"$@\"");
    let arguments = create("p2", &lost.display().to_string());
    let arguments = ["-c", full, "sh"].into_iter().chain(arguments.iter().map(String::as_str));
    let told = shell.fed("sh", &arguments.collect::<Vec<_>>(), "").await;
    assert!(told.code == 3 && told.err.contains("could not be written") && !lost.exists(), "{told:?}");
    let saved = shell.file("saved.json").display().to_string();
    std::fs::write(&saved, &told.out).unwrap();
    shell.mizan(&["call", "GET", "/v1/events", "--key", &saved]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_in_again_replaces_ones_own_key_and_no_other() {
    let (world, shell) = world().await;
    let key = shell.log_in(&world, "huda", &[Role::Administrator]).await;
    let login = async |more: &[&str]| {
        let arguments = [&["login", "--hub", &world.base, "huda"], more].concat();
        shell.fed(env!("CARGO_BIN_EXE_mizan"), &arguments, &format!("{PASSWORD}\n")).await
    };
    let refused = login(&["--out", &key]).await;
    assert!(refused.code == 2 && refused.err.contains("exists"), "{refused:?}");
    let own = shell.file("mizan/key.json");
    login(&[]).await.ok();
    let first = std::fs::read_to_string(&own).unwrap();
    login(&[]).await.ok();
    assert_ne!(std::fs::read_to_string(&own).unwrap(), first);
    assert_eq!(std::fs::read_dir(shell.file("mizan")).unwrap().count(), 1);
    shell.mizan(&["key", "list"]).await.ok();
}
