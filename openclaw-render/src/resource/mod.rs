//! One file for each kind of object; this is the list of them all.

mod config_map;
pub(crate) mod meta;
mod network_policy;
mod persistent_volume_claim;
mod pod_disruption_budget;
mod role;
mod role_binding;
mod secret;
mod service;
mod service_account;
mod stateful_set;
mod workspace_config_map;

use k8s_openapi::api::core::v1::ConfigMap;

use crate::object::Object;
use crate::pod::{self, Part};
use crate::resolve::Resolved;

/// Every object of an instance, in the order in which objects are applied.
pub(crate) fn render(instance: &Resolved) -> Vec<Object> {
    let parts = &pod::parts(instance);
    let mut objects: Vec<Object> = Vec::new();
    objects.extend(service_account::render(instance).map(Object::from));
    objects.push(role::render(instance, parts).into());
    objects.push(role_binding::render(instance).into());
    objects.extend(network_policy::render(instance, parts).map(Object::from));
    objects.extend(secret::render(instance).map(Object::from));
    objects.extend(contents(instance, parts).map(Object::from));
    objects.extend(persistent_volume_claim::render(instance, parts).into_iter().map(Object::from));
    objects.extend(pod_disruption_budget::render(instance).map(Object::from));
    objects.push(service::render(instance, parts).into());
    objects.push(stateful_set::render(instance, parts).into());
    objects
}

/// The objects whose size is the user's: the configuration, and what the workspace begins with.
pub(crate) fn config_maps(instance: &Resolved) -> [ConfigMap; 2] {
    contents(instance, &pod::parts(instance))
}

fn contents(instance: &Resolved, parts: &[Part]) -> [ConfigMap; 2] {
    [config_map::render(instance, parts), workspace_config_map::render(instance, parts)]
}
