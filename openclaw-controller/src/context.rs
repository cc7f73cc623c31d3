//! What a pass is given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::api::DynamicObject;
use kube::runtime::events::Recorder;

use crate::cache::{self, Cache, InstanceKey};
use crate::cluster::Cluster;
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
    pub(crate) written: Arc<Written>,
    pub(crate) failures: Failures,
    pub(crate) unreported: Unreported,
    pub(crate) settings: openclaw_render::Settings,
}

/// Instances as our own patches left them, until the watch has caught up: a pass that starts in
/// between must not test an older resource version.
#[derive(Default)]
pub(crate) struct Written(Mutex<BTreeMap<InstanceKey, Latest>>);

/// The version that we wrote last, and the instance until the watch has seen it.
struct Latest {
    version: u64,
    instance: Option<Arc<DynamicObject>>,
}

impl Written {
    /// Takes in what a patch answered.
    pub(crate) fn put(&self, key: &InstanceKey, object: DynamicObject) {
        let version = version(&object);
        self.lock().insert(key.clone(), Latest { version, instance: Some(Arc::new(object)) });
    }

    /// The newer of what the watch saw and what we wrote.
    pub(crate) fn newest(
        &self,
        key: &InstanceKey,
        watched: Arc<DynamicObject>,
    ) -> Arc<DynamicObject> {
        match self.lock().get(key) {
            Some(Latest { version: at, instance: Some(written) }) if *at > version(&watched) => {
                Arc::clone(written)
            }
            _ => watched,
        }
    }

    /// The watch saw an instance. Whether that is news, and not our own writing.
    pub(crate) fn watched(&self, key: &InstanceKey, object: &DynamicObject) -> bool {
        let mut all = self.lock();
        let Some(latest) = all.get_mut(key) else { return true };
        let seen = version(object);
        if seen >= latest.version {
            latest.instance = None;
        }
        seen > latest.version
    }

    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceKey, Latest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(object: &DynamicObject) -> u64 {
    cache::version(object.metadata.resource_version.as_deref().unwrap_or_default())
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
