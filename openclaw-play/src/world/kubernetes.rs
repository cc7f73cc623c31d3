//! What Kubernetes does by itself: volumes, pods, garbage.

use openclaw_render::vocab::DEPLOYMENT;
use openclaw_render::vocab::labels::{BACKUP_NAME_VALUE, MANAGED_BY_VALUE};
use openclaw_render::{Claim, Kind, claim_facts, hash};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::observe::decoded;
use super::{KUBERNETES, NAMESPACE, POD_IP, Trouble, World};
use crate::api_server::{Key, Refusal, key_of};
use crate::values::{at, set, text};

/// Where an object says what it is.
const NAME_LABEL: &str = "/metadata/labels/app.kubernetes.io~1name";

impl World {
    /// One round of everything in Kubernetes that answers, and of config-sync. Returns whether that
    /// says something new, which wakes the operator.
    pub fn tick(&mut self) -> bool {
        self.bind_claims();
        self.end_deployment();
        self.run_stateful_sets();
        self.run_jobs();
        self.collect_garbage();
        let Some(answer) = self.answer() else { return false };
        let before = self.asked.as_mut().map(|asked| asked.answer.replace(answer.clone()));
        before.flatten() != Some(answer)
    }

    fn all(&self, kind: Kind) -> Vec<Value> {
        let managed = self.server.list(MANAGED_BY_VALUE).into_iter();
        managed.filter(|live| at(live, "/kind") == kind.as_str()).cloned().collect()
    }

    pub(super) fn pods(&self) -> Vec<&Value> {
        let managed = self.server.list(MANAGED_BY_VALUE).into_iter();
        managed
            .filter(|live| {
                at(live, "/kind") == "Pod" && text(live, NAME_LABEL) != BACKUP_NAME_VALUE
            })
            .collect()
    }

    /// What matters of Jobs that make and restore backups, or of their pods.
    pub(super) fn of_backups<L: DeserializeOwned, T>(
        &self,
        kind: &str,
        facts: fn(&L) -> T,
    ) -> Vec<T> {
        let live = self.server.list(MANAGED_BY_VALUE).into_iter();
        live.filter(|live| at(live, "/kind") == kind && text(live, NAME_LABEL) == BACKUP_NAME_VALUE)
            .filter_map(|live| Some(facts(&decoded(live)?)))
            .collect()
    }

    fn bind_claims(&mut self) {
        for claim in self.all(Kind::PersistentVolumeClaim) {
            self.set_status(&claim, &json!({"phase": "Bound"}));
        }
    }

    fn set_status(&mut self, object: &Value, status: &Value) {
        if object.get("status") != Some(status) {
            let patch = json!([{"op": "add", "path": "/status", "value": status}]);
            let key = key_of(object);
            let written = self.server.json_patch(&key, &patch, KUBERNETES);
            self.expect_taken("write the status of", &key, written);
        }
    }

    /// One pod per StatefulSet, replaced when the template changes, ready one round later if all
    /// that it mounts and reads is there.
    fn run_stateful_sets(&mut self) {
        for set in self.all(Kind::StatefulSet) {
            let revision = hash(at(&set, "/spec/template"));
            let name = format!("{}-0", text(&set, "/metadata/name"));
            let wanted = at(&set, "/spec/replicas") != 0;
            match self.get("Pod", &name).cloned() {
                Some(pod) => {
                    let current = text(&pod, "/metadata/labels/controller-revision-hash");
                    if wanted && current == revision {
                        let status = self.pod_status(at(&set, "/spec/template"), &pod);
                        self.set_status(&pod, &status);
                    } else {
                        self.replaced += usize::from(wanted);
                        self.remove(&pod);
                    }
                }
                None if wanted => self.start_pod(&set, &name, &revision),
                None => {}
            }
            let running = i32::from(self.get("Pod", &name).is_some());
            let status = json!({
                "observedGeneration": at(&set, "/metadata/generation"), "replicas": running,
                "updateRevision": revision,
            });
            self.set_status(&set, &status);
        }
    }

