//! What the watches and our own writes saw: facts, never whole objects.
//!
//! Writes go in as well as watches, so that a pass that follows a write does not act on what the
//! cluster looked like before it. The higher resource version wins (of one resource they may be
//! compared, see the Kubernetes API concepts).

mod pods;
mod references;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use openclaw_render::api::OpenClawClusterDefaults;
use openclaw_render::{
    BackupJob, BackupPod, Claim, Fact, Kind, ObjectKey, Observed, Pod, Seen, claim_facts,
    instance_of, secret_hashes, seen,
};
use serde_json::Value;

pub(crate) use pods::Of;
use pods::Pods;
pub(crate) use references::{Asked, Content, Reference, add as add_content};

use crate::cluster;
use crate::live::{InstanceKey, text, version};

/// Owners of a claim, and keys of a Secret, that are kept. What has more is read when it is asked
/// for: of no object much is kept, whatever is in it.
const MOST_KEPT: usize = 16;
/// For how long the answer to a write may still come: longer than any call takes.
const LATE: Duration = cluster::DEADLINE.saturating_mul(3);

/// An object that could be an instance's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) seen: Seen,
    pub(crate) detail: Detail,
}

/// What plans ask of some kinds besides what they ask of all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Detail {
    None,
    Claim(Claim),
    Secret(BTreeMap<String, String>),
}

impl Entry {
    /// Facts of a live object for the instance of that name.
    pub(crate) fn new(kind: Kind, live: &Value, instance: &str) -> Self {
        let detail = match kind {
            Kind::PersistentVolumeClaim => {
                decoded(live).as_ref().map(claim_facts).map(Detail::Claim)
            }
            Kind::Secret => decoded(live).as_ref().map(secret_hashes).map(Detail::Secret),
            Kind::ServiceAccount
            | Kind::Role
            | Kind::RoleBinding
            | Kind::NetworkPolicy
            | Kind::ConfigMap
            | Kind::PodDisruptionBudget
            | Kind::Service
            | Kind::Middleware
            | Kind::Ingress
            | Kind::HTTPRoute
            | Kind::HorizontalPodAutoscaler
            | Kind::ServiceMonitor
            | Kind::PrometheusRule
            | Kind::Job
            | Kind::CronJob
            | Kind::StatefulSet => None,
        };
        Self { seen: seen(live, instance), detail: detail.unwrap_or(Detail::None) }
    }

    /// As it is kept from one pass to the next.
    fn kept(mut self) -> Self {
        let count = match &self.detail {
            Detail::None => 0,
            Detail::Claim(claim) => claim.owner_references.len(),
            Detail::Secret(hashes) => hashes.len(),
        };
        if count > MOST_KEPT {
            self.detail = Detail::None;
        }
        self
    }

    fn version(&self) -> u64 {
        version(&self.seen.resource_version)
    }

    /// Whether a plan could tell the two apart.
    fn says_the_same(&self, other: &Self) -> bool {
        let unversioned = |entry: &Self| {
            let mut entry = entry.clone();
            entry.seen.resource_version.clear();
            if let Detail::Claim(claim) = &mut entry.detail {
                claim.resource_version.clear();
            }
            entry
        };
        unversioned(self) == unversioned(other)
    }
}

fn decoded<T: serde::de::DeserializeOwned>(live: &Value) -> Option<T> {
    serde_json::from_value(live.clone()).ok()
}

#[derive(Default)]
struct State {
    objects: BTreeMap<InstanceKey, BTreeMap<ObjectKey, Entry>>,
    /// Whose an object is said to be: an event of a deletion may not say it any more.
    holders: BTreeMap<(String, ObjectKey), InstanceKey>,
    pods: Pods<Pod>,
    backup_pods: Pods<BackupPod>,
    backup_jobs: Pods<BackupJob>,
    cluster_defaults: Fact<OpenClawClusterDefaults>,
    /// Kinds that a cluster may lack, by the namespace that is watched, if it is not all of them.
    kinds: BTreeMap<(Kind, Option<String>), Fact<()>>,
    /// Objects that went, at which version, and when that was: the answer to an older write may
    /// come late, and must not bring them back.
    gone: BTreeMap<(String, ObjectKey), (u64, Instant)>,
    unsettled: BTreeMap<InstanceKey, BTreeMap<ObjectKey, (String, String)>>,
    references: references::References,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Cache {
    state: Mutex<State>,
}

impl Cache {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that is known of an instance's surroundings.
    pub(crate) fn observed(&self, key: &InstanceKey) -> Observed {
        let state = self.state();
        let mut observed = Observed {
            cluster_defaults: state.cluster_defaults.clone(),
            unsettled: state.unsettled.get(key).cloned().unwrap_or_default(),
            ..Observed::default()
        };
        for ((kind, scope), fact) in &state.kinds {
            if scope.as_ref().is_none_or(|namespace| *namespace == key.namespace) {
                observed.kinds.insert(*kind, fact.clone());
            }
        }
        for (object, entry) in state.objects.get(key).into_iter().flatten() {
            add(&mut observed, object, Fact::Known(entry.clone()));
        }
        observed.pods = Fact::Known(state.pods.of(key));
        observed.backup_pods = Fact::Known(state.backup_pods.of(key));
        observed.backup_jobs = Fact::Known(state.backup_jobs.of(key));
        state.references.fill(key, &mut observed);
        observed
    }

