//! What a pass is given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::runtime::events::Recorder;

use crate::cache::{Cache, InstanceKey};
use crate::cluster::Cluster;
use crate::instances::Instances;
use crate::metrics::Metrics;
use crate::observe::ConfigSyncClient;
use crate::queue::Queue;

/// What all passes share.
pub(crate) struct Context {
    pub(crate) cluster: Cluster,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) config_sync: ConfigSyncClient,
    pub(crate) recorder: Recorder,
    pub(crate) instances: Arc<Instances>,
    pub(crate) failures: Failures,
    pub(crate) unreported: Unreported,
    pub(crate) settings: openclaw_render::Settings,
}

/// The cluster answers a change with changes of its own, a claim that is bound or a pod that
/// starts. A report that waits for them saves one that is out of date when it is read.
const REPORT_AFTER: Duration = Duration::from_secs(2);

/// Since when instances have something to report that may wait.
#[derive(Default)]
pub(crate) struct Unreported(Mutex<BTreeMap<InstanceKey, Instant>>);

impl Unreported {
    /// How long the report may still wait, `None` if it has waited long enough.
    pub(crate) fn wait(&self, key: &InstanceKey) -> Option<Duration> {
        let now = Instant::now();
        let since = *self.lock().entry(key.clone()).or_insert(now);
        REPORT_AFTER.checked_sub(now - since).filter(|rest| !rest.is_zero())
    }

    pub(crate) fn clear(&self, key: &InstanceKey) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceKey, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often an instance's passes failed in a row.
#[derive(Default)]
pub(crate) struct Failures(Mutex<BTreeMap<InstanceKey, u32>>);

impl Failures {
    /// One more; how many it makes.
    pub(crate) fn add(&self, key: &InstanceKey) -> u32 {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(key.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    pub(crate) fn clear(&self, key: &InstanceKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
