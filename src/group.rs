//! Group commit: what several callers want written at the same time, one of them writes for all, with one statement and
//! one flush of the disk. A caller alone writes at once; those that come while a group is being written make the next.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex as Turn, oneshot};

/// The most items of one group.
const GROUP_MAX: usize = 256;

/// Items that wait for the next group, and the turn to write it.
pub struct Group<T, R> {
    waiting: Mutex<VecDeque<(T, oneshot::Sender<R>)>>,
    turn: Turn<()>,
}

impl<T, R> Group<T, R> {
    /// Has an item written with those that wait. `write` answers one result per item, in order; it is called only by
    /// who writes. None when its group could not be written: then nothing of it holds, and each of its callers writes
    /// for itself alone and learns why.
    pub async fn write<E>(
        &self,
        item: T,
        write: impl Fn(Vec<T>) -> BoxFuture<'static, Result<Vec<R>, E>>,
    ) -> Option<R> {
        let (tell, mut told) = oneshot::channel();
        self.waiting().push_back((item, tell));
        let _turn = self.turn.lock().await;
        loop {
            match told.try_recv() {
                Ok(result) => return Some(result),
                Err(TryRecvError::Closed) => return None,
                Err(TryRecvError::Empty) => {}
            }
            let (items, tells): (Vec<T>, Vec<_>) = {
                let mut waiting = self.waiting();
                let count = waiting.len().min(GROUP_MAX);
                waiting.drain(..count).unzip()
            };
            // Without results each ear is closed.
            for (tell, result) in tells.into_iter().zip(write(items).await.into_iter().flatten()) {
                // Who does not listen any more has gone away; what was written stays written.
                drop(tell.send(result));
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(T, oneshot::Sender<R>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, R> Default for Group<T, R> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: Turn::default() }
    }
}

impl<T, R> fmt::Debug for Group<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Group")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt as _;
    use futures::future::join_all;

    use super::*;

    /// Writes what `GROUP_MAX` allows at a time and fails where the item 13 is among others.
    fn writer(
        groups: &Arc<AtomicUsize>,
    ) -> impl Fn(Vec<usize>) -> BoxFuture<'static, Result<Vec<usize>, String>> {
        let groups = groups.clone();
        move |items| {
            let groups = groups.clone();
            async move {
                groups.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if items.contains(&13) {
                    Err("13".to_owned())
                } else {
                    Ok(items.iter().map(|n| n * 2).collect())
                }
            }
            .boxed()
        }
    }

    #[tokio::test]
    async fn each_hears_of_its_own_item() {
        let (group, groups) = (Group::default(), Arc::new(AtomicUsize::new(0)));
        let all = join_all((100..1_100).map(|n| group.write(n, writer(&groups)))).await;
        let doubled: Vec<_> = (100..1_100).map(|n| Some(n * 2)).collect();
        assert_eq!(all, doubled);
        assert_eq!(
            groups.load(Ordering::Relaxed),
            1 + 999_usize.div_ceil(GROUP_MAX),
            "the first writes at once"
        );
    }

    #[tokio::test]
    async fn of_a_group_that_fails_each_writes_alone() {
        let (group, groups) = (Group::default(), Arc::new(AtomicUsize::new(0)));
        let all = join_all((10..15).map(|n| group.write(n, writer(&groups)))).await;
        assert_eq!(all, [Some(20), None, None, None, None]);
        assert_eq!(group.write(14, writer(&groups)).await, Some(28), "the next is not held up");
    }
}