    /// Takes in a live object. The instance that should look at it, if it is news.
    pub(crate) fn put(&self, kind: Kind, live: &Value) -> Option<InstanceKey> {
        let (instance, object) = identity(kind, live)?;
        let entry = Entry::new(kind, live, &instance.name).kept();
        let mut state = self.state();
        let holder = (instance.namespace.clone(), object.clone());
        if state.gone.get(&holder).is_some_and(|(at, _)| *at >= entry.version()) {
            return None;
        }
        state.gone.remove(&holder);
        if let Some(before) =
            state.holders.insert(holder, instance.clone()).filter(|it| *it != instance)
            && let Some(objects) = state.objects.get_mut(&before)
        {
            objects.remove(&object);
        }
        let objects = state.objects.entry(instance.clone()).or_default();
        match objects.get(&object) {
            Some(known) if known.version() > entry.version() => None,
            Some(known) if known.says_the_same(&entry) => {
                objects.insert(object, entry);
                None
            }
            Some(_) | None => {
                objects.insert(object, entry);
                Some(instance)
            }
        }
    }

    /// Whether an object is known just as it was at a version, as when a watch tells of our own writing.
    pub(crate) fn knows(&self, namespace: &str, object: &ObjectKey, at: u64) -> bool {
        let state = self.state();
        let holder = state.holders.get(&(namespace.to_owned(), object.clone()));
        let objects = holder.and_then(|instance| state.objects.get(instance));
        objects.and_then(|objects| objects.get(object)).is_some_and(|known| known.version() == at)
    }

    /// Takes out an object that is gone. The instance that should look at it.
    pub(crate) fn remove(
        &self,
        namespace: &str,
        object: &ObjectKey,
        at: u64,
    ) -> Option<InstanceKey> {
        let mut state = self.state();
        let holder = (namespace.to_owned(), object.clone());
        state.gone.retain(|_, (_, since)| since.elapsed() < LATE);
        state.gone.insert(holder.clone(), (at, Instant::now()));
        let instance = state.holders.get(&holder)?.clone();
        let objects = state.objects.get_mut(&instance)?;
        if objects.get(object).is_some_and(|known| known.version() > at) {
            return None;
        }
        objects.remove(object);
        if objects.is_empty() {
            state.objects.remove(&instance);
        }
        state.holders.remove(&holder);
        Some(instance)
    }

    /// Forgets an object as it was at a version: a list says that the cluster has gone back behind it,
    /// as after the restore of a backup of etcd. What was written meanwhile stays.
    pub(crate) fn set_back(&self, namespace: &str, object: &ObjectKey, at: u64) {
        let mut state = self.state();
        let instance = state.holders.get(&(namespace.to_owned(), object.clone())).cloned();
        if let Some(objects) = instance.and_then(|instance| state.objects.get_mut(&instance)) {
            objects.retain(|key, known| key != object || known.version() != at);
        }
    }

    /// Returns every known object of a kind by namespace and name, with its version. An object that
    /// was known before a list and is missing from it was deleted, unless it was written meanwhile.
    pub(crate) fn versions(
        &self,
        kind: Kind,
        namespace: Option<&str>,
    ) -> BTreeMap<(String, String), u64> {
        let state = self.state();
        let held = state.holders.iter().filter(|((place, object), _)| {
            object.kind == kind && namespace.is_none_or(|namespace| namespace == place)
        });
        held.filter_map(|((place, object), instance)| {
            let entry = state.objects.get(instance)?.get(object)?;
            Some(((place.clone(), object.name.clone()), entry.version()))
        })
        .collect()
    }

    /// Takes in the ClusterDefaults. Whether they are news.
    pub(crate) fn set_cluster_defaults(&self, fact: Fact<OpenClawClusterDefaults>) -> bool {
        let mut state = self.state();
        let news = state.cluster_defaults != fact;
        state.cluster_defaults = fact;
        news
    }

