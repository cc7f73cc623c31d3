//! The agent's volume: which claim, and how it is laid out.

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimStatus,
    VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::context::{Reference, Resolving};
use super::defaults::text;
use super::resources::given;
use crate::api::{OpenClawInstance, OpenClawInstanceSpec, PersistenceSpec, QuantityValue};
use crate::object::{Kind, ObjectKey};
use crate::observed::{Claim, Fact, Seen};
use crate::power::is_scaled_by_load;
use crate::problem::Severity;
use crate::vocab::names::{self, InstanceName};
use crate::vocab::{annotations, labels};

/// Size of the claim that we make.
pub(super) const SIZE: &str = "10Gi";
/// The application is the only writer of its state, and the browser that of its profile.
pub(super) const ACCESS_MODE: &str = "ReadWriteOnce";

pub(super) const ONE_POD: &str = "ReadWriteOncePod";

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
    /// A claim for each replica, which the StatefulSet makes.
    OfReplicas {
        /// Name of the first replica's.
        first: String,
        /// What they are made of. It never changes.
        templates: Vec<PersistentVolumeClaim>,
    },
    /// A claim of the user's.
    Existing(String),
    /// Nowhere: it goes with the pod. The limit is the size that a claim would have.
    Ephemeral(Quantity),
}

impl DataVolume {
    /// Returns the name of the claim, of the first one if each replica has its own.
    pub(crate) fn claim(&self) -> Option<&str> {
        match self {
            Self::Made { claim, .. }
            | Self::OfReplicas { first: claim, .. }
            | Self::Existing(claim) => Some(claim),
            Self::Ephemeral(_) => None,
        }
    }
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
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    cx: &mut Resolving<'_>,
) -> Storage {
    let persistence = spec.storage.as_ref().and_then(|storage| storage.persistence.clone());
    let persistence = persistence.unwrap_or_default();
    let path = "spec.storage.persistence";
    let size = size(path, persistence.size.as_ref(), SIZE, cx);
    let orphan = persistence.orphan.unwrap_or(true);
    check_access_modes(path, &persistence, cx);
    if let Some(volume) = of_replicas(name, instance, spec, &persistence, &size, cx) {
        return volume;
    }
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
    if cx.is_lent(Kind::PersistentVolumeClaim, &claim) {
        cx.ineffective(
            format!("{path}.existingClaim"),
            format!(
                "is not set, and claim {claim:?}, which another has made, is used as it is: name \
                 it here"
            ),
        );
    }
    let volume = DataVolume::Made { claim, spec: Box::new(state_spec(&persistence, size)) };
    Storage { volume, layout, orphan }
}

/// Returns the volumes of an agent whose replicas each have a claim of their own.
///
/// Whether they have is decided once, when the StatefulSet is made: it makes the claims, and what it
/// makes them of cannot change. An agent whose state lies in one claim is not moved to others, and
/// one that is no longer scaled stays with the first of its claims.
fn of_replicas(
    name: &InstanceName,
    instance: &OpenClawInstance,
    spec: &OpenClawInstanceSpec,
    persistence: &PersistenceSpec,
    size: &str,
    cx: &mut Resolving<'_>,
) -> Option<Storage> {
    let first = name.data_of_first();
    let resources = instance.status.as_ref().and_then(|it| it.managed_resources.as_ref());
    let had = resources.and_then(|it| it.pvc.as_ref()) == Some(&first);
    let scaled = is_scaled_by_load(spec);
    if scaled || had {
        cx.refer(Kind::StatefulSet, name.as_str());
    }
    let uid = instance.metadata.uid.as_deref();
    let set = cx.observed.objects.get(&ObjectKey::new(Kind::StatefulSet, name.as_str()));
    let set = set.and_then(Fact::known).filter(|seen| seen.is_controlled_by(uid));
    let path = "spec.storage.persistence";
    let templates = if let Some(seen) = set {
        let templates = live_templates(seen)?;
        check_fixed(path, persistence, size, &templates, cx);
        templates
    } else {
        let chosen = persistence.enabled != Some(false)
            && text(persistence.existing_claim.as_ref()).is_none();
        let is_free = cx.claim_if_seen(&name.data()).is_none();
        (chosen && (had || (scaled && is_free))).then(|| new_templates(name, persistence, size))?
    };
    if persistence.orphan == Some(false) {
        cx.ineffective(
            format!("{path}.orphan"),
            "has no effect: the claims of replicas outlive the instance; delete them yourself",
        );
    }
    cx.refer(Kind::PersistentVolumeClaim, &first);
    let annotated = templates.iter().find_map(|each| each.metadata.annotations.as_ref());
    let laid_out = annotated.and_then(|all| all.get(annotations::LAYOUT));
    let layout = layout(laid_out.map(String::as_str), path, cx);
    Some(Storage { volume: DataVolume::OfReplicas { first, templates }, layout, orphan: true })
}

