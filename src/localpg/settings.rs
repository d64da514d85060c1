//! Where a private cluster lies and how its server is set.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Everything committed.
    Full,
    /// What a killed process may not lose, a power cut may: for tests, which crash no machine.
    UnlessPowerFails,
}

/// How to run a private cluster.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Holds the cluster, its log, and PostgreSQL's programs where they could not be installed.
    pub data_dir: PathBuf,
    pub durability: Durability,
}

impl Settings {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), durability: Durability::Full }
    }
}

/// The parts of a data directory.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub data_dir: PathBuf,
    /// PostgreSQL's own data directory.
    pub cluster: PathBuf,
    /// Where initdb works until it is done: a killed initdb leaves no half cluster.
    pub fresh: PathBuf,
    pub socket: PathBuf,
    pub log: PathBuf,
    pub turn: PathBuf,
    pub users: PathBuf,
    pub programs: PathBuf,
}

/// The socket's file is named after a port, though nothing listens on one.
pub(super) const PORT: u16 = 5432;

/// The longest path of a UNIX socket that every system takes, in bytes.
const SOCKET_PATH_BYTES_MAX: usize = 107;

impl Places {
    /// `data_dir` is absolute and free of links.
    pub(super) fn below(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            cluster: data_dir.join("cluster"),
            fresh: data_dir.join("cluster.new"),
            socket: socket_folder(data_dir),
            log: data_dir.join("postgres.log"),
            turn: data_dir.join("turn.lock"),
            users: data_dir.join("users.lock"),
            programs: data_dir.join("programs"),
        }
    }

    pub(super) fn socket_file(&self) -> PathBuf {
        self.socket.join(format!(".s.PGSQL.{PORT}"))
    }

    /// How a role reaches a database of this cluster.
    pub(super) fn url(&self, role: &str, database: &str) -> String {
        let host = encoded(&self.socket.to_string_lossy());
        format!("postgresql:///{database}?host={host}&port={PORT}&user={role}&sslmode=disable")
    }
}

/// `<data>/socket`, or a short folder below /tmp named after the data directory when that would be too long.
fn socket_folder(data_dir: &Path) -> PathBuf {
    let inside = data_dir.join("socket");
    let file = inside.join(format!(".s.PGSQL.{PORT}"));
    if file.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return inside;
    }
    let name = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    PathBuf::from(format!("/tmp/mizan-{}", hex::encode(&name[..8])))
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// What `postgres` is started with.
pub(super) fn server_settings(places: &Places, durability: Durability) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        format!("port={PORT}"),
        format!("unix_socket_directories={}", quoted(&places.socket.to_string_lossy())),
        "unix_socket_permissions=0700".to_owned(),
        "max_connections=200".to_owned(),
        format!("shared_buffers={}MB", shared_buffers_mb(memory_kb())),
        "max_wal_size=8GB".to_owned(),
        "checkpoint_timeout=15min".to_owned(),
        "jit=off".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
        "logging_collector=off".to_owned(),
    ];
    if durability == Durability::UnlessPowerFails {
        settings.extend(["fsync=off", "full_page_writes=off"].map(str::to_owned));
    }
    settings
}

/// An element of a list setting: a comma or a space in a path stays in the path.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A quarter of the memory, between 128 MB and 2 GB.
fn shared_buffers_mb(memory_kb: u64) -> u64 {
    (memory_kb / 1024 / 4).clamp(128, 2048)
}

/// The machine's memory or the container's share of it; 0 where neither can be read.
fn memory_kb() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    });
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let container = container.and_then(|text| text.trim().parse::<u64>().ok()).map(|bytes| bytes / 1024);
    [machine, container].into_iter().flatten().min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_path_fits_however_deep_the_data_lies() {
        let deep = PathBuf::from("/".to_owned() + &"deep/".repeat(30));
        for data_dir in [Path::new("/var/lib/mizan"), &deep] {
            let places = Places::below(data_dir);
            assert!(places.socket_file().as_os_str().len() <= SOCKET_PATH_BYTES_MAX);
        }
        assert_eq!(Places::below(Path::new("/var/lib/mizan")).socket, Path::new("/var/lib/mizan/socket"));
        assert_ne!(Places::below(&deep).socket, Places::below(&deep.join("x")).socket);
    }

    #[test]
    fn a_url_survives_spaces_and_signs_in_the_path() {
        let url = Places::below(Path::new("/a b/c+d&é")).url("mizan_app", "mizan");
        assert_eq!(
            url,
            "postgresql:///mizan?host=/a%20b/c%2Bd%26%C3%A9/socket&port=5432&user=mizan_app&sslmode=disable"
        );
    }

    #[test]
    fn buffers_take_a_quarter_of_the_memory_within_bounds() {
        let cases = [(0, 128), (1 << 20, 256), (4 << 20, 1024), (64 << 20, 2048)];
        for (memory_kb, expected) in cases {
            assert_eq!(shared_buffers_mb(memory_kb), expected);
        }
    }
}
