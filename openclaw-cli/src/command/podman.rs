//! `render -o podman`: what `podman kube play` runs of an agent, and what it cannot.
//!
//! Kept is what podman lists as supported, see
//! <https://github.com/containers/podman/blob/main/docs/kubernetes_support.md>.

use std::collections::{BTreeMap, BTreeSet};

use openclaw_render::Kind;
use openclaw_render::vocab::names;
use serde_json::{Map, Value, json};

use super::rendered::Agent;

const POD: &[&str] = &[
    "containers",
    "dnsConfig",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "initContainers",
    "restartPolicy",
    "securityContext",
    "shareProcessNamespace",
    "terminationGracePeriodSeconds",
    "volumes",
];
const POD_SECURITY: &[&str] =
    &["runAsGroup", "runAsUser", "seLinuxOptions", "supplementalGroups", "sysctls"];
const CONTAINER: &[&str] = &[
    "args",
    "command",
    "env",
    "envFrom",
    "image",
    "imagePullPolicy",
    "livenessProbe",
    "name",
    "ports",
    "resources",
    "securityContext",
    "volumeMounts",
    "workingDir",
];
const CONTAINER_SECURITY: &[&str] = &[
    "allowPrivilegeEscalation",
    "capabilities",
    "privileged",
    "procMount",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsUser",
    "seLinuxOptions",
];
const MOUNT: &[&str] = &["mountPath", "name", "readOnly", "subPath"];
const ENV_FROM: &[&str] = &["configMapRef", "secretRef"];
const VOLUME: &[&str] =
    &["configMap", "emptyDir", "hostPath", "image", "name", "persistentVolumeClaim", "secret"];
const RESOURCES: &[&str] = &["cpu", "memory"];
/// Makes podman run init containers before every start, not before the first one alone.
const INIT_TYPE: &str = "io.podman.annotations.init.container.type";

/// What podman is given for one agent.
pub(super) struct Played {
    /// In the order in which podman needs them.
    pub(super) documents: Vec<Value>,
    /// What is otherwise than in a cluster, a line each.
    pub(super) told: Vec<String>,
}

/// Returns what `podman kube play` runs of an agent.
pub(super) fn play(agent: &Agent) -> Played {
    let mut played = Playing::default();
    let mut others = Vec::new();
    for object in &agent.objects {
        let kind = object.kind();
        if matches!(kind, Kind::ConfigMap | Kind::Secret | Kind::PersistentVolumeClaim) {
            played.documents.push(without_namespace(object.to_value()));
        } else if kind == Kind::StatefulSet {
            played.pod = Some(object.to_value());
        } else if kind == Kind::Service {
            played.services.push(object.to_value());
        } else {
            others.push(object.key().to_string());
        }
    }
    if !others.is_empty() {
        played.told.push(format!("podman has no {}: left out", others.join(", ")));
    }
    played.finish()
}

#[derive(Default)]
struct Playing {
    documents: Vec<Value>,
    pod: Option<Value>,
    services: Vec<Value>,
    left_out: BTreeSet<String>,
    told: Vec<String>,
}

impl Playing {
    fn finish(mut self) -> Played {
        let Some(stateful_set) = self.pod.take() else {
            self.told.push("there is no pod".to_owned());
            return Played { documents: self.documents, told: self.told };
        };
        if at(&stateful_set, "/spec/replicas") == 0 {
            self.told.push("is switched off: no pod is printed".to_owned());
            return Played { documents: self.documents, told: self.told };
        }
        let mut pod = self.pod_of(&stateful_set);
        self.publish(&mut pod);
        self.own_claims(&stateful_set);
        self.miss(&pod);
        if !self.left_out.is_empty() {
            let fields: Vec<String> = std::mem::take(&mut self.left_out).into_iter().collect();
            self.told.push(format!("podman does not know {}: left out", fields.join(", ")));
        }
        self.documents.push(pod);
        Played { documents: self.documents, told: self.told }
    }

