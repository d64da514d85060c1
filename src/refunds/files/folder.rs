//! A bank that takes its files from a folder, and answers in another one below it.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt as _;

use super::service::Answer;

/// Puts a file where the bank takes it from: written under another ending, then renamed, so that the bank never
/// reads half of it. A file of this name may have been taken before, and is not put there again.
pub async fn drop_in(folder: &Path, name: &str, bytes: &[u8]) -> Answer {
    let target = folder.join(name);
    match tokio::fs::try_exists(&target).await {
        Ok(false) => {}
        Ok(true) => return Answer::Silent { why: "a file of this name stands in the folder".to_owned() },
        Err(error) => return Answer::NotSent { why: error.to_string() },
    }
    let why = |error: io::Error| format!("{}: {error}", folder.display());
    if let Err(error) = write(folder, name, bytes).await {
        return Answer::NotSent { why: why(error) };
    }
    // The bank may have it from here on; whether it still stands there after a power cut, only the folder's sync tells.
    match sync(folder).await {
        Ok(()) => Answer::Taken { bank_file: name.to_owned() },
        Err(error) => Answer::Silent { why: why(error) },
    }
}

async fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    let mut file = tokio::fs::File::create(&part).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(part, folder.join(name)).await
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
        let put = drop_in(folder.path(), "PF1.xml", b"<Document/>").await;
        assert!(matches!(put, Answer::Taken { bank_file } if bank_file == "PF1.xml"));
        assert_eq!(std::fs::read(folder.path().join("PF1.xml")).unwrap(), b"<Document/>");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part is left");
        let again = drop_in(folder.path(), "PF1.xml", b"<Document/>").await;
        assert!(matches!(again, Answer::Silent { .. }));
        let nowhere = drop_in(&folder.path().join("none"), "PF1.xml", b"").await;
        assert!(matches!(nowhere, Answer::NotSent { .. }));
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
