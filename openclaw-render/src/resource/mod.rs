//! One file for each kind of object; this is the list of them all.

mod config_map;
mod meta;
mod network_policy;
mod persistent_volume_claim;
mod pod_disruption_budget;
mod role;
mod role_binding;
mod secret;
mod service;
mod service_account;
pub(crate) mod stake;
mod stateful_set;
mod workspace_config_map;

use k8s_openapi::api::core::v1::ConfigMap;
use stake::Stake::{self, Beside, Linked, Needed};
use stake::WhileHeld::{Changes, OnlyMade, Stays};
use stake::{Rendered, marked};

use crate::pod::{self, Part};
use crate::resolve::Resolved;

/// Every object of an instance, in the order in which objects are applied.
pub(crate) fn render(instance: &Resolved) -> Vec<Rendered> {
    let parts = &pod::parts(instance);
    let mut all = Vec::new();
    all.extend(marked(Needed(OnlyMade), service_account::render(instance)));
    all.extend(marked(Linked(OnlyMade), [role::render(instance, parts)]));
    all.extend(marked(Needed(OnlyMade), [role_binding::render(instance)]));
    all.extend(marked(Needed(OnlyMade), network_policy::render(instance, parts)));
    all.extend(secret::render(instance));
    all.extend(marked(Needed(Stays), contents(instance, parts)));
    all.extend(marked(Needed(Changes), persistent_volume_claim::render(instance, parts)));
    all.extend(marked(Beside, pod_disruption_budget::render(instance)));
    all.extend(marked(Linked(Stays), [service::render(instance, parts)]));
    all.extend(marked(Stake::Pod, [stateful_set::render(instance, parts)]));
    all
}

/// The objects whose size is the user's: the configuration, and what the workspace begins with.
pub(crate) fn config_maps(instance: &Resolved) -> [ConfigMap; 2] {
    contents(instance, &pod::parts(instance))
}

fn contents(instance: &Resolved, parts: &[Part]) -> [ConfigMap; 2] {
    [config_map::render(instance, parts), workspace_config_map::render(instance, parts)]
}
