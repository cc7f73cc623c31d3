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

/// Without the parts of `managedFields` that nobody asks for: those of all but previous operators.
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
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use kube::Client;
    use kube::client::Body;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::answer::Reader;

    fn key(name: &str) -> InstanceKey {
        InstanceKey { namespace: "sea".to_owned(), name: name.to_owned() }
    }

    fn text(name: &str, version: u64, note: &str) -> InstanceText {
        let object = json!({
            "metadata": {"name": name, "namespace": "sea", "resourceVersion": version.to_string()},
            "spec": {"registry": note},
        });
        InstanceText::new(&object.to_string()).expect("an instance")
    }

    /// A server that has one instance.
    fn cluster(instance: Option<&InstanceText>) -> Cluster {
        let answer = instance.map(|instance| instance.text.to_string());
        let service = tower::service_fn(move |_: Request<Body>| {
            let answer = answer.clone();
            async move {
                let missing = json!({"code": 404, "reason": "NotFound", "status": "Failure"});
                let code = if answer.is_some() { 200 } else { 404 };
                let body = Body::from(answer.unwrap_or(missing.to_string()).into_bytes());
                Ok::<_, Infallible>(Response::builder().status(code).body(body).expect("an answer"))
            }
        });
        Cluster::new(Reader::new(Client::new(service, "default")))
    }

    /// What the newest says.
    async fn note(instances: &Instances, name: &str, cluster: &Cluster) -> Option<String> {
        match instances.newest(&key(name), cluster).await.expect("an answer") {
            Newest::Here(instance, _) => {
                instance.live["spec"]["registry"].as_str().map(str::to_owned)
            }
            Newest::Later | Newest::Gone => None,
        }
    }

    #[test]
    fn an_instance_is_changed_until_its_status_is_of_its_generation() {
        let changed = |metadata: Value, status: Value| {
            let mut object = json!({"metadata": metadata, "status": status});
            object["metadata"]["name"] = json!("ada");
            object["metadata"]["namespace"] = json!("sea");
            object["metadata"]["resourceVersion"] = json!("1");
            InstanceText::new(&object.to_string()).expect("an instance").is_changed()
        };
        assert!(changed(json!({"generation": 1}), json!({})));
        assert!(changed(json!({"generation": 2}), json!({"observedGeneration": 1})));
        assert!(!changed(json!({"generation": 2}), json!({"observedGeneration": 2})));
        let deleted = json!({"generation": 2, "deletionTimestamp": "2026-01-02T03:04:05Z"});
        assert!(changed(deleted, json!({"observedGeneration": 2})));
    }

    #[tokio::test]
    async fn a_pass_gets_the_newest_of_what_was_seen_and_written() {
        let (instances, nobody) = (Instances::default(), cluster(None));
        assert_eq!(note(&instances, "ada", &nobody).await, None);
        assert!(instances.watched(text("ada", 5, "seen")));
        assert!(!instances.watched(text("ada", 5, "seen")), "no news");
        instances.written(text("ada", 7, "ours"));
        // The watch is behind, then it tells of our own writing.
        assert!(!instances.watched(text("ada", 6, "older")));
        assert_eq!(note(&instances, "ada", &nobody).await.as_deref(), Some("ours"));
        assert!(!instances.watched(text("ada", 7, "ours")));
        assert!(instances.watched(text("ada", 8, "changed")));
        // An answer that comes late.
        instances.written(text("ada", 7, "ours"));
        assert_eq!(note(&instances, "ada", &nobody).await.as_deref(), Some("changed"));
        // A cluster that was restored from a backup counts anew.
        assert!(instances.watched(text("ada", 3, "restored")));
        assert_eq!(note(&instances, "ada", &nobody).await.as_deref(), Some("restored"));
        instances.forget(&key("ada"));
        instances.written(text("ada", 9, "ours"));
        assert_eq!(note(&instances, "ada", &nobody).await, None);
        assert_eq!(instances.keys(None), []);
    }

    #[tokio::test]
    async fn a_large_instance_is_read_by_the_pass_that_needs_it() {
        let instances = Instances::default();
        let large = |version| text("ada", version, &"x".repeat(KEPT));
        assert!(instances.watched(large(5)));
        let now = large(6);
        assert_eq!(note(&instances, "ada", &cluster(Some(&now))).await.expect("it").len(), KEPT);
        assert_eq!(note(&instances, "ada", &cluster(None)).await, None);
    }

    #[tokio::test]
    async fn large_instances_wait_for_each_other_and_small_ones_for_none() {
        let instances = Instances::default();
        let large = text("large", 1, &"x".repeat(4 << 20));
        let server = cluster(Some(&large));
        instances.watched(large);
        instances.watched(text("small", 1, "x"));
        let large = key("large");
        let first = instances.newest(&large, &server).await.expect("an answer");
        assert!(matches!(first, Newest::Here(..)));
        let mut second = std::pin::pin!(instances.newest(&large, &server));
        assert!(futures::poll!(&mut second).is_pending());
        let third = instances.newest(&large, &server).await.expect("an answer");
        assert!(matches!(third, Newest::Later));
        assert!(note(&instances, "small", &server).await.is_some());
        drop(first);
        assert!(matches!(second.await.expect("an answer"), Newest::Here(..)));
        assert!(note(&instances, "large", &server).await.is_some());
    }

    #[test]
    fn an_instance_that_is_too_deep_is_a_problem_and_keeps_what_its_deletion_needs() {
        let deep = format!("{}1{}", "[".repeat(9000), "]".repeat(9000));
        let text = format!(
            r#"{{"apiVersion":"v1","metadata":{{"name":"ada","namespace":"sea","uid":"u",
                "resourceVersion":"1","finalizers":["f"],"deletionTimestamp":"t",
                "managedFields":[{{"manager":"kubectl","fieldsV1":{deep}}}]}},
              "spec":{{"config":{{"raw":{deep}}},"suspended":true,
                "storage":{{"persistence":{{"orphan":false}}}}}},
              "status":{{"phase":"Running"}}}}"#
        );
        let Instance { live, problem } = InstanceText::new(&text).expect("an instance").read();
        let problem = problem.expect("a problem");
        assert_eq!(problem.path, "spec.config.raw");
        assert_eq!(live["metadata"]["finalizers"], json!(["f"]));
        assert_eq!(live["metadata"]["deletionTimestamp"], "t");
        assert_eq!(live["spec"]["suspended"], true);
        assert_eq!(live["spec"]["storage"]["persistence"]["orphan"], false);
        assert_eq!(live["status"]["phase"], "Running");
    }

    #[test]
    fn of_managed_fields_only_those_of_previous_operators_are_kept() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let previous = PREVIOUS_MANAGERS.first().expect("one");
        let text = format!(
            r#"{{"metadata":{{"name":"a","resourceVersion":"1","managedFields":[
                {{"manager":"kubectl","fieldsV1":{deep}}},
                {{"manager":"{previous}","fieldsV1":{{"f:spec":{{}}}}}},{{"fieldsV1":{deep}}}]}}}}"#
        );
        let Instance { live, problem } = InstanceText::new(&text).expect("an instance").read();
        assert_eq!(problem, None);
        let expected = json!([{"manager": previous, "fieldsV1": {"f:spec": {}}}]);
        assert_eq!(live["metadata"]["managedFields"], expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_kept_is_bounded_and_counted_right(
            steps in prop::collection::vec((0..1200_u32, 20..40_usize, 0..4_u8), 1000..1500),
        ) {
            let instances = Instances::default();
            for (version, (name, kilobytes, chance)) in steps.into_iter().enumerate() {
                let name = format!("agent-{name}");
                if chance > 0 {
                    let version = u64::try_from(version).expect("few");
                    instances.watched(text(&name, version, &"x".repeat(kilobytes << 10)));
                } else {
                    instances.forget(&key(&name));
                }
            }
            let state = instances.state();
            let kept: usize =
                state.entries.values().filter_map(|entry| entry.text.as_ref()).map(|text| text.len()).sum();
            prop_assert_eq!(state.kept, kept);
            prop_assert!(kept <= KEPT_TOGETHER);
        }
    }
}
