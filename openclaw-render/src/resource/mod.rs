//! One file for each kind of object; this is the list of them all.

mod config_map;
mod network_policy;
mod nginx_conf;
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
use crate::resolve::Resolved;

/// Every object of an instance, in the order in which objects are applied.
pub(crate) fn render(instance: &Resolved) -> Vec<Object> {
    let [config, workspace] = config_maps(instance);
    let stateful_set = stateful_set::render(instance, &config);
    let mut objects: Vec<Object> = vec![
        role::render(instance).into(),
        role_binding::render(instance).into(),
        config.into(),
        workspace.into(),
        service::render(instance).into(),
        stateful_set.into(),
    ];
    objects.extend(service_account::render(instance).map(Object::from));
    objects.extend(network_policy::render(instance).map(Object::from));
    objects.extend(secret::render(instance).map(Object::from));
    objects.extend(persistent_volume_claim::render(instance).map(Object::from));
    objects.extend(pod_disruption_budget::render(instance).map(Object::from));
    objects.sort_by_key(Object::key);
    objects
}

/// The objects whose size is the user's: the configuration, and what the workspace begins with.
pub(crate) fn config_maps(instance: &Resolved) -> [ConfigMap; 2] {
    [config_map::render(instance), workspace_config_map::render(instance)]
}