/// Returns what the StatefulSet makes claims of; nothing if it makes none of the state.
fn live_templates(seen: &Seen) -> Option<Vec<PersistentVolumeClaim>> {
    let decoded = seen.claim_templates.iter().map(PersistentVolumeClaim::deserialize);
    let templates: Vec<PersistentVolumeClaim> = decoded.collect::<Result<_, _>>().ok()?;
    let is_of_state =
        |it: &PersistentVolumeClaim| it.metadata.name.as_deref() == Some(names::DATA_VOLUME);
    templates.iter().any(is_of_state).then_some(templates)
}

/// Says what the claims of replicas cannot become.
fn check_fixed(
    path: &str,
    persistence: &PersistenceSpec,
    size: &str,
    templates: &[PersistentVolumeClaim],
    cx: &mut Resolving<'_>,
) {
    let fixed = "has no effect: each replica has a claim of its own, and what those are made of was \
                 decided when the StatefulSet was made";
    if persistence.enabled == Some(false) {
        cx.ineffective(format!("{path}.enabled"), fixed);
    }
    if text(persistence.existing_claim.as_ref()).is_some() {
        cx.ineffective(format!("{path}.existingClaim"), fixed);
    }
    let parse = |text: &str| crate::quantity::parse(text).ok();
    let sizes = templates.iter().filter_map(|template| {
        template.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?.get("storage")
    });
    if sizes.into_iter().any(|live| parse(&live.0) != parse(size)) {
        cx.ineffective(
            format!("{path}.size"),
            format!("{fixed}: make the claims larger yourself, where their class allows it"),
        );
    }
}

/// As the API server stores them: they are ours as a whole, what it adds included.
fn new_templates(
    name: &InstanceName,
    persistence: &PersistenceSpec,
    size: &str,
) -> Vec<PersistentVolumeClaim> {
    let mut spec = state_spec(persistence, size.to_owned());
    spec.volume_mode = Some("Filesystem".to_owned());
    vec![PersistentVolumeClaim {
        metadata: ObjectMeta {
            annotations: Some(
                [(annotations::LAYOUT.to_owned(), annotations::LAYOUT_HOME.to_owned())].into(),
            ),
            labels: Some(labels::common(name)),
            name: Some(names::DATA_VOLUME.to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        status: Some(PersistentVolumeClaimStatus {
            phase: Some("Pending".to_owned()),
            ..PersistentVolumeClaimStatus::default()
        }),
    }]
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

/// A claim is for one pod, or it is not.
fn check_access_modes(path: &str, persistence: &PersistenceSpec, cx: &mut Resolving<'_>) {
    let is_made =
        persistence.enabled != Some(false) && text(persistence.existing_claim.as_ref()).is_none();
    let modes = persistence.access_modes.as_deref().unwrap_or_default();
    let count = modes.iter().filter(|mode| *mode == ONE_POD).count();
    if is_made && count > 0 && count < modes.len() {
        cx.error(
            format!("{path}.accessModes"),
            format!("has {ONE_POD} beside other modes, which it excludes: leave it alone, or out"),
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
