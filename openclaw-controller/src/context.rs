//! What a pass is given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::api::DynamicObject;
use kube::runtime::events::Recorder;

use crate::cache::{self, Cache, InstanceKey};
use crate::cluster::Cluster;
use crate::metrics::Metrics;
use crate::questions::Questions;
use crate::queue::Queue;

/// What all passes share.
pub(crate) struct Context {
    pub(crate) cluster: Cluster,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) questions: Arc<Questions>,
    pub(crate) recorder: Recorder,
    pub(crate) written: Arc<Written>,
    pub(crate) settings: openclaw_render::Settings,
}

impl Context {
    /// An instance is gone, and so is what was kept for it.
    pub(crate) fn forget(&self, key: &InstanceKey) {
        forget(key, &self.cache, &self.written, &self.questions, &self.metrics);
    }
}

/// Forgets everything of an instance that is gone, but for its place in the queue: a pass over it
/// may still be under way, and what that keeps is forgotten when it has ended.
pub(crate) fn forget(
    key: &InstanceKey,
    cache: &Cache,
    written: &Written,
    questions: &Questions,
    metrics: &Metrics,
) {
    cache.forget(key);
    written.forget(key);
    questions.forget(key);
    metrics.forget(key);
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
