//! What a pass is given.

use std::sync::Arc;

use kube::runtime::events::Recorder;

use crate::cache::{Cache, InstanceKey};
use crate::cluster::Cluster;
use crate::instances::Instances;
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
    pub(crate) instances: Arc<Instances>,
    pub(crate) settings: openclaw_render::Settings,
}

impl Context {
    /// An instance is gone, and so is what was kept for it.
    pub(crate) fn forget(&self, key: &InstanceKey) {
        forget(key, &self.cache, &self.instances, &self.questions, &self.metrics);
    }
}

/// Forgets everything of an instance that is gone, but for its place in the queue: a pass over it
/// may still be under way, and what that keeps is forgotten when it has ended.
pub(crate) fn forget(
    key: &InstanceKey,
    cache: &Cache,
    instances: &Instances,
    questions: &Questions,
    metrics: &Metrics,
) {
    cache.forget(key);
    instances.forget(key);
    questions.forget(key);
    metrics.forget(key);
}
