//! References between objects: selectors, ports, mounted ConfigMaps, account, Secrets, claim.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{View, at, bundle_of, containers_of, list, stands_beside, text};
use crate::object::{Kind, Object};
use crate::vocab::{env, names, ports};

/// Shortest secret value that is looked for: anything shorter is found in any text.
const SHORTEST_SECRET: usize = 8;

pub(super) fn check(view: &View<'_>, found: &mut Vec<String>) {
    check_selectors(view, found);
    check_ports(view, found);
    check_mounted(view, found);
    check_used(view, found);
    check_account(view, found);
    check_secrecy(view, found);
    check_backups(view, found);
}

fn check_selectors(view: &View<'_>, found: &mut Vec<String>) {
    let labels = at(view.template(), "/metadata/labels");
    for (kind, pointer) in [
        (Kind::StatefulSet, "/spec/selector/matchLabels"),
        (Kind::Service, "/spec/selector"),
        (Kind::NetworkPolicy, "/spec/podSelector/matchLabels"),
        (Kind::PodDisruptionBudget, "/spec/selector/matchLabels"),
    ] {
        for object in view.of(kind).filter(|object| !stands_beside(object)) {
            let wanted = at(object, pointer).as_object();
            let selects = wanted.is_some_and(|wanted| {
                !wanted.is_empty()
                    && wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
            });
            if !selects {
                let name = text(object, "/metadata/name");
                found.push(format!("{kind}/{name}: does not select the pod"));
            }
        }
    }
    for set in view.of(Kind::StatefulSet) {
        let service = text(set, "/spec/serviceName");
        if view.named(Kind::Service, service).is_none() {
            found.push(format!("StatefulSet: its Service {service:?} is not there"));
        }
    }
}

fn check_ports(view: &View<'_>, found: &mut Vec<String>) {
    let listened: BTreeSet<i64> = view
        .containers()
        .flat_map(|container| list(container, "/ports"))
        .filter_map(|port| at(port, "/containerPort").as_i64())
        .collect();
    let targets: BTreeSet<i64> = view
        .of(Kind::Service)
        .flat_map(|service| list(service, "/spec/ports"))
        .filter_map(|port| at(port, "/targetPort").as_i64())
        .collect();
    // A program of the agent's or the user's may listen on any port; where ours do is known.
    let ours = [ports::GATEWAY, ports::PROXY, ports::CONFIG_SYNC].map(i64::from);
    for port in targets.difference(&listened).filter(|port| ours.contains(port)) {
        found.push(format!("Service: no container has its target port {port}"));
    }
    for policy in view.of(Kind::NetworkPolicy).filter(|policy| !stands_beside(policy)) {
        let opened: BTreeSet<i64> = list(policy, "/spec/ingress")
            .iter()
            .flat_map(|rule| list(rule, "/ports"))
            .filter_map(|port| at(port, "/port").as_i64())
            .collect();
        let known = |port: &&i64| targets.contains(port) && !ours.contains(port);
        for port in opened.difference(&listened).filter(|port| !known(port)) {
            found.push(format!("NetworkPolicy: opens port {port}, which no container has"));
        }
        // Who may come in is the user's; that somebody could is not, unless they say nobody.
        let nobody = opened.is_disjoint(&targets) && list(policy, "/spec/ingress").len() == 1;
        for port in targets.difference(&opened).filter(|_| !nobody) {
            found.push(format!("NetworkPolicy: keeps everyone from the Service's port {port}"));
        }
    }
}

/// ConfigMaps that are mounted, and the keys taken out of them. The agent and containers of the
/// user's may mount others than ours.
fn check_mounted(view: &View<'_>, found: &mut Vec<String>) {
    let is_helper = |container: &&Value| {
        let name = text(container, "/name");
        name != names::AGENT && names::CONTAINERS.contains(&name)
    };
    let helpers: Vec<&Value> = view.containers().filter(is_helper).collect();
    let bundles: BTreeSet<&str> = helpers.iter().filter_map(|each| bundle_of(each)).collect();
    let mounts = helpers.iter().flat_map(|container| list(container, "/volumeMounts"));
    let of_helpers: BTreeSet<&str> = mounts.map(|mount| text(mount, "/name")).collect();
    for volume in list(view.pod(), "/volumes") {
        let source = at(volume, "/configMap");
        // The certificates are in a ConfigMap of the user's.
        if source.is_null() || bundles.contains(text(volume, "/name")) {
            continue;
        }
        let name = text(source, "/name");
        let Some(map) = view.named(Kind::ConfigMap, name) else {
            let volume = text(volume, "/name");
            if of_helpers.contains(volume) {
                found.push(format!("volume {volume}: ConfigMap {name:?} is not there"));
            }
            continue;
        };
        for item in list(source, "/items") {
            let key = text(item, "/key");
            if at(map, "/data").get(key).is_none() {
                found.push(format!("volume {}: {name} has no key {key:?}", text(volume, "/name")));
            }
        }
    }
}

