//! What Kubernetes does by itself: volumes, pods, garbage.

use openclaw_render::{Kind, hash};
use serde_json::{Value, json};

use super::{KUBERNETES, NAMESPACE, POD_IP, World};
use crate::support::api_server::key_of;

impl World {
    /// One round of everything in Kubernetes that answers, and of config-sync. Whether it says
    /// something new, which wakes the operator.
    pub fn tick(&mut self) -> bool {
        self.bind_claims();
        self.run_stateful_sets();
        self.collect_garbage();
        let Some(answer) = self.answer() else { return false };
        let before = self.asked.as_mut().map(|asked| asked.answer.replace(answer.clone()));
        before.flatten() != Some(answer)
    }

    fn all(&self, kind: Kind) -> Vec<Value> {
        let managed = self.server.list("openclaw-operator").into_iter();
        managed.filter(|live| live["kind"] == kind.as_str()).cloned().collect()
    }

    pub(super) fn pods(&self) -> Vec<&Value> {
        let managed = self.server.list("openclaw-operator").into_iter();
        managed.filter(|live| live["kind"] == "Pod").collect()
    }

    fn bind_claims(&mut self) {
        for claim in self.all(Kind::PersistentVolumeClaim) {
            self.set_status(&claim, &json!({"phase": "Bound"}));
        }
    }

    fn set_status(&mut self, object: &Value, status: &Value) {
        if object.get("status") != Some(status) {
            let patch = json!([{"op": "add", "path": "/status", "value": status}]);
            self.server.json_patch(&key_of(object), &patch, KUBERNETES).expect("a status");
        }
    }

    /// One pod per StatefulSet, replaced when the template changes, ready one round later if all
    /// that it mounts and reads is there.
    fn run_stateful_sets(&mut self) {
        for set in self.all(Kind::StatefulSet) {
            let template = &set["spec"]["template"];
            let revision = hash(template);
            let name = format!("{}-0", set["metadata"]["name"].as_str().expect("a name"));
            let pod = self.get("Pod", &name).cloned();
            let wanted = set["spec"]["replicas"] != 0;
            let label = "/metadata/labels/controller-revision-hash";
            let current =
                pod.as_ref().is_some_and(|pod| pod.pointer(label) == Some(&json!(revision)));
            match pod {
                Some(pod) if !wanted || !current => {
                    self.replaced += usize::from(wanted);
                    self.server.delete(&key_of(&pod), None).expect("the pod is there");
                }
                Some(pod) => {
                    let missing = self.missing(template);
                    let status = if missing.is_empty() {
                        json!({
                            "conditions": [{"type": "Ready", "status": "True"}], "podIP": POD_IP,
                        })
                    } else {
                        json!({
                            "conditions": [{"type": "Ready", "status": "False"}], "podIP": POD_IP,
                            "containerStatuses": [{
                                "name": "openclaw", "ready": false, "image": "", "imageID": "",
                                "restartCount": 0,
                                "state": {"waiting": {"reason": "CreateContainerConfigError"}},
                            }],
                        })
                    };
                    self.set_status(&pod, &status);
                }
                None if wanted => {
                    let mut pod = json!({
                        "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"],
                        "spec": template["spec"],
                    });
                    pod["metadata"]["name"] = json!(name);
                    pod["metadata"]["namespace"] = json!(NAMESPACE);
                    pod["metadata"]["labels"]["controller-revision-hash"] = json!(revision);
                    self.server.create(&pod, KUBERNETES).expect("a pod");
                }
                None => {}
            }
            let running = i32::from(self.get("Pod", &name).is_some());
            let status = json!({
                "observedGeneration": set["metadata"]["generation"], "replicas": running,
                "updateRevision": revision,
            });
            self.set_status(&set, &status);
        }
    }

    /// What the kubelet would wait for.
    fn missing(&self, template: &Value) -> Vec<String> {
        let spec = &template["spec"];
        let mut wanted: Vec<(&str, &Value)> = Vec::new();
        for volume in spec["volumes"].as_array().into_iter().flatten() {
            wanted.push(("ConfigMap", &volume["configMap"]["name"]));
            wanted.push(("PersistentVolumeClaim", &volume["persistentVolumeClaim"]["claimName"]));
        }
        let container = &spec["containers"][0];
        for entry in container["env"].as_array().into_iter().flatten() {
            wanted.push(("Secret", &entry["valueFrom"]["secretKeyRef"]["name"]));
        }
        for source in container["envFrom"].as_array().into_iter().flatten() {
            wanted.push(("Secret", &source["secretRef"]["name"]));
        }
        let named = wanted.into_iter().filter_map(|(kind, name)| Some((kind, name.as_str()?)));
        named
            .filter(|(kind, name)| self.get(kind, name).is_none())
            .map(|(kind, name)| format!("{kind}/{name}"))
            .collect()
    }

    /// Objects whose owner is gone go too.
    fn collect_garbage(&mut self) {
        let uid = self.live_instance().map(|live| live["metadata"]["uid"].clone());
        for object in self.server.list("openclaw-operator").into_iter().cloned().collect::<Vec<_>>()
        {
            let owners = object["metadata"]["ownerReferences"].as_array().cloned();
            let orphaned = owners.is_some_and(|owners| {
                !owners.is_empty() && owners.iter().all(|owner| Some(&owner["uid"]) != uid.as_ref())
            });
            let podless =
                object["kind"] == "Pod" && self.get("StatefulSet", &self.instance).is_none();
            if orphaned || podless {
                self.server.delete(&key_of(&object), None).expect("the object is there");
            }
        }
    }
}