    fn start_pod(&mut self, stateful_set: &Value, name: &str, revision: &str) {
        let template = at(stateful_set, "/spec/template");
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": at(template, "/metadata"),
            "spec": at(template, "/spec"),
        });
        set(&mut pod, &["metadata", "name"], json!(name));
        set(&mut pod, &["metadata", "namespace"], json!(NAMESPACE));
        set(&mut pod, &["metadata", "labels", "controller-revision-hash"], json!(revision));
        self.make_claims(stateful_set, &mut pod);
        self.create(&pod);
    }

    /// What the kubelet says of a pod.
    fn pod_status(&self, template: &Value, pod: &Value) -> Value {
        let image = text(template, "/spec/containers/0/image");
        let tag = image.rsplit(':').next().unwrap_or_default();
        let is_in = |list: &[String]| list.iter().any(|each| each == tag);
        let not_ready = json!([{"type": "Ready", "status": "False"}]);
        let container = |name: &str, more: Value| {
            let mut container = json!({
                "name": name, "ready": false, "image": "", "imageID": "", "restartCount": 0,
            });
            json_patch::merge(&mut container, &more);
            json!([container])
        };
        if is_in(&self.missing_images) {
            let waiting = json!({"reason": "ErrImagePull", "message": "not found"});
            let state = json!({"state": {"waiting": waiting}});
            return json!({
                "conditions": not_ready, "initContainerStatuses": container("config-sync", state),
            });
        }
        if is_in(&self.broken) {
            let migrated = json!({
                "ready": true, "state": {"terminated": {"exitCode": 0, "message": tag}},
            });
            let broke = json!({
                "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "message": "it broke"}},
            });
            return json!({
                "conditions": not_ready, "podIP": POD_IP,
                "initContainerStatuses": container("migrate-state", migrated),
                "containerStatuses": container("openclaw", broke),
            });
        }
        if !self.missing(template).is_empty() {
            let state = json!({"state": {"waiting": {"reason": "CreateContainerConfigError"}}});
            return json!({
                "conditions": not_ready, "podIP": POD_IP,
                "containerStatuses": container("openclaw", state),
            });
        }
        let before = pod.pointer("/status/conditions/0");
        let ready = before.filter(|before| at(before, "/status") == "True").cloned();
        let ready = ready.unwrap_or_else(|| {
            let now = self.now().to_string();
            json!({"type": "Ready", "status": "True", "lastTransitionTime": now})
        });
        json!({"conditions": [ready], "podIP": POD_IP})
    }

    fn create(&mut self, object: &Value) {
        let created = self.server.create(object, KUBERNETES);
        self.expect_taken("create", &key_of(object), created);
    }

    fn remove(&mut self, object: &Value) {
        let deleted = self.server.delete(&key_of(object), None);
        self.expect_taken("delete", &key_of(object), deleted);
    }

    /// A pod for each Job, which ends one round later: badly if it is about a wrong path or bucket,
    /// and never if that says so. The agent's pod must not be there when its state is restored.
    fn run_jobs(&mut self) {
        for job in self.all(Kind::Job).into_iter().filter(|job| job.get("status").is_none()) {
            let name = format!("{}-x", text(&job, "/metadata/name"));
            // What is restored, or where a backup goes.
            let container = "/spec/template/spec/containers/0";
            let at = if text(&job, &format!("{container}/name")) == "restore" { 4 } else { 6 };
            let from = text(&job, &format!("{container}/args/{at}")).to_owned();
            match self.get("Pod", &name).cloned() {
                None => self.start_job(&job, &name),
                Some(pod) if !from.contains("slow") => self.end_job(&job, &pod, &from),
                Some(_) => {}
            }
        }
    }

    fn start_job(&mut self, job: &Value, name: &str) {
        let restores = text(job, "/spec/template/spec/containers/0/name") == "restore";
        if restores && !self.pods().is_empty() {
            self.trouble.get_or_insert(Trouble::RestoreBesideAgent);
        }
        let template = at(job, "/spec/template");
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": at(template, "/metadata"),
            "spec": at(template, "/spec"),
        });
        set(&mut pod, &["metadata", "name"], json!(name));
        set(&mut pod, &["metadata", "namespace"], json!(NAMESPACE));
        let owner = json!([{
            "apiVersion": "batch/v1", "kind": "Job", "name": at(job, "/metadata/name"),
            "controller": true, "uid": at(job, "/metadata/uid"),
        }]);
        set(&mut pod, &["metadata", "ownerReferences"], owner);
        self.create(&pod);
    }

    fn end_job(&mut self, job: &Value, pod: &Value, from: &str) {
        let is_good = !from.contains("wrong");
        let said = json!({
            "path": from, "version": "2026.9.6", "sizeBytes": 1000,
            "before": ".openclaw-before-restore",
        });
        let storer = text(job, "/spec/template/spec/containers/0/name");
        let (container, list, code, message) = if is_good {
            (storer, "containerStatuses", 0, said.to_string())
        } else {
            let nothing = format!("{from:?} holds nothing: no file and no directory");
            ("fetch", "initContainerStatuses", 1, nothing)
        };
        let status = json!({list: [{
            "name": container, "ready": false, "image": "", "imageID": "", "restartCount": 0,
            "state": {"terminated": {"exitCode": code, "message": message}},
        }]});
        self.set_status(pod, &status);
        let condition = if is_good { "Complete" } else { "Failed" };
        let status = json!({"conditions": [{
            "type": condition, "status": "True", "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit",
        }]});
        self.set_status(job, &status);
    }

    /// The claims of the first replica, and where its pod mounts them.
    fn make_claims(&mut self, stateful_set: &Value, pod: &mut Value) {
        let templates = at(stateful_set, "/spec/volumeClaimTemplates").as_array();
        for template in templates.into_iter().flatten() {
            let volume = text(template, "/metadata/name");
            let name = format!("{volume}-{}", text(pod, "/metadata/name"));
            if self.get("PersistentVolumeClaim", &name).is_none() {
                let mut claim = template.clone();
                set(&mut claim, &["metadata", "name"], json!(name));
                set(&mut claim, &["metadata", "namespace"], json!(NAMESPACE));
                self.create(&claim);
            }
            if let Some(volumes) = pod.pointer_mut("/spec/volumes").and_then(Value::as_array_mut) {
                volumes.retain(|each| at(each, "/name") != volume);
                volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": name}}));
            }
        }
    }

    /// What the kubelet would wait for.
    fn missing(&self, template: &Value) -> Vec<String> {
        let spec = at(template, "/spec");
        let mut wanted: Vec<(&str, &Value)> = Vec::new();
        for volume in at(spec, "/volumes").as_array().into_iter().flatten() {
            wanted.push(("ConfigMap", at(volume, "/configMap/name")));
            wanted.push(("PersistentVolumeClaim", at(volume, "/persistentVolumeClaim/claimName")));
        }
        let container = at(spec, "/containers/0");
        for entry in at(container, "/env").as_array().into_iter().flatten() {
            wanted.push(("Secret", at(entry, "/valueFrom/secretKeyRef/name")));
        }
        for source in at(container, "/envFrom").as_array().into_iter().flatten() {
            wanted.push(("Secret", at(source, "/secretRef/name")));
        }
        let named = wanted.into_iter().filter_map(|(kind, name)| Some((kind, name.as_str()?)));
        named
            .filter(|(kind, name)| self.get(kind, name).is_none())
            .map(|(kind, name)| format!("{kind}/{name}"))
            .collect()
    }

    /// In the foreground: it is there until its pods are gone.
    pub(super) fn delete_with_dependents(&mut self, key: &Key, uid: &str) -> Result<(), Refusal> {
        let live = self.get(&key.0, &key.2).ok_or(Refusal::NotFound)?;
        if at(live, "/metadata/deletionTimestamp").is_null() {
            let patch = json!([
                {"op": "add", "path": "/metadata/finalizers", "value": ["foregroundDeletion"]}
            ]);
            self.server.json_patch(key, &patch, KUBERNETES)?;
        }
        self.server.delete(key, Some(uid))
    }

    /// A Deployment that is deleted in the foreground loses its pods in one round and goes in the
    /// next one.
    fn end_deployment(&mut self) {
        let Some(live) = self.get(DEPLOYMENT, &self.instance).cloned() else { return };
        if at(&live, "/metadata/deletionTimestamp").is_null() {
            return;
        }
        let key = key_of(&live);
        let patch = if at(&live, "/status/replicas") == 0 {
            json!([{"op": "remove", "path": "/metadata/finalizers"}])
        } else {
            json!([{"op": "add", "path": "/status", "value": {"replicas": 0}}])
        };
        let written = self.server.json_patch(&key, &patch, KUBERNETES);
        self.expect_taken("patch", &key, written);
    }

    /// Objects whose owner is gone go too.
    fn collect_garbage(&mut self) {
        let uid = self.live_instance().map(|live| at(live, "/metadata/uid").clone());
        let jobs = self.all(Kind::Job).into_iter().map(|job| at(&job, "/metadata/uid").clone());
        let uids: Vec<Value> = uid.into_iter().chain(jobs).collect();
        for object in self.server.list(MANAGED_BY_VALUE).into_iter().cloned().collect::<Vec<_>>() {
            let owners = at(&object, "/metadata/ownerReferences").as_array().cloned();
            let orphaned = owners.is_some_and(|owners| {
                !owners.is_empty() && owners.iter().all(|owner| !uids.contains(at(owner, "/uid")))
            });
            let is_agents = at(&object, "/metadata/ownerReferences").is_null();
            let podless = at(&object, "/kind") == "Pod"
                && is_agents
                && self.get("StatefulSet", &self.instance).is_none();
            if orphaned || podless {
                self.remove(&object);
            }
        }
    }
}

/// Returns what the operator keeps of a claim; nothing if it does not decode.
pub(super) fn claim_of(live: &Value) -> Option<Claim> {
    Some(claim_facts(&decoded(live)?))
}
