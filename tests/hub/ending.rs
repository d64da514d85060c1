//! Commands that run servers, ended from outside: Ctrl-C and what `kill` and `timeout` send end them alike, and nothing
//! of theirs is left.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::{Child, Command};

/// A command of the binary with its two outputs, line by line. Under root its folder lies in /var/lib/mizan.
struct Run {
    child: Child,
    stdout: Lines<BufReader<tokio::process::ChildStdout>>,
    stderr: Lines<BufReader<tokio::process::ChildStderr>>,
    _home: tempfile::TempDir,
}

fn run(args: &[&str]) -> Run {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mizan"));
    command.args(args).env("XDG_DATA_HOME", home.path()).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    Run { child, stdout, stderr, _home: home }
}

/// The first line that holds a word.
async fn line_with<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>, word: &str) -> String {
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains(word) {
            return line;
        }
    }
    panic!("it ended without saying {word}");
}

impl Run {
    /// Where its cluster lies, as it says while it makes it.
    async fn folder(&mut self) -> PathBuf {
        let line = line_with(&mut self.stderr, "creating a database cluster in").await;
        let path = line.split_whitespace().find(|word| word.starts_with('/')).unwrap();
        Path::new(path).parent().unwrap().to_owned()
    }

    async fn end(mut self, signal: &str) -> Option<i32> {
        let end = self.ended(signal);
        tokio::time::timeout(std::time::Duration::from_secs(120), end).await.expect("it does not end")
    }

    async fn ended(&mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
        // Whatever it still says has its place, or it would wait for a reader.
        while let Ok(Some(line)) = self.stderr.next_line().await {
            println!("{line}");
        }
        self.child.wait().await.unwrap().code()
    }
}

/// Every process that works below the folder.
fn processes_below(folder: &Path) -> Vec<PathBuf> {
    let all =
        std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path().join("cwd"));
    all.filter_map(|link| std::fs::read_link(link).ok()).filter(|cwd| cwd.starts_with(folder)).collect()
}

fn nothing_is_left(folder: &Path) {
    assert!(!folder.exists(), "{} is left", folder.display());
    assert_eq!(processes_below(folder), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn a_demo_that_stays_up_ends_on_every_usual_signal() {
    for signal in ["-TERM", "-INT"] {
        let mut demo = run(&["demo", "--payments", "2", "--json"]);
        let folder = demo.folder().await;
        line_with(&mut demo.stdout, "\"tied\":true").await;
        assert!(!processes_below(&folder).is_empty(), "its PostgreSQL works there");
        assert_eq!(demo.end(signal).await, Some(0), "{signal}");
        nothing_is_left(&folder);
    }
}

#[tokio::test]
async fn a_demo_ended_in_the_midst_of_its_story_leaves_nothing_either() {
    let mut demo = run(&["demo"]);
    let folder = demo.folder().await;
    line_with(&mut demo.stdout, "The days before").await;
    assert_eq!(demo.end("-TERM").await, Some(3));
    nothing_is_left(&folder);
}

#[tokio::test]
async fn a_demo_ended_while_its_database_is_made_leaves_nothing_either() {
    let mut demo = run(&["demo"]);
    let folder = demo.folder().await;
    assert_eq!(demo.end("-TERM").await, Some(3));
    nothing_is_left(&folder);
}

#[tokio::test]
async fn what_a_killed_demo_left_is_removed_by_the_next() {
    let mut demo = run(&["demo"]);
    let folder = demo.folder().await;
    line_with(&mut demo.stdout, "The days before").await;
    // The next one looks in the same home.
    let home = folder.parent().unwrap().parent().unwrap().to_owned();
    demo.child.kill().await.unwrap();
    assert!(!processes_below(&folder).is_empty(), "a killed demo cannot end its PostgreSQL");
    let mut next = Command::new(env!("CARGO_BIN_EXE_mizan"));
    next.args(["simulate", "--events", "1", "--seed", "1"]).env("XDG_DATA_HOME", home);
    let ended = next.current_dir(env!("CARGO_MANIFEST_DIR")).output().await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    nothing_is_left(&folder);
}

#[tokio::test]
async fn a_simulation_and_a_load_leave_nothing_when_they_are_ended() {
    for args in [&["simulate", "--events", "100000"][..], &["load", "--seconds", "600"]] {
        let mut run = run(args);
        let folder = run.folder().await;
        while processes_below(&folder).is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(run.end("-TERM").await, Some(3), "{args:?}");
        nothing_is_left(&folder);
    }
}

#[tokio::test]
async fn the_sandbox_ends_on_every_usual_signal() {
    for signal in ["-TERM", "-INT"] {
        let mut sandbox = run(&["sandbox", "--listen", "127.0.0.1:0"]);
        line_with(&mut sandbox.stderr, "the sandbox bank listens").await;
        assert_eq!(sandbox.end(signal).await, Some(0), "{signal}");
    }
}
