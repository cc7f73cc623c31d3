//! The instances of the cluster, as texts that are decoded when a pass begins.
//!
//! What watches and our own patches saw goes in; a pass gets the newest. Texts that are large, or
//! too many, are not kept: a pass reads them anew. Passes that need much memory go one after
//! another, and never keep the others from their turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cluster::{AGENTS, Cluster, INSTANCES, Place, Resource};
use crate::error::CallError;
use crate::instance_text::{Instance, InstanceText, ROOM};
use crate::live::InstanceKey;

/// Bytes of a text that is kept. Usual are ten thousand.
const KEPT: usize = 32 << 10;
/// Bytes of all texts that are kept: those of some thousand usual instances.
const KEPT_TOGETHER: usize = 16 << 20;
/// KiB that a pass may need for its instance without asking.
const SMALL: u32 = 3 << 10;
/// The newest of an instance.
pub(crate) enum Newest {
    /// It, and the memory that a pass over it may take, if it needs much.
    Here(Box<Instance>, Option<OwnedSemaphorePermit>),
    /// It needs much, and another one waits already.
    Later,
    /// It is not there any more.
    Gone,
}

struct Entry {
    version: u64,
    /// We wrote it, and no watch has told of that yet.
    ahead: bool,
    /// `None` if it is not kept.
    text: Option<Arc<str>>,
    room: u32,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<InstanceKey, Entry>,
    /// Bytes of all texts.
    kept: usize,
}

/// See the module.
pub(crate) struct Instances {
    resource: Resource,
    state: Mutex<State>,
    room: Arc<Semaphore>,
    /// Whoever waits for room holds a worker: one at a time does.
    seat: Semaphore,
}

impl Default for Instances {
    fn default() -> Self {
        let permits = usize::try_from(ROOM).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            resource: INSTANCES,
            state: Mutex::default(),
            room: Arc::new(Semaphore::new(permits)),
            seat: Semaphore::new(1),
        }
    }
}

impl State {
    fn put(&mut self, instance: InstanceText, ahead: bool) {
        let room = instance.room();
        let InstanceText { key, version, text } = instance;
        self.remove(&key);
        let fits = text.len() <= KEPT && self.kept + text.len() <= KEPT_TOGETHER;
        let text = fits.then_some(text);
        self.kept += text.as_ref().map_or(0, |text| text.len());
        self.entries.insert(key, Entry { version, ahead, text, room });
    }

    fn remove(&mut self, key: &InstanceKey) {
        if let Some(Entry { text: Some(text), .. }) = self.entries.remove(key) {
            self.kept -= text.len();
        }
    }
}

impl Instances {
    /// The agents that stand for instances, under the same rules.
    pub(crate) fn of_agents() -> Self {
        Self { resource: AGENTS, ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A watch saw an instance. Whether that is news, and not our own writing.
    pub(crate) fn watched(&self, instance: InstanceText) -> bool {
        let mut state = self.state();
        let known = state.entries.get(&instance.key).map(|known| (known.version, known.ahead));
        // A pass that starts in between must not test an older resource version.
        if known.is_some_and(|(version, ahead)| ahead && instance.version < version) {
            return false;
        }
        let news = known.is_none_or(|(version, _)| instance.version != version);
        state.put(instance, false);
        news
    }

    /// What a patch of ours answered.
    pub(crate) fn written(&self, instance: InstanceText) {
        let mut state = self.state();
        // One that is gone meanwhile does not come back.
        if state.entries.get(&instance.key).is_some_and(|known| known.version < instance.version) {
            state.put(instance, true);
        }
    }

    /// What they are.
    pub(crate) fn resource(&self) -> Resource {
        self.resource
    }

    /// Whether there is such a one.
    pub(crate) fn has(&self, key: &InstanceKey) -> bool {
        self.state().entries.contains_key(key)
    }

    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.state().remove(key);
    }

    /// All of a namespace, or all.
    pub(crate) fn keys(&self, namespace: Option<&str>) -> Vec<InstanceKey> {
        let state = self.state();
        let keys = state.entries.keys();
        keys.filter(|key| namespace.is_none_or(|namespace| namespace == key.namespace))
            .cloned()
            .collect()
    }

    /// Whether that holds of every one.
    pub(crate) fn all(&self, holds: impl Fn(&InstanceKey) -> bool) -> bool {
        self.state().entries.keys().all(holds)
    }

    /// What a pass begins with.
    pub(crate) async fn newest(
        &self,
        key: &InstanceKey,
        cluster: &Cluster,
    ) -> Result<Newest, CallError> {
        let Some((text, room)) =
            self.state().entries.get(key).map(|known| (known.text.clone(), known.room))
        else {
            return Ok(Newest::Gone);
        };
        let room = if room > SMALL {
            let Ok(_seat) = self.seat.try_acquire() else { return Ok(Newest::Later) };
            // Nobody closes the semaphore.
            Arc::clone(&self.room).acquire_many_owned(room).await.ok()
        } else {
            None
        };
        let instance = match text {
            Some(text) => InstanceText { key: key.clone(), version: 0, text },
            None => match cluster.text(Place::of(self.resource, key)).await? {
                Some(instance) => instance,
                None => return Ok(Newest::Gone),
            },
        };
        let instance = instance.read();
        // Little is left of one that is too much, and its pass may take long all the same.
        let room = room.filter(|_| instance.problem.is_none());
        Ok(Newest::Here(Box::new(instance), room))
    }
}

#[cfg(test)]
mod tests;
