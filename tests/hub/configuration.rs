//! A configuration that cannot be meant: every command tells all of it before it starts anything.

use crate::cli::Shell;
use crate::world::TestDb;

/// EXAMPLE data, wrong in five places.
const WRONG: &str = "
issuer = \"12\"
intent_hours = 0
[[banks]]
name = \"main\"
account = \"PS48SBOX000000000000000000001\"
currency = \"ILS\"
owner = \"Mizan (example)\"
[[banks]]
name = \"main\"
account = \"PS22SBOX000000000000000000002\"
currency = \"JOD\"
owner = \"Mizan (example)\"
[channels.transfer]
kind = \"bank_transfer\"
name_ar = \"حوالة\"
name_en = \"Transfer\"
settles_into = { ILS = \"other\" }
";
const TOLD: [&str; 5] = [
    "issuer: \"12\" is not four digits from 0001 to 9999",
    "intent_hours: 0: a payment would have expired when it is opened",
    "banks[0].account: \"PS48SBOX000000000000000000001\": the check digits of the IBAN are wrong",
    "banks[1].name: \"main\" is the name of banks[0] too",
    "channels.transfer.settles_into.ILS: \"other\" is no name in [[banks]]",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_command_starts_with_it_and_all_of_it_is_told() {
    let db = TestDb::new().await;
    let shell = Shell::new(&db);
    let file = shell.file("wrong.toml").display().to_string();
    std::fs::write(&file, WRONG).unwrap();
    for command in [["serve"].as_slice(), &["worker"], &["migrate"], &["ledger", "verify"]] {
        let done = shell.mizan(&[command, &["--config", &file]].concat()).await;
        assert_eq!(done.code, 3, "{done:?}");
        assert_eq!(done.err, format!("mizan: configuration: \n  {}\n", TOLD.join("\n  ")));
    }
    let doctor = shell.mizan(&["doctor", "--config", &file]).await;
    assert_eq!(doctor.code, 1, "{doctor:?}");
    for told in TOLD {
        assert!(doctor.out.contains(&format!("NOT  configuration            {told}\n")), "{}", doctor.out);
    }
    assert!(doctor.out.contains("PostgreSQL 15"), "it looks at the rest all the same: {}", doctor.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_does_not_exist_is_called_one() {
    let db = TestDb::new().await;
    let shell = Shell::new(&db);
    let file = shell.file("mars.toml").display().to_string();
    std::fs::write(&file, "zone = \"Mars/X\"\n").unwrap();
    let done = shell.mizan(&["serve", "--config", &file]).await;
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("\"Mars/X\" is no IANA time zone"), "{done:?}");
    assert!(done.err.contains("zone"), "the key: {done:?}");
}
