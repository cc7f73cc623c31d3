//! The requests of agents (`OpenClawSelfConfig`), by the instance that they name. Only where each one
//! stands is kept: what it asks for is read when it is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use openclaw_render::api::SelfConfigPhase;
use openclaw_render::{Overwrites, RequestSeen, Requests as Told, bounded};
use serde::de::DeserializeOwned;

use crate::feed::Item;
use crate::live::InstanceKey;

/// Names that an instance can have are no longer.
const LONGEST_NAME: usize = 253;

/// So many requests of one instance are known. An agent can make any number, and whoever lists them has
/// them all in memory: the rest is looked at when the operator lists them anew.
const MOST: usize = 500;

/// Where a request stands.
struct Entry {
    instance: InstanceKey,
    version: u64,
    seen: RequestSeen,
}

/// What is kept of an agent that makes requests.
#[derive(Default)]
struct Agent {
    /// `None` until its conditions were looked at.
    overwrites: Option<Overwrites>,
    /// What there is to say of its requests.
    told: Told,
}

#[derive(Default)]
struct State {
    /// By namespace and name.
    requests: BTreeMap<(String, String), Entry>,
    /// Which requests name an instance, in the order in which they were made.
    order: BTreeMap<InstanceKey, BTreeSet<(Option<Timestamp>, String)>>,
    agents: BTreeMap<InstanceKey, Agent>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Requests {
    state: Mutex<State>,
}

impl State {
    fn take(&mut self, place: &(String, String)) -> Option<Entry> {
        let entry = self.requests.remove(place)?;
        if let Some(order) = self.order.get_mut(&entry.instance) {
            order.remove(&(entry.seen.created, entry.seen.name.clone()));
            if order.is_empty() {
                self.order.remove(&entry.instance);
            }
        }
        Some(entry)
    }

    fn put(&mut self, place: (String, String), entry: Entry) {
        let order = self.order.entry(entry.instance.clone()).or_default();
        order.insert((entry.seen.created, entry.seen.name.clone()));
        self.requests.insert(place, entry);
    }
}

impl Requests {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A watch saw a request, or one was written. Returns the instance that it names, if it is news.
    pub(crate) fn put(&self, item: &Item) -> Option<InstanceKey> {
        let spec = bounded::field(&item.text, "spec")?;
        let name: String = text(spec, "instanceRef")?;
        if name.len() > LONGEST_NAME {
            return None;
        }
        let metadata = bounded::field(&item.text, "metadata")?;
        let status = bounded::field(&item.text, "status").unwrap_or("{}");
        let phase: Option<SelfConfigPhase> = text(status, "phase");
        let seen = RequestSeen {
            name: item.name.clone(),
            created: text(metadata, "creationTimestamp"),
            phase,
            completed: text(status, "completionTime"),
        };
        let instance = InstanceKey { namespace: item.namespace.clone(), name };
        let place = (item.namespace.clone(), item.name.clone());
        let mut state = self.state();
        let known = state.requests.get(&place);
        if known.is_some_and(|known| known.version >= item.version) {
            return None;
        }
        let are_many = state.order.get(&instance).is_some_and(|order| order.len() >= MOST);
        if known.is_none() && are_many {
            return None;
        }
        let is_news = known.is_none_or(|known| known.seen != seen || known.instance != instance);
        state.take(&place);
        state.put(place, Entry { instance: instance.clone(), version: item.version, seen });
        is_news.then_some(instance)
    }

    /// A request is gone. Returns the instance that it named, and whether no other one does.
    pub(crate) fn remove(&self, place: &(String, String)) -> Option<(InstanceKey, bool)> {
        let mut state = self.state();
        let entry = state.take(place)?;
        let last = !state.order.contains_key(&entry.instance);
        Some((entry.instance, last))
    }

    /// The requests of a namespace, or all.
    pub(crate) fn places(&self, namespace: Option<&str>) -> Vec<(String, String)> {
        let state = self.state();
        let places = state.requests.keys();
        places.filter(|(place, _)| namespace.is_none_or(|it| it == place)).cloned().collect()
    }

    /// The requests that name an instance, the oldest first.
    pub(crate) fn of(&self, key: &InstanceKey) -> Vec<RequestSeen> {
        let state = self.state();
        let order = state.order.get(key).into_iter().flatten();
        let entries = order
            .filter_map(|(_, name)| state.requests.get(&(key.namespace.clone(), name.clone())));
        entries.map(|entry| entry.seen.clone()).collect()
    }

    /// What there is to say of the requests of an agent.
    pub(crate) fn told(&self, key: &InstanceKey) -> Told {
        self.state().agents.get(key).map(|agent| agent.told.clone()).unwrap_or_default()
    }

    /// What is to be said from now on.
    pub(crate) fn tell(&self, key: &InstanceKey, told: Told) {
        self.state().agents.entry(key.clone()).or_default().told = told;
    }

    /// What others have overwritten; after a restart as the conditions tell.
    pub(crate) fn overwrites<T>(
        &self,
        key: &InstanceKey,
        told: impl FnOnce() -> Overwrites,
        ask: impl FnOnce(&mut Overwrites) -> T,
    ) -> T {
        let mut state = self.state();
        let agent = state.agents.entry(key.clone()).or_default();
        ask(agent.overwrites.get_or_insert_with(told))
    }

    /// The instance is gone; its requests go when their own watch says so.
    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.state().agents.remove(key);
    }
}

/// A field that is a text, decoded.
fn text<T: DeserializeOwned>(part: &str, name: &str) -> Option<T> {
    serde_json::from_str(bounded::field(part, name)?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(name: &str, instance: &str, made: &str, version: u64, phase: Option<&str>) -> Item {
        let object = json!({
            "metadata": {
                "name": name, "namespace": "sea", "resourceVersion": version.to_string(),
                "creationTimestamp": made,
            },
            "spec": {"instanceRef": instance},
            "status": {"phase": phase},
        });
        Item::new(&object.to_string(), None).expect("an object")
    }

    #[test]
    fn requests_of_an_instance_come_in_the_order_in_which_they_were_made() {
        let requests = Requests::default();
        let ada = InstanceKey { namespace: "sea".to_owned(), name: "ada".to_owned() };
        let (early, late) = ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
        assert_eq!(requests.put(&item("b", "ada", late, 2, None)), Some(ada.clone()));
        assert_eq!(requests.put(&item("c", "ada", early, 3, None)), Some(ada.clone()));
        assert!(requests.put(&item("d", "bob", early, 4, None)).is_some());
        let names = || requests.of(&ada).into_iter().map(|it| it.name).collect::<Vec<_>>();
        assert_eq!(names(), ["c", "b"]);
        assert_eq!(requests.put(&item("c", "ada", early, 5, None)), None, "no news");
        assert!(requests.put(&item("c", "ada", early, 6, Some("Applied"))).is_some());
        assert_eq!(requests.put(&item("c", "ada", early, 5, None)), None, "older");
        assert_eq!(requests.of(&ada)[0].phase, Some(SelfConfigPhase::Applied));
        let place = |name: &str| ("sea".to_owned(), name.to_owned());
        assert_eq!(requests.remove(&place("c")), Some((ada.clone(), false)));
        assert_eq!(requests.remove(&place("b")), Some((ada.clone(), true)));
        assert_eq!(requests.remove(&place("b")), None);
        assert_eq!(requests.places(None), [place("d")]);
        assert!(requests.put(&item("e", &"x".repeat(300), early, 9, None)).is_none());
        assert!(requests.state().order.len() == 1 && requests.of(&ada).is_empty());
    }
}
