//! Labels of series.

use openclaw_render::api::Phase;
use prometheus_client::encoding::EncodeLabelSet;

use crate::live::InstanceKey;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Of {
    pub(super) namespace: String,
    pub(super) instance: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WithResult {
    pub(super) namespace: String,
    pub(super) instance: String,
    pub(super) result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct InPhase {
    pub(super) namespace: String,
    pub(super) instance: String,
    pub(super) phase: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Info {
    pub(super) namespace: String,
    pub(super) instance: String,
    pub(super) version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct NotMade {
    pub(super) namespace: String,
    pub(super) instance: String,
    pub(super) resource: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Performed {
    pub(super) effect: &'static str,
    pub(super) kind: &'static str,
    pub(super) result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Ended {
    pub(super) result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfKind {
    pub(super) kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CameTo {
    pub(super) phase: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfCause {
    pub(super) cause: &'static str,
}

pub(super) fn of(key: &InstanceKey) -> Of {
    Of { namespace: key.namespace.clone(), instance: key.name.clone() }
}

pub(super) fn with_result(key: &InstanceKey, result: &'static str) -> WithResult {
    WithResult { namespace: key.namespace.clone(), instance: key.name.clone(), result }
}

pub(super) fn info(key: &InstanceKey, version: &str) -> Info {
    let (namespace, instance) = (key.namespace.clone(), key.name.clone());
    Info { namespace, instance, version: version.to_owned() }
}

pub(super) fn not_made(key: &InstanceKey, resource: &'static str) -> NotMade {
    NotMade { namespace: key.namespace.clone(), instance: key.name.clone(), resource }
}

pub(super) fn in_phase(key: &InstanceKey, phase: Phase) -> InPhase {
    InPhase {
        namespace: key.namespace.clone(),
        instance: key.name.clone(),
        phase: phase.to_string(),
    }
}
