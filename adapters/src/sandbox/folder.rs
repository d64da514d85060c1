//! The sandbox's folder: statements out, payment files in, and what the sandbox knows.
//!
//! ```text
//! <folder>/statements/<account>-<date>.<ext>
//! <folder>/payments/*.xml            taken, then moved to taken/ or refused/
//! <folder>/payments/status/<name>    the answer to each
//! <folder>/sandbox.json              written at every closing of a day and at the end
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use tokio::fs;

use super::bank_api::refusal;
use super::http::{App, FILE_BYTES_MAX};
use super::mt940::Charset;
use super::pain001::Instruction;
use super::refusal::Refusal;
use super::statement_file;
use super::world::{Kept, World};

/// How often the folder is looked into.
const LOOK_EVERY: Duration = Duration::from_millis(500);

const KEPT: &str = "sandbox.json";

/// Makes the folders and reads what an earlier sandbox left.
pub async fn open(folder: &Path) -> io::Result<Option<Kept>> {
    for name in ["statements", "payments/status", "payments/taken", "payments/refused"] {
        fs::create_dir_all(folder.join(name)).await?;
    }
    match fs::read(folder.join(KEPT)).await {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes what was dropped before, closes the day and writes what follows from it. Gives the names of the statements.
pub async fn close_day(app: &App, day: Date) -> Result<Vec<String>, Refusal> {
    let _turn = app.folder_turn.lock().await;
    take_dropped(app).await;
    let folder = app.config.folder.clone();
    let (statements, reports) = app.with(|world| {
        world.close_day(day)?;
        let written = folder.is_some();
        Ok((
            if written { statements(world, day) } else { Vec::new() },
            if written { reports(world) } else { Vec::new() },
        ))
    })?;
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let names = statements.iter().map(|(name, _)| name.clone()).collect();
    let written = async {
        write_all(&folder.join("statements"), statements).await?;
        write_all(&folder.join("payments/status"), reports).await?;
        keep(app, &folder).await
    };
    written.await.map_err(|error: io::Error| {
        tracing::error!(%error, "the sandbox cannot write into its folder");
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        Refusal::new(status, "folder_failed", "the day is closed, and its files could not be written")
    })?;
    Ok(names)
}

fn statements(world: &World, day: Date) -> Vec<(String, Vec<u8>)> {
    let accounts =
        world.kept.bank.accounts.iter().filter_map(|account| Some((account, account.statement(day)?)));
    let file = accounts.map(|(account, statement)| {
        let name = statement_file::file_name(account, statement, account.format);
        (name, statement_file::write(account, statement, account.format, Charset::Swift))
    });
    file.collect()
}

/// The status of every dropped file, as it is after the day.
fn reports(world: &World) -> Vec<(String, Vec<u8>)> {
    let files = world.kept.files.files.iter();
    files.filter_map(|file| Some((file.dropped.clone()?, world.status_report(file).into_bytes()))).collect()
}

/// Writes down everything the sandbox knows.
pub async fn keep(app: &App, folder: &Path) -> io::Result<()> {
    let json = app.with(World::write_down);
    write(folder, KEPT, json.to_string().as_bytes()).await
}

/// Takes dropped payment files until the sandbox stops.
pub async fn watch(app: App) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = app.stopped() => return,
        }
        let _turn = app.folder_turn.lock().await;
        take_dropped(&app).await;
    }
}

/// Takes every payment file in the folder; the caller has the turn.
async fn take_dropped(app: &App) {
    let Some(folder) = &app.config.folder else { return };
    if let Err(error) = take_all(app, &folder.join("payments")).await {
        tracing::error!(%error, "the sandbox cannot read its folder");
    }
}

async fn take_all(app: &App, payments: &Path) -> io::Result<()> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut entries = fs::read_dir(payments).await?;
    while let Some(entry) = entries.next_entry().await? {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "xml") && entry.file_type().await?.is_file()
        {
            found.push(path);
        }
    }
    found.sort();
    for path in found {
        take_one(app, payments, &path).await?;
    }
    Ok(())
}

async fn take_one(app: &App, payments: &Path, path: &Path) -> io::Result<()> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()).map(ToOwned::to_owned) else {
        return Ok(());
    };
    let taken = match fs::metadata(path).await?.len() {
        length if length > FILE_BYTES_MAX as u64 => Err(Refusal::bad("too_large", "the file is too large")),
        _ => Instruction::read(&fs::read(path).await?).map_err(|error| refusal(&error)),
    };
    let taken = taken.and_then(|instruction| {
        app.with(|world| {
            let number = world.take_file(instruction, Some(name.clone()))?;
            let file = &world.kept.files.files[number];
            Ok((file.file.clone(), world.status_report(file)))
        })
    });
    let status = payments.join("status");
    match taken {
        Ok((file, report)) => {
            write(&status, &name, report.as_bytes()).await?;
            fs::rename(path, payments.join("taken").join(format!("{file}-{name}"))).await
        }
        Err(refusal) => {
            let body = serde_json::json!({"error": refusal.slug, "message": refusal.message});
            write(&status, &format!("{name}.error.json"), body.to_string().as_bytes()).await?;
            fs::rename(path, payments.join("refused").join(&name)).await
        }
    }
}

async fn write_all(folder: &Path, files: Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for (name, bytes) in files {
        write(folder, &name, &bytes).await?;
    }
    Ok(())
}

/// Nobody sees half a file: it is written as `.part` and renamed.
async fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    fs::write(&part, bytes).await?;
    fs::rename(part, folder.join(name)).await
}
