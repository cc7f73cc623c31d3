//! The shared storage of backups: copies of the operator's Secret, kept beside the passes.
//!
//! Passes say which agents use it, watches what stands where; what follows is decided by
//! [`share_backups`]. A value of the Secret is read when it is copied, and dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use openclaw_render::vocab::{labels, names};
use openclaw_render::{
    Fact, Kind, ObjectKey, Settings, SharingSeen, SharingStep, share_backups, shared_backup_secret,
};
use serde_json::Value;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::cluster::Place;
use crate::context::Context;
use crate::error::{CallError, chain};
use crate::live::{self, InstanceKey};

/// Between two rounds: news often comes in numbers.
const PAUSE: Duration = Duration::from_secs(1);
/// After a round in which something was missing or failed.
const AGAIN: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Default)]
pub(crate) struct SharedStorage {
    standing: Mutex<Standing>,
    news: Notify,
}

/// A copy in a namespace.
#[derive(Clone, Debug, PartialEq)]
struct Copied {
    uid: String,
    version: u64,
    /// Its version as we wrote it, and that of the Secret that it was made of.
    made: Option<(u64, u64)>,
}

impl Copied {
    /// The version of the operator's Secret that it equals.
    fn of(&self) -> Option<u64> {
        self.made.filter(|(at, _)| *at == self.version).map(|(_, source)| source)
    }
}

#[derive(Default)]
struct Standing {
    source: Fact<u64>,
    /// Whether an instance uses the shared storage, as its last plan said.
    wanted: BTreeMap<InstanceKey, bool>,
    copies: BTreeMap<String, Copied>,
    /// Why there is no copy.
    lacks: BTreeMap<String, String>,
}

impl Standing {
    /// Whether an agent of the namespace uses it. Those of which nobody has said may.
    fn wants(&self, namespace: &str, instances: &[InstanceKey]) -> Fact<()> {
        let of = instances.iter().filter(|key| key.namespace == namespace);
        let said: BTreeSet<Option<bool>> = of.map(|key| self.wanted.get(key).copied()).collect();
        if said.contains(&Some(true)) {
            Fact::Known(())
        } else if said.contains(&None) {
            Fact::Unknown
        } else {
            Fact::Absent
        }
    }

    /// What is done, in each namespace that there is something to say of.
    fn steps(&self, instances: &[InstanceKey], settings: &Settings) -> Vec<(String, SharingStep)> {
        let wanting =
            self.wanted.iter().filter(|(_, wants)| **wants).map(|(key, _)| &key.namespace);
        let known = self.copies.keys().chain(self.lacks.keys());
        let namespaces: BTreeSet<&String> = wanting.chain(known).collect();
        let step = |namespace: &String| {
            let seen = SharingSeen {
                wanted: self.wants(namespace, instances),
                source: self.source.clone(),
                copy: self.copies.get(namespace).map_or(Fact::Absent, |it| Fact::Known(it.of())),
                is_taken: false,
            };
            (namespace.clone(), share_backups(namespace, &seen, settings))
        };
        namespaces.into_iter().map(step).collect()
    }
}

impl SharedStorage {
    /// Takes in whether an instance uses the shared storage.
    pub(crate) fn note(&self, key: &InstanceKey, wants: bool) {
        let mut standing = self.standing();
        let before = standing.wanted.insert(key.clone(), wants);
        let matters = wants || standing.copies.contains_key(&key.namespace);
        if before != Some(wants) && matters {
            self.news.notify_one();
        }
    }

    pub(crate) fn forget(&self, key: &InstanceKey) {
        if self.standing().wanted.remove(key).is_some() {
            self.news.notify_one();
        }
    }

    /// Why the shared storage is not there for an instance.
    pub(crate) fn told(&self, key: &InstanceKey) -> Option<String> {
        self.standing().lacks.get(&key.namespace).cloned()
    }

    /// Takes in the operator's Secret.
    pub(crate) fn set_source(&self, source: Fact<u64>) {
        let mut standing = self.standing();
        if standing.source != source {
            standing.source = source;
            self.news.notify_one();
        }
    }

