//! Condition types and reasons: the one table of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares words once: variants, the list of them, their names.
macro_rules! words {
    (
        $(#[$outer:meta])*
        pub enum $words:ident { $($(#[doc = $about:literal])+ $(#[$extra:ident])? $word:ident,)+ }
    ) => {
        $(#[$outer])*
        pub enum $words {
            $($(#[doc = $about])+ $(#[$extra])? $word,)+
        }

        impl $words {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$word,)+];

            /// Returns the word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => stringify!($word),)+ }
            }

            /// Returns what it means, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$word => concat!($($about,)+).trim_ascii(),)+ }
            }
        }

        impl fmt::Display for $words {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
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
        /// The ConfigMaps that workspaces refer to are there, and their keys make files.
        WorkspaceReady,
        /// The skill packs are fetched.
        SkillPacksReady,
        /// The tools of `spec.runtimeDeps` are installed.
        RuntimeDepsReady,
        /// The skills of ClawHub and npm are installed.
        SkillsReady,
        /// The plugins are installed.
        PluginsReady,
        /// Backups can be made, and the last one was.
        BackupReady,
        /// The CronJob that makes backups is there.
        ScheduledBackupReady,
        /// The backup before the instance is deleted was made.
        BackupComplete,
        /// What `spec.restoreFrom` names is restored.
        RestoreComplete,
        /// The models of `spec.ollama` are there.
        ModelsReady,
        /// What stands beside the pod is there.
        CompanionsReady,
        /// What the agent asks to have changed about itself is carried out.
        SelfConfigReady,
        /// The agent's metrics are served.
        MonitoringReady,
        /// A newer release is there, or on its way to the agent.
        AutoUpdateAvailable,
        /// Automatic updates do not happen, or the last one failed.
        AutoUpdatePaused,
        /// Gateways lead to the agent.
        HTTPRouteReady,
        /// A HorizontalPodAutoscaler sets the number of replicas.
        AutoscalingActive,
        /// A roll-out waits.
        RolloutPending,
        /// A name that the instance needs belongs to something else.
        NameConflict,
        /// The spec asks for something that this version does not render.
        Unsupported,
        /// Nothing is written.
        Paused,
        /// The OpenClawInstance is as the AgentInstance says.
        Converted,
    }
}

words! {
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
        /// A container that was ready does not answer its probe any more.
        NotResponding,
        /// The node of the pod does not report any more.
        NodeLost,
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
        /// The pod's user may not write to the volume.
        VolumeNotWritable,
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
        /// A key of a ConfigMap cannot be the name of a file.
        InvalidFileName,
        /// Something could not be installed, or is asked for no more and could not be removed.
        NotInstalled,
        /// Everything is installed.
        Installed,
        /// Every file of the workspaces is rendered.
        WorkspaceRendered,
        /// Every skill pack is fetched.
        PacksFetched,
        /// A skill pack could not be fetched.
        PackNotFetched,
        /// A skill pack is being fetched.
        PackUnknown,
        /// The configuration cannot be read.
        InvalidJSON,
        /// The application is sure to exit.
        WillNotStart,
        /// The configuration is rendered.
        ConfigRendered,
        /// The configuration has retired keys, which the application's migration changed in the pod.
        ConfigMigrated,
        /// What the agent asks for is carried out.
        RequestsCarriedOut,
        /// Nothing shows that only the agent itself makes requests in its name.
        AuthorNotProven,
        /// Somebody else takes away again what requests of the agent add.
        Overwritten,
        /// What the agent had written into its configuration could not be used.
        ConfigSetAside,
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
        /// Others are replaced for the same cause, and it is not this one's turn.
        WaitsForTurn,
        /// One that was replaced for the same cause does not become ready.
        RolloutStopped,
        /// A StatefulSet takes the place of the Deployment that ran the agent.
        ReplacingDeployment,
        /// Nobody can look at what it depends on.
        WaitingForReads,
        /// An object of that name is not ours.
        NameTaken,
        /// The object is there.
        Applied,
        /// The object is not there yet.
        NotApplied,
        /// Nobody says where backups are stored, or by what right.
        NoCredentials,
        /// The volume is for one pod alone, and the agent has it.
        ReadWriteOncePod,
        /// Each replica has a volume of its own, and a backup is of one.
        VolumePerReplica,
        /// The last backup was not stored.
        BackupFailed,
        /// The last backup is stored and was read back.
        BackupSucceeded,
        /// The last backup is being made, and the instance goes after it.
        BackingUp,
        /// The last backup was not made in its time.
        BackupTimedOut,
        /// No backup was made so far.
        NoBackupYet,
        /// A backup is being restored, and the agent is off until then.
        Restoring,
        /// The backup could not be restored, and what was there is as it was.
        RestoreFailed,
        /// The backup is restored.
        RestoreSucceeded,
        /// The namespace may not restore that from the shared storage.
        RestoreNotAllowed,
        /// The agent runs, and a backup is restored only while it is off.
        AgentRuns,
        /// The agent's metrics are served.
        MetricsServed,
        /// The agent has no metrics to serve.
        NoMetrics,
        /// The agent's state can have one writer, so there is one replica.
        SingleWriter,
        /// Every Gateway accepts the route.
        Accepted,
        /// A Gateway does not accept the route, or has not answered.
        NotAccepted,
        /// The route names no Gateway.
        NoParentRefs,
        /// The cluster does not have the object's kind.
        KindMissing,
        /// The API server refuses the object.
        ApplyRefused,
        /// The registry has a newer release.
        NewVersionAvailable,
        /// A newer release is being rolled out, or undone.
        Updating,
        /// The last update failed.
        UpdateFailed,
        /// Too many updates in a row failed.
        UpdatesStopped,
        /// No release can be told from the image's tag.
        TagUnreadable,
        /// The registry cannot be read.
        RegistryUnreachable,
        /// The instance is being deleted.
        Terminating,
    }
}

impl ConditionType {
    /// Whether `True` is the good status: some conditions report trouble.
    #[must_use]
    pub fn is_good_when_true(self) -> bool {
        !matches!(
            self,
            Self::AutoUpdatePaused
                | Self::RolloutPending
                | Self::NameConflict
                | Self::Unsupported
                | Self::Paused
        )
    }
}
