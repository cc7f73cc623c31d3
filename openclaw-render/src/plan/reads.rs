//! What must be seen before anything can be decided: everything that the spec refers to.

use crate::api::OpenClawInstance;
use crate::effect::Read;
use crate::observed::{Fact, Observed};
use crate::resolve::too_deep;
use crate::vocab::names::InstanceName;

/// Reads that are still missing, sorted, each once.
pub(super) fn needed(instance: &OpenClawInstance, observed: &Observed) -> Vec<Read> {
    let mut wanted = references(instance, observed);
    wanted.push(Read::ClusterDefaults);
    wanted.retain(|read| is_missing(read, observed));
    wanted.sort();
    wanted
}

/// Everything that the instance refers to by name, sorted, each once.
#[must_use]
pub fn references(instance: &OpenClawInstance, observed: &Observed) -> Vec<Read> {
    let Ok(name) = InstanceName::new(instance.metadata.name.as_deref().unwrap_or_default()) else {
        return Vec::new();
    };
    let mut wanted = vec![Read::Claim(name.data()), Read::Secret(name.gateway_token())];
    if too_deep(&instance.spec).is_some() {
        return wanted;
    }
    let defaults = observed.cluster_defaults.known().map(|defaults| &defaults.spec);
    let spec = crate::resolve::defaults::merge(&instance.spec, defaults);
    if let Some(reference) = spec.config.as_ref().and_then(|each| each.config_map_ref.as_ref()) {
        wanted.push(Read::ConfigMap(reference.name.clone()));
    }
    let persistence = spec.storage.as_ref().and_then(|each| each.persistence.as_ref());
    wanted.extend(persistence.and_then(|each| each.existing_claim.clone()).map(Read::Claim));
    let gateway = spec.gateway.as_ref();
    wanted.extend(gateway.and_then(|each| each.existing_secret.clone()).map(Read::Secret));
    for source in spec.env.iter().flatten().filter_map(|entry| entry.value_from.as_ref()) {
        wanted.extend(source.secret_key_ref.as_ref().map(|each| Read::Secret(each.name.clone())));
        wanted.extend(
            source.config_map_key_ref.as_ref().map(|each| Read::ConfigMap(each.name.clone())),
        );
    }
    for source in spec.env_from.iter().flatten() {
        wanted.extend(source.secret_ref.as_ref().map(|each| Read::Secret(each.name.clone())));
        wanted
            .extend(source.config_map_ref.as_ref().map(|each| Read::ConfigMap(each.name.clone())));
    }
    wanted.sort();
    wanted.dedup();
    wanted
}

fn is_missing(read: &Read, observed: &Observed) -> bool {
    fn unseen<T>(fact: Option<&Fact<T>>) -> bool {
        matches!(fact, None | Some(Fact::Unknown))
    }
    match read {
        Read::Claim(name) => !name.is_empty() && unseen(observed.claims.get(name)),
        Read::Secret(name) => !name.is_empty() && unseen(observed.secrets.get(name)),
        Read::ConfigMap(name) => !name.is_empty() && unseen(observed.config_maps.get(name)),
        Read::ClusterDefaults => matches!(observed.cluster_defaults, Fact::Unknown),
        Read::Metadata(_) | Read::Live(_) => false,
    }
}
