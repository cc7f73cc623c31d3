//! What the operator knows of the world: its cache, and what it reads besides.

use std::collections::BTreeMap;

use openclaw_render::vocab::DEPLOYMENT;
use openclaw_render::vocab::labels::MANAGED_BY_VALUE;
use openclaw_render::{
    Fact, Kind, ObjectKey, Observed, Read, backup_job_facts, backup_pod_facts, pod_facts, seen,
};
use serde::Deserialize;
use serde_json::Value;

use super::{World, kubernetes};
use crate::values::text;

impl World {
    pub(super) fn observe(&self) -> Observed {
        let managed = self.server.list(MANAGED_BY_VALUE).into_iter();
        let known = managed.filter_map(|live| Some((object_key(live)?, live)));
        let known = known.map(|(key, live)| {
            let live = self.stale.get(&key).unwrap_or(live);
            (key, live)
        });
        let mut objects = BTreeMap::new();
        let mut claims = BTreeMap::new();
        for (key, live) in known {
            if key.kind == Kind::PersistentVolumeClaim {
                let claim = kubernetes::claim_of(live).map_or(Fact::Unknown, Fact::Known);
                claims.insert(key.name.clone(), claim);
            }
            objects.insert(key, Fact::Known(seen(live, &self.instance)));
        }
        let pods = self.pods().into_iter().filter_map(|pod| Some(pod_facts(&decoded(pod)?)));
        let defaults = self.server.get("OpenClawClusterDefaults", "default", "cluster");
        Observed {
            now: Some(self.now()),
            turns: self.told.clone(),
            random_token: Some(format!("{:064x}", self.tokens)),
            random_password: Some(format!("{:072x}", self.tokens)),
            cluster_defaults: match defaults {
                _ if self.hides_defaults => Fact::Unknown,
                Some(live) => decoded(live).map_or(Fact::Unknown, Fact::Known),
                None => Fact::Absent,
            },
            kinds: self.kinds.clone(),
            objects,
            claims,
            pods: Fact::Known(pods.collect()),
            backup_jobs: Fact::Known(self.of_backups("Job", backup_job_facts)),
            backup_pods: Fact::Known(self.of_backups("Pod", backup_pod_facts)),
            asked: self.asked.clone(),
            registry: self.registry.clone(),
            packs: self.packs.clone(),
            ..Observed::default()
        }
    }

    /// Performs one read as the shell would.
    pub(super) fn read(&self, read: &Read, observed: &mut Observed) {
        if self.unreadable.contains(&format!("{read:?}")) {
            return;
        }
        let live = match read {
            Read::Metadata(key) | Read::Live(key) | Read::Content(key) => {
                self.get(key.kind.as_str(), &key.name)
            }
            Read::Deployment(name) => self.get(DEPLOYMENT, name),
            Read::Namespace => self.server.get("Namespace", "default", super::NAMESPACE),
            Read::ClusterDefaults => return,
        };
        observed.look(read, live, &self.instance);
    }
}

/// An object as its type; nothing if it does not decode.
pub(super) fn decoded<T: for<'de> Deserialize<'de>>(live: &Value) -> Option<T> {
    T::deserialize(live).ok()
}

/// The key of a kind that the operator makes.
fn object_key(live: &Value) -> Option<ObjectKey> {
    let kind = Kind::ALL.iter().find(|kind| text(live, "/kind") == kind.as_str())?;
    Some(ObjectKey::new(*kind, live.pointer("/metadata/name")?.as_str()?))
}
