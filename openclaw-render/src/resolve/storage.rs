//! The agent's volume: which claim, and how it is laid out.

use k8s_openapi::api::core::v1::{PersistentVolumeClaimSpec, VolumeResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::defaults::{self, text};
use super::resources::checked;
use crate::api::{OpenClawInstanceSpec, PersistenceSpec};
use crate::observed::{Fact, Observed};
use crate::problem::{Problem, Rule};
use crate::vocab::annotations;
use crate::vocab::names::InstanceName;

/// The agent's volume.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Storage {
    pub(crate) volume: DataVolume,
    pub(crate) layout: Layout,
    /// Whether the claim that we make outlives the instance.
    pub(crate) orphan: bool,
}

/// Where the agent's state is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DataVolume {
    /// A claim that we make.
    Own {
        /// Its name.
        claim: String,
        /// Its spec.
        spec: Box<PersistentVolumeClaimSpec>,
    },
    /// A claim of the user's.
    Existing(String),
    /// Nowhere: it goes with the pod. The limit is the size that a claim would have.
    Ephemeral(Quantity),
}

/// What lies where on the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The directory `home` is the agent's HOME. The agent's user owns it, whoever owns the root.
    Home,
    /// The root is the state directory, as the Go operator laid it out.
    Flat,
}

pub(super) fn resolve(
    name: &InstanceName,
    spec: &OpenClawInstanceSpec,
    observed: &Observed,
    problems: &mut Vec<Problem>,
) -> Storage {
    let persistence = spec.storage.as_ref().and_then(|storage| storage.persistence.clone());
    let persistence = persistence.unwrap_or_default();
    let path = "spec.storage.persistence";
    let size = checked(&format!("{path}.size"), persistence.size.clone(), problems)
        .unwrap_or_else(|| defaults::VOLUME_SIZE.to_owned());
    let orphan = persistence.orphan.unwrap_or(true);
    if persistence.enabled == Some(false) {
        return Storage {
            volume: DataVolume::Ephemeral(Quantity(size)),
            layout: Layout::Home,
            orphan,
        };
    }
    if let Some(claim) = text(persistence.existing_claim.as_ref()) {
        let layout = existing_layout(claim, observed, problems);
        return Storage { volume: DataVolume::Existing(claim.to_owned()), layout, orphan };
    }
    let claim = name.data();
    let layout = match observed.claims.get(&claim).unwrap_or(&Fact::Unknown) {
        Fact::Known(claim) => layout(claim.layout.as_deref(), path, problems),
        Fact::Absent | Fact::Unknown => Layout::Home,
    };
    check_change(&claim, &persistence, &size, observed, problems);
    let volume =
        DataVolume::Own { claim, spec: Box::new(claim_spec(&persistence, size, problems)) };
    Storage { volume, layout, orphan }
}

fn existing_layout(claim: &str, observed: &Observed, problems: &mut Vec<Problem>) -> Layout {
    let path = "spec.storage.persistence.existingClaim";
    match observed.claims.get(claim).unwrap_or(&Fact::Unknown) {
        Fact::Known(claim) => layout(claim.layout.as_deref(), path, problems),
        Fact::Absent => {
            problems.push(Problem {
                rule: Rule::Missing,
                ..Problem::will_not_start(
                    path,
                    format!("claim {claim:?} does not exist in this namespace"),
                )
            });
            Layout::Flat
        }
        Fact::Unknown => {
            problems.push(Problem::advice(
                path,
                Rule::Unknown,
                format!(
                    "claim {claim:?} was not seen: rendered for a flat volume, as one without \
                     annotation `{}` is",
                    annotations::LAYOUT
                ),
            ));
            Layout::Flat
        }
    }
}

fn layout(annotation: Option<&str>, path: &str, problems: &mut Vec<Problem>) -> Layout {
    match annotation {
        None => Layout::Flat,
        Some(annotations::LAYOUT_HOME) => Layout::Home,
        Some(other) => {
            problems.push(Problem::error(
                path,
                Rule::Invalid,
                format!(
                    "the claim's annotation `{}` is {other:?}, which this version does not know: \
                     upgrade the operator",
                    annotations::LAYOUT
                ),
            ));
            Layout::Home
        }
    }
}

/// What a claim that exists cannot become.
fn check_change(
    claim: &str,
    persistence: &PersistenceSpec,
    size: &str,
    observed: &Observed,
    problems: &mut Vec<Problem>,
) {
    let Some(live) = observed.claims.get(claim).and_then(Fact::known) else { return };
    let parse = |text: &str| crate::quantity::parse(text).ok();
    if let (Some(live), Some(wanted)) = (live.size.as_deref().and_then(parse), parse(size))
        && wanted < live
    {
        problems.push(Problem::advice(
            "spec.storage.persistence.size",
            Rule::Ineffective,
            format!("has no effect: claim {claim:?} is larger, and claims cannot shrink"),
        ));
    }
    if let (Some(wanted), Some(live)) = (&persistence.storage_class, &live.storage_class)
        && wanted != live
    {
        problems.push(Problem::advice(
            "spec.storage.persistence.storageClass",
            Rule::Ineffective,
            format!("has no effect: claim {claim:?} is of class {live:?}, which cannot change"),
        ));
    }
}

fn claim_spec(
    persistence: &PersistenceSpec,
    size: String,
    problems: &mut Vec<Problem>,
) -> PersistentVolumeClaimSpec {
    let modes = persistence.access_modes.clone().filter(|modes| !modes.is_empty());
    for (index, mode) in modes.iter().flatten().enumerate() {
        let known = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];
        if !known.contains(&mode.as_str()) {
            problems.push(Problem::error(
                format!("spec.storage.persistence.accessModes[{index}]"),
                Rule::Invalid,
                format!("{mode:?} is not an access mode: use one of {}", known.join(", ")),
            ));
        }
    }
    PersistentVolumeClaimSpec {
        access_modes: modes.or_else(|| Some(vec![defaults::ACCESS_MODE.to_owned()])),
        resources: Some(VolumeResourceRequirements {
            requests: Some([("storage".to_owned(), Quantity(size))].into()),
            ..Default::default()
        }),
        // An empty name is a value of its own: no dynamic provisioning.
        storage_class_name: persistence.storage_class.clone(),
        ..Default::default()
    }
}
