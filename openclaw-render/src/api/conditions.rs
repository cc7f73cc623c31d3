//! Condition types and reasons: the one table of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a condition is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConditionType {
    /// The pod of the newest revision is ready.
    #[default]
    Ready,
    /// The configuration can be rendered and the application accepts it.
    ConfigValid,
    /// The StatefulSet has what was asked for.
    StatefulSetReady,
    /// The Service is there.
    ServiceReady,
    /// The NetworkPolicy is there.
    NetworkPolicyReady,
    /// Role and RoleBinding are there.
    RBACReady,
    /// The volume is there.
    StorageReady,
    /// Everything that the environment refers to is there.
    SecretsReady,
    /// A roll-out waits.
    RolloutPending,
    /// A name that the instance needs belongs to something else.
    NameConflict,
    /// The spec asks for something that this version does not render.
    Unsupported,
    /// Nothing is written.
    Paused,
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "Ready",
            Self::ConfigValid => "ConfigValid",
            Self::StatefulSetReady => "StatefulSetReady",
            Self::ServiceReady => "ServiceReady",
            Self::NetworkPolicyReady => "NetworkPolicyReady",
            Self::RBACReady => "RBACReady",
            Self::StorageReady => "StorageReady",
            Self::SecretsReady => "SecretsReady",
            Self::RolloutPending => "RolloutPending",
            Self::NameConflict => "NameConflict",
            Self::Unsupported => "Unsupported",
            Self::Paused => "Paused",
        })
    }
}

/// Why a condition is as it is, one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// The newest pod is ready.
    #[default]
    Reconciled,
    /// The instance is off.
    Suspended,
    /// The pod is ending.
    ScalingDown,
    /// The spec breaks a rule.
    InvalidSpec,
    /// The spec asks for something that is not rendered.
    Unsupported,
    /// An annotation forbids writing.
    Paused,
    /// The pod is on its way.
    PodStarting,
    /// An image cannot be pulled.
    ImagePullFailed,
    /// A container keeps exiting.
    CrashLoop,
    /// The application refuses its configuration.
    ConfigurationRejected,
    /// A container was killed for its memory.
    OutOfMemory,
    /// No node takes the pod.
    Unschedulable,
    /// The claim waits for a volume.
    ClaimPending,
    /// The claim has lost its volume.
    ClaimLost,
    /// The claim does not exist.
    ClaimMissing,
    /// The claim has its volume.
    ClaimBound,
    /// The volume has no space left.
    VolumeFull,
    /// The state on the volume could not be brought up to the version.
    MigrationFailed,
    /// No claim was asked for.
    NotPersistent,
    /// The ConfigMap does not exist.
    ConfigMapMissing,
    /// The ConfigMap has no such key.
    ConfigMapKeyMissing,
    /// The ConfigMap could not be read.
    ConfigMapUnknown,
    /// The configuration cannot be read.
    InvalidJSON,
    /// The application is sure to exit.
    WillNotStart,
    /// The configuration is rendered.
    ConfigRendered,
    /// The configuration has retired keys, which the application's migration changed in the pod.
    ConfigMigrated,
    /// The configuration is not where the application reads it.
    ConfigNotApplied,
    /// Nobody can say whether the configuration is where the application reads it.
    ConfigUnconfirmed,
    /// A Secret or key does not exist.
    SecretMissing,
    /// A Secret could not be read.
    SecretUnknown,
    /// Every Secret is there.
    SecretsFound,
    /// Someone must approve.
    HeldForApproval,
    /// An object of that name is not ours.
    NameTaken,
    /// The object is there.
    Applied,
    /// The object is not there yet.
    NotApplied,
    /// The API server refuses the object.
    ApplyRefused,
    /// Something must be read first.
    WaitingForReads,
    /// The instance is being deleted.
    Terminating,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reconciled => "Reconciled",
            Self::Suspended => "Suspended",
            Self::ScalingDown => "ScalingDown",
            Self::InvalidSpec => "InvalidSpec",
            Self::Unsupported => "Unsupported",
            Self::Paused => "Paused",
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
            Self::VolumeFull => "VolumeFull",
            Self::MigrationFailed => "MigrationFailed",
            Self::NotPersistent => "NotPersistent",
            Self::ConfigMapMissing => "ConfigMapMissing",
            Self::ConfigMapKeyMissing => "ConfigMapKeyMissing",
            Self::ConfigMapUnknown => "ConfigMapUnknown",
            Self::InvalidJSON => "InvalidJSON",
            Self::WillNotStart => "WillNotStart",
            Self::ConfigRendered => "ConfigRendered",
            Self::ConfigMigrated => "ConfigMigrated",
            Self::ConfigNotApplied => "ConfigNotApplied",
            Self::ConfigUnconfirmed => "ConfigUnconfirmed",
            Self::SecretMissing => "SecretMissing",
            Self::SecretUnknown => "SecretUnknown",
            Self::SecretsFound => "SecretsFound",
            Self::HeldForApproval => "HeldForApproval",
            Self::NameTaken => "NameTaken",
            Self::Applied => "Applied",
            Self::NotApplied => "NotApplied",
            Self::ApplyRefused => "ApplyRefused",
            Self::WaitingForReads => "WaitingForReads",
            Self::Terminating => "Terminating",
        })
    }
}

impl ConditionType {
    /// Whether `True` is the good status: some conditions report trouble.
    #[must_use]
    pub fn is_good_when_true(self) -> bool {
        !matches!(
            self,
            Self::RolloutPending | Self::NameConflict | Self::Unsupported | Self::Paused
        )
    }
}
