//! The schemas of ISO 20022, which lie below the folder that `MIZAN_CORPUS` names: what is written to banks holds against them.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// The bytes are a `message` (as `pain.001.001.09`) by its schema, or a word that no schema is at hand.
pub fn assert_valid(xml: impl AsRef<[u8]>, message: &str) {
    let xml = xml.as_ref();
    let Some(corpus) = std::env::var_os("MIZAN_CORPUS") else {
        eprintln!("MIZAN_CORPUS is not set: {message} is not validated");
        return;
    };
    let schema = PathBuf::from(corpus).join("iso20022").join(format!("{message}.xsd"));
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(xml).expect("a temporary file takes the bytes");
    let mut lint = Command::new("xmllint");
    let lint = lint.args(["--noout", "--nonet", "--schema"]).arg(schema).arg(file.path()).output();
    let lint = lint.expect("xmllint, of the package libxml2-utils");
    let why = String::from_utf8_lossy(&lint.stderr);
    assert!(lint.status.success(), "{message}: {why}\n{}", String::from_utf8_lossy(xml));
}
