//! The judges: programs in other languages, with libraries that Mizan's authors did not write, which sign and
//! check what Mizan checks and signs. `.ci/get-judges` brings the libraries; where one is missing the test says so
//! and passes, and `.ci/run` refuses.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A foreign program under `tests/judges/`, and what it stands on below `.judges/`.
#[derive(Debug, Clone, Copy)]
pub enum Judge {
    /// `script`, which imports `package`.
    Python { script: &'static str, package: &'static str },
    /// `script`, told to use the npm `package`.
    Node { script: &'static str, package: &'static str },
}

impl Judge {
    /// Gives the judge `order` to read and returns what it prints; `None` when it is not installed.
    pub async fn ask(self, order: &Value) -> Option<Value> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let installed = root.join(".judges");
        let (mut command, script, package) = match self {
            Self::Python { script, package } => {
                let packages =
                    std::fs::read_dir(installed.join("python/lib")).into_iter().flatten().flatten();
                let found = packages.map(|version| version.path().join("site-packages").join(package));
                (Command::new(installed.join("python/bin/python")), script, found.last())
            }
            Self::Node { script, package } => {
                (Command::new("node"), script, Some(installed.join("node_modules").join(package)))
            }
        };
        if !package.is_some_and(|package: PathBuf| package.exists()) {
            println!("{self:?} is not installed: run .ci/get-judges");
            return None;
        }
        command.arg(root.join("tests/judges").join(script));
        if let Self::Node { package, .. } = self {
            command.arg(package);
        }
        // A proxy of the machine must not stand between a client and the loopback address.
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
            command.env_remove(proxy);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().expect("the judge starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(order.to_string().as_bytes()).await.expect("the judge reads");
        drop(stdin);
        let output = child.wait_with_output().await.expect("the judge ends");
        assert!(output.status.success(), "{self:?} failed");
        Some(serde_json::from_slice(&output.stdout).expect("the judge prints JSON"))
    }
}