    /// Takes in whether the cluster has a kind, as seen in a namespace or in all of them. Whether it
    /// is news.
    pub(crate) fn set_kind(&self, kind: Kind, namespace: Option<&str>, fact: Fact<()>) -> bool {
        let scope = (kind, namespace.map(str::to_owned));
        let mut state = self.state();
        let known = state.kinds.entry(scope).or_default();
        let is_news = *known != fact;
        *known = fact;
        is_news
    }

    /// Remembers that an apply did not make an object equal to what was sent, as hashes of the
    /// two; or that it did.
    pub(crate) fn remember_mismatch(
        &self,
        key: &InstanceKey,
        object: &ObjectKey,
        pair: Option<(String, String)>,
    ) {
        let mut state = self.state();
        match pair {
            Some(pair) => {
                state.unsettled.entry(key.clone()).or_default().insert(object.clone(), pair);
            }
            None => {
                if let Some(pairs) = state.unsettled.get_mut(key) {
                    pairs.remove(object);
                    if pairs.is_empty() {
                        state.unsettled.remove(key);
                    }
                }
            }
        }
    }

    /// Forgets an instance that is gone; what it owns goes when its own watch says so.
    pub(crate) fn forget(&self, key: &InstanceKey) {
        let mut state = self.state();
        state.unsettled.remove(key);
        state.references.forget(key);
    }

    /// Number of objects and pods that are known.
    pub(crate) fn size(&self) -> usize {
        let state = self.state();
        let objects: usize = state.objects.values().map(BTreeMap::len).sum();
        objects + state.pods.len() + state.backup_pods.len() + state.backup_jobs.len()
    }

    /// What is known of the content of a Secret or ConfigMap that the instance refers to is about
    /// to be read. The answer goes to [`Self::store_content`].
    pub(crate) fn expect_content(&self, key: &InstanceKey, reference: &Reference) -> Asked {
        self.state().references.expect_content(key, reference)
    }

    /// Content that was read; it is kept if nothing changed since it was asked for.
    pub(crate) fn store_content(
        &self,
        reference: &Reference,
        asked: Asked,
        content: Fact<Content>,
        at: u64,
    ) {
        self.state().references.store_content(reference, asked, content, at);
    }

    /// Everything that was asked for in a pass; what is not among it is no longer referred to.
    pub(crate) fn set_references(&self, key: &InstanceKey, references: &BTreeSet<Reference>) {
        self.state().references.set(key, references);
    }

    /// A watch saw a Secret or ConfigMap. The instances that should look at it.
    pub(crate) fn invalidate(&self, reference: &Reference, at: Option<u64>) -> Vec<InstanceKey> {
        self.state().references.invalidate(reference, at)
    }

    /// A complete list did not name these.
    pub(crate) fn invalidate_unlisted(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        listed: &BTreeSet<(String, String)>,
    ) -> Vec<InstanceKey> {
        self.state().references.invalidate_unlisted(kind, namespace, listed)
    }
}

/// Puts what is known of an object where plans look for it.
pub(crate) fn add(observed: &mut Observed, object: &ObjectKey, fact: Fact<Entry>) {
    let name = object.name.clone();
    match (object.kind, &fact) {
        (Kind::PersistentVolumeClaim, Fact::Known(Entry { detail: Detail::Claim(claim), .. })) => {
            observed.claims.insert(name, Fact::Known(claim.clone()));
        }
        (Kind::PersistentVolumeClaim, Fact::Absent) => {
            observed.claims.insert(name, Fact::Absent);
        }
        (Kind::Secret, Fact::Known(Entry { detail: Detail::Secret(hashes), .. })) => {
            observed.secrets.insert(name, Fact::Known(hashes.clone()));
        }
        (Kind::Secret, Fact::Absent) => {
            observed.secrets.insert(name, Fact::Absent);
        }
        _ => {}
    }
    let seen = match fact {
        Fact::Known(entry) => Fact::Known(entry.seen),
        Fact::Absent => Fact::Absent,
        Fact::Unknown => return,
    };
    observed.objects.insert(object.clone(), seen);
}

/// The instance of that name in the object's namespace.
fn in_namespace_of(live: &Value, instance: &str) -> Option<InstanceKey> {
    let namespace = text(live, "namespace")?.to_owned();
    Some(InstanceKey { namespace, name: instance.to_owned() })
}

fn identity(kind: Kind, live: &Value) -> Option<(InstanceKey, ObjectKey)> {
    let instance = in_namespace_of(live, instance_of(live)?)?;
    Some((instance, ObjectKey::new(kind, text(live, "name")?)))
}
