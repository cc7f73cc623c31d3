//! What passes and watches share.

use std::sync::Arc;

use kube::runtime::events::Recorder;

use crate::cache::Cache;
use crate::cluster::Cluster;
use crate::instances::Instances;
use crate::live::InstanceKey;
use crate::metrics::Metrics;
use crate::questions::Questions;
use crate::queue::Queue;

/// See the module.
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
    /// Forgets everything of an instance that is gone, but for its place in the queue: a pass over
    /// it may still be under way, and what that keeps is forgotten when it has ended.
    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.cache.forget(key);
        self.instances.forget(key);
        self.questions.forget(key);
        self.metrics.forget(key);
    }
}