    fn pod_of(&mut self, stateful_set: &Value) -> Value {
        let name = text(stateful_set, "/metadata/name");
        let mut spec = self.kept(at(stateful_set, "/spec/template/spec"), POD, "");
        let security = self.kept(at(&spec, "/securityContext"), POD_SECURITY, "securityContext.");
        set(&mut spec, "securityContext", security);
        set(&mut spec, "restartPolicy", json!("Always"));
        for template in list(stateful_set, "/spec/volumeClaimTemplates") {
            let volume = text(template, "/metadata/name");
            let claim = format!("{volume}-{name}-0");
            let mut document = without_namespace(template.clone());
            if let Some(metadata) = document.get_mut("metadata") {
                set(metadata, "name", json!(claim));
            }
            set(&mut document, "apiVersion", json!("v1"));
            set(&mut document, "kind", json!("PersistentVolumeClaim"));
            self.documents.push(document);
            if let Some(volumes) = spec.get_mut("volumes").and_then(Value::as_array_mut) {
                volumes
                    .push(json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}}));
            }
        }
        let (volumes, names) = self.volumes(name, &spec);
        set(&mut spec, "volumes", Value::Array(volumes));
        let (mut init, mut beside) = (Vec::new(), Vec::new());
        for container in list(&spec, "/initContainers") {
            // A native sidecar never ends, and podman would wait for that.
            let goes_on = at(container, "/restartPolicy") == "Always";
            if goes_on { &mut beside } else { &mut init }.push(container.clone());
        }
        if !beside.is_empty() {
            let names: Vec<&str> = beside.iter().map(|each| text(each, "/name")).collect();
            self.told.push(format!(
                "{}: started beside the agent, not before it; the agent starts anew until they are \
                 ready",
                names.join(", ")
            ));
        }
        beside.extend(list(&spec, "/containers").cloned());
        for (field, containers) in [("initContainers", init), ("containers", beside)] {
            let kept = containers.iter().map(|each| self.container(each, &names)).collect();
            set(&mut spec, field, Value::Array(kept));
        }
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "annotations": {INIT_TYPE: "always"},
                "labels": at(stateful_set, "/spec/template/metadata/labels"),
                "name": name,
            },
            "spec": spec,
        })
    }

    /// The volumes that podman knows, and what each was called. Podman has one volume of a name for
    /// all pods, even an empty one, so that its name gets the pod's.
    fn volumes(&mut self, pod: &str, spec: &Value) -> (Vec<Value>, BTreeMap<String, String>) {
        let mut volumes = Vec::new();
        let mut names = BTreeMap::new();
        for volume in list(spec, "/volumes") {
            let kind = volume.as_object().and_then(|it| it.keys().find(|key| *key != "name"));
            if kind.is_none_or(|kind| VOLUME.contains(&kind.as_str())) {
                let mut volume = volume.clone();
                let old = text(&volume, "/name").to_owned();
                let new = format!("{pod}-{old}");
                set(&mut volume, "name", json!(new));
                names.insert(old, new);
                volumes.push(volume);
            } else {
                let (name, kind) = (text(volume, "/name"), kind.cloned().unwrap_or_default());
                self.left_out.insert(format!("volume {name} ({kind})"));
            }
        }
        (volumes, names)
    }

    fn container(&mut self, container: &Value, volumes: &BTreeMap<String, String>) -> Value {
        let mut kept = self.kept(container, CONTAINER, "containers.");
        let security = at(container, "/securityContext");
        let prefix = "containers.securityContext.";
        let security = self.kept(security, CONTAINER_SECURITY, prefix);
        set(&mut kept, "securityContext", security);
        let mut mounts = Vec::new();
        for mount in list(container, "/volumeMounts") {
            if let Some(name) = volumes.get(text(mount, "/name")) {
                let mut mount = self.kept(mount, MOUNT, "containers.volumeMounts.");
                set(&mut mount, "name", json!(name));
                mounts.push(mount);
            }
        }
        set(&mut kept, "volumeMounts", Value::Array(mounts));
        if container.get("envFrom").is_some() {
            let sources = list(container, "/envFrom");
            let sources =
                sources.map(|it| self.kept(it, ENV_FROM, "containers.envFrom.")).collect();
            set(&mut kept, "envFrom", Value::Array(sources));
        }
        for field in ["limits", "requests"] {
            let amounts = at(container, &format!("/resources/{field}"));
            if amounts.is_object() {
                let amounts = self.kept(amounts, RESOURCES, "containers.resources.");
                if let Some(resources) = kept.get_mut("resources") {
                    set(resources, field, amounts);
                }
            }
        }
        // Over HTTP, podman asks with a program in the container, which images of ours do not have.
        if at(container, "/livenessProbe/httpGet").is_object()
            && let Some(fields) = kept.as_object_mut()
        {
            fields.remove("livenessProbe");
            self.left_out.insert("containers.livenessProbe.httpGet".to_owned());
        }
        // Without a startup probe, the liveness probe has to leave the time to start.
        if let Some(liveness) = kept.get_mut("livenessProbe") {
            let startup = at(container, "/startupProbe");
            let number = |name: &str| at(startup, name).as_u64().unwrap_or_default();
            let grace = number("/periodSeconds").saturating_mul(number("/failureThreshold"));
            let grace = grace.saturating_add(number("/initialDelaySeconds")).min(86_400);
            let own = at(liveness, "/initialDelaySeconds").as_u64().unwrap_or_default();
            set(liveness, "initialDelaySeconds", json!(grace.max(own)));
        }
        kept
    }

    /// The Service's ports, on the loopback address of the host. No others: podman opens every port
    /// that it is told, on every address. One network is shared by all containers.
    fn publish(&mut self, pod: &mut Value) {
        let mut published = Vec::new();
        for service in std::mem::take(&mut self.services) {
            for port in list(&service, "/spec/ports") {
                let (number, target) = (at(port, "/port"), at(port, "/targetPort"));
                let mut named = list(pod, "/spec/containers").flat_map(|it| list(it, "/ports"));
                let named = named.find(|it| at(it, "/name") == target);
                let target = named.map_or(target, |it| at(it, "/containerPort"));
                if target.is_u64() {
                    published.push(json!({
                        "containerPort": target, "hostIP": "127.0.0.1", "hostPort": number,
                        "protocol": at(port, "/protocol"),
                    }));
                    self.told.push(format!("port {number} of the Service: 127.0.0.1:{number}"));
                } else {
                    self.told.push(format!("port {number} of the Service leads nowhere"));
                }
            }
        }
        for field in ["/spec/initContainers", "/spec/containers"] {
            let containers = pod.pointer_mut(field).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
                container.remove("ports");
                let is_agent = container.get("name").is_some_and(|name| name == names::AGENT);
                if is_agent && !published.is_empty() {
                    container.insert("ports".to_owned(), Value::Array(published.clone()));
                }
            }
        }
    }

    /// In a cluster, the kubelet gives a volume to the agent's group.
    fn own_claims(&mut self, stateful_set: &Value) {
        let security = at(stateful_set, "/spec/template/spec/securityContext");
        let ids = [("volume.podman.io/uid", "/runAsUser"), ("volume.podman.io/gid", "/fsGroup")];
        let claims =
            self.documents.iter_mut().filter(|it| at(it, "/kind") == "PersistentVolumeClaim");
        for claim in claims {
            let Some(metadata) = claim.get_mut("metadata") else { continue };
            let mut annotations = metadata.get("annotations").cloned().unwrap_or(json!({}));
            for (annotation, field) in ids {
                if let Some(id) = at(security, field).as_u64() {
                    set(&mut annotations, annotation, json!(id.to_string()));
                }
            }
            set(metadata, "annotations", annotations);
        }
    }

    /// Says what else podman must be given.
    fn miss(&mut self, pod: &Value) {
        let mut wanted = BTreeSet::new();
        references(pod, &mut wanted);
        for document in &self.documents {
            wanted.remove(&(kind_of(document), text(document, "/metadata/name").to_owned()));
        }
        let names: Vec<String> =
            wanted.into_iter().map(|(kind, name)| format!("{kind}/{name}")).collect();
        if !names.is_empty() {
            self.told
                .push(format!("needs {}, which is not printed: play it too", names.join(", ")));
        }
        let is_empty = |document: &&Value| {
            at(document, "/kind") == "Secret"
                && at(document, "/data").as_object().is_none_or(|data| {
                    data.is_empty()
                        || data.values().any(|value| value.as_str().is_some_and(str::is_empty))
                })
        };
        for secret in self.documents.iter().filter(is_empty) {
            let name = text(secret, "/metadata/name");
            self.told.push(format!("Secret/{name} is empty: use --generate-secrets"));
        }
    }

    /// Keeps of an object what podman knows.
    fn kept(&mut self, value: &Value, known: &[&str], prefix: &str) -> Value {
        let mut kept = Map::new();
        for (name, field) in value.as_object().into_iter().flatten() {
            if known.contains(&name.as_str()) {
                kept.insert(name.clone(), field.clone());
            // What a native sidecar is told by is told elsewhere.
            } else if !(prefix == "containers." && name == "restartPolicy") {
                self.left_out.insert(format!("{prefix}{name}"));
            }
        }
        Value::Object(kept)
    }
}

/// What a pod refers to and cannot do without.
fn references(value: &Value, wanted: &mut BTreeSet<(String, String)>) {
    let kinds = [
        ("secretKeyRef", "Secret", "/name"),
        ("secretRef", "Secret", "/name"),
        ("secret", "Secret", "/secretName"),
        ("configMapKeyRef", "ConfigMap", "/name"),
        ("configMapRef", "ConfigMap", "/name"),
        ("configMap", "ConfigMap", "/name"),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "/claimName"),
    ];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let kind = kinds.iter().find(|(key, ..)| key == name);
                match kind.map(|(_, kind, at)| (kind, text(field, at))) {
                    Some((kind, name)) if !name.is_empty() && at(field, "/optional") != true => {
                        wanted.insert(((*kind).to_owned(), name.to_owned()));
                    }
                    _ => references(field, wanted),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Podman has no namespaces.
fn without_namespace(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("namespace");
        metadata.remove("ownerReferences");
    }
    object
}

fn kind_of(document: &Value) -> String {
    text(document, "/kind").to_owned()
}

static NOTHING: Value = Value::Null;

fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&NOTHING)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    at(value, pointer).as_array().into_iter().flatten()
}

fn set(value: &mut Value, name: &str, field: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), field);
    }
}
