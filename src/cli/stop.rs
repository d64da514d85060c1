//! How a command that stays up, or runs a server of its own, is ended from outside.

use std::path::Path;

use anyhow::{Context, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::localpg::discard;

/// Ctrl-C, and what a service manager, `kill` and `timeout` send. From its making on none is lost: one that comes
/// while nobody waits is found by the next who does.
#[derive(Debug)]
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub fn listen() -> anyhow::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Ends when somebody asked for the end.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// The work, or an error when its end is asked for before.
    pub async fn unless<T>(&mut self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::select! {
            done = work => done,
            () = self.asked() => bail!("stopped before the end"),
        }
    }

    /// Work on a cluster that passes with it: when it fails or is stopped midway, server and folder go.
    pub async fn passing<T>(
        &mut self,
        folder: &Path,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let done = self.unless(work).await;
        if done.is_err() {
            discard(folder).await.with_context(|| folder.display().to_string())?;
        }
        done
    }
}
