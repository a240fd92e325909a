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
