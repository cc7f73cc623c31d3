//! [`Power`]: whether the agent's pod should run, and if not, why.

use crate::api::OpenClawInstanceSpec;

/// Whether a pod is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    /// One pod.
    On,
    /// None.
    Off(Off),
}

/// Why no pod is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Off {
    /// `spec.suspended` says so.
    Suspended,
    /// `spec.replicas` is 0.
    ScaledToZero,
    /// Its state is being restored, or must be before it starts.
    Restoring,
}

impl Power {
    /// Returns what the user asks for.
    pub(crate) fn asked(spec: &OpenClawInstanceSpec) -> Self {
        if spec.suspended == Some(true) {
            Self::Off(Off::Suspended)
        } else if spec.replicas == Some(0) && !is_scaled_by_load(spec) {
            Self::Off(Off::ScaledToZero)
        } else {
            Self::On
        }
    }

    /// Returns how many pods are wanted.
    pub(crate) fn replicas(self) -> i32 {
        match self {
            Self::On => 1,
            Self::Off(_) => 0,
        }
    }

    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

/// Replicas that are scaled by load are not set by hand.
pub(crate) fn is_scaled_by_load(spec: &OpenClawInstanceSpec) -> bool {
    let scaling = spec.availability.as_ref().and_then(|each| each.auto_scaling.as_ref());
    scaling.and_then(|scaling| scaling.enabled).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_agent_is_off_when_its_user_says_so_in_either_way() {
        for (spec, power) in [
            (json!({}), Power::On),
            (json!({"replicas": 1, "suspended": false}), Power::On),
            (json!({"suspended": true}), Power::Off(Off::Suspended)),
            (json!({"replicas": 0, "suspended": true}), Power::Off(Off::Suspended)),
            (json!({"replicas": 0}), Power::Off(Off::ScaledToZero)),
            (json!({"replicas": 0, "availability": {"autoScaling": {"enabled": true}}}), Power::On),
        ] {
            let parsed = serde_json::from_value(spec.clone()).expect("a spec");
            assert_eq!(Power::asked(&parsed), power, "{spec}");
        }
    }
}
