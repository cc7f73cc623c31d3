//! [`Synced`]: which watches have delivered their first list.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Which watches have delivered their first list.
#[derive(Default)]
pub(crate) struct Synced {
    missing: Mutex<BTreeSet<String>>,
    done: tokio::sync::Notify,
}

impl Synced {
    pub(crate) fn missing(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    /// Returns once every watch has.
    pub(crate) async fn wait(&self) {
        loop {
            let done = self.done.notified();
            if self.lock().is_empty() {
                return;
            }
            done.await;
        }
    }

    pub(super) fn expect(&self, name: &str) {
        self.lock().insert(name.to_owned());
    }

    pub(super) fn reached(&self, name: &str) {
        let mut missing = self.lock();
        if missing.remove(name) && missing.is_empty() {
            self.done.notify_waiters();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
