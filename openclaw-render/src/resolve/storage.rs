//! The agent's volume: which claim, and how it is laid out.

use k8s_openapi::api::core::v1::{PersistentVolumeClaimSpec, VolumeResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::context::{Reference, Resolving};
use super::defaults::text;
use super::resources::given;
use crate::api::{OpenClawInstanceSpec, PersistenceSpec, QuantityValue};
use crate::observed::Claim;
use crate::problem::Severity;
use crate::vocab::annotations;
use crate::vocab::names::InstanceName;

/// Size of the claim that we make.
const SIZE: &str = "10Gi";
/// The application is the only writer of its state, and the browser that of its profile.
pub(super) const ACCESS_MODE: &str = "ReadWriteOnce";

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
    Made {
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
    cx: &mut Resolving<'_>,
) -> Storage {
    let persistence = spec.storage.as_ref().and_then(|storage| storage.persistence.clone());
    let persistence = persistence.unwrap_or_default();
    let path = "spec.storage.persistence";
    let size = size(path, persistence.size.as_ref(), SIZE, cx);
    let orphan = persistence.orphan.unwrap_or(true);
    if persistence.enabled == Some(false) {
        return Storage {
            volume: DataVolume::Ephemeral(Quantity(size)),
            layout: Layout::Home,
            orphan,
        };
    }
    if let Some(claim) = text(persistence.existing_claim.as_ref()) {
        let layout = existing_layout(claim, cx);
        return Storage { volume: DataVolume::Existing(claim.to_owned()), layout, orphan };
    }
    let claim = name.data();
    let seen = cx.claim_if_seen(&claim);
    let layout = seen.map_or(Layout::Home, |seen| layout(seen.layout.as_deref(), path, cx));
    if let Some(seen) = seen {
        let class = persistence.storage_class.as_deref();
        check_change(path, (&claim, seen), class, &size, cx);
    }
    let volume = DataVolume::Made { claim, spec: Box::new(state_spec(&persistence, size)) };
    Storage { volume, layout, orphan }
}

/// Returns the size of a claim that we make.
pub(super) fn size(
    path: &str,
    asked: Option<&QuantityValue>,
    default: &str,
    cx: &mut Resolving<'_>,
) -> String {
    let size = given(asked).unwrap_or_else(|| default.to_owned());
    let parse = |text: &str| crate::quantity::parse(text).ok();
    let (zero, one) = (parse("0"), parse("1"));
    match parse(&size) {
        size if size.is_some() && size <= zero => {
            cx.error(format!("{path}.size"), "is nothing: write for example `10Gi`");
        }
        size if size.is_some() && size < one => cx.risk(
            format!("{path}.size"),
            "is less than a byte, which each class of storage makes something else of: write for \
             example `10Gi`",
        ),
        _ => {}
    }
    size
}

fn existing_layout(claim: &str, cx: &mut Resolving<'_>) -> Layout {
    let path = "spec.storage.persistence.existingClaim";
    let unseen = format!(
        "rendered for a flat volume, as one without annotation `{}` is",
        annotations::LAYOUT
    );
    let missing = Some(Severity::WillNotStart);
    let seen = cx.claim(Reference { path, name: claim, missing, unseen: &unseen });
    seen.map_or(Layout::Flat, |seen| layout(seen.layout.as_deref(), path, cx))
}

fn layout(annotation: Option<&str>, path: &str, cx: &mut Resolving<'_>) -> Layout {
    match annotation {
        None => Layout::Flat,
        Some(annotations::LAYOUT_HOME) => Layout::Home,
        Some(other) => {
            cx.error(
                path,
                format!(
                    "the claim's annotation `{}` is {other:?}, which this version does not know: \
                     upgrade the operator",
                    annotations::LAYOUT
                ),
            );
            Layout::Home
        }
    }
}

/// Says what a claim that exists cannot become.
pub(super) fn check_change(
    path: &str,
    (claim, live): (&str, &Claim),
    class: Option<&str>,
    size: &str,
    cx: &mut Resolving<'_>,
) {
    let parse = |text: &str| crate::quantity::parse(text).ok();
    if let (Some(live), Some(wanted)) = (live.size.as_deref().and_then(parse), parse(size))
        && wanted < live
    {
        cx.ineffective(
            format!("{path}.size"),
            format!("has no effect: claim {claim:?} is larger, and claims cannot shrink"),
        );
    }
    if let (Some(wanted), Some(live)) = (class, live.storage_class.as_deref())
        && wanted != live
    {
        cx.ineffective(
            format!("{path}.storageClass"),
            format!("has no effect: claim {claim:?} is of class {live:?}, which cannot change"),
        );
    }
}

fn state_spec(persistence: &PersistenceSpec, size: String) -> PersistentVolumeClaimSpec {
    let modes = persistence.access_modes.clone().filter(|modes| !modes.is_empty());
    let modes = modes.unwrap_or_else(|| vec![ACCESS_MODE.to_owned()]);
    claim_spec(modes, size, persistence.storage_class.clone())
}

/// Returns the spec of a claim that we make.
pub(super) fn claim_spec(
    access_modes: Vec<String>,
    size: String,
    storage_class: Option<String>,
) -> PersistentVolumeClaimSpec {
    PersistentVolumeClaimSpec {
        access_modes: Some(access_modes),
        resources: Some(VolumeResourceRequirements {
            requests: Some([("storage".to_owned(), Quantity(size))].into()),
            ..Default::default()
        }),
        // An empty name is a value of its own: no dynamic provisioning.
        storage_class_name: storage_class,
        ..Default::default()
    }
}
