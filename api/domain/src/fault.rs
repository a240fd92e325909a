//! A fault that the tests plant to see that they catch it. A release does not have it: only builds with debug assertions do,
//! and of those only a test's own process plants it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static PLANTED: AtomicBool = AtomicBool::new(false);

/// How long a commit is held back.
const HELD: Duration = Duration::from_millis(20);

/// From now on, in this process, changes and rows of the access log are committed after the answer that tells of them.
pub fn answer_before_commit() {
    PLANTED.store(true, Ordering::SeqCst);
}

pub(crate) fn is_planted() -> bool {
    PLANTED.load(Ordering::SeqCst)
}

/// Waits as long as a commit is held back; not at all where nothing is planted.
pub(crate) async fn hold() {
    if is_planted() {
        tokio::time::sleep(HELD).await;
    }
}

/// Holds changes back that are decided on and not yet made: in builds with debug assertions a test can have it do so.
#[derive(Debug, Default)]
pub(crate) struct Holdback {
    #[cfg(debug_assertions)]
    lock: std::sync::Arc<tokio::sync::RwLock<()>>,
    #[cfg(debug_assertions)]
    waiting: std::sync::atomic::AtomicUsize,
}

#[cfg(debug_assertions)]
impl Holdback {
    /// Waits as long as changes are held back.
    pub(crate) async fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        drop(self.lock.read().await);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) async fn hold(&self) -> tokio::sync::OwnedRwLockWriteGuard<()> {
        self.lock.clone().write_owned().await
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}
