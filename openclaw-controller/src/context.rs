//! What passes and watches share.

use std::sync::Arc;

use kube::runtime::events::Recorder;

use crate::agents::Agents;
use crate::cache::Cache;
use crate::cluster::Cluster;
use crate::instances::Instances;
use crate::live::InstanceKey;
use crate::metrics::Metrics;
use crate::packs::SkillPacks;
use crate::questions::Questions;
use crate::queue::Queue;
use crate::registry::Registries;
use crate::requests::Requests;
use crate::shared_storage::SharedStorage;
use crate::turns::Turns;

/// See the module.
pub(crate) struct Context {
    pub(crate) cluster: Cluster,
    pub(crate) cache: Arc<Cache>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) questions: Arc<Questions>,
    pub(crate) registries: Arc<Registries>,
    pub(crate) packs: Arc<SkillPacks>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) shared_storage: Arc<SharedStorage>,
    pub(crate) recorder: Recorder,
    pub(crate) instances: Arc<Instances>,
    /// The agents that stand for instances, by the same names.
    pub(crate) agents: Arc<Agents>,
    /// What agents ask to have changed about themselves.
    pub(crate) requests: Arc<Requests>,
    pub(crate) settings: openclaw_render::Settings,
}

impl Context {
    /// Forgets whatever there was of a name, but for its place in the queue.
    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.forget_instance(key);
        self.agents.forget(key);
    }

    /// Forgets everything of an instance that is gone, but for its place in the queue: a pass over
    /// it may still be under way, and what that keeps is forgotten when it has ended.
    pub(crate) fn forget_instance(&self, key: &InstanceKey) {
        self.cache.forget(key);
        self.instances.forget(key);
        self.questions.forget(key);
        self.registries.forget(key);
        self.packs.forget(key);
        self.requests.forget(key);
        self.turns.forget(key);
        self.shared_storage.forget(key);
        self.metrics.forget(key);
    }
}
