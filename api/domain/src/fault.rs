//! A fault that the tests plant to see that they catch it. A release does not have it: only builds with debug assertions do,
//! and of those only a test's own process plants it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

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

/// Operations of which the next answer waits: so a test changes the record between a decision and its last check.
#[derive(Debug, Default)]
pub struct Held(Mutex<Vec<(String, Catch)>>);

/// The hub's end of a hold.
#[derive(Debug)]
struct Catch {
    waits: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
}

/// The answer that it catches waits as long as this is there.
#[derive(Debug)]
pub struct Hold {
    waits: oneshot::Receiver<()>,
    _go: oneshot::Sender<()>,
}

impl Hold {
    /// Waits until an answer waits.
    pub async fn until_waiting(&mut self) {
        _ = (&mut self.waits).await;
    }
}

impl Held {
    pub(crate) fn hold(&self, operation: &str) -> Hold {
        let ((waits, waiting), (go, going)) = (oneshot::channel(), oneshot::channel());
        let catch = Catch { waits, go: going };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((operation.to_owned(), catch));
        Hold { waits: waiting, _go: go }
    }

    fn catch(&self, operation: &str) -> Option<Catch> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = held.iter().position(|(held, _)| held == operation)?;
        Some(held.remove(place).1)
    }

    pub(crate) async fn wait(&self, operation: &str) {
        if let Some(Catch { waits, go }) = self.catch(operation) {
            _ = waits.send(());
            // The other end is dropped when the answer is let go.
            _ = go.await;
        }
    }
}
