//! What is named inside the pod: containers, volumes, mounts, environment, ports, resources.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{View, at, bundle_of, list, text, unique};
use crate::object::Kind;
use crate::quantity;
use crate::vocab::grammar::is_label;
use crate::vocab::names;

pub(super) fn check(view: &View<'_>, found: &mut Vec<String>) {
    let named = |values: &'_ [Value]| -> BTreeSet<String> {
        values.iter().map(|value| text(value, "/name").to_owned()).collect()
    };
    let mut volumes = named(list(view.pod(), "/volumes"));
    for set in view.of(Kind::StatefulSet) {
        let claims = list(set, "/spec/volumeClaimTemplates");
        volumes.extend(claims.iter().map(|claim| text(claim, "/metadata/name").to_owned()));
    }
    unique(
        "pod: volume",
        list(view.pod(), "/volumes").iter().map(|each| text(each, "/name")),
        found,
    );
    unique("pod: container", view.containers().map(|each| text(each, "/name")), found);
    let ports = view.containers().flat_map(|each| list(each, "/ports"));
    let numbers: Vec<String> = ports
        .map(|port| format!("{}/{}", at(port, "/containerPort"), text(port, "/protocol")))
        .collect();
    unique("pod: port", numbers.iter().map(String::as_str), found);
    let mut mounted = BTreeSet::new();
    for container in view.containers() {
        let name = text(container, "/name");
        if !is_label(name) {
            found.push(format!("container {name:?}: is not a label"));
        }
        check_mounts(name, container, &volumes, &mut mounted, found);
        unique(
            &format!("container {name}: variable"),
            list(container, "/env").iter().map(|each| text(each, "/name")),
            found,
        );
        check_resources(name, at(container, "/resources"), found);
    }
    // The agent may have something of the user's there.
    let trusts = |container: &&Value| bundle_of(container).is_some();
    let is_helper = |each: &&Value| {
        let name = text(each, "/name");
        name != names::AGENT && names::CONTAINERS.contains(&name)
    };
    if view.containers().filter(is_helper).any(|each| trusts(&each)) {
        let ours =
            view.containers().filter(|each| names::CONTAINERS.contains(&text(each, "/name")));
        for container in ours.filter(|container| !trusts(container)) {
            let name = text(container, "/name");
            found.push(format!("container {name}: does not see the certificates"));
        }
    }
    for volume in volumes.iter().filter(|volume| !mounted.contains(*volume)) {
        found.push(format!("volume {volume}: nothing mounts it"));
    }
    for volume in volumes.iter().filter(|volume| !is_label(volume)) {
        found.push(format!("volume {volume:?}: is not a label"));
    }
    for claim in view.of(Kind::PersistentVolumeClaim) {
        check_resources(text(claim, "/metadata/name"), at(claim, "/spec/resources"), found);
    }
}

fn check_mounts(
    name: &str,
    container: &Value,
    volumes: &BTreeSet<String>,
    mounted: &mut BTreeSet<String>,
    found: &mut Vec<String>,
) {
    let mounts = list(container, "/volumeMounts");
    unique(
        &format!("container {name}: mount path"),
        mounts.iter().map(|each| text(each, "/mountPath")),
        found,
    );
    for mount in mounts {
        let volume = text(mount, "/name");
        if !volumes.contains(volume) {
            found.push(format!("container {name}: mounts volume {volume:?}, which is not there"));
        }
        let path = text(mount, "/mountPath");
        if !path.starts_with('/') || path.contains(':') || path.split('/').any(|each| each == "..")
        {
            found.push(format!("container {name}: cannot mount at {path:?}"));
        }
        let inner = text(mount, "/subPath");
        if inner.starts_with('/') || inner.split('/').any(|each| each == "..") {
            found.push(format!("container {name}: sub-path {inner:?} leaves the volume"));
        }
        mounted.insert(volume.to_owned());
    }
    let devices = list(container, "/volumeDevices");
    mounted.extend(devices.iter().map(|device| text(device, "/name").to_owned()));
}

/// Requests within limits, every quantity as the API server stores it.
fn check_resources(name: &str, resources: &Value, found: &mut Vec<String>) {
    let entries = |pointer: &str| at(resources, pointer).as_object().into_iter().flatten();
    for (resource, value) in entries("/requests").chain(entries("/limits")) {
        let written = value.as_str().unwrap_or_default();
        if quantity::canonical(written).ok().as_deref() != Some(written) {
            found.push(format!("{name}: {resource} {value} is not canonical"));
        }
    }
    for (resource, request) in entries("/requests") {
        let parse = |value: &Value| quantity::parse(value.as_str()?).ok();
        let limit = at(resources, "/limits").get(resource);
        if let (Some(request), Some(limit)) = (parse(request), limit.and_then(parse))
            && request.nanos() > limit.nanos()
        {
            found.push(format!("{name}: asks for more {resource} than its limit"));
        }
    }
}
