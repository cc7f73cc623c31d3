//! How many replicas there are: one, or as many as the load asks for.
//!
//! An agent is the only writer of its state. So only replicas that each have their own can be several.

use super::context::Resolving;
use super::{DataVolume, Storage};
use crate::api::{AutoScalingSpec, OpenClawInstanceSpec};
use crate::object::{Kind, ObjectKey};
use crate::observed::Fact;
use crate::power::is_scaled_by_load;
use crate::vocab::names::InstanceName;

const PATH: &str = "spec.availability.autoScaling";
const FEWEST: i32 = 1;
const MOST: i32 = 5;
/// Percent of the CPU that is requested.
const CPU: i32 = 80;

/// What becomes of scaling by load, where it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scaling {
    /// A HorizontalPodAutoscaler sets the number.
    ByLoad(Replicas),
    /// There is one replica, since there can be only one writer of this.
    OneWriter(String),
}

/// Bounds of the number of replicas, and what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replicas {
    pub(crate) fewest: i32,
    pub(crate) most: i32,
    /// Percent of what the agent's container requests.
    pub(crate) cpu: i32,
    pub(crate) memory: Option<i32>,
    /// The number that we set: the one that is there until somebody else sets it, and some where
    /// there is none, from which the load would not raise it.
    pub(crate) set: Option<i32>,
}

/// Decides whether there can be several. `shared` is what all replicas would write to besides their
/// state.
pub(super) fn resolve(
    name: &InstanceName,
    spec: &OpenClawInstanceSpec,
    storage: &Storage,
    shared: &[(&str, bool)],
    cx: &mut Resolving<'_>,
) -> Option<Scaling> {
    if !is_scaled_by_load(spec) {
        return None;
    }
    let asked = spec.availability.as_ref().and_then(|each| each.auto_scaling.clone());
    let replicas = replicas(name, &asked.unwrap_or_default(), cx);
    let state = match &storage.volume {
        DataVolume::Made { claim, .. } | DataVolume::Existing(claim) => {
            Some(format!("the state in claim {claim}"))
        }
        DataVolume::OfReplicas { .. } | DataVolume::Ephemeral(_) => None,
    };
    let shared =
        shared.iter().filter(|(_, is_there)| *is_there).map(|(what, _)| (*what).to_owned());
    if let Some(what) = state.into_iter().chain(shared).next() {
        cx.ineffective(
            PATH,
            format!(
                "has no effect: {what} can have one writer, so there is one replica; \
                 autoscaling needs an agent whose replicas each get a claim of their own from the \
                 beginning, without `existingClaim`, `tailscale`, `netbird`, and claims of `chromium` or `ollama`"
            ),
        );
        return Some(Scaling::OneWriter(what));
    }
    cx.risk(
        PATH,
        "makes every replica an agent of its own, with its own state, memory and devices: clients \
         are led to any of them; use it only for agents that need not remember",
    );
    Some(Scaling::ByLoad(replicas))
}

fn replicas(name: &InstanceName, asked: &AutoScalingSpec, cx: &Resolving<'_>) -> Replicas {
    let most = asked.max_replicas.unwrap_or(MOST.max(asked.min_replicas.unwrap_or_default()));
    let fewest = asked.min_replicas.unwrap_or(FEWEST).min(most);
    let set = cx.observed.objects.get(&ObjectKey::new(Kind::StatefulSet, name.as_str()));
    let set = match set.and_then(Fact::known) {
        // An autoscaler leaves alone what has none.
        Some(seen) if seen.replicas == Some(0) => Some(fewest),
        Some(seen) => seen.set_replicas,
        None => Some(fewest),
    };
    Replicas {
        fewest,
        most,
        cpu: asked.target_cpu_utilization.unwrap_or(CPU),
        memory: asked.target_memory_utilization,
        set,
    }
}
