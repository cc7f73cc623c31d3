//! What must hold between rendered objects, whatever the instance asks for.
//!
//! The API server checks objects one by one; that a mount has its volume, a Service its port and a
//! NetworkPolicy its opening it does not check. Tests run these laws over every fixture; programs
//! that embed the renderer and change its objects can run them over their result.

mod metadata;
mod pod;
mod pod_security;
mod references;

use serde_json::Value;

use crate::object::{Kind, Object};
use crate::vocab::{annotations, paths};

/// Everything that is inconsistent in the objects of one instance, as sentences that begin with
/// the object; empty when all is well.
///
/// Looked at: apply order and names, labels and owners; that names inside the pod are unique and
/// refer to each other; that selectors select the pod; that Service, NetworkPolicy and containers
/// agree on ports; that mounted ConfigMaps, the claim, Secrets and the ServiceAccount among the
/// objects are used, and what is mounted from ConfigMaps exists; that all containers see the certificates; that quantities are canonical and requests within limits; that no secret value stands in a ConfigMap; that nothing gets at the
/// node and no container gets a service account token that it does not name.
///
/// # Assumptions
/// The objects are those of one instance, unchanged in their order. Secrets, claims and accounts
/// that users made cannot be told from missing ones here: `resolve` reports those.
///
/// ```
/// use openclaw_render::{Observed, Settings, decode_instance, render_instance, violations};
///
/// let manifest = serde_json::json!({
///     "apiVersion": "openclaw.rocks/v1alpha1",
///     "kind": "OpenClawInstance",
///     "metadata": {"name": "ada", "namespace": "agents"},
/// });
/// let (instance, _) = decode_instance(manifest).expect("it decodes");
/// let (objects, _) = render_instance(&instance, &Observed::default(), &Settings::default());
/// assert!(violations(&objects).is_empty());
/// // Without its last object, the StatefulSet, nothing uses the others.
/// assert!(!violations(&objects[..objects.len() - 1]).is_empty());
/// ```
#[must_use]
pub fn violations(objects: &[Object]) -> Vec<String> {
    let view = View::new(objects);
    let mut found = Vec::new();
    metadata::check(&view, &mut found);
    pod::check(&view, &mut found);
    references::check(&view, &mut found);
    pod_security::check_node(&view, &mut found);
    found
}

/// In what the pod falls short of the *restricted* Pod Security Standard, and of a user other than
/// root; empty unless the instance asks for less.
///
/// Apart from [`violations`], because an instance may ask for less: `resolve` then reports a
/// problem of [`Rule::Risk`](crate::Rule::Risk).
///
/// Source: <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
#[must_use]
pub fn pod_security_violations(objects: &[Object]) -> Vec<String> {
    let mut found = Vec::new();
    pod_security::check_restricted(&View::new(objects), &mut found);
    found
}

/// The objects as they are sent.
struct View<'a> {
    objects: Vec<(&'a Object, Value)>,
}

impl<'a> View<'a> {
    fn new(objects: &'a [Object]) -> Self {
        Self { objects: objects.iter().map(|object| (object, object.to_value())).collect() }
    }

    /// Values of one kind.
    fn of(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |(object, _)| object.kind() == kind).map(|(_, value)| value)
    }

    /// An object by kind and name.
    fn named(&self, kind: Kind, name: &str) -> Option<&Value> {
        self.of(kind).find(|object| text(object, "/metadata/name") == name)
    }

    /// The specs of all pods: the agent's, and those beside it.
    fn pods(&self) -> impl Iterator<Item = &Value> {
        let beside = self.templates_beside().map(|(_, template)| at(template, "/spec"));
        [self.pod()].into_iter().chain(beside).filter(|pod| !pod.is_null())
    }

    /// The templates of pods that come and go beside the agent's, each with what makes them.
    fn templates_beside(&self) -> impl Iterator<Item = (Kind, &Value)> {
        let beside =
            [(Kind::CronJob, "/spec/jobTemplate/spec/template"), (Kind::Job, "/spec/template")];
        beside.into_iter().flat_map(|(kind, pointer)| {
            self.of(kind).map(move |object| (kind, at(object, pointer)))
        })
    }

    /// The pod's template.
    fn template(&self) -> &Value {
        at(self.of(Kind::StatefulSet).next().unwrap_or(&Value::Null), "/spec/template")
    }

    /// The pod's spec.
    fn pod(&self) -> &Value {
        at(self.template(), "/spec")
    }

    /// All containers, those of the start first.
    fn containers(&self) -> impl Iterator<Item = &Value> {
        containers_of(self.pod())
    }
}

/// The containers of a pod, those of the start first.
fn containers_of(pod: &Value) -> impl Iterator<Item = &Value> {
    list(pod, "/initContainers").iter().chain(list(pod, "/containers"))
}