    /// Takes in a copy that stands in a namespace, or that none does any more.
    pub(crate) fn set_copy(&self, namespace: &str, found: Option<(String, u64)>) {
        let mut standing = self.standing();
        let known = standing.copies.remove(namespace);
        let now = match (found, known.clone()) {
            // A watch tells of our own writing after we knew.
            (Some((_, version)), Some(known)) if known.version >= version => Some(known),
            (Some((uid, version)), known) => {
                Some(Copied { uid, version, made: known.and_then(|known| known.made) })
            }
            (None, _) => None,
        };
        let is_news = now != known;
        if let Some(now) = now {
            standing.copies.insert(namespace.to_owned(), now);
        }
        if is_news {
            self.news.notify_one();
        }
    }

    /// Namespaces with a copy, of all or of one of them.
    pub(crate) fn copies(&self, namespace: Option<&str>) -> BTreeSet<String> {
        let standing = self.standing();
        let all = standing.copies.keys().cloned();
        all.filter(|each| namespace.is_none_or(|namespace| namespace == each)).collect()
    }

    /// Keeps the copies. Never returns.
    pub(crate) async fn keep_all(&self, context: &Context) {
        loop {
            let is_done = self.round(context).await;
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                () = self.news.notified() => {}
                () = tokio::time::sleep(AGAIN), if !is_done => {}
            }
        }
    }

    /// Returns whether everything is as it should be.
    async fn round(&self, context: &Context) -> bool {
        let instances = context.instances.keys(None);
        let steps = self.standing().steps(&instances, &context.settings);
        let mut is_done = true;
        for (namespace, step) in steps {
            let lack = self.take(&namespace, step, context).await;
            is_done &= lack.is_none();
            self.say(&namespace, lack, &instances, context);
        }
        is_done
    }

    /// Takes a step. Returns why there is no copy, if there should be one.
    async fn take(&self, namespace: &str, step: SharingStep, context: &Context) -> Option<String> {
        let taken = match step {
            SharingStep::Rest => Ok(()),
            SharingStep::Copy => match self.copy(namespace, context).await {
                Ok(lack) => return lack,
                Err(error) => Err(error),
            },
            SharingStep::Remove => self.remove(namespace, context).await,
            SharingStep::Lack(why) => return Some(why),
        };
        let error = taken.err()?;
        warn!(namespace, error = %chain(&error), "the shared storage is not as it should be");
        Some(format!("the operator failed to share it: {error}"))
    }

    async fn copy(&self, namespace: &str, context: &Context) -> Result<Option<String>, CallError> {
        let Context { cluster, settings, .. } = context;
        let place = place(namespace);
        if !self.standing().copies.contains_key(namespace) {
            let found = cluster.get_metadata(place).await?;
            if found.is_some_and(|live| !is_copy(&live)) {
                return Ok(lack(namespace, self.standing().source.clone(), true, settings));
            }
        }
        let source = ObjectKey::new(Kind::Secret, settings.backup_secret.as_str());
        let live = cluster.get(&settings.operator_namespace, &source).await?;
        let Some((secret, version)) = live.as_ref().and_then(secret) else {
            self.set_source(Fact::Absent);
            return Ok(lack(namespace, Fact::Absent, false, settings));
        };
        let copy = shared_backup_secret(namespace, &secret);
        let call = format!("write {place}");
        let copy = serde_json::to_value(copy)
            .map_err(|source| CallError::Encode { call: call.clone(), source })?;
        let stored = cluster.apply(place, &typed(copy)).await?.value()?;
        let (Some(uid), Some(at)) = (live::text(&stored, "uid"), version_of(&stored)) else {
            return Err(CallError::Unreadable { call, why: "the answer is no object".to_owned() });
        };
        let copied = Copied { uid: uid.to_owned(), version: at, made: Some((at, version)) };
        if self.standing().copies.insert(namespace.to_owned(), copied).is_none() {
            info!(namespace, "the shared storage of backups is there for this namespace");
        }
        Ok(None)
    }

    async fn remove(&self, namespace: &str, context: &Context) -> Result<(), CallError> {
        let uid = self.standing().copies.get(namespace).map(|copy| copy.uid.clone());
        let Some(uid) = uid else { return Ok(()) };
        context.cluster.delete(place(namespace), &uid).await?;
        self.standing().copies.remove(namespace);
        info!(namespace, "the shared storage of backups is not there for this namespace any more");
        Ok(())
    }

    /// Remembers why there is no copy, and has the instances say so.
    fn say(
        &self,
        namespace: &str,
        lack: Option<String>,
        instances: &[InstanceKey],
        context: &Context,
    ) {
        let mut standing = self.standing();
        let is_news = standing.lacks.get(namespace) != lack.as_ref();
        match lack {
            Some(lack) => standing.lacks.insert(namespace.to_owned(), lack),
            None => standing.lacks.remove(namespace),
        };
        if is_news {
            let wanting = instances.iter().filter(|key| {
                key.namespace == namespace && standing.wanted.get(key) == Some(&true)
            });
            wanting.for_each(|key| context.queue.wake(key));
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(namespace: &str) -> Place<'_> {
    Place { resource: Kind::Secret.into(), namespace, name: names::SHARED_BACKUP }
}

/// What is said where there cannot be a copy.
fn lack(namespace: &str, source: Fact<u64>, is_taken: bool, settings: &Settings) -> Option<String> {
    let seen = SharingSeen { wanted: Fact::Known(()), source, copy: Fact::Absent, is_taken };
    match share_backups(namespace, &seen, settings) {
        SharingStep::Lack(why) => Some(why),
        SharingStep::Rest | SharingStep::Copy | SharingStep::Remove => None,
    }
}

/// Whether a live object is a copy of ours.
pub(crate) fn is_copy(live: &Value) -> bool {
    let labels = live.pointer("/metadata/labels").and_then(Value::as_object);
    labels.is_some_and(|labels| labels.contains_key(labels::SHARED_BACKUP))
}

fn version_of(live: &Value) -> Option<u64> {
    live::text(live, "resourceVersion").map(live::version)
}

fn secret(live: &Value) -> Option<(Secret, u64)> {
    Some((serde_json::from_value(live.clone()).ok()?, version_of(live)?))
}

/// As the API server wants it.
fn typed(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert("apiVersion".to_owned(), Kind::Secret.api_version().into());
        fields.insert("kind".to_owned(), Kind::Secret.as_str().into());
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(namespace: &str, name: &str) -> InstanceKey {
        InstanceKey { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn settings() -> Settings {
        Settings { backup_share_with: vec!["agents".to_owned()], ..Settings::default() }
    }

    fn steps(shared: &SharedStorage, instances: &[InstanceKey]) -> Vec<(String, SharingStep)> {
        shared.standing().steps(instances, &settings())
    }

    #[test]
    fn a_copy_stays_until_nobody_wants_it_for_certain() {
        let shared = SharedStorage::default();
        let (ada, bob) = (key("agents", "ada"), key("agents", "bob"));
        let both = [ada.clone(), bob.clone()];
        let of = |step: SharingStep| vec![("agents".to_owned(), step)];
        shared.set_source(Fact::Known(3));
        shared.note(&ada, true);
        assert_eq!(steps(&shared, &both), of(SharingStep::Copy));
        shared.set_copy("agents", Some(("uid".to_owned(), 5)));
        let made = Copied { uid: "uid".to_owned(), version: 6, made: Some((6, 3)) };
        shared.standing().copies.insert("agents".to_owned(), made);
        assert_eq!(steps(&shared, &both), of(SharingStep::Rest));
        shared.note(&ada, false);
        // Nobody has looked at bob yet.
        assert_eq!(steps(&shared, &both), of(SharingStep::Rest));
        shared.note(&bob, false);
        assert_eq!(steps(&shared, &both), of(SharingStep::Remove));
        shared.note(&bob, true);
        shared.set_source(Fact::Known(4));
        assert_eq!(steps(&shared, &both), of(SharingStep::Copy));
        shared.forget(&bob);
        assert_eq!(steps(&shared, &[ada]), of(SharingStep::Remove));
    }

    #[test]
    fn a_copy_that_somebody_has_changed_is_made_again() {
        let shared = SharedStorage::default();
        let ada = key("agents", "ada");
        shared.set_source(Fact::Known(3));
        shared.note(&ada, true);
        let made = Copied { uid: "uid".to_owned(), version: 6, made: Some((6, 3)) };
        shared.standing().copies.insert("agents".to_owned(), made);
        // The watch tells of our own writing, and of what was before it.
        for version in [5, 6] {
            shared.set_copy("agents", Some(("uid".to_owned(), version)));
            assert_eq!(steps(&shared, std::slice::from_ref(&ada))[0].1, SharingStep::Rest);
        }
        shared.set_copy("agents", Some(("uid".to_owned(), 7)));
        assert_eq!(steps(&shared, std::slice::from_ref(&ada))[0].1, SharingStep::Copy);
        shared.set_copy("agents", None);
        assert_eq!(steps(&shared, &[ada])[0].1, SharingStep::Copy);
    }
}
