//! The instances of the cluster, as texts that are decoded when a pass begins.
//!
//! What watches and our own patches saw goes in; a pass gets the newest. Texts that are large, or
//! too many, are not kept: a pass reads them anew. Passes that need much memory go one after
//! another, and never keep the others from their turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openclaw_render::vocab::PREVIOUS_MANAGERS;
use openclaw_render::{Problem, bounded};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cache::InstanceKey;
use crate::cluster::Cluster;
use crate::error::CallError;
use crate::feed::Item;

/// Bytes of a text that is kept. Usual are ten thousand.
const KEPT: usize = 32 << 10;
/// Bytes of all texts that are kept: those of some thousand usual instances.
const KEPT_TOGETHER: usize = 16 << 20;
/// KiB that a pass may need for its instance without asking.
const SMALL: u32 = 3 << 10;
/// KiB that all passes together may need that must ask, and the most that one of them counts for.
const ROOM: u32 = 16 << 10;
/// What a byte of text and a value take in a pass: it is there as text, as what was decoded, as
/// what is rendered, and as what is sent.
const ROOM_PER_BYTE: usize = 8;
const ROOM_PER_VALUE: usize = 1500;

/// An instance as the API server wrote it, less what nobody asks for.
pub(crate) struct InstanceText {
    pub(crate) key: InstanceKey,
    version: u64,
    text: Arc<str>,
}

/// An instance as a pass sees it.
pub(crate) struct Instance {
    /// All of it, or what can be used if there is a problem.
    pub(crate) live: Value,
    /// Why it is not all of it.
    pub(crate) problem: Option<Problem>,
}

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
    state: Mutex<State>,
    room: Arc<Semaphore>,
    /// Whoever waits for room holds a worker: one at a time does.
    seat: Semaphore,
}

impl Default for Instances {
    fn default() -> Self {
        let permits = usize::try_from(ROOM).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            state: Mutex::default(),
            room: Arc::new(Semaphore::new(permits)),
            seat: Semaphore::new(1),
        }
    }
}

impl InstanceText {
    pub(crate) fn new(text: &str) -> Option<Self> {
        Item::new(text, None).map(|item| Self::from(&item))
    }

    /// Within limits, whatever is in it.
    pub(crate) fn read(&self) -> Instance {
        match bounded::parse(&self.text) {
            Ok(live) => Instance { live, problem: None },
            Err(problem) => Instance { live: bounded::remains(&self.text), problem: Some(problem) },
        }
    }

    /// Whether the instance is new or its spec has changed, as far as its status tells: it goes
    /// before those that are only looked at.
    pub(crate) fn is_changed(&self) -> bool {
        let field = |outer, inner| {
            let part = bounded::field(&self.text, outer)?;
            bounded::field(part, inner)
        };
        let generation = field("metadata", "generation");
        field("metadata", "deletionTimestamp").is_some()
            || field("status", "observedGeneration") != generation
    }

    /// KiB.
    fn room(&self) -> u32 {
        let marks = self.text.bytes().filter(|byte| matches!(byte, b',' | b'{' | b'[')).count();
        let values = marks.min(bounded::MAX_VALUES);
        let bytes = self.text.len() * ROOM_PER_BYTE + values * ROOM_PER_VALUE;
        u32::try_from(bytes >> 10).unwrap_or(u32::MAX).min(ROOM)
    }
}

impl From<&Item> for InstanceText {
    fn from(item: &Item) -> Self {
        let key = InstanceKey { namespace: item.namespace.clone(), name: item.name.clone() };
        Self { key, version: item.version, text: lean(&item.text).into() }
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
            None => match cluster.instance(&key.namespace, &key.name).await? {
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

/// Keeps only the `managedFields` entries of the Go operator: nothing else of them is read, and they
/// are large.
fn lean(text: &str) -> String {
    let Some(fields) = bounded::fields(text) else { return text.to_owned() };
    let metadata = |part| {
        let fields = bounded::fields(part).unwrap_or_default();
        object(fields.into_iter().map(|(name, part)| {
            let part = if name == "managedFields" { of_previous(part) } else { part.to_owned() };
            (name, part)
        }))
    };
    object(fields.into_iter().map(|(name, part)| {
        let part = if name == "metadata" { metadata(part) } else { part.to_owned() };
        (name, part)
    }))
}

fn of_previous(managed_fields: &str) -> String {
    #[derive(Deserialize)]
    struct Owner {
        #[serde(default)]
        manager: String,
    }
    let kept: Vec<&str> = bounded::items(managed_fields)
        .unwrap_or_default()
        .into_iter()
        .filter(|entry| {
            serde_json::from_str::<Owner>(entry)
                .is_ok_and(|owner| PREVIOUS_MANAGERS.contains(&owner.manager.as_str()))
        })
        .collect();
    format!("[{}]", kept.join(","))
}

fn object(fields: impl Iterator<Item = (String, String)>) -> String {
    let fields: Vec<String> =
        fields.map(|(name, part)| format!("{}:{part}", Value::String(name))).collect();
    format!("{{{}}}", fields.join(","))
}

#[cfg(test)]
mod tests;
