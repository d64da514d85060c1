//! A bank that takes its files from a folder, and answers in another one below it.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt as _;

use super::service::Answer;

/// Writes a file beside its place, under an ending that the bank does not take. It leaves by being renamed ([`drop_in`]):
/// as long as it lies there it has not left. One whose place is taken has left before.
pub async fn lay(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    if tokio::fs::try_exists(folder.join(name)).await? {
        return Ok(());
    }
    let mut file = tokio::fs::File::create(part(folder, name)).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    sync(folder).await
}

/// Puts a file that was laid where the bank takes it from, whole. Of one that lies nowhere any more nobody knows: the bank
/// may have taken it away.
pub async fn drop_in(folder: &Path, name: &str) -> Answer {
    let why = |error: io::Error| format!("{}: {error}", folder.display());
    let target = folder.join(name);
    match tokio::fs::rename(part(folder, name), &target).await {
        Ok(()) => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Answer::NotSent { why: why(error) },
        Err(_) if tokio::fs::try_exists(&target).await.unwrap_or(false) => {}
        Err(error) => return Answer::Silent { why: why(error) },
    }
    // The bank may have it from here on; whether it still stands there after a power cut, only the folder's sync tells.
    match sync(folder).await {
        Ok(()) => Answer::Taken { bank_file: name.to_owned() },
        Err(error) => Answer::Silent { why: why(error) },
    }
}

fn part(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.part"))
}

/// Makes the names in a folder durable, as far as its file system keeps its word.
async fn sync(folder: &Path) -> io::Result<()> {
    tokio::fs::File::open(folder).await?.sync_all().await
}

/// The bank's report about a file, if it has written one.
pub async fn answer(folder: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let path: PathBuf = folder.join("status").join(name);
    match tokio::fs::read(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_put_there_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let mut names: Vec<_> =
                std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        lay(folder.path(), "PF1.xml", b"<Docu").await.unwrap();
        lay(folder.path(), "PF1.xml", b"<Document/>").await.unwrap();
        assert_eq!(names(), ["PF1.xml.part"], "it has not left");
        let put = drop_in(folder.path(), "PF1.xml").await;
        assert!(matches!(put, Answer::Taken { bank_file } if bank_file == "PF1.xml"));
        assert_eq!(std::fs::read(folder.path().join("PF1.xml")).unwrap(), b"<Document/>");

        lay(folder.path(), "PF1.xml", b"<Other/>").await.unwrap();
        assert_eq!(names(), ["PF1.xml"], "it has left: nothing is laid again");
        assert!(matches!(drop_in(folder.path(), "PF1.xml").await, Answer::Taken { .. }), "it stands there");
        std::fs::remove_file(folder.path().join("PF1.xml")).unwrap();
        let taken = drop_in(folder.path(), "PF1.xml").await;
        assert!(matches!(taken, Answer::Silent { .. }), "the bank took it, or it was never there");
        assert!(names().is_empty());
        let nowhere = drop_in(&folder.path().join("none"), "PF1.xml").await;
        assert!(matches!(nowhere, Answer::Silent { .. }));
        lay(&folder.path().join("none"), "PF1.xml", b"").await.unwrap_err();
    }

    #[tokio::test]
    async fn an_answer_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(answer(folder.path(), "PF1.xml").await.unwrap(), None);
        std::fs::create_dir(folder.path().join("status")).unwrap();
        std::fs::write(folder.path().join("status/PF1.xml"), b"<Document/>").unwrap();
        assert_eq!(
            answer(folder.path(), "PF1.xml").await.unwrap().as_deref(),
            Some(b"<Document/>".as_slice())
        );
    }
}
