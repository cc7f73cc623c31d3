//! Condition types and reasons: the one table of both.
//!
//! A reason is one CamelCase word that scripts may compare; the message next to it is for people
//! and carries the numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a condition of the status speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum ConditionType {
    /// The newest revision's pod is ready.
    #[default]
    Ready,
    /// openclaw.json was found, rendered, and is not sure to stop the application.
    ConfigValid,
    /// The StatefulSet was written and its pods are ready.
    StatefulSetReady,
    /// The Service was written.
    ServiceReady,
    /// The NetworkPolicy was written.
    NetworkPolicyReady,
    /// ServiceAccount, Role and RoleBinding were written.
    RBACReady,
    /// The claim of the agent's state is there and bound.
    StorageReady,
    /// The Secrets that the spec refers to exist.
    SecretsReady,
    /// The files of the workspace were found.
    WorkspaceReady,
    /// The operator wants to change the pod and waits for an approval.
    RolloutPending,
    /// An object of a name that is needed belongs to someone else.
    NameConflict,
    /// The spec sets a field that this version of the operator does not render.
    Unsupported,
    /// The instance is left alone, as its annotation asks.
    Paused,
}

impl ConditionType {
    /// The word that the status shows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::ConfigValid => "ConfigValid",
            Self::StatefulSetReady => "StatefulSetReady",
            Self::ServiceReady => "ServiceReady",
            Self::NetworkPolicyReady => "NetworkPolicyReady",
            Self::RBACReady => "RBACReady",
            Self::StorageReady => "StorageReady",
            Self::SecretsReady => "SecretsReady",
            Self::WorkspaceReady => "WorkspaceReady",
            Self::RolloutPending => "RolloutPending",
            Self::NameConflict => "NameConflict",
            Self::Unsupported => "Unsupported",
            Self::Paused => "Paused",
        }
    }

    /// Whether True is the good news; for the others it is False.
    #[must_use]
    pub const fn is_good_when_true(self) -> bool {
        !matches!(
            self,
            Self::RolloutPending | Self::NameConflict | Self::Unsupported | Self::Paused
        )
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a condition has its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Reason {
    /// Everything is as the spec wants it.
    #[default]
    Reconciled,
    /// No pod runs, as the spec wants it.
    Suspended,
    /// Pods are still ending.
    ScalingDown,
    /// The spec breaks a rule; nothing is written.
    InvalidSpec,
    /// The spec sets a field that this version does not render; nothing is written.
    Unsupported,
    /// The annotation `openclaw.rocks/paused` is set; nothing is written.
    Paused,
    /// The pod runs and its readiness probe fails.
    PodNotReady,
    /// The pod is on its way.
    PodStarting,
    /// The node cannot fetch an image.
    ImagePullFailed,
    /// A container ends again and again.
    CrashLoop,
    /// The application refused openclaw.json: exit code 78.
    ConfigurationRejected,
    /// A container went beyond its memory limit.
    OutOfMemory,
    /// No node takes the pod.
    Unschedulable,
    /// The claim waits for a volume.
    ClaimPending,
    /// The volume of the claim is gone.
    ClaimLost,
    /// The claim does not exist.
    ClaimMissing,
    /// The claim has its volume.
    ClaimBound,
    /// A ConfigMap that the spec refers to does not exist.
    ConfigMapMissing,
    /// A ConfigMap that the spec refers to lacks the key.
    ConfigMapKeyMissing,
    /// A ConfigMap that the spec refers to could not be read; the last known content stays.
    ConfigMapUnknown,
    /// openclaw.json cannot be read.
    InvalidJSON,
    /// The application is sure to refuse openclaw.json; the pod is left alone.
    WillNotStart,
    /// openclaw.json was rendered.
    ConfigRendered,
    /// A Secret that the spec refers to does not exist.
    SecretMissing,
    /// A Secret that the spec refers to could not be looked at.
    SecretUnknown,
    /// Every Secret that the spec refers to exists.
    SecretsFound,
    /// A change that only the operator wants waits for an approval.
    HeldForApproval,
    /// No change waits for an approval.
    NoRolloutPending,
    /// An object of that name exists and is not ours.
    NameTaken,
    /// Every name that is needed is free or ours.
    NoConflict,
    /// The object was written, or was already as wanted.
    Applied,
    /// The object is not as wanted: the API server refused it, or it has not been sent yet.
    NotApplied,
    /// The spec turns it off.
    Disabled,
    /// The state lies in a temporary volume, as the spec wants it.
    NotPersistent,
    /// The instance is being deleted.
    Terminating,
    /// Something that must be known has not been read yet.
    WaitingForReads,
}

impl Reason {
    /// The word that the status shows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reconciled => "Reconciled",
            Self::Suspended => "Suspended",
            Self::ScalingDown => "ScalingDown",
            Self::InvalidSpec => "InvalidSpec",
            Self::Unsupported => "Unsupported",
            Self::Paused => "Paused",
            Self::PodNotReady => "PodNotReady",
            Self::PodStarting => "PodStarting",
            Self::ImagePullFailed => "ImagePullFailed",
            Self::CrashLoop => "CrashLoop",
            Self::ConfigurationRejected => "ConfigurationRejected",
            Self::OutOfMemory => "OutOfMemory",
            Self::Unschedulable => "Unschedulable",
            Self::ClaimPending => "ClaimPending",
            Self::ClaimLost => "ClaimLost",
            Self::ClaimMissing => "ClaimMissing",
            Self::ClaimBound => "ClaimBound",
            Self::ConfigMapMissing => "ConfigMapMissing",
            Self::ConfigMapKeyMissing => "ConfigMapKeyMissing",
            Self::ConfigMapUnknown => "ConfigMapUnknown",
            Self::InvalidJSON => "InvalidJSON",
            Self::WillNotStart => "WillNotStart",
            Self::ConfigRendered => "ConfigRendered",
            Self::SecretMissing => "SecretMissing",
            Self::SecretUnknown => "SecretUnknown",
            Self::SecretsFound => "SecretsFound",
            Self::HeldForApproval => "HeldForApproval",
            Self::NoRolloutPending => "NoRolloutPending",
            Self::NameTaken => "NameTaken",
            Self::NoConflict => "NoConflict",
            Self::Applied => "Applied",
            Self::NotApplied => "NotApplied",
            Self::Disabled => "Disabled",
            Self::NotPersistent => "NotPersistent",
            Self::Terminating => "Terminating",
            Self::WaitingForReads => "WaitingForReads",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