/// What is made for the pod is used by it.
fn check_used(view: &View<'_>, found: &mut Vec<String>) {
    let volumes = list(view.pod(), "/volumes");
    let variables: Vec<&Value> =
        view.containers().flat_map(|container| list(container, "/env")).collect();
    // The Secret is kept when clients prove who they are by something else, or by a token of the
    // user's own; what refers to it must find it.
    for set in view.of(Kind::StatefulSet) {
        let own = format!("{}-gateway-token", text(set, "/metadata/name"));
        let used = variables.iter().any(|each| {
            text(each, "/name") == env::GATEWAY_TOKEN
                && text(each, "/valueFrom/secretKeyRef/name") == own
        });
        if used && view.named(Kind::Secret, &own).is_none() {
            found.push(format!("Secret/{own}: a container uses it, and it is not there"));
        }
    }
    for (kind, pointer) in [
        (Kind::PersistentVolumeClaim, "/persistentVolumeClaim/claimName"),
        (Kind::ConfigMap, "/configMap/name"),
    ] {
        // Of those that stand beside the pod, it uses none.
        for object in view.of(kind).filter(|object| !stands_beside(object)) {
            let name = text(object, "/metadata/name");
            if !volumes.iter().any(|volume| text(volume, pointer) == name) {
                found.push(format!("{kind}/{name}: the pod does not mount it"));
            }
        }
    }
}

fn check_account(view: &View<'_>, found: &mut Vec<String>) {
    let account = text(view.pod(), "/serviceAccountName");
    for object in view.of(Kind::ServiceAccount) {
        let name = text(object, "/metadata/name");
        if name != account {
            found.push(format!("ServiceAccount/{name}: the pod does not run as it"));
        }
    }
    for binding in view.of(Kind::RoleBinding) {
        let role = text(binding, "/roleRef/name");
        if text(binding, "/roleRef/kind") != "Role" || view.named(Kind::Role, role).is_none() {
            found.push(format!("RoleBinding: its Role {role:?} is not there"));
        }
        let subjects = list(binding, "/subjects");
        if subjects.len() != 1 || subjects.iter().any(|each| text(each, "/name") != account) {
            found.push("RoleBinding: is not for the pod's account alone".to_owned());
        }
    }
}

fn check_secrecy(view: &View<'_>, found: &mut Vec<String>) {
    let values: Vec<&str> = view
        .objects
        .iter()
        .filter_map(|(object, _)| {
            let Object::Secret(secret) = object else { return None };
            secret.data.as_ref()
        })
        .flatten()
        .filter(|(key, _)| *key != names::BASIC_AUTH_USERNAME_KEY)
        .filter_map(|(_, value)| std::str::from_utf8(&value.0).ok())
        .filter(|value| value.len() >= SHORTEST_SECRET)
        .collect();
    for map in view.of(Kind::ConfigMap) {
        for (key, content) in at(map, "/data").as_object().into_iter().flatten() {
            let content = content.as_str().unwrap_or_default();
            if values.iter().any(|value| content.contains(value)) {
                let name = text(map, "/metadata/name");
                found.push(format!("ConfigMap/{name}: {key} holds the value of a Secret"));
            }
        }
    }
}

/// The pods that make and restore backups are none of the agent's, nobody reaches them, and one container of
/// theirs sees credentials: it sees no volume but that of the archives.
fn check_backups(view: &View<'_>, found: &mut Vec<String>) {
    for (name, template) in view.templates_beside() {
        let labels = at(template, "/metadata/labels");
        let selects = |wanted: &Value| {
            let wanted = wanted.as_object();
            wanted.is_some_and(|all| all.iter().all(|(key, value)| labels.get(key) == Some(value)))
        };
        for (kind, pointer) in [
            (Kind::StatefulSet, "/spec/selector/matchLabels"),
            (Kind::Service, "/spec/selector"),
            (Kind::PodDisruptionBudget, "/spec/selector/matchLabels"),
        ] {
            for _ in view.of(kind).filter(|object| selects(at(object, pointer))) {
                found.push(format!("{name}: its pods are selected by the {kind}"));
            }
        }
        for policy in view.of(Kind::NetworkPolicy) {
            let is_beside = stands_beside(policy);
            if selects(at(policy, "/spec/podSelector/matchLabels")) != is_beside {
                found.push(format!("{name}: its pods are not under their own policy"));
            }
            if is_beside && !list(policy, "/spec/ingress").is_empty() {
                found.push(format!("{name}: somebody reaches its pods"));
            }
        }
        for container in containers_of(at(template, "/spec")) {
            let secrets = list(container, "/env").iter();
            let secrets = secrets.filter(|each| !at(each, "/valueFrom/secretKeyRef").is_null());
            let mounts_data = list(container, "/volumeMounts")
                .iter()
                .any(|mount| text(mount, "/name") == names::DATA_VOLUME);
            if secrets.count() > 0 && mounts_data {
                let container = text(container, "/name");
                found.push(format!("{name}: {container} has credentials and the volume"));
            }
        }
    }
}