/// Whether an object says of itself that it stands beside the pod.
fn stands_beside(object: &Value) -> bool {
    at(object, "/metadata/annotations").get(annotations::STANDS).is_some()
}

/// What stands at a JSON pointer; null if nothing does.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or_default()
}

/// The volume that a container has the user's certificates from.
fn bundle_of(container: &Value) -> Option<&str> {
    let mut mounts = list(container, "/volumeMounts").iter();
    let mount = mounts.find(|mount| text(mount, "/mountPath") == paths::CA_BUNDLE)?;
    Some(text(mount, "/name"))
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    at(value, pointer).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Reports what occurs twice.
fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>, found: &mut Vec<String>) {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let twice = names.windows(2).filter_map(|pair| match pair {
        [left, right] if left == right => Some(*left),
        _ => None,
    });
    found.extend(twice.map(|name| format!("{what} {name:?} twice")));
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

    use super::*;
    use crate::{Observed, Settings, decode_instance, render_instance};

    fn objects() -> Vec<Object> {
        let manifest = serde_json::json!({
            "metadata": {"name": "ada", "namespace": "agents", "uid": "u-1"},
            "spec": {"image": {"tag": "2026.9.6"}},
        });
        let (instance, _) = decode_instance(manifest).expect("it decodes");
        let observed =
            Observed { random_token: Some("fixture-token".to_owned()), ..Observed::default() };
        render_instance(&instance, &observed, &Settings::default()).0
    }

    /// Damages one object of a kind and says what is found.
    fn after(kind: Kind, damage: impl Fn(&mut Object)) -> Vec<String> {
        let mut objects = objects();
        let object = objects.iter_mut().find(|object| object.kind() == kind).expect("the kind");
        damage(object);
        let mut found = violations(&objects);
        found.extend(pod_security_violations(&objects));
        found
    }

    fn pod(object: &mut Object) -> &mut k8s_openapi::api::core::v1::PodSpec {
        let Object::StatefulSet(set) = object else { panic!("no StatefulSet") };
        set.spec.as_mut().unwrap().template.spec.as_mut().unwrap()
    }

    fn after_in_pod(damage: impl Fn(&mut k8s_openapi::api::core::v1::PodSpec)) -> Vec<String> {
        after(Kind::StatefulSet, |object| damage(pod(object)))
    }

    #[test]
    fn nothing_is_found_in_what_is_rendered() {
        assert_eq!(violations(&objects()), Vec::<String>::new());
        assert_eq!(pod_security_violations(&objects()), Vec::<String>::new());
    }

    #[test]
    fn every_damage_to_the_pod_is_found() {
        insta::assert_debug_snapshot!(

            [
                after_in_pod(|pod| pod.containers[0].name = "init-config".to_owned()),
                after_in_pod(|pod| {
                    pod.volumes.as_mut().unwrap().pop();
                }),
                after_in_pod(|pod| {
                    for container in pod.init_containers.as_mut().unwrap() {
                        let mounts = container.volume_mounts.as_mut().unwrap();
                        mounts.retain(|mount| mount.name != "config");
                    }
                }),
                after_in_pod(|pod| {
                    let env = pod.containers[0].env.as_mut().unwrap();
                    env.push(env[0].clone());
                }),
                after_in_pod(|pod| {
                    let mounts = pod.containers[0].volume_mounts.as_mut().unwrap();
                    let path = mounts[0].mount_path.clone();
                    mounts[1].mount_path = path;
                }),
                after_in_pod(|pod| pod.service_account_name = None),
                after_in_pod(|pod| pod.automount_service_account_token = None),
                after_in_pod(|pod| pod.host_network = Some(true)),
                after_in_pod(|pod| {
                    pod.volumes.as_mut().unwrap()[1].config_map.as_mut().unwrap().name =
                        "elsewhere".to_owned();
                }),
                after_in_pod(|pod| {
                    let resources = pod.containers[0].resources.as_mut().unwrap();
                    resources.requests.as_mut().unwrap().get_mut("cpu").unwrap().0 = "3".to_owned();
                }),
                after_in_pod(|pod| pod.init_containers.as_mut().unwrap()[2].ports = None),
                after_in_pod(|pod| pod.containers[0].security_context = None),
                after_in_pod(|pod| pod.security_context.as_mut().unwrap().run_as_user = Some(0)),
            ],
            @r#"
[
    [
        "pod: container \"init-config\" twice",
    ],
    [
        "container gateway-proxy: mounts volume \"gateway-proxy-tmp\", which is not there",
    ],
    [
        "volume config: nothing mounts it",
    ],
    [
        "container openclaw: variable \"HOME\" twice",
    ],
    [
        "container openclaw: mount path \"/home/openclaw\" twice",
    ],
    [
        "ServiceAccount/ada: the pod does not run as it",
        "RoleBinding: is not for the pod's account alone",
    ],
    [
        "pod: every container gets a service account token",
    ],
    [
        "pod: hostNetwork is on",
    ],
    [
        "volume config: ConfigMap \"elsewhere\" is not there",
    ],
    [
        "openclaw: asks for more cpu than its limit",
    ],
    [
        "Service: no container has its target port 18790",
        "NetworkPolicy: opens port 18790, which no container has",
    ],
    [
        "container openclaw: may gain privileges",
        "container openclaw: keeps capabilities",
    ],
    [
        "container init-config: runs as root",
        "container config-sync: runs as root",
        "container migrate-state: runs as root",
        "container openclaw: runs as root",
    ],
]
"#
        );
    }

    #[test]
    fn every_damage_to_another_object_is_found() {
        insta::assert_debug_snapshot!(

            [
                after(Kind::Service, |object| {
                    let Object::Service(service) = object else { return };
                    let ports = service.spec.as_mut().unwrap().ports.as_mut().unwrap();
                    ports[0].target_port = Some(IntOrString::Int(1));
                }),
                after(Kind::Service, |object| {
                    let Object::Service(service) = object else { return };
                    service.metadata.name = Some("1ada".to_owned());
                    service.metadata.labels = None;
                }),
                after(Kind::NetworkPolicy, |object| {
                    let Object::NetworkPolicy(policy) = object else { return };
                    policy.spec.as_mut().unwrap().ingress = None;
                }),
                after(Kind::PodDisruptionBudget, |object| {
                    let Object::PodDisruptionBudget(budget) = object else { return };
                    let selector = budget.spec.as_mut().unwrap().selector.as_mut().unwrap();
                    selector.match_labels.as_mut().unwrap().insert("a".to_owned(), "b".to_owned());
                }),
                after(Kind::ConfigMap, |object| {
                    let Object::ConfigMap(map) = object else { return };
                    map.data = map.data.take().map(|mut data| {
                        data.remove("nginx.conf");
                        data.insert(
                            "openclaw.json".to_owned(),
                            "{\"a\":\"fixture-token\"}".to_owned(),
                        );
                        data
                    });
                }),
                after(Kind::RoleBinding, |object| {
                    let Object::RoleBinding(binding) = object else { return };
                    binding.role_ref.name = "admin".to_owned();
                    binding.subjects = None;
                }),
                after(Kind::ServiceAccount, |object| {
                    let Object::ServiceAccount(account) = object else { return };
                    account.metadata.owner_references = None;
                    account.metadata.namespace = None;
                }),
                after(Kind::Secret, |object| {
                    let Object::Secret(secret) = object else { return };
                    secret.metadata.name = Some("unused".to_owned());
                }),
            ],
            @r#"
[
    [
        "NetworkPolicy: keeps everyone from the Service's port 1",
    ],
    [
        "Service/1ada: its name is none that the API server accepts",
        "Service/1ada: label app.kubernetes.io/name is not that of the others",
        "Service/1ada: label app.kubernetes.io/instance is not that of the others",
        "Service/1ada: label app.kubernetes.io/managed-by is not that of the others",
        "StatefulSet: its Service \"ada\" is not there",
    ],
    [
        "NetworkPolicy: keeps everyone from the Service's port 18790",
    ],
    [
        "PodDisruptionBudget/ada: does not select the pod",
    ],
    [
        "volume gateway-proxy-config: ada-config has no key \"nginx.conf\"",
        "ConfigMap/ada-config: openclaw.json holds the value of a Secret",
    ],
    [
        "RoleBinding: its Role \"admin\" is not there",
        "RoleBinding: is not for the pod's account alone",
    ],
    [
        "ServiceAccount/ada: is not in the namespace of the others",
        "ServiceAccount/ada: its owner is not that of the others",
        "Role/ada: is not in the namespace of the others",
        "RoleBinding/ada: is not in the namespace of the others",
        "NetworkPolicy/ada: is not in the namespace of the others",
        "Secret/ada-gateway-token: is not in the namespace of the others",
        "ConfigMap/ada-config: is not in the namespace of the others",
        "ConfigMap/ada-workspace: is not in the namespace of the others",
        "PersistentVolumeClaim/ada-data: is not in the namespace of the others",
        "PodDisruptionBudget/ada: is not in the namespace of the others",
        "Service/ada: is not in the namespace of the others",
        "StatefulSet/ada: is not in the namespace of the others",
    ],
    [
        "Secret/ada-gateway-token: a container uses it, and it is not there",
    ],
]
"#
        );
    }

    #[test]
    fn the_order_of_the_objects_is_part_of_the_law() {
        let mut objects = objects();
        objects.reverse();
        assert!(violations(&objects).iter().any(|found| found.contains("comes after")));
    }
}
